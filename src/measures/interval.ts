/** Figures that are known to lie between two bounds; `max` is null where nothing bounds them. */
import {greatest, least} from '../extremes.ts';
import type {Duration} from '../timeline/time.ts';

export function exactly(value: number): Duration {
  return {min: value, max: value};
}

/** Seconds are kept to the millisecond. */
export function sum(values: readonly Duration[]): Duration {
  const total = (bounds: readonly number[]) => Math.round(bounds.reduce((all, each) => all + each, 0) * 1000) / 1000;
  return within(values, total);
}

/** The longest of the true values lies between the longest of each bound. */
export function longest(values: readonly Duration[]): Duration {
  return within(values, (bounds) => greatest(bounds));
}

export function shortest(values: readonly Duration[]): Duration {
  return within(values, (bounds) => least(bounds));
}

/** The median of the true values lies between the medians of the bounds. Of an even number it is the lower one. */
export function median(values: readonly Duration[]): Duration {
  return within(values, (bounds) => bounds.toSorted((a, b) => a - b)[Math.floor((bounds.length - 1) / 2)] as number);
}

/** A figure that grows with each of the values lies between what it is for the lower and for the upper bounds. */
function within(values: readonly Duration[], figure: (bounds: readonly number[]) => number): Duration {
  const max = figure(values.map((value) => value.max ?? Number.POSITIVE_INFINITY));
  return {min: figure(values.map(({min}) => min)), max: Number.isFinite(max) ? max : null};
}
