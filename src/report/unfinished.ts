import type {LineRef} from '../timeline/event.ts';
import type {Reload} from '../timeline/timeline.ts';
import {longDuration} from './duration.ts';
import {type Clock, showInstant} from './instant.ts';

/** What is known of the end of a reload or stop that has none in the log, safe to print. */
export function unfinished({duration, silence, overBy}: Reload, clock: Clock, place: (line: LineRef) => string): string {
  if (overBy !== null) {
    const {earliest, latest} = overBy.at;
    const when = earliest === null && latest === null ? '' : ` by ${showInstant(overBy.at, clock)}`;
    return `its end is not in the log; it was over${when} (${place(overBy.line)})`;
  }
  if (silence.min > duration.min) return `no end in the log, which goes on for ${longDuration({min: silence.min, max: null})}`;
  return `not finished when the log ends${duration.min > 0 ? `, after ${longDuration({min: duration.min, max: null})}` : ''}`;
}
