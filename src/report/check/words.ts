import type {Assertion, FindingsAssertion, LimitAssertion, Result, RuleAssertion} from '../../checks/check.ts';
import type {Case, Measure} from '../../measures/measure.ts';
import {counted, thousands} from '../../number.ts';
import type {RuleFinding} from '../../rules/rule.ts';
import type {LineRef} from '../../timeline/event.ts';
import type {Duration} from '../../timeline/time.ts';
import type {Timeline} from '../../timeline/timeline.ts';
import {longDuration, seconds} from '../duration.ts';
import {mainLine} from '../place.ts';
import {percent} from '../understood.ts';

/** How a result is written in prose. */
export const RESULT_WORDS: Readonly<Record<Result, string>> = {
  passed: 'passed',
  broken: 'broken',
  warning: 'warning',
  undecided: 'undecided',
  unmeasured: 'not measured',
};

/** What an assertion came to, as plain text. May hold text of the log: whoever prints it escapes it. */
interface AssertionWords {
  readonly headline: string;
  /** What it comes from, and where that stands. */
  readonly details: readonly {readonly text: string; readonly at: LineRef | null}[];
}

export function wordsFor(assertion: Assertion, timeline: Timeline): AssertionWords {
  switch (assertion.about) {
    case 'measure':
      return ofLimit(assertion);
    case 'rule':
      return ofRule(assertion, timeline);
    case 'findings':
      return ofFindings(assertion, timeline);
  }
}

/** `61 s`, `3 to 8 s`, `2`, `1 to 3`, `99.1 %`. */
export function figure(value: Duration, unit: Measure['unit']): string {
  if (value.min === 0 && value.max === null) return 'not known';
  if (unit === 'seconds') return longDuration(value);
  const written = unit === 'part' ? percent : thousands;
  if (value.max === null) return `at least ${written(value.min)}`;
  return value.min === value.max ? written(value.min) : `${written(value.min)} to ${written(value.max)}`;
}

/** What it was measured on: ` of 3 reloads`, ` in 1 service`. */
function basis({count, noun}: Measure['of']): string {
  const things = counted(count, noun, noun === 'process' ? 'processes' : `${noun}s`);
  if (noun === 'service' || noun === 'input') return ` in ${things}`;
  return ` of ${things}${noun === 'process' ? ' that ended' : noun === 'worker' ? ' asked to leave' : ''}`;
}

function ofLimit({kind, limit, measure, result, cases}: LimitAssertion): AssertionWords {
  const {title, value, missing, of, unit} = measure;
  const bound = `${kind.isLeast ? 'at least' : 'at most'} ${unit === 'seconds' ? seconds(limit) : figure({min: limit, max: limit}, unit)}`;
  if (value === null) return {headline: `${title}: nothing to measure, ${missing}; demanded: ${bound}`, details: []};
  const told = `${title}: ${figure(value, unit)}${basis(of)}; demanded: ${bound}`;
  return {
    headline: result === 'undecided' ? `${told}. This cannot be decided from this log` : told,
    details: cases.map((each) => ({text: caseInWords(each, unit), at: each.at})),
  };
}

function caseInWords({what, value}: Case, unit: Measure['unit']): string {
  return unit === 'count' ? what : `${what}: ${figure(value, unit)}`;
}

function ofRule({id, answer, findings, result}: RuleAssertion, timeline: Timeline): AssertionWords {
  if (findings.length > 0) return {headline: `${id} fired`, details: findings.map((finding) => inShort(finding, timeline))};
  if (result === 'passed' && answer.result === 'fired')
    return {headline: `${id} fired, and all that it found is accepted`, details: []};
  const said = {
    passed: 'looked for, and not found',
    warning: '',
    broken: '',
    undecided: answer.reason,
    unmeasured: answer.reason,
  }[result];
  return {headline: `${id}: ${said.replace(/\.$/, '')}`, details: []};
}

function ofFindings({failOn, findings, result}: FindingsAssertion, timeline: Timeline): AssertionWords {
  const which = failOn === 'info' ? 'any severity' : failOn === 'error' ? 'severity error' : `severity ${failOn} or above`;
  if (findings.length > 0)
    return {
      headline: `${counted(findings.length, 'finding')} of ${which}`,
      details: findings.map((finding) => inShort(finding, timeline)),
    };
  return {
    headline: result === 'unmeasured' ? `findings of ${which}: no rule could look for any` : `no finding of ${which}`,
    details: [],
  };
}

/** One line, and where a reader is sent first. */
export function inShort(finding: RuleFinding, timeline: Timeline): {readonly text: string; readonly at: LineRef} {
  const {rule, severity, title} = finding;
  return {text: `${severity} ${rule}: ${title}`, at: mainLine(finding, timeline)};
}
