/** Masters: their start, their new image, their end. */
import type {LogEvent} from '../event.ts';
import {processOf} from './attribution.ts';
import {end, type InstanceDraft, isAlive, killerOf, masterKey, type ProcessDraft, type ReloadDraft} from './draft.ts';
import {finishReload, goesOn, leaveUnfinished} from './reloads.ts';
import {outwaited} from './silent-kill.ts';
import {newStartUp} from './sources.ts';
import {beginEpoch} from './start-up.ts';
import type {Handlers, StoryDraft} from './story-draft.ts';

export const MASTERS: Handlers = {
  'master-started': masterStarted,
  'master-re-executed': masterReExecuted,
  'master-lost': masterLost,
};

function masterStarted(story: StoryDraft, event: LogEvent): void {
  buryEnded(story, event);
  const {running} = story.source;
  // Without a pid and without a banner before it, it is one more line of the start that is being told.
  const told = event.pid === null && story.source.startUp?.banner == null ? running.at(-1) : undefined;
  const same = (event.pid === null ? running.find(({masterPid}) => masterPid === null) : story.withMaster(event.pid)[0]) ?? told;
  if (same?.active?.reExecuted != null) {
    const {active} = same;
    beginEpoch(story, same, event, true);
    finishReload(active, event, 'completed');
    return;
  }
  // In a container each master has the same pid: a banner and a first start tell another one.
  if (same !== undefined && story.source.startUp?.banner != null) {
    story.stop(same, event);
    if (same.active !== null) leaveUnfinished(same.active);
  } else if (same !== undefined) {
    // supervisord and Apache say so again when they have restarted themselves.
    const {active, supervisor} = same;
    if (active?.kind === 'graceful' && (supervisor === 'supervisord' || supervisor === 'apache')) {
      if (supervisor === 'apache') endLeft(same, active, event);
      finishReload(active, event, 'completed');
    }
    return;
  }
  const upgraded = story.hasUpgrades ? running.find(({active}) => active?.kind === 'usr2') : undefined;
  if (upgraded?.active) {
    finishReload(upgraded.active, event, 'completed');
    beginEpoch(story, story.addInstance(upgraded), event, false);
    return;
  }
  const cut = story.source.startUp?.banner == null ? running.find((instance) => isBeginningOf(instance, event)) : undefined;
  if (cut !== undefined) {
    const loads = cut.epochs.flatMap((epoch) => epoch.loads);
    cut.epochs.length = 0;
    story.source.startUp ??= newStartUp();
    story.source.startUp.loads.unshift(...loads);
    beginEpoch(story, cut, event, false);
    return;
  }
  const {instances, vacant} = story.source;
  const predecessor = vacant.size === 0 ? undefined : instances.findLast((past) => vacant.has(past));
  const instance = story.addInstance(predecessor ?? null);
  beginEpoch(story, instance, event, false);
}

/** The log begins in the middle of the start: the process that becomes the master has said nothing but that it loaded the application. */
function isBeginningOf({masterPid, processes, epochs}: InstanceDraft, {pid}: LogEvent): boolean {
  if (masterPid !== null || processes.length > 0) return false;
  const loads = epochs.flatMap((epoch) => epoch.loads);
  return loads.length > 0 && loads.every((load) => load.pid === pid);
}

/** Apache has waited for the processes that it asked: whoever is left was killed, without a word. */
function endLeft(instance: InstanceDraft, reload: ReloadDraft, event: LogEvent): void {
  for (const process of outwaited(instance, reload, event)) {
    process.forced = {event, tries: 1, deadline: 'stop-timeout', inferred: true};
    process.killedBy = killerOf(instance);
  }
  for (const {old} of reload.entries) {
    if (old !== null && isAlive(old)) end(old, event, old.forced === null ? 'lost' : 'forced');
  }
}

/** Of a master that was killed from outside its own log is silent: the next start shows that it is gone. */
function buryEnded(story: StoryDraft, event: LogEvent): void {
  if (story.ended.size === 0) return;
  for (const instance of story.source.running) {
    if (instance.masterPid === null || instance.masterPid === event.pid) continue;
    if (!story.ended.has(masterKey(instance))) continue;
    story.stop(instance, event);
    if (instance.active !== null) leaveUnfinished(instance.active);
  }
}

function masterReExecuted(story: StoryDraft, event: LogEvent): void {
  const known = story.source.instances;
  const instance =
    known.find(({masterPid}) => masterPid === event.pid) ??
    known.find(({masterPid, active}) => masterPid === null && active?.reExecuted) ??
    known.find(({masterPid}) => masterPid === null) ??
    story.addInstance(null);
  beginEpoch(story, instance, event, true);
  goesOn(instance, event);
}

function masterLost(story: StoryDraft, event: LogEvent): void {
  const process = event.pid === null ? survivorOf(story, event) : processOf(story, event);
  if (process === null) return;
  if (isAlive(process)) {
    process.cause = 'master-gone';
    process.remarks.push(event);
    // With this line it begins to leave. A thread or an exit handler may hold it for as long as it likes.
    process.leaving ??= event;
    process.end = 'lost';
  }
  masterGone(story, process.instance, event);
}

/**
 * A worker that tells its number alone: rather one of an instance that is known to be over than of its successor. Of several that go
 * on, no line tells whose it is.
 */
function survivorOf(story: StoryDraft, event: LogEvent): ProcessDraft | null {
  const {worker} = event;
  if (worker === null) return null;
  const having = story.source.instances.filter((instance) => {
    const occupant = instance.slots.get(worker) ?? instance.previousSlots.get(worker);
    return occupant !== undefined && isAlive(occupant);
  });
  const over = having.find((instance) => instance.stopped !== null || story.ended.has(masterKey(instance)));
  if (over === undefined && having.length > 1) return null;
  const instance = over ?? having[0];
  return instance?.slots.get(worker) ?? instance?.previousSlots.get(worker) ?? null;
}

/** Its workers outlived it; the log does not say how it ended. */
function masterGone(story: StoryDraft, instance: InstanceDraft, event: LogEvent): void {
  if (instance.stopped !== null) return;
  story.stop(instance, event);
  const master = instance.processes.find(({role}) => role === 'master');
  if (master !== undefined && isAlive(master)) {
    master.end = 'lost';
    master.goneBy = event;
  }
  if (instance.active !== null) finishReload(instance.active, event, 'failed');
}
