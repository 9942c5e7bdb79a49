/** The command-line program: finds the command, runs it, and turns what goes wrong into words and an exit code. */
import {createRequire} from 'node:module';
import {dirname} from 'node:path';
import {fileURLToPath} from 'node:url';
import {setFlagsFromString} from 'node:v8';
import {settings} from '@oclif/core/settings';
import {failureOf} from './commands/failure.ts';
import {commands} from './commands/index.ts';
import {ProgramConfig} from './commands/program-config.ts';
import {isTerminal} from './commands/terminal.ts';

export {commands};

/** The directory of package.json: above src/ as above dist/. */
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const {version} = createRequire(import.meta.url)('../package.json') as {version: string};

/** What oclif would otherwise search the disk for. */
const pjson = {
  name: 'logdoctor',
  version,
  type: 'module',
  oclif: {
    bin: 'logdoctor',
    commands: {strategy: 'explicit' as const, target: './dist/program.cjs', identifier: 'commands'},
    additionalHelpFlags: ['-h'],
    helpOptions: {maxWidth: 100},
    description: 'A doctor for application-server logs: why a reload or stop hung, what was lost, and what to change.',
  },
  description: 'A doctor for application-server logs: why a reload or stop hung, what was lost, and what to change.',
};

export async function main(argv: readonly string[]): Promise<void> {
  process.stdout.on('error', closedEarly);
  process.on('uncaughtException', (error) => process.exit(fail(error)));
  settings.enableAutoTranspile = false;
  process.env.NODE_ENV ??= 'production';
  const becomesSparing = setTimeout(setFlags, SHORT, SPARING);
  try {
    await runCommand(route(argv, isTerminal(0)));
  } catch (error) {
    process.exitCode = fail(error);
  } finally {
    clearTimeout(becomesSparing);
    // V8 takes no compiled program from a process with other flags.
    setFlags(BY_DEFAULT);
  }
}

async function runCommand([name = '', ...argv]: readonly string[]): Promise<void> {
  const config = new ProgramConfig({root, pjson: pjson as never});
  if (asksForHelp([name, ...argv])) {
    const {showHelp} = await import('./commands/help.ts');
    return showHelp(config, [name, ...argv]);
  }
  const command = new commands[name as keyof typeof commands](argv, config);
  command.id = name;
  await command.run();
}

/** Wherever among the words one of the flags stands, but for those behind `--`. */
function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? argv.length : end).some((word) => word === '--help' || word === '-h');
}

/** Milliseconds. A small log is read and judged before: V8 does not have to collect anything old for it if the young may grow. */
const SHORT = 50;

/**
 * What V8 spends memory on: nearly all that is allocated while a large log is read is garbage at once, and room for more of it saves no
 * time; nor does the old space gain by growing before it is collected, nor the few functions that run long by having so many
 * others copied into them, which takes megabytes on each of V8's threads.
 */
const SPARING = ['--semi-space-growth-factor=1', '--optimize-for-size', '--max-inlined-bytecode-size-cumulative=200'];
/** V8's own values (src/flags/flag-definitions.h). */
const BY_DEFAULT = ['--semi-space-growth-factor=2', '--no-optimize-for-size', '--max-inlined-bytecode-size-cumulative=920'];

function setFlags(flags: readonly string[]): void {
  for (const flag of flags) setFlagsFromString(flag);
}

/** Puts the default command in front: `logdoctor uwsgi.log`, `… | logdoctor`, `logdoctor --json uwsgi.log`. */
export function route(argv: readonly string[], stdinIsTerminal: boolean): string[] {
  const [first, ...rest] = argv;
  if (first === undefined) return stdinIsTerminal ? ['analyze'] : ['analyze', '-'];
  if (first === 'help') return rest[0] === 'formats' ? route([...rest, '--help'], stdinIsTerminal) : [...rest, '--help'];
  if (first === 'formats' && rest[0] === 'why') return ['formats:why', ...rest.slice(1)];
  if (first === '--help' || first === '-h' || Object.hasOwn(commands, first)) return [...argv];
  return ['analyze', ...argv];
}

/** `| head` has seen enough: a normal end. */
function closedEarly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
}

function fail(error: unknown): number {
  const failure = failureOf(error);
  if (failure.message !== '') process.stderr.write(`logdoctor: ${failure.message}\n`);
  return failure.exitCode;
}
