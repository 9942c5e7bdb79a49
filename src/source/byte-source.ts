import {closeSync, constants, fstatSync, open, openSync, read, readSync} from 'node:fs';
import {promisify} from 'node:util';
import {InputError} from './input-error.ts';
import type {InputFile} from './input-file.ts';
import {Pipe} from './pipe.ts';

const HEAD = 4096;
/** Enough to know every compression and every encoding by. */
const LEAST_HEAD = 6;
/** Files are read synchronously; after so many bytes, signals get their turn. */
const BREATHER = 64 * 1024 * 1024;
const PIECE = 64 * 1024;
const LONGEST_HISTORY = 1024 * 1024;

const openAsync = promisify(open);
const readAsync = promisify(read);

type Read = (into: Buffer, offset: number, length: number) => number | Promise<number>;

/** The stored bytes of an input, wherever they come from. */
export class ByteSource {
  /** How many bytes were given out. */
  bytes = 0;
  private readonly name: string;
  private readonly isDevice: boolean;
  private readonly readNext: Read;
  private readonly restart: (() => void) | null;
  private readonly file: RegularFile | null = null;
  private readonly closeAll: () => void;
  private readonly signal: AbortSignal | undefined;
  /** What a source that cannot go back has given in pieces, as long as it is little. */
  private history: Buffer[] | null = [];
  private replay: Buffer[] = [];
  /** Read for {@link head} and not given out yet. */
  private held: Buffer = Buffer.alloc(0);

  /** Throws what the system says. When `signal` is aborted the source is at its end. */
  static async open(file: InputFile, signal?: AbortSignal): Promise<ByteSource> {
    const descriptor = await opened(file);
    return new ByteSource(descriptor, file, signal);
  }

  private constructor(descriptor: number, {name, kind}: InputFile, signal: AbortSignal | undefined) {
    const isStdin = kind === 'stdin';
    const stat = fstatSync(descriptor);
    const close = () => {
      if (!isStdin) closeSync(descriptor);
    };
    this.name = name;
    this.isDevice = stat.isCharacterDevice();
    this.signal = signal;
    this.restart = null;
    this.closeAll = close;
    if (stat.isFile()) {
      const file = new RegularFile(descriptor, isStdin, stat.size);
      this.readNext = (into, offset, length) => file.read(into, offset, length);
      if (!isStdin) {
        this.file = file;
        this.restart = () => file.moveTo(0);
      }
    } else if (stat.isFIFO() || stat.isSocket()) {
      const pipe = new Pipe(descriptor, signal);
      this.readNext = (into, offset, length) => pipe.read(into, offset, length);
      this.closeAll = () => pipe.close();
    } else {
      this.readNext = (into, offset, length) => readPatiently(descriptor, into, offset, length);
    }
  }

  /**
   * The first bytes, which are still to come: enough to know the content by, unless the input is shorter. Throws InputError where they are
   * NULs of a device, which has no end. A file may begin with as many: copytruncate leaves them.
   */
  async head(): Promise<Buffer> {
    const head = Buffer.allocUnsafe(HEAD);
    let length = 0;
    while (length < LEAST_HEAD) {
      const count = await this.readNext(head, length, HEAD - length);
      if (count === 0) break;
      length += count;
    }
    this.held = head.subarray(0, length);
    if (this.isDevice && length > 0 && this.held.every((byte) => byte === 0))
      throw new InputError(this.name, 'it is a device that gives NUL bytes without end, not a log');
    return this.held;
  }

  /** 0: the end. */
  read(into: Buffer, offset: number, length: number): number | Promise<number> {
    if (this.signal?.aborted) return 0;
    if (this.held.length > 0) {
      const count = this.held.copy(into, offset, 0, length);
      this.held = this.held.subarray(count);
      this.bytes += count;
      return count;
    }
    const count = this.readNext(into, offset, length);
    if (typeof count !== 'number') return count.then((arrived) => this.counted(arrived));
    return this.counted(count);
  }

  /** The rest in pieces: in `spaces` by turns, each in memory of its own without them. */
  async *pieces(spaces?: readonly Buffer[]): AsyncGenerator<Buffer> {
    for (const piece of this.replay) yield piece;
    for (let turn = 0; ; turn++) {
      const space = spaces?.[turn % spaces.length] ?? Buffer.allocUnsafeSlow(PIECE);
      const length = await this.read(space, 0, space.length);
      if (length === 0) return;
      const piece = space.subarray(0, length);
      if (this.bytes > LONGEST_HISTORY || this.restart !== null) this.history = null;
      this.history?.push(Buffer.from(piece));
      yield piece;
      // What unpacks may be at it for long without waiting for anything.
      await new Promise(setImmediate);
    }
  }

  /** Whether {@link pieces} can be asked for once more, from the first byte on. */
  get isRereadable(): boolean {
    return this.restart !== null || this.history !== null;
  }

  reread(): void {
    this.replay = this.history ?? [];
    if (this.restart === null) return;
    this.restart();
    this.held = Buffer.alloc(0);
    this.bytes = 0;
  }

  /** Null where the bytes are not those of a file that can be read at any place. */
  get regular(): {readonly descriptor: number; readonly size: number} | null {
    return this.file;
  }

  /** Of a {@link regular} file: goes on at `position`, as if what comes before had been given out. */
  moveTo(position: number): void {
    this.file?.moveTo(position);
    this.held = Buffer.alloc(0);
    this.bytes = position;
  }

  close(): void {
    this.closeAll();
  }

  private counted(count: number): number {
    this.bytes += count;
    return count;
  }
}

/** Gives the descriptor. What is no file may keep waiting who opens it, so a thread of the pool does; starting these takes a while. */
async function opened({kind, path}: InputFile): Promise<number> {
  if (kind === 'stdin') return 0;
  if (kind === 'regular') return openSync(path, 'r');
  // A FIFO nobody writes to yet would hold the thread; without waiting, it is waited for where it can be given up.
  return openAsync(path, kind === 'pipe' ? constants.O_RDONLY | constants.O_NONBLOCK : constants.O_RDONLY);
}

/** Read synchronously, which is fastest, up to the size it had when it was opened: one that grows is not chased. */
class RegularFile {
  readonly descriptor: number;
  /** Standard input may stand in the middle of a file, and only the system knows where. */
  private readonly isSequential: boolean;
  readonly size: number;
  private position = 0;
  private untilBreather = BREATHER;

  constructor(descriptor: number, isSequential: boolean, size: number) {
    this.descriptor = descriptor;
    this.isSequential = isSequential;
    // Files that the kernel writes as they are read say that they are empty.
    this.size = size === 0 ? Number.POSITIVE_INFINITY : size;
  }

  read(into: Buffer, offset: number, length: number): number | Promise<number> {
    this.untilBreather -= length;
    if (this.untilBreather >= 0) return this.readNow(into, offset, length);
    this.untilBreather = BREATHER;
    return new Promise(setImmediate).then(() => this.readNow(into, offset, length));
  }

  moveTo(position: number): void {
    this.position = position;
  }

  private readNow(into: Buffer, offset: number, length: number): number {
    const wanted = Math.min(length, this.size - this.position);
    if (wanted <= 0) return 0;
    const count = readSync(this.descriptor, into, offset, wanted, this.isSequential ? null : this.position);
    this.position += count;
    return count;
  }
}

/** Devices: waits for data, and does not give up on a descriptor that does not wait by itself. */
async function readPatiently(descriptor: number, into: Buffer, offset: number, length: number): Promise<number> {
  for (;;) {
    try {
      return (await readAsync(descriptor, into, offset, length, null)).bytesRead;
    } catch (error) {
      const {code} = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
