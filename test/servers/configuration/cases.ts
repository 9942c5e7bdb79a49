/** Random configurations: what makes one up, and where it stands. */
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {randomFrom} from '../../grammar/random.ts';

export const seed = Number(process.env['SEED'] ?? 20_261_121);
/** How many configurations of each kind are compared. */
export const ROUNDS = Number(process.env['ROUNDS'] ?? 25);

export class Chance {
  readonly below: (limit: number) => number;

  constructor(round: number) {
    this.below = randomFrom(seed + round * 7919);
  }

  /** Once in so many times. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  of<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }

  many<T>(most: number, make: () => T): T[] {
    return Array.from({length: this.below(most + 1)}, make);
  }
}

/** Files of a case, by their paths below its directory. */
export type Tree = Readonly<Record<string, string>>;

export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'logdoctor-configuration-'));

  remove(): void {
    rmSync(this.path, {recursive: true});
  }

  /** Writes the files into a directory of their own, and returns it. */
  write(name: string, files: Tree): string {
    const directory = join(this.path, name);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), {recursive: true});
      writeFileSync(join(directory, path), text);
    }
    return directory;
  }
}

/** For a message: what can be run again. */
export function told(round: number, files: Tree): string {
  const shown = Object.entries(files).map(([name, text]) => `--- ${name}\n${text}`);
  return `SEED=${seed}, round ${round}\n${shown.join('\n')}`;
}
