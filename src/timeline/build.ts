import {arrange} from './arrange.ts';
import {concludeTimeline} from './conclude.ts';
import {constraintsOf} from './constraints.ts';
import type {LogEvent} from './event.ts';
import {logsOf} from './logs.ts';
import type {Recording} from './recording.ts';
import {serversOf} from './servers.ts';
import {pastedOnTop} from './snapshots.ts';
import {solve} from './solve.ts';
import {follow} from './story/follow.ts';
import {nest} from './story/nesting.ts';
import {UNKNOWN_INSTANT} from './time.ts';
import type {Timeline} from './timeline.ts';

/**
 * Rebuilds what happened from what was written: first who did what, then when that can have been, and then
 * the timeline. Always succeeds: what does not fit is left as the log has it.
 */
export function buildTimeline(read: Recording): Timeline {
  const arranged = arrange(read);
  const onTop = pastedOnTop(arranged.events);
  const recording = {
    ...arranged,
    events: arranged.events.map((event, n) => (onTop.has(n) ? {...event, at: UNKNOWN_INSTANT} : event)),
  };
  const servers = serversOf(recording);
  const {events, ended, disagreements} = timed(recording, onTop, servers);
  const story = follow({...recording, events}, onTop, ended, servers);
  nest(story, events);
  return concludeTimeline({...recording, events}, story, servers, disagreements);
}

/**
 * The events with the times that follow from who did what, and the masters whose end only an outer supervisor tells. What was followed for it
 * is let go: it takes as much memory as the timeline.
 */
function timed(recording: Recording, onTop: ReadonlySet<number>, servers: readonly number[]) {
  const logOf = logsOf(recording.inputs);
  const story = follow(recording, onTop, NOBODY, servers);
  const ended = nest(story, recording.events);
  const {instants, disagreements} = solve(recording.events, constraintsOf(story), (input) => logOf[input] ?? input);
  const events = recording.events.map((event, n): LogEvent => {
    const at = instants[n] ?? event.at;
    return at === event.at ? event : {...event, at};
  });
  return {events, ended, disagreements};
}

const NOBODY: ReadonlySet<string> = new Set();
