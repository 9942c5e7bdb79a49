/**
 * The recorded reloads and stops again, under other settings: what each worker would have waited, and whether it would have
 * been killed. Every figure is an interval; what the log does not tell is said and not guessed.
 */
import {greatest} from '../extremes.ts';
import {forcedWorkers} from '../rules/forced-workers.ts';
import type {Verdict} from '../rules/judgement.ts';
import {costOf, mercyOf} from '../rules/mercy.ts';
import {longerThan, requestsOf, tasksOf} from '../rules/work.ts';
import {processesAskedBy} from '../timeline/lookup.ts';
import type {Duration} from '../timeline/time.ts';
import type {Instance, Process, Reload, Timeline} from '../timeline/timeline.ts';
import {withArbiterLimit} from './arbiter.ts';
import {effectOf, type Wish} from './settings.ts';
import {type Change, changed, type Kills, type SimulatedWorker} from './worker.ts';

export interface Simulation {
  readonly wishes: readonly Wish[];
  readonly reloads: readonly SimulatedReload[];
  readonly total: {readonly duration: Change; readonly kills: Kills};
  /** Requests of the servers that are simulated, and how many of them took longer than the new patience. */
  readonly requests: {readonly count: number; readonly longer: number; readonly limit: number | null};
  readonly tasks: {readonly count: number; readonly longer: number};
  readonly cannotTell: readonly string[];
}

/** A reload or stop of a server, or the stop of a program by its outer supervisor. */
export interface SimulatedReload {
  /** `reload-1`; the name of the program. */
  readonly id: string;
  readonly instance: string;
  readonly kind: Reload['kind'];
  readonly duration: Change;
  readonly kills: Kills;
  readonly workers: readonly SimulatedWorker[];
}

export function simulate(timeline: Timeline, wishes: readonly Wish[]): Simulation {
  const verdicts = new Map(forcedWorkers(timeline).map(({process, verdict}) => [process, verdict]));
  const doubts = new Set<string>();
  const reloads = timeline.instances.flatMap((instance) => {
    const own = wishes.filter((wish) => wish.supervisor === instance.supervisor);
    if (own.length === 0) return [];
    if (instance.supervisor === 'supervisord' || instance.supervisor === 'systemd') return programStops(instance, own, doubts);
    return instance.reloads.map((reload) => simulateReload(instance, reload, own, verdicts, doubts));
  });
  const served = timeline.instances.filter((instance) => wishes.some(({supervisor}) => supervisor === instance.supervisor));
  const limit = patienceIn(wishes);
  const requests = served.map(requestsOf);
  const tasks = served.flatMap((instance) => tasksOf(timeline, instance));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    wishes,
    reloads,
    total: {
      duration: {
        now: added(reloads.map(({duration}) => duration.now)),
        after: added(reloads.map(({duration}) => duration.after)),
      },
      kills: together(reloads.map(({kills}) => kills)),
    },
    requests: {
      count: sum(requests.map(({count}) => count)),
      longer: limit === null ? 0 : sum(requests.map((each) => longerThan(each, limit))),
      limit,
    },
    tasks: {count: tasks.length, longer: limit === null ? 0 : tasks.filter(({least}) => least > limit).length},
    cannotTell: [
      ...doubts,
      ...alwaysUnknown(
        timeline,
        requests.every(({count}) => count === 0),
        limit,
      ),
    ],
  };
}

/** The new patience with a worker and its requests, in seconds; null where none is changed. */
function patienceIn(wishes: readonly Wish[]): number | null {
  return (
    wishes.find(({effect, supervisor}) => effect === 'arbiter' || (effect === 'mercy' && supervisor === 'uwsgi'))?.seconds ?? null
  );
}

/** supervisord and systemd stop one program at a time, as far as their logs tell. */
function programStops(instance: Instance, wishes: readonly Wish[], doubts: Set<string>): SimulatedReload[] {
  const stopped = instance.processes.filter(
    ({role, asked, end}) => role === 'program' && asked?.by === 'stop' && end !== 'running',
  );
  return stopped.map((process) => {
    const worker = simulateWorker(instance, process, wishes, null, doubts);
    return {
      id: process.program ?? 'program',
      instance: instance.id,
      kind: 'stop',
      duration: worker.wait,
      kills: worker.kills,
      workers: [worker],
    };
  });
}

function simulateReload(
  instance: Instance,
  reload: Reload,
  wishes: readonly Wish[],
  verdicts: ReadonlyMap<Process, Verdict>,
  doubts: Set<string>,
): SimulatedReload {
  const workers = processesAskedBy(instance, reload)
    .filter(({role}) => role === 'worker')
    .map((process) => simulateWorker(instance, process, wishes, verdicts.get(process) ?? null, doubts));
  const now = reload.endedAt === null ? {min: reload.duration.min, max: null} : reload.duration;
  const waitsNow = workers.map(({wait}) => within(wait.now, now));
  // What is as it was is no longer than the whole was.
  const waitsAfter = workers.map(({wait}) => (wait.after === wait.now ? within(wait.now, now) : wait.after));
  const isSame = workers.every(({wait}) => wait.now === wait.after);
  // A chain waits for one worker after the other, everything else for the slowest.
  const of = reload.kind === 'chain' ? added : slowest;
  const after = isSame ? now : withoutSurprise(now, plus(minus(now, of(waitsNow)), of(waitsAfter)), workers);
  return {
    id: reload.id,
    instance: instance.id,
    kind: reload.kind,
    duration: {now, after},
    kills: together(workers.map(({kills}) => kills)),
    workers,
  };
}

function within({min, max}: Duration, whole: Duration): Duration {
  return {min, max: max ?? whole.max};
}

