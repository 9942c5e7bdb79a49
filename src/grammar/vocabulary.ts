import type {Matcher} from './matcher.ts';
import {mayFollow, stands} from './steps.ts';
import {
  ALWAYS,
  BIT_SHIFT,
  ENTRY,
  FILTER,
  FILTER_SHIFT,
  imageOf,
  KEY,
  KEYS,
  SLOT,
  SLOT_SHIFT,
  SLOTS,
  SPREAD,
  type VocabularyImage,
  WORD,
} from './vocabulary-image.ts';

/**
 * Tells by one look at the bytes of a line which of several matchers can find something in it. Most lines of an
 * application hold no text of any supervisor, and need not be shown to them.
 */
export class Vocabulary {
  /** A bit for each matcher that has to be asked about every line. */
  readonly always: number;
  /** Where the last text of the line that was just looked at begins, or -1: no message begins behind it. */
  lastText = -1;
  private readonly image: VocabularyImage;
  private readonly bytes: Uint8Array;
  private readonly asked: number;

  /** At most 31 matchers; bit n of an answer stands for the nth. */
  static of(matchers: readonly Matcher[]): Vocabulary {
    return new Vocabulary(imageOf(matchers.map(({signs}) => signs)));
  }

  /** `asked`: a bit for each matcher that is to be told of; absent: for all. */
  constructor(image: VocabularyImage, asked = -1) {
    this.image = image;
    this.bytes = new Uint8Array(image.buffer);
    this.asked = asked;
    this.always = (image[ALWAYS / WORD] as number) & asked;
  }

  /** A bit for each matcher that may match, as a whole or anywhere, within the line from `from` to its LF at `to`. */
  speakers(buffer: Buffer, from: number, to: number): number {
    const {image, always} = this;
    let found = always;
    let key = 0;
    this.lastText = -1;
    for (let at = from; at <= to; at++) {
      key = (key >>> 8) | ((buffer[at] as number) << (8 * (KEY - 1)));
      const mixed = Math.imul(key, SPREAD);
      if (((image[FILTER / WORD + (mixed >>> FILTER_SHIFT)] as number) >>> (mixed >>> BIT_SHIFT)) & 1)
        found |= this.standing(buffer, from, at + 1 - KEY, to, key);
    }
    // Messages of a matcher that needs no text may begin anywhere.
    if (always !== 0) this.lastText = to;
    return found;
  }

  /** Whose whole texts, with what has to follow them, stand where `key` begins at `at`. */
  private standing(buffer: Buffer, from: number, at: number, to: number, key: number): number {
    const {image, bytes} = this;
    const slot = this.slotOf(key);
    const mayBe = (image[slot + 1] as number) >>> (buffer[at - 1] as number);
    if ((mayBe & ((image[slot + 2] as number) >>> (buffer[at + KEY] as number)) & 1) === 0) return 0;
    let entry = (image[slot + 3] as number) / WORD;
    const end = entry + ENTRY * ((image[slot] as number) >>> 24);
    let found = 0;
    for (; entry < end; entry += ENTRY) {
      const whose = (image[entry] as number) & this.asked;
      if (whose === 0) continue;
      const size = image[entry + 2] as number;
      const begin = at - (size >> 16);
      const length = size & 0xffff;
      if (begin < from || !stands(bytes, image[entry + 1] as number, length, buffer, begin)) continue;
      if (!mayFollow(image, bytes, image[entry + 3] as number, buffer, begin + length, to)) continue;
      found |= whose;
      if (begin > this.lastText) this.lastText = begin;
    }
    return found;
  }

  /** Where the words of the key stand, or a slot without any. */
  private slotOf(key: number): number {
    const {image} = this;
    const shift = image[SLOT_SHIFT / WORD] as number;
    let number = Math.imul(key, SPREAD) >>> shift;
    for (;;) {
      const slot = SLOTS / WORD + number * SLOT;
      const held = image[slot] as number;
      if (held === 0 || (held & (KEYS - 1)) === key) return slot;
      number = (number + 1) & ((1 << (32 - shift)) - 1);
    }
  }
}
