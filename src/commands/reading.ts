import * as Args from '@oclif/core/args';
import type {Command} from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import type {AnalyzeOptions, Diagnosis, Progress} from '../analyze.ts';
import {Zone} from '../envelope/zone.ts';
import {printable} from '../report/escape.ts';
import {type NotUnderstood, notUnderstood} from '../report/understood.ts';
import {FAIL_ON, type FailOn} from '../severity.ts';
import type {Bound} from '../timeline/window.ts';
import {EXIT_INTERRUPTED, EXIT_TROUBLE, exitCode} from './exit-code.ts';
import {interruptible} from './interrupt.ts';
import {didYouMean} from './nearest.ts';
import {showProgress} from './progress.ts';
import {isTerminal} from './terminal.ts';
import {UsageError} from './usage-error.ts';

/** What every command that reads logs takes. */
export const readingArgs = {
  input: Args.string({
    multiple: true,
    ignoreStdin: true,
    description: 'log file, or - for standard input (the default in a pipe)',
  }),
};

/** A flag that takes names of a list, which is loaded only if it is needed. */
function namesFlag(description: string, what: string, load: () => Promise<readonly string[]>) {
  return Flags.custom<string>({
    description,
    helpValue: 'NAME',
    multiple: true,
    multipleNonGreedy: true,
    parse: async (name) => {
      const known = await load();
      if (known.includes(name)) return name;
      throw new UsageError(
        `there is no ${what} "${printable(name)}"${didYouMean(name, known) || `; there are ${known.join(', ')}`}`,
      );
    },
  })();
}

function boundFlag(name: string, description: string) {
  return Flags.custom<Bound>({
    description,
    helpValue: 'TIME',
    parse: async (text) => {
      const {boundOf} = await import('../timeline/window.ts');
      const bound = boundOf(text.trim());
      if (bound !== null) return bound;
      throw new UsageError(
        `--${name} takes a time such as "2026-11-20 23:30", 2026-11-20T23:30:05Z, 23:30 or 10min, not "${printable(text)}"`,
      );
    },
  })();
}

/** What detection would choose, forced. */
export const choosingFlags = {
  supervisor: namesFlag('read only the words of this supervisor; repeatable (logdoctor formats lists them)', 'supervisor', () =>
    import('../formats/index.ts').then(({supervisorNames}) => supervisorNames),
  ),
  envelope: namesFlag('peel only this envelope, or none with plain; repeatable (logdoctor formats lists them)', 'envelope', () =>
    import('../formats/index.ts').then(({envelopeNames, PLAIN}) => [...envelopeNames, PLAIN]),
  ),
};

/** A regular expression, checked before anything is read. */
const expressionFlag = (tells: string, other: string) =>
  Flags.custom<string>({
    description: `regular expression (RE2) for lines that tell ${tells}; named groups id, pid and thread, all optional`,
    helpValue: 'RE',
    dependsOn: [other],
    parse: async (text, _, {name}) => {
      const {compileExpression, ExpressionError} = await import('../recorder/task-expressions.ts');
      await compileExpression(text).catch((error) => {
        if (!(error instanceof ExpressionError)) throw error;
        throw new UsageError(`--${name} is no regular expression that can be used: ${printable(error.message)}`);
      });
      return text;
    },
  })();

