import type {Instance, Reload} from '../timeline/timeline.ts';
import type {Finding} from './rule.ts';
import {count, duration, evidence, instanceName, proof, seconds, sentences} from './wording.ts';

/** Starts of the application must make up this share of the whole. */
const MOSTLY = 0.5;
/** Seconds of a chain reload below which nobody asks why it takes long. */
const LONG = 60;

/** Chain reloads that nobody had to be killed for, and that waited for their replacements to start. */
export function slowStarts(instance: Instance): Finding | null {
  const slow = instance.reloads.filter(isSlowToStart);
  const [first] = slow;
  if (!first) return null;
  const worst = slow.reduce((a, b) => (b.duration.min > a.duration.min ? b : a), first);
  const starting = startingTime(worst);
  const workers = worst.workers.length;
  const lines = evidence([
    proof(worst.began, 'the chain reload begins'),
    ...(worst.ended ? [proof(worst.ended, `it is complete, after ${duration(worst.duration)}`)] : []),
  ]);
  if (!lines) return null;
  return {
    title: 'A chain reload took long because each replacement starts slowly',
    severity: 'info',
    message: sentences(
      slow.length > 1 && `${count(slow.length, 'chain reload')} were slow, this one the slowest.`,
      `The chain reload took ${duration(worst.duration)} for ${count(workers, 'worker')}, and no worker had to be killed.`,
      `At least ${seconds(starting)} of it went by between the end of a worker and its replacement being ready. That is proved.`,
      'It replaces one worker at a time, so the starts add up; all that time old and new code answer side by side.',
    ),
    confidence: 'certain',
    instance: instance.id,
    reload: slow.length === 1 ? worst.id : null,
    pids: [],
    workers: [],
    evidence: lines,
    against: [],
    cannotSee: ['what the application does while it starts: its import prints nothing by itself'],
    fixes: [],
    next: ['python -X importtime -c "import <module>" 2> imports.txt   # which import takes the time'],
    identity: [instanceName(instance), 'slow start'],
  };
}

function startingTime({workers}: Reload): number {
  return workers.reduce((sum, {comeback}) => sum + (comeback?.min ?? 0), 0);
}

function isSlowToStart(reload: Reload): boolean {
  const {kind, outcome, duration: took, workers} = reload;
  if (kind !== 'chain' || outcome !== 'completed' || took.max === null || took.min < LONG) return false;
  return workers.every(({end}) => end !== 'forced') && startingTime(reload) >= took.max * MOSTLY;
}
