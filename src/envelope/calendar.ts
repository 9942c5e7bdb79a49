/** A leap year, so that it has every date; nobody takes it for the year of a log. */
const BASE_YEAR = 2000;
const YEARS_AROUND = [0, 1, -1, 2, -2, 3, -3, 4, -4];
const DAY_MS = 86_400_000;
/** Times of day are counted on, unless they step back by less than this: lines out of order, or the newest one first. */
const BACK_MS = 6 * 3_600_000;

/**
 * The years of stamps that tell none (syslog, journalctl's short form).
 *
 * The year of a stamp is the one that puts it nearest to the time before it, so a December is followed by the
 * January of the next year, and lines that are a little out of order do not matter. Counting begins at a year
 * that is given, or that of any full stamp of the input, or, until there is one, at an arbitrary year: once a
 * full stamp is seen, {@link learn} tells by how many years everything placed so far has to be moved.
 *
 * Stamps that tell the time of day alone are counted from an arbitrary day on, until a date is seen: nobody knows how
 * many days lie between the two, so what was counted is worth nothing then.
 */
export class Calendar {
  private isKnown: boolean;
  private last: number | null = null;
  private readonly firstYear: number;
  private readonly isGiven: boolean;
  /** Some stamp had to be placed. */
  private isUsed = false;
  /** The last time is that of a stamp that was placed. */
  private isPlaced = false;
  private isDated = false;
  /** The last time of day on its counted day. */
  private counted: number | null = null;

  /** `year`: of the first stamp without one. */
  constructor(year: number | null) {
    this.isKnown = year !== null;
    this.isGiven = year !== null;
    this.firstYear = year ?? BASE_YEAR;
  }

  /** Stamps were placed in years that are only counted: the log tells none. */
  get isGuessing(): boolean {
    return this.isUsed && !this.isKnown;
  }

  get knows(): boolean {
    return this.isKnown;
  }

  /** All that the log tells are times of day. */
  get isCounting(): boolean {
    return this.counted !== null;
  }

  /** A time of day on its counted day; null where the log tells dates elsewhere. */
  count(inDay: number): number | null {
    if (this.isDated) return null;
    const before = this.counted ?? Date.UTC(BASE_YEAR, 0, 1) + inDay;
    const earliest = before - BACK_MS;
    this.counted = earliest + ((((inDay - earliest) % DAY_MS) + DAY_MS) % DAY_MS);
    return this.counted;
  }

  /** A date was seen, or what was counted does not hold. Gives whether something had been counted. */
  stopCounting(): boolean {
    const hasCounted = this.isCounting;
    this.isDated = true;
    this.counted = null;
    return hasCounted;
  }

  /** The beginning of a day in its year; null where there is no such day. `month` counts from 0, `inDay` is in milliseconds. */
  place(month: number, day: number, inDay: number): number | null {
    const around = this.last === null ? this.firstYear : new Date(this.last).getUTCFullYear();
    let nearest: number | null = null;
    for (const years of YEARS_AROUND) {
      const date = dateOf(around + years, month, day);
      if (date === null) continue;
      if (this.last === null) {
        nearest = date;
        break;
      }
      if (nearest === null || Math.abs(date + inDay - this.last) < Math.abs(nearest + inDay - this.last)) nearest = date;
    }
    if (nearest === null) return null;
    this.last = nearest + inDay;
    this.isPlaced = true;
    this.isUsed = true;
    return nearest;
  }

  /**
   * A full date after others: what comes without a year stands nearest to this one. Gives the years by which `placed`, the
   * time of the same line, must be moved.
   */
  meet(time: number, placed: number | null): number {
    if (this.isGiven) return 0;
    const years = this.isPlaced && this.last !== null && placed === this.last ? yearsBetween(placed, time) : 0;
    this.last = years === 0 ? time : inYears(this.last as number, years);
    this.isPlaced = false;
    return years;
  }

  /** A full date of the same input. Gives the years by which all that was placed before must be moved. */
  learn(time: number): number {
    if (this.isKnown) return 0;
    this.isKnown = true;
    if (this.last === null) {
      this.last = time;
      return 0;
    }
    const years = yearsBetween(this.last, time);
    this.last = inYears(this.last, years);
    return years;
  }
}

/** The years by which a date must be moved to stand nearest to another. */
function yearsBetween(date: number, time: number): number {
  const distance = (years: number) => Math.abs(inYears(date, years) - time);
  const away = new Date(time).getUTCFullYear() - new Date(date).getUTCFullYear();
  return [away, away - 1, away + 1].reduce((a, b) => (distance(b) < distance(a) ? b : a));
}

/** The same date and time of day in another year. */
export function inYears(time: number, years: number): number {
  const date = new Date(time);
  return date.setUTCFullYear(date.getUTCFullYear() + years);
}

/** The beginning of a day, or null where there is no such day. `month` counts from 0. */
export function dateOf(year: number, month: number, day: number): number | null {
  if (month < 0 || month > 11 || day < 1 || day > 31) return null;
  const date = Date.UTC(year, month, day);
  return new Date(date).getUTCDate() === day ? date : null;
}
