#!/usr/bin/env node
const {engines, name, version} = require('../package.json');
const {load} = require('./program.js');

warnOfOldNode();
const argv = process.argv.slice(2);
if (argv[0] === '--version' || argv[0] === '-V') showVersion();
else loaded().main(argv);

/** npm tells of it only when the program is installed. */
function warnOfOldNode() {
  if (placeOf(process.versions.node) >= placeOf(engines.node)) return;
  process.emitWarning(`Node version must be ${engines.node} to use this CLI. Current node version: ${process.versions.node}`);
}

function placeOf(nodeVersion) {
  const [major, minor] = nodeVersion.match(/\d+/g).map(Number);
  return 1000 * major + minor;
}

/** The program is not needed for that, and takes longer to load than Node. */
function showVersion() {
  process.stdout.on('error', () => {});
  process.stdout.write(`${name} ${version}\n`);
}

function loaded() {
  try {
    return load();
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'MODULE_NOT_FOUND') throw error;
    process.stderr.write(`logdoctor is not built yet: npm run build (${error.message})\n`);
    process.exit(2);
  }
}
