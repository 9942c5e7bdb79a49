/**
 * Workers that gunicorn's arbiter ended: aborted because they gave no sign for `timeout`, or killed because a stop had
 * lasted for `graceful_timeout`. Several rules share this one judgement, so that each worker is the subject of one cause.
 *
 * "Worker exiting" means that a worker has left its loop, and not that its process is gone (gunicorn/arbiter.py). What
 * holds it after that is its exit, and no longer the work that it does.
 */

import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {precedes, processesAskedBy, reloadThatAsked} from '../timeline/lookup.ts';
import {oncePer} from '../timeline/once.ts';
import {between, type Duration} from '../timeline/time.ts';
import type {Forced, Instance, Process, Reload, Timeline} from '../timeline/timeline.ts';
import type {Evidence} from './rule.ts';
import {numberOf, setting} from './settings.ts';
import {duration, nameOf, proof} from './wording.ts';

/**
 * `timeout`: it served or started, and gave no sign. `exit`: it had left its loop, its exit was held. `request`: it had
 * been asked to leave and had a request to finish. `recycle`: it left by itself and did not get there. `undecided`: a
 * request and a held exit fit alike. `starting`: a request and an application that was still being loaded do.
 */
type ArbiterVerdict = 'timeout' | 'exit' | 'request' | 'recycle' | 'undecided' | 'starting';

export interface ArbiterKill {
  readonly process: Process;
  readonly forced: Forced;
  readonly instance: Instance;
  /** The reload or stop that had asked it to leave. */
  readonly reload: Reload | null;
  readonly verdict: ArbiterVerdict;
  /** False where it may as well have left by itself, late. */
  readonly isEndKnown: boolean;
  /** The log proves the verdict; otherwise it is the reading that fits best. */
  readonly proved: boolean;
  /** Why, as a sentence. */
  readonly because: string;
  readonly shown: readonly Evidence[];
}

type Judgement = Pick<ArbiterKill, 'verdict' | 'proved' | 'because' | 'shown'>;

/** Seconds by which stamps of whole seconds and a busy machine may be off. */
const SLACK = 1;

export function gunicornOf(timeline: Timeline): Instance[] {
  return timeline.instances.filter(({supervisor}) => supervisor === 'gunicorn');
}

/** In the order in which they were ended. */
const arbiterKills = oncePer((timeline: Timeline): readonly ArbiterKill[] => {
  const found = gunicornOf(timeline).flatMap((instance) =>
    instance.processes.flatMap((process): ArbiterKill[] => {
      const {forced} = process;
      const held = forced ? null : outlasted(process, instance);
      if (held) {
        const judgement = judge(process, held.forced, instance);
        return held.isEndKnown || judgement.verdict === 'exit' ? [{...held, process, instance, ...judgement}] : [];
      }
      if (process.role !== 'worker' || !forced || process.end !== 'forced' || process.killedBy !== 'arbiter') return [];
      const reload = reloadThatAsked(instance, process);
      return [{process, forced, instance, reload, isEndKnown: true, ...judge(process, forced, instance)}];
    }),
  );
  found.sort((a, b) => (precedes(a.forced.event, b.forced.event) ? -1 : 1));
  return found;
});

/** How long after "Worker exiting" a process that nothing holds may take to be gone, in seconds. */
const TEARDOWN = 2;

/**
 * A stop lasts until the last worker is gone, and at graceful_timeout gunicorn kills whoever is left without a word. Where
 * all workers said at once that they were exiting and the arbiter left only later, the exit of one of them was held.
 */
