import {existsSync} from 'node:fs';
import {availableParallelism} from 'node:os';
import type {Worker} from 'node:worker_threads';
import {Blocks, type Plan, type Shared} from './blocks.ts';
import {type LineSink, NOTHING_SCOUTED} from './sink.ts';

/** Below so many bytes the threads cost more than they save: they have to be started, and each warms up for itself. */
const LEAST_SIZE = 512 * 1024 * 1024;
/** The same where somebody has asked for threads. */
const LEAST_SIZE_ASKED = 16 * 1024 * 1024;
/** More would wait for the one that puts everything in order. */
const MOST_THREADS = 4;
const BLOCK = 512 * 1024;
const OVERLAP = 64 * 1024;
const SLOTS_PER_THREAD = 6;
/** A block that a scout has claimed and does not deliver is read here after so many milliseconds. */
const PATIENCE = 2000;
/** After so many blocks, signals get their turn. */
const BREATHER = 128;

/** What a scout's thread is given. */
export interface Errand {
  readonly plan: Plan;
  readonly shared: Shared;
}

export interface LargeFile {
  readonly descriptor: number;
  readonly size: number;
}

/** How many threads are to look at a file. `asked`: as many as somebody has asked for. */
export function threadsFor({size}: LargeFile, sink: LineSink, asked: number | undefined): number {
  if (sink.scout === undefined || sink.scout === null || !existsSync(sink.scout.module)) return 1;
  if (asked !== undefined) return size < LEAST_SIZE_ASKED ? 1 : asked;
  return size < LEAST_SIZE ? 1 : Math.min(MOST_THREADS, availableParallelism());
}

/**
 * Reads a file into `sink` in order, while scouts on other threads look at the blocks that come next. What the sink
 * is given is the same as without them but for their hints. `onBlock` is told how far in the file the reading is and says
 * whether to go on. Gives where the reading ended: the end of the file, or a line that is too long for a block.
 */
export async function readAhead(
  file: LargeFile,
  sink: LineSink,
  threads: number,
  onBlock: (fileEnd: number) => boolean,
): Promise<number> {
  const {module, most, width} = sink.scout as NonNullable<LineSink['scout']>;
  const blocks = new Blocks({
    ...file,
    block: BLOCK,
    overlap: OVERLAP,
    slots: SLOTS_PER_THREAD * threads,
    most: most(BLOCK),
    width,
  });
  const scouts = await Promise.all(Array.from({length: threads - 1}, () => hire(module, blocks)));
  try {
    let fileEnd = 0;
    for (let block = 0; block < blocks.count; block++) {
      blocks.advance(block);
      const scouted = blocks.claim(block) ? null : blocks.await(block, PATIENCE);
      const region = scouted ?? blocks.read(block);
      if (region.end > region.start) {
        const hints = scouted === null ? NOTHING_SCOUTED : {facts: blocks.facts(block), count: scouted.count};
        sink.lines(blocks.buffer, region.start, region.end, false, hints);
      }
      fileEnd = region.fileEnd;
      if (!onBlock(fileEnd) || region.isLast) break;
      if (block % BREATHER === BREATHER - 1) await new Promise(setImmediate);
    }
    return fileEnd;
  } finally {
    blocks.stop();
    for (const scout of scouts) void scout.terminate();
  }
}

async function hire(module: URL, {plan, shared}: Blocks): Promise<Worker> {
  const {Worker} = await import('node:worker_threads');
  const errand: Errand = {plan, shared};
  const scout = new Worker(module, {workerData: errand});
  // What a scout does not do is done without it.
  scout.on('error', () => {});
  scout.unref();
  return scout;
}
