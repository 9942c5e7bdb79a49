import {Args, type Command, Flags} from '@oclif/core';
import type {Diagnosis} from '../analyze.ts';
import {Zone} from '../envelope/zone.ts';
import {printable} from '../report/escape.ts';
import {type NotUnderstood, notUnderstood} from '../report/understood.ts';
import {EXIT_INTERRUPTED, EXIT_TROUBLE, exitCode, FAIL_ON, type FailOn} from './exit-code.ts';
import {ProgramHelp} from './help.ts';
import {interruptible} from './interrupt.ts';
import {didYouMean} from './nearest.ts';
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

export const readingFlags = {
  config: Flags.string({
    description:
      'configuration of the server: uwsgi ini, yaml, json, xml (FILE:SECTION for another section), gunicorn.conf.py, supervisord.conf, a systemd unit',
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
    description: 'how many threads look at a large file (as many as there are cores, 4 at most)',
    helpValue: 'N',
    min: 1,
    max: 64,
    helpGroup: 'RARELY NEEDED',
  }),
  progress: Flags.boolean({allowNo: true, hidden: true}),
};

export const failOnFlag = (fallback: FailOn) =>
  Flags.option({
    description: 'fail (1) on findings of this severity or above',
    options: FAIL_ON,
    default: fallback,
  })();

/** What a baseline makes of a diagnosis; `isWhole` where all inputs were read to their end and understood. */
export type Acceptance = (diagnosis: Diagnosis, isWhole: boolean) => Promise<Diagnosis>;

/** The diagnosis, and how reading went. */
export interface Reading {
  readonly diagnosis: Diagnosis;
  readonly notUnderstood: readonly NotUnderstood[];
  readonly exitCode: number;
}

/**
 * Reads the inputs, says on standard error what could not be read or understood, and decides the exit code.
 * Gives null where there is nothing to report: no input, or none that can be read; the exit code is then set.
 */
export async function read(
  command: Command,
  inputs: readonly string[] | undefined,
  flags: {
    readonly engine: 'compiled' | 'ohm';
    readonly quiet: boolean;
    readonly config?: readonly string[] | undefined;
    readonly 'fail-on': FailOn;
    readonly 'min-coverage'?: number | undefined;
    readonly tz?: string | undefined;
    readonly year?: number | undefined;
    readonly threads?: number | undefined;
  },
  acceptance: Acceptance | null = null,
): Promise<Reading | null> {
  if ((inputs === undefined || inputs.length === 0) && isTerminal(0)) {
    await new ProgramHelp(command.config, command.config.pjson.oclif.helpOptions).showHelp([command.id ?? '']);
    process.exitCode = EXIT_TROUBLE;
    return null;
  }
  const {analyze} = await import('../analyze.ts');
  const interrupt = interruptible();
  const options = {
    inputs: inputs ?? ['-'],
    configs: flags.config,
    engine: flags.engine,
    zone: flags.tz,
    year: flags.year,
    threads: flags.threads,
    signal: interrupt.signal,
  };
  const found = await analyze(options).catch(configurationTrouble);
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

/** What is wrong with a configuration is wrong with the call. */
function configurationTrouble(error: unknown): never {
  if (error instanceof Error && (error.name === 'ConfigError' || error.name === 'InputError'))
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

function zoneOf(text: string): string {
  try {
    return new Zone(text).name;
  } catch {
    throw new UsageError(`there is no time zone "${printable(text)}"; name one such as Europe/Berlin, UTC or +02:00`);
  }
}
