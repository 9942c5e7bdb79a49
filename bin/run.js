#!/usr/bin/env node
import {load} from './program.js';

let main;
try {
  ({main} = load());
} catch (error) {
  if (error.code !== 'ENOENT' && error.code !== 'MODULE_NOT_FOUND') throw error;
  process.stderr.write(`logdoctor is not built yet: npm run build (${error.message})\n`);
  process.exit(2);
}
await main(process.argv.slice(2));
