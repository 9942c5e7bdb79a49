import {readAhead, threadsFor} from './ahead.ts';
import {ByteSource} from './byte-source.ts';
import {type Compression, compressionOf, DamagedArchive} from './compression.ts';
import {expandInputs} from './expand.ts';
import {asInputError, InputError} from './input-error.ts';
import type {InputFile, InputNote} from './input-file.ts';
import {Intake, NoLogError} from './intake.ts';
import {LineFeed} from './line-feed.ts';
import type {ReadingProgress} from './progress.ts';
import {gapBetween, groupRotated, type RotatedSet} from './rotated-set.ts';
import {isContainedIn} from './same-content.ts';
import type {LineSink} from './sink.ts';

export {InputError} from './input-error.ts';
export type {InputNote} from './input-file.ts';

export interface ReadOptions {
  /** Aborting it ends the reading: what is open is closed as if it ended there, what follows is left out. */
  readonly signal?: AbortSignal | undefined;
  /** How many threads look at a large file: 1 is none but this one. Left to itself where it is not told. */
  readonly threads?: number | undefined;
  /** Told of what is no error and should not go unsaid: what was skipped, what is missing or damaged. */
  readonly onNote?: (note: InputNote) => void;
  /** Kept up to date while inputs are read. */
  readonly progress?: ReadingProgress | undefined;
}

/**
 * Reads files, patterns, directories and standard input (`-`) into `sink`, one after another; the parts of a
 * rotated log in the order of their age. What cannot be read is left out and given back; the rest is read all the same.
 */
export async function readInputs(inputs: readonly string[], sink: LineSink, options: ReadOptions = {}): Promise<InputError[]> {
  const {files, errors, notes} = await expandInputs(inputs);
  const reader = new Reader(sink, options);
  for (const note of notes) reader.note(note);
  options.progress?.expect(files);
  for (const set of groupRotated(files)) await reader.readSet(set);
  reader.judgeSearches(files);
  return [...errors, ...reader.errors];
}

class Reader {
  readonly errors: InputError[] = [];
  private readonly sink: LineSink;
  private readonly signal: AbortSignal | undefined;
  private readonly threads: number | undefined;
  private readonly onNote: (note: InputNote) => void;
  private readonly progress: ReadingProgress | undefined;
  private readonly feed: LineFeed;
  /** By the directory or pattern they were found in: what was found there and is no log. */
  private readonly skipped = new Map<string, {readonly name: string; readonly why: string}[]>();

  constructor(sink: LineSink, {signal, threads, onNote = () => {}, progress}: ReadOptions) {
    this.sink = sink;
    this.threads = threads;
    this.signal = signal;
    this.onNote = onNote;
    this.progress = progress;
    this.feed = new LineFeed(sink);
  }

  note(note: InputNote): void {
    this.onNote(note);
  }

  async readSet(set: RotatedSet): Promise<void> {
    let continues = false;
    for (const [place, file] of set.entries()) {
      if (this.signal?.aborted) return;
      const next = set[place + 1];
      if (next !== undefined && (await isContainedIn(file, next))) {
        this.note({input: file.name, text: `${next.name} begins with the same content; read once`});
        continue;
      }
      if (!(await this.readFile(file, continues))) continue;
      continues = true;
      const gap = next === undefined ? null : gapBetween(file, next);
      if (gap !== null) this.note({input: file.name, text: gap});
    }
  }

  /** A directory or pattern behind which there was no log is an error; where there were some, the rest is a note. */
  judgeSearches(files: readonly InputFile[]): void {
    for (const [search, found] of this.skipped) {
      const names = found.slice(0, 3).map(({name, why}) => `${name} (${why})`);
      const list = found.length > 3 ? `${names.join(', ')} and ${found.length - 3} more` : names.join(', ');
      if (files.filter(({foundIn}) => foundIn === search).length === found.length) {
        this.errors.push(new InputError(search, `there is no log in it: ${list}`));
      } else {
        this.note({input: search, text: `skipped ${list}`});
      }
    }
  }

