import {isAlike} from '../envelope/front.ts';
import {BLANK, BRACKET} from './text.ts';

/** Bytes. */
const LONGEST = 64;
const SHORTEST = 4;
/** Servers that share a log may each have one. */
const MOST = 8;
/** A number that is no part of a name: of a time, most likely. */
const LONE_NUMBER = /(?<![A-Za-z][-_]?\d*)\d+/g;
const DASH = 0x2d;
const CLOSING_BRACKET = 0x5d;

/**
 * What uWSGI puts in front of its own lines where log-date or log-prefix is a format that tells no known time
 * (`log-prefix = app` gives `app - `, `log-encoder = prefix [app]` gives `[app]`). It is learned from a line that holds a message behind it.
 */
export class OwnPrefix {
  private readonly known: Buffer[] = [];

  /** A message stands at `to`; what is in front of it begins at `from`. Gives whether that is a prefix, and a new one. */
  learn(buffer: Buffer, from: number, to: number): boolean {
    if (to - from < SHORTEST || to - from > LONGEST || this.end(buffer, from) === to) return false;
    if (!isLogPrefix(buffer, to) && !isEncoders(buffer, from, to)) return false;
    this.known.unshift(Buffer.from(buffer.subarray(from, to)));
    if (this.known.length > MOST) this.known.pop();
    return true;
  }

  /** Where the text behind the prefix begins, or -1. It is the same but for its digits, which may be a time. */
  end(buffer: Buffer, at: number): number {
    let longest = 0;
    for (const bytes of this.known) {
      const {length} = bytes;
      if (length > longest && isAlike(buffer, at, bytes, 0, length)) longest = length;
    }
    return longest === 0 ? -1 : at + longest;
  }
}

/** The prefix as a mark of who writes it: without the numbers that change with the time. */
export function markOf(buffer: Buffer, from: number, to: number): string {
  return buffer.toString('latin1', from, to).replace(LONE_NUMBER, '0');
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
