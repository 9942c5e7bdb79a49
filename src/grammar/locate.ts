import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

/** The path of a grammar that is shipped with the program, found upwards from this module. */
export function locateGrammar(file: string): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const path = join(folder, 'grammars', file);
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) throw new Error(`grammar ${file} is missing: the package is not complete`);
  }
}
