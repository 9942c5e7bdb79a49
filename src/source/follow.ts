import {closeSync, fstatSync, openSync, readSync, type Stats, statSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {ByteSource} from './byte-source.ts';
import {compressionOf} from './compression.ts';
import {asInputError, InputError} from './input-error.ts';
import type {InputFile} from './input-file.ts';
import {Intake} from './intake.ts';
import {LineFeed} from './line-feed.ts';
import type {LineSink} from './sink.ts';

export interface FollowOptions {
  /** Ends the following. */
  readonly signal: AbortSignal;
  /** Nothing more is there for now: all lines so far have been handed on, but one that has no end yet. */
  readonly onIdle: () => void;
  /** How often a file is looked at, in milliseconds. */
  readonly interval?: number;
}

const INTERVAL = 250;
/** A pipe from which nothing comes for so long is idle. */
const PIPE_IDLE = 30;
const CHUNK = 256 * 1024;
/** So much of what was read is compared, to tell that a file was cut and has grown again since. */
const MARK = 64;

/**
 * Reads a file from its beginning, and goes on as it grows, by name: over a rotation, with a new file of this
 * name, and over a truncation. Each begins a further input that continues the one before. Looks at the file from time
 * to time rather than being told, which works on every file system. `-` and pipes are read to their end. Returns at the end of a
 * pipe or when the signal is aborted; throws an {@link InputError}.
 */
export async function follow(input: string, sink: LineSink, options: FollowOptions): Promise<void> {
  try {
    const stat = input === '-' ? fstatSync(0) : statSync(input);
    if (stat.isDirectory()) throw new InputError(input, 'it is a directory, and one file at a time can be followed');
    const name = input === '-' ? 'stdin' : input.replaceAll('\\', '/');
    if (stat.isFile()) {
      const path = input === '-' ? '/dev/stdin' : input;
      await new FollowedFile({path, name, kind: 'regular', foundIn: null}, sink, options).run();
    } else {
      const kind = stat.isFIFO() || stat.isSocket() ? 'pipe' : 'device';
      await followPipe({path: input, name, kind: input === '-' ? 'stdin' : kind, foundIn: null}, sink, options);
    }
  } catch (error) {
    throw asInputError(input === '-' ? 'stdin' : input, error);
  }
}

async function followPipe(file: InputFile, sink: LineSink, {signal, onIdle}: FollowOptions): Promise<void> {
  const source = await ByteSource.open(file, signal);
  try {
    const head = await source.head();
    const feed = new LineFeed(sink);
    const intake = intakeOf(head, file, feed);
    sink.open({name: file.name, compression: 'none'});
    const buffer = Buffer.allocUnsafe(CHUNK);
    try {
      for (;;) {
        const count = await idling(source.read(buffer, 0, CHUNK), onIdle);
        if (count === 0) break;
        intake.add(buffer.subarray(0, count));
      }
    } finally {
      intake.finish();
      onIdle();
      sink.close({bytes: source.bytes, truncated: false});
    }
  } finally {
    source.close();
  }
}

/** Calls `onIdle` where `pending` takes its time. */
async function idling(pending: number | Promise<number>, onIdle: () => void): Promise<number> {
  if (typeof pending === 'number') return pending;
  const timer = setTimeout(onIdle, PIPE_IDLE);
  try {
    return await pending;
  } finally {
    clearTimeout(timer);
  }
}

class FollowedFile {
  private readonly file: InputFile;
  private readonly sink: LineSink;
  private readonly options: FollowOptions;
  private readonly feed: LineFeed;
  private readonly buffer = Buffer.allocUnsafe(CHUNK);
  private descriptor: number;
  private stat: Stats;
  private position = 0;
  /** The last bytes before the position. */
  private mark: Buffer = Buffer.alloc(0);
  /** Null until the first bytes tell what they are. */
  private intake: Intake | null = null;

  constructor(file: InputFile, sink: LineSink, options: FollowOptions) {
    this.file = file;
    this.sink = sink;
    this.options = options;
    this.feed = new LineFeed(sink);
    this.descriptor = openSync(file.path, 'r');
    this.stat = fstatSync(this.descriptor);
  }

  async run(): Promise<void> {
    const {signal, onIdle, interval = INTERVAL} = this.options;
    try {
      this.sink.open({name: this.file.name, compression: 'none', continues: false});
      await this.readOn();
      onIdle();
      while (!signal.aborted) {
        await sleep(interval, undefined, {signal}).catch(() => {});
        if (signal.aborted) break;
        if (await this.look()) onIdle();
      }
    } finally {
      this.endPart();
      closeSync(this.descriptor);
    }
  }

  /** Gives whether there was anything new. */
  private async look(): Promise<boolean> {
    const named = statSync(this.file.path, {throwIfNoEntry: false});
    if (named !== undefined && (named.ino !== this.stat.ino || named.dev !== this.stat.dev)) {
      // The writer goes on with the old file until it opens the new one, which is when that is no longer empty.
      const isOldNew = await this.readOn();
      if (named.size === 0) return isOldNew;
      const descriptor = openSync(this.file.path, 'r');
      this.endPart();
      closeSync(this.descriptor);
      this.descriptor = descriptor;
      this.stat = fstatSync(descriptor);
      this.beginPart();
    } else if (this.wasCut()) {
      this.endPart();
      this.beginPart();
    }
    return this.readOn();
  }

  /** The file is shorter than what was read, or says something else where it was read last. */
  private wasCut(): boolean {
    const {size} = fstatSync(this.descriptor);
    if (size < this.position) return true;
    if (size === this.position) return false;
    const now = Buffer.alloc(this.mark.length);
    const count = readSync(this.descriptor, now, 0, now.length, this.position - now.length);
    return count < now.length || !now.equals(this.mark);
  }

  private endPart(): void {
    if (this.intake === null) this.feed.finish();
    else this.intake.finish();
    this.sink.close({bytes: this.position, truncated: false});
  }

  private beginPart(): void {
    this.position = 0;
    this.mark = Buffer.alloc(0);
    this.intake = null;
    this.sink.open({name: this.file.name, compression: 'none', continues: true});
  }

  /** Up to the end as it is now; gives whether there was anything. */
  private async readOn(): Promise<boolean> {
    const {buffer} = this;
    const before = this.position;
    while (!this.options.signal.aborted) {
      const count = readSync(this.descriptor, buffer, 0, CHUNK, this.position);
      if (count === 0) break;
      const bytes = buffer.subarray(0, count);
      this.intake ??= intakeOf(bytes, this.file, this.feed);
      this.intake.add(bytes);
      this.position += count;
      this.mark = Buffer.concat([this.mark, bytes.subarray(-MARK)]).subarray(-MARK);
      if (count === CHUNK) await new Promise(setImmediate);
    }
    return this.position > before;
  }
}

function intakeOf(head: Buffer, file: InputFile, feed: LineFeed): Intake {
  const compression = compressionOf(head);
  if (compression === null) return new Intake(head, file, feed);
  throw new InputError(file.name, `it is compressed with ${compression.name}; such a file is read whole, and not followed`);
}
