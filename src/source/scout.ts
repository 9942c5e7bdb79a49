import type {Errand} from './ahead.ts';
import {Blocks, type Region} from './blocks.ts';

/** So near to the reading, blocks are left to it: it would wait for the scout otherwise. */
const LEAD = 2;

/** Looks at the lines of a region, leaves what it finds in `facts`, and gives the number of records. */
export type Look = (buffer: Buffer, region: Region, facts: Float64Array) => number;

/** Runs on a thread of its own until the file is read: looks at blocks ahead of the reading. */
export function scout({plan, shared}: Errand, look: Look): void {
  const blocks = new Blocks(plan, shared);
  let block = 0;
  while (!blocks.isOver) {
    const {current} = blocks;
    block = Math.max(block, current + LEAD);
    if (block >= blocks.count) return;
    if (block >= current + plan.slots) {
      blocks.waitBeyond(current);
      continue;
    }
    if (blocks.claim(block)) {
      const region = blocks.read(block);
      blocks.publish(block, region, look(blocks.buffer, region, blocks.facts(block)));
    }
    block++;
  }
}
