import type {LogEvent} from '../event.ts';
import {settingAt} from '../lookup.ts';
import {between} from '../time.ts';
import type {InstanceDraft, ProcessDraft, ReloadDraft} from './draft.ts';
import {isAlive} from './draft.ts';
import type {StoryDraft} from './story-draft.ts';

/** gunicorn's graceful_timeout in seconds where nothing sets it (gunicorn/config.py). */
const DEFAULT_GRACEFUL_TIMEOUT = 30;
/** How long after "Worker exiting" a process that nothing holds may take to be gone, in seconds. */
const TEARDOWN = 2;
/** Stamps are whole seconds: a wait may be this much longer than they show. */
const RESOLUTION = 1;
/** graceful_timeout is a whole number of seconds; a stop that takes less is none that waited for it, and lacks lines. */
const LEAST_DEADLINE = 1;

/**
 * Workers that a stop of gunicorn must have killed without a word. Its arbiter waits for its workers, kills whoever is
 * left after graceful_timeout, and writes nothing of it, or only about those that it reaps before it leaves itself
 * (gunicorn/arbiter.py, `stop`, to 26). `ended` is the line with which the arbiter leaves.
 *
 * A worker that leaves by itself says so. One that never did kept the arbiter waiting. Where all did, and the arbiter
 * waited for the whole time nevertheless, their exits were held: at least one of them, and the log does not show which. One
 * that said so only at the end of that time explains the wait, and of none of them it can be told. One that was still at work
 * long after it had said so was held, and explains the wait for the others.
 */
export function silentlyKilled(story: StoryDraft, instance: InstanceDraft, ended: LogEvent): ProcessDraft[] {
  const {active, supervisor} = instance;
  if (supervisor !== 'gunicorn' || active?.kind !== 'stop') return [];
  const workers = waitedFor(instance);
  const left = workers.filter(isAlive);
  const waited = between(active.began.at, ended.at).min + RESOLUTION;
  const busy = left.filter(({leaving, forced}) => leaving === null && forced === null);
  const killed = workers.filter(({end}) => end === 'forced');
  if (busy.length > 0) return waited > RESOLUTION + LEAST_DEADLINE && tellsOfLeaving(instance) ? busy : [];
  const isExplained = killed.some(({leaving}) => leaving === null) || left.some((process) => leftJustBefore(process, ended));
  if (isExplained || (killed.length === 0 && waited <= gracefulTimeout(instance))) return [];
  const mayBeHeld = left.filter(({forced}) => forced === null);
  const atWork = mayBeHeld.filter((process) => worksOn(story, process));
  return atWork.length > 0 ? atWork : mayBeHeld;
}

/** A line is of it that was written after an exit that nothing holds would have been over. */
function worksOn({events, index}: StoryDraft, {pid, instance, leaving, since}: ProcessDraft): boolean {
  return (
    leaving !== null &&
    events
      .slice(since, index)
      .some(({pid: by, stream, at}) => by === pid && stream === instance.stream && between(leaving.at, at).min >= TEARDOWN)
  );
}

/** A graceful_timeout may be over before a worker that nothing holds has come to its end. */
function leftJustBefore({leaving}: ProcessDraft, ended: LogEvent): boolean {
  return leaving !== null && between(leaving.at, ended.at).min < TEARDOWN;
}

/** Whether graceful_timeout may have been over at a line of a stop. One that the log does not tell may be as short as one likes. */
export function canHaveReachedDeadline(instance: InstanceDraft, event: LogEvent): boolean {
  const {active, supervisor} = instance;
  if (supervisor !== 'gunicorn' || active?.kind !== 'stop') return true;
  return longestUntil(event, active) > (toldTimeout(instance) ?? 0);
}

/**
 * Whether the arbiter may have waited until graceful_timeout was over. Then it killed whoever was left, and of a worker that
 * said no more than that it leaves no line tells whether it was gone. Before that it leaves only when all are gone.
 */
export function mayHaveKilledInSilence(instance: InstanceDraft, ended: LogEvent): boolean {
  const {active, supervisor, processes} = instance;
  if (supervisor !== 'gunicorn' || active?.kind !== 'stop') return false;
  const isSeen = processes.some(
    ({role, asked, forced}) => role === 'worker' && asked?.reload === active && forced?.deadline === 'stop-timeout',
  );
  const longest = longestUntil(ended, active);
  return isSeen || (Number.isFinite(longest) && longest > gracefulTimeout(instance));
}

function longestUntil(event: LogEvent, {began}: ReloadDraft): number {
  return (between(began.at, event.at).max ?? Number.POSITIVE_INFINITY) + RESOLUTION;
}

/** Seconds that Apache waits for what its modules have started (srclib/apr, memory/unix/apr_pools.c), less what stamps may hide. */
const APACHE_WAITS = 2;

/**
 * Daemon processes of mod_wsgi that a restart of Apache must have killed: it waits 3 s for them, whatever their shutdown-timeout is,
 * kills whoever is left, and writes nothing of it. One that leaves by itself says "Exiting process". `ready` ends the restart.
 */
export function outwaited(instance: InstanceDraft, reload: ReloadDraft, ready: LogEvent): ProcessDraft[] {
  if (between(reload.began.at, ready.at).min < APACHE_WAITS) return [];
  return reload.entries.flatMap(({old}) => (old !== null && old.instance === instance && isAlive(old) ? [old] : []));
}

/** All workers of a stop of gunicorn said that they were exiting, and the arbiter waited for longer than an exit takes. */
export function outlastsLeaving(instance: InstanceDraft, ended: LogEvent): boolean {
  if (instance.supervisor !== 'gunicorn' || instance.active?.kind !== 'stop') return false;
  const asked = waitedFor(instance);
  // One that was killed explains the wait.
  if (asked.some(({forced, end}) => forced !== null || end === 'forced' || end === 'killed')) return false;
  const left = asked.filter(isAlive);
  return left.length > 0 && left.every(({leaving}) => leaving !== null && between(leaving.at, ended.at).min > TEARDOWN);
}

/** Those that the stop under way has asked, and those that were asked before and had not left their loop when it began. */
function waitedFor({processes, active}: InstanceDraft): ProcessDraft[] {
  return processes.filter(
    (process) =>
      process.role === 'worker' &&
      process.asked !== null &&
      (process.asked.reload === active || (process.leaving === null && isAlive(process))),
  );
}

function gracefulTimeout(instance: InstanceDraft): number {
  return toldTimeout(instance) ?? DEFAULT_GRACEFUL_TIMEOUT;
}

function toldTimeout({settings}: InstanceDraft): number | null {
  const told = Number(settingAt(settings, 'graceful_timeout')?.value ?? Number.NaN);
  return Number.isFinite(told) ? told : null;
}

/** Workers say that they start and that they leave at the same level. */
function tellsOfLeaving({processes}: InstanceDraft): boolean {
  return processes.some(({role, started, leaving}) => role === 'worker' && (started !== null || leaving !== null));
}
