/** Whether requests were answered while the server said that it had no room: told by how many had ended when each line was written. */
import type {LogEvent} from '../timeline/event.ts';
import {between} from '../timeline/time.ts';

/** Seconds below which it is no wonder that no request ended. */
export const TOO_SHORT = 3;

export interface Answering {
  /** Requests that ended between the first of the lines and the last. */
  readonly served: number;
  /** Seconds from the first to the last, at least. */
  readonly least: number;
  /** The longest time in seconds, at least, in which none ended: up to all of it. */
  readonly silent: number;
  /** None ended for most of the time. */
  readonly isHeld: boolean;
}

/** @param lines In the order of the log, of a kind that uWSGI's master writes once a second at most: so they tell time where none is told. */
export function answeringDuring(lines: readonly [LogEvent, ...LogEvent[]]): Answering {
  const [first] = lines;
  const last = lines.at(-1) ?? first;
  let since = 0;
  let silent = 0;
  for (const [n, line] of lines.entries()) {
    if (line.served !== lines[since]?.served) since = n;
    silent = Math.max(silent, between((lines[since] ?? first).at, line.at).min, n - since);
  }
  const least = Math.max(between(first.at, last.at).min, lines.length - 1);
  return {served: last.served - first.served, least, silent, isHeld: silent >= TOO_SHORT && silent * 2 >= least};
}
