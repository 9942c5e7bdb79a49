import {ByteSource} from './byte-source.ts';
import {compressionOf, DamagedArchive} from './compression.ts';
import type {InputFile} from './input-file.ts';

/** Fewer bytes than this are no proof: the first lines of a log may well be always the same. */
const LEAST_PROOF = 64;

/**
 * Whether all of `older` stands at the beginning of `newer`, both unpacked: a copy was made, and what it was
 * made of was not cut (copytruncate that was interrupted, `copy`, a packed file beside its original).
 */
export async function isContainedIn(older: InputFile, newer: InputFile): Promise<boolean> {
  const [a, b] = [new Content(older), new Content(newer)];
  try {
    let length = 0;
    for (;;) {
      const [left, right] = [await a.peek(), await b.peek()];
      if (left.length === 0) return length >= LEAST_PROOF;
      const common = Math.min(left.length, right.length);
      if (common === 0 || Buffer.compare(left.subarray(0, common), right.subarray(0, common)) !== 0) return false;
      a.skip(common);
      b.skip(common);
      length += common;
    }
  } catch {
    // What cannot be read is reported when it is read.
    return false;
  } finally {
    await a.close();
    await b.close();
  }
}

/** The unpacked bytes of a file. */
class Content {
  private readonly file: InputFile;
  private source: ByteSource | null = null;
  private chunks: AsyncGenerator<Uint8Array, void> | null = null;
  private chunk: Uint8Array = new Uint8Array(0);

  constructor(file: InputFile) {
    this.file = file;
  }

  /** Empty at the end. */
  async peek(): Promise<Uint8Array> {
    while (this.chunk.length === 0) {
      this.chunks ??= await this.open();
      const {done, value} = await this.chunks.next();
      if (done) break;
      this.chunk = value;
    }
    return this.chunk;
  }

  skip(length: number): void {
    this.chunk = this.chunk.subarray(length);
  }

  async close(): Promise<void> {
    await this.chunks?.return();
    this.source?.close();
  }

  private async open(): Promise<AsyncGenerator<Uint8Array, void>> {
    this.source = await ByteSource.open(this.file);
    const compression = compressionOf(await this.source.head());
    if (compression === null) return this.source.pieces();
    return upToDamage((await compression.load())(this.source));
  }
}

async function* upToDamage(chunks: AsyncGenerator<Uint8Array, void>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* chunks;
  } catch (error) {
    if (!(error instanceof DamagedArchive)) throw error;
  }
}