function outlasted(process: Process, instance: Instance): Pick<ArbiterKill, 'forced' | 'reload' | 'isEndKnown'> | null {
  const {asked, leaving, role, ended} = process;
  const stop = reloadThatAsked(instance, process);
  if (!asked || !leaving || stop?.kind !== 'stop' || !stop.ended || ended !== leaving || role !== 'worker') return null;
  const all = processesAskedBy(instance, stop).filter((each) => each.role === 'worker');
  if (all.some((each) => each.forced !== null || each.leaving === null) || othersHeld(instance, stop.began)) return null;
  const last = all.map((each) => each.leaving as LogEvent).reduce((a, b) => (precedes(a, b) ? b : a));
  if (between(last.at, stop.ended.at).min <= TEARDOWN) return null;
  const grace = numberOf(instance, 'graceful_timeout');
  const {at} = stop.ended;
  const isEndKnown = grace !== null && between(stop.began.at, at).min + SLACK > grace;
  const patience = between(asked.at, at);
  return {
    reload: stop,
    isEndKnown,
    forced: {at, event: stop.ended, deadline: 'stop-timeout', inferred: true, tries: 1, patience},
  };
}

/** Workers that an earlier reload had asked were still there, and had not left their loop: the stop waited for these as well. */
function othersHeld(instance: Instance, stop: LogEvent): boolean {
  return instance.processes.some((process) => {
    const {role, leaving, ended} = process;
    const left = leaving ?? ended;
    const earlier = reloadThatAsked(instance, process);
    return role === 'worker' && earlier !== null && precedes(earlier.began, stop) && (left === null || precedes(stop, left));
  });
}

/** Those of one verdict, by instance. */
export function killsBy(timeline: Timeline, verdict: ArbiterVerdict): readonly (readonly [Instance, readonly ArbiterKill[]])[] {
  return [
    ...groupBy(
      arbiterKills(timeline).filter((kill) => kill.verdict === verdict),
      ({instance}) => instance,
    ),
  ];
}

function judge(process: Process, forced: Forced, instance: Instance): Judgement {
  const {asked, leaving} = process;
  const left = leaving !== null && precedes(leaving, forced.event) ? leaving : null;
  const pending = process.remarks.find(
    (event) => event.meaning.kind === 'requests-pending' && (event === forced.event || precedes(event, forced.event)),
  );
  if (pending && asked && asked.by !== 'itself') {
    const isIdleCounted = countsIdle(pending);
    return {
      verdict: 'request',
      proved: !isIdleCounted,
      because: isIdleCounted
        ? 'It said itself that connections were still open when graceful_timeout was over'
        : 'It said itself that it was waiting for its connections or requests',
      shown: [proof(pending, `${nameOf(process)} waits for what it still has in hand`)],
    };
  }
  if (left === null) return inItsLoop(process, forced, instance);
  const shown = [proof(left, `${nameOf(process)} has left its loop: it serves no more, and its process is still there`)];
  if (asked?.by === 'itself')
    return {verdict: 'recycle', proved: true, because: 'It had said that it leaves, to be replaced', shown};
  const toldWhy = process.remarks.find(({meaning}) => meaning.kind === 'threads-awaited');
  const isPool = workerClass(instance)?.startsWith('gthread') ?? false;
  const waited = asked ? between(asked.at, left.at) : null;
  if (isPool && (waited === null || leavesAtOnce(reloadThatAsked(instance, process)))) {
    return {
      verdict: 'undecided',
      proved: false,
      because:
        'A worker with threads that is told to leave at once (SIGQUIT, SIGINT, SIGABRT) does so while its requests go on in its ' +
        'threads, and its exit waits for these as it waits for threads of the application',
      shown,
    };
  }
  if (!isPool || waited === null || waited.max === null || waited.max <= SLACK) {
    return {
      verdict: 'exit',
      proved: !isPool,
      because: isPool
        ? 'It had left its loop at once, as a worker with threads does that has no request in hand'
        : 'It had said that it had left its loop, so no request held it',
      shown: toldWhy ? [...shown, proof(toldWhy, 'the interpreter was waiting for threads when it was interrupted')] : shown,
    };
  }
  return inItsPool(process, instance, waited, shown);
}

/** The event loops of gevent and eventlet count connections, also those without a request (ggevent.py, geventlet.py). */
export function countsIdle({message}: LogEvent): boolean {
  return message === 'gunicorn/worker-graceful-timeout';
}

/** The arbiter passes SIGINT and SIGQUIT on as SIGQUIT, at which a worker does not wait for its requests (workers/base.py). */
function leavesAtOnce(reload: Reload | null): boolean {
  return reload?.kind === 'stop' && ['int', 'quit'].includes(String(reload.began.fields['signal']));
}

