import type {SteadyClock} from '../envelope/steady.ts';
import {DURATION_BOUNDS, type LineRef, type RequestSegment} from '../timeline/event.ts';
import {WRITTEN_WITHIN_MS} from './clock.ts';
import {DURATION, FACTS, FAILED, FROM, NUMBER, PID, type RequestReader, START, TO} from './request-facts.ts';
import type {Writer} from './writer.ts';

/** A power of two, more than most servers have workers. */
const RECENT = 256;
const LOW_BITS = RECENT - 1;

/**
 * Adds up request lines, which are nearly all of a log: one flat record of numbers per live process of each writer, no
 * object and no string per line. A record is closed into a segment whenever an event names its process, so
 * that what was served before and after can be told apart.
 */
export class RequestLedger {
  readonly segments: RequestSegment[] = [];
  /** By input: the lines of all inputs before it. */
  readonly placesBefore: number[] = [];
  /** Requests so far, of all processes. */
  served = 0;
  /** What is added to times so that they are on the clock of the input. */
  shift = 0;
  /** When the last line was written, in milliseconds: its start plus its duration, to the second. */
  writtenFrom = Number.NEGATIVE_INFINITY;
  writtenTo = Number.NEGATIVE_INFINITY;

  /** By process id; further writers that use the same one follow as {@link OpenSegment.namesake}. */
  private readonly open = new Map<number, OpenSegment>();
  private steady: SteadyClock | null = null;
  /** The same for those that were last seen, by the low bits of their process id. */
  private readonly recent = new Array<OpenSegment | null>(RECENT).fill(null);
  /** Of the request line that was just matched. */
  private readonly facts = new Float64Array(FACTS);
  private buffer: Buffer = Buffer.alloc(0);
  private touched: OpenSegment[] = [];

  bind(buffer: Buffer): void {
    this.buffer = buffer;
  }

  /** Adds the request line that was just matched for `reader`, whose text begins at `from`. `line` has a fraction where a line holds several. */
  add(reader: RequestReader, writer: Writer, events: number, input: number, line: number, from: number): void {
    reader.read(this.facts, 0, from);
    this.addRun(writer, events, input, line, this.facts, 0, FACTS, 0);
  }

  /**
   * Adds the request lines whose facts stand in `facts` from `at` on, as long as one line follows the other in the bytes, with a `front` of
   * so many between them, and at most those in front of `to`. Gives where the facts of the next one stand.
   */
  addRun(
    writer: Writer,
    events: number,
    input: number,
    line: number,
    facts: Float64Array,
    at: number,
    to: number,
    front: number,
  ): number {
    let end = 0;
    let lineEnd: number;
    let next = at;
    let number = line;
    do {
      const pid = facts[next + PID] as number;
      let segment = this.recent[pid & LOW_BITS] as OpenSegment | null;
      if (segment === null || segment.pid !== pid || segment.writer !== writer) {
        segment = this.find(pid, writer) ?? this.begin(pid, writer, events);
        this.recent[pid & LOW_BITS] = segment;
      }
      const own = facts[next + START] as number;
      const duration = facts[next + DURATION] as number;
      const start = own + this.shiftAt(own + duration);
      end = start + duration;
      lineEnd = facts[next + TO] as number;
      if (segment.count === 0)
        this.first(segment, start, facts[next + NUMBER] as number, input, number, facts[next + FROM] as number, lineEnd);
      segment.count++;
      segment.untilEvents = events;
      segment.lastStart = start;
      segment.lastNumber = facts[next + NUMBER] as number;
      segment.lastLine = number;
      segment.input = input;
      segment.lastFrom = facts[next + FROM] as number;
      segment.lastTo = lineEnd;
      if (end > segment.lastEnd) segment.lastEnd = end;
      if (duration > segment.longest) segment.longest = duration;
      segment.total += duration;
      segment.byDuration[durationClass(duration)]!++;
      segment.status5xx += facts[next + FAILED] as number;
      if (!segment.isTouched) {
        segment.isTouched = true;
        this.touched.push(segment);
      }
      next += FACTS;
      number++;
    } while (next < to && facts[next + FROM] === lineEnd + 1 + front);
    this.served += number - line;
    this.writtenFrom = end;
    this.writtenTo = end + WRITTEN_WITHIN_MS;
    return next;
  }

