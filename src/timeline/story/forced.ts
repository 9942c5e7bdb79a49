/** Deadlines that struck, and what is said about them. */
import type {LogEvent} from '../event.ts';
import {precedes} from '../lookup.ts';
import {askInHindsight} from './asking.ts';
import {instanceOf, processOf} from './attribution.ts';
import {isAlive, killerOf, type ProcessDraft} from './draft.ts';
import {goesOn, prolong} from './reloads.ts';
import type {Handlers, StoryDraft} from './story-draft.ts';

export const FORCED: Handlers = {
  'process-forced': processForced,
  'request-running': remark,
  'requests-pending': remark,
  'deadline-detail': remark,
  'deadline-skipped': remark,
  'request-error': requestError,
  'helper-stopping': (story, event) => {
    if (event.meaning.role === 'daemon') instanceOf(story, event).daemonWaits.push(event);
  },
  'threads-awaited': ({lastStruck}, event) => {
    lastStruck?.remarks.push(event);
  },
  'task-cut': ({timeLimits}, event) => {
    if (event.meaning.cause === 'timeout') timeLimits.push(event);
  },
};

function processForced(story: StoryDraft, event: LogEvent): void {
  const process = processOf(story, event) ?? overdue(story, event);
  if (process === null) return;
  process.instance.struck = process;
  if (isAlive(process) && hadBrokenOff(process, event)) return;
  process.remarks.push(event);
  // uWSGI 2.0.27 to 2.0.30 names processes that have ended already.
  if (!isAlive(process)) return;
  if (hadToBeGone(process, event)) {
    process.goneBy = event;
    process.end = 'clean';
    goesOn(process.instance, event);
    return;
  }
  askInHindsight(story, process);
  const tries = (process.forced?.tries ?? 0) + 1;
  process.forced = {event, tries, deadline: event.meaning.deadline ?? 'mercy', inferred: false};
  process.killedBy = killerOf(process.instance);
  if (event.meaning.cause !== undefined) process.cause = event.meaning.cause;
  story.lastStruck = process;
  goesOn(process.instance, event);
  prolong(process, event);
}

/** Versions whose master waits for each of its workers at a graceful stop, before it looks at any deadline (core/uwsgi.c). */
const WAITING = /^2\.0\.(27|28|29|30)(?!\d)/;

/** Of a master that has waited for all its workers: when it loses patience it does not know that they are gone. */
function hadToBeGone({instance: {active, version}, role}: ProcessDraft, {pid, meaning}: LogEvent): boolean {
  const isMasters = meaning.deadline === 'mercy' && pid !== null;
  const isGraceful = active?.began.meaning.kind === 'stop-began' && !active.began.meaning.atOnce;
  return role === 'worker' && isMasters && isGraceful && version !== null && WAITING.test(version);
}

/**
 * A worker that is told to go at once breaks off the request in its hand and ends (uWSGI, core/uwsgi.c, end_me); the time limit of
 * that request runs on until the master has noticed the worker's end.
 */
function hadBrokenOff({instance: {active}, role}: ProcessDraft, {meaning}: LogEvent): boolean {
  return role === 'worker' && meaning.deadline === 'harakiri' && active?.began.meaning.atOnce === true;
}

/** A worker under gevent that is to be recycled ends itself, and does not say who it is: they do so in the order of their leaving. */
function overdue(story: StoryDraft, {pid, worker, meaning}: LogEvent): ProcessDraft | null {
  if (pid !== null || worker !== null || meaning.role !== 'worker') return null;
  const leaving = story.source.instances
    .flatMap(({processes}) => processes)
    .filter((process) => isAlive(process) && process.asked?.by === 'itself' && process.forced === null);
  return leaving.reduce<ProcessDraft | null>(
    (first, process) => (first?.asked && process.asked && precedes(first.asked.event, process.asked.event) ? first : process),
    null,
  );
}

/** A time limit of Celery's kills whichever process runs the task: the line about its end follows, and names no reason. */
export function killedAtTimeLimit(story: StoryDraft, process: ProcessDraft, {stream, input}: LogEvent): void {
  const index = process.signal === '9' ? story.timeLimits.findIndex((cut) => cut.stream === stream && cut.input === input) : -1;
  const [event] = index < 0 ? [] : story.timeLimits.splice(index, 1);
  if (event === undefined) return;
  process.forced = {event, tries: 1, deadline: 'timeout', inferred: false};
  process.killedBy = killerOf(process.instance);
  process.cause = 'timeout';
}

function remark(story: StoryDraft, event: LogEvent): void {
  const isAboutStruck = event.pid === null && event.worker === null;
  const process = isAboutStruck ? struckBefore(story, event) : processOf(story, event);
  process?.remarks.push(event);
}

/** The process that a deadline of this kind has just struck; null where it struck one of each of several servers, and no line tells which it is. */
function struckBefore(story: StoryDraft, event: LogEvent): ProcessDraft | null {
  const {running} = story.source;
  if (running.length < 2) return instanceOf(story, event).struck;
  const {deadline} = event.meaning;
  const [only = null, ...others] = running
    .flatMap(({struck}) => struck ?? [])
    .filter((process) => isAlive(process) && (deadline === undefined || process.forced?.deadline === deadline));
  return others.length === 0 ? only : null;
}

/** The interpreter names the request that a deadline broke off. */
function requestError(story: StoryDraft, event: LogEvent): void {
  const process = event.pid === null ? null : story.process(event.pid);
  if (process?.forced) process.remarks.push(event);
}
