import type {Span, State} from './life.ts';

/** A stretch of time with the states that are possible in it: one where it is certain. Milliseconds. */
export interface Piece {
  readonly from: number;
  readonly to: number;
  readonly states: readonly State[];
}

/** Cuts a life where what is possible changes. The pieces fill `from` to `to` without gaps. */
export function piecesOf(spans: readonly Span[], from: number, to: number): readonly Piece[] {
  const cuts = new Set([from, to]);
  for (const {to: end} of spans) {
    for (const at of [end.earliest, end.latest]) if (at !== null && at > from && at < to) cuts.add(at);
  }
  const points = [...cuts].sort((a, b) => a - b);
  const pieces: Piece[] = [];
  let first = 0;
  for (let n = 0; n + 1 < points.length; n++) {
    const [start, end] = [points[n] as number, points[n + 1] as number];
    while (first < spans.length && latest(spans[first]) < end) first++;
    const states = new Set<State>();
    for (let i = first; i < spans.length && earliest(spans[i]) <= start; i++) {
      const span = spans[i] as Span;
      // What is over before it can begin takes no time.
      if (latest(span) >= end && latest(span) > earliest(span)) states.add(span.state);
    }
    const last = pieces.at(-1);
    const possible = states.size === 0 ? ['unknown' as const] : [...states];
    if (last !== undefined && same(last.states, possible)) pieces[pieces.length - 1] = {...last, to: end};
    else pieces.push({from: start, to: end, states: possible});
  }
  return pieces;
}

function earliest(span: Span | undefined): number {
  return span?.from.earliest ?? Number.NEGATIVE_INFINITY;
}

function latest(span: Span | undefined): number {
  return span?.to.latest ?? Number.POSITIVE_INFINITY;
}

function same(a: readonly State[], b: readonly State[]): boolean {
  return a.length === b.length && a.every((state) => b.includes(state));
}
