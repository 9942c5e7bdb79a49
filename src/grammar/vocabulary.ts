import type {Matcher, Sign} from './matcher.ts';
import {mayFollow} from './steps.ts';

/** How many bytes of a text are looked up; none is shorter. */
export const KEY = 3;

const SPREAD = 0x9e3779b1;
/** The highest bits of a product choose a word of the filter, the next five a bit of it. */
const FILTER_SHIFT = 20;
const BIT_SHIFT = FILTER_SHIFT - 5;
const KEYS = 1 << (8 * KEY);

interface Entry {
  readonly sign: Sign;
  readonly mask: number;
}

/** The signs that are looked up by the same bytes. */
interface Place {
  readonly entries: Entry[];
  /** What may stand directly in front of the bytes and behind them: a bit for each byte, 32 of them in turn. */
  before: number;
  after: number;
}

/**
 * Tells by one look at the bytes of a line which of several matchers can find something in it. Most lines of an
 * application hold no text of any supervisor, and need not be shown to them.
 */
export class Vocabulary {
  /** A bit for the top bits of each key's product: 16 KB, which stay at hand. Most bytes of a line end here. */
  private readonly filter = new Int32Array(1 << (32 - FILTER_SHIFT));
  private readonly places = new Map<number, Place>();
  /** Matchers that have to be asked about every line. */
  private readonly always: number;
  /** Where the last text of the line that was just looked at begins, or -1: no message begins behind it. */
  lastText = -1;

  /** At most 31 matchers; bit n of an answer stands for the nth. */
  constructor(matchers: readonly Matcher[]) {
    this.always = matchers.reduce((mask, {signs}, number) => (signs === null ? mask | (1 << number) : mask), 0);
    for (const [number, {signs}] of matchers.entries())
      for (const sign of signs ?? []) this.add(keyOf(sign), {sign, mask: 1 << number});
  }

  private add(key: number, entry: Entry): void {
    const {filter, places} = this;
    const [text, offset] = entry.sign;
    let place = places.get(key);
    if (place === undefined) {
      const mixed = Math.imul(key, SPREAD);
      filter[mixed >>> FILTER_SHIFT] = (filter[mixed >>> FILTER_SHIFT] as number) | (1 << (mixed >>> BIT_SHIFT));
      place = {entries: [], before: 0, after: 0};
      places.set(key, place);
    }
    place.entries.push(entry);
    place.before |= bitOf(text, offset - 1);
    place.after |= bitOf(text, offset + KEY);
  }

  /** A bit for each matcher that may match, as a whole or anywhere, within the line from `from` to its LF at `to`. */
  speakers(buffer: Buffer, from: number, to: number): number {
    const {filter} = this;
    let found = this.always;
    let key = 0;
    this.lastText = -1;
    for (let at = from; at <= to; at++) {
      key = ((key << 8) | (buffer[at] as number)) & (KEYS - 1);
      const mixed = Math.imul(key, SPREAD);
      if (((filter[mixed >>> FILTER_SHIFT] as number) >>> (mixed >>> BIT_SHIFT)) & 1)
        found |= this.standing(buffer, from, at + 1 - KEY, to, key);
    }
    // Messages of a matcher that needs no text may begin anywhere.
    if (this.always !== 0) this.lastText = to;
    return found;
  }

  /** Whose whole texts, with what has to follow them, stand where `key` begins at `at`. */
  private standing(buffer: Buffer, from: number, at: number, to: number, key: number): number {
    const place = this.places.get(key);
    if (place === undefined) return 0;
    const mayBe = (place.before >>> (buffer[at - 1] as number)) & (place.after >>> (buffer[at + KEY] as number));
    if ((mayBe & 1) === 0) return 0;
    let found = 0;
    for (const {sign, mask} of place.entries) {
      const begin = at - sign[1];
      if (begin < from || !stands(sign[0], buffer, begin) || !mayFollow(sign, buffer, begin + sign[0].length, to)) continue;
      found |= mask;
      if (begin > this.lastText) this.lastText = begin;
    }
    return found;
  }
}

function stands(text: string, buffer: Buffer, at: number): boolean {
  let next = 0;
  while (next < text.length && text.charCodeAt(next) === buffer[at + next]) next++;
  return next === text.length;
}

/** Stands for the byte at `place` in a text; where there is none, for any. */
function bitOf(text: string, place: number): number {
  return place < 0 || place >= text.length ? -1 : 1 << text.charCodeAt(place);
}

/** The bytes of a sign that it is looked up by. */
function keyOf([text, offset]: Sign): number {
  let key = 0;
  for (let at = offset; at < offset + KEY; at++) key = (key << 8) | text.charCodeAt(at);
  return key;
}
