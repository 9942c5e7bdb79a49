import {CtimeReader} from '../envelope/ctime.ts';
import {fieldNumber, type Matcher} from '../grammar/matcher.ts';

/** Where in a record of {@link FACTS} numbers each fact of a request line stands. */
export const PID = 0;
/** When it began, in milliseconds on the clock of its line. */
export const START = 1;
/** Milliseconds. */
export const DURATION = 2;
export const NUMBER = 3;
/** 1 where the status was 500 to 599. */
export const FAILED = 4;
/** Where its text begins and ends in the bytes. */
export const FROM = 5;
export const TO = 6;
/** 1 where the line follows that of the facts before and has the same in front. 0 says nothing. */
export const ALIKE = 7;
export const FACTS = 8;

/** Reads the facts of the request line that a matcher has just matched. */
export interface RequestReader {
  /** Its times count from 1970, and have been brought to the clock of the log. */
  readonly isUtc: boolean;
  bind(buffer: Buffer): void;
  /** Writes what was matched at `from` into `facts` from `at` on. */
  read(facts: Float64Array, at: number, from: number): void;
}

/** In milliseconds, by the length of the unit's name: `msecs` or `micros`. */
export function durationOf(value: number, unitLength: number): number {
  return unitLength === 6 ? value / 1000 : value;
}

/** 1 for what HTTP counts as a failure of the server, otherwise 0. */
export function failureOf(status: number): number {
  return status >= 500 && status < 600 ? 1 : 0;
}

/** Reads from the captures of a request line the few numbers that are added up. */
export class RequestFacts implements RequestReader {
  readonly isUtc = false;
  private readonly matcher: Matcher;
  private readonly captures: Int32Array;
  private readonly pid: number;
  private readonly number: number;
  private readonly started: number;
  private readonly duration: number;
  private readonly unit: number;
  private readonly status: number;
  private readonly times = new CtimeReader();
  private buffer: Buffer = Buffer.alloc(0);

  constructor(matcher: Matcher) {
    this.matcher = matcher;
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

  /** Writes what the matcher has just matched at `from` into `facts` from `at` on. */
  read(facts: Float64Array, at: number, from: number): void {
    facts[at + PID] = this.integer(this.pid);
    facts[at + START] = this.times.read(
      this.buffer,
      this.captures[this.started] as number,
      this.captures[this.started + 1] as number,
    );
    const unitLength = (this.captures[this.unit + 1] as number) - (this.captures[this.unit] as number);
    facts[at + DURATION] = durationOf(this.integer(this.duration), unitLength);
    facts[at + NUMBER] = this.integer(this.number);
    facts[at + FAILED] = failureOf(this.integer(this.status));
    facts[at + FROM] = from;
    facts[at + TO] = this.matcher.end();
    facts[at + ALIKE] = 0;
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
