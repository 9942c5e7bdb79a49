import {greatest, least} from '../extremes.ts';
import type {LineRef} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {killedWhileRecycling, reasonOf, recycled} from './recycling.ts';
import type {Evidence, Finding, Fix, Rule} from './rule.ts';
import {mayHave, numberOf} from './settings.ts';
import {concerning, count, duration, evidence, instanceName, list, nameOf, proof, sentences, unique} from './wording.ts';
import {requestsOf} from './work.ts';

/** Seconds within which recyclings count as one moment. */
const MOMENT = 3;
/** So many of the workers must be concerned. */
const MOST = 0.75;
/** So little of a worker's life may lie between the first and the last of them. */
const HARDLY = 0.1;

const rule: Rule = {
  id: 'synchronized-recycling',
  title: 'All or most workers are recycled at the same moment',
  severity: 'warning',
  docs: {
    sees:
      'At least three quarters of the workers of an instance (and two at least) that are replaced within a few seconds, ' +
      'each by its own limit (max-requests, lifetime, memory).',
    why:
      'Workers that start together and share the load evenly reach their limit together. For the time of the replacement ' +
      'few of them or none serve, and requests queue up or fail; with a slow start-up, or an exit that hangs, for long.',
    remedy:
      'Give each worker a limit of its own: max-requests-delta (2.0.29 and later) or max-worker-lifetime-delta (2.0.19 and ' +
      'later). gunicorn calls it max_requests_jitter.',
    limits:
      'Where the lines carry no time, it goes by the request lines around them. Two recyclings in a row may be chance ' +
      'where there are only two workers.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#max-requests',
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#max-worker-lifetime-delta',
      'unbit/uwsgi#2235',
    ],
  },
  settings: ['max-requests', 'max-worker-lifetime', 'max_requests'],
  restsOnOwners: true,
  needs: {
    messages: ['uwsgi/work-done', 'uwsgi/lifetime-reached', 'gunicorn/autorestart'],
    otherwise: 'no worker was recycled in this log (max-requests, max-worker-lifetime, reload-on-rss)',
  },
  *check(timeline) {
    for (const instance of timeline.instances) {
      const moments = momentsOf(timeline, instance);
      if (moments.length === 0) continue;
      yield describe(timeline, instance, moments);
    }
  },
};

export default rule;

/** One worker's turn, by the line that shows it best. */
interface Turn {
  readonly process: Process;
  readonly earliest: number | null;
  readonly latest: number | null;
  readonly served: number;
  readonly shown: Evidence;
}

function turnsOf(timeline: Timeline, instance: Instance): Turn[] {
  const turns: Turn[] = [];
  const killed = new Map(killedWhileRecycling(timeline, instance).map(({process}) => [process, process.forced]));
  for (const process of new Set([...recycled(instance), ...killed.keys()])) {
    const own = process.asked?.by === 'itself' ? process.asked : null;
    const forced = killed.get(process);
    // All are killed after the same patience: the kills are as far apart as the recyclings.
    if (!own && forced)
      turns.push({
        process,
        ...forced.at,
        served: forced.event.served,
        shown: proof(forced.event, `${nameOf(process)} is killed at its deadline`),
      });
    else if (own)
      turns.push({process, ...own.at, served: own.event.served, shown: proof(own.event, `${nameOf(process)} is to be replaced`)});
  }
  return turns.sort((a, b) => (precedes(a.shown.at, b.shown.at) ? -1 : 1));
}

/** Runs of turns of different workers that fall into one moment and concern most of the workers. */
function momentsOf(timeline: Timeline, instance: Instance): Turn[][] {
  const turns = turnsOf(timeline, instance);
  const visible = requestsOf(instance).count > 0;
  const found: Turn[][] = [];
  const workersAt = workersOf(instance);
  for (let first = 0; first < turns.length; ) {
    const workers = workersAt(turns[first]?.shown.at ?? null);
    const enough = Math.max(2, Math.ceil(workers * MOST));
    let end = first + 1;
    while (end < turns.length && together(turns.slice(first, end + 1), workers, visible)) end++;
    const moment = turns.slice(first, end);
    if (new Set(moment.map(keyOf)).size >= enough) {
      found.push(moment);
      first = end;
    } else first++;
  }
  return found;
}

