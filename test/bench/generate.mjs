#!/usr/bin/env node
// Writes the logs that the benchmark reads. The same seed and size give the same bytes.
//
//   node test/bench/generate.mjs [--size 256m] [--seed 1] [--only bare,gz] [--dir DIR]
import {createHash} from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {createGzip} from 'node:zlib';
import {hostileServer} from './hostile.mjs';
import {Server} from './server.mjs';

const BLOCK = 1024 * 1024;
/** More than any line takes, wrapped or not. */
const LONGEST_LINE = 8192;

const asItIs = (line) => line;

/**
 * @typedef {object} Variant
 * @property {string} file
 * @property {string} about
 * @property {(line: string, now: number) => string} [wrap] what a transport makes of a line
 * @property {boolean} [isHostile]
 * @property {boolean} [isUnlike] no line comes twice
 * @property {boolean} [isPacked] the bare log, compressed
 */

/** @type {Readonly<Record<string, Variant>>} */
export const VARIANTS = {
  bare: {file: 'bare.log', about: 'as uWSGI writes it'},
  journald: {file: 'journald.log', about: "every line behind journald's short prefix", wrap: journald},
  docker: {file: 'docker.json.log', about: "every line in a record of Docker's json-file", wrap: docker},
  gz: {file: 'bare.log.gz', about: 'the bare log, compressed at level 6', isPacked: true},
  hostile: {file: 'hostile.log', about: 'every line begins like a lifecycle message and is none', isHostile: true},
  unlike: {file: 'unlike.log', about: 'the same, and no line comes twice', isHostile: true, isUnlike: true},
};

/**
 * @typedef {object} Made A generated log, and what is in it.
 * @property {string} path
 * @property {number} bytes of the file
 * @property {number} lines
 * @property {number} requests
 * @property {number} lifecycle
 * @property {number} application
 */

/**
 * Gives the log, generated or as it was left by an earlier run. `size` counts the bytes of bare lines, so
 * that wrapped logs hold the same lines as the bare one.
 *
 * @param {{variant: string, size: number, seed: number, dir?: string}} wanted
 * @returns {Promise<Made>}
 */
export async function logOf({variant, size, seed, dir = cacheDir(size, seed)}) {
  const path = join(dir, VARIANTS[variant].file);
  const manifest = `${path}.made`;
  if (existsSync(manifest)) {
    const made = JSON.parse(readFileSync(manifest, 'utf8'));
    if (existsSync(path) && statSync(path).size === made.bytes) return {path, ...made};
  }
  mkdirSync(dir, {recursive: true});
  const partial = `${path}.${process.pid}.partial`;
  const counts = VARIANTS[variant].isPacked
    ? await pack({size, seed, dir, partial})
    : await write({variant, size, seed, partial});
  const made = {bytes: statSync(partial).size, ...counts};
  renameSync(partial, path);
  writeFileSync(manifest, JSON.stringify(made));
  return {path, ...made};
}

/** Another generator makes another log, so its own text is part of the name. */
function cacheDir(size, seed) {
  const here = dirname(fileURLToPath(import.meta.url));
  const hash = createHash('sha256');
  for (const file of ['banner', 'clock', 'generate', 'hostile', 'noise', 'random', 'server'])
    hash.update(readFileSync(join(here, `${file}.mjs`)));
  return join(tmpdir(), `logdoctor-bench-${seed}-${size}-${hash.digest('hex').slice(0, 8)}`);
}

async function pack({size, seed, dir, partial}) {
  const {path, bytes: _, ...counts} = await logOf({variant: 'bare', size, seed, dir});
  await pipeline(
    createReadStream(path, {highWaterMark: BLOCK}),
    createGzip({level: 6, chunkSize: BLOCK}),
    createWriteStream(partial),
  );
  return counts;
}

async function write({variant, size, seed, partial}) {
  const counts = {lines: 0, requests: 0, lifecycle: 0, application: 0};
  await pipeline(Readable.from(blocks(VARIANTS[variant], size, seed, counts), {highWaterMark: 4}), createWriteStream(partial));
  return counts;
}

