import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import {oncePer} from '../timeline/once.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Timeline} from '../timeline/timeline.ts';
import {instanceOfEvent} from './line-owners.ts';
import type {Finding, Rule} from './rule.ts';
import {duration, evidence, instanceName, proof, sentences} from './wording.ts';

const rule: Rule = {
  id: 'instance-paused',
  title: 'The instance was paused, and nobody resumed it',
  severity: 'error',
  docs: {
    sees: 'The line "*** PAUSE" of the master without a line that resumes the workers, up to the end of the log.',
    why:
      'A paused instance accepts connections and answers none: its workers are suspended, by SIGTSTP to the master or by p in ' +
      'its FIFO. From outside it looks like a hang of the application.',
    remedy:
      'Resume it: SIGTSTP to the master once more, or p to its FIFO. See which script paused it (a zerg dance that broke off).',
    limits: 'Nothing is logged during a pause. A log that ends soon after it may show one that was meant, and is only a warning.',
    references: ['https://uwsgi-docs.readthedocs.io/en/latest/articles/TheArtOfGracefulReloading.html'],
  },
  needs: {
    messages: ['uwsgi/paused', 'uwsgi/worker-spawned', 'uwsgi/worker-respawned'],
    otherwise: 'no line of a uWSGI master is in this log',
  },
  *check(timeline) {
    for (const pause of pausesIn(timeline)) {
      yield describe(timeline, pause);
    }
  },
};

export default rule;

/** Up to the end of the log nothing shows that it is over. */
interface Pause {
  readonly paused: LogEvent;
  readonly instance: Instance | null;
  /** Lines that say meanwhile that the listen queue is full: nobody takes anything out of it. */
  readonly overflows: readonly LogEvent[];
}

export const pausesIn = oncePer((timeline: Timeline): readonly Pause[] => {
  const open = new Map<string | null, LogEvent>();
  for (const event of timeline.events) {
    if (event.meaning.role === 'worker') continue;
    if (event.meaning.kind === 'paused' && !open.has(event.stream)) open.set(event.stream, event);
    else if (event.meaning.kind === 'resumed') open.delete(event.stream);
  }
  return [...open.values()].flatMap((paused): Pause[] => {
    const instance = instanceOfEvent(timeline, paused);
    const stopped = instance?.stopped ?? null;
    if (stopped && precedes(paused, stopped)) return [];
    if (instance && isServing(instance, paused)) return [];
    const overflows = timeline.events.filter(
      (event) =>
        event.meaning.kind === 'listen-queue-full' &&
        event.input === paused.input &&
        event.stream === paused.stream &&
        precedes(paused, event),
    );
    return [{paused, instance, overflows}];
  });
});

/** Milliseconds in which a worker may take one more request before it is suspended. */
const GRACE = 2000;
/** Seconds of a pause that is meant. */
const SHORT = 60;

/** A request that began later shows that the workers run: the line that resumed them is missing. */
function isServing({processes}: Instance, paused: LogEvent): boolean {
  const since = paused.at.latest;
  return since !== null && processes.some(({segments}) => segments.some(({lastStart}) => lastStart > since + GRACE));
}

function describe(timeline: Timeline, {paused, instance, overflows}: Pause): Finding | null {
  const end = {earliest: timeline.to, latest: timeline.to};
  const lasted = timeline.to === null ? {min: 0, max: null} : between(paused.at, end);
  const [overflow] = overflows;
  const lines = evidence([
    proof(paused, 'the instance is paused, and no later line resumes it'),
    ...(overflow ? [proof(overflow, 'the listen queue is full: connections are refused')] : []),
  ]);
  if (!lines) return null;
  const isLong = lasted.min > SHORT;
  return {
    title: isLong ? rule.title : 'The log ends while the instance is paused',
    ...(isLong ? {} : {severity: 'warning' as const}),
    message: sentences(
      `The master was told to pause, and up to the end of the log (${duration({min: lasted.min, max: null})}) nothing resumes it.`,
      `That is proved. While it is paused nothing is served: connections wait in the queue of the socket${overflow ? ', and that was full' : ''}.`,
    ),
    confidence: 'certain',
    instance: instance?.id ?? null,
    reload: null,
    pids: instance?.masterPid == null ? [] : [instance.masterPid],
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: 'the line that resumes it is missing',
        because: 'no worker answers a request that began later',
        line: paused.line,
      },
    ],
    cannotSee: ['who paused it'],
    fixes: [],
    next: [`kill -TSTP ${instance?.masterPid ?? '<pid of the master>'}   # once more: resumes the workers`],
    identity: [instance ? instanceName(instance) : 'unknown', 'paused'],
  };
}
