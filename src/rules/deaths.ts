/**
 * Processes that died without anybody having asked them to. One reading for all rules that meet a death, so that each
 * death is told once: a loop before a single crash, a signal to the whole group before a kill.
 */

import type {LogEvent, Role} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {precedes} from '../timeline/lookup.ts';
import {oncePer} from '../timeline/once.ts';
import {FAULTS, REQUESTS, signalName} from '../timeline/signals.ts';
import {between, type Duration} from '../timeline/time.ts';
import {type Instance, type Process, type Reload, type Timeline, UNKNOWN_PID} from '../timeline/timeline.ts';
import {loading} from './settings.ts';
import {failedToStart, givenUp, programOf} from './starts.ts';
import {upstreamTrouble} from './upstream-troubles.ts';
import {count, list, nameOf} from './wording.ts';

/** A process that lives no longer than this, in seconds, had hardly started. */
export const SHORT_LIFE = 30;
/** That many short lives in a row are a loop. */
const LOOP = 3;
/** Seconds between a stop and the deaths that belong to it. */
const NEAR = 5;

const ROLES: Readonly<Record<Role, string>> = {
  master: 'master',
  worker: 'worker',
  gateway: 'gateway',
  mule: 'mule',
  spooler: 'spooler',
  daemon: 'daemon',
  emperor: 'emperor',
  program: 'program',
  other: 'process',
};

/** `worker 3 (pid 812)`, `mule 1 (pid 9)`, `program shop (pid 12)`. */
export function processName(process: Process): string {
  if (process.role === 'worker') return nameOf(process);
  return process.pid === UNKNOWN_PID ? slotName(process) : `${slotName(process)} (pid ${process.pid})`;
}

/** The exit code that the line of its end tells; systemd has words beside it ("code=exited, status=1/FAILURE"). */
export function exitCodeOf({ended}: Process): string | null {
  const told = ended?.fields.status ?? ended?.fields.code;
  return told === undefined ? null : String(told);
}

/** The place that a process fills: `worker 3`, `mule 1`, `program shop`. */
function slotName(process: Process): string {
  const mark = process.worker ?? processTitle(process);
  return mark === null ? ROLES[process.role] : `${ROLES[process.role]} ${mark}`;
}

function processTitle({program, started, ended}: Process): string | null {
  if (program !== null) return program;
  for (const event of [started, ended]) {
    const {gateway, number, mule, task, name} = event?.fields ?? {};
    const title = [gateway ?? task ?? name, number ?? mule].filter((part) => part !== undefined);
    if (title.length > 0) return title.join(' ');
  }
  return null;
}

/** Some of many, by name. */
export function processNames(processes: readonly Process[]): string {
  return list(processes.map(processName), 4);
}

/** `3 workers`, `1 mule`, `2 processes` where they are of several kinds. */
export function counted(processes: readonly Process[]): string {
  const roles = new Set(processes.map(({role}) => role));
  const [only] = roles;
  return roles.size === 1 && only !== undefined && only !== 'other'
    ? count(processes.length, ROLES[only])
    : count(processes.length, 'process', 'processes');
}

/** Processes that do the work of an instance and are replaced when they die. */
const MORTALS: ReadonlySet<Role> = new Set(['worker', 'gateway', 'mule', 'spooler', 'daemon', 'program', 'other']);

/** By instance: what the system or the process itself ended, in the order of the log. */
const deathsOf = oncePer(
  (timeline: Timeline): ReadonlyMap<Instance, readonly Process[]> =>
    new Map(timeline.instances.map((instance) => [instance, deathsIn(timeline, instance)])),
);

function deathsIn(timeline: Timeline, instance: Instance): readonly Process[] {
  return instance.processes
    .filter(
      (process) =>
        MORTALS.has(process.role) &&
        process.ended !== null &&
        (process.end === 'crashed' || process.end === 'killed') &&
        process.ended.fields.expected !== true &&
        !isAbortAtFork(timeline, instance, process) &&
        !unsafeForks(timeline).has(process.pid) &&
        !diedOfLoading(process, timeline, instance) &&
        !failedToStart(timeline, instance, process),
    )
    .sort((a, b) => (a.ended && b.ended && precedes(a.ended, b.ended) ? -1 : 1));
}

/** lazy-apps: it died before it had loaded the application, which others of this log have. */
export function diedLoading(instance: Instance, {role, appLoaded, requests}: Process): boolean {
  return (
    role === 'worker' &&
    appLoaded === null &&
    requests === 0 &&
    loading(instance) === 'lazy-apps' &&
    instance.processes.some((other) => other.appLoaded !== null)
  );
}

