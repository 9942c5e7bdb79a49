// Runs one command and says how long it took and how much memory it held.
import {spawn, spawnSync} from 'node:child_process';
import {closeSync, mkdtempSync, openSync, readFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const GNU_TIME = '/usr/bin/time';
const POLL_MS = 20;

/**
 * @typedef {object} Measured
 * @property {number} wall seconds
 * @property {number | null} user seconds of processor time; null where nothing tells
 * @property {number | null} system
 * @property {number | null} peak KiB; null where nothing tells
 */

/**
 * @typedef {object} Command
 * @property {string[]} argv
 * @property {string} [pipedFrom] a file that `cat` writes to its standard input
 * @property {readonly number[]} [ok] exit codes that are no failure, besides 0
 * @property {Record<string, string>} [env]
 */

const scratch = mkdtempSync(join(tmpdir(), 'logdoctor-bench-run-'));
const stdout = join(scratch, 'stdout');
const stderr = join(scratch, 'stderr');
const usage = join(scratch, 'usage');
const hasGnuTime = spawnSync(GNU_TIME, ['-q', '-f', '%M', 'true']).status === 0;

/** @param {string} name */
export function isInstalled(name) {
  return spawnSync('sh', ['-c', 'command -v "$0"', name]).status === 0;
}

/** What the last command wrote. */
export function lastOutput() {
  return readFileSync(stdout, 'utf8');
}

/** Where commands may leave files that nobody wants. */
export const scratchDir = scratch;

export const memoryIsFrom = hasGnuTime ? 'wait4, by GNU time' : 'VmHWM of /proc, read every 20 ms';

/**
 * @param {Command} command
 * @returns {Promise<Measured>}
 */
export async function measure({argv, pipedFrom, ok = [], env = {}}) {
  const timed = hasGnuTime ? [GNU_TIME, '-q', '-f', '%U %S %M', '-o', usage, ...argv] : argv;
  const [program, ...rest] = pipedFrom === undefined ? timed : ['sh', '-c', 'cat "$0" | "$@"', pipedFrom, ...timed];
  const out = openSync(stdout, 'w');
  const err = openSync(stderr, 'w');
  const begun = performance.now();
  const child = spawn(program, rest, {stdio: ['ignore', out, err], env: {...process.env, ...env}});
  const poll = hasGnuTime ? null : pollPeak(child.pid);
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (exitCode, signal) => resolve(exitCode ?? signal));
  });
  const wall = (performance.now() - begun) / 1000;
  closeSync(out);
  closeSync(err);
  const polled = poll?.stop() ?? null;
  if (code !== 0 && !ok.includes(code))
    throw new Error(`${argv.join(' ')}: exit ${code}\n${readFileSync(stderr, 'utf8').slice(0, 2000)}`);
  if (!hasGnuTime) return {wall, user: null, system: null, peak: polled};
  const [user, system, peak] = readFileSync(usage, 'utf8').trim().split(' ').map(Number);
  return {wall, user, system, peak};
}

/** The largest process among `root` and its descendants, as far as looking now and then finds it. */
function pollPeak(root) {
  let peak = null;
  const look = (pid) => {
    try {
      const [, kib] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
      if (kib !== undefined) peak = Math.max(peak ?? 0, Number(kib));
      for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)) look(child);
    } catch {
      // The process is gone, or this system has no /proc.
    }
  };
  const timer = setInterval(() => look(root), POLL_MS);
  return {
    stop() {
      clearInterval(timer);
      return peak;
    },
  };
}