/**
 * What only might be is not said to be. With request lines: hardly anything was answered between the first and the
 * last of them, measured by what these workers answer in a whole life; or the first was not back before the last went.
 * Without: the times must say so.
 */
function together(turns: readonly Turn[], workers: number, visible: boolean): boolean {
  const [first, last] = [turns[0], turns.at(-1)];
  if (!first || !last || new Set(turns.map(keyOf)).size < turns.length || mayBeOnePlace(turns)) return false;
  const apart = first.latest === null || last.earliest === null ? 0 : last.earliest - first.latest;
  if (apart > MOMENT * 1000) return false;
  if (visible) {
    const answered = last.served - first.served;
    const lives = turns.reduce((sum, {process}) => sum + process.requests, 0);
    const isFirstBack = first.process.successor !== null && precedes(first.process.successor, last.shown.at);
    return answered <= lives * HARDLY || (answered <= workers && !isFirstBack);
  }
  const span = spanOf(turns);
  return span !== null && span <= MOMENT * 1000 && span <= shortestLife(turns) * HARDLY;
}

/** Milliseconds within which all of them fall; null where no times bound them, or they contradict the order of the lines. */
function spanOf(turns: readonly Turn[]): number | null {
  const [first, last] = [turns[0], turns.at(-1)];
  const [from, to] = [bound(turns, 'earliest', Math.min), bound(turns, 'latest', Math.max)];
  return first && last && from !== null && to !== null && between(first, last).max !== null ? to - from : null;
}

/** A worker that the log first shows leaving has no number there: whoever started after it may have taken its very place. */
function mayBeOnePlace(turns: readonly Turn[]): boolean {
  return turns.some(
    ({process: old, shown}) =>
      old.worker === null &&
      turns.some(
        ({process: {worker, started, predecessorPid}}) =>
          worker !== null && predecessorPid === null && started !== null && precedes(shown.at, started),
      ),
  );
}

function bound(turns: readonly Turn[], side: 'earliest' | 'latest', pick: (...values: number[]) => number): number | null {
  const values = turns.map((turn) => turn[side]);
  return values.some((value) => value === null) ? null : pick(...values.map(Number));
}

/** Milliseconds from the start of a worker to its turn; without limit where no start is in the log. */
function shortestLife(turns: readonly Turn[]): number {
  const lives = turns.map(({process, earliest}) =>
    process.startedAt.latest === null || earliest === null ? Number.POSITIVE_INFINITY : earliest - process.startedAt.latest,
  );
  return least(lives);
}

function keyOf({process}: Turn): number {
  return process.worker ?? -process.pid;
}

/** How many workers there are: by their numbers, or where they have none, as many as are there at that moment. */
function workersOf(instance: Instance): (at: LineRef | null) => number {
  const workers = instance.processes.filter(({role}) => role === 'worker');
  const numbers = new Set(workers.map(({worker}) => worker).filter((worker) => worker !== null));
  const others = workers.filter(({worker, successorPid}) => worker === null && successorPid === null);
  const told = numberOf(instance, 'processes') ?? numberOf(instance, 'workers') ?? 0;
  return (at) => {
    const present = others.filter(
      ({started, ended}) => at && (!started || precedes(started, at)) && (!ended || precedes(at, ended)),
    );
    return Math.max(numbers.size + present.length, told);
  };
}

