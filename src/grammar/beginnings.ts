import {type ByteSet, bytes, type Expr} from './expression.ts';

/** What a match can begin with. One that is not `whole` goes on with bytes that are not told. */
export interface Beginning {
  readonly sets: readonly ByteSet[];
  readonly whole: boolean;
}

/** Enough to tell three hundred messages apart; more only makes the dispatch larger. */
const LONGEST_BEGINNING = 16;
const MOST_BEGINNINGS = 16;

/** The set of each byte alone. */
const SINGLE: readonly ByteSet[] = Array.from({length: 256}, (_, single) => bytes((byte) => byte === single));

export function beginningsOf(expr: Expr): Beginning[] {
  switch (expr.is) {
    case 'byte':
      return [{sets: [expr.set], whole: true}];
    case 'text':
      return [{sets: [...expr.text].map((letter) => SINGLE[letter.charCodeAt(0)] as ByteSet), whole: true}];
    case 'seq':
      return expr.parts.reduce<Beginning[]>(
        (sofar, part) => {
          if (sofar.every(({whole}) => !whole)) return sofar;
          const next = beginningsOf(part);
          return capped(
            sofar.flatMap((before) =>
              before.whole ? next.map(({sets, whole}) => ({sets: [...before.sets, ...sets], whole})) : [before],
            ),
          );
        },
        [{sets: [], whole: true}],
      );
    case 'choice':
      return capped(expr.of.flatMap(beginningsOf));
    case 'opt':
      return [...beginningsOf(expr.body), {sets: [], whole: true}];
    case 'star':
      return [firstOf(beginningsOf(expr.body)), {sets: [], whole: true}];
    case 'field':
      return beginningsOf(expr.body);
    case 'not':
    case 'lookahead':
      return [{sets: [], whole: true}];
    default:
      return [{sets: [], whole: false}];
  }
}

/** What the first byte of every match is one of; null where a match may be empty or begin with anything. */
export function firstByteOf(expr: Expr): ByteSet | null {
  const [set] = firstOf(beginningsOf(expr)).sets;
  return set ?? null;
}

/** What they have in common: the first byte is one of theirs. */
function firstOf(all: readonly Beginning[]): Beginning {
  const firsts = all.flatMap(({sets}) => sets[0] ?? []);
  const isTold = firsts.length === all.length;
  return {sets: isTold ? [bytes((byte) => firsts.some((set) => set[byte] === 1))] : [], whole: false};
}

function capped(all: Beginning[]): Beginning[] {
  if (all.length > MOST_BEGINNINGS) return [firstOf(all)];
  return all.map(({sets, whole}) =>
    sets.length > LONGEST_BEGINNING ? {sets: sets.slice(0, LONGEST_BEGINNING), whole: false} : {sets, whole},
  );
}

/** How many bytes of nearly fixed text a message must begin with to be looked for inside a line. */
const FINDABLE = 4;
/** A digit or a letter in either case is nearly fixed; a whole class of characters is not. */
const MOST_SPANS = 3;

/** Whether a message can be looked for in the middle of a line: it cannot begin with just anything. */
export function isFindable(expr: Expr): boolean {
  return beginningsOf(expr).every(
    ({sets}) => sets.length >= FINDABLE && sets.slice(0, FINDABLE).every((set) => spansOf(set).length <= MOST_SPANS),
  );
}

export type Span = readonly [from: number, to: number];

/** The runs of bytes that a set consists of. */
export function spansOf(set: ByteSet): Span[] {
  const spans: Span[] = [];
  for (let byte = 0; byte < 256; byte++) {
    if (set[byte] !== 1) continue;
    const from = byte;
    while (set[byte + 1] === 1) byte++;
    spans.push([from, byte]);
  }
  return spans;
}
