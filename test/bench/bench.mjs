#!/usr/bin/env node
// How fast logdoctor is, beside the tools that people use today. Nothing here asserts a time: the exit code
// tells whether everything ran and gave the right counts.
import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {cpus, loadavg, release, totalmem} from 'node:os';
import {dirname, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {bytesOf, logOf} from './generate.mjs';
import {measure, memoryIsFrom, scratchDir} from './measure.mjs';
import {LOG_OF, subjectsOf} from './subjects.mjs';
import {ratiosOf, ratioTable, rowOf, rowTable} from './summary.mjs';

const PROGRAM = resolve(dirname(fileURLToPath(import.meta.url)), '../../bin/run.js');
/** About a hundred lines: the start of a server and its first requests. */
const TINY_BYTES = 12_500;
/** What takes more seconds than this runs twice at most. */
const SLOW = 5;
const ALL = Object.keys(LOG_OF);
const HELP = `Measures logdoctor beside the tools that are installed.

  npm run bench -- [options]

  --size SIZE      bytes of the bare log, as 64m or 1g (256m)
  --runs N         rounds; in each, everything runs once, the slowest only in the first two (5)
  --only LIST      inputs: ${ALL.join(', ')} (all)
  --skip LIST      tools to leave out by the first word of their command: goaccess,lnav
  --seed N         another log of the same kind (1)
  --json PATH      the figures for programs, too
  --program PATH   the logdoctor to measure (bin/run.js)`;

/** @typedef {{subject: import('./subjects.mjs').Subject, runs: import('./measure.mjs').Measured[], isUnread: boolean}} Measuring */

async function main() {
  const options = readOptions();
  const {subjects, missing} = await prepare(options);
  console.log(
    `${machine()}\nlogs of ${options.size / 1e6} MB, seed ${options.seed}, ${options.runs} rounds, load ${loadavg()[0].toFixed(1)} before`,
  );
  if (missing.length > 0) console.log(`not installed, left out: ${missing.join(', ')}`);
  const measured = await rounds(subjects, options.runs);
  const rows = measured.map(({subject, runs, isUnread}) =>
    rowOf(subject, runs, {bytes: bytesRead(subject, options.size), isUnread}),
  );
  const ratios = ratiosOf(rows);
  console.log(`\n${rowTable(rows)}\n\n${ratioTable(ratios)}\n\nload ${loadavg()[0].toFixed(1)} after; memory: ${memoryIsFrom}`);
  if (options.json !== undefined)
    writeFileSync(
      options.json,
      `${JSON.stringify({machine: machine(), ...options, date: new Date().toISOString(), rows, ratios}, null, 2)}\n`,
    );
}

function readOptions() {
  const {values} = parseArgs({
    options: {
      size: {type: 'string', default: '256m'},
      runs: {type: 'string', default: '5'},
      only: {type: 'string', default: ALL.join(',')},
      skip: {type: 'string', default: ''},
      seed: {type: 'string', default: '1'},
      json: {type: 'string'},
      program: {type: 'string', default: PROGRAM},
      help: {type: 'boolean', short: 'h', default: false},
    },
  });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const only = values.only.split(',');
  const stranger = only.find((input) => !ALL.includes(input));
  if (stranger !== undefined) throw new Error(`no input ${stranger}; there are ${ALL.join(', ')}`);
  const program = resolve(values.program);
  if (!existsSync(program)) throw new Error(`${program} is not there`);
  return {
    size: bytesOf(values.size),
    runs: atLeastOne(values.runs),
    only,
    skip: values.skip.split(','),
    seed: Number(values.seed),
    program,
    ...(values.json !== undefined && {json: values.json}),
  };
}

function atLeastOne(text) {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new Error(`--runs ${text}: a whole number from 1 on`);
  return count;
}

async function prepare({only, size, seed, program, skip}) {
  const logs = {};
  for (const variant of new Set(only.map((input) => LOG_OF[input]).filter((variant) => variant !== null))) {
    process.stderr.write(`preparing ${variant} …\n`);
    logs[variant] = await logOf({variant, size, seed});
    await warm(logs[variant].path);
  }
  const tiny = await logOf({variant: 'bare', size: TINY_BYTES, seed});
  const {subjects, missing} = subjectsOf({logs, tiny, program, inputs: only});
  return {
    subjects: subjects.filter(
      ({
        command: {
          argv: [tool],
        },
      }) => !skip.includes(tool),
    ),
    missing,
  };
}

/** What is measured is the program, not the disk. */
async function warm(path) {
  await measure({argv: ['cat', path]});
}

/** Everything once, then everything once more: what disturbs the machine for a while disturbs all alike. */
async function rounds(subjects, count) {
  /** @type {Measuring[]} */
  const measured = subjects.map((subject) => ({subject, runs: [], isUnread: false}));
  for (let round = 0; round < count; round++) {
    for (const entry of measured) {
      if (entry.runs.length >= 2 && entry.runs[0].wall > SLOW) continue;
      process.stderr.write(`round ${round + 1} of ${count}: ${entry.subject.id}\n`);
      entry.runs.push(await measure(entry.subject.command));
      if (round === 0) entry.isUnread = check(entry.subject);
    }
  }
  return measured;
}

/** A fast wrong answer is worth nothing. Gives true where the program itself says that it cannot read the log. */
function check({id, log, answer}) {
  if (answer === undefined) return false;
  const {lines = log.lines, requests, isUnread = false} = answer();
  if (isUnread) return true;
  if (lines === log.lines && requests === log.requests) return false;
  throw new Error(`${id} counts ${requests} requests in ${lines} lines; there are ${log.requests} in ${log.lines}`);
}

/** A compressed log is as fast as what comes out of it. */
function bytesRead({input, log}, size) {
  if (log === null) return 0;
  return input === 'gz' ? size : log.bytes;
}

function machine() {
  const [{model}] = cpus();
  return `${cpus().length} x ${model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${system()}, Node ${process.version}`;
}

function system() {
  const [, name] =
    /^PRETTY_NAME="(.*)"$/m.exec(existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '') ?? [];
  return `${name ?? process.platform} (${release()})`;
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(scratchDir, {recursive: true, force: true});
}