/** It aborted in the interpreter as soon as it was forked: a known trouble of the server, told by a rule of its own. */
export function isAbortAtFork(timeline: Timeline, instance: Instance, process: Process): boolean {
  const {ended, signal, requests, role} = process;
  return (
    role === 'worker' &&
    requests === 0 &&
    (signal === '6' || signal === 'SIGABRT') &&
    upstreamTrouble(instance, 'abort-at-fork', ended, process) !== null &&
    mutexErrors(timeline).some((event) => event.stream === ended?.stream)
  );
}

/** Processes that end themselves because they were forked from one that used Objective-C: macOS says so. */
const unsafeForks = oncePer(
  ({events}: Timeline): ReadonlySet<number | null> =>
    new Set(events.filter(({message}) => message === 'kernel/fork-unsafe').map(({pid}) => pid)),
);

/** What Python says when its own lock is let go by a thread that does not hold it. */
export const mutexErrors = oncePer((timeline: Timeline): readonly LogEvent[] => {
  const found = timeline.events.filter(
    ({message, fields}) => message === 'uwsgi/python-fatal-error' && fields.misusedLock !== undefined,
  );
  return found;
});

/** The application did not load in it: what ended it is known, and no crash. */
function diedOfLoading({pid, started, remarks}: Process, timeline: Timeline, {masterPid}: Instance): boolean {
  const failed = failedLoads(timeline);
  const isAfter = (event: LogEvent) => started === null || precedes(started, event);
  if ((failed.get(pid) ?? []).some(isAfter)) return true;
  // gunicorn's worker reports an exception, and its arbiter says that it came while booting.
  const crash = remarks.find(({meaning}) => meaning.kind === 'crash');
  return crash !== undefined && masterPid !== null && (failed.get(masterPid) ?? []).some((event) => precedes(crash, event));
}

const failedLoads = oncePer(
  ({events}: Timeline): ReadonlyMap<number | null, readonly LogEvent[]> =>
    groupBy(
      events.filter(({meaning}) => meaning.kind === 'app-load-failed'),
      ({pid}) => pid,
    ),
);

/** The stop whose signal reached the process as well, as a signal to a whole group does; null where there is none. */
export function groupStop(timeline: Timeline, instance: Instance, process: Process): Reload | null {
  const {ended} = process;
  if (!ended) return null;
  const stop = instance.reloads.find(({kind, began}) => kind === 'stop' && isNear(timeline, ended, began)) ?? null;
  return stop !== null && leftBefore(process, ended, stop.began) ? null : stop;
}

/** Seconds by which a signal to a group reaches all of it. */
const AT_ONCE = 0.5;

/** A program that left by an error of its own, or was killed, before anybody stopped: the stop may be the consequence. */
function leftBefore({role, signal}: Process, ended: LogEvent, stop: LogEvent): boolean {
  const isNoRequest = signal === null || !REQUESTS.has(signalName(signal));
  return role === 'program' && isNoRequest && precedes(ended, stop) && between(ended.at, stop.at).min > AT_ONCE;
}

/** Within seconds of each other; where no times tell, with nothing but other deaths and their replacements in between. */
function isNear(timeline: Timeline, a: LogEvent, b: LogEvent): boolean {
  const [first, second] = precedes(a, b) ? [a, b] : [b, a];
  const distance = between(first.at, second.at);
  if (distance.max !== null && distance.max <= NEAR) return true;
  if (distance.min > NEAR || first.served !== second.served) return false;
  const events = indexesOf(timeline);
  const [from, to] = [events.get(first), events.get(second)];
  if (from === undefined || to === undefined) return false;
  return timeline.events.slice(from + 1, to).every(({meaning}) => ASIDE.has(meaning.kind));
}

const ASIDE: ReadonlySet<string> = new Set([
  'process-ended',
  'process-started',
  'app-loaded',
  'respawn-throttled',
  'master-lost',
  'remark',
  'process-asked',
  'helper-stopping',
  'snapshot',
  'process-seen',
  'program-seen',
]);

const indexesOf = oncePer(({events}: Timeline): ReadonlyMap<LogEvent, number> => new Map(events.map((event, n) => [event, n])));

export interface Loop {
  readonly instance: Instance;
  /** `worker 1` */
  readonly slot: string;
  /** One life after the other, all of them short. */
  readonly lives: readonly Process[];
}

