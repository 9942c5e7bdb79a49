import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {HEADROOM} from '../../src/grammar/matcher.ts';
import {type InputNote, readInputs} from '../../src/source/inputs.ts';
import type {InputInfo, LineSink} from '../../src/source/sink.ts';

const LF = 10;

export interface CollectedInput {
  readonly info: InputInfo;
  /** Pieces of a long line are put together again. */
  readonly lines: string[];
  bytes: number;
  truncated: boolean;
  isClosed: boolean;
}

/** Keeps what a sink is given, and holds the giver to its contract. */
export class CollectingSink implements LineSink {
  readonly inputs: CollectedInput[] = [];
  pieces = 0;
  largestRegion = 0;
  private begun: string | null = null;

  get names(): string[] {
    return this.inputs.map(({info}) => info.name);
  }

  get lineTexts(): string[] {
    return this.inputs.flatMap(({lines}) => lines);
  }

  open(info: InputInfo): void {
    if (this.inputs.at(-1)?.isClosed === false) throw new Error('opened before the last was closed');
    this.inputs.push({info, lines: [], bytes: -1, truncated: false, isClosed: false});
  }

  lines(buffer: Buffer, start: number, end: number, isContinued: boolean): void {
    const current = this.inputs.at(-1);
    if (current === undefined || current.isClosed) throw new Error('lines without an open input');
    if (start >= end || buffer[end - 1] !== LF) throw new Error('a region without whole lines');
    if (end + HEADROOM > buffer.length) throw new Error('no headroom');
    this.largestRegion = Math.max(this.largestRegion, end - start);
    const texts = buffer.toString('latin1', start, end - 1).split('\n');
    if (this.begun !== null) texts[0] = this.begun + texts[0];
    this.begun = isContinued ? (texts.pop() ?? '') : null;
    if (isContinued) this.pieces++;
    current.lines.push(...texts);
  }

  close({bytes, truncated}: {readonly bytes: number; readonly truncated: boolean}): void {
    const current = this.inputs.at(-1);
    if (current === undefined || current.isClosed) throw new Error('closed without being open');
    if (this.begun !== null) throw new Error('a long line without its end');
    Object.assign(current, {bytes, truncated, isClosed: true});
  }
}

/** What came of reading: the sink, and what was said beside it. */
export async function collect(inputs: readonly string[], signal?: AbortSignal) {
  const sink = new CollectingSink();
  const notes: InputNote[] = [];
  const errors = await readInputs(inputs, sink, {signal, onNote: (note) => notes.push(note)});
  return {sink, notes: notes.map(({input, text}) => `${input}: ${text}`), errors: errors.map(({message}) => message)};
}

/** A directory for the tests of one file. */
export function temporaryDirectory() {
  const path = mkdtempSync(join(tmpdir(), 'logdoctor-source-'));
  return {
    path,
    at: (name: string) => join(path, name),
    write(name: string, content: string | Uint8Array): string {
      const file = join(path, name);
      writeFileSync(file, content);
      return file;
    },
  };
}
