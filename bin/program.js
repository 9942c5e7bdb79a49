// CommonJS, as bin/package.json says: Node's loader of ES modules is never started, which takes a tenth of a start.
const {readFileSync} = require('node:fs');
const Module = require('node:module');
const {dirname, join} = require('node:path');
const {Script} = require('node:vm');

/** The whole program in one file. */
const FILE = join(__dirname, '../dist/program.cjs');
const requireThere = Module.createRequire(FILE);

/** What V8 made of the program when it was built: half of a start is parsing and compiling it. Another V8 cannot use it. */
const COMPILED = join(__dirname, `../dist/program.${process.versions.v8}.${process.arch}.compiled`);

/** The program's exports. Throws ENOENT where it is not built. */
function load() {
  const cachedData = readIfThere(COMPILED);
  if (cachedData !== null) return run(compile(cachedData).runInThisContext());
  // From Node 22.8 on, what was compiled once is kept in the user's temporary directory.
  Module.enableCompileCache?.();
  return run(requireThere(FILE).program);
}

/** @param {Buffer | undefined} cachedData */
function compile(cachedData) {
  return new Script(readFileSync(FILE, 'latin1'), {filename: FILE, cachedData});
}

/** @param {Function} program What the script or the module in the file gives. */
function run(program) {
  const made = new Module(FILE);
  made.filename = FILE;
  // The command-line framework asks for the program by its file name.
  requireThere.cache[FILE] = made;
  program(made.exports, requireThere, made, FILE, dirname(FILE));
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

module.exports = {COMPILED, compile, load, run};
