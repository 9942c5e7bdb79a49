import type {Matcher} from './matcher.ts';

/** Letters by how common they are in logs; everything else is rarer. */
const COMMON = ' etaoinsrldhcu0mpf1g:w-./2yb,_';
export const RARITY = Uint8Array.from({length: 256}, (_, byte) => {
  const place = COMMON.indexOf(String.fromCharCode(byte));
  return place < 0 ? COMMON.length + 10 : place;
});
/** How many bytes of a text are looked up. */
export const KEY = 3;

/** How many slots of the table there are for each key: most bytes of a line end at an empty one. */
const ROOM = 8;
const SPREAD = 0x9e3779b1;
/** Tells a key of NUL bytes from an empty slot. */
const TAKEN = 1 << 24;

interface Entry {
  /** A character for each byte. */
  readonly text: string;
  /** Where in it the key begins. */
  readonly offset: number;
  readonly mask: number;
}

/**
 * Tells by one look at the bytes of a line which of several matchers can find something in it. Most lines of an
 * application hold no text of any supervisor, and need not be shown to them.
 */
export class Vocabulary {
  private readonly keys: Int32Array;
  private readonly entries: (readonly Entry[])[];
  /** What of a product is the number of a slot. */
  private readonly shift: number;
  /** Matchers that have to be asked about every line. */
  private readonly always: number;
  /** Length of the longest text. */
  readonly longest: number;
  /** Where the last text of the line that was just looked at begins, or -1: no message begins behind it. */
  lastText = -1;

  /** At most 31 matchers; bit n of an answer stands for the nth. */
  constructor(matchers: readonly Matcher[]) {
    const masks = new Map<string, number>();
    for (const [number, {texts}] of matchers.entries())
      for (const text of texts ?? []) masks.set(text, (masks.get(text) ?? 0) | (1 << number));
    this.always = matchers.reduce((mask, {texts}, number) => (texts === null ? mask | (1 << number) : mask), 0);
    this.longest = Math.max(0, ...[...masks.keys()].map(({length}) => length));
    const byKey = new Map<number, Entry[]>();
    for (const [text, mask] of masks) {
      const offset = keyIn(text);
      for (const key of keysAt(text, offset)) {
        const entries = byKey.get(key);
        if (entries === undefined) byKey.set(key, [{text, offset, mask}]);
        else entries.push({text, offset, mask});
      }
    }
    const bits = Math.ceil(Math.log2(ROOM * (byKey.size + 1)));
    this.shift = 32 - bits;
    this.keys = new Int32Array(1 << bits);
    this.entries = new Array<readonly Entry[]>(1 << bits).fill([]);
    for (const [key, entries] of byKey) {
      let slot = Math.imul(key, SPREAD) >>> this.shift;
      while (this.keys[slot] !== 0) slot = (slot + 1) & (this.keys.length - 1);
      this.keys[slot] = key | TAKEN;
      this.entries[slot] = entries;
    }
  }

  /** A bit for each matcher that may match, as a whole or anywhere, within the line from `from` to its LF at `to`. */
  speakers(buffer: Buffer, from: number, to: number): number {
    const {keys, shift} = this;
    const last = keys.length - 1;
    let found = this.always;
    let key = TAKEN;
    this.lastText = -1;
    for (let at = from; at <= to; at++) {
      key = ((key << 8) | (buffer[at] as number) | TAKEN) & (2 * TAKEN - 1);
      let slot = Math.imul(key & (TAKEN - 1), SPREAD) >>> shift;
      for (let other = keys[slot]; other !== 0; other = keys[slot]) {
        if (other === key) {
          found |= this.standing(buffer, from, at + 1 - KEY, slot);
          break;
        }
        slot = (slot + 1) & last;
      }
    }
    // Messages of a matcher that needs no text may begin anywhere.
    if (this.always !== 0) this.lastText = to;
    return found;
  }

  /** Whose whole texts stand where the key of slot `slot` begins at `at`. */
  private standing(buffer: Buffer, from: number, at: number, slot: number): number {
    let found = 0;
    for (const {text, offset, mask} of this.entries[slot] as readonly Entry[]) {
      const begin = at - offset;
      if (begin < from) continue;
      let next = 0;
      while (next < text.length && text.charCodeAt(next) === buffer[begin + next]) next++;
      if (next < text.length) continue;
      found |= mask;
      if (begin > this.lastText) this.lastText = begin;
    }
    return found;
  }
}

/** Where in a text its rarest bytes begin. */
function keyIn(text: string): number {
  let rarest = 0;
  let best = -1;
  for (let at = 0; at <= text.length - KEY; at++) {
    let sum = 0;
    for (let next = at; next < at + KEY; next++) sum += RARITY[text.charCodeAt(next)] as number;
    if (sum <= best) continue;
    best = sum;
    rarest = at;
  }
  return rarest;
}

/** The key of a text; for one that is shorter, every key that begins with it. */
function keysAt(text: string, offset: number): number[] {
  let key = 0;
  for (let at = offset; at < Math.min(text.length, offset + KEY); at++) key = (key << 8) | text.charCodeAt(at);
  return text.length >= KEY ? [key] : Array.from({length: 256}, (_, byte) => (key << 8) | byte);
}
