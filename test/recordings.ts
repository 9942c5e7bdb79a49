/** The recordings of real servers (samples/README.md), and what logdoctor says of a log. */
import {readdirSync, readFileSync} from 'node:fs';
import {basename, dirname} from 'node:path';
import {analyze, type Diagnosis} from '../src/analyze.ts';

/** What the recorder learned from the kernel. `expected` and `mustNotFire` were written by hand. */
export interface Truth {
  readonly recorded: {readonly end: string};
  readonly processes: readonly TrueProcess[];
  readonly reloads: readonly {
    readonly kind: string;
    readonly askedAt: string;
    readonly workers: readonly {
      readonly oldPid: number;
      readonly newPid: number | null;
      readonly askedAt: string | null;
      readonly endedAt: string | null;
    }[];
  }[];
  readonly recycles: readonly {readonly pid: number; readonly askedAt: string | null; readonly endedAt: string | null}[];
  readonly forcedPids: readonly number[];
  readonly harakiriPids: readonly number[];
  /** uWSGI names a worker in its NO MERCY line also where it left by itself a moment before. */
  readonly namedAfterTheirEnd?: readonly number[];
  readonly requestsCut: readonly unknown[] | number;
  readonly tasks: {readonly orphaned: readonly {readonly id: string; readonly pid: number}[]};
  /** The log cannot tell which tasks were cut. */
  readonly orphansUntold?: boolean;
  readonly expected: readonly string[];
  readonly mustNotFire: readonly string[];
}

export interface TrueProcess {
  readonly pid: number;
  readonly parent: number | null;
  readonly role: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly signal: string | null;
  readonly exitCode: number | null;
  readonly killedBy: string | null;
}

/** The folders of the recordings: of these servers (`uwsgi`, `gunicorn`), or of all. */
export function recordings(...servers: readonly string[]): string[] {
  return readdirSync('samples', {recursive: true, encoding: 'utf8'})
    .map((name) => `samples/${name.replaceAll('\\', '/')}`)
    .filter((name) => basename(name) === 'truth.json')
    .map(dirname)
    .filter((folder) => servers.length === 0 || servers.includes(serverOf(folder)))
    .sort();
}

/** The server that a recording was made with, by the folder it lies in. */
export function serverOf(folder: string): string {
  return basename(dirname(folder));
}

export function truthOf(folder: string): Truth {
  return JSON.parse(readFileSync(`${folder}/truth.json`, 'utf8'));
}

/** The logs of a recording: the server's own, and those of the servers that it runs. */
export function logsOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => `${folder}/${name}`);
}

/** Every log below a folder. */
export function logsBelow(folder: string): string[] {
  return readdirSync(folder, {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith('.log'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`);
}

const diagnoses = new Map<string, Promise<Diagnosis>>();

/** What logdoctor says of files that do not change. Worked out once for all tests of a file. */
export function diagnosed(inputs: readonly string[], configs: readonly string[] = []): Promise<Diagnosis> {
  const key = JSON.stringify([inputs, configs]);
  const diagnosis = diagnoses.get(key) ?? analyze({inputs, configs});
  diagnoses.set(key, diagnosis);
  return diagnosis;
}
