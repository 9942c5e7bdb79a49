import type {Change, ComparedFinding, Comparison} from '../../checks/compare.ts';
import {printable} from '../escape.ts';
import {type Paint, paint} from '../paint.ts';
import {wrap} from '../wrap.ts';
import type {CompareReporter} from './reporter.ts';
import {comparisonVerdict} from './verdict.ts';
import {CHANGE_WORDS, cellFor, remarkOn} from './words.ts';

/** The same measures side by side, each with what became of it, then the findings. */
export const compareText: CompareReporter = {
  name: 'text',
  render(comparison, {width, color, quiet}) {
    const colors = paint(color);
    const parts = [
      ...(quiet ? [] : [`Before  ${printable(comparison.before)}\nAfter   ${printable(comparison.after)}`]),
      ...(comparison.notUnderstood.length > 0
        ? []
        : [table(comparison, width, colors), missing(comparison, width), findings(comparison, width, colors)]),
      verdictLine(comparison, width, colors),
    ];
    return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
  },
};

function table({measures}: Comparison, width: number, colors: Paint): string {
  const shown = measures.filter(({isMissing}) => !isMissing);
  if (shown.length === 0) return '';
  const rows = shown.map((measure) => ({
    cells: [
      measure.title,
      cellFor(measure, measure.before, measure.counts[0]),
      cellFor(measure, measure.after, measure.counts[1]),
      CHANGE_WORDS[measure.change],
    ],
    color: colorOf(measure.change, colors),
    remark: remarkOn(measure),
  }));
  const head = ['', 'before', 'after', ''];
  const columns = head.map((title, n) => Math.max(title.length, ...rows.map(({cells}) => (cells[n] ?? '').length)));
  const line = (cells: readonly string[]) => cells.map((cell, n) => cell.padEnd(columns[n] ?? 0)).join('  ');
  return [
    colors.dim(line(head).trimEnd()),
    ...rows.map(({cells, color, remark}) => {
      const front = line(cells);
      const word = cells.at(-1) ?? '';
      const text = wrap(remark, Math.max(width, front.length + 24), `${front}  `).trimEnd();
      const at = text.indexOf(word, line(cells.slice(0, -1)).length);
      return text.slice(0, at) + color(word) + text.slice(at + word.length);
    }),
  ].join('\n');
}

function missing({measures}: Comparison, width: number): string {
  const titles = measures.flatMap(({isMissing, title}) => (isMissing ? [title] : []));
  return titles.length === 0 ? '' : wrap(titles.join(', '), width, 'On neither side  ');
}

function findings({gone, fresh, kept}: Comparison, width: number, {bold, red, green}: Paint): string {
  const list = (word: string, color: (text: string) => string, some: readonly ComparedFinding[]) =>
    some.map(({severity, rule, title}) => {
      const text = wrap(printable(`${severity} ${rule}: ${title}`), width, `  ${word.padEnd(4)}  `);
      return `  ${color(word)}${text.slice(2 + word.length)}`;
    });
  const lines = [...list('gone', green, gone), ...list('new', red, fresh), ...list('kept', (text) => text, kept)];
  return lines.length === 0 ? 'No findings on either side' : [bold('Findings'), ...lines].join('\n');
}

function verdictLine(comparison: Comparison, width: number, {bold, red, yellow, green}: Paint): string {
  const word = 'COMPARE';
  const text = wrap(printable(comparisonVerdict(comparison)), width, `${word}  `);
  const isWorse = comparison.measures.some(({change}) => change === 'worse');
  const color = comparison.failed ? red : isWorse || comparison.notUnderstood.length > 0 ? yellow : green;
  return bold(color(word)) + bold(text.slice(word.length));
}

function colorOf(change: Change, {red, yellow, green}: Paint): (text: string) => string {
  return {better: green, worse: red, same: (text: string) => text, unknown: yellow}[change];
}
