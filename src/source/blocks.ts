import {readSync} from 'node:fs';
import {HEADROOM} from '../grammar/matcher.ts';

const LF = 10;
/** Most lines end in such a part of the overlap. */
const NEAR = 1 / 16;

/** How a file is cut into blocks that several threads look at. */
export interface Plan {
  readonly descriptor: number;
  readonly size: number;
  /** Bytes of a block. The lines of a block are those that begin in it. */
  readonly block: number;
  /** How far the last line of a block may reach into the next. */
  readonly overlap: number;
  /** How many blocks are in memory. */
  readonly slots: number;
  /** How many records a scout can leave for one block. */
  readonly most: number;
  /** How many numbers a record has. */
  readonly width: number;
}

/** Whole lines in the shared buffer. */
export interface Region {
  readonly start: number;
  readonly end: number;
  /** Where in the file the lines end. */
  readonly fileEnd: number;
  /** The last line is longer than the overlap, or the file shrank: what follows `fileEnd` has to be read otherwise. */
  readonly isLast: boolean;
}

const CLAIMED = 0;
const READY = 1;
const START = 2;
const END = 3;
const COUNT = 4;
const LAST = 5;
const PER_SLOT = 6;
/** Cells in front of those of the slots: the block that is being consumed, and whether all is over. */
const CURRENT = 0;
const OVER = 1;
const HEAD = 2;

/** What threads share: the bytes of some blocks, what was found in them, and who has which. */
export class Blocks {
  readonly plan: Plan;
  readonly shared: Shared;
  readonly buffer: Buffer;
  /** Blocks of the file. */
  readonly count: number;
  private readonly cells: Int32Array;
  private readonly ends: Float64Array;
  private readonly room: number;

  constructor(plan: Plan, shared: Shared = shareOf(plan)) {
    this.plan = plan;
    this.shared = shared;
    this.room = roomOf(plan);
    this.buffer = Buffer.from(shared.bytes);
    this.cells = new Int32Array(shared.cells);
    this.ends = new Float64Array(shared.ends);
    this.count = Math.ceil(plan.size / plan.block);
  }

  /** Takes a block for the caller alone; false where another thread has it. */
  claim(block: number): boolean {
    const cell = this.cell(block, CLAIMED);
    const before = Atomics.load(this.cells, cell);
    return before <= block && Atomics.compareExchange(this.cells, cell, before, block + 1) === before;
  }

  /** The block that the reading has come to; scouts leave this one and the next to it. */
  get current(): number {
    return Atomics.load(this.cells, CURRENT);
  }

  advance(block: number): void {
    Atomics.store(this.cells, CURRENT, block);
    Atomics.notify(this.cells, CURRENT);
  }

  /** Waits until the reading has got further than `block`. */
  waitBeyond(block: number): void {
    Atomics.wait(this.cells, CURRENT, block);
  }

  stop(): void {
    Atomics.store(this.cells, OVER, 1);
    Atomics.notify(this.cells, CURRENT);
  }

  get isOver(): boolean {
    return Atomics.load(this.cells, OVER) === 1;
  }

  /** Reads the lines that begin in a claimed block. Throws what the system says. */
  read(block: number): Region {
    const {buffer, plan, room} = this;
    const slot = (block % plan.slots) * room;
    // The byte before tells whether a line begins with the block.
    const from = Math.max(0, block * plan.block - 1);
    const wanted = Math.min(plan.block + plan.overlap, plan.size - from);
    const near = Math.min(plan.block + Math.floor(plan.overlap * NEAR), wanted);
    // Where the next block looks for its first line.
    const seam = slot + (block + 1) * plan.block - 1 - from;
    let stop = slot + this.fill(slot, 0, near, from);
    if (stop === slot + near && near < wanted && lineAfter(buffer, seam, stop) === stop)
      stop = slot + this.fill(slot, near, wanted, from);
    const isAtEnd = from + stop - slot === plan.size;
    const begin = block === 0 ? slot : lineAfter(buffer, slot, stop);
    if (begin === stop) return {start: stop, end: stop, fileEnd: from + stop - slot, isLast: !isAtEnd};
    let end = seam < stop ? lineAfter(buffer, seam, stop) : stop;
    let isLast = false;
    if (end === stop && buffer[stop - 1] !== LF) {
      if (isAtEnd) {
        buffer[stop] = LF;
        end = stop + 1;
      } else {
        isLast = true;
        end = Math.max(begin, buffer.subarray(slot, stop).lastIndexOf(LF) + 1 + slot);
      }
    }
    return {start: begin, end, fileEnd: Math.min(plan.size, from + end - slot), isLast};
  }

