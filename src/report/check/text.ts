import type {Diagnosis} from '../../analyze.ts';
import type {Assertion, Check, Result} from '../../checks/check.ts';
import {counted} from '../../number.ts';
import type {Timeline} from '../../timeline/timeline.ts';
import {printable} from '../escape.ts';
import {settingLine} from '../finding-words.ts';
import {baselineSection} from '../text/baseline.ts';
import {type Page, pageFor} from '../text/page.ts';
import {notUnderstood} from '../understood.ts';
import {wrap} from '../wrap.ts';
import type {CheckReporter} from './reporter.ts';
import {checkVerdict} from './verdict.ts';
import {inShort, RESULT_WORDS, wordsFor} from './words.ts';

/** Cases that get a line; how many more there are is said. */
const MOST_CASES = 5;
const COLUMN = Math.max(...Object.values(RESULT_WORDS).map(({length}) => length)) + 2;

/** Each assertion with its measured value, then the verdict. */
export const checkText: CheckReporter = {
  name: 'text',
  render(check, diagnosis, options) {
    const page = pageFor(diagnosis.timeline, options);
    const shown = options.quiet ? check.assertions.filter(({result}) => result !== 'passed') : check.assertions;
    const parts = [
      ...notUnderstood(diagnosis.timeline).map(({input, why}) =>
        wrap(`${printable(input)}: ${printable(why)}`, page.width, 'Not understood  '),
      ),
      shown.map((assertion) => line(assertion, diagnosis.timeline, page)).join('\n'),
      options.quiet ? '' : whatWouldDecide(check, diagnosis, page),
      options.quiet ? '' : alsoFound(check, diagnosis.timeline, page),
      options.quiet ? '' : baselineSection(diagnosis, page),
      verdictLine(check, diagnosis, page),
    ];
    return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
  },
};

function line(assertion: Assertion, timeline: Timeline, page: Page): string {
  const {headline, details} = wordsFor(assertion, timeline);
  const word = RESULT_WORDS[assertion.result];
  const indent = ' '.repeat(COLUMN);
  const text = wrap(printable(headline), page.width, word.padEnd(COLUMN), indent);
  return [
    `${colorOf(assertion.result, page)(word)}${text.slice(word.length)}`,
    ...details.slice(0, MOST_CASES).map(({text, at}) => detail(text, at, page, indent)),
    ...(details.length > MOST_CASES ? [`${indent}… and ${counted(details.length - MOST_CASES, 'more case')}`] : []),
  ].join('\n');
}

function detail(text: string, at: Parameters<Page['place']>[0] | null, page: Page, indent: string): string {
  return wrap(`${printable(text)}${at === null ? '' : ` (${page.place(at)})`}`, page.width, `${indent}- `, `${indent}  `);
}

function alsoFound({unasserted}: Check, timeline: Timeline, page: Page): string {
  if (unasserted.length === 0) return '';
  const lines = unasserted.map((finding) => {
    const {text, at} = inShort(finding, timeline);
    return detail(text, at, page, '  ');
  });
  return [page.paint.bold('Found, and nothing was asserted about it'), ...lines].join('\n');
}

/** The rule that looks for it says which option would have given the times. */
function whatWouldDecide({assertions}: Check, {findings}: Diagnosis, page: Page): string {
  const [fix] = findings.find(({rule}) => rule === 'log-hides-times')?.fixes ?? [];
  if (fix === undefined || !assertions.some(({result}) => result === 'undecided')) return '';
  return wrap(printable(`${settingLine(fix) ?? fix.why} (${fix.effect})`), page.width, 'To decide more next time: ', '  ');
}

function verdictLine(check: Check, {timeline}: Diagnosis, page: Page): string {
  const isOpen = check.assertions.some(({result}) => result !== 'passed') || notUnderstood(timeline).length > 0;
  const color = check.failed ? page.paint.red : isOpen ? page.paint.yellow : page.paint.green;
  const text = wrap(checkVerdict(check, timeline), page.width, 'CHECK  ');
  return page.paint.bold(color('CHECK')) + page.paint.bold(text.slice('CHECK'.length));
}

function colorOf(result: Result, {paint}: Page): (text: string) => string {
  return {passed: paint.green, broken: paint.red, warning: paint.yellow, undecided: paint.yellow, unmeasured: paint.yellow}[
    result
  ];
}
