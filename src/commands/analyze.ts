import {Command} from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import type {RenderOptions} from '../report/reporter.ts';
import {acceptanceFrom, baselineFlags} from './baseline.ts';
import {end, failOnFlag, hasNothingToRead, read, readingArgs, readingFlags} from './reading.ts';
import {isTerminal, linksFor, wantsColor, widthFor} from './terminal.ts';
import {UsageError} from './usage-error.ts';

export class Analyze extends Command {
  static override summary = 'Diagnose logs: what hung, why, and what to change. The default command.';
  static override description =
    'Says in plain words what went wrong around reloads, stops and dying workers, ' +
    'with the lines that prove it and the settings to change. Exit code 0: nothing at or above --fail-on; 1: findings; ' +
    '2: could not run; 3: the log was not understood; 130: interrupted.';
  static override examples = [
    {description: 'A file', command: '<%= config.bin %> uwsgi.log'},
    {description: 'From the journal', command: 'journalctl -u app -o short-iso | <%= config.bin %>'},
    {description: 'During a deploy', command: 'journalctl -f -u app -o short-iso | <%= config.bin %> --follow'},
    {
      description: 'In CI: for code scanning, for the job summary, and as annotations',
      command:
        '<%= config.bin %> uwsgi.log --format sarif=logdoctor.sarif --format markdown=$GITHUB_STEP_SUMMARY --format github',
    },
  ];
  static override args = readingArgs;
  static override flags = {
    json: Flags.boolean({description: 'the report as JSON on standard output (the same as --format json)'}),
    patch: Flags.boolean({
      description: 'the fixes as a unified diff of the configuration (needs --config): logdoctor … --patch | patch -p0',
    }),
    format: Flags.string({
      description: 'how to report (logdoctor formats lists them); repeatable, with =PATH into a file',
      helpValue: 'NAME[=PATH]',
      multiple: true,
      multipleNonGreedy: true,
    }),
    output: Flags.string({char: 'o', description: 'write the report to this file', helpValue: 'PATH'}),
    follow: Flags.boolean({
      char: 'f',
      description: 'go on reading a file as it grows, over rotation, or a pipe: prints each finding when it has become sure',
    }),
    'fail-on': failOnFlag('error'),
    ...baselineFlags,
    ...readingFlags,
    'show-rules': Flags.boolean({description: 'list what every rule answered'}),
  };

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Analyze);
    if (flags.follow) {
      const inputs = args.input as readonly string[] | undefined;
      if (await hasNothingToRead(this, inputs)) return;
      const {followInTerminal} = await import('./follow.ts');
      return followInTerminal(this, inputs ?? ['-'], flags);
    }
    const {outputsOf, writeReport} = await import('./output.ts');
    const outputs = await outputsOf(flags);
    const acceptance = await acceptanceFrom(flags.baseline ?? null, flags);
    if (outputs.some(({reporter}) => reporter.name === 'patch') && flags.config === undefined) {
      throw new UsageError('--patch changes a configuration, and none was given: add --config FILE');
    }
    const reading = await read(this, args.input as readonly string[] | undefined, flags, acceptance);
    if (reading === null) return;
    const {diagnosis} = reading;
    const plain: RenderOptions = {
      width: widthFor(undefined),
      color: flags.color ?? false,
      quiet: flags.quiet,
      showRules: flags['show-rules'],
      failOn: flags['fail-on'],
    };
    const written = outputs.flatMap(({reporter, path}) => (path === null ? [] : [{reporter, path}]));
    for (const output of written) writeReport(output, diagnosis, plain);
    const shown = outputs.find(({path}) => path === null);
    if (shown !== undefined) {
      const toTerminal = isTerminal(1);
      const width = widthFor(toTerminal ? process.stdout.columns : undefined);
      const color = wantsColor(flags.color, process.env, toTerminal);
      const linkTo = await linksFor(toTerminal, color);
      process.stdout.write(shown.reporter.render(diagnosis, {...plain, width, color, ...(linkTo && {linkTo})}));
    } else if (!flags.quiet) {
      const {verdict} = await import('../report/verdict.ts');
      const {printable} = await import('../report/escape.ts');
      this.logToStderr(`${printable(verdict(diagnosis))}\nThe report is in ${written.map(({path}) => path).join(', ')}`);
    }
    end(reading.exitCode);
  }
}
