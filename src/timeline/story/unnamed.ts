/** uvicorn's lines that name no process, and servers that run as the worker of another. */
import type {LogEvent} from '../event.ts';
import {ask} from './asking.ts';
import {isAlive, type ProcessDraft} from './draft.ts';
import {hasParent} from './sources.ts';
import {stopBegan} from './stop-lines.ts';
import type {StoryDraft} from './story-draft.ts';

/** uvicorn names its process only where it starts and ends. @returns Whether it is clear who speaks in between. */
export function spoken(story: StoryDraft, event: LogEvent): boolean {
  const {kind, cause} = event.meaning;
  const process = kind === 'process-asked' || kind === 'requests-pending' || kind === 'recycle-began' ? speaker(story) : null;
  if (process === null) return false;
  if (kind === 'requests-pending') process.remarks.push(event);
  else if (kind === 'recycle-began') {
    process.recycling = {event, cause: cause ?? 'unknown'};
    ask(story, process, event, 'itself', null, true);
  } else if (!hasParent(story) && process.asked === null) stopBegan(story, event);
  return true;
}

/** The only process that can have said it: the only one there, or the only one that its parent has told to leave. */
function speaker(story: StoryDraft): ProcessDraft | null {
  const there = story.source.running
    .flatMap(({processes}) => processes)
    .filter((process) => process.role === 'worker' && isAlive(process) && process.leaving === null);
  const told = there.filter(({asked}) => asked?.acknowledged);
  const [only, ...others] = told.length > 0 ? told : there;
  return only !== undefined && others.length === 0 ? only : null;
}
