#!/usr/bin/env node
import module from 'node:module';

// From Node 22.8 on, what was compiled once is kept in the user's temporary directory.
module.enableCompileCache?.();
const {main} = await import('../dist/cli.js').catch((error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  process.stderr.write(`logdoctor is not built yet: npm run build (${error.message})\n`);
  process.exit(2);
});
await main(process.argv.slice(2));
