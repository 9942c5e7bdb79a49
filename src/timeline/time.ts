/**
 * Bounded time. Instants are milliseconds on the clock of the log: of its own zone where it does not tell
 * one, so that only differences mean anything. A stamp stands for its whole resolution: a second for most
 * supervisors.
 */

/** When something happened: not before `earliest`, not after `latest`; null where nothing bounds that side. */
export interface Instant {
  readonly earliest: number | null;
  readonly latest: number | null;
}

/** How long something took, in seconds; `max` is null where it is open. */
export interface Duration {
  readonly min: number;
  readonly max: number | null;
}

export const UNKNOWN_INSTANT: Instant = {earliest: null, latest: null};

export function exactly(at: number): Instant {
  return {earliest: at, latest: at};
}

export function isExact(instant: Instant): boolean {
  return instant.earliest !== null && instant.earliest === instant.latest;
}

/**
 * What both say. Where they contradict each other the first is kept: a bound that is only derived must not
 * overrule a stamp.
 */
export function narrow(known: Instant, by: Instant): Instant {
  const earliest = later(known.earliest, by.earliest);
  const latest = earlier(known.latest, by.latest);
  return earliest !== null && latest !== null && earliest > latest ? known : {earliest, latest};
}

/** The time from `from` to `to`. Never negative: the two are known to be in this order. */
export function between(from: Instant, to: Instant): Duration {
  const min = from.latest === null || to.earliest === null ? 0 : Math.max(0, to.earliest - from.latest) / 1000;
  const max = from.earliest === null || to.latest === null ? null : Math.max(0, to.latest - from.earliest) / 1000;
  return {min, max: max === null ? null : Math.max(min, max)};
}

/** The instant that lies between `min` and `max` seconds before `instant`. */
export function before(instant: Instant, {min, max}: Duration): Instant {
  return {
    earliest: instant.earliest === null || max === null ? null : instant.earliest - max * 1000,
    latest: instant.latest === null ? null : instant.latest - min * 1000,
  };
}

function later(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b);
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}