export const readingFlags = {
  config: Flags.string({
    description:
      'configuration of the server: uwsgi ini, yaml, json, xml (FILE:SECTION for another section), gunicorn.conf.py, supervisord.conf, a systemd unit, a compose file, Kubernetes manifests',
    helpValue: 'FILE',
    multiple: true,
    multipleNonGreedy: true,
  }),
  'min-coverage': Flags.custom<number>({
    description: 'fail (3) where less than this part of an input is understood',
    helpValue: 'PCT',
    parse: async (text) => fractionOf(text),
  })(),
  quiet: Flags.boolean({char: 'q', description: 'only findings and the verdict'}),
  color: Flags.boolean({allowNo: true, description: 'colours, or none; else as the terminal, NO_COLOR and FORCE_COLOR say'}),
  engine: Flags.option({
    description: 'what matches lines: compiled matchers, or the Ohm interpreter they were made from (slow)',
    options: ['compiled', 'ohm'] as const,
    default: 'compiled' as const,
    helpGroup: 'RARELY NEEDED',
  })(),
  tz: Flags.custom<string>({
    description: 'time zone of stamps that tell none, such as Europe/Berlin or +02:00',
    helpValue: 'ZONE',
    parse: async (text) => zoneOf(text),
  })(),
  year: Flags.integer({description: 'year of the first stamp that tells none (syslog)', helpValue: 'YYYY', min: 1970, max: 2100}),
  threads: Flags.integer({
    description: 'how many threads look at a large file (from 512 MB on: as many as there are cores, 4 at most)',
    helpValue: 'N',
    min: 1,
    max: 64,
    helpGroup: 'RARELY NEEDED',
  }),
  'log-format': Flags.custom<string>({
    description: "uWSGI's option log-format, where the server has one: what its request lines look like",
    helpValue: 'TEMPLATE',
    parse: async (text) => templateOf(text),
  })(),
  since: boundFlag(
    'since',
    'leave out what was over before: a date and time, a time of day, or 10min for that before the log ends',
  ),
  until: boundFlag('until', 'read the log as if it ended there; in the same forms'),
  ...choosingFlags,
  'task-start': expressionFlag('that a task of the application begins', 'task-end'),
  'task-end': expressionFlag('that it ends', 'task-start'),
  progress: Flags.boolean({
    allowNo: true,
    default: true,
    description: 'on a terminal, show how far the reading is when it takes long',
  }),
};

/** {@link readingFlags}' of the commands that print neither findings nor a verdict. */
export const quietFlag = Flags.boolean({char: 'q', description: 'nothing on standard error but what cannot be read'});

export const failOnFlag = (fallback: FailOn, description = 'fail (1) on findings of this severity or above') =>
  Flags.option({
    description,
    options: FAIL_ON,
    default: fallback,
  })();

/** What a baseline makes of a diagnosis; `isWhole` where all inputs were read to their end and understood. */
export type Acceptance = (diagnosis: Diagnosis, isWhole: boolean) => Promise<Diagnosis>;

/** What {@link readingFlags} give. */
export interface ReadingFlags {
  readonly engine: 'compiled' | 'ohm';
  readonly quiet: boolean;
  readonly config?: readonly string[] | undefined;
  readonly 'min-coverage'?: number | undefined;
  readonly tz?: string | undefined;
  readonly year?: number | undefined;
  readonly threads?: number | undefined;
  readonly progress: boolean;
  readonly 'log-format'?: string | undefined;
  readonly since?: Bound | undefined;
  readonly until?: Bound | undefined;
  readonly supervisor?: readonly string[] | undefined;
  readonly envelope?: readonly string[] | undefined;
  readonly 'task-start'?: string | undefined;
  readonly 'task-end'?: string | undefined;
}

/** What they mean for the analysis. */
export function analysisOptions(flags: ReadingFlags): Omit<AnalyzeOptions, 'inputs'> {
  const {'task-start': start, 'task-end': end} = flags;
  return {
    configs: flags.config,
    engine: flags.engine,
    zone: flags.tz,
    year: flags.year,
    threads: flags.threads,
    logFormat: flags['log-format'],
    since: flags.since,
    until: flags.until,
    supervisors: flags.supervisor,
    envelopes: flags.envelope,
    tasks: start === undefined || end === undefined ? undefined : {start, end},
  };
}

/** The diagnosis, and how reading went. */
export interface Reading {
  readonly diagnosis: Diagnosis;
  readonly notUnderstood: readonly NotUnderstood[];
  readonly exitCode: number;
}

/** No input is named, and standard input is a terminal: shows the help and sets the exit code. */
export async function hasNothingToRead(command: Command, inputs: readonly string[] | undefined): Promise<boolean> {
  if ((inputs !== undefined && inputs.length > 0) || !isTerminal(0)) return false;
  const {showHelp} = await import('./help.ts');
  await showHelp(command.config, [command.id ?? '']);
  process.exitCode = EXIT_TROUBLE;
  return true;
}

