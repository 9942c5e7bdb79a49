import type {LogEvent} from '../event.ts';
import {isDefunct} from '../snapshots.ts';
import {isBefore} from '../time.ts';
import type {ProcessDraft} from './draft.ts';
import type {StoryDraft} from './story-draft.ts';

/** More rows than a snapshot has. */
const LOOK_AHEAD = 200;

/** The process is there at this instant. Where the log has told of its end, the log is believed. */
export function showThere(process: ProcessDraft, event: LogEvent): void {
  process.remarks.push(event);
  if (isDefunct(event)) return;
  process.seen = event;
  // No line had told of its end: it was missed only.
  const gone = process.ended ?? process.goneBy;
  if (process.end !== 'lost' || (gone !== null && !isBefore(gone.at, event.at))) return;
  process.end = null;
  process.instance.oldest = 0;
  process.ended = null;
  process.goneBy = null;
}

/** The processes that a snapshot shows, by the lines that follow its first. */
export function seenIn(story: StoryDraft, snapshot: LogEvent): readonly LogEvent[] {
  const next = story.events.slice(story.index + 1, story.index + LOOK_AHEAD).filter(({input}) => input === snapshot.input);
  const end = next.findIndex(({meaning}) => meaning.kind !== 'process-seen');
  return end < 0 ? next : next.slice(0, end);
}
