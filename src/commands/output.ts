import {writeFileSync} from 'node:fs';
import type {Diagnosis} from '../analyze.ts';
import {type ReporterEntry, reporters} from '../report/index.ts';
import type {RenderOptions, Reporter} from '../report/reporter.ts';
import {didYouMean} from './nearest.ts';
import {UsageError} from './usage-error.ts';

/** A report and where it goes: a file, or standard output where `path` is null. */
export interface Output {
  readonly reporter: Reporter;
  readonly path: string | null;
}

/** What `--format`, `--json` and `--output` ask for together. Text on standard output where they ask for nothing. */
export async function outputsOf(flags: {
  readonly format?: readonly string[] | undefined;
  readonly json?: boolean | undefined;
  readonly output?: string | undefined;
}): Promise<readonly Output[]> {
  const wanted = [...(flags.format ?? []), ...(flags.json ? ['json'] : [])];
  const outputs = (wanted.length === 0 ? ['text'] : [...new Set(wanted)]).map((format) => {
    const [name = '', ...rest] = format.split('=');
    return {entry: entryNamed(name), path: rest.length === 0 ? (flags.output ?? null) : rest.join('=')};
  });
  const paths = outputs.map(({path}) => path);
  if (paths.some((path, i) => path === '' || paths.indexOf(path) !== i)) {
    throw new UsageError(
      'each report needs a place of its own: give all but one a file, as in --format text --format json=report.json',
    );
  }
  if (flags.output !== undefined && !paths.includes(flags.output)) {
    throw new UsageError('--output has nothing to write: every --format names its own file');
  }
  return Promise.all(outputs.map(async ({entry, path}) => ({reporter: await entry.load(), path})));
}

/** Writes the report to its file. */
export function writeReport(
  {reporter, path}: Output & {readonly path: string},
  diagnosis: Diagnosis,
  options: RenderOptions,
): void {
  try {
    writeFileSync(path, reporter.render(diagnosis, options));
  } catch (error) {
    const {code, message} = error as NodeJS.ErrnoException;
    throw new UsageError(`cannot write ${path}: ${REASONS[code ?? ''] ?? message}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its directory does not exist',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOSPC: 'no space left on the device',
};

function entryNamed(name: string): ReporterEntry {
  const found = reporters.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  const names = reporters.map((entry) => entry.name);
  throw new UsageError(`unknown format ${name}${didYouMean(name, names) || `; there are ${names.join(', ')}`}`);
}
