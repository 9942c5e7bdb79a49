import type {Zone} from './zone.ts';

/** Lines of one log may be so much out of order. */
const TOLERANCE_MS = 5000;
/** No clock is set by less for summer time. */
const LEAST_STEP_MS = 20 * 60_000;

/** What came to light about the hour that the clock on the wall shows twice. */
export interface Fold {
  /** The log shows it twice: which of the two a line belongs to follows from their order. */
  twice(): void;
  /** The log goes on after it without a step back: stamps from `from` to `to` may be `by` milliseconds later. */
  untold(from: number, to: number, by: number): void;
}

/** Brings the stamps of one log, which are those of a clock on the wall, to a clock that is not changed for summer time. */
export class SteadyClock {
  private readonly zone: Zone;
  private readonly fold: Fold;
  private shift = 0;
  /** What the clock on the wall shows when it is changed next. */
  private until = Number.NEGATIVE_INFINITY;
  private last: number | null = null;
  /** Stamps that were taken to be of the first time that the clock shows them, until there is proof. */
  private guessed: {readonly from: number; readonly by: number; readonly isStart: boolean} | null = null;

  constructor(zone: Zone, fold: Fold) {
    this.zone = zone;
    this.fold = fold;
    zone.join();
  }

  /** A stamp of the clock on the wall, in the order of the lines, on the steady clock. Both are milliseconds. */
  at(wall: number): number {
    const {last} = this;
    const isNext = last !== null && wall >= last - TOLERANCE_MS && wall < last + LEAST_STEP_MS && wall < this.until;
    if (!isNext) this.look(wall);
    this.last = wall;
    return wall + this.shift;
  }

  private look(wall: number): void {
    const {zone, last, shift} = this;
    const now = last === null ? null : last + shift;
    const candidates = zone.instants(wall);
    const [first, second] = candidates;
    // The clock never showed it: as if it had been changed a little later.
    if (first === undefined) return;
    if (second !== undefined) {
      const isSecond = now !== null && zone.onClock(first) < now - TOLERANCE_MS;
      if (isSecond && this.guessed !== null) this.fold.twice();
      if (isSecond) this.guessed = null;
      else this.guessed ??= {from: zone.onClock(first), by: second - first, isStart: now === null};
      this.take(isSecond ? second : first, wall);
      return;
    }
    if (this.guessed !== null && now !== null) this.settle(this.guessed, now, zone.onClock(first));
    this.take(first, wall);
  }

  /** The hour is over, and the log has not shown it twice. */
  private settle({from, by, isStart}: NonNullable<SteadyClock['guessed']>, now: number, next: number): void {
    this.guessed = null;
    // A step back to what was before that hour is something else.
    if (next < now) return;
    if (isStart && this.zone.move(by)) return;
    this.fold.untold(from, now, by);
  }

  private take(utc: number, wall: number): void {
    this.shift = this.zone.onClock(utc) - wall;
    this.until = this.zone.nextChange(utc);
  }
}