function describe(timeline: Timeline, instance: Instance, moments: readonly Turn[][]): Finding | null {
  const processes = unique(moments.flat().map(({process}) => process));
  const most = greatest(moments.map((moment) => moment.length));
  const proved = moments.flat().every(({process}) => process.asked?.by === 'itself');
  const lines = evidence(moments.slice(0, 2).flatMap((moment) => moment.slice(0, 6).map(({shown}) => shown)));
  if (!lines) return null;
  const away = awayOf(moments);
  const stuck = killedWhileRecycling(timeline, instance).length > 0;
  const isTimed = moments.every((moment) => (spanOf(moment) ?? Number.POSITIVE_INFINITY) <= MOMENT * 1000);
  const answered = greatest(moments.map((moment) => (moment.at(-1)?.served ?? 0) - (moment[0]?.served ?? 0)));
  const times = moments.length === 1 ? 'Once' : count(moments.length, 'time');
  const byLifetime = processes.some(({cause}) => cause === 'max-lifetime');
  return {
    title: rule.title,
    message: sentences(
      `${times} up to ${most} of ${workersOf(instance)(lines[0].at)} workers were to be replaced ${
        isTimed
          ? `within ${MOMENT} s of each other`
          : `with ${answered === 0 ? 'no request' : count(answered, 'request')} answered in between`
      },`,
      `each because of ${list(unique(recycled(instance).map(reasonOf)))}.`,
      away && `Each of them was away for ${away}.`,
      proved && 'That is proved.',
      !isTimed && 'That it was the same moment is inferred: no times bound it.',
      !proved && 'That they were being recycled is inferred: they were killed at the same moment, a worker says that its work',
      !proved && 'is done, and no reload is under way in this log.',
      'They start together and share the load, so they reach their limit together;',
      'while they are replaced, hardly anybody serves.',
    ),
    confidence: proved && isTimed ? 'certain' : 'likely',
    instance: instance.id,
    reload: null,
    ...concerning(processes),
    evidence: lines,
    against: proved
      ? []
      : [
          {
            hypothesis: 'a reload whose beginning is not in this log',
            because: 'a worker says itself that its work is done',
            line: processes.find(({asked}) => asked?.by === 'itself')?.asked?.event.line ?? null,
          },
        ],
    cannotSee: ["which requests failed meanwhile: the proxy's log shows it"],
    fixes: fixesFor(instance, byLifetime, stuck),
    next: nextOf(instance),
    identity: [instanceName(instance), byLifetime ? 'lifetime' : 'limit'],
  };
}

function nextOf(instance: Instance): string[] {
  if (instance.supervisor !== 'uwsgi') return [];
  const look = 'uwsgitop or the stats server: the times of the last spawn (LastSpwn) of all workers lie together';
  if (mayHave(instance, '2.0.29')) return [look];
  return [
    look,
    `uWSGI 2.0.29 or later has max-requests-delta, which gives each worker a limit of its own; here ${instance.version} runs`,
  ];
}

const JITTER: Fix = {
  setting: 'max_requests_jitter',
  section: null,
  value: null,
  since: null,
  safety: 'safe',
  effect: 'each worker gets a limit of its own, so that they are replaced one after the other',
  why: 'A random number up to this value is added to max_requests. Choose about a tenth of max_requests.',
};

/** From leaving to the replacement. */
function awayOf(moments: readonly Turn[][]): string | null {
  const waits = moments
    .flat()
    .map(({process}) => process.asked?.wait ?? null)
    .filter((wait) => wait !== null && wait.max !== null);
  const longest = waits.reduce<(typeof waits)[number]>(
    (worst, wait) => (wait && (!worst || wait.min > worst.min) ? wait : worst),
    null,
  );
  return longest && longest.min >= 1 ? `up to ${duration(longest)}` : null;
}

function fixesFor(instance: Instance, byLifetime: boolean, stuck: boolean): Fix[] {
  if (instance.supervisor === 'gunicorn') return [JITTER];
  const isCounted = recycled(instance).some(({cause}) => cause === 'max-requests');
  const delta: Fix = {
    setting: 'max-requests-delta',
    section: 'uwsgi',
    value: '100',
    since: '2.0.29',
    safety: 'safe',
    effect: 'each worker gets a limit of its own, so that they are replaced one after the other',
    why: sentences(
      'The number of the worker times this value is added to max-requests. Choose about a tenth of max-requests.',
      !isCounted && 'The log does not say whether it is max-requests or a limit on memory; it helps with the former.',
    ),
  };
  const lifetime: Fix = {
    setting: 'max-worker-lifetime-delta',
    section: 'uwsgi',
    // Without max-worker-lifetime it does nothing.
    value: byLifetime ? '60' : null,
    since: '2.0.19',
    safety: 'safe',
    effect: 'each worker gets a lifetime of its own, so that they are replaced one after the other',
    why: byLifetime
      ? 'The number of the worker times this value is added to max-worker-lifetime.'
      : 'Together with max-worker-lifetime in place of max-requests. That kind of recycling has no deadline: use it only ' +
        'where workers leave without trouble.',
  };
  // Without a deadline, a worker that hangs would be lost for good.
  const ranked = byLifetime ? [lifetime] : stuck || !isCounted ? [delta] : [delta, lifetime];
  const offered = ranked.filter((fix) => mayHave(instance, fix.since));
  return instance.version === null ? offered : offered.slice(0, 1);
}