  /** Reads into a slot, of which `length` bytes are there, until they are `wanted` or the file ends, and gives how many there are. */
  private fill(slot: number, length: number, wanted: number, from: number): number {
    let filled = length;
    while (filled < wanted) {
      const arrived = readSync(this.plan.descriptor, this.buffer, slot + filled, wanted - filled, from + filled);
      if (arrived === 0) break;
      filled += arrived;
    }
    return filled;
  }

  /** A scout has read a block and looked at it. */
  publish(block: number, {start, end, fileEnd, isLast}: Region, count: number): void {
    this.cells[this.cell(block, START)] = start;
    this.cells[this.cell(block, END)] = end;
    this.cells[this.cell(block, COUNT)] = count;
    this.cells[this.cell(block, LAST)] = isLast ? 1 : 0;
    this.ends[block % this.plan.slots] = fileEnd;
    Atomics.store(this.cells, this.cell(block, READY), block + 1);
    Atomics.notify(this.cells, this.cell(block, READY));
  }

  /** What a scout published, once it has; null where it does not come within `patience` milliseconds. */
  await(block: number, patience: number): (Region & {readonly count: number}) | null {
    const ready = this.cell(block, READY);
    for (let seen = Atomics.load(this.cells, ready); seen !== block + 1; seen = Atomics.load(this.cells, ready)) {
      if (Atomics.wait(this.cells, ready, seen, patience) === 'timed-out') return null;
    }
    return {
      start: this.cells[this.cell(block, START)] as number,
      end: this.cells[this.cell(block, END)] as number,
      count: this.cells[this.cell(block, COUNT)] as number,
      isLast: this.cells[this.cell(block, LAST)] === 1,
      fileEnd: this.ends[block % this.plan.slots] as number,
    };
  }

  /** Where a scout puts what it finds in a block. */
  facts(block: number): Float64Array {
    const {most, width, slots} = this.plan;
    return new Float64Array(this.shared.facts, 8 * most * width * (block % slots), most * width);
  }

  private cell(block: number, which: number): number {
    return HEAD + (block % this.plan.slots) * PER_SLOT + which;
  }
}

/** The memory behind {@link Blocks}, to be sent to another thread. */
export interface Shared {
  readonly bytes: SharedArrayBuffer;
  readonly facts: SharedArrayBuffer;
  readonly cells: SharedArrayBuffer;
  readonly ends: SharedArrayBuffer;
}

function shareOf(plan: Plan): Shared {
  return {
    bytes: new SharedArrayBuffer(plan.slots * roomOf(plan)),
    facts: new SharedArrayBuffer(8 * plan.slots * plan.most * plan.width),
    cells: new SharedArrayBuffer(4 * (HEAD + plan.slots * PER_SLOT)),
    ends: new SharedArrayBuffer(8 * plan.slots),
  };
}

/** A block, what its last line takes of the next one, and a line end that the file lacks. */
function roomOf({block, overlap}: Plan): number {
  return 1 + block + overlap + 1 + HEADROOM;
}

/** Behind the first line end from `at` on; `stop` where there is none. */
function lineAfter(buffer: Buffer, at: number, stop: number): number {
  const lf = buffer.indexOf(LF, at);
  return lf < 0 || lf >= stop ? stop : lf + 1;
}
