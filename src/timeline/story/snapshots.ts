/** What one server's own tools show of its processes at one instant (uwsgitop, the stats server), in or below a log. */
import type {LogEvent} from '../event.ts';
import {instanceOf, processOf} from './attribution.ts';
import {isLeaving, newProcess} from './draft.ts';
import {seenIn, showThere} from './seen.ts';
import type {Handlers, StoryDraft} from './story-draft.ts';

export const SNAPSHOTS: Handlers = {
  snapshot,
  'process-seen': processSeen,
};

function snapshot(story: StoryDraft, event: LogEvent): void {
  const instance = instanceOf(story, event);
  const {version} = event.fields;
  if (version !== undefined) instance.version ??= String(version);
  const past = instance.processes.filter((each) => each.role === 'worker' && each.worker === null && isLeaving(each));
  const fresh = seenIn(story, event).filter(({worker}) => worker !== null && !instance.slots.has(worker));
  // A snapshot shows all workers: who said goodbye without a number had the only one that nobody else has had.
  if (past.length !== 1 || fresh.length !== 1) return;
  const [[leaver], [row]] = [past, fresh];
  if (leaver == null || row?.worker == null || row.pid === leaver.pid) return;
  leaver.worker = row.worker;
  instance.slots.set(row.worker, leaver);
}

function processSeen(story: StoryDraft, event: LogEvent): void {
  if (event.pid === null || isOutdated(story, event)) return;
  if (event.meaning.role === 'master') {
    const instance = instanceOf(story, event);
    if (story.process(event.pid) === null) story.register(newProcess(instance, event.pid, 'master', null, null, 0));
  }
  const process = processOf(story, event);
  if (process !== null) showThere(process, event);
}

/** A snapshot that stands below the log and was taken before the worker that has its number now had started. */
function isOutdated(story: StoryDraft, {pid, worker, at}: LogEvent): boolean {
  if (pid === null || worker === null || story.process(pid) !== null) return false;
  const started = story.source.instances.flatMap(({slots}) => slots.get(worker)?.started?.at.earliest ?? []);
  return at.earliest !== null && started.some((time) => time > (at.earliest as number));
}
