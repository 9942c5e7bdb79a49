import {tzOffset} from '@date-fns/tz';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** In minutes: no zone was ever farther from UTC (Manila and Alaska in the 19th century were nearly so far). */
const FARTHEST_OFFSET = 16 * 60;
/** Zones that change at all do so within this. */
const FARTHEST_CHANGE = 400 * DAY;

/**
 * The time zone that a log's own stamps are in, where somebody says so. The log's clock is then the clock on the wall
 * there as it was at the first stamp, and goes on without a step: stamps after a change to or from summer time are
 * brought to it, and so is what is told in UTC.
 */
export class Zone {
  /** As it was given: an IANA name or an offset. */
  readonly name: string;
  /** Offsets change on the hour at most, so one is looked up once for each. */
  private readonly offsets = new Map<number, number>();
  /** What the log's clock is ahead of UTC; null before the first stamp. */
  private ahead: number | null = null;
  private readers = 0;
  /** Something was told in UTC. */
  private isTied = false;

  /** @throws RangeError if there is no such zone. */
  constructor(name: string) {
    this.name = name;
    if (!(Math.abs(tzOffset(name, new Date(0))) <= FARTHEST_OFFSET)) throw new RangeError(`there is no time zone "${name}"`);
  }

  /** What is told in UTC on the log's clock. */
  fromUtc(utc: number): number {
    this.isTied = true;
    return this.onClock(utc);
  }

  /** What somebody gives as the time of a stamp; of two such times the first. */
  fromStamp(wall: number): number {
    const [utc] = this.instants(wall);
    return this.ahead === null || utc === undefined ? wall : this.onClock(utc);
  }

  /** One of the {@link instants} of a stamp on the log's clock. */
  onClock(utc: number): number {
    this.ahead ??= this.offsetAt(utc);
    return utc + this.ahead;
  }

  /** The instants in UTC at which the clock on the wall shows this: none where it is set forward, two where it is set back. */
  instants(wall: number): readonly number[] {
    const offsets = new Set([this.offsetAt(wall + DAY), this.offsetAt(wall - DAY)]);
    return [...offsets]
      .map((offset) => wall - offset)
      .filter((utc) => utc + this.offsetAt(utc) === wall)
      .sort((a, b) => a - b);
  }

  /** What the clock on the wall shows when it is changed next after an instant. */
  nextChange(utc: number): number {
    const offset = this.offsetAt(utc);
    let [from, to] = [utc, utc + DAY];
    while (this.offsetAt(to) === offset) {
      if (to - utc > FARTHEST_CHANGE) return Number.POSITIVE_INFINITY;
      [from, to] = [to, to + DAY];
    }
    while (to - from > 1) {
      const middle = Math.floor((from + to) / 2);
      if (this.offsetAt(middle) === offset) from = middle;
      else to = middle;
    }
    return to + offset;
  }

  /** All stamps read so far turn out to be `by` milliseconds later. False where that would put something else wrong. */
  move(by: number): boolean {
    if (this.ahead === null || this.readers > 1 || this.isTied) return false;
    this.ahead -= by;
    return true;
  }

  /** One more log is read that has stamps of this zone. */
  join(): void {
    this.readers++;
  }

  /** Where between two instants on the log's clock the clock on the wall was changed. */
  steps(from: number, to: number): readonly {readonly at: number; readonly by: number}[] {
    const {ahead} = this;
    if (ahead === null) return [];
    const steps: {at: number; by: number}[] = [];
    for (let utc = from - ahead; ; ) {
      const change = this.nextChange(utc) - this.offsetAt(utc);
      if (!(change <= to - ahead)) return steps;
      steps.push({at: change + ahead, by: this.offsetAt(change) - ahead});
      utc = change;
    }
  }

  private offsetAt(utc: number): number {
    const hour = Math.floor(utc / HOUR);
    let offset = this.offsets.get(hour);
    if (offset === undefined) {
      offset = tzOffset(this.name, new Date(utc)) * 60_000;
      this.offsets.set(hour, offset);
    }
    return offset;
  }
}
