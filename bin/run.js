#!/usr/bin/env node
const {main} = await import('../dist/cli.js').catch((error) => {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  process.stderr.write(`logdoctor is not built yet: npm run build (${error.message})\n`);
  process.exit(2);
});
await main(process.argv.slice(2));
