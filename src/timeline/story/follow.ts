import type {LogEvent} from '../event.ts';
import type {Recording} from '../recording.ts';
import {ASKING} from './asking.ts';
import {instanceOf} from './attribution.ts';
import type {Story} from './draft.ts';
import {FORCED} from './forced.ts';
import {LIVES} from './lives.ts';
import {MASTERS} from './masters.ts';
import {RELOADS} from './reload-lines.ts';
import {addSetting} from './settings.ts';
import {SNAPSHOTS} from './snapshots.ts';
import {hostOf, sourceOf} from './sources.ts';
import {START_UP} from './start-up.ts';
import {finishSupervisor, STOPS} from './stop-lines.ts';
import {type Handlers, StoryDraft} from './story-draft.ts';
import {spoken} from './unnamed.ts';

const HANDLERS: Handlers = {
  ...START_UP,
  ...MASTERS,
  ...LIVES,
  ...ASKING,
  ...FORCED,
  ...RELOADS,
  ...STOPS,
  ...SNAPSHOTS,
};

/**
 * Who did what. Does not depend on times.
 *
 * @param onTop See {@link pastedOnTop}.
 * @param ended Masters whose end only an outer supervisor tells, perhaps in another file ({@link masterKey}).
 * @param servers By input: which server lines without a stream tell of.
 */
export function follow(
  {events, segments}: Pick<Recording, 'events' | 'segments'>,
  onTop: ReadonlySet<number>,
  ended: ReadonlySet<string>,
  servers: readonly number[],
): Story {
  const story = new StoryDraft(events, segments, ended, servers);
  for (const [index, event] of events.entries()) if (!onTop.has(index)) take(story, event, index);
  for (const index of onTop) take(story, events[index] as LogEvent, index);
  return story;
}

function take(story: StoryDraft, event: LogEvent, index: number): void {
  story.index = index;
  // Joined once all servers of the host are known: see nesting.ts.
  if (event.meaning.onHost) return;
  const host = hostOf(story, event);
  story.source = host ?? sourceOf(story, event);
  story.source.writer = story.writerOf(event);
  // Its host has told of its start and will tell of its end.
  if (host !== null && event.meaning.kind === 'process-started') return;
  if (event.meaning.role === 'program') program(story, event);
  else if (story.source.supervisor !== 'uvicorn' || event.pid !== null || !spoken(story, event))
    HANDLERS[event.meaning.kind]?.(story, event);
  const {shows} = event.meaning;
  if (shows === undefined) return;
  for (const [field, name] of Object.entries(shows)) {
    const value = event.fields[field];
    if (value !== undefined) addSetting(instanceOf(story, event), {name, value, from: 'log', where: event});
  }
}

/** What a supervisor of programs says of one of them as a whole. */
function program(story: StoryDraft, event: LogEvent): void {
  const instance = instanceOf(story, event);
  story.source.current = instance;
  if (!story.programs.take(event, instance, story.index)) HANDLERS[event.meaning.kind]?.(story, event);
  finishSupervisor(story, instance, event);
}
