/** Lines that tell of a stop as a whole. */
import type {LogEvent} from '../event.ts';
import {askAgain, askAll} from './asking.ts';
import {instanceOf, rivalsOf, speaksLater} from './attribution.ts';
import {end, type InstanceDraft, isAlive, killerOf} from './draft.ts';
import {giveBack} from './guesses.ts';
import {beginReload, finishReload, leaveUnfinished} from './reloads.ts';
import {mayHaveKilledInSilence, outlastsLeaving, silentlyKilled} from './silent-kill.ts';
import type {Handlers, StoryDraft} from './story-draft.ts';

export const STOPS: Handlers = {
  'stop-began': stopBegan,
  'stop-ended': stopEnded,
  'group-stopping': (story, event) => story.programs.stoppingAll(event, instanceOf(story, event), story.index),
};

export function stopBegan(story: StoryDraft, event: LogEvent): void {
  const rivals = rivalsOf(story, event);
  const instance = instanceOf(story, event);
  if (instance.active?.kind === 'stop') {
    instance.active.repeated.push(event);
    askAgain(instance, event);
    return;
  }
  if (instance.active !== null) leaveUnfinished(instance.active);
  beginReload(story, instance, event, 'stop', 'unknown', {
    isUnderWay: true,
    headless: false,
    rivals,
  });
  askAll(story, instance, event, 'stop');
  story.programs.askAll(instance, event, story.index);
}

function stopEnded(story: StoryDraft, event: LogEvent): void {
  const instance = instanceOf(story, event);
  // daphne says no more than that it has stopped.
  if (event.meaning.reload === 'stop' && instance.active === null) stopBegan(story, event);
  story.stop(instance, event);
  if (instance.supervisor === 'uwsgi') giveBack(story, instance);
  for (const process of silentlyKilled(story, instance, event)) {
    if (speaksLater(story, process)) continue;
    process.forced = {event, tries: 1, deadline: 'stop-timeout', inferred: true};
    process.killedBy = killerOf(instance);
  }
  // Something held an exit: which one, and whether until graceful_timeout killed it, no line tells.
  const isUntold = mayHaveKilledInSilence(instance, event) || outlastsLeaving(instance, event);
  for (const process of instance.processes) {
    if (!isAlive(process)) continue;
    process.cause = process.forced?.event.meaning.cause ?? 'stop';
    if (process.leaving !== null && process.forced === null) {
      process.goneBy = event;
      process.end = isUntold && process.role === 'worker' ? 'lost' : 'clean';
      continue;
    }
    if (process.forced !== null && !process.forced.inferred) {
      process.goneBy = event;
      process.end = 'forced';
      continue;
    }
    const isSilent = instance.supervisor === 'gunicorn' && process.role === 'worker';
    end(process, event, process.forced !== null ? 'forced' : isSilent ? 'lost' : 'clean');
  }
  if (instance.active !== null) finishReload(instance.active, event, 'completed');
}

/** supervisord and Apache do not say when they end: their last program or process has gone by then. */
export function finishSupervisor(story: StoryDraft, instance: InstanceDraft, event: LogEvent): void {
  const {active} = instance;
  if (active?.kind !== 'stop' || event.meaning.kind !== 'process-ended') return;
  const role = instance.supervisor === 'apache' ? 'worker' : 'program';
  if (instance.processes.some((process) => process.role === role && isAlive(process))) return;
  story.stop(instance, event);
  finishReload(active, event, 'completed');
}
