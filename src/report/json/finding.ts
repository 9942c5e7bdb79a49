import type {Evidence, Fix, RuleFinding} from '../../rules/rule.ts';
import type {Notation} from './notation.ts';

export function findingJson(finding: RuleFinding, notation: Notation) {
  return {
    rule: finding.rule,
    severity: finding.severity,
    confidence: finding.confidence,
    title: finding.title,
    message: finding.message,
    instance: finding.instance,
    reload: finding.reload,
    pids: finding.pids,
    workers: finding.workers,
    evidence: finding.evidence.map((each) => evidenceJson(each, notation)),
    against: finding.against.map(({hypothesis, because, line, fits, decides, for: speaksFor}) => ({
      hypothesis,
      because,
      line,
      for: speaksFor ?? null,
      fits: fits ?? null,
      decides: decides ?? null,
    })),
    cannotSee: finding.cannotSee,
    fixes: finding.fixes.map(fixJson),
    next: finding.next,
    fingerprint: finding.fingerprint,
  };
}

function evidenceJson({at: line, shows}: Evidence, {where}: Notation) {
  return {...where(line), text: line.text, shows};
}

function fixJson({setting, section, value, effect, since, safety, why, remaining, tried}: Fix) {
  return {
    setting,
    section,
    value,
    effect,
    since,
    safety,
    why,
    tried: tried === true,
    ...(remaining === undefined ? {} : {remaining}),
  };
}
