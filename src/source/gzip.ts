import {constants, createGunzip} from 'node:zlib';
import type {ByteSource} from './byte-source.ts';
import {DamagedArchive} from './compression.ts';
import {release} from './release.ts';

/** As much as the cache of a core: what the core that scans still has in its own is slow to write for the one that inflates. */
const CHUNK = 1024 * 1024;
const PIECE = 512 * 1024;
/** Where damaged data is unpacked again, so many bytes at a time. */
const BITE = 16;

/**
 * zlib inflates on a thread of its own: as soon as a chunk is taken it begins with the next, while that one is scanned. On an error it
 * drops what it had unpacked of the piece in hand, at the worst the whole of a small file; that piece is then unpacked again, in bites.
 */
export async function* unpackGzip(source: ByteSource): AsyncGenerator<Uint8Array, void> {
  const progress: Progress = {unpacked: 0, packed: 0};
  try {
    const spaces = [Buffer.allocUnsafeSlow(PIECE), Buffer.allocUnsafeSlow(PIECE)];
    yield* inflate(source.pieces(spaces), progress);
  } catch (error) {
    if (!(error instanceof DamagedArchive) || !source.isRereadable) throw error;
    let known = progress.unpacked;
    source.reread();
    for await (const chunk of bearing(inflate(inBites(source.pieces(), progress.packed), {unpacked: 0, packed: 0}))) {
      if (chunk.length > known) yield chunk.subarray(known);
      known = Math.max(0, known - chunk.length);
    }
    if (!isGarbageBehind(error)) throw error;
  }
}

interface Progress {
  /** Bytes given out. */
  unpacked: number;
  /** Bytes that were taken in and whose content was given out. */
  packed: number;
}

/** No more than two pieces are in use: one is in hand, and the next is there when zlib has done with it. */
async function* inflate(pieces: AsyncIterable<Buffer>, progress: Progress): AsyncGenerator<Buffer, void> {
  // Nothing more is inflated while anything is waiting to be taken: memory is bounded, and an error loses nothing that waits.
  const gunzip = createGunzip({chunkSize: CHUNK, readableHighWaterMark: 1} as Parameters<typeof createGunzip>[0]);
  let unreadable: unknown = null;
  const pour = async () => {
    let taken = Promise.resolve();
    for await (const piece of pieces) {
      const before = taken;
      taken = new Promise<void>((resolve) => {
        gunzip.write(piece, (error) => {
          if (!error) progress.packed += piece.length;
          resolve();
        });
      });
      await before;
      if (gunzip.destroyed) return;
    }
    gunzip.end();
  };
  pour().catch((error: unknown) => {
    unreadable = error;
    gunzip.destroy(error as Error);
  });
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer<ArrayBuffer>>) {
      progress.unpacked += chunk.length;
      yield chunk;
      if (isFilled(chunk)) release(chunk);
    }
  } catch (error) {
    if (unreadable !== null) throw unreadable;
    throw new DamagedArchive((error as Error).message, {cause: error});
  }
}

/** zlib goes on behind a chunk, in the same memory, until that is full. */
function isFilled({buffer, byteOffset, length}: Buffer): boolean {
  return buffer.byteLength === CHUNK && byteOffset + length === CHUNK;
}

/** What stands behind the first `whole` bytes, in small pieces. */
async function* inBites(pieces: AsyncIterable<Buffer>, whole: number): AsyncGenerator<Buffer> {
  let begin = 0;
  for await (const piece of pieces) {
    const untouched = Math.max(0, Math.min(piece.length, whole - begin));
    if (untouched > 0) yield piece.subarray(0, untouched);
    for (let at = untouched; at < piece.length; at += BITE) yield piece.subarray(at, at + BITE);
    begin += piece.length;
  }
}

/** What can be had, damaged or not. */
async function* bearing(chunks: AsyncGenerator<Buffer, void>): AsyncGenerator<Buffer, void> {
  try {
    yield* chunks;
  } catch (error) {
    if (!(error instanceof DamagedArchive)) throw error;
  }
}

/** Something follows a whole member and is no further one; gzip ignores that, too. */
function isGarbageBehind({cause}: DamagedArchive): boolean {
  const {errno, message} = cause as NodeJS.ErrnoException;
  return errno === constants.Z_DATA_ERROR && message === 'incorrect header check';
}