  /** Gives whether any of it reached the sink. */
  private async readFile(file: InputFile, continues: boolean): Promise<boolean> {
    let source: ByteSource | null = null;
    let isOpen = false;
    let truncated = true;
    try {
      source = await ByteSource.open(file, this.signal);
      this.progress?.opened(source);
      const head = await source.head();
      if (head.length === 0 && file.foundIn !== null) return this.skip(file, 'empty');
      const compression = compressionOf(head);
      const open = () => {
        isOpen = true;
        this.sink.open({name: file.name, compression: compression?.name ?? 'none', continues});
      };
      truncated =
        compression === null
          ? await this.readStored(file, source, head, open)
          : await this.unpack(file, source, compression, open);
      return true;
    } catch (error) {
      if (error instanceof NoLogError && file.foundIn !== null) return this.skip(file, error.why);
      this.errors.push(asInputError(file.name, error));
      return isOpen;
    } finally {
      if (isOpen) this.feed.finish();
      if (isOpen) this.sink.close({bytes: source?.bytes ?? 0, truncated, cutLine: this.feed.cutLine});
      this.progress?.ended();
      source?.close();
    }
  }

  private skip({foundIn, name}: InputFile, why: string): false {
    const skipped = this.skipped.get(foundIn ?? '') ?? [];
    skipped.push({name, why});
    this.skipped.set(foundIn ?? '', skipped);
    return false;
  }

  private async readStored(file: InputFile, source: ByteSource, head: Buffer, open: () => void): Promise<boolean> {
    const {feed} = this;
    const intake = new Intake(head, file, feed);
    open();
    if (intake.isStraight) {
      await this.readRegular(source);
      for (;;) {
        this.checkRoom(file);
        const {buffer, offset, length} = feed.space();
        const count = source.read(buffer, offset, length);
        const arrived = typeof count === 'number' ? count : await count;
        if (arrived === 0) break;
        feed.add(arrived);
      }
    } else {
      for await (const piece of source.pieces()) {
        this.checkRoom(file);
        intake.add(piece);
      }
    }
    intake.finish();
    return false;
  }

  /** A large file is read with the help of other threads, up to its end or as far as they are of help. */
  private async readRegular(source: ByteSource): Promise<void> {
    const {sink, signal} = this;
    const {regular} = source;
    const threads = regular === null ? 1 : threadsFor(regular, sink, this.threads);
    if (regular === null || threads === 1) return;
    await readAhead(regular, sink, threads, (fileEnd) => {
      source.moveTo(fileEnd);
      return !signal?.aborted && sink.isFull !== true;
    });
  }

  private checkRoom({name}: InputFile): void {
    if (this.sink.isFull !== true) return;
    throw new InputError(
      name,
      'it tells of more events than fit into memory, and was read as far as they do; read its end by itself ' +
        '(tail -n 500000), or allow more memory (NODE_OPTIONS=--max-old-space-size=16000)',
    );
  }

  /** Gives whether the archive broke off. */
  private async unpack(file: InputFile, source: ByteSource, compression: Compression, open: () => void): Promise<boolean> {
    const unpack = await compression.load();
    let intake: Intake | null = null;
    let damage: DamagedArchive | null = null;
    try {
      for await (const chunk of unpack(source)) {
        if (intake === null) {
          intake = new Intake(chunk, file, this.feed);
          open();
        }
        this.checkRoom(file);
        intake.add(chunk);
      }
    } catch (error) {
      if (!(error instanceof DamagedArchive)) throw error;
      damage = error;
    }
    if (intake === null) open();
    else intake.finish();
    if (damage === null || this.signal?.aborted) return false;
    this.note({
      input: file.name,
      text: `damaged or cut off inside its ${compression.name} compression (${damage.message}); what comes before was read`,
    });
    return true;
  }
}