/** The log in blocks of about a megabyte. */
function* blocks({wrap = asItIs, isHostile = false, isUnlike = false}, size, seed, counts) {
  let block = Buffer.allocUnsafe(BLOCK);
  let used = 0;
  let left = size;
  /** Blocks that are full and not handed on yet. */
  const full = [];
  const put = (kind) => (line, now) => {
    if (left <= 0) return;
    counts[kind]++;
    counts.lines++;
    // Lines of the application may hold anything; the others are ASCII.
    left -= 1 + (kind === 'application' ? Buffer.byteLength(line) : line.length);
    if (used + LONGEST_LINE > BLOCK) {
      full.push(block.subarray(0, used));
      block = Buffer.allocUnsafe(BLOCK);
      used = 0;
    }
    const text = `${wrap(line, now)}\n`;
    used += kind === 'application' ? block.utf8Write(text, used) : block.latin1Write(text, used);
  };
  const sink = {request: put('requests'), lifecycle: put('lifecycle'), application: put('application')};
  const server = isHostile ? hostileServer(seed, sink, isUnlike) : new Server(seed, sink);
  while (left > 0) {
    server.step();
    while (full.length > 0) yield full.shift();
  }
  yield block.subarray(0, used);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
let prefixSecond = Number.NaN;
let prefix = '';

/** `Nov 20 23:21:10 web1 uwsgi[4093]: …` */
function journald(line, now) {
  const second = Math.floor(now / 1000);
  if (second !== prefixSecond) {
    const date = new Date(second * 1000);
    prefixSecond = second;
    prefix = `${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2, '0')} ${date.toISOString().slice(11, 19)} web1 uwsgi[4093]: `;
  }
  return prefix + line;
}

const ESCAPED = {'<': '\\u003c', '>': '\\u003e', '&': '\\u0026'};
let recordSecond = Number.NaN;
let recordTime = '';

/** `{"log":"…\n","stream":"stderr","time":"2026-11-20T23:21:10.123456789Z"}`, escaped as Go does it. */
function docker(line, now) {
  const second = Math.floor(now / 1000);
  if (second !== recordSecond) {
    recordSecond = second;
    recordTime = new Date(second * 1000).toISOString().slice(0, 19);
  }
  const nanos = String(Math.floor((now - second * 1000) * 1_000_000)).padStart(9, '0');
  const text = JSON.stringify(line)
    .slice(1, -1)
    .replace(/[<>&]/g, (sign) => ESCAPED[sign]);
  return `{"log":"${text}\\n","stream":"stderr","time":"${recordTime}.${nanos}Z"}`;
}

/**
 * @param {string} text such as 256m, 1g or 1000000
 * @returns {number} bytes
 */
export function bytesOf(text) {
  const [, number, unit] = /^(\d+)([kmg]?)b?$/i.exec(text) ?? [];
  if (number === undefined) throw new Error(`not a size: ${text} (say 256m or 1g)`);
  return Number(number) * {'': 1, k: 1e3, m: 1e6, g: 1e9}[unit.toLowerCase()];
}

async function main() {
  const {values} = parseArgs({
    options: {
      size: {type: 'string', default: '256m'},
      seed: {type: 'string', default: '1'},
      only: {type: 'string', default: Object.keys(VARIANTS).join(',')},
      dir: {type: 'string'},
    },
  });
  for (const variant of values.only.split(',')) {
    if (VARIANTS[variant] === undefined) throw new Error(`no variant ${variant}; there are ${Object.keys(VARIANTS).join(', ')}`);
    const begun = performance.now();
    const made = await logOf({
      variant,
      size: bytesOf(values.size),
      seed: Number(values.seed),
      ...(values.dir && {dir: values.dir}),
    });
    const seconds = (performance.now() - begun) / 1000;
    console.log(
      `${made.path}  ${made.lines} lines, ${made.requests} requests, ${(made.bytes / 1e6).toFixed(0)} MB in ${seconds.toFixed(1)} s`,
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
