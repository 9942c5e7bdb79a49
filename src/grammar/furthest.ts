import type {Grammar} from 'ohm-js';
import {type Beginning, beginningsOf, spansOf} from './beginnings.ts';
import {messagesOf} from './expression.ts';
import {kebabCase} from './matcher.ts';

/** The message of a grammar that gets furthest into a text which none of them matches. */
export interface Furthest {
  readonly message: string;
  /** Where it stops: an offset into the text. */
  readonly offset: number;
  /** What should stand there, in Ohm's words. */
  readonly expected: string;
  /** How many bytes of nearly fixed text at its beginning agree. */
  readonly agreement: number;
}

/** A text that agrees with the beginning of a message in less than this agrees by chance. */
const LEAST_AGREEMENT = 4;
/** A digit or a letter in either case is nearly fixed. */
const MOST_SPANS = 3;
/** What most envelopes begin with, in more forms than a beginning can tell. */
const STAMP = /^[[<@]?\d\d/;
const SHORTEST_STAMP = 8;

/** Asks Ohm how far the messages of one grammar get into a text that none of them matches. Slow: for single lines. */
export class FurthestFinder {
  private readonly grammar: Grammar;
  private readonly messages: readonly {readonly rule: string; readonly beginnings: readonly Beginning[]}[];

  constructor(grammar: Grammar) {
    this.grammar = grammar;
    this.messages = messagesOf(grammar).map(({rule, expr}) => ({rule, beginnings: beginningsOf(expr)}));
  }

  /**
   * The message that begins most like the text, and of several the one that gets furthest. Null where the text begins as
   * none of them does: a message that begins with just anything is not asked, for it would run to the end of every text.
   *
   * @param text one character per byte
   */
  find(text: string): Furthest | null {
    let best: Furthest | null = null;
    for (const {rule, beginnings} of this.messages) {
      const agreement = Math.max(...beginnings.map(({sets}) => agreed(sets, text)));
      const isOpen = beginnings.some(({sets}) => sets.length === 0);
      if (agreement < LEAST_AGREEMENT && !(isOpen && STAMP.test(text))) continue;
      const result = this.grammar.match(text, rule);
      if (!result.failed()) continue;
      const offset = result.getRightmostFailurePosition();
      if (agreement < LEAST_AGREEMENT && (offset < SHORTEST_STAMP || offset === text.length)) continue;
      const found = {message: kebabCase(rule), offset, expected: result.getExpectedText(), agreement};
      if (best === null || isCloser(found, best)) best = found;
    }
    return best;
  }
}

export function isCloser(a: Furthest, b: Furthest): boolean {
  return a.agreement > b.agreement || (a.agreement === b.agreement && a.offset > b.offset);
}

/** How many characters agree, if there is anything fixed among them. */
function agreed(sets: readonly Uint8Array[], text: string): number {
  let count = 0;
  for (const set of sets) {
    if (set[text.charCodeAt(count)] !== 1 || spansOf(set).length > MOST_SPANS) break;
    count++;
  }
  return sets.slice(0, count).some((set) => set.indexOf(1) === set.lastIndexOf(1)) ? count : 0;
}
