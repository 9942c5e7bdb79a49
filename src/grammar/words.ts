import type {Expr} from './expression.ts';
import type {Matcher} from './matcher.ts';

/** Letters by how common they are in logs; everything else is rarer. */
const COMMON = ' etaoinsrldhcu0mpf1g:w-./2yb,_';
/** What applications write all the time as well: words to be found by only where a message has no other. */
const EVERYDAY =
  ' TRACE: DEBUG: INFO: NOTICE: WARNING: ERROR: CRITICAL: FATAL: Error: Exception invalid unable failed cannot ' +
  'worker process thread request response reload restart started starting stopped server socket connection ' +
  'timeout signal python module import load file line call back trace log level with from this that have been ' +
  'for the and not was using found code user path config message received queue task execute lib/ ';

/** How many bytes a word has, if its text has as many. */
const LENGTH = 4;
const LEAST = 3;

/**
 * Four bytes of fixed text, or three, for each way in which a line can be the message: one of these words occurs in every
 * match. Each word is a number, its first byte the highest. Null where some match has no such word.
 */
export function wordsOf(expr: Expr): number[] | null {
  const texts = textsOf(expr);
  return texts === null ? null : [...new Set(texts.map(rarestWord))];
}

/** Texts of which every match contains at least one; null where there are none. */
function textsOf(expr: Expr): string[] | null {
  const found = runsOf(expr)
    .map((run) => {
      if (typeof run === 'string') return run.length >= LEAST ? [run] : null;
      if (run.is === 'lookahead') return textsOf(run.body);
      const each = run.is === 'choice' ? run.of.map(textsOf) : [];
      return each.length > 0 && each.every((texts) => texts !== null) ? each.flat() : null;
    })
    .filter((texts) => texts !== null);
  return found.sort((a, b) => rarityOf(b) - rarityOf(a))[0] ?? null;
}

/** The parts of a sequence, neighbouring fixed texts joined. */
function runsOf(expr: Expr): (string | Expr)[] {
  const runs: (string | Expr)[] = [];
  for (const part of partsOf(expr)) {
    const text = fixedText(part);
    const before = runs.at(-1);
    if (text !== null && typeof before === 'string') runs[runs.length - 1] = before + text;
    else runs.push(text ?? part);
  }
  return runs;
}

function partsOf(expr: Expr): Expr[] {
  if (expr.is === 'seq') return expr.parts.flatMap(partsOf);
  return expr.is === 'field' ? partsOf(expr.body) : [expr];
}

function fixedText(expr: Expr): string | null {
  if (expr.is === 'text') return expr.text;
  const first = expr.is === 'byte' ? expr.set.indexOf(1) : -1;
  return expr.is === 'byte' && first === expr.set.lastIndexOf(1) && first >= 0 ? String.fromCharCode(first) : null;
}

/** Of several texts the most common one counts, and each text more makes a line more likely to have one. */
function rarityOf(texts: readonly string[]): number {
  return Math.min(...texts.map((text) => rarity(wordIn(text)))) - 2 * texts.length;
}

function rarestWord(text: string): number {
  return [...wordIn(text)].reduce((word, letter) => (word << 8) | letter.charCodeAt(0), 0);
}

function wordIn(text: string): string {
  if (text.length < LENGTH) return text;
  const words = Array.from({length: text.length - LENGTH + 1}, (_, at) => text.slice(at, at + LENGTH));
  return words.reduce((rarest, word) => (rarity(word) > rarity(rarest) ? word : rarest));
}

function rarity(word: string): number {
  if (EVERYDAY.includes(word)) return 0;
  return [...word].reduce((sum, letter) => sum + (COMMON.includes(letter) ? COMMON.indexOf(letter) : COMMON.length + 10), 0);
}

function isShort(word: number): boolean {
  return word >>> 24 === 0;
}

/** A word of three bytes and whatever follows it, the line end included. */
function followed(word: number): number[] {
  return Array.from({length: 256}, (_, byte) => (word << 8) | byte);
}

/** How many slots of the table there are for each word: most bytes of a line end at an empty one. */
const ROOM = 8;
const SPREAD = 0x9e3779b1;

/**
 * Tells by one look at the bytes of a line which of several matchers can find something in it. Most lines of an
 * application hold no word of any supervisor, and need not be shown to them.
 */
export class Vocabulary {
  private readonly keys: Int32Array;
  private readonly masks: Int32Array;
  /** What of a product is the number of a slot. */
  private readonly shift: number;
  /** Matchers that have to be asked about every line. */
  private always = 0;

  /** At most 31 matchers; bit n of an answer stands for the nth. */
  constructor(matchers: readonly Matcher[]) {
    const count = matchers.flatMap(({words}) => words ?? []).reduce((sum, word) => sum + (isShort(word) ? 256 : 1), 1);
    const bits = Math.ceil(Math.log2(ROOM * count));
    this.keys = new Int32Array(1 << bits);
    this.masks = new Int32Array(1 << bits);
    this.shift = 32 - bits;
    for (const [number, {words}] of matchers.entries()) {
      if (words === null) this.always |= 1 << number;
      else for (const word of words) for (const whole of isShort(word) ? followed(word) : [word]) this.add(whole, 1 << number);
    }
  }

  /** A bit for each matcher that may match, as a whole or anywhere, within the line from `from` to its LF at `to`. */
  speakers(buffer: Buffer, from: number, to: number): number {
    const {keys, masks, shift} = this;
    const last = keys.length - 1;
    let found = this.always;
    let word = 0;
    for (let at = from; at <= to; at++) {
      word = (word << 8) | (buffer[at] as number);
      let slot = Math.imul(word, SPREAD) >>> shift;
      for (let key = keys[slot]; key !== 0; key = keys[slot]) {
        if (key === word) {
          found |= masks[slot] as number;
          break;
        }
        slot = (slot + 1) & last;
      }
    }
    return found;
  }

  private add(word: number, mask: number): void {
    const {keys} = this;
    let slot = Math.imul(word, SPREAD) >>> this.shift;
    while (keys[slot] !== 0 && keys[slot] !== word) slot = (slot + 1) & (keys.length - 1);
    keys[slot] = word;
    this.masks[slot] = (this.masks[slot] as number) | mask;
  }
}