/** A worker with threads (gthread) waits for its requests, for graceful_timeout at most, before it leaves its loop. */
function inItsPool(process: Process, instance: Instance, waited: Duration, shown: readonly Evidence[]): Judgement {
  const grace = numberOf(instance, 'graceful_timeout');
  const others = instance.processes.filter(
    (other) => other !== process && other.asked !== null && other.asked.reload === process.asked?.reload,
  );
  const why = `It left its loop only ${duration(waited)} after it had been asked, as a worker with threads does that has requests in hand`;
  const isWhole = grace !== null && waited.min >= grace - SLACK;
  if (isWhole || (grace === null && others.length > 0 && others.every(({end}) => end === 'clean'))) {
    return {
      verdict: 'request',
      proved: false,
      because: `${why}; ${isWhole ? `that is graceful_timeout (${grace} s)` : 'others of the same generation left without trouble'}`,
      shown,
    };
  }
  return {verdict: 'undecided', proved: false, because: `${why}, and then did not end`, shown};
}

function inItsLoop(process: Process, forced: Forced, instance: Instance): Judgement {
  if (forced.deadline === 'timeout')
    return {verdict: 'timeout', proved: true, because: 'It had not said that it was leaving', shown: []};
  const end = process.ended;
  const shown = end && !forced.inferred ? [proof(end, `${nameOf(process)} was killed without having left its loop`)] : [];
  const silent = 'A worker that leaves its loop says so ("Worker exiting"), and this one did not';
  const age = ageAtLoading(process, instance);
  if (age !== null && process.started !== null)
    return {
      verdict: 'starting',
      proved: false,
      because: `${silent}. It had been started only ${duration(age)} before it was asked`,
      shown: [proof(process.started, `${nameOf(process)} starts`), ...shown],
    };
  return {verdict: 'request', proved: false, because: `${silent}: it was still busy, most likely with a request`, shown};
}

/** gunicorn's timeout in seconds where nothing sets it (gunicorn/config.py). A worker that loads for longer is aborted. */
const DEFAULT_TIMEOUT = 30;

/**
 * How old it was when it was asked, where it may still have been loading the application by then; null where it had loaded it:
 * it says so, the arbiter has loaded it before, another worker was done at that age, or it would have met `timeout`.
 */
function ageAtLoading(process: Process, instance: Instance): Duration | null {
  const {started, asked, appLoaded} = process;
  if (started === null || asked === null || appLoaded !== null) return null;
  const isPreloaded = String(setting(instance, 'preload_app')?.value ?? '').toLowerCase() === 'true';
  const age = between(started.at, asked.at);
  if (isPreloaded || age.min >= (numberOf(instance, 'timeout') ?? DEFAULT_TIMEOUT)) return null;
  const isQuicker = instance.processes.some(({role, started: begun, appLoaded: loaded, leaving}) => {
    const done = loaded ?? leaving;
    if (role !== 'worker' || begun === null || done === null) return false;
    const {max} = between(begun.at, done.at);
    return max !== null && max <= age.min + SLACK;
  });
  return isQuicker ? null : age;
}

/** `sync`, `gthread`, … in the version's own words; null where the log does not tell. */
export function workerClass(instance: Instance): string | null {
  const told = setting(instance, 'worker_class')?.value;
  return told === undefined ? null : String(told);
}

/** Its workers wait for each open connection, idle or not (ggevent.py, geventlet.py). */
export function countsConnections(instance: Instance): boolean {
  return /gevent|eventlet/.test(workerClass(instance) ?? '');
}

/** The SIGKILL a second after the abort is the arbiter's own, whatever the line guesses about memory. */
export function ownKill({ended, signal, forced}: Process): LogEvent | null {
  const isKill = signal === '9' || signal === 'KILL' || signal === 'SIGKILL';
  return isKill && ended !== null && ended !== forced?.event ? ended : null;
}

/** From being asked to the kill; null where nothing bounds it. */
export function waitOf({forced}: ArbiterKill): Duration | null {
  return forced.patience;
}
