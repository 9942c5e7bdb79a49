import {firstByteOf} from './beginnings.ts';
import type {ByteSet, Expr} from './expression.ts';
import {KEY, RARITY} from './vocabulary.ts';

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
