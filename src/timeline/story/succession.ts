/** Who takes the place of whom, and so which reload goes on or is complete. */
import type {LogEvent} from '../event.ts';
import {end, type InstanceDraft, isAlive, type ProcessDraft, type ReloadDraft} from './draft.ts';
import {finishReload} from './reloads.ts';
import type {StoryDraft} from './story-draft.ts';

export function fillSlot(story: StoryDraft, instance: InstanceDraft, process: ProcessDraft, event: LogEvent): void {
  const {worker} = process;
  if (worker === null) return;
  const past = instance.slots.get(worker) ?? instance.previousSlots.get(worker) ?? null;
  if (past !== process) {
    // A worker that stopped serving and left by itself is replaced without a word about its end.
    if (past !== null && isAlive(past)) end(past, event, past.forced === null ? 'clean' : 'forced');
    process.predecessor = past;
    if (past !== null) past.successor = process;
  }
  instance.slots.set(worker, process);
  instance.previousSlots.delete(worker);
  joinReload(story, instance, process, event);
}

/** The reload that a new worker completes or goes on with. */
function joinReload(story: StoryDraft, instance: InstanceDraft, process: ProcessDraft, event: LogEvent): void {
  const reload = instance.active ?? justReExecuted(story, instance);
  if (reload === null || reload.kind === 'stop') return;
  const isFull = reload.kind === 'graceful' || reload.kind === 'brutal';
  if (isFull && reload.reExecuted === null) return;
  const entry = reload.entries.find((candidate) => candidate.worker === process.worker && candidate.next === null);
  if (entry === undefined && !isFull) return;
  if (entry === undefined)
    reload.entries.push({worker: process.worker, old: process.predecessor, next: process, told: null, passed: null});
  else entry.next = process;
  reload.lastSign = event;
  if (reload.kind === 'chain') return;
  if (reload.entries.every(({next}) => next !== null)) finishReload(reload, event, 'completed');
}

/** A full reload stays open for the rest of its generation: only then is its last worker known. */
function justReExecuted(story: StoryDraft, instance: InstanceDraft): ReloadDraft | null {
  const last = instance.lastReload;
  const isOpen = last?.reExecuted && last.ended !== null && last.ended === last.lastSign && onlyStartsSince(story, last.ended);
  return isOpen ? last : null;
}

function onlyStartsSince(story: StoryDraft, event: LogEvent): boolean {
  for (let n = story.index - 1; n >= 0; n--) {
    const between = story.events[n] as LogEvent;
    if (between === event) return true;
    if (between.meaning.kind !== 'process-started' && between.meaning.kind !== 'app-loaded') return false;
  }
  return false;
}

/** gunicorn does not number its workers: a reload has an old generation and a new one, and no pairs. */
export function joinGeneration(instance: InstanceDraft, process: ProcessDraft, event: LogEvent): void {
  const {active} = instance;
  if (active?.kind !== 'hup') return;
  active.entries.push({worker: null, old: null, next: process, told: null, passed: null});
  active.lastSign = event;
  finishGeneration(instance, event);
}

/** Complete once the old generation has left and as many have been started anew. */
export function finishGeneration(instance: InstanceDraft, event: LogEvent): void {
  const {active} = instance;
  for (const reload of instance.waning) if (hasLeft(reload)) finishReload(reload, event, 'completed');
  instance.waning = instance.waning.filter(({ended}) => ended === null);
  if (active?.kind !== 'hup' || !hasLeft(active)) return;
  const old = active.entries.filter((entry) => entry.old !== null);
  const next = active.entries.filter((entry) => entry.next !== null);
  if (old.length > 0 && next.length >= old.length) finishReload(active, event, 'completed');
}

function hasLeft({entries}: ReloadDraft): boolean {
  return entries.every(({old}) => old === null || !isAlive(old) || old.leaving !== null);
}
