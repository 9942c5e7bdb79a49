import {EXIT_TROUBLE} from './exit-code.ts';
import {didYouMean} from './nearest.ts';
import {UsageError} from './usage-error.ts';

interface Failure {
  readonly message: string;
  readonly exitCode: number;
}

/** What an error that ended a command means for the person who called it. An empty message: nothing is to be said. */
export function failureOf(error: unknown): Failure {
  const {message = String(error), code, oclif, flags, parse, syscall} = error as Partial<KnownError>;
  if (code === 'EEXIT') return {message: '', exitCode: oclif?.exit ?? 0};
  if (Array.isArray(flags)) return {message: unknownFlags(flags, Object.keys(parse?.input?.flags ?? {})), exitCode: EXIT_TROUBLE};
  if (error instanceof UsageError || oclif !== undefined)
    return {message: withSuggestion(withoutFrame(message)), exitCode: EXIT_TROUBLE};
  if (syscall === 'write') return {message: `cannot write the output: ${message}`, exitCode: EXIT_TROUBLE};
  const stack = error instanceof Error ? (error.stack ?? message) : message;
  return {message: `internal error; please report it with these lines:\n${stack}`, exitCode: EXIT_TROUBLE};
}

/** The parts of oclif's and the system's errors that are used here. */
interface KnownError {
  readonly message: string;
  readonly code: string;
  readonly syscall: string;
  readonly oclif: {readonly exit?: number};
  readonly flags: readonly string[];
  readonly parse: {readonly input?: {readonly flags?: Record<string, unknown>}};
}

function unknownFlags(flags: readonly string[], known: readonly string[]): string {
  return flags
    .map(
      (flag) =>
        `unknown flag ${flag}${didYouMean(flag.replace(/^-+/, '').replace(/=.*$/, ''), known, '--') || '; --help lists those of the command'}`,
    )
    .join('\n');
}

/** oclif frames the message of an error in a flag's value, and adds a note on flags to one about arguments; the message itself says all. */
function withoutFrame(message: string): string {
  return message
    .replace(/^Parsing --\S+ \n\t/, '')
    .replace(/\nSee more help with --help$/, '')
    .replace(/\n\nNote: --[\s\S]*$/, '')
    .replace(/^The following errors? occurred:\s+/, '')
    .replace(/^All of the following must be provided when using (--\S+): (--\S+)$/m, '$1 goes with $2, which is missing')
    .replace(/^Missing required flag (\S+)$/m, '--$1 is missing; --help shows what it takes')
    .replace(/^Missing \d+ required args?:\n(\S+) +/, (_, name: string) => `${name.toUpperCase()} is missing: `)
    .trim();
}

/** oclif lists the choices that a value has; the one that was probably meant is named. */
function withSuggestion(message: string): string {
  const [, word, choices] = /^Expected (?:--[^=\s]+=)?(\S*) to be one of: (.+)$/.exec(message) ?? [];
  return word === undefined || choices === undefined ? message : `${message}${didYouMean(word, choices.split(', '))}`;
}
