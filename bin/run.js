#!/usr/bin/env node
const {load} = require('./program.js');

let program;
try {
  program = load();
} catch (error) {
  if (error.code !== 'ENOENT' && error.code !== 'MODULE_NOT_FOUND') throw error;
  process.stderr.write(`logdoctor is not built yet: npm run build (${error.message})\n`);
  process.exit(2);
}
program.main(process.argv.slice(2));
