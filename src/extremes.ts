/** The greatest and the least of as many numbers as a log has: spread over the arguments of a call, a hundred thousand are too many. */

/** -Infinity of none, as `Math.max` has it. */
export function greatest(numbers: readonly number[]): number {
  return numbers.reduce((most, number) => Math.max(most, number), Number.NEGATIVE_INFINITY);
}

/** Infinity of none, as `Math.min` has it. */
export function least(numbers: readonly number[]): number {
  return numbers.reduce((fewest, number) => Math.min(fewest, number), Number.POSITIVE_INFINITY);
}
