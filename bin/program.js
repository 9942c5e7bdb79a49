import {readFileSync} from 'node:fs';
import module, {createRequire} from 'node:module';
import {dirname} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Script} from 'node:vm';

/** The whole program in one file. */
const FILE = fileURLToPath(new URL('../dist/program.cjs', import.meta.url));
const require = createRequire(FILE);

/** What V8 made of the program when it was built: half of a start is parsing and compiling it. Another V8 cannot use it. */
export const COMPILED = fileURLToPath(
  new URL(`../dist/program.${process.versions.v8}.${process.arch}.compiled`, import.meta.url),
);

/** The program's exports. Throws ENOENT where it is not built. */
export function load() {
  const cachedData = readIfThere(COMPILED);
  if (cachedData !== null) return run(compile(cachedData).runInThisContext());
  // From Node 22.8 on, what was compiled once is kept in the user's temporary directory.
  module.enableCompileCache?.();
  return run(require(FILE).program);
}

/** @param {Buffer | undefined} cachedData */
export function compile(cachedData) {
  return new Script(readFileSync(FILE, 'latin1'), {filename: FILE, cachedData});
}

/** @param {Function} program What the script or the module in the file gives. */
export function run(program) {
  const made = new module(FILE);
  made.filename = FILE;
  // The command-line framework asks for the program by its file name.
  require.cache[FILE] = made;
  program(made.exports, require, made, FILE, dirname(FILE));
  made.loaded = true;
  return made.exports;
}

function readIfThere(file) {
  try {
    return readFileSync(file);
  } catch {
    return null;
  }
}
