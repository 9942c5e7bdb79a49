/** Workers: start, signs of trouble and end. */
import type {LogEvent} from '../event.ts';
import {precedes} from '../lookup.ts';
import {FAULTS, REQUESTS, signalName} from '../signals.ts';
import {between} from '../time.ts';
import {ask, isStopping} from './asking.ts';
import {instanceOf, processOf} from './attribution.ts';
import {end, isAlive, killerOf, newProcess, type ProcessDraft, workersThere} from './draft.ts';
import {killedAtTimeLimit} from './forced.ts';
import {instanceOfStart} from './guesses.ts';
import {goesOn} from './reloads.ts';
import {addSetting} from './settings.ts';
import {canHaveReachedDeadline} from './silent-kill.ts';
import {hasParent} from './sources.ts';
import {beginWithoutMaster} from './start-up.ts';
import {finishSupervisor} from './stop-lines.ts';
import {type Handlers, LOOK_AHEAD, type StoryDraft} from './story-draft.ts';
import {fillSlot, finishGeneration, joinGeneration} from './succession.ts';

export const LIVES: Handlers = {
  'process-started': processStarted,
  'process-ended': processEnded,
  'slot-emptied': slotEmptied,
  scaling,
  crash,
  'log-rotated': logRotated,
};

function processStarted(story: StoryDraft, event: LogEvent): void {
  if (story.source.startUp !== null && event.meaning.role === 'worker' && event.meaning.respawned !== true)
    beginWithoutMaster(story, story.source.startUp);
  const {worker} = event;
  const {role = 'other'} = event.meaning;
  const isServer = story.source.supervisor === 'uvicorn' && !hasParent(story);
  const past = isServer ? story.source.instances.at(-1) : undefined;
  const {instance, isGuessed} =
    past !== undefined && past.processes.length > 0
      ? {instance: story.addInstance(past.stopped === null ? null : past), isGuessed: false}
      : instanceOfStart(story, event);
  story.source.current = instance;
  if (event.pid === null) return;
  const known = story.process(event.pid);
  if (known !== null && known.started === null && isAlive(known) && known.worker === worker) {
    // The worker's own first lines came before the master's.
    known.started = event;
    fillSlot(story, instance, known, event);
    return;
  }
  const process = newProcess(instance, event.pid, role, worker, event, story.index);
  process.isGuessed = isGuessed;
  story.register(process);
  const cores = event.fields['cores'];
  if (typeof cores === 'number') addSetting(instance, {name: 'cores-per-worker', value: cores, from: 'log', where: event});
  if (role !== 'worker') return;
  if (worker !== null) fillSlot(story, instance, process, event);
  else joinGeneration(instance, process, event);
}

function processEnded(story: StoryDraft, event: LogEvent): void {
  const {role} = event.meaning;
  const process = processOf(story, event);
  if (process === null || (role !== undefined && process.role !== role && process.role !== 'other')) return;
  if (!isAlive(process)) {
    process.remarks.push(event);
    return;
  }
  const {ending} = event.meaning;
  const {signal} = event.fields;
  if (signal !== undefined) process.signal = String(signal);
  if (event.meaning.cause !== undefined) process.cause = event.meaning.cause;
  const {active} = process.instance;
  // The log began later than it did: a stop is for all workers.
  if (active?.kind === 'stop' && process.role === 'worker' && process.started === null && process.asked === null)
    ask(story, process, active.began, 'stop', active, false);
  // uWSGI buries its gateways before it says that it reloads (core/master_utils.c): who was asked before that was asked alone.
  if (ending === 'collected' && process.role === 'worker' && active?.headless && active.kind === 'workers')
    active.kind = 'graceful';
  if (ending === 'died') killedAtTimeLimit(story, process, event);
  if (process.forced !== null) end(process, event, 'forced');
  else if (ending === 'collected' || ending === 'replaced') end(process, event, process.crash === null ? 'clean' : 'crashed');
  else died(process, event);
  goesOn(process.instance, event);
  finishGeneration(process.instance, event);
  if (process.instance.supervisor === 'apache') finishSupervisor(story, process.instance, event);
}