/**
 * Reads the inputs, says on standard error what could not be read or understood, and decides the exit code.
 * Gives null where there is nothing to report: no input, or none that can be read; the exit code is then set.
 */
export async function read(
  command: Command,
  inputs: readonly string[] | undefined,
  flags: ReadingFlags & {readonly 'fail-on': FailOn},
  acceptance: Acceptance | null = null,
): Promise<Reading | null> {
  if (await hasNothingToRead(command, inputs)) return null;
  const {analyze} = await import('../analyze.ts');
  const interrupt = interruptible();
  let endProgress = () => {};
  const onReading = (progress: () => Progress) => {
    if (flags.progress && !flags.quiet && isTerminal(2)) endProgress = showProgress(progress, process.stderr);
  };
  const options = {...analysisOptions(flags), inputs: inputs ?? ['-'], onReading, signal: interrupt.signal};
  const found = await analyze(options)
    .catch(wrongCall)
    .finally(() => endProgress());
  interrupt.release();
  const unreadable = found.errors;
  for (const {file, message} of unreadable) {
    command.logToStderr(`logdoctor: ${printable(message)}${didYouMean(file, command.config.commandIDs, 'the command ')}`);
  }
  if (found.timeline.inputs.length === 0) {
    process.exitCode = EXIT_TROUBLE;
    return null;
  }
  const unclear = notUnderstood(found.timeline, flags['min-coverage']);
  if (!flags.quiet)
    for (const {input, why} of unclear) command.logToStderr(`logdoctor: ${printable(input)} is not understood: ${why}`);
  for (const [flag, names] of [
    ['--supervisor', flags.supervisor],
    ['--envelope', flags.envelope],
  ] as const) {
    if (names !== undefined && unclear.length > 0 && !flags.quiet)
      command.logToStderr(
        `logdoctor: ${flag} ${names.join(', ')} was asked for, and nothing else was looked for; try without it`,
      );
  }
  const isWhole = unreadable.length === 0 && unclear.length === 0 && !interrupt.signal.aborted;
  const diagnosis = acceptance === null ? found : await acceptance(found, isWhole);
  return {
    diagnosis,
    notUnderstood: unclear,
    exitCode: exitCode({
      severities: diagnosis.findings.map(({severity}) => severity),
      failOn: flags['fail-on'],
      unreadable: unreadable.length,
      notUnderstood: unclear.length,
      interrupted: interrupt.signal.aborted,
    }),
  };
}

/** What is wrong with a configuration or the time that is asked for is wrong with the call. */
export function wrongCall(error: unknown): never {
  if (error instanceof Error && ['ConfigError', 'InputError', 'WindowError'].includes(error.name))
    throw new UsageError(error.message);
  throw error;
}

/** Ends the run. After an interrupt a read may still be pending, which would keep the process alive. */
export function end(code: number): void {
  process.exitCode = code;
  if (code === EXIT_INTERRUPTED) process.stdout.write('', () => process.exit());
}

/** `80`, `80%`, `80 %` -> 0.8 */
function fractionOf(text: string): number {
  const [, figure] = /^(\d{1,3}(?:\.\d+)?) ?%?$/.exec(text) ?? [];
  const value = Number(figure);
  if (figure === undefined || value > 100) throw new UsageError(`--min-coverage takes a percentage from 0 to 100, not ${text}`);
  return value / 100;
}

async function templateOf(text: string): Promise<string> {
  const {logFormatOf} = await import('../formats/log-format.ts');
  try {
    logFormatOf(text);
    return text;
  } catch (error) {
    throw new UsageError(
      `--log-format takes what stands behind log-format in uWSGI's configuration: ${(error as Error).message}`,
    );
  }
}

function zoneOf(text: string): string {
  try {
    return new Zone(text).name;
  } catch {
    throw new UsageError(`there is no time zone "${printable(text)}"; name one such as Europe/Berlin, UTC or +02:00`);
  }
}
