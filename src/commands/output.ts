import {writeFileSync} from 'node:fs';
import type {Diagnosis} from '../analyze.ts';
import {type ReporterEntry, reporters} from '../report/index.ts';
import type {RenderOptions, Reporter} from '../report/reporter.ts';
import {didYouMean} from './nearest.ts';
import {isTerminal, wantsColor, widthFor} from './terminal.ts';
import {UsageError} from './usage-error.ts';

/** A report and where it goes: a file, or standard output where `path` is null. */
export interface Output {
  readonly reporter: Reporter;
  readonly path: string | null;
}

/** A format by its name, and where what is written in it goes: a file, or standard output where `path` is null. */
export interface Place {
  readonly name: string;
  readonly path: string | null;
}

/** The flags that say what to write and where to. */
interface OutputFlags {
  readonly format?: readonly string[] | undefined;
  readonly json?: boolean | undefined;
  readonly patch?: boolean | undefined;
  readonly output?: string | undefined;
}

/** What `--format`, `--json` and `--output` ask for together. Text on standard output where they ask for nothing. */
export function placesOf(flags: OutputFlags, known: readonly string[]): readonly Place[] {
  const wanted = [...(flags.format ?? []), ...(flags.json ? ['json'] : []), ...(flags.patch ? ['patch'] : [])];
  const places = (wanted.length === 0 ? ['text'] : [...new Set(wanted)]).map((format): Place => {
    const [name = '', ...rest] = format.split('=');
    if (!known.includes(name))
      throw new UsageError(`unknown format ${name}${didYouMean(name, known) || `; there are ${known.join(', ')}`}`);
    return {name, path: rest.length === 0 ? (flags.output ?? null) : rest.join('=')};
  });
  const unnamed = places.find(({path}) => path === '');
  if (unnamed !== undefined)
    throw new UsageError(`--format ${unnamed.name}= names no file; without = it goes to standard output`);
  const paths = places.map(({path}) => path);
  if (paths.some((path, i) => paths.indexOf(path) !== i)) {
    throw new UsageError(
      `each format needs a place of its own: give all but one a file, as in --format text --format ${known[1]}=out.${known[1]}`,
    );
  }
  if (flags.output !== undefined && !paths.includes(flags.output)) {
    throw new UsageError('--output has nothing to write: every --format names its own file');
  }
  return places;
}

/** The reporters that are asked for, and where their reports go. */
export async function outputsOf(flags: OutputFlags): Promise<readonly Output[]> {
  const names = reporters.map(({name}) => name);
  const load = async ({name, path}: Place) => ({
    reporter: await (reporters.find((entry) => entry.name === name) as ReporterEntry).load(),
    path,
  });
  return Promise.all(placesOf(flags, names).map(load));
}

/** Writes the report to its file. */
export function writeReport(
  {reporter, path}: Output & {readonly path: string},
  diagnosis: Diagnosis,
  options: RenderOptions,
): void {
  writeText(path, reporter.render(diagnosis, options));
}

/** Puts what `render` makes in each format where it goes. Only standard output may be a terminal, with its width and colours. */
export function writeResults(
  places: readonly Place[],
  {color, quiet}: {readonly color?: boolean | undefined; readonly quiet: boolean},
  render: (format: string, options: RenderOptions) => string | undefined,
): void {
  const plain: RenderOptions = {width: widthFor(undefined), color: color ?? false, quiet, showRules: false};
  const toTerminal = isTerminal(1);
  const width = widthFor(toTerminal ? process.stdout.columns : undefined);
  const shown = {...plain, width, color: wantsColor(color, process.env, toTerminal)};
  for (const {name, path} of places) {
    const text = render(name, path === null ? shown : plain) ?? '';
    if (path === null) process.stdout.write(text);
    else writeText(path, text);
  }
}

export function writeText(path: string, text: string): void {
  try {
    writeFileSync(path, text);
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