/** Places whose processes die again and again soon after their start. */
export const loopsIn = oncePer((timeline: Timeline): readonly Loop[] => {
  const abandoned = new Set(givenUp(timeline).map(programOf));
  const found = timeline.instances.flatMap((instance) => {
    const deaths = new Set(deathsOf(timeline).get(instance));
    // A program that its supervisor has given up failed to start: nobody tries again.
    const slots = groupBy(
      instance.processes.filter(
        ({role, program}) => MORTALS.has(role) && !(role === 'program' && abandoned.has(String(program))),
      ),
      slotName,
    );
    return [...slots].flatMap(([slot, processes]): Loop[] => runs(processes, deaths).map((lives) => ({instance, slot, lives})));
  });
  return found;
});

function runs(processes: readonly Process[], deaths: ReadonlySet<Process>): Process[][] {
  const found: Process[][] = [];
  let run: Process[] = [];
  const close = () => {
    if (run.length >= LOOP && inTurn(run) >= LOOP) found.push(run);
    run = [];
  };
  for (const process of processes) {
    const goesOn = run.length >= LOOP && mayBeShort(process);
    if (deaths.has(process) && (isShort(process) || goesOn)) run.push(process);
    // Numberless workers live side by side: one that lives on does not end the loop of the others.
    else if (process.worker !== null || process.role !== 'worker') close();
  }
  close();
  return found;
}

/** How many of them, which are in the order of their starts, lived one after the other: numberless workers live side by side. */
function inTurn(lives: readonly Process[]): number {
  let turns = 0;
  /** The earliest end of a life that was the last of so many in turn, and of one that was the last but one. */
  let [last, before]: (LogEvent | null)[] = [null, null];
  for (const {started, ended} of lives) {
    const isBehind = (end: LogEvent | null | undefined) => end != null && started !== null && !precedes(started, end);
    if (turns === 0 || isBehind(last)) [before, last, turns] = [last, ended, turns + 1];
    else if ((turns === 1 || isBehind(before)) && last && ended && precedes(ended, last)) last = ended;
  }
  return turns;
}

/** It died soon after its start, or at least never served; of what the log does not tell, the latter is all. */
function isShort(process: Process): boolean {
  const life = lifeOf(process);
  if (process.started === null) return false;
  if (life.max !== null && life.max <= SHORT_LIFE) return true;
  return process.role !== 'program' && process.requests === 0 && life.min <= SHORT_LIFE;
}

/** The log ends before it tells. */
function mayBeShort(process: Process): boolean {
  const {min, max} = lifeOf(process);
  return max === null && min <= SHORT_LIFE;
}

export function lifeOf({startedAt, endedAt}: Process): Duration {
  return between(startedAt, endedAt);
}

/** Deaths that no loop and no stop of the whole group accounts for. */
export function loneDeaths(timeline: Timeline, instance: Instance, end: 'crashed' | 'killed'): Process[] {
  const looping = new Set(loopsIn(timeline).flatMap(({lives}) => lives));
  // Of the life before the first that the log tells whole nothing is known but that it ended in the same way.
  const begins = new Set(loopsIn(timeline).map(({lives}) => lives[0]?.started));
  const abandoned = new Set(givenUp(timeline).map((event) => `program ${programOf(event)}`));
  const deaths = deathsOf(timeline).get(instance) ?? [];
  return deaths.filter(
    (process) =>
      process.end === end &&
      !looping.has(process) &&
      !(process.successor !== null && begins.has(process.successor)) &&
      !abandoned.has(slotName(process)) &&
      (isFault(process) || groupStop(timeline, instance, process) === null),
  );
}

/** No signal of a stop does that. */
function isFault({signal, remarks}: Process): boolean {
  return (signal !== null && FAULTS.has(signalName(signal))) || remarks.some(({meaning}) => meaning.kind === 'crash');
}

/** Seconds in which the first and the last of them are found dead. */
const MOMENT = 3;

/** Bursts: deaths of one moment belong together. */
export function atOnce(processes: readonly Process[]): Process[][] {
  const groups: Process[][] = [];
  for (const process of processes) {
    const last = groups.at(-1)?.at(-1);
    const distance = last ? between(last.endedAt, process.endedAt) : null;
    const isBeside =
      last?.ended && process.ended && precedes(last.ended, process.ended) && process.ended.line - last.ended.line <= 3;
    // Who was started only after the other had died was not there for the same signal.
    const isLater = last?.ended && process.started && precedes(last.ended, process.started);
    // One by one, each soon after the other, is no moment.
    const first = groups.at(-1)?.[0];
    const isDrawnOut = first !== undefined && between(first.endedAt, process.endedAt).min > MOMENT;
    const isSame =
      !isLater &&
      !isDrawnOut &&
      distance !== null &&
      distance.min <= NEAR &&
      (isBeside || (distance.max !== null && distance.max <= NEAR));
    if (isSame) groups.at(-1)?.push(process);
    else groups.push([process]);
  }
  return groups;
}