/** It went while it was serving, or in a way that only the signal or the exit code can tell. */
function died(process: ProcessDraft, event: LogEvent): void {
  const {code} = event.fields;
  const signal = process.signal === null ? null : signalName(process.signal);
  const wasAsked = process.asked !== null || process.leaving !== null;
  if (process.crash !== null || (signal !== null && FAULTS.has(signal))) {
    process.cause = signal === null ? 'exit-code' : 'signal';
    end(process, event, 'crashed');
  } else if (
    signal === 'KILL' &&
    process.asked !== null &&
    isStopping(process) &&
    event.meaning.ending !== 'died' &&
    canHaveReachedDeadline(process.instance, event)
  ) {
    process.killedBy = killerOf(process.instance);
    process.forced = {event, tries: 1, deadline: 'stop-timeout', inferred: false};
    end(process, event, 'forced');
  } else if (signal !== null && (wasAsked || isHiddenRequest(process, signal)) && REQUESTS.has(signal)) {
    end(process, event, 'clean');
  } else if (signal !== null) {
    process.cause = 'signal';
    if (signal === 'USR1') process.ownedBy = reopeningBefore(process, event);
    end(process, event, 'killed');
  } else if (!wasAsked && event.meaning.howUntold) {
    end(process, event, 'lost');
  } else if ((wasAsked && event.meaning.ending === 'died') || code === 0) {
    // Told to go by a signal that ends it at once; uWSGI words that like a crash.
    end(process, event, 'clean');
  } else {
    process.cause = 'exit-code';
    end(process, event, 'crashed');
  }
}

/** Seconds after which a signal that the arbiter has passed on no longer explains a death. */
const PASSED_ON = 3;

/** gunicorn's arbiter passes USR1 on to all of its workers, for they have the log open too (gunicorn/arbiter.py, handle_usr1). */
function reopeningBefore({instance: {reopened}, started}: ProcessDraft, event: LogEvent): LogEvent | null {
  if (reopened === null || between(reopened.at, event.at).min > PASSED_ON) return null;
  return started !== null && precedes(reopened, started) ? null : reopened;
}

/** The log is opened anew: its server was told to. */
function logRotated(story: StoryDraft, event: LogEvent): void {
  if (story.source.supervisor === 'gunicorn') instanceOf(story, event).reopened = event;
}

/** gunicorn above level INFO logs neither starts nor the arbiter's signals, but its SIGTERM to each worker of a healthy reload. */
function isHiddenRequest({instance}: ProcessDraft, signal: string): boolean {
  return signal === 'TERM' && instance.supervisor === 'gunicorn' && instance.processes.every(({started}) => started === null);
}

function slotEmptied(story: StoryDraft, event: LogEvent): void {
  const process = justEnded(story, event) ?? processOf(story, event);
  if (process === null) return;
  process.cause = 'cheaper';
  if (isAlive(process)) end(process, event, process.forced === null ? 'clean' : 'forced');
  if (process.worker !== null && process.instance.slots.get(process.worker) === process)
    process.instance.slots.delete(process.worker);
}

/** Seconds after which a worker that was told to go because of idleness is killed (uWSGI, core/master_checks.c). */
const IDLE_PATIENCE = 3;

/** uWSGI sends all its workers away when nobody has come for a while, and waits for each of them, before it says that it is cheap. */
function scaling(story: StoryDraft, event: LogEvent): void {
  const {events, index, source} = story;
  if (event.meaning.cheap !== 'empty') return;
  const began = events
    .slice(Math.max(0, index - LOOK_AHEAD), index)
    .findLast((other) => other.meaning.cheap === 'leaving' && story.isBeside(other));
  const having = source.running.filter((instance) => workersThere(instance).length > 0);
  const [instance] = having;
  // At its start it has none, and of several no line tells which.
  if (began === undefined || instance === undefined || having.length > 1) return;
  const mayBeKilled = (between(began.at, event.at).max ?? IDLE_PATIENCE) >= IDLE_PATIENCE;
  for (const worker of workersThere(instance)) {
    if (worker.cause === 'unknown') worker.cause = 'cheaper';
    worker.goneBy = event;
    worker.end = mayBeKilled ? 'lost' : 'clean';
  }
  goesOn(instance, event);
}

/** uWSGI tells of a place that stays empty right behind the end of its worker (core/master.c): of two servers in one log, of the same. */
function justEnded(story: StoryDraft, {worker}: LogEvent): ProcessDraft | null {
  const {events, index, source} = story;
  const before = events.slice(Math.max(0, index - LOOK_AHEAD), index).findLast((other) => story.isBeside(other));
  if (before?.meaning.kind !== 'process-ended' || before.worker !== worker) return null;
  return source.instances.flatMap(({slots}) => slots.get(worker ?? 0) ?? []).find(({ended}) => ended === before) ?? null;
}

/** Its handler is the last that a process of uWSGI runs; the master's line about it may be beyond the end of the log. */
function crash(story: StoryDraft, event: LogEvent): void {
  const isMasters = story.source.instances.some(({masterPid}) => masterPid === event.pid);
  const isNew = story.source.supervisor === 'uwsgi' && event.pid !== null && !isMasters;
  const process = event.pid === null ? null : isNew ? processOf(story, event) : story.process(event.pid);
  if (process === null) return;
  process.crash = event;
  process.remarks.push(event);
}
