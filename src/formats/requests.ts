import {CtimeReader} from '../envelope/ctime.ts';
import {fieldNumber, type Matcher} from '../grammar/matcher.ts';
import {DURATION_BOUNDS, type RequestSegment} from '../timeline/event.ts';
import type {Writer} from './writer.ts';

/**
 * Adds up request lines, which are nearly all of a log: one flat record of numbers per live process of each writer, no
 * object and no string per line. A record is closed into a segment whenever an event names its process, so
 * that what was served before and after can be told apart.
 */
export class RequestLedger {
  readonly segments: RequestSegment[] = [];
  /** Requests so far, of all processes. */
  served = 0;
  /** What is added to times so that they are on the clock of the input. */
  shift = 0;
  /** When the last line was written, in milliseconds: its start plus its duration, to the second. */
  writtenFrom = Number.NEGATIVE_INFINITY;
  writtenTo = Number.NEGATIVE_INFINITY;

  /** By process id; further writers that use the same one follow as {@link OpenSegment.namesake}. */
  private readonly open = new Map<number, OpenSegment>();
  private last: OpenSegment | null = null;
  private readonly captures: Int32Array;
  private readonly pid: number;
  private readonly number: number;
  private readonly started: number;
  private readonly duration: number;
  private readonly unit: number;
  private readonly status: number;
  private buffer: Buffer = Buffer.alloc(0);
  private readonly times = new CtimeReader();
  private touched: OpenSegment[] = [];

  constructor(matcher: Matcher) {
    this.captures = matcher.captures;
    this.pid = 2 * fieldNumber(matcher, 'pid');
    this.number = 2 * fieldNumber(matcher, 'requestNumber');
    this.started = 2 * fieldNumber(matcher, 'started');
    this.duration = 2 * fieldNumber(matcher, 'duration');
    this.unit = 2 * fieldNumber(matcher, 'unit');
    this.status = 2 * fieldNumber(matcher, 'status');
  }

  bind(buffer: Buffer): void {
    this.buffer = buffer;
  }

  /** Adds the request line that was just matched; the text of the line is `buffer[from..to)`. */
  add(writer: Writer, events: number, input: number, line: number, from: number, to: number): void {
    const {captures} = this;
    const pid = this.integer(this.pid);
    let segment = this.last;
    if (segment === null || segment.pid !== pid || segment.writer !== writer) {
      segment = this.find(pid, writer) ?? this.begin(pid, writer, events);
      this.last = segment;
    }
    const start = this.time() + this.shift;
    const duration = this.taken();
    const end = start + duration;
    const number = this.integer(this.number);
    if (segment.count === 0) {
      segment.firstStart = start;
      segment.firstNumber = number;
      segment.firstLine = line;
      segment.firstText = this.buffer.toString('latin1', from, to);
    }
    segment.count++;
    segment.lastStart = start;
    segment.lastNumber = number;
    segment.lastLine = line;
    segment.input = input;
    segment.lastFrom = from;
    segment.lastTo = to;
    if (end > segment.lastEnd) segment.lastEnd = end;
    if (duration > segment.longest) segment.longest = duration;
    segment.total += duration;
    segment.byDuration[durationClass(duration)]!++;
    if (this.buffer[captures[this.status] as number] === 0x35 && this.integer(this.status) >= 500) segment.status5xx++;
    if (!segment.isTouched) {
      segment.isTouched = true;
      this.touched.push(segment);
    }
    this.served++;
    // The stamp is a whole second, so the line was written within one second after start + duration.
    this.writtenFrom = end;
    this.writtenTo = end + 999;
  }

  /** When the request line that was just matched was written, as its own clock has it. */
  ended(): number {
    return this.time() + this.taken();
  }

  /** An event names the process: what it serves from now on is another segment. */
  cut(pid: number): void {
    const segment = this.open.get(pid);
    if (segment === undefined) return;
    this.open.delete(pid);
    this.last = null;
    this.close(segment);
  }

  cutAll(): void {
    for (const segment of this.open.values()) this.close(segment);
    this.open.clear();
    this.last = null;
  }

