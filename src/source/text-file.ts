import {readFileSync, statSync} from 'node:fs';
import {asInputError, InputError} from './input-error.ts';

/** A configuration is written by people. What is larger is a log, or worse. */
const LARGEST = 4 * 1024 * 1024;

/** The text of a small file. Throws {@link InputError} where it cannot be read, or is no text. */
export function readTextFile(path: string): string {
  try {
    const stat = statSync(path);
    if (!stat.isFile())
      throw new InputError(path, stat.isDirectory() ? 'it is a directory; name the files in it' : 'no plain file');
    if (stat.size > LARGEST) throw new InputError(path, 'it is too large for a configuration; is it the log?');
    const bytes = readFileSync(path);
    if (bytes.includes(0)) throw new InputError(path, 'it is no text');
    return bytes.toString('utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw asInputError(path, error);
  }
}

export function isFile(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false})?.isFile() ?? false;
}

/** The files that a pattern stands for, in the order of their names. `base` is where a relative pattern begins. */
export async function filesMatching(pattern: string, base: string): Promise<readonly string[]> {
  const {glob} = await import('tinyglobby');
  const found = await glob(pattern, {cwd: base, absolute: true, dot: true, expandDirectories: false});
  return found.sort();
}
