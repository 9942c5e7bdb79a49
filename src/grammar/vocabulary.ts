import type {Matcher, Sign} from './matcher.ts';
import {mayFollow} from './steps.ts';

/** How many bytes of a text are looked up. */
export const KEY = 3;

/** How many slots of the table there are for each key: most bytes of a line end at an empty one. */
const ROOM = 8;
const SPREAD = 0x9e3779b1;
/** The highest ten bits of a product choose a word of the filter, the next five a bit of it. */
const FILTER_SHIFT = 22;
const BIT_SHIFT = 17;
/** Tells a key of NUL bytes from an empty slot. */
const TAKEN = 1 << 24;

interface Entry {
  readonly sign: Sign;
  readonly mask: number;
}

/**
 * Tells by one look at the bytes of a line which of several matchers can find something in it. Most lines of an
 * application hold no text of any supervisor, and need not be shown to them.
 */
export class Vocabulary {
  /** A bit for the top bits of each key's product: 4 KB, which stay at hand. */
  private readonly filter = new Int32Array(1 << (32 - FILTER_SHIFT));
  private readonly keys: Int32Array;
  private readonly entries: (readonly Entry[])[];
  /** For each slot, what may stand directly in front of the key and behind it: a bit for each byte, 32 of them in turn. */
  private readonly before: Int32Array;
  private readonly after: Int32Array;
  /** What of a product is the number of a slot. */
  private readonly shift: number;
  /** Matchers that have to be asked about every line. */
  private readonly always: number;
  /** Where the last text of the line that was just looked at begins, or -1: no message begins behind it. */
  lastText = -1;

  /** At most 31 matchers; bit n of an answer stands for the nth. */
  constructor(matchers: readonly Matcher[]) {
    this.always = matchers.reduce((mask, {signs}, number) => (signs === null ? mask | (1 << number) : mask), 0);
    const byKey = new Map<number, Entry[]>();
    for (const [number, {signs}] of matchers.entries()) {
      for (const sign of signs ?? []) {
        const entry = {sign, mask: 1 << number};
        for (const key of keysOf(sign)) {
          const entries = byKey.get(key);
          if (entries === undefined) byKey.set(key, [entry]);
          else entries.push(entry);
        }
      }
    }
    const bits = Math.ceil(Math.log2(ROOM * (byKey.size + 1)));
    this.shift = 32 - bits;
    this.keys = new Int32Array(1 << bits);
    this.before = new Int32Array(1 << bits);
    this.after = new Int32Array(1 << bits);
    this.entries = new Array<readonly Entry[]>(1 << bits).fill([]);
    for (const [key, entries] of byKey) {
      const mixed = Math.imul(key, SPREAD);
      this.filter[mixed >>> FILTER_SHIFT] = (this.filter[mixed >>> FILTER_SHIFT] as number) | (1 << (mixed >>> BIT_SHIFT));
      let slot = Math.imul(key, SPREAD) >>> this.shift;
      while (this.keys[slot] !== 0) slot = (slot + 1) & (this.keys.length - 1);
      this.keys[slot] = key | TAKEN;
      this.entries[slot] = entries;
      for (const {
        sign: [text, offset],
      } of entries) {
        this.before[slot] = (this.before[slot] as number) | bitOf(text, offset - 1);
        this.after[slot] = (this.after[slot] as number) | bitOf(text, offset + KEY);
      }
    }
  }

  /** A bit for each matcher that may match, as a whole or anywhere, within the line from `from` to its LF at `to`. */
  speakers(buffer: Buffer, from: number, to: number): number {
    const {filter} = this;
    let found = this.always;
    let key = 0;
    this.lastText = -1;
    for (let at = from; at <= to; at++) {
      key = ((key << 8) | (buffer[at] as number)) & (TAKEN - 1);
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
    const slot = this.slotOf(key);
    if (slot < 0) return 0;
    const before = (this.before[slot] as number) >>> (buffer[at - 1] as number);
    const after = (this.after[slot] as number) >>> (buffer[at + KEY] as number);
    if ((before & after & 1) === 0) return 0;
    let found = 0;
    for (const {sign, mask} of this.entries[slot] as readonly Entry[]) {
      const begin = at - sign[1];
      if (begin < from || !stands(sign[0], buffer, begin) || !mayFollow(sign, buffer, begin + sign[0].length, to)) continue;
      found |= mask;
      if (begin > this.lastText) this.lastText = begin;
    }
    return found;
  }

  private slotOf(key: number): number {
    const {keys} = this;
    let slot = Math.imul(key, SPREAD) >>> this.shift;
    for (let other = keys[slot]; other !== 0; other = keys[slot]) {
      if (other === (key | TAKEN)) return slot;
      slot = (slot + 1) & (keys.length - 1);
    }
    return -1;
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

/** The key of a sign; for a text that is shorter, every key that begins with it. */
function keysOf([text, offset]: Sign): number[] {
  let key = 0;
  for (let at = offset; at < Math.min(text.length, offset + KEY); at++) key = (key << 8) | text.charCodeAt(at);
  return text.length >= KEY ? [key] : Array.from({length: 256}, (_, byte) => (key << 8) | byte);
}
