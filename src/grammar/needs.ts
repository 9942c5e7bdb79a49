import {type Span, spansOf} from './beginnings.ts';
import type {Expr} from './expression.ts';

/** Bits of one number. */
const MOST_MARKS = 31;
/** Letters stand in most lines and tell nothing. */
const isSign = (byte: number) => !/[0-9A-Za-z]/.test(String.fromCharCode(byte));
const TAB = 9;
const FIRST_SIGN = 0x21;
const LAST_SIGN = 0x7e;
const DIGITS: Span = [0x30, 0x39];
/** What a line may be without: a digit, a tab, each sign of its own. */
const MARKS: readonly Span[] = [
  DIGITS,
  [TAB, TAB],
  ...Array.from({length: LAST_SIGN - FIRST_SIGN + 1}, (_, n) => FIRST_SIGN + n)
    .filter(isSign)
    .map((byte): Span => [byte, byte]),
];

/** What lines must hold for messages to begin in them. */
export interface Needs {
  /** By byte: the bit of the mark that it is of. */
  readonly marks: ReadonlyMap<number, number>;
  /** By message: the bits of the marks that no match is without. */
  readonly ofMessages: readonly number[];
}

/** Of the marks that no match is without, those that tell most messages. */
export function needsOf(messages: readonly Expr[]): Needs {
  const needed = messages.map((expr) => marksIn(expr));
  const uses = MARKS.map((_, mark) => needed.filter((marks) => marks.has(mark)).length);
  const chosen = [...MARKS.keys()]
    .filter((mark) => uses[mark] !== 0)
    .sort((a, b) => (uses[b] as number) - (uses[a] as number))
    .slice(0, MOST_MARKS);
  return {
    marks: new Map(chosen.flatMap((mark, bit) => bytesOf(mark).map((byte) => [byte, 1 << bit]))),
    ofMessages: needed.map((marks) => chosen.reduce((sum, mark, bit) => (marks.has(mark) ? sum | (1 << bit) : sum), 0)),
  };
}

/** The marks of which every match has a byte, or the line behind it. */
function marksIn(expr: Expr): ReadonlySet<number> {
  switch (expr.is) {
    case 'byte':
      return marksOf(spansOf(expr.set));
    case 'text':
      return new Set([...Buffer.from(expr.text, 'latin1')].flatMap((byte) => [...marksOf([[byte, byte]])]));
    case 'seq':
      return new Set(expr.parts.flatMap((part) => [...marksIn(part)]));
    case 'choice': {
      const [first = new Set<number>(), ...others] = expr.of.map(marksIn);
      return new Set([...first].filter((mark) => others.every((marks) => marks.has(mark))));
    }
    case 'field':
    case 'lookahead':
      return marksIn(expr.body);
    default:
      return new Set();
  }
}

/** The marks that all of these bytes belong to. */
function marksOf(spans: readonly Span[]): ReadonlySet<number> {
  const isWithin = ([first, last]: Span) => spans.every((span) => span[0] >= first && span[1] <= last);
  return new Set([...MARKS.keys()].filter((mark) => isWithin(MARKS[mark] as Span)));
}

function bytesOf(mark: number): number[] {
  const [first, last] = MARKS[mark] as Span;
  return Array.from({length: last - first + 1}, (_, n) => first + n);
}
