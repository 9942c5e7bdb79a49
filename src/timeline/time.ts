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

/** Lines of one second may be swapped. Further apart in the wrong order, two times tell nothing of the time between them. */
const SWAPPED_MS = 2000;

/** The time from `from` to `to`. Never negative: the two are known to be in this order. */
export function between(from: Instant, to: Instant): Duration {
  if (from.earliest !== null && to.latest !== null && to.latest < from.earliest - SWAPPED_MS) return {min: 0, max: null};
  const min = from.latest === null || to.earliest === null ? 0 : Math.max(0, to.earliest - from.latest) / 1000;
  const max = from.earliest === null || to.latest === null ? null : Math.max(0, to.latest - from.earliest) / 1000;
  return {min, max: max === null ? null : Math.max(min, max)};
}

/** Whether `a` was over when `b` was, as far as both tell; false where they leave it open. */
export function isBefore(a: Instant, b: Instant): boolean {
  return a.latest !== null && b.earliest !== null && a.latest <= b.earliest;
}

/** The clock on the wall was changed, and the log's clock was not. */
export interface ClockStep {
  /** On the log's clock. */
  readonly at: number;
  /** What stamps are ahead of the log's clock from then on, in milliseconds; negative where summer time has ended. */
  readonly by: number;
}

/** What a stamp says that was written at `at`. */
export function stampAt(at: number, steps: readonly ClockStep[]): number {
  return at + (steps.findLast((step) => step.at <= at)?.by ?? 0);
}
