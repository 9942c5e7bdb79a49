import type {Timeline} from '../timeline/timeline.ts';
import type {RuleFinding} from './rule.ts';

interface Judgement {
  readonly findings: readonly RuleFinding[];
  readonly timeline: Timeline;
}

/**
 * Of a log that goes on: tells each finding once, when it has become sure. While a reload runs, what is found of it may
 * still change; and a finding has to stand in two judgements one after the other, because the line that explains it may
 * be the next one. A finding to which further processes have come is told again.
 */
export class Findings {
  private readonly told = new Set<string>();
  private before = new Set<string>();

  /** Some findings stood in the last judgement for the first time. */
  get isWaiting(): boolean {
    return [...this.before].some((key) => !this.told.has(key));
  }

  /** The findings that have become sure with this judgement. */
  settled(judgement: Judgement): readonly RuleFinding[] {
    const standing = judgement.findings.filter((finding) => !concernsRunning(finding, judgement.timeline));
    const sure = standing.filter((finding) => this.before.has(keyOf(finding)) && !this.told.has(keyOf(finding)));
    for (const finding of sure) this.told.add(keyOf(finding));
    this.before = new Set(standing.map(keyOf));
    return sure;
  }

  /** The log has ended: what has not been told yet. */
  rest({findings}: Judgement): readonly RuleFinding[] {
    return findings.filter((finding) => !this.told.has(keyOf(finding)));
  }
}

function keyOf({fingerprint, severity, reload, pids}: RuleFinding): string {
  return [fingerprint, severity, reload ?? '', ...pids].join(' ');
}

function concernsRunning({reload}: RuleFinding, {reloads}: Timeline): boolean {
  return reloads.some(({id, outcome}) => id === reload && outcome === 'unfinished');
}
