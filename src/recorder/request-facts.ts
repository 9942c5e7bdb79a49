import {CtimeReader} from '../envelope/ctime.ts';
import {fieldNumber, type Matcher} from '../grammar/matcher.ts';

/** Where in a record of {@link FACTS} numbers each fact of a request line stands. */
export const PID = 0;
/** When it began, in milliseconds on the clock of its line. */
export const START = 1;
/** Milliseconds. */
export const DURATION = 2;
export const NUMBER = 3;
/** 1 where the status was 500 or more. */
export const FAILED = 4;
/** Where its text begins and ends in the bytes. */
export const FROM = 5;
export const TO = 6;
export const FACTS = 7;

/** Reads the facts of the request line that a matcher has just matched. */
export interface RequestReader {
  /** Its times count from 1970, and have been brought to the clock of the log. */
  readonly isUtc: boolean;
  bind(buffer: Buffer): void;
  /** Writes what was matched at `from` into `facts` from `at` on. */
  read(facts: Float64Array, at: number, from: number): void;
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
    const isMicros = (this.captures[this.unit + 1] as number) - (this.captures[this.unit] as number) === 6;
    facts[at + DURATION] = isMicros ? this.integer(this.duration) / 1000 : this.integer(this.duration);
    facts[at + NUMBER] = this.integer(this.number);
    const isFailed = this.buffer[this.captures[this.status] as number] === 0x35 && this.integer(this.status) >= 500;
    facts[at + FAILED] = isFailed ? 1 : 0;
    facts[at + FROM] = from;
    facts[at + TO] = this.matcher.end();
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
