import {HEADROOM} from '../grammar/matcher.ts';
import type {LineSink} from './sink.ts';

const LF = 10;

export interface LineFeedLimits {
  /** How many bytes are taken in at once. */
  readonly chunk: number;
  /** A line beyond this is handed on in pieces, so that memory does not grow with a line. */
  readonly longestLine: number;
}

const LIMITS: LineFeedLimits = {chunk: 256 * 1024, longestLine: 1024 * 1024};

/** Cuts bytes into regions of whole lines, in one buffer that is allocated once. */
export class LineFeed {
  private readonly sink: LineSink;
  private readonly limits: LineFeedLimits;
  private readonly buffer: Buffer;
  /** Bytes of the line that has begun and not ended yet. */
  private held = 0;
  /** A piece of a line was handed on, and its end was not. */
  private isInside = false;
  /** The last line of the input that was finished, where it had no line end. */
  cutLine: Buffer | null = null;

  constructor(sink: LineSink, limits: LineFeedLimits = LIMITS) {
    this.sink = sink;
    this.limits = limits;
    this.buffer = Buffer.alloc(Math.max(limits.longestLine, limits.chunk) + limits.chunk + 1 + HEADROOM);
  }

  /** Where the next bytes are to be written. */
  space(): {buffer: Buffer; offset: number; length: number} {
    return {buffer: this.buffer, offset: this.held, length: this.limits.chunk};
  }

  /** `length` bytes have been written to {@link space}. */
  add(length: number): void {
    const {buffer, held} = this;
    this.cutLine = null;
    const filled = held + length;
    const lastLf = buffer.subarray(held, filled).lastIndexOf(LF);
    if (lastLf < 0) {
      this.held = filled;
      if (filled >= this.limits.longestLine) this.handOn(filled, true);
      return;
    }
    const end = held + lastLf + 1;
    this.isInside = false;
    this.sink.lines(buffer, 0, end, false);
    buffer.copyWithin(0, end, filled);
    this.held = filled - end;
  }

  /** Bytes from elsewhere, however many. */
  append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const {buffer, offset, length} = this.space();
      const part = bytes.subarray(at, at + length);
      buffer.set(part, offset);
      this.add(part.length);
      at += part.length;
    }
  }

  /** The input has ended; a last line without a line end is a line. */
  finish(): void {
    if (this.held === 0 && !this.isInside) return;
    this.cutLine = this.isInside ? null : Buffer.from(this.buffer.subarray(0, this.held));
    this.handOn(this.held, false);
  }

  private handOn(length: number, isContinued: boolean): void {
    this.held = 0;
    this.isInside = isContinued;
    this.buffer[length] = LF;
    this.sink.lines(this.buffer, 0, length + 1, isContinued);
  }
}