  private first(
    segment: OpenSegment,
    start: number,
    number: number,
    input: number,
    line: number,
    from: number,
    to: number,
  ): void {
    segment.firstStart = start;
    segment.firstNumber = number;
    segment.firstInput = input;
    segment.firstLine = line;
    segment.firstText = this.buffer.toString('latin1', from, to);
  }

  /** Another log begins. `steady`: for stamps of a zone that somebody named. */
  beginLog(steady: SteadyClock | null): void {
    this.shift = 0;
    this.steady = steady;
  }

  /** The same as {@link ended}, on the clock of the input but for a {@link shift}. */
  endedOnClock(reader: RequestReader): number {
    const ended = this.ended(reader);
    return this.steady === null ? ended : this.steady.at(ended);
  }

  /** A clock that is off by whole hours is in another zone than the input's, of whose changes nothing is known. */
  private shiftAt(written: number): number {
    return this.steady === null || this.shift !== 0 ? this.shift : this.steady.at(written) - written;
  }

  /** When the request line that was just matched was written, as its own clock has it. */
  ended(reader: RequestReader): number {
    reader.read(this.facts, 0, 0);
    return (this.facts[START] as number) + (this.facts[DURATION] as number);
  }

  /** An event names the process: what it serves from now on is another segment. */
  cut(pid: number): void {
    const segment = this.open.get(pid);
    if (segment === undefined) return;
    this.open.delete(pid);
    this.recent[pid & LOW_BITS] = null;
    this.close(segment);
  }

  cutAll(): void {
    for (const segment of this.open.values()) this.close(segment);
    this.open.clear();
    this.recent.fill(null);
  }

  /** From segment `from` on, lines came in the wrong order. `turned` gives the place of a line, and a number of events, in the right one. */
  turnRound(from: number, turned: {readonly place: (place: number) => number; readonly count: (events: number) => number}): void {
    const {segments} = this;
    for (let n = from; n < segments.length; n++) {
      const segment = segments[n] as RequestSegment;
      segments[n] = {
        ...segment,
        afterEvents: turned.count(segment.untilEvents),
        untilEvents: turned.count(segment.afterEvents),
        firstStart: segment.lastStart,
        lastStart: segment.firstStart,
        firstNumber: segment.lastNumber,
        lastNumber: segment.firstNumber,
        first: {...segment.last, place: turned.place(segment.last.place)},
        last: {...segment.first, place: turned.place(segment.first.place)},
      };
    }
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

  /** All segments, as if those that are open were closed now. */
  soFar(): RequestSegment[] {
    const open: OpenSegment[] = [];
    for (const first of this.open.values())
      for (let segment: OpenSegment | null = first; segment !== null; segment = segment.namesake) open.push(segment);
    return [...this.segments, ...open.map((segment) => this.closed(segment))];
  }

  private close(segment: OpenSegment): void {
    if (segment.namesake !== null) this.close(segment.namesake);
    this.keepText(segment);
    this.segments.push(this.closed(segment));
  }

  private closed(segment: OpenSegment): RequestSegment {
    const {
      pid,
      writer,
      afterEvents,
      untilEvents,
      count,
      firstStart,
      lastStart,
      lastEnd,
      longest,
      total,
      byDuration,
      status5xx,
      input,
    } = segment;
    const {firstNumber, lastNumber, firstInput, firstLine, firstText, lastLine, lastText} = segment;
    return {
      pid,
      ...writer,
      afterEvents,
      untilEvents,
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
      first: this.refer(firstInput, firstLine, firstText),
      last: this.refer(input, lastLine, lastText),
    };
  }

  private refer(input: number, line: number, latin1: string): LineRef {
    return {
      input,
      line: Math.floor(line),
      place: (this.placesBefore[input] ?? 0) + line,
      text: Buffer.from(latin1, 'latin1').toString('utf8'),
    };
  }

  private keepText(segment: OpenSegment): void {
    if (!segment.isTouched) return;
    segment.isTouched = false;
    segment.lastText = this.buffer.toString('latin1', segment.lastFrom, segment.lastTo);
  }
}

interface OpenSegment {
  readonly pid: number;
  readonly writer: Writer;
  readonly namesake: OpenSegment | null;
  readonly afterEvents: number;
  untilEvents: number;
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
  firstInput: number;
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
    untilEvents: afterEvents,
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
    firstInput: 0,
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
