import {BETWEEN, type Sign, type Step} from './matcher.ts';

/** How many bytes of a text are looked up; none is shorter. */
export const KEY = 3;
export const KEYS = 1 << (8 * KEY);

/**
 * The signs of several matchers as words of 32 bits, which a build can make: thousands of objects would take as long as many a log. Addresses
 * count bytes from the beginning; there stand, in this order:
 *
 * - {@link ALWAYS}: a bit for each matcher that has to be asked about every line; and {@link SLOT_SHIFT};
 * - {@link PLAIN}: a set of bytes: those that nothing else becomes when a tool, an editor or a web page has had the line;
 * - {@link FILTER}: a bit for the highest bits of each key's product with {@link SPREAD}. Most bytes of a line end here;
 * - {@link SLOTS}: for each key its {@link SLOT} words: the key with the number of its entries above it; what may stand directly in front
 *   of it and behind it, a bit for each byte, 32 of them in turn; the address of its entries. A key stands where the highest bits of its
 *   product say, or in the next slot that was free;
 * - all else: entries ({@link ENTRY} words: the bits of the matchers, the address of the text, its length with the offset of the key in it above that,
 *   the address of the steps), steps (their number, then {@link STEP} words each: what it does, the address of its set or of its texts, the
 *   set of the bytes that these begin with), sets (a bit for each byte), lists of texts (their number, then address and length of each), texts.
 */
export type VocabularyImage = Int32Array;

/** As text, for a module of the build. */
export function imageToText({buffer}: VocabularyImage): string {
  return Buffer.from(buffer).toString('base64');
}

export function imageFromText(text: string): VocabularyImage {
  return new Int32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
}

export const SPREAD = 0x9e3779b1;
/** The highest bits of a product choose a word of the filter, the next five a bit of it. */
export const FILTER_SHIFT = 20;
export const BIT_SHIFT = FILTER_SHIFT - 5;
export const WORD = 4;
export const ALWAYS = 0;
export const SLOT_SHIFT = WORD;
export const PLAIN = 4 * WORD;
const SET = 8;
export const FILTER = PLAIN + SET * WORD;
export const SLOTS = FILTER + (1 << (32 - FILTER_SHIFT)) * WORD;
export const SLOT = 4;
export const ENTRY = 4;
export const STEP = 3;

/** What a step does. */
export const TEXTS = 0;
export const ONE = 1;
export const OPTIONAL = 2;
export const ANY = 3;
export const SOME = 4;
export const BEFORE = 5;
export const UP_TO = 6;
/** {@link BEFORE}, with nothing behind it that needs a byte: it may go to the end of the line. */
export const REST = 7;

const DOES: Readonly<Record<string, number>> = {
  '=': TEXTS,
  '1': ONE,
  '?': OPTIONAL,
  '*': ANY,
  '+': SOME,
  '>': BEFORE,
  '~': UP_TO,
};
const PLAIN_BYTES = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,.:;()]/_=>-|!@';

interface Entry {
  readonly sign: Sign;
  readonly mask: number;
}

/** Bit n stands for the signs of the nth matcher, at most 31 of them; null for those of one that can do without. */
export function imageOf(signsOfMatchers: readonly (readonly Sign[] | null)[]): VocabularyImage {
  const always = signsOfMatchers.reduce((mask, signs, number) => (signs === null ? mask | (1 << number) : mask), 0);
  const byKey = new Map<number, Entry[]>();
  for (const [number, signs] of signsOfMatchers.entries()) {
    for (const sign of signs ?? []) {
      const key = keyOf(sign);
      const entries = byKey.get(key);
      if (entries === undefined) byKey.set(key, [{sign, mask: 1 << number}]);
      else entries.push({sign, mask: 1 << number});
    }
  }
  const slotBits = 32 - Math.clz32(Math.max(2 * byKey.size - 1, 1));
  const rest = new Rest(SLOTS + (1 << slotBits) * SLOT * WORD);
  const head = new Int32Array(rest.begin / WORD);
  head[ALWAYS / WORD] = always;
  head[SLOT_SHIFT / WORD] = 32 - slotBits;
  head.set(setOf([...PLAIN_BYTES].flatMap((byte) => [byte, byte]).join('')), PLAIN / WORD);
  for (const [key, entries] of byKey) {
    const mixed = Math.imul(key, SPREAD);
    const word = FILTER / WORD + (mixed >>> FILTER_SHIFT);
    head[word] = (head[word] as number) | (1 << (mixed >>> BIT_SHIFT));
    let slot = mixed >>> (32 - slotBits);
    while (head[SLOTS / WORD + slot * SLOT] !== 0) slot = (slot + 1) & ((1 << slotBits) - 1);
    const before = entries.reduce((bits, {sign: [text, offset]}) => bits | bitOf(text, offset - 1), 0);
    const after = entries.reduce((bits, {sign: [text, offset]}) => bits | bitOf(text, offset + KEY), 0);
    const written = rest.words(entries.flatMap(({sign, mask}) => [mask, ...rest.entry(sign)]));
    head.set([key + entries.length * KEYS, before, after, written], SLOTS / WORD + slot * SLOT);
  }
  const image = new Int32Array(head.length + rest.content.length);
  image.set(head);
  image.set(rest.content, head.length);
  return image;
}

