/** Who was asked to leave, by what, and who said that it does. */
import type {LogEvent} from '../event.ts';
import {precedes} from '../lookup.ts';
import {between} from '../time.ts';
import {processOf} from './attribution.ts';
import {type InstanceDraft, isAlive, type ProcessDraft, type ReloadDraft, workersThere} from './draft.ts';
import {correctGuess} from './guesses.ts';
import {beginReload, finishReload, goesOn, leaveUnfinished} from './reloads.ts';
import {usualMercy} from './settings.ts';
import {hasParent} from './sources.ts';
import type {Handlers, StoryDraft} from './story-draft.ts';
import {finishGeneration} from './succession.ts';

export const ASKING: Handlers = {
  'process-asked': processAsked,
  'recycle-began': recycleBegan,
  'process-leaving': processLeaving,
};

export function ask(
  story: StoryDraft,
  process: ProcessDraft,
  event: LogEvent,
  by: 'reload' | 'stop' | 'itself' | 'unknown',
  reload: ReloadDraft | null,
  acknowledged: boolean,
  told = event,
): void {
  process.asked ??= {told, event, again: null, index: story.index, acknowledged, by, reload};
}

/** All are told once more: who had been asked before has not left yet. */
export function askAgain(instance: InstanceDraft, event: LogEvent): void {
  for (const {asked} of workersThere(instance)) if (asked !== null && asked.told !== event) asked.again = event;
}

/** A reload of the whole instance and a stop ask every worker, whether or not it says so itself. */
export function askAll(story: StoryDraft, instance: InstanceDraft, event: LogEvent, by: 'reload' | 'stop'): void {
  const {active} = instance;
  if (active === null) return;
  for (const worker of workersThere(instance)) {
    if (worker.leaving !== null || (active.kind === 'hup' && worker.asked?.reload?.kind === 'hup')) continue;
    active.entries.push({worker: worker.worker, old: worker, next: null, told: null, passed: null});
    ask(story, worker, event, by, active, false);
  }
  askAgain(instance, event);
}

/** A worker that the log had not introduced when all were told was told as well: it never took note. */
export function askInHindsight(story: StoryDraft, process: ProcessDraft): void {
  const {active} = process.instance;
  if (process.role !== 'worker' || process.asked !== null || process.started !== null) return;
  if (active === null || !active.isUnderWay) return;
  if (active.kind !== 'graceful' && active.kind !== 'brutal' && active.kind !== 'stop') return;
  active.entries.push({worker: process.worker, old: process, next: null, told: null, passed: null});
  ask(story, process, active.began, active.kind === 'stop' ? 'stop' : 'reload', active, false);
}

function processAsked(story: StoryDraft, event: LogEvent): void {
  const process = processOf(story, event);
  if (process === null) return;
  correctGuess(story, process);
  const {instance} = process;
  if (process.asked !== null) {
    const {asked} = process;
    if (!asked.acknowledged) asked.event = event;
    asked.acknowledged = true;
    goesOn(instance, event);
    return;
  }
  let {active} = instance;
  if (active === null && instance.supervisor !== 'uwsgi') {
    ask(story, process, event, 'unknown', null, true);
    return;
  }
  active = askedAgain(story, active, process) ?? active;
  // uWSGI reloads its workers alone without a word of its own when told so through its FIFO.
  active ??= beginReload(story, instance, event, 'workers', 'unknown', {isUnderWay: true, headless: true});
  let entry =
    active.entries.find(({old}) => old === process) ??
    active.entries.find(({worker, old}) => worker === process.worker && old === null);
  if (entry === undefined)
    active.entries.push((entry = {worker: process.worker, old: process, next: null, told: null, passed: null}));
  entry.old = process;
  ask(story, process, event, active.kind === 'stop' ? 'stop' : 'reload', active, true, entry.told ?? event);
  active.lastSign = event;
}

/** Seconds that a master may need beyond the mercy until all that were told are gone. */
const LATE = 3;

/**
 * A worker of the next generation is asked while a reload is thought to go on whose time is long up: its end is missing, and what
 * looked like a second request for it began another one.
 */
function askedAgain(story: StoryDraft, active: ReloadDraft | null, {predecessor, instance}: ProcessDraft): ReloadDraft | null {
  if (active === null || active.kind === 'chain' || active.reExecuted !== null) return null;
  if (predecessor === null || predecessor.asked?.reload !== active) return null;
  const again = active.repeated.findIndex((event) => precedes(active.lastSign, event));
  const first = active.repeated[again];
  if (first === undefined || between(active.began.at, first.at).min < usualMercy(instance, active.began) + LATE) return null;
  active.repeated.splice(again);
  leaveUnfinished(active);
  return beginReload(story, instance, first, active.kind, first.meaning.trigger ?? 'unknown', {
    isUnderWay: true,
    headless: false,
  });
}

function recycleBegan(story: StoryDraft, event: LogEvent): void {
  const process = processOf(story, event);
  if (process === null || !isAlive(process)) return;
  process.recycling = {event, cause: event.meaning.cause ?? 'unknown'};
  ask(story, process, event, 'itself', null, true);
}

function processLeaving(story: StoryDraft, event: LogEvent): void {
  const process = processOf(story, event);
  if (process === null || !isAlive(process)) return;
  process.leaving = event;
  const {instance} = process;
  // Who was there before the log began belongs to the generation that the last reload asked.
  const reload = instance.active ?? instance.lastReload;
  if (process.asked === null && process.started === null && reload !== null && reload.kind !== 'usr2') {
    reload.entries.push({worker: process.worker, old: process, next: null, told: null, passed: null});
    ask(story, process, reload.began, reload.kind === 'stop' ? 'stop' : 'reload', reload, true);
    if (reload.ended !== null && reload.kind === 'hup') finishReload(reload, event, 'completed');
  }
  if (process.asked !== null) process.asked.acknowledged = true;
  goesOn(instance, event);
  finishGeneration(instance, event);
  if (instance.supervisor !== 'uvicorn' || hasParent(story)) return;
  story.stop(instance, event);
  if (instance.active !== null) finishReload(instance.active, event, 'completed');
}

/** Whatever asked it: a stop that has begun since ends everybody. */
export function isStopping({asked, instance}: ProcessDraft): boolean {
  return asked?.by === 'stop' || instance.active?.kind === 'stop';
}
