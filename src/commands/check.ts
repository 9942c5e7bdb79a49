import {Command} from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import type {Demands, Level} from '../checks/check.ts';
import type {Settings} from '../checks/settings.ts';
import {FAIL_ON, type FailOn} from '../severity.ts';
import {acceptanceFrom, baselineFlags} from './baseline.ts';
import {EXIT_FINDINGS} from './exit-code.ts';
import {limitFlags, limitsFrom} from './limits.ts';
import {didYouMean} from './nearest.ts';
import {end, read, readingArgs, readingFlags} from './reading.ts';
import {resultFlags} from './result-flags.ts';
import {UsageError} from './usage-error.ts';

const {'min-coverage': _, ...sharedFlags} = readingFlags;

export class Check extends Command {
  static override summary = 'Hold a recorded log against assertions, for CI.';
  static override description =
    'Each assertion is printed with the value that was measured. Without a limit or a rule, it is asserted that nothing of ' +
    'severity error is found. What the log cannot decide, or has nothing to measure of, is no pass: it is shown as such and fails with --strict. ' +
    'Assertions can stand in logdoctor.config.yaml or .json, in this directory or above it (logdoctor schema config). ' +
    'Exit code 0: no assertion is broken; 1: one is; 2: could not run; 3: the log was not understood; 130: interrupted.';
  static override examples = [
    {
      description: 'After a reload in staging',
      command: '<%= config.bin %> check uwsgi.log --max-reload 30s --max-forced 0 --max-orphans 0 --min-coverage 80%',
    },
    {description: 'Nothing may be left open', command: '<%= config.bin %> check uwsgi.log --max-downtime 5s --strict'},
    {description: 'With annotations', command: '<%= config.bin %> check uwsgi.log --rule harakiri-kills=error --format github'},
  ];
  static override args = readingArgs;
  static override flags = {
    ...limitFlags,
    rule: Flags.string({
      description: 'how a rule counts: error, warning or off; repeatable',
      helpValue: 'ID=LEVEL',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'fail-on': Flags.option({
      description: 'other findings fail from this severity on (default: error where nothing else is asserted, else never)',
      options: FAIL_ON,
    })(),
    strict: Flags.boolean({allowNo: true, description: 'what cannot be decided, and what was not measured, fails too'}),
    checks: Flags.string({description: 'read the assertions from this file', helpValue: 'FILE'}),
    ...baselineFlags,
    ...resultFlags(['text', 'json', 'markdown', 'junit', 'github']),
    ...sharedFlags,
  };

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Check);
    const [{placesOf, writeResults}, {checkReporters}, {settingsFor}] = await Promise.all([
      import('./output.ts'),
      import('../report/check/index.ts'),
      import('./settings.ts'),
    ]);
    const places = placesOf(
      flags,
      checkReporters.map(({name}) => name),
    );
    const settings = await settingsFor(flags.checks);
    const demands = await demandsOf(flags, settings);
    const acceptance = await acceptanceFrom(flags.baseline ?? settings.baseline, flags);
    const reading = await read(
      this,
      args.input as readonly string[] | undefined,
      {...flags, 'fail-on': 'never', 'min-coverage': demands.limits['min-coverage']},
      acceptance,
    );
    if (reading === null) return;
    const {check} = await import('../checks/check.ts');
    const {diagnosis} = reading;
    const result = check(diagnosis, demands);
    writeResults(places, flags, (name, options) =>
      checkReporters.find((reporter) => reporter.name === name)?.render(result, diagnosis, options),
    );
    end(reading.exitCode === 0 && result.failed ? EXIT_FINDINGS : reading.exitCode);
  }
}

/** Flags go before the settings, each by itself. */
async function demandsOf(
  flags: Readonly<Record<string, unknown>> & {
    readonly rule?: readonly string[] | undefined;
    readonly 'fail-on'?: FailOn | undefined;
    readonly strict?: boolean | undefined;
  },
  settings: Settings,
): Promise<Demands> {
  const levels = await Promise.all((flags.rule ?? []).map(levelOf));
  return {
    limits: {...settings.limits, ...limitsFrom(flags)},
    rules: {...settings.rules, ...Object.fromEntries(levels)},
    failOn: flags['fail-on'] ?? settings.failOn,
    strict: flags.strict ?? settings.strict,
  };
}

async function levelOf(text: string): Promise<readonly [string, Level]> {
  const [{LEVELS}, {rules}] = await Promise.all([import('../checks/check.ts'), import('../rules/index.ts')]);
  const [id = '', word] = text.split('=');
  const level = word === undefined ? 'error' : LEVELS.find((each) => each === word);
  if (level === undefined) throw new UsageError(`--rule takes a rule and its level (${LEVELS.join(', ')}), not ${text}`);
  const ids = rules.map((rule) => rule.id);
  if (!ids.includes(id)) throw new UsageError(`there is no rule ${id}${didYouMean(id, ids)}\nlogdoctor rules lists all of them`);
  return [id, level];
}
