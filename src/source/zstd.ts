import {Decompress} from 'fzstd';
import type {ByteSource} from './byte-source.ts';
import {DamagedArchive} from './compression.ts';

/** The decoder holds a whole window in memory; beyond this `zstd` itself asks for `--long`. */
const WIDEST_WINDOW = 128 * 1024 * 1024;

/** Pushed at once: each four bytes may stand for a block of 128 KiB, and all that a push gives is held. */
const BITE = 128;

/** fzstd's, because Node 20 has none of its own and those that have one stop after the first frame. */
export async function* unpackZstd(source: ByteSource): AsyncGenerator<Uint8Array, void> {
  const blocks: Uint8Array[] = [];
  const decoder = new Decompress((block) => {
    blocks.push(block);
  });
  const decode = (piece: Uint8Array, isLast: boolean) => {
    try {
      decoder.push(piece, isLast);
      return null;
    } catch (error) {
      return new DamagedArchive((error as Error).message, {cause: error});
    }
  };
  let isFirst = true;
  for await (const piece of source.pieces()) {
    if (isFirst && windowOf(piece) > WIDEST_WINDOW) throw new DamagedArchive('its window is too wide');
    isFirst = false;
    for (let at = 0; at < piece.length; at += BITE) {
      const damage = decode(piece.subarray(at, at + BITE), false);
      yield* blocks.splice(0);
      if (damage !== null) throw damage;
    }
  }
  const damage = decode(new Uint8Array(0), true);
  yield* blocks.splice(0);
  if (damage !== null) throw damage;
}

/** How far back the first frame may refer, by its header (RFC 8878, 3.1.1.1.2). */
function windowOf(head: Uint8Array): number {
  const [descriptor = 0, window = 0] = head.subarray(4, 6);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  return isSingleSegment ? 0 : 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8);
}
