import {firstByteOf} from './beginnings.ts';
import type {ByteSet, Expr} from './expression.ts';
import type {Matcher} from './matcher.ts';

/** Letters by how common they are in logs; everything else is rarer. */
const COMMON = ' etaoinsrldhcu0mpf1g:w-./2yb,_';
const RARITY = Uint8Array.from({length: 256}, (_, byte) => {
  const place = COMMON.indexOf(String.fromCharCode(byte));
  return place < 0 ? COMMON.length + 10 : place;
});
/** What applications write all the time as well: words to be found by only where a message has no other. */
const EVERYDAY =
  ' TRACE: DEBUG: INFO: NOTICE: WARNING: ERROR: CRITICAL: FATAL: TRACE DEBUG INFO NOTICE WARNING ERROR CRITICAL FATAL Error: Exception invalid unable failed cannot ' +
  'worker process thread request response reload restart started starting stopped server socket connection ' +
  'timeout signal python module import load file line call back trace log level with from this that have been ' +
  'for the and not was using found code user path config message received queue task execute lib/ ';

/** Texts shorter than this say nothing. */
const LEAST = 2;
/** More texts than this for one message are too many. */
const MOST = 200;
/** More than these, with each letter that may follow them, are not worth it. */
const MOST_FOLLOWED = 40;
/** How many bytes of a text are looked up. */
const KEY = 3;

/** Fixed texts, one for each way in which a line can be the message, of which every match has at least one. Null where there are none. */
export function textsOf(expr: Expr): string[] | null {
  const found: string[][] = [];
  /** What may stand directly in front of the next part. */
  let run = [''];
  const end = () => {
    if (run.every((text) => text.length >= LEAST)) found.push(run);
    run = [''];
  };
  for (const part of partsOf(expr)) {
    if (part.is === 'not') continue;
    const fixed = part.is === 'lookahead' ? null : fixedTexts(part);
    if (fixed !== null) {
      if (run.length * fixed.length > MOST) end();
      run = run.flatMap((before) => fixed.map((text) => before + text));
      continue;
    }
    // Words of everybody may become somebody's by what follows them.
    const following = lettersOf(firstByteOf(part));
    if (following.length > 0 && run.length * following.length <= MOST_FOLLOWED && run.some(isEveryday))
      run = run.flatMap((before) => following.map((letter) => before + letter));
    if (part.is !== 'lookahead') end();
    const inside = part.is === 'choice' ? ofEach(part.of, textsOf) : part.is === 'lookahead' ? textsOf(part.body) : null;
    if (inside !== null) found.push(inside);
  }
  end();
  const rarest = found.sort((a, b) => rarityOf(b) - rarityOf(a))[0];
  return rarest === undefined ? null : [...new Set(rarest)];
}

function partsOf(expr: Expr): Expr[] {
  if (expr.is === 'seq') return expr.parts.flatMap(partsOf);
  return expr.is === 'field' ? partsOf(expr.body) : [expr];
}

/** All that `expr` can match, if that is a few texts. */
function fixedTexts(expr: Expr): string[] | null {
  if (expr.is === 'text') return [expr.text];
  if (expr.is === 'field') return fixedTexts(expr.body);
  if (expr.is === 'choice') return ofEach(expr.of, fixedTexts);
  if (expr.is === 'seq') {
    const parts = expr.parts.map(fixedTexts);
    const isFixed = parts.every((texts) => texts !== null) && parts.reduce((count, {length}) => count * length, 1) <= MOST;
    return isFixed ? parts.reduce((all, texts) => all.flatMap((before) => texts.map((text) => before + text)), ['']) : null;
  }
  const first = expr.is === 'byte' ? expr.set.indexOf(1) : -1;
  return expr.is === 'byte' && first === expr.set.lastIndexOf(1) && first >= 0 ? [String.fromCharCode(first)] : null;
}

function lettersOf(set: ByteSet | null): string[] {
  return [...(set ?? [])].flatMap((has, byte) => (has === 1 ? [String.fromCharCode(byte)] : []));
}

function ofEach(alternatives: readonly Expr[], texts: (expr: Expr) => string[] | null): string[] | null {
  const each = alternatives.map(texts);
  return each.length > 0 && each.every((some) => some !== null) ? each.flat() : null;
}

/** Of several texts the most common one counts, and the more there are, the more likely a line has one. */
function rarityOf(texts: readonly string[]): number {
  const rarest = Math.min(...texts.map((text) => (text.length < KEY ? -1 : rarity(text))));
  return rarest - 4 * Math.log2(texts.length);
}

function isEveryday(text: string): boolean {
  return EVERYDAY.includes(text);
}

function rarity(text: string): number {
  if (isEveryday(text)) return 0;
  // A number or one more letter behind such words makes them little rarer.
  const counted = isEveryday(text.slice(0, -1)) ? text.slice(-1) : text;
  return [...counted].reduce((sum, letter) => sum + (RARITY[letter.charCodeAt(0)] as number), 0);
}

/** Where in a text its rarest bytes begin. */
function keyIn(bytes: Uint8Array): number {
  let rarest = 0;
  let best = -1;
  for (let at = 0; at <= bytes.length - KEY; at++) {
    let sum = 0;
    for (let next = at; next < at + KEY; next++) sum += RARITY[bytes[next] as number] as number;
    if (sum <= best) continue;
    best = sum;
    rarest = at;
  }
  return rarest;
}

/** How many slots of the table there are for each key: most bytes of a line end at an empty one. */
const ROOM = 8;
const SPREAD = 0x9e3779b1;
/** Tells a key of NUL bytes from an empty slot. */
const TAKEN = 1 << 24;

interface Entry {
  readonly key: number;
  readonly bytes: Uint8Array;
  /** Where in them the key begins. */
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
    for (const entry of [...masks].flatMap(entriesOf)) byKey.set(entry.key, [...(byKey.get(entry.key) ?? []), entry]);
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
    return found;
  }

  /** Whose whole texts stand where the key of slot `slot` begins at `at`. */
  private standing(buffer: Buffer, from: number, at: number, slot: number): number {
    let found = 0;
    for (const {bytes, offset, mask} of this.entries[slot] as readonly Entry[]) {
      const begin = at - offset;
      if (begin < from) continue;
      let next = 0;
      while (next < bytes.length && bytes[next] === buffer[begin + next]) next++;
      if (next < bytes.length) continue;
      found |= mask;
      if (begin > this.lastText) this.lastText = begin;
    }
    return found;
  }
}

/** A text by its key; one that is shorter than a key by every key that begins with it. */
function entriesOf([text, mask]: readonly [string, number]): Entry[] {
  const bytes = Buffer.from(text, 'latin1');
  const offset = keyIn(bytes);
  const begun = bytes.subarray(offset, offset + KEY).reduce((key, byte) => (key << 8) | byte, 0);
  if (bytes.length >= KEY) return [{key: begun, bytes, offset, mask}];
  return Array.from({length: 256}, (_, byte) => ({key: (begun << 8) | byte, bytes, offset, mask}));
}