/** What stands behind the slots; the same thing once. */
class Rest {
  readonly begin: number;
  readonly content: number[] = [];
  private readonly places = new Map<string, number>();

  constructor(begin: number) {
    this.begin = begin;
  }

  /** Puts words at the end, and gives their address. */
  words(words: readonly number[]): number {
    const place = this.begin + this.content.length * WORD;
    this.content.push(...words);
    return place;
  }

  /** All of an entry but the bits. */
  entry([text, offset, ...steps]: Sign): number[] {
    const told = this.once(`behind ${steps.join(BETWEEN)}`, () => [
      steps.length,
      ...steps.flatMap((step, n) => this.step(step, steps.slice(n + 1))),
    ]);
    return [this.text(text), text.length | (offset << 16), told];
  }

  private step(step: Step, behind: readonly Step[]): number[] {
    const does = DOES[step[0] as string] as number;
    const inside = step.slice(1);
    if (does >= ONE && does <= SOME) return [does, this.set(inside), 0];
    const texts = inside.split(BETWEEN);
    const firsts = texts.includes('') ? '\0\xff' : texts.map((text) => `${text[0]}${text[0]}`).join('');
    const list = this.once(`texts ${inside}`, () => [texts.length, ...texts.flatMap((text) => [this.text(text), text.length])]);
    return [does === BEFORE && !behind.some(needsByte) ? REST : does, list, this.set(firsts)];
  }

  private set(members: string): number {
    return this.once(`set ${members}`, () => setOf(members));
  }

  private text(text: string): number {
    return this.once(`text ${text}`, () => {
      const bytes = Buffer.alloc(Math.ceil(text.length / WORD) * WORD);
      bytes.write(text, 'latin1');
      return Array.from({length: bytes.length / WORD}, (_, n) => bytes.readInt32LE(n * WORD));
    });
  }

  /** The address of what has that name. */
  private once(name: string, wordsOf: () => readonly number[]): number {
    const known = this.places.get(name);
    if (known !== undefined) return known;
    const place = this.words(wordsOf());
    this.places.set(name, place);
    return place;
  }
}

function needsByte(step: Step): boolean {
  return step[0] === '=' ? !step.endsWith(BETWEEN) : step[0] === '1' || step[0] === '+' || step[0] === '~';
}

/** A set by the first and the last byte of each of its runs. */
function setOf(members: string): number[] {
  const words = new Int32Array(SET);
  for (let place = 0; place < members.length; place += 2) {
    for (let byte = members.charCodeAt(place); byte <= members.charCodeAt(place + 1); byte++)
      words[byte >> 5] = (words[byte >> 5] as number) | (1 << byte);
  }
  return [...words];
}

/** Stands for the byte at `place` in a text; where there is none, for any. */
function bitOf(text: string, place: number): number {
  return place < 0 || place >= text.length ? -1 : 1 << text.charCodeAt(place);
}

/** The bytes of a sign that it is looked up by, the first lowest. */
function keyOf([text, offset]: Sign): number {
  let key = 0;
  for (let at = offset + KEY - 1; at >= offset; at--) key = (key << 8) | text.charCodeAt(at);
  return key;
}
