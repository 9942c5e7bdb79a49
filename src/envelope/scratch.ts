import {HEADROOM} from '../grammar/matcher.ts';

const LF = 10;
const SIZE = 256 * 1024;

/** A text that was put where matchers can read it: each line of it closed by LF. */
export interface Region {
  readonly buffer: Buffer;
  readonly from: number;
  readonly to: number;
}

/**
 * Where texts are put that do not stand in the log byte for byte: unescaped, decoded, joined. They are put one
 * behind the other, because what was matched in them may be looked at later.
 */
export class Scratch {
  private buffer: Buffer = Buffer.alloc(0);
  private used = 0;

  /** Whether `length` bytes fit behind what is there already. */
  fits(length: number): boolean {
    return this.used + length + 1 + HEADROOM <= this.buffer.length;
  }

  /** Everything put here so far is needed no more. */
  reuse(): void {
    this.used = 0;
  }

  put(text: string | Buffer): Region {
    const most = typeof text === 'string' ? 3 * text.length : text.length;
    if (!this.fits(most)) {
      this.buffer = Buffer.alloc(Math.max(SIZE, most + 1 + HEADROOM));
      this.used = 0;
    }
    const {buffer, used} = this;
    const length = typeof text === 'string' ? buffer.write(text, used) : text.copy(buffer, used);
    let to = used + length;
    if (length === 0 || buffer[to - 1] !== LF) buffer[to++] = LF;
    this.used = to;
    return {buffer, from: used, to};
  }
}
