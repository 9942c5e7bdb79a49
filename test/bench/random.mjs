// Chance that comes out the same for the same seed, on every machine.

/**
 * @typedef {object} Random
 * @property {() => number} bits 32 bits, as an unsigned integer
 * @property {() => number} unit from 0 up to, not including, 1
 * @property {(below: number) => number} below an integer from 0 up to, not including, `below`
 * @property {(chance: number) => boolean} hit true once in a while
 * @property {<T>(list: readonly T[]) => T} pick
 * @property {(mean: number) => number} gap a waiting time, exponential
 * @property {(median: number, sigma: number) => number} logNormal
 */

/**
 * @param {number} seed
 * @returns {Random}
 */
export function randomFrom(seed) {
  let state = seed >>> 0;
  // Mulberry32.
  const bits = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const unit = () => bits() / 0x1_0000_0000;
  const below = (limit) => Math.floor(unit() * limit);
  const normal = () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit());
  return {
    bits,
    unit,
    below,
    hit: (chance) => unit() < chance,
    pick: (list) => list[below(list.length)],
    gap: (mean) => -mean * Math.log(1 - unit()),
    logNormal: (median, sigma) => median * Math.exp(sigma * normal()),
  };
}
