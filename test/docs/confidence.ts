/** docs/confidence.md: how often certain, likely and possible were right on the recordings whose truth is known. */
import type {Confidence} from '../../src/rules/rule.ts';
import {diagnosed, logsOf, recordings, truthOf} from '../recordings.ts';

export interface Score {
  right: number;
  /** The recording says that this did not happen, or that the process named was not the one. */
  readonly wrong: string[];
  /** The recording was made for another trouble and says nothing of this one. */
  open: number;
}

export type Scores = Readonly<Record<Confidence, Score>> & {
  /** Troubles that the recordings were made to show, and how many of them were told. */
  shown: number;
  told: number;
};

/** Rules whose finding names workers that were killed at the end of the mercy. */
const OF_KILLS: ReadonlySet<string> = new Set(['app-threads-block-shutdown', 'forced-kill-undecided', 'mercy-too-short']);

/** Notes (info) make no claim of trouble and are left out. */
export async function scores(): Promise<Scores> {
  const table: Scores = {
    certain: {right: 0, wrong: [], open: 0},
    likely: {right: 0, wrong: [], open: 0},
    possible: {right: 0, wrong: [], open: 0},
    shown: 0,
    told: 0,
  };
  for (const folder of recordings()) {
    const truth = truthOf(folder);
    const killed = new Set([...truth.forcedPids, ...(truth.namedAfterTheirEnd ?? [])]);
    const {findings} = await diagnosed(logsOf(folder));
    table.shown += truth.expected.length;
    table.told += truth.expected.filter((id) => findings.some(({rule}) => rule === id)).length;
    for (const {rule, severity, confidence, pids} of findings) {
      if (severity === 'info') continue;
      const score = table[confidence];
      const isMistaken = OF_KILLS.has(rule) && folder.startsWith('samples/uwsgi') && pids.some((pid) => !killed.has(pid));
      if (truth.mustNotFire.includes(rule) || isMistaken) score.wrong.push(`${rule} of ${folder}`);
      else if (truth.expected.includes(rule)) score.right++;
      else score.open++;
    }
  }
  return table;
}

export function confidencePage(table: Scores, count: number): string {
  const rows = (['certain', 'likely', 'possible'] as const).map((word) => {
    const {right, wrong, open} = table[word];
    const judged = right + wrong.length;
    const share = judged === 0 ? '-' : `${Math.floor((100 * right) / judged)} %`;
    return `| *${word}* | ${judged + open} | ${right} | ${wrong.length} | ${share} | ${open} |`;
  });
  return `<!-- Made by \`npm run docs\` from samples/**/truth.json. Do not edit. -->

# How far to trust the words

*certain*: the log proves it. *likely*: it fits, and the named alternatives fit worse. *possible*: several explanations fit equally, and
all are named.

Measured on ${count} recordings of real servers, whose truth was taken from the kernel while they ran. A finding is right where the
recording was made to show just that, and wrong where the recording says that it did not happen or that another process was concerned.
Where the recording says nothing of it, it counts as open. Notes make no claim and are left out.

| word | findings | right | wrong | right of those settled | open |
|---|---|---|---|---|---|
${rows.join('\n')}

Of the ${table.shown} troubles that the recordings were made to show, ${table.told} were told. A finding of *possible* is right where the cause that was recorded is among those it names.
`;
}
