import type {Diagnosis} from '../analyze.ts';
import type {RuleFinding, RuleResult} from '../rules/rule.ts';
import {failsFrom} from '../severity.ts';
import {printable} from './escape.ts';
import {CONFIDENCE, inShort} from './finding-words.ts';
import {inputName, placeOf} from './place.ts';
import type {RenderOptions, Reporter} from './reporter.ts';
import {notUnderstood} from './understood.ts';
import {verdict} from './verdict.ts';
import {characters, element} from './xml.ts';

/**
 * A test suite: one case an input (an error where it is not understood) and one a rule (a failure where it fired with a
 * severity that fails). Remarks below that stand in `system-out`; what could not be checked is skipped, never passed.
 */
export const junit: Reporter = {
  name: 'junit',
  render(diagnosis, options) {
    const cases = [...inputCases(diagnosis), ...diagnosis.rules.map((rule) => ruleCase(rule, diagnosis, options))];
    const count = (outcome: Outcome) => cases.filter((each) => each.outcome === outcome).length;
    const counts = {tests: cases.length, failures: count('failure'), errors: count('error')};
    const suite = element('testsuite', {name: 'logdoctor', ...counts, skipped: count('skipped')}, [
      ...cases.map(({xml}) => `\n    ${xml}`),
      `\n    ${element('system-out', {}, [text(verdict(diagnosis))])}\n  `,
    ]);
    const root = element('testsuites', {name: 'logdoctor', ...counts}, [`\n  ${suite}\n`]);
    return `<?xml version="1.0" encoding="UTF-8"?>\n${root}\n`;
  },
};

type Outcome = 'passed' | 'failure' | 'error' | 'skipped';

interface TestCase {
  readonly outcome: Outcome;
  readonly xml: string;
}

function inputCases({timeline, errors}: Diagnosis): readonly TestCase[] {
  const why = new Map([
    ...errors.map(({file, message}) => [file, message] as const),
    ...notUnderstood(timeline).map(({input, why}) => [input, why] as const),
  ]);
  const names = new Set([...timeline.inputs.map(({name}) => name), ...errors.map(({file}) => file)]);
  return [...names].map((name): TestCase => {
    const reason = why.get(name);
    const attributes = {name: printable(inputName(name)), classname: 'logdoctor.input'};
    if (reason === undefined) return {outcome: 'passed', xml: element('testcase', attributes)};
    const error = element('error', {type: 'not-understood', message: printable(reason)});
    return {outcome: 'error', xml: element('testcase', attributes, [error])};
  });
}

function ruleCase({id, result, reason}: RuleResult, diagnosis: Diagnosis, options: RenderOptions): TestCase {
  const attributes = {name: id, classname: 'logdoctor.rule'};
  if (result === 'skipped' || result === 'undecided') {
    return {outcome: 'skipped', xml: element('testcase', attributes, [element('skipped', {}, [text(`${result}: ${reason}`)])])};
  }
  const findings = diagnosis.findings.filter(({rule}) => rule === id);
  const failures = findings.filter(({severity}) => failsFrom(severity, options.failOn ?? 'error'));
  const remarks = findings.filter((finding) => !failures.includes(finding));
  const told = (some: readonly RuleFinding[]) => text(some.map((finding) => inFull(finding, diagnosis)).join('\n\n'));
  const message = printable(failures.map(({title}) => title).join('; '));
  return {
    outcome: failures.length > 0 ? 'failure' : 'passed',
    xml: element('testcase', attributes, [
      ...(failures.length === 0 ? [] : [element('failure', {type: id, message}, [told(failures)])]),
      ...(remarks.length === 0 ? [] : [element('system-out', {}, [told(remarks)])]),
    ]),
  };
}

function inFull(finding: RuleFinding, {timeline}: Diagnosis): string {
  const evidence = finding.evidence.map(({at, shows}) => {
    const {input, line} = placeOf(at, timeline);
    return `${input}:${line}: ${at.text}${shows === '' ? '' : `\n    ${shows}`}`;
  });
  const {severity, title, confidence} = finding;
  return [`${severity}: ${title} (${CONFIDENCE[confidence]})`, inShort(finding), ...evidence].join('\n');
}

/** Several lines of text, each safe to print. */
function text(lines: string): string {
  return characters(lines.split('\n').map(printable).join('\n'));
}
