import {basename, dirname} from 'node:path';
import type {InputFile} from './input-file.ts';
import {compareAge, missingBetween, readName} from './rotated-name.ts';

/** The parts of one log, oldest first; most logs have one. */
export type RotatedSet = readonly InputFile[];

/** Puts the parts of each log together, at the place where the first of them was named. */
export function groupRotated(files: readonly InputFile[]): RotatedSet[] {
  const sets = new Map<string, InputFile[]>();
  for (const [position, file] of files.entries()) {
    const key = file.kind === 'regular' ? `${dirname(file.path)}\n${readName(basename(file.path)).log}` : `${position}`;
    const set = sets.get(key);
    if (set === undefined) sets.set(key, [file]);
    else set.push(file);
  }
  return [...sets.values()].map((set) => set.sort((a, b) => compareAge(readName(basename(a.path)), readName(basename(b.path)))));
}

/** What to say where the parts of a set do not follow on one another; null where they do, as far as names tell. */
export function gapBetween(older: InputFile, newer: InputFile): string | null {
  const missing = missingBetween(readName(basename(older.path)), readName(basename(newer.path)));
  if (missing === 0) return null;
  return missing === 1
    ? `the part between it and ${newer.name} is missing`
    : `${missing} parts between it and ${newer.name} are missing`;
}
