/** Tables of the processes of one instant (uwsgitop, ps), in or below a log. */
import type {LogEvent} from '../event.ts';
import {isBefore} from '../time.ts';
import {instanceOf, processOf} from './attribution.ts';
import {isLeaving, newProcess} from './draft.ts';
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

/** The processes that a snapshot shows, by the lines that follow its first. */
function seenIn(story: StoryDraft, snapshot: LogEvent): readonly LogEvent[] {
  const next = story.events.slice(story.index + 1).filter(({input}) => input === snapshot.input);
  const end = next.findIndex(({meaning}) => meaning.kind !== 'process-seen');
  return end < 0 ? next : next.slice(0, end);
}

/** A process is there at this instant. Where the log has told of its end, the log is believed and both are shown. */
function processSeen(story: StoryDraft, event: LogEvent): void {
  if (event.pid === null || isOutdated(story, event)) return;
  if (event.meaning.role === 'master') {
    const instance = instanceOf(story, event);
    if (story.process(event.pid) === null) story.register(newProcess(instance, event.pid, 'master', null, null, 0));
  }
  const process = processOf(story, event);
  if (process === null) return;
  process.remarks.push(event);
  process.seen = event;
  // No line had told of its end: it was missed only.
  const gone = process.ended ?? process.goneBy;
  if (process.end !== 'lost' || (gone !== null && !isBefore(gone.at, event.at))) return;
  process.end = null;
  process.ended = null;
  process.goneBy = null;
}

/** A snapshot that stands below the log and was taken before the worker that has its number now had started. */
function isOutdated(story: StoryDraft, {pid, worker, at}: LogEvent): boolean {
  if (pid === null || worker === null || story.process(pid) !== null) return false;
  const started = story.source.instances.flatMap(({slots}) => slots.get(worker)?.started?.at.earliest ?? []);
  return at.earliest !== null && started.some((time) => time > (at.earliest as number));
}