/** Where no worker waits longer, the whole does not take longer; where none waits less, not less. */
function withoutSurprise(now: Duration, after: Duration, workers: readonly SimulatedWorker[]): Duration {
  const isNowhereLonger = workers.every(
    ({wait}) => wait.after.max !== null && (wait.now.max === null || wait.after.max <= wait.now.max),
  );
  const isNowhereShorter = workers.every(({wait}) => wait.after.min >= wait.now.min);
  return {
    min: isNowhereShorter ? Math.max(after.min, now.min) : after.min,
    max: isNowhereLonger && now.max !== null ? Math.min(after.max ?? now.max, now.max) : after.max,
  };
}

function simulateWorker(
  instance: Instance,
  process: Process,
  wishes: readonly Wish[],
  verdict: Verdict | null,
  doubts: Set<string>,
): SimulatedWorker {
  const wait = process.asked?.wait ?? {min: 0, max: null};
  const isForced =
    process.end !== 'clean' &&
    (process.forced?.deadline === 'mercy' ||
      process.forced?.deadline === 'stop-timeout' ||
      (instance.supervisor === 'gunicorn' && process.forced?.deadline === 'timeout'));
  const killed = isForced ? 1 : 0;
  const same: SimulatedWorker = {
    process,
    wait: {now: wait, after: wait},
    kills: {now: killed, after: {min: killed, max: killed}},
  };
  let result = same;
  for (const wish of wishes) {
    if (effectOf(wish, instance) === 'exit' && isForced) result = withExitFreed(result, verdict, doubts);
    if (effectOf(wish, instance) === 'arbiter') result = withArbiterLimit(result, wish, instance, doubts);
    if (effectOf(wish, instance) === 'mercy') result = withMercy(result, wish.seconds, instance, doubts);
  }
  return result;
}

/** Nothing in the exit of a worker is waited for any more. */
function withExitFreed(worker: SimulatedWorker, verdict: Verdict | null, doubts: Set<string>): SimulatedWorker {
  const {wait} = worker;
  const atOnce = {min: 0, max: costOf(1)};
  if (verdict === 'idle' || verdict === 'recycle') {
    doubts.add('whether a thread or an exit handler held the idle workers: a handler that blocks may hold them all the same');
    return changed(worker, atOnce, {min: 0, max: 1});
  }
  if (verdict === 'undecided') {
    doubts.add('what held the workers that were killed while a request may have been running');
    return changed(worker, {min: 0, max: wait.after.max}, {min: 0, max: 1});
  }
  return worker;
}

/** How long it was waited for before it was killed. */
function patienceNow(instance: Instance, process: Process, wait: Duration): number {
  if (instance.supervisor === 'uwsgi') return mercyOf(instance, process.forced?.event ?? null).seconds;
  return Math.round(process.forced?.patience?.min ?? wait.min);
}

function withMercy(worker: SimulatedWorker, mercy: number, instance: Instance, doubts: Set<string>): SimulatedWorker {
  const {process, wait, kills} = worker;
  // The master looks once a second, for "more than": the kill comes after the mercy and up to two seconds later.
  const deadline = {min: mercy, max: mercy + 2};
  const {after} = wait;
  if (kills.after.max === 1) {
    const now = patienceNow(instance, process, wait.now);
    if (mercy <= now) {
      const cut = {min: Math.min(after.min, deadline.min), max: Math.min(after.max ?? deadline.max, deadline.max)};
      return changed(worker, cut);
    }
    doubts.add(`whether what was killed after ${now} s would have left by itself within ${mercy} s`);
    return changed(worker, {min: after.min, max: deadline.max}, {min: 0, max: 1});
  }
  if (after.max !== null && after.max <= deadline.min) return worker;
  if (after.min > deadline.max) return changed(worker, deadline, {min: 1, max: 1});
  doubts.add('how long workers that left by themselves needed, where no line bounds it: some might have been cut');
  const shorter = {min: Math.min(after.min, deadline.min), max: Math.min(after.max ?? deadline.max, deadline.max)};
  return changed(worker, shorter, {min: 0, max: 1});
}

function alwaysUnknown(timeline: Timeline, hasNoRequests: boolean, limit: number | null): string[] {
  const open = timeline.reloads.filter(({endedAt}) => endedAt === null).map(({id}) => id);
  return [
    ...(limit === null
      ? []
      : [
          hasNoRequests
            ? 'what would have been cut: this log has no request lines'
            : 'which requests ran when a reload began: a request is logged when it ends, and one that is killed never is',
        ]),
    ...(open.length === 0 ? [] : [`how long ${open.join(', ')} would have taken: its end is not in this log`]),
  ];
}

function added(durations: readonly Duration[]): Duration {
  return durations.reduce<Duration>(plus, {min: 0, max: 0});
}

function plus(a: Duration, b: Duration): Duration {
  return {min: a.min + b.min, max: a.max === null || b.max === null ? null : a.max + b.max};
}

/** What is left of `whole` without `part`, each somewhere in its interval. */
function minus(whole: Duration, part: Duration): Duration {
  return {
    min: part.max === null ? 0 : Math.max(0, whole.min - part.max),
    max: whole.max === null ? null : Math.max(0, whole.max - part.min),
  };
}

function slowest(durations: readonly Duration[]): Duration {
  return {
    min: Math.max(0, greatest(durations.map(({min}) => min))),
    max: durations.some(({max}) => max === null) ? null : Math.max(0, greatest(durations.map(({max}) => max ?? 0))),
  };
}

function together(kills: readonly Kills[]): Kills {
  return {
    now: kills.reduce((sum, {now}) => sum + now, 0),
    after: {
      min: kills.reduce((sum, {after}) => sum + after.min, 0),
      max: kills.reduce((sum, {after}) => sum + after.max, 0),
    },
  };
}
