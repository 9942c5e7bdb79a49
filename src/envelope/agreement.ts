const SLACK_MS = 2000;
const ZONE_STEP_MS = 15 * 60_000;
/** From UTC-12 to UTC+14. */
const WIDEST_MS = 26 * 3_600_000;

/** Two times of one line, brought to one clock. */
export interface Agreement {
  readonly time: number;
  /** What was added to the inner time to get it onto the outer clock. */
  readonly shift: number;
}

/**
 * What a line's own time (`inner`, when it was written) and that of the envelope around it (`outer`, when it was
 * received) say together. The inner one is believed, with two exceptions:
 *
 * - Where they differ by a time zone (whole quarters of an hour, give or take two seconds), they are two clocks,
 *   and the envelope's is the clock of the input: it is on every line, also on those without a time of their own.
 * - Where the envelope tells the same second more finely, the finer time is taken.
 *
 * One step of this is all that is ever done about zones. None is invented: a time is only moved by what the log
 * itself shows.
 */
export function agree(inner: number, outer: number): Agreement {
  const shift = zoneBetween(inner, outer) ?? 0;
  const moved = inner + shift;
  const isSameSecond = moved % 1000 === 0 && outer >= moved && outer - moved < 1000;
  return {time: isSameSecond ? outer : moved, shift};
}

/** The whole time zones from `inner` to `outer`; null where they differ by something else. */
export function zoneBetween(inner: number, outer: number): number | null {
  const difference = outer - inner;
  const zones = Math.round(difference / ZONE_STEP_MS) * ZONE_STEP_MS;
  return Math.abs(difference - zones) <= SLACK_MS && Math.abs(zones) <= WIDEST_MS ? zones : null;
}

/** `1 h`, `-5.5 h` */
export function hours(shift: number): string {
  return `${shift / 3_600_000} h`;
}
