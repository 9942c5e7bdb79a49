import type {Region} from '../source/blocks.ts';
import {FACTS} from './request-facts.ts';
import {RequestSweep} from './request-sweep.ts';

/** Finds the request lines that stand bare: see {@link RequestSweep} for what it leaves of each. */
export function requestScout(): (buffer: Buffer, region: Region, facts: Float64Array) => number {
  const sweep = RequestSweep.create();
  return (buffer, {start, end}, facts) => {
    let count = 0;
    for (let at = start; sweep !== null && at < end; at = sweep.reached)
      count += sweep.lines(buffer, at, end, 0, facts, count * FACTS);
    return count;
  };
}
