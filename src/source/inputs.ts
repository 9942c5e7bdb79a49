import {closeSync, fstatSync, openSync, read, readSync} from 'node:fs';
import {promisify} from 'node:util';
import {createGunzip, type Gunzip} from 'node:zlib';
import {LineFeed} from './line-feed.ts';
import type {LineSink} from './sink.ts';

/** An input that cannot be read. The message names it and says what to do. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly file: string;

  constructor(file: string, reason: string) {
    super(`cannot read ${file}: ${reason}`);
    this.file = file;
  }
}

/** Files that are read synchronously give way to signals after this many bytes. */
const BREATHER = 64 * 1024 * 1024;

const readAsync = promisify(read);

/**
 * Reads inputs one after another into `sink`. `-` is standard input. What cannot be read is left out and
 * given back; the others are read all the same.
 */
export async function readInputs(inputs: readonly string[], sink: LineSink): Promise<InputError[]> {
  const errors: InputError[] = [];
  for (const input of inputs) {
    try {
      await readInput(input, sink);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      errors.push(error);
    }
  }
  return errors;
}

async function readInput(input: string, sink: LineSink): Promise<void> {
  const isStdin = input === '-';
  const file = isStdin ? 0 : openFile(input);
  try {
    const stat = fstatSync(file);
    if (stat.isDirectory()) throw new InputError(input, 'it is a directory; name the log files in it');
    await readDescriptor(isStdin ? 'stdin' : input.replaceAll('\\', '/'), file, stat.isFile(), sink);
  } catch (error) {
    throw asInputError(input, error);
  } finally {
    if (!isStdin) closeSync(file);
  }
}

async function readDescriptor(name: string, file: number, isRegular: boolean, sink: LineSink): Promise<void> {
  const feed = new LineFeed(sink);
  let bytes = 0;
  let untilBreather = BREATHER;
  const fill = async (): Promise<number> => {
    const {buffer, offset, length} = feed.space();
    if (!isRegular) return readPatiently(file, buffer, offset, length);
    untilBreather -= length;
    if (untilBreather < 0) {
      untilBreather = BREATHER;
      await new Promise(setImmediate);
    }
    return readSync(file, buffer, offset, length, null);
  };
  let length = await fill();
  bytes += length;
  const head = feed.peek(length);
  const compression = compressionOf(head);
  if (compression !== 'none' && compression !== 'gzip') {
    throw new InputError(name, `it is compressed with ${compression}; unpack it first (${UNPACK[compression]} ${name} | logdoctor)`);
  }
  sink.open({name, compression});
  let truncated = false;
  if (compression === 'gzip') {
    const unpacked = new LineFeed(sink);
    const first = Buffer.from(head);
    truncated = !(await gunzip(first, async (into) => {
      const count = isRegular ? readSync(file, into, 0, into.length, null) : await readPatiently(file, into, 0, into.length);
      bytes += count;
      return count;
    }, unpacked));
    unpacked.finish();
  } else {
    while (length > 0) {
      feed.add(length);
      length = await fill();
      bytes += length;
    }
    feed.finish();
  }
  sink.close({bytes, truncated});
}

/** Gives false where the data ends or breaks inside the compression. What could be unpacked has been fed. */
async function gunzip(first: Buffer, more: (into: Buffer) => Promise<number>, feed: LineFeed): Promise<boolean> {
  const gunzip: Gunzip = createGunzip({chunkSize: 1024 * 1024});
  gunzip.on('data', (chunk: Buffer) => feed.append(chunk));
  const done = new Promise<boolean>((resolve) => {
    gunzip.on('end', () => resolve(true));
    gunzip.on('error', () => resolve(false));
  });
  let broken = false;
  gunzip.once('error', () => {
    broken = true;
  });
  for (let chunk = first; chunk.length > 0 && !broken; ) {
    if (!gunzip.write(chunk)) await new Promise((resolve) => { gunzip.once('drain', resolve); gunzip.once('error', resolve); });
    const next = Buffer.allocUnsafe(256 * 1024);
    chunk = next.subarray(0, await more(next));
  }
  if (!broken) gunzip.end();
  return done;
}

/** Pipes: waits for data without blocking the process, and without giving up on a non-blocking descriptor. */
async function readPatiently(file: number, buffer: Buffer, offset: number, length: number): Promise<number> {
  for (;;) {
    try {
      const {bytesRead} = await readAsync(file, buffer, offset, length, null);
      return bytesRead;
    } catch (error) {
      const {code} = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

const UNPACK: Readonly<Record<string, string>> = {zstd: 'zstd -dc', xz: 'xz -dc', bzip2: 'bzip2 -dc', lz4: 'lz4 -dc'};

const MAGIC: readonly (readonly [string, string])[] = [
  ['gzip', '1f8b08'], ['zstd', '28b52ffd'], ['xz', 'fd377a585a00'], ['bzip2', '425a68'], ['lz4', '04224d18'],
];

/** By content, not by name. */
function compressionOf(head: Buffer): string {
  const hex = head.toString('hex', 0, 6);
  return MAGIC.find(([, magic]) => hex.startsWith(magic))?.[0] ?? 'none';
}

function openFile(input: string): number {
  try {
    return openSync(input, 'r');
  } catch (error) {
    throw asInputError(input, error);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied; try with sudo, or copy the log',
  EISDIR: 'it is a directory; name the log files in it',
};

function asInputError(input: string, error: unknown): Error {
  if (error instanceof InputError) return error;
  const {code, message} = error as NodeJS.ErrnoException;
  return code === undefined ? (error as Error) : new InputError(input, REASONS[code] ?? message);
}
