import type {ByteSource} from './byte-source.ts';
import {DamagedArchive} from './compression.ts';

/**
 * bzip2, decoded here: what the registry has is unmaintained, hangs on damaged data or holds a whole file.
 * A file is a row of streams, a stream a row of blocks, and a block is decoded when all of it has arrived.
 */
export async function* unpackBzip2(source: ByteSource): AsyncGenerator<Uint8Array, void> {
  const bits = new Bits();
  let decoder: BlockDecoder | null = null;
  let isEnded = false;
  const pieces = source.pieces();
  for (;;) {
    while (!isEnded && bits.left < MOST_PACKED) {
      const {done, value} = await pieces.next();
      if (done) isEnded = true;
      else bits.add(value);
    }
    if (decoder === null) {
      bits.align();
      if (bits.left < 4) return;
      const level = bits.read(24) === STREAM_MAGIC ? bits.read(8) - 0x30 : 0;
      // Behind a whole stream, what is no further one is ignored, as bzip2 itself does.
      if (level < 1 || level > 9) return;
      decoder = new BlockDecoder(level);
    }
    const [high, low] = [bits.read(24), bits.read(24)];
    if (high === END_MAGIC[0] && low === END_MAGIC[1]) {
      if (bits.read(32) !== decoder.checksum) throw new DamagedArchive('wrong checksum of the file');
      decoder = null;
    } else if (high === BLOCK_MAGIC[0] && low === BLOCK_MAGIC[1]) {
      yield* decoder.decode(bits);
    } else {
      throw new DamagedArchive('no block where one should begin');
    }
  }
}

/** "BZh" */
const STREAM_MAGIC = 0x425a68;
const BLOCK_MAGIC = [0x314159, 0x265359];
const END_MAGIC = [0x177245, 0x385090];
/** No block is longer than this once packed. */
const MOST_PACKED = 1_000_000;
const LEVEL_SIZE = 100_000;
const GROUP = 50;
const LONGEST_CODE = 20;
const OUTPUT = 256 * 1024;

/** Big-endian bits of bytes that arrive piece by piece. */
class Bits {
  private bytes: Buffer = Buffer.alloc(0);
  private at = 0;
  private held = 0;
  private count = 0;

  add(piece: Buffer): void {
    this.bytes = Buffer.concat([this.bytes.subarray(this.at), piece]);
    this.at = 0;
  }

  /** Whole bytes that were not touched yet. */
  get left(): number {
    return this.bytes.length - this.at;
  }

  /** Up to 32. */
  read(wanted: number): number {
    if (wanted > 24) return this.read(wanted - 16) * 0x10000 + this.read(16);
    while (this.count < wanted) {
      if (this.at >= this.bytes.length) throw new DamagedArchive('it breaks off');
      this.held = ((this.held << 8) | (this.bytes[this.at++] as number)) & 0xffffffff;
      this.count += 8;
    }
    this.count -= wanted;
    return (this.held >>> this.count) & ((1 << wanted) - 1);
  }

  /** Goes on with the next byte; one is taken only when its bits are needed, so no whole byte is lost. */
  align(): void {
    this.count = 0;
  }
}

/** Canonical Huffman codes: of each length, the highest code, and where its symbols begin. */
class Codes {
  readonly shortest: number;
  readonly longest: number;
  readonly highest = new Int32Array(LONGEST_CODE + 2).fill(-1);
  readonly start = new Int32Array(LONGEST_CODE + 2);
  readonly symbols: Uint16Array;

  constructor(lengths: Uint8Array) {
    this.symbols = new Uint16Array(lengths.length);
    this.shortest = Math.min(...lengths);
    this.longest = Math.max(...lengths);
    let code = 0;
    let filled = 0;
    for (let length = this.shortest; length <= this.longest; length++) {
      const first = filled;
      this.start[length] = first - code;
      for (const [symbol, own] of lengths.entries()) if (own === length) this.symbols[filled++] = symbol;
      code += filled - first;
      this.highest[length] = code - 1;
      code <<= 1;
    }
  }
}

/** The blocks of one stream. */
class BlockDecoder {
  /** Of the blocks so far. */
  checksum = 0;
  private readonly size: number;
  /** First the bytes of the block; then, above them, the chain of positions that puts them in order. */
  private readonly block: Uint32Array;

  constructor(level: number) {
    this.size = level * LEVEL_SIZE;
    this.block = new Uint32Array(this.size);
  }

  *decode(bits: Bits): Generator<Uint8Array, void> {
    const checksum = bits.read(32);
    if (bits.read(1) === 1) throw new DamagedArchive('a form from before 1997');
    const origin = bits.read(24);
    const length = this.readBlock(bits);
    if (origin >= length) throw new DamagedArchive('the block begins outside itself');
    this.chain(length);
    const found = yield* this.expand(origin, length);
    if (found !== checksum) throw new DamagedArchive('wrong checksum of a block');
    this.checksum = (((this.checksum << 1) | (this.checksum >>> 31)) ^ checksum) >>> 0;
  }

