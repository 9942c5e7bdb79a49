import {type BigIntStats, type Dirent, readdirSync, statSync} from 'node:fs';
import {basename, dirname, isAbsolute, join} from 'node:path';
import {asInputError, InputError} from './input-error.ts';
import type {InputFile, InputNote} from './input-file.ts';
import {similarName} from './similar-name.ts';

/** What the names on the command line stand for, in their order. */
export interface Expansion {
  readonly files: readonly InputFile[];
  readonly errors: readonly InputError[];
  readonly notes: readonly InputNote[];
}

const GLOB = /[*?[\]{}]/;

/** Files, patterns, directories and `-`. A file that is named twice, by whatever names, is there once. */
export async function expandInputs(inputs: readonly string[]): Promise<Expansion> {
  const expander = new Expander();
  for (const input of inputs) {
    try {
      await expander.add(input);
    } catch (error) {
      expander.errors.push(asInputError(input, error));
    }
  }
  return expander;
}

class Expander implements Expansion {
  readonly files: InputFile[] = [];
  readonly errors: InputError[] = [];
  readonly notes: InputNote[] = [];
  /** By device and inode: the name under which a file is read. */
  private readonly known = new Map<string, string>();

  async add(input: string): Promise<void> {
    if (input === '-') {
      if (!this.known.has('-')) this.files.push({path: '-', name: 'stdin', kind: 'stdin', foundIn: null});
      this.known.set('-', '-');
      return;
    }
    const stat = statSync(input, {bigint: true, throwIfNoEntry: false});
    if (stat?.isDirectory()) this.addDirectory(input);
    else if (stat !== undefined) this.addFile(input, stat, null);
    else if (GLOB.test(input)) await this.addMatches(input);
    else throw new InputError(input, `no such file${meant(input)}`);
  }

  private addFile(path: string, stat: BigIntStats, foundIn: string | null): void {
    const identity = `${stat.dev}:${stat.ino}`;
    const name = path.replaceAll('\\', '/');
    const knownAs = this.known.get(identity);
    if (knownAs !== undefined) {
      if (knownAs !== name && foundIn === null) this.notes.push({input: name, text: `the same file as ${knownAs}; read once`});
      return;
    }
    const kind = stat.isFile() ? 'regular' : stat.isFIFO() || stat.isSocket() ? 'pipe' : 'device';
    // What was not asked for by name must not keep the reader waiting.
    if (foundIn !== null && kind !== 'regular') return;
    this.known.set(identity, name);
    this.files.push({path, name, kind, foundIn});
  }

  private async addMatches(pattern: string): Promise<void> {
    const {glob} = await import('tinyglobby');
    const paths = await glob(pattern, {onlyFiles: true, expandDirectories: false, absolute: isAbsolute(pattern)});
    if (paths.length === 0) throw new InputError(pattern, 'no file matches this pattern');
    for (const path of paths.sort()) this.addFound(path, pattern);
  }

  /** All files below it but hidden ones. Links to files are followed, links to directories are not. */
  private addDirectory(directory: string): void {
    const before = this.files.length + this.notes.length + this.errors.length;
    this.walk(directory, directory);
    if (this.files.length + this.notes.length + this.errors.length === before) {
      throw new InputError(directory, 'it is a directory without log files');
    }
  }

  private walk(directory: string, foundIn: string): void {
    let entries: Dirent[];
    try {
      entries = readdirSync(directory, {withFileTypes: true});
    } catch (error) {
      this.errors.push(asInputError(directory, error));
      return;
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.')) continue;
      const path = join(directory, entry.name);
      if (entry.isDirectory()) this.walk(path, foundIn);
      else if (entry.isFile() || entry.isSymbolicLink()) this.addFound(path, foundIn);
    }
  }

  private addFound(path: string, foundIn: string): void {
    try {
      const stat = statSync(path, {bigint: true, throwIfNoEntry: false});
      if (stat === undefined) this.notes.push({input: path, text: 'a link to a file that is not there'});
      else if (!stat.isDirectory()) this.addFile(path, stat, foundIn);
    } catch (error) {
      this.errors.push(asInputError(path, error));
    }
  }
}

/** `; did you mean X?` where a name in the same directory is close. */
function meant(input: string): string {
  try {
    const directory = dirname(input);
    const name = similarName(basename(input), readdirSync(directory));
    if (name === undefined) return '';
    return `; did you mean ${input.includes('/') ? join(directory, name) : name}?`;
  } catch {
    return '';
  }
}
