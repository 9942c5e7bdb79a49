import * as Flags from '@oclif/core/flags';
import type {Diagnosis} from '../analyze.ts';
import type {Baseline} from '../checks/baseline.ts';
import {readDocument} from './document.ts';
import {writeText} from './output.ts';
import type {Acceptance} from './reading.ts';
import {today} from './today.ts';
import {UsageError} from './usage-error.ts';

export const baselineFlags = {
  baseline: Flags.string({description: 'file of accepted findings: they are named, and do not count', helpValue: 'FILE'}),
  'write-baseline': Flags.boolean({description: 'write what is found into the file of --baseline: it is accepted from now on'}),
  reason: Flags.string({description: 'with --write-baseline: why the new entries are accepted', helpValue: 'TEXT'}),
  today: Flags.custom<string>({
    description: 'the day on which a baseline is held against its dates; else that of the clock, in UTC',
    helpValue: 'YYYY-MM-DD',
    helpGroup: 'RARELY NEEDED',
    parse: async (text) => dayOf(text),
  })(),
};

interface BaselineFlags {
  readonly 'write-baseline': boolean;
  readonly reason?: string | undefined;
  readonly today?: string | undefined;
}

/**
 * Reads the baseline, so that what is wrong with it is said before a long log is read. Null without one.
 *
 * @param file its path
 */
export async function acceptanceFrom(file: string | null, flags: BaselineFlags): Promise<Acceptance | null> {
  const isWritten = flags['write-baseline'];
  if (flags.reason !== undefined && !isWritten) throw new UsageError('--reason goes with --write-baseline');
  if (file === null) {
    if (isWritten) throw new UsageError('--write-baseline needs the name of the file: --baseline FILE');
    return null;
  }
  const checks = await import('../checks/baseline.ts');
  const {isFile} = await import('../source/text-file.ts');
  const before = isWritten && !isFile(file) ? null : await readDocument(file, checks.baselineFrom);
  return async (diagnosis, isWhole) => {
    let baseline = before as Baseline;
    if (isWritten) {
      if (!isWhole) throw new UsageError(`${file} is left as it is: not all of the input was read and understood`);
      writeText(file, checks.baselineText(diagnosis.findings, before, flags.reason ?? 'no reason given'));
      baseline = await readDocument(file, checks.baselineFrom);
    }
    return withBaseline(diagnosis, checks.useBaseline(baseline, diagnosis.findings, flags.today ?? today()));
  };
}

function withBaseline(
  diagnosis: Diagnosis,
  {left, use}: ReturnType<typeof import('../checks/baseline.ts').useBaseline>,
): Diagnosis {
  return {...diagnosis, findings: left, baseline: use};
}

function dayOf(text: string): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(Date.parse(text)))
    throw new UsageError(`--today takes a day such as 2026-11-21, not ${text}`);
  return text;
}
