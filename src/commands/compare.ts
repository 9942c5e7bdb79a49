import * as Args from '@oclif/core/args';
import {Command} from '@oclif/core/command';
import * as Flags from '@oclif/core/flags';
import type {Side} from '../checks/compare.ts';
import {EXIT_FINDINGS, EXIT_INTERRUPTED, EXIT_NOT_UNDERSTOOD, EXIT_TROUBLE} from './exit-code.ts';
import {limitFlags, limitsFrom} from './limits.ts';
import {end, failOnFlag, read, readingFlags} from './reading.ts';
import {resultFlags} from './result-flags.ts';
import {UsageError} from './usage-error.ts';

const {'min-coverage': _, ...sharedFlags} = readingFlags;
const {'min-coverage': __, ...boundFlags} = limitFlags;

export class Compare extends Command {
  static override summary = 'Did the change help? The same measures of two logs side by side.';
  static override description =
    'Says of each measure whether it is better, worse or the same, or that it cannot be told because what is known of both overlaps; and which ' +
    'findings are gone, new and kept. Each side is a log, a directory, a pattern, - for standard input, or a report that --json gave. ' +
    'Exit code 0: nothing is worse than the budget allows; 1: something is; 2: could not run; 3: a log was not understood; 130: interrupted.';
  static override examples = [
    {description: 'Before and after a change', command: '<%= config.bin %> compare before.log after.log'},
    {description: 'Against a report that was kept', command: '<%= config.bin %> compare main.json uwsgi.log --max-worse 10%'},
    {description: 'It may be worse, but not by much', command: '<%= config.bin %> compare before.log after.log --max-reload 10s'},
  ];
  static override args = {
    before: Args.string({required: true, ignoreStdin: true, description: 'log or saved JSON report from before the change'}),
    after: Args.string({required: true, ignoreStdin: true, description: 'log or saved JSON report from after the change'}),
  };
  static override flags = {
    'max-worse': Flags.string({description: 'how much worse a measure may be (default 0)', helpValue: 'PCT'}),
    ...boundFlags,
    'fail-on': failOnFlag('error', 'fail (1) on new findings of this severity or above'),
    ...resultFlags(['text', 'json', 'markdown']),
    ...sharedFlags,
  };

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Compare);
    const [{placesOf, writeResults}, {compareReporters}, {compare}] = await Promise.all([
      import('./output.ts'),
      import('../report/compare/index.ts'),
      import('../checks/compare.ts'),
    ]);
    const places = placesOf(
      flags,
      compareReporters.map(({name}) => name),
    );
    const tolerance = partOf(flags['max-worse'] ?? '0');
    const limits = limitsFrom(flags);
    if (args.before === '-' && args.after === '-') throw new UsageError('only one of the two can be standard input');
    const before = await this.side(args.before, flags);
    if (before === null) return;
    const after = await this.side(args.after, flags);
    if (after === null) return;
    const comparison = compare(before.side, after.side, {limits, tolerance, failOn: flags['fail-on']});
    writeResults(places, flags, (name, options) =>
      compareReporters.find((reporter) => reporter.name === name)?.render(comparison, options),
    );
    const codes = [before.exitCode, after.exitCode, comparison.failed ? EXIT_FINDINGS : 0];
    end(WORST_FIRST.find((code) => codes.includes(code)) ?? 0);
  }

  /** Null where it cannot be read; the exit code is then set. */
  private async side(
    name: string,
    flags: Parameters<typeof read>[2],
  ): Promise<{readonly side: Side; readonly exitCode: number} | null> {
    const {isSavedReport, SavedReportError, sideFromReport, sideOf} = await import('../report/compare/side.ts');
    const {textBeginning} = await import('../source/beginning.ts');
    const saved = textBeginning(name, isSavedReport);
    if (saved === null) {
      const reading = await read(this, [name], {...flags, 'fail-on': 'never'});
      return reading === null ? null : {side: sideOf(name, reading.diagnosis), exitCode: reading.exitCode};
    }
    try {
      const side = sideFromReport(name, saved);
      return {side, exitCode: side.isUnderstood ? 0 : EXIT_NOT_UNDERSTOOD};
    } catch (error) {
      if (error instanceof SavedReportError) throw new UsageError(`cannot use ${name}: ${error.message}`);
      throw error;
    }
  }
}

const WORST_FIRST = [EXIT_INTERRUPTED, EXIT_TROUBLE, EXIT_NOT_UNDERSTOOD, EXIT_FINDINGS];

/** `10`, `10%` -> 0.1; more than a hundred is allowed. */
function partOf(text: string): number {
  const [, figure] = /^(\d+(?:\.\d+)?) ?%?$/.exec(text) ?? [];
  if (figure === undefined) throw new UsageError(`--max-worse takes a percentage such as 10%, not ${text}`);
  return Number(figure) / 100;
}
