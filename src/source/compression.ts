import type {ByteSource} from './byte-source.ts';

/**
 * Unpacks a source piece by piece, in bounded memory. Where the data is damaged or breaks off it gives what
 * comes before, and then throws {@link DamagedArchive}. What it gives may be overwritten once the next is asked for.
 */
export type Unpack = (source: ByteSource) => AsyncGenerator<Uint8Array, void>;

/** Compressed data is damaged or breaks off. */
export class DamagedArchive extends Error {
  override readonly name = 'DamagedArchive';
}

export interface Compression {
  readonly name: string;
  /** Loads what unpacks it, when the first such file is met. */
  readonly load: () => Promise<Unpack>;
}

const COMPRESSIONS: readonly (Compression & {readonly magic: string})[] = [
  {name: 'gzip', magic: '1f8b08', load: async () => (await import('./gzip.ts')).unpackGzip},
  {name: 'zstd', magic: '28b52ffd', load: async () => (await import('./zstd.ts')).unpackZstd},
  {name: 'xz', magic: 'fd377a585a00', load: async () => (await import('./xz.ts')).unpackXz},
  {name: 'bzip2', magic: '425a68', load: async () => (await import('./bzip2.ts')).unpackBzip2},
];

/** By content, not by name; null where it is not compressed. */
export function compressionOf(head: Buffer): Compression | null {
  const hex = head.toString('hex', 0, 10);
  const found = COMPRESSIONS.find(({magic}) => hex.startsWith(magic));
  if (found === undefined) return null;
  // "BZh" could begin a line; a level and the first block, or the end of an empty file, could not.
  if (found.name === 'bzip2' && !/^425a683[1-9](?:3141592653|1772453850|.{0,9}$)/.test(hex)) return null;
  return found;
}
