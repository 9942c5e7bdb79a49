import {spawn} from 'node:child_process';
import {fileURLToPath} from 'node:url';

/** The built program. */
export const run = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Surroundings {
  readonly stdin?: string | Buffer;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** Runs the built program; its standard input is a pipe. */
export function logdoctor(args: readonly string[], {stdin = '', env = {}, cwd}: Surroundings = {}): Promise<Ended> {
  const {NO_COLOR, FORCE_COLOR, ...inherited} = process.env;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [run, ...args], {cwd, env: {...inherited, ...env}});
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
    child.on('close', (code) => resolve({code, stdout, stderr}));
  });
}

/** The absolute path of a file of the samples. */
export function sample(path: string): string {
  return fileURLToPath(new URL(`../../samples/${path}`, import.meta.url));
}
