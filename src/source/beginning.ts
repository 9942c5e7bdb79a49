import {closeSync, openSync, readFileSync, readSync, statSync} from 'node:fs';
import {asInputError} from './input-error.ts';

const LENGTH = 256;

/** The whole text of a file whose beginning is as wanted; null of any other, and of what is no plain file. */
export function textBeginning(path: string, isWanted: (beginning: string) => boolean): string | null {
  if (!statSync(path, {throwIfNoEntry: false})?.isFile()) return null;
  try {
    const buffer = Buffer.alloc(LENGTH);
    const descriptor = openSync(path, 'r');
    const length = readSync(descriptor, buffer, 0, LENGTH, 0);
    closeSync(descriptor);
    return isWanted(buffer.toString('utf8', 0, length)) ? readFileSync(path, 'utf8') : null;
  } catch (error) {
    throw asInputError(path, error);
  }
}
