import {HEADROOM} from '../grammar/matcher.ts';
import type {LineSink} from './sink.ts';

const LF = 10;
const CHUNK = 256 * 1024;
/** A line beyond this is handed on in pieces, so that memory does not grow with a line. */
const LONGEST_LINE = 1024 * 1024;

/** Cuts bytes into regions of whole lines, in one buffer that is allocated once. */
export class LineFeed {
  private readonly sink: LineSink;
  private readonly buffer = Buffer.alloc(LONGEST_LINE + CHUNK + 1 + HEADROOM);
  /** Bytes of the line that has begun and not ended yet. */
  private held = 0;

  constructor(sink: LineSink) {
    this.sink = sink;
  }

  /** Where the next bytes are to be written. */
  space(): {buffer: Buffer; offset: number; length: number} {
    return {buffer: this.buffer, offset: this.held, length: CHUNK};
  }

  /** The bytes that were written and not yet added. */
  peek(length: number): Buffer {
    return this.buffer.subarray(this.held, this.held + length);
  }

  /** `length` bytes have been written to {@link space}. */
  add(length: number): void {
    const {buffer, held} = this;
    const filled = held + length;
    const lastLf = buffer.subarray(held, filled).lastIndexOf(LF);
    if (lastLf < 0) {
      this.held = filled;
      if (filled >= LONGEST_LINE) this.handOn(filled, true);
      return;
    }
    const end = held + lastLf + 1;
    this.sink.lines(buffer, 0, end, false);
    buffer.copyWithin(0, end, filled);
    this.held = filled - end;
  }

  append(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += CHUNK) {
      const {buffer, offset} = this.space();
      this.add(bytes.copy(buffer, offset, at, Math.min(bytes.length, at + CHUNK)));
    }
  }

  /** The input has ended; a last line without a line end is a line. */
  finish(): void {
    if (this.held > 0) this.handOn(this.held, false);
  }

  private handOn(length: number, isContinued: boolean): void {
    this.held = 0;
    this.buffer[length] = LF;
    this.sink.lines(this.buffer, 0, length + 1, isContinued);
  }
}
