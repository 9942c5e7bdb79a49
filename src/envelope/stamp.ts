import {fieldNumber, type Matcher} from '../grammar/matcher.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * Reads stamps that a matcher has captured. A log has many lines a second, so the bytes of the last stamp
 * are kept and compared before anything is computed.
 */
export class StampReader {
  private readonly slot: Readonly<Record<Part, number>>;
  private readonly captures: Int32Array;
  private buffer: Buffer = Buffer.alloc(0);
  private lastBytes: Buffer = Buffer.alloc(64);
  private lastLength = -1;
  private lastTime: number | null = null;
  private hasOffset = false;

  constructor(matcher: Matcher) {
    this.captures = matcher.captures;
    this.slot = Object.fromEntries(PARTS.map((part) => [part, 2 * fieldNumber(matcher, part)])) as Record<Part, number>;
  }

  bind(buffer: Buffer): void {
    this.buffer = buffer;
  }

  /** Milliseconds on the log's clock; null where the match just made captured no stamp, or an impossible one. */
  read(): number | null {
    const {buffer, captures, slot} = this;
    const start = captures[slot.stamp] as number;
    if (start < 0) return null;
    const length = (captures[slot.stamp + 1] as number) - start;
    if (length === this.lastLength && endsAlike(buffer, start, this.lastBytes, length)) return this.lastTime;
    if (length <= this.lastBytes.length) buffer.copy(this.lastBytes, 0, start, start + length);
    this.lastLength = length <= this.lastBytes.length ? length : -1;
    this.lastTime = this.compute();
    return this.lastTime;
  }

  /** The last stamp told its own offset from UTC: its time is UTC. */
  get isUtc(): boolean {
    return this.hasOffset;
  }

  private compute(): number | null {
    const epoch = this.number('epoch');
    const fraction = this.text('fraction');
    const milliseconds = fraction === null ? 0 : Number(`0.${fraction}`) * 1000;
    this.hasOffset = epoch !== null;
    if (epoch !== null) return epoch * 1000 + Math.floor(milliseconds);
    const monthName = this.text('month');
    const month = monthName === null ? (this.number('monthNumber') ?? 0) - 1 : MONTHS.indexOf(monthName);
    const [year, day, hour] = [this.number('year'), this.number('day'), this.number('hour')];
    const [minute, second] = [this.number('minute'), this.number('second')];
    if (year === null || day === null || hour === null || minute === null || second === null) return null;
    if (month < 0 || month > 11 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return null;
    const local = Date.UTC(year, month, day, hour, minute, second) + Math.floor(milliseconds);
    const offset = this.text('offset');
    this.hasOffset = offset !== null;
    return offset === null ? local : local - offsetOf(offset);
  }

  private text(part: Part): string | null {
    const start = this.captures[this.slot[part]] as number;
    return start < 0 ? null : this.buffer.toString('latin1', start, this.captures[this.slot[part] + 1]);
  }

  private number(part: Part): number | null {
    const text = this.text(part);
    return text === null ? null : Number(text);
  }
}

const PARTS = ['stamp', 'year', 'month', 'monthNumber', 'day', 'hour', 'minute', 'second', 'fraction', 'offset', 'epoch'] as const;
type Part = (typeof PARTS)[number];

/** `+0230` or `+02:30` -> milliseconds. */
function offsetOf(text: string): number {
  if (text === 'Z') return 0;
  const digits = text.replace(':', '');
  const size = Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5));
  return (digits.startsWith('-') ? -size : size) * 60_000;
}

/** The time that C ctime wrote (`Wed Jul  3 01:02:03 2019`), in milliseconds on the log's clock. */
export function ctimeOf(text: string): number {
  const [, month = '', day, clock = '', year] = text.split(/ +/);
  const [hour, minute, second] = clock.split(':').map(Number);
  return Date.UTC(Number(year), MONTHS.indexOf(month), Number(day), hour, minute, second);
}

/** Whether the bytes of `a` from `at` are the first `length` bytes of `b`. From the back, where stamps differ. */
export function endsAlike(a: Buffer, at: number, b: Buffer, length: number): boolean {
  for (let i = length - 1; i >= 0; i--) if (a[at + i] !== b[i]) return false;
  return true;
}