  /** Huffman codes, move-to-front, and runs of the front; gives the length. */
  private readBlock(bits: Bits): number {
    const {block, size} = this;
    const used = usedBytes(bits);
    const groups = bits.read(3);
    if (used.length === 0 || groups < 2 || groups > 6) throw new DamagedArchive('no codes');
    const selectors = readSelectors(bits, groups);
    const tables = Array.from({length: groups}, () => readCodes(bits, used.length + 2));
    const endOfBlock = used.length + 1;
    const front = Uint8Array.from(used);
    let length = 0;
    let run = 0;
    let weight = 1;
    let group = 0;
    let left = 0;
    let codes = tables[0] as Codes;
    for (;;) {
      if (left === 0) {
        const selector = selectors[group++];
        if (selector === undefined) throw new DamagedArchive('a block without an end');
        codes = tables[selector] as Codes;
        left = GROUP;
      }
      left--;
      const symbol = readSymbol(bits, codes);
      if (symbol <= 1) {
        run += weight << symbol;
        weight <<= 1;
        if (run > size) throw new DamagedArchive('a run longer than its block');
        continue;
      }
      if (run > 0) {
        if (length + run > size) throw new DamagedArchive('a block longer than it says');
        block.fill(front[0] as number, length, length + run);
        length += run;
        run = 0;
        weight = 1;
      }
      if (symbol === endOfBlock) return length;
      if (length >= size) throw new DamagedArchive('a block longer than it says');
      const byte = front[symbol - 1] as number;
      front.copyWithin(1, 0, symbol - 1);
      front[0] = byte;
      block[length++] = byte;
    }
  }

  /** Undoes the sorting: above each byte, the position of the one that follows it. */
  private chain(length: number): void {
    const {block} = this;
    const counts = new Int32Array(256);
    for (let at = 0; at < length; at++)
      counts[(block[at] as number) & 0xff] = (counts[(block[at] as number) & 0xff] as number) + 1;
    const next = new Int32Array(256);
    for (let byte = 1; byte < 256; byte++) next[byte] = (next[byte - 1] as number) + (counts[byte - 1] as number);
    for (let at = 0; at < length; at++) {
      const byte = (block[at] as number) & 0xff;
      const place = next[byte] as number;
      block[place] = (block[place] as number) | (at << 8);
      next[byte] = place + 1;
    }
  }

  /** Follows the chain; four equal bytes are followed by a count of more. Gives the checksum. */
  private *expand(origin: number, length: number): Generator<Uint8Array, number> {
    const {block} = this;
    const output = new Uint8Array(OUTPUT + 256);
    let filled = 0;
    let checksum = -1;
    let position = (block[origin] as number) >>> 8;
    let previous = -1;
    let repeated = 0;
    for (let done = 0; done < length; done++) {
      const entry = block[position] as number;
      const byte = entry & 0xff;
      position = entry >>> 8;
      let count = 1;
      let value = byte;
      if (repeated === 4) {
        count = byte;
        value = previous;
        repeated = 0;
        previous = -1;
      } else {
        repeated = byte === previous ? repeated + 1 : 1;
        previous = byte;
      }
      for (; count > 0; count--) {
        output[filled++] = value;
        checksum = (checksum << 8) ^ (CRC[(checksum >>> 24) ^ value] as number);
      }
      if (filled >= OUTPUT) {
        yield output.subarray(0, filled);
        filled = 0;
      }
    }
    if (filled > 0) yield output.subarray(0, filled);
    return ~checksum >>> 0;
  }
}

/** Which bytes the block has, two levels of sixteen bits. */
function usedBytes(bits: Bits): number[] {
  const used: number[] = [];
  const ranges = bits.read(16);
  for (let range = 0; range < 16; range++) {
    if (((ranges >> (15 - range)) & 1) === 0) continue;
    const members = bits.read(16);
    for (let member = 0; member < 16; member++) if (((members >> (15 - member)) & 1) === 1) used.push(16 * range + member);
  }
  return used;
}

/** Which table decodes each group of fifty symbols; moved to the front as they are used. */
function readSelectors(bits: Bits, groups: number): Uint8Array {
  const selectors = new Uint8Array(bits.read(15));
  const front = Array.from({length: groups}, (_, group) => group);
  for (let i = 0; i < selectors.length; i++) {
    let place = 0;
    while (bits.read(1) === 1) if (++place >= groups) throw new DamagedArchive('no such table of codes');
    const [group] = front.splice(place, 1) as [number];
    front.unshift(group);
    selectors[i] = group;
  }
  return selectors;
}

/** The lengths of the codes, each as a difference to the one before. */
function readCodes(bits: Bits, symbols: number): Codes {
  const lengths = new Uint8Array(symbols);
  let length = bits.read(5);
  for (let symbol = 0; symbol < symbols; symbol++) {
    for (;;) {
      if (length < 1 || length > LONGEST_CODE) throw new DamagedArchive('a code too long');
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return new Codes(lengths);
}

function readSymbol(bits: Bits, codes: Codes): number {
  let length = codes.shortest;
  let code = bits.read(length);
  while (code > (codes.highest[length] as number)) {
    if (++length > codes.longest) throw new DamagedArchive('no such code');
    code = (code << 1) | bits.read(1);
  }
  const symbol = codes.symbols[code + (codes.start[length] as number)];
  if (symbol === undefined) throw new DamagedArchive('no such code');
  return symbol;
}

/** CRC-32 as bzip2 has it: the highest bit first. */
const CRC = Int32Array.from({length: 256}, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});