  /** The bytes that lines were matched in are about to be overwritten: keeps the text of each last line. */
  release(): void {
    for (const segment of this.touched) this.keepText(segment);
    this.touched = [];
  }

  private find(pid: number, writer: Writer): OpenSegment | null {
    let segment = this.open.get(pid) ?? null;
    while (segment !== null && segment.writer !== writer) segment = segment.namesake;
    return segment;
  }

  private begin(pid: number, writer: Writer, events: number): OpenSegment {
    const segment = newSegment(pid, writer, events, this.open.get(pid) ?? null);
    this.open.set(pid, segment);
    return segment;
  }

  private close(segment: OpenSegment): void {
    if (segment.namesake !== null) this.close(segment.namesake);
    this.keepText(segment);
    const {pid, writer, afterEvents, count, firstStart, lastStart, lastEnd, longest, total, byDuration, status5xx, input} =
      segment;
    const {firstNumber, lastNumber, firstLine, firstText, lastLine, lastText} = segment;
    this.segments.push({
      pid,
      stream: writer.stream,
      afterEvents,
      count,
      firstStart,
      lastStart,
      lastEnd,
      longest,
      total,
      byDuration,
      status5xx,
      firstNumber,
      lastNumber,
      first: {input, line: firstLine, text: utf8(firstText)},
      last: {input, line: lastLine, text: utf8(lastText)},
    });
  }

  private keepText(segment: OpenSegment): void {
    if (!segment.isTouched) return;
    segment.isTouched = false;
    segment.lastText = this.buffer.toString('latin1', segment.lastFrom, segment.lastTo);
  }

  /** Milliseconds. */
  private taken(): number {
    const isMicros = (this.captures[this.unit + 1] as number) - (this.captures[this.unit] as number) === 6;
    return isMicros ? this.integer(this.duration) / 1000 : this.integer(this.duration);
  }

  private time(): number {
    return this.times.read(this.buffer, this.captures[this.started] as number, this.captures[this.started + 1] as number);
  }

  /** The number that the grammar captured; its digits are what the grammar allows, with a sign at most. */
  private integer(slot: number): number {
    const {buffer, captures} = this;
    const end = captures[slot + 1] as number;
    let at = captures[slot] as number;
    const isNegative = buffer[at] === 0x2d;
    if (isNegative) at++;
    let value = 0;
    for (; at < end; at++) value = value * 10 + (buffer[at] as number) - 0x30;
    return isNegative ? -value : value;
  }
}

interface OpenSegment {
  readonly pid: number;
  readonly writer: Writer;
  readonly namesake: OpenSegment | null;
  readonly afterEvents: number;
  count: number;
  firstStart: number;
  lastStart: number;
  lastEnd: number;
  longest: number;
  total: number;
  readonly byDuration: number[];
  status5xx: number;
  firstNumber: number;
  lastNumber: number;
  input: number;
  firstLine: number;
  firstText: string;
  lastLine: number;
  lastFrom: number;
  lastTo: number;
  lastText: string;
  /** Its last line lies in the bytes at hand and has not been copied yet. */
  isTouched: boolean;
}

function newSegment(pid: number, writer: Writer, afterEvents: number, namesake: OpenSegment | null): OpenSegment {
  return {
    pid,
    writer,
    namesake,
    afterEvents,
    count: 0,
    firstStart: 0,
    lastStart: 0,
    lastEnd: 0,
    longest: 0,
    total: 0,
    byDuration: new Array<number>(DURATION_BOUNDS.length + 1).fill(0),
    status5xx: 0,
    firstNumber: -1,
    lastNumber: -1,
    input: 0,
    firstLine: 0,
    firstText: '',
    lastLine: 0,
    lastFrom: 0,
    lastTo: 0,
    lastText: '',
    isTouched: false,
  };
}

function durationClass(milliseconds: number): number {
  let at = 0;
  while (at < DURATION_BOUNDS.length && milliseconds >= (DURATION_BOUNDS[at] as number)) at++;
  return at;
}

/** Text that was kept byte by byte. */
function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
