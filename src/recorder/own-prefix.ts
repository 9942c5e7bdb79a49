import {isAlike} from '../envelope/front.ts';
import {BLANK, BRACKET} from './text.ts';

/** Bytes. */
const LONGEST = 64;
const SHORTEST = 4;
const DASH = 0x2d;
const CLOSING_BRACKET = 0x5d;

/**
 * What uWSGI puts in front of its own lines where log-date or log-prefix is a format that tells no known time
 * (`log-prefix = app` gives `app - `, `log-encoder = prefix [app]` gives `[app]`). It is learned from a line that holds a message behind it.
 */
export class OwnPrefix {
  private bytes: Buffer = Buffer.alloc(0);

  /** A message stands at `to`; what is in front of it begins at `from`. Gives whether that is a prefix, and a new one. */
  learn(buffer: Buffer, from: number, to: number): boolean {
    if (to - from < SHORTEST || to - from > LONGEST || this.end(buffer, from) === to) return false;
    if (!isLogPrefix(buffer, to) && !isEncoders(buffer, from, to)) return false;
    this.bytes = Buffer.from(buffer.subarray(from, to));
    return true;
  }

  /** Where the text behind the prefix begins, or -1. It is the same but for its digits, which may be a time. */
  end(buffer: Buffer, at: number): number {
    const {length} = this.bytes;
    return length > 0 && isAlike(buffer, at, this.bytes, 0, length) ? at + length : -1;
  }
}

/** log-prefix and log-date end in ` - `. */
function isLogPrefix(buffer: Buffer, to: number): boolean {
  return buffer[to - 3] === BLANK && buffer[to - 2] === DASH && buffer[to - 1] === BLANK;
}

/** log-encoder puts nothing of its own behind what it is told: one word in brackets is a prefix. */
function isEncoders(buffer: Buffer, from: number, to: number): boolean {
  const end = buffer[to - 1] === BLANK ? to - 1 : to;
  if (buffer[from] !== BRACKET || buffer[end - 1] !== CLOSING_BRACKET) return false;
  const word = buffer.subarray(from + 1, end - 1);
  return word.length > 0 && !word.includes(BLANK) && !word.includes(BRACKET) && !word.includes(CLOSING_BRACKET);
}
