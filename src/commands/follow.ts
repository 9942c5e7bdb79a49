import type {Command} from '@oclif/core/command';
import type {Diagnosis} from '../analyze.ts';
import {printable} from '../report/escape.ts';
import type {RenderOptions} from '../report/reporter.ts';
import {notUnderstood} from '../report/understood.ts';
import type {RuleFinding} from '../rules/rule.ts';
import type {FailOn} from '../severity.ts';
import {InputError} from '../source/inputs.ts';
import {EXIT_TROUBLE, exitCode} from './exit-code.ts';
import {interruptible} from './interrupt.ts';
import {analysisOptions, end, type ReadingFlags, wrongCall} from './reading.ts';
import {isTerminal, wantsColor, widthFor} from './terminal.ts';
import {UsageError} from './usage-error.ts';

/** The flags of the command that say how to show what is found. */
interface FollowFlags extends ReadingFlags {
  readonly 'fail-on': FailOn;
  readonly 'show-rules': boolean;
  readonly color?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly format?: readonly string[] | undefined;
  readonly output?: string | undefined;
  readonly baseline?: string | undefined;
}

/**
 * Prints each finding of a log that goes on when it has become sure, and on a terminal one line with the state of
 * things; at the end of a pipe or on an interrupt what is left, and the verdict.
 */
export async function followInTerminal(command: Command, inputs: readonly string[], flags: FollowFlags): Promise<void> {
  const [input = '-', second] = inputs;
  if (second !== undefined) throw new UsageError('--follow takes one input: a file, or a pipe');
  if (flags.json || flags.output !== undefined || flags.format?.some((format) => format !== 'text'))
    throw new UsageError('--follow prints text; leave out --json, --format and --output');
  if (flags.baseline !== undefined) throw new UsageError('--follow takes no --baseline');
  const [{followLog}, {newsText, statusText}, {verdict}, {wrap}] = await Promise.all([
    import('../follow.ts'),
    import('../report/live.ts'),
    import('../report/verdict.ts'),
    import('../report/wrap.ts'),
  ]);
  const toTerminal = isTerminal(1);
  const options: RenderOptions = {
    width: widthFor(toTerminal ? process.stdout.columns : undefined),
    color: wantsColor(flags.color, process.env, toTerminal),
    quiet: flags.quiet,
    showRules: flags['show-rules'],
  };
  const hasStatus = flags.progress && !flags.quiet && isTerminal(2);
  const status = (text: string) => {
    if (hasStatus) process.stderr.write(`\r${text.slice(0, (process.stderr.columns ?? 80) - 1)}\x1b[K`);
  };
  const show = (diagnosis: Diagnosis, news: readonly RuleFinding[]) => {
    const text = newsText(news, diagnosis, options);
    if (text !== '') status('');
    process.stdout.write(text);
  };
  const interrupt = interruptible();
  const onState = (diagnosis: Diagnosis, news: readonly RuleFinding[]) => {
    show(diagnosis, news);
    status(statusText(diagnosis));
  };
  try {
    const {diagnosis, news} = await followLog({...analysisOptions(flags), input, signal: interrupt.signal, onState});
    show(diagnosis, news);
    status('');
    process.stdout.write(`${wrap(printable(verdict(diagnosis)), options.width, 'VERDICT  ')}\n`);
    end(
      exitCode({
        severities: diagnosis.findings.map(({severity}) => severity),
        failOn: flags['fail-on'],
        unreadable: 0,
        notUnderstood: notUnderstood(diagnosis.timeline, flags['min-coverage']).length,
        interrupted: interrupt.signal.aborted,
      }),
    );
  } catch (error) {
    status('');
    if (!(error instanceof InputError)) wrongCall(error);
    command.logToStderr(`logdoctor: ${printable((error as Error).message)}`);
    process.exitCode = EXIT_TROUBLE;
  } finally {
    interrupt.release();
  }
}
