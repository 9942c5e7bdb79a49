import {statSync} from 'node:fs';
import type {InputFile} from './input-file.ts';

/** How far the reading of inputs is. Costs nothing while nobody asks: sources count their bytes anyway. */
export class ReadingProgress {
  /** Bytes of all inputs as stored; null where one of them does not tell its length. */
  total: number | null = null;
  private closed = 0;
  private source: {readonly bytes: number} | null = null;

  /** Bytes read so far, as stored. */
  get bytes(): number {
    return this.closed + (this.source?.bytes ?? 0);
  }

  expect(files: readonly InputFile[]): void {
    const sizes = files.map(({kind, path}) => (kind === 'regular' ? (statSync(path, {throwIfNoEntry: false})?.size ?? 0) : null));
    this.total = sizes.reduce<number | null>((sum, size) => (sum === null || size === null ? null : sum + size), 0);
  }

  opened(source: {readonly bytes: number}): void {
    this.source = source;
  }

  ended(): void {
    this.closed = this.bytes;
    this.source = null;
  }
}
