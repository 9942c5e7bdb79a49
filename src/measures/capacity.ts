import {greatest} from '../extremes.ts';
import type {Duration, Instant} from '../timeline/time.ts';
import type {Piece} from './piece.ts';

/** How many workers can serve in a stretch of time: at least and at most. */
export interface Capacity {
  readonly from: number;
  readonly to: number;
  readonly min: number;
  readonly max: number;
}

/** A time in which nobody served, or may not have. */
export interface Outage {
  readonly from: Instant;
  /** Open where it lasts beyond the picture. */
  readonly to: Instant;
  readonly duration: Duration;
  /** It is certain that there was a moment without anybody. */
  readonly isCertain: boolean;
}

/** Adds up the lives of all places. */
export function capacityOf(lives: readonly (readonly Piece[])[]): readonly Capacity[] {
  const changes = new Map<number, {min: number; max: number}>();
  const change = (at: number, min: number, max: number) => {
    const known = changes.get(at) ?? {min: 0, max: 0};
    changes.set(at, {min: known.min + min, max: known.max + max});
  };
  for (const {from, to, states} of lives.flat()) {
    const max = states.includes('serving') ? 1 : 0;
    const min = states.length === 1 ? max : 0;
    change(from, min, max);
    change(to, -min, -max);
  }
  const steps: Capacity[] = [];
  let [min, max] = [0, 0];
  let from: number | null = null;
  for (const [at, by] of [...changes].sort(([a], [b]) => a - b)) {
    if (by.min === 0 && by.max === 0) {
      from ??= at;
      continue;
    }
    if (from !== null && at > from) steps.push({from, to: at, min, max});
    from = at;
    min += by.min;
    max += by.max;
  }
  const end = greatest(lives.flatMap((life) => life.at(-1)?.to ?? []));
  if (from !== null && end > from) steps.push({from, to: end, min, max});
  return steps;
}

/** Runs of steps in which it may be that nobody can serve. */
export function emptyRuns(steps: readonly Capacity[]): readonly (readonly Capacity[])[] {
  const runs: Capacity[][] = [];
  let run: Capacity[] = [];
  for (const step of steps) {
    if (step.min === 0) run.push(step);
    else if (run.length > 0) {
      runs.push(run);
      run = [];
    }
  }
  return run.length === 0 ? runs : [...runs, run];
}

/**
 * The times without a worker that can serve. At the very beginning nobody has served yet, and a doubt there proves nothing.
 */
export function outagesOf(steps: readonly Capacity[]): readonly Outage[] {
  return emptyRuns(steps).flatMap((run) => {
    const [isFirst, isLast] = [run[0] === steps[0], run.at(-1) === steps.at(-1)];
    if (isFirst && run[0]?.max === 0) return [];
    const outage = outageIn(run, {before: isFirst, after: isLast});
    return outage !== null && (!isFirst || outage.isCertain) ? [outage] : [];
  });
}

function outageIn(steps: readonly Capacity[], isOpen: {readonly before: boolean; readonly after: boolean}): Outage | null {
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined) return null;
  const certain = steps.filter(({max}) => max === 0);
  const [sure, until] = [certain[0], certain.at(-1)];
  // Several certain stretches with a doubt between them: the longest is what is proved.
  const longest = Math.max(0, greatest(certain.map(({from, to}) => to - from))) / 1000;
  return {
    from: {earliest: isOpen.before ? null : first.from, latest: sure?.from ?? null},
    to: {earliest: until?.to ?? null, latest: isOpen.after ? null : last.to},
    duration: {min: longest, max: isOpen.before || isOpen.after ? null : (last.to - first.from) / 1000},
    isCertain: sure !== undefined,
  };
}
