import {thousands} from '../number.ts';
import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import {between, type Duration} from '../timeline/time.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {reasonOf, recycled} from './recycling.ts';
import type {Finding, Rule} from './rule.ts';
import {loading, numberOf, setting, uwsgiOf} from './settings.ts';
import {concerning, count, duration, evidence, instanceName, list, nameOf, proof, seconds, sentences, unique} from './wording.ts';
import {KILLER_MESSAGES, workerKillers} from './worker-killers.ts';

/** Seconds of life below which a worker is replaced too soon to be worth its start. */
const SHORT = 300;
/** Recyclings with a known life that show a habit. */
const ENOUGH = 4;
/** The part of a worker's time that goes into starts from which on it is more than a note. */
const COSTLY = 0.05;
/** Seconds over which it goes on before it is more than a busy moment. */
const HABIT = 600;
/** Seconds between the end of a worker and the start of its successor: one round of the master (core/master.c). */
const ROUND = 1;

const rule: Rule = {
  id: 'recycled-too-often',
  title: 'Workers are recycled every few minutes or less',
  severity: 'warning',
  docs: {
    sees:
      'Workers that leave by a limit of their own (max-requests, memory, lifetime), most of them within five minutes of their start. The ' +
      'same of workers that unicorn-worker-killer and puma_worker_killer end.',
    why:
      'Recycling is meant to bound slow leaks over hours. Where a worker lives for minutes, each start costs part of the capacity ' +
      '(with lazy-apps the whole import of the application), caches are cold, and every exit is one more chance to hang.',
    remedy:
      'Raise the limit until a worker lives for an hour or more. Where memory is the reason, find what grows: a worker that reaches ' +
      'its limit within minutes leaks with every request, or needs more than the limit from the start.',
    limits: 'The length of a life is known only where lines with a time stand around its start and its end.',
    references: ['https://uwsgi-docs.readthedocs.io/en/latest/Options.html#max-requests'],
  },
  settings: ['max-requests', 'max-worker-lifetime', 'reload-on-rss', 'reload-on-as'],
  restsOnOwners: true,
  needs: {
    messages: ['uwsgi/work-done', 'uwsgi/lifetime-reached', ...KILLER_MESSAGES],
    otherwise: 'no worker was recycled in this log (max-requests, max-worker-lifetime, reload-on-rss)',
  },
  *check(timeline) {
    yield* workerKillers(timeline);
    for (const instance of uwsgiOf(timeline)) {
      const lives = livesOf(instance);
      if (lives.length >= ENOUGH) yield describe(timeline, instance, lives);
    }
  },
};

export default rule;

interface Life {
  readonly process: Process;
  readonly length: Duration & {readonly max: number};
}

function livesOf(instance: Instance): Life[] {
  return recycled(instance).flatMap((process): Life[] => {
    if (process.started === null || process.asked === null) return [];
    const {min, max} = between(process.startedAt, process.asked.at);
    return max === null ? [] : [{process, length: {min, max}}];
  });
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Lines with which the master slows the replacements down. */
function throttled({events}: Timeline, [first]: readonly Process[]): LogEvent[] {
  const since = first?.started;
  if (!since) return [];
  return events.filter(
    (event) =>
      event.meaning.kind === 'respawn-throttled' &&
      event.input === since.input &&
      event.stream === since.stream &&
      precedes(since, event),
  );
}

function isHabit(processes: readonly Process[]): boolean {
  const [first, last] = [processes[0]?.asked?.at, processes.at(-1)?.asked?.at];
  return first !== undefined && last !== undefined && between(first, last).min >= HABIT;
}

function describe(timeline: Timeline, instance: Instance, lives: readonly Life[]): Finding | null {
  const [least, most] = [middle(lives.map(({length}) => length.min)), middle(lives.map(({length}) => length.max))];
  if (most >= SHORT) return null;
  const processes = lives.map(({process}) => process);
  const loads = instance.epochs.flatMap(({appLoads}) => appLoads);
  const isLazy = loading(instance) === 'lazy-apps';
  const load = isLazy ? middle(loads.flatMap(({seconds: told, inWorker}) => (inWorker && told !== null ? [told] : []))) : 0;
  // Of the most that a worker may have lived, so that no cost is claimed that is not there.
  const share = (load + ROUND) / Math.max(1, most + load + ROUND);
  const requests = middle(processes.map((process) => process.requests));
  const byRequests = processes.every(({cause}) => cause === 'max-requests');
  const limit = numberOf(instance, 'max-requests');
  const shortest = lives.toSorted((a, b) => a.length.max - b.length.max).slice(0, 3);
  const where = setting(instance, 'max-requests')?.where ?? null;
  const slowed = throttled(timeline, processes);
  const lines = evidence([
    ...shortest.flatMap(({process, length}) => [
      ...(process.started ? [proof(process.started, `${nameOf(process)} starts`)] : []),
      ...(process.asked ? [proof(process.asked.event, `and leaves at most ${seconds(length.max)} later`)] : []),
    ]),
    ...slowed
      .slice(0, 1)
      .map((event) => proof(event, 'the master slows the replacements down: it sleeps, and so does all it does')),
    ...(where && setting(instance, 'max-requests')?.from !== 'inferred' ? [proof(where, 'the limit')] : []),
  ]);
  if (!lines) return null;
  const factor = Math.ceil(3600 / Math.max(1, most));
  return {
    title: rule.title,
    severity: share >= COSTLY && (isHabit(processes) || slowed.length > 0) ? 'warning' : 'info',
    message: sentences(
      `${count(lives.length, 'worker')} left by ${list(unique(processes.map(reasonOf)))}; half of them lived ${duration({min: least, max: most})} or less`,
      `${requests > 0 ? `and answered ${count(requests, 'request')} or fewer` : ''}.`.trimStart(),
      'That is proved.',
      load > 0
        ? `Each start takes about ${seconds(load)} of loading (lazy-apps), so about ${Math.round(share * 100)} % of the time of the workers goes into starts.`
        : `Each start takes up to ${seconds(ROUND)}: ${share < 0.01 ? 'less than 1' : `about ${Math.round(share * 100)}`} % of the time of the workers.`,
      slowed.length > 0 &&
        `The master slowed the replacements down ${count(slowed.length, 'time')} (worker respawning too fast): while it sleeps, the place stays empty, and reloads and harakiri wait too.`,
    ).replace(' .', '.'),
    confidence: 'certain',
    instance: instance.id,
    reload: null,
    ...concerning(processes),
    evidence: lines,
    against: [
      {
        hypothesis: 'a short limit that is meant, for a leak that cannot be mended',
        because: 'nothing in the log speaks against it',
        line: null,
        fits: 'equally',
      },
    ],
    cannotSee: byRequests ? [] : ['which limit it was: 2.0 prints none; 2.1 does'],
    fixes: [
      {
        setting: byRequests || limit !== null ? 'max-requests' : null,
        section: byRequests || limit !== null ? 'uwsgi' : null,
        value: null,
        since: null,
        safety: 'safe',
        effect: `a worker lives about an hour in place of ${seconds(most)}`,
        why:
          `Raise the limit about ${factor}-fold${limit === null ? '' : ` (now ${thousands(limit)})`}, and watch the memory of the workers ` +
          '(memory-report). If it grows without end, reload-on-rss bounds it by what is used and not by a count.',
      },
    ],
    next: ['uwsgitop or the stats server: rss of each worker over an hour shows whether anything leaks'],
    identity: [instanceName(instance), 'recycled often'],
  };
}
