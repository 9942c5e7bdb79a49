import type {Matcher} from '../grammar/matcher.ts';
import {Calendar, dateOf} from './calendar.ts';
import {MONTHS} from './ctime.ts';

/** TAI64 counts from 2^62; daemontools and s6 put TAI ten seconds before Unix time and leave leap seconds alone. */
const TAI_EPOCH = 2n ** 62n + 10n;

/**
 * Reads stamps that a matcher has captured. A log has many lines a second, so the bytes of the last stamp
 * are kept and compared before anything is computed.
 */
export class StampReader {
  /** For each message, where each part of a stamp is captured; -1 where the message has no such part. */
  private readonly slotsOf: readonly Readonly<Record<Part, number>>[];
  private readonly captures: Int32Array;
  private slots: Readonly<Record<Part, number>>;
  private buffer: Buffer = Buffer.alloc(0);
  private calendar: Calendar = new Calendar(null);
  private lastBytes: Buffer = Buffer.alloc(64);
  private lastLength = -1;
  private lastTime: number | null = null;
  /** Stamps read so far, and how often one was of another time than the one before. */
  reads = 0;
  turns = 0;
  private tellsZone = false;
  private aheadOfUtc = 0;
  private tellsYear = true;
  private tellsDate = true;

  constructor(matcher: Matcher) {
    this.captures = matcher.captures;
    this.slotsOf = matcher.fieldsOf.map(
      (fields) =>
        Object.fromEntries(
          PARTS.map((part) => {
            const field = matcher.fields.indexOf(part);
            return [part, fields.includes(field) ? 2 * field : -1];
          }),
        ) as Record<Part, number>,
    );
    this.slots = this.slotsOf[0] as Record<Part, number>;
  }

  bind(buffer: Buffer): void {
    this.buffer = buffer;
  }

  /** Another input: its years are those of `calendar`. */
  follow(calendar: Calendar): void {
    this.calendar = calendar;
    this.forget();
  }

  /** Equal bytes need no longer be the same time. */
  forget(): void {
    this.lastLength = -1;
  }

  /** Whether message number `message`, which has just matched, has a stamp, usable or not. */
  has(message: number): boolean {
    return (this.captures[this.slotsOf[message]?.stamp ?? -1] ?? -1) >= 0;
  }

  /** Milliseconds on the log's clock; null where the match just made captured no stamp, or none that can be used. */
  read(message: number): number | null {
    if (!this.has(message)) return null;
    this.reads++;
    const {buffer, captures} = this;
    this.slots = this.slotsOf[message] as Record<Part, number>;
    const start = captures[this.slots.stamp] as number;
    const length = (captures[this.slots.stamp + 1] as number) - start;
    if (length === this.lastLength && endsAlike(buffer, start, this.lastBytes, length)) return this.lastTime;
    if (length <= this.lastBytes.length) buffer.copy(this.lastBytes, 0, start, start + length);
    this.lastLength = length <= this.lastBytes.length ? length : -1;
    const time = this.compute();
    if (time !== this.lastTime) this.turns++;
    this.lastTime = time;
    return time;
  }

  /** The time of the last stamp; null where it could not be used. */
  get last(): number | null {
    return this.lastTime;
  }

  /** The last stamp told its own offset from UTC: its time is UTC. */
  get isUtc(): boolean {
    return this.tellsZone;
  }

  /** What the last stamp told that it is ahead of UTC, in milliseconds; null where it told nothing. */
  get ahead(): number | null {
    return this.tellsZone ? this.aheadOfUtc : null;
  }

  /** The last stamp told its year. */
  get isFull(): boolean {
    return this.tellsYear;
  }

  /** The last stamp told more than a time of day. */
  get isDated(): boolean {
    return this.tellsDate;
  }

  private compute(): number | null {
    this.tellsZone = true;
    this.aheadOfUtc = 0;
    this.tellsYear = true;
    this.tellsDate = true;
    const tai = this.text('tai');
    if (tai !== null)
      return Number(BigInt(`0x${tai}`) - TAI_EPOCH) * 1000 + Math.floor(Number(`0x${this.text('nanoseconds')}`) / 1e6);
    const fraction = this.text('fraction');
    const milliseconds = fraction === null ? 0 : Math.floor(Number(`0.${fraction}`) * 1000);
    const epoch = this.number('epoch');
    if (epoch !== null) return epoch * 1000 + milliseconds;
    const offset = this.text('offset');
    this.tellsZone = offset !== null || this.text('utc') !== null;
    const monthName = this.text('month');
    const month = monthName === null ? (this.number('monthNumber') ?? 0) - 1 : MONTHS.indexOf(monthName);
    const [day, minute, second] = [this.number('day'), this.number('minute'), this.number('second')];
    const hour = this.hour();
    if (hour === null || minute === null || second === null || minute > 59 || second > 60) return null;
    const inDay = ((hour * 60 + minute) * 60 + second) * 1000 + milliseconds;
    const year = this.number('year');
    this.tellsYear = year !== null;
    this.tellsDate = day !== null;
    if (day === null) return this.calendar.count(inDay);
    const date = year === null ? this.calendar.place(month, day, inDay) : dateOf(year, month, day);
    if (date === null) return null;
    if (offset !== null) this.aheadOfUtc = offsetOf(offset);
    return date + inDay - this.aheadOfUtc;
  }

  private hour(): number | null {
    const hour = this.number('hour');
    if (hour === null || hour > 23) return null;
    const isAfternoon = this.text('afternoon') !== null;
    if (!isAfternoon && this.text('forenoon') === null) return hour;
    return hour < 1 || hour > 12 ? null : (hour % 12) + (isAfternoon ? 12 : 0);
  }

  private text(part: Part): string | null {
    const slot = this.slots[part];
    const start = slot < 0 ? -1 : (this.captures[slot] as number);
    return start < 0 ? null : this.buffer.toString('latin1', start, this.captures[slot + 1]);
  }

  /** What is captured are digits. */
  private number(part: Part): number | null {
    const slot = this.slots[part];
    const start = slot < 0 ? -1 : (this.captures[slot] as number);
    if (start < 0) return null;
    const end = this.captures[slot + 1] as number;
    let value = 0;
    for (let at = start; at < end; at++) value = 10 * value + (this.buffer[at] as number) - 0x30;
    return value;
  }
}

const PARTS = [
  'stamp',
  'year',
  'month',
  'monthNumber',
  'day',
  'hour',
  'minute',
  'second',
  'fraction',
  'offset',
  'utc',
  'epoch',
  'tai',
  'nanoseconds',
  'afternoon',
  'forenoon',
] as const;
type Part = (typeof PARTS)[number];

/** `+0230`, `+02:30` or `+02` -> milliseconds. */
function offsetOf(text: string): number {
  if (text === 'Z') return 0;
  const digits = text.replace(':', '');
  const size = Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5));
  return (digits.startsWith('-') ? -size : size) * 60_000;
}

/** Whether the bytes of `a` from `at` are the first `length` bytes of `b`. From the back, where stamps differ. */
function endsAlike(a: Buffer, at: number, b: Buffer, length: number): boolean {
  for (let i = length - 1; i >= 0; i--) if (a[at + i] !== b[i]) return false;
  return true;
}
