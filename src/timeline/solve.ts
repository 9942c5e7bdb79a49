import type {LogEvent} from './event.ts';
import type {Instant} from './time.ts';

/** `after` came at least `min` and at most `max` milliseconds after `before`; null: no limit. */
export interface Constraint {
  readonly before: LogEvent;
  readonly after: LogEvent;
  readonly min: number;
  readonly max: number | null;
  /** What says so, as a fragment: "worker-reload-mercy and one round of the master". */
  readonly because: string;
}

interface Solution {
  /** The narrowed bounds, in the order of the events. */
  readonly instants: readonly Instant[];
  /** Constraints that contradict what is known otherwise. They were set aside. */
  readonly disagreements: readonly Constraint[];
}

/** Bounds travel along chains of constraints; longer chains than this do not occur in a log. */
const MOST_ROUNDS = 8;

/**
 * Narrows the bounds of all events by a system of difference constraints: each event of one log comes not
 * before the one above it (`logOf` tells which inputs are parts of one), and whatever `constraints` say besides. What contradicts is left out and named:
 * a bound never becomes empty, and a stamp is never overruled. Takes a few passes over events and constraints.
 */
export function solve(
  events: readonly LogEvent[],
  constraints: readonly Constraint[],
  logOf: (input: number) => number = (input) => input,
): Solution {
  const earliest = Float64Array.from(events, ({at}) => at.earliest ?? Number.NEGATIVE_INFINITY);
  const latest = Float64Array.from(events, ({at}) => at.latest ?? Number.POSITIVE_INFINITY);
  const indexOf = new Map(events.map((event, n) => [event, n]));
  const edges = constraints.flatMap((constraint): Edge[] => {
    const [before, after] = [indexOf.get(constraint.before), indexOf.get(constraint.after)];
    return before === undefined || after === undefined
      ? []
      : [{before, after, min: constraint.min, max: constraint.max ?? Number.POSITIVE_INFINITY, constraint}];
  });
  const disagreements = new Set<Constraint>();
  const above = eventsAbove(events, logOf);

  for (let round = 0, changed = true; changed && round < MOST_ROUNDS; round++) {
    changed = keepOrder();
    for (const {before, after, min, max, constraint} of edges) {
      if (disagreements.has(constraint)) continue;
      const bounds = {
        beforeEarliest: Math.max(earliest[before] as number, (earliest[after] as number) - max),
        beforeLatest: Math.min(latest[before] as number, (latest[after] as number) - min),
        afterEarliest: Math.max(earliest[after] as number, (earliest[before] as number) + min),
        afterLatest: Math.min(latest[after] as number, (latest[before] as number) + max),
      };
      if (bounds.beforeEarliest > bounds.beforeLatest || bounds.afterEarliest > bounds.afterLatest) {
        disagreements.add(constraint);
        continue;
      }
      changed = narrow(before, bounds.beforeEarliest, bounds.beforeLatest) || changed;
      changed = narrow(after, bounds.afterEarliest, bounds.afterLatest) || changed;
    }
  }
  const instants = events.map(({at}, n): Instant => {
    const narrowed = {earliest: finite(earliest[n] as number), latest: finite(latest[n] as number)};
    return narrowed.earliest === at.earliest && narrowed.latest === at.latest ? at : narrowed;
  });
  return {instants, disagreements: [...disagreements]};

  /** Lines are appended to one file. Where its clock steps back, nothing is passed on. */
  function keepOrder(): boolean {
    let changed = false;
    for (let n = 0; n < events.length; n++) {
      const before = above[n] as number;
      if (before < 0 || (earliest[before] as number) > (latest[n] as number)) continue;
      changed = narrow(n, earliest[before] as number, latest[n] as number) || changed;
    }
    for (let n = events.length - 1; n >= 0; n--) {
      const before = above[n] as number;
      if (before < 0 || (latest[n] as number) < (earliest[before] as number)) continue;
      changed = narrow(before, earliest[before] as number, latest[n] as number) || changed;
    }
    return changed;
  }

  function narrow(event: number, from: number, to: number): boolean {
    if (from <= (earliest[event] as number) && to >= (latest[event] as number)) return false;
    earliest[event] = Math.max(earliest[event] as number, from);
    latest[event] = Math.min(latest[event] as number, to);
    return true;
  }
}

/** For each event the one above it in the same log; -1 where there is none. */
function eventsAbove(events: readonly LogEvent[], logOf: (input: number) => number): Int32Array {
  const last = new Map<number, number>();
  return Int32Array.from(events, ({input}, n) => {
    const log = logOf(input);
    const above = last.get(log) ?? -1;
    last.set(log, n);
    return above;
  });
}

interface Edge {
  readonly before: number;
  readonly after: number;
  readonly min: number;
  readonly max: number;
  readonly constraint: Constraint;
}

function finite(time: number): number | null {
  return Number.isFinite(time) ? time : null;
}
