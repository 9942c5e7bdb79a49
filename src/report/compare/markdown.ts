import type {ComparedFinding, MeasureChange} from '../../checks/compare.ts';
import {cell, code, prose} from '../markdown-text.ts';
import type {CompareReporter} from './reporter.ts';
import {comparisonVerdict} from './verdict.ts';
import {CHANGE_WORDS, cellFor, remarkOn} from './words.ts';

/** For a pull request: what the change did. */
export const compareMarkdown: CompareReporter = {
  name: 'markdown',
  render(comparison) {
    const {before, after, measures, gone, fresh, kept} = comparison;
    const findings = [...listed('gone', gone), ...listed('new', fresh), ...listed('kept', kept)];
    const parts = [
      '## logdoctor compare',
      `**${prose(comparisonVerdict(comparison))}**`,
      `Before: ${code(before)}. After: ${code(after)}.`,
      ['| | before | after | |', '| --- | --- | --- | --- |', ...measures.filter(({isMissing}) => !isMissing).map(row)].join(
        '\n',
      ),
      ...(findings.length === 0 ? ['No findings on either side.'] : [findings.join('\n')]),
    ];
    return `${parts.join('\n\n')}\n`;
  },
};

function row(measure: MeasureChange): string {
  const {title, before, after, counts, change} = measure;
  const remark = remarkOn(measure);
  const told = `${CHANGE_WORDS[change]}${remark === '' ? '' : ` (${remark})`}`;
  const cells = [title, cellFor(measure, before, counts[0]), cellFor(measure, after, counts[1]), told];
  return `| ${cells.map((text) => cell(prose(text))).join(' | ')} |`;
}

function listed(word: string, findings: readonly ComparedFinding[]): readonly string[] {
  return findings.map(({severity, rule, title}) => `- ${word}: ${severity} ${code(rule)} ${prose(title)}`);
}
