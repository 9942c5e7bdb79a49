import {agree} from './agreement.ts';
import {inYears} from './calendar.ts';
import type {EnvelopeRecord} from './record.ts';
import {timeOf} from './record.ts';

/** All that stands around a message, from the outermost layer to the innermost. Grows while layers are peeled. */
export class Wrapping {
  /** Nothing. Not to be grown: see {@link inside}. */
  static readonly none = new Wrapping([], [], null, false);

  readonly names: readonly string[];
  readonly origin: readonly string[];
  /** Some layer tells a time, usable or not. */
  isTimed: boolean;
  /** The supervisor's own date stands in front of the message: what was added to it to get the envelope's time. */
  shift: number | null = null;
  /** How often the line stands for itself. */
  repeated: number | null = null;
  /** The process that wrote the line, as a transport tells. */
  writer: number | null = null;
  /** See {@link LogEvent.mark}. */
  mark: string | null = '';
  private known: number | null;
  private utc = false;
  /** A time that nobody has asked for yet. */
  private unread: unknown = undefined;

  private constructor(names: readonly string[], origin: readonly string[], time: number | null, isTimed: boolean) {
    this.names = names;
    this.origin = origin;
    this.known = time;
    this.isTimed = isTimed;
  }

  /** The same, with a layer inside it. `isNamed`: the layer counts as an envelope. */
  inside(name: string | null, origin: readonly string[]): Wrapping {
    return this.with(
      name === null ? this.names : [...this.names, name],
      origin.length === 0 ? this.origin : [...this.origin, ...origin],
    );
  }

  /** The same, its innermost layer told more precisely. */
  renamed(name: string, origin: readonly string[]): Wrapping {
    return this.with([...this.names.slice(0, -1), name], [...this.origin, ...origin]);
  }

  around(record: EnvelopeRecord): Wrapping {
    const wrapping = this.inside(record.name, record.origin);
    if (record.time !== undefined) {
      wrapping.isTimed = true;
      wrapping.unread = record.time;
    }
    return wrapping;
  }

  /** The time of the message: see {@link agree}. */
  get time(): number | null {
    this.read();
    return this.known;
  }

  get isUtc(): boolean {
    this.read();
    return this.utc;
  }

  /** The layer tells a time. `isOwn`: it is that of whoever wrote the message. */
  stamp(time: number, isUtc: boolean, isOwn: boolean): void {
    const outer = this.time;
    if (outer === null) {
      this.known = time;
      this.utc = isUtc;
      return;
    }
    const agreed = agree(time, outer);
    if (isOwn) this.shift = agreed.shift;
    this.known = agreed.time;
    this.utc = agreed.shift === 0 ? isUtc || this.utc : this.utc;
  }

  forgetTime(): void {
    this.known = null;
  }

  /** By so many years, where that brings it nearer to `time`: an inner layer may have told its year. */
  moveYears(years: number, time: number): void {
    if (this.known === null) return;
    const moved = inYears(this.known, years);
    if (Math.abs(moved - time) < Math.abs(this.known - time)) this.known = moved;
  }

  private with(names: readonly string[], origin: readonly string[]): Wrapping {
    const next = new Wrapping(names, origin, this.known, this.isTimed);
    next.utc = this.utc;
    next.unread = this.unread;
    next.repeated = this.repeated;
    next.writer = this.writer;
    next.mark = this.mark;
    next.shift = this.shift;
    return next;
  }

  private read(): void {
    if (this.unread === undefined) return;
    const told = timeOf(this.unread);
    this.unread = undefined;
    if (told !== null) this.stamp(told.time, told.isUtc, false);
  }
}
