import {type Assertion, type Check, fails} from '../../checks/check.ts';
import type {Timeline} from '../../timeline/timeline.ts';
import {printable} from '../escape.ts';
import {placeOf} from '../place.ts';
import {notUnderstood} from '../understood.ts';
import {characters, element} from '../xml.ts';
import type {CheckReporter} from './reporter.ts';
import {checkVerdict} from './verdict.ts';
import {wordsFor} from './words.ts';

/** A test suite with a case for each assertion. What is open is skipped, or failed where the check is strict; never passed. */
export const checkJunit: CheckReporter = {
  name: 'junit',
  render(check, {timeline}) {
    const inputs = notUnderstood(timeline).map(({input, why}) => ({
      outcome: 'error' as const,
      xml: element('testcase', {name: printable(input), classname: 'logdoctor.input'}, [
        element('error', {type: 'not-understood', message: printable(why)}),
      ]),
    }));
    const cases = [...inputs, ...check.assertions.map((assertion) => assertionCase(assertion, check, timeline))];
    const count = (wanted: Outcome) => cases.filter(({outcome}) => outcome === wanted).length;
    const counts = {tests: cases.length, failures: count('failure'), errors: count('error')};
    const suite = element('testsuite', {name: 'logdoctor check', ...counts, skipped: count('skipped')}, [
      ...cases.map(({xml}) => `\n    ${xml}`),
      `\n    ${element('system-out', {}, [text(checkVerdict(check, timeline))])}\n  `,
    ]);
    return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', {name: 'logdoctor', ...counts}, [`\n  ${suite}\n`])}\n`;
  },
};

type Outcome = 'passed' | 'failure' | 'error' | 'skipped';

function assertionCase(
  assertion: Assertion,
  {strict}: Check,
  timeline: Timeline,
): {readonly outcome: Outcome; readonly xml: string} {
  const {headline, details} = wordsFor(assertion, timeline);
  const {id, result} = assertion;
  const isOpen = result === 'undecided' || result === 'unmeasured';
  const outcome = fails(assertion, strict) ? 'failure' : isOpen ? 'skipped' : 'passed';
  const told = details.map(({text, at}) => {
    const where = at === null ? null : placeOf(at, timeline);
    return where === null ? text : `${where.input}:${where.line}: ${text}`;
  });
  const content = {
    failure: () => element('failure', {type: id, message: printable(headline)}, [text(told.join('\n'))]),
    skipped: () => element('skipped', {}, [text(headline)]),
    passed: () => element('system-out', {}, [text([headline, ...told].join('\n'))]),
  }[outcome];
  return {outcome, xml: element('testcase', {name: id, classname: `logdoctor.${assertion.about}`}, [content()])};
}

/** Several lines of text, each safe to print. */
function text(lines: string): string {
  return characters(lines.split('\n').map(printable).join('\n'));
}
