import {tzOffset} from '@date-fns/tz';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * The time zone that a log's own stamps are in, where somebody says so. The log's clock is then the clock on the
 * wall there: its own stamps stay as they are, and what is told in UTC is moved to it.
 */
export class Zone {
  /** As it was given: an IANA name or an offset. */
  readonly name: string;
  /** Offsets change on the hour at most, so one is looked up once for each. */
  private readonly offsets = new Map<number, number>();

  /** @throws RangeError if there is no such zone. */
  constructor(name: string) {
    this.name = name;
    if (Number.isNaN(tzOffset(name, new Date(0)))) throw new RangeError(`there is no time zone "${name}"`);
  }

  /** The clock on the wall, as milliseconds, for an instant in UTC. */
  wallClock(utc: number): number {
    const hour = Math.floor(utc / HOUR);
    let offset = this.offsets.get(hour);
    if (offset === undefined) {
      offset = tzOffset(this.name, new Date(utc)) * 60_000;
      this.offsets.set(hour, offset);
    }
    return utc + offset;
  }

  /** The clock on the wall shows this twice: summer time ends. */
  comesTwice(wall: number): boolean {
    const instants = [wall - DAY, wall + DAY].map((nearby) => wall - (this.wallClock(nearby) - nearby));
    return instants[0] !== instants[1] && instants.every((instant) => this.wallClock(instant) === wall);
  }
}
