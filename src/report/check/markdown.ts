import type {Assertion} from '../../checks/check.ts';
import type {Timeline} from '../../timeline/timeline.ts';
import {cell, code, prose} from '../markdown-text.ts';
import {inputName, placeOf} from '../place.ts';
import {notUnderstood} from '../understood.ts';
import type {CheckReporter} from './reporter.ts';
import {checkVerdict} from './verdict.ts';
import {inShort, RESULT_WORDS, wordsFor} from './words.ts';

const MOST_CASES = 5;

/** For a pull request's comment or `$GITHUB_STEP_SUMMARY`: the verdict and a table of the assertions. */
export const checkMarkdown: CheckReporter = {
  name: 'markdown',
  render(check, {timeline}) {
    const unclear = notUnderstood(timeline).map(({input, why}) => `- ${code(inputName(input))} is not understood: ${prose(why)}`);
    const also = check.unasserted.map((finding) => {
      const {text, at} = inShort(finding, timeline);
      return `- ${prose(text)} (${place(at, timeline)})`;
    });
    const parts = [
      '## logdoctor check',
      `**${prose(checkVerdict(check, timeline))}**`,
      ...(unclear.length === 0 ? [] : [unclear.join('\n')]),
      ['| | assertion | what was measured |', '| --- | --- | --- |', ...check.assertions.map((each) => row(each, timeline))].join(
        '\n',
      ),
      ...(also.length === 0 ? [] : ['**Found, and nothing was asserted about it**', also.join('\n')]),
    ];
    return `${parts.join('\n\n')}\n`;
  },
};

function row(assertion: Assertion, timeline: Timeline): string {
  const {headline, details} = wordsFor(assertion, timeline);
  const more = details.length - MOST_CASES;
  const cases = details
    .slice(0, MOST_CASES)
    .map(({text, at}) => `${prose(text)}${at === null ? '' : ` (${place(at, timeline)})`}`);
  const measured = [prose(headline), ...cases, ...(more > 0 ? [`… and ${more} more`] : [])].join('<br>');
  return `| ${[RESULT_WORDS[assertion.result], code(assertion.id), measured].map(cell).join(' | ')} |`;
}

function place(at: Parameters<typeof placeOf>[0], timeline: Timeline): string {
  const {input, line} = placeOf(at, timeline);
  return code(`${input}:${line}`);
}
