import type {Diagnosis} from '../../analyze.ts';
import type {Assertion, Check} from '../../checks/check.ts';
import type {RuleFinding} from '../../rules/rule.ts';
import type {LineRef} from '../../timeline/event.ts';
import {printableJson} from '../escape.ts';
import {baselineOf} from '../json.ts';
import {inputName, placeOf} from '../place.ts';
import {coverage} from '../understood.ts';
import type {CheckReporter} from './reporter.ts';
import {checkVerdict} from './verdict.ts';
import {wordsFor} from './words.ts';

/** For other programs. Its shape is promised: see `logdoctor schema check`. */
export const checkJson: CheckReporter = {
  name: 'json',
  render: (check, diagnosis) => `${printableJson(JSON.stringify(checkReportOf(check, diagnosis), null, 2))}\n`,
};

export function checkReportOf(check: Check, diagnosis: Diagnosis) {
  const {timeline} = diagnosis;
  const place = (at: LineRef | null) => (at === null ? null : placeOf(at, timeline));
  const finding = ({rule, severity, confidence, title, fingerprint, evidence}: RuleFinding) => ({
    rule,
    severity,
    confidence,
    title,
    fingerprint,
    where: place(evidence[0].at),
  });
  const assertion = (assertion: Assertion) => {
    const {headline, details} = wordsFor(assertion, timeline);
    const isMeasure = assertion.about === 'measure';
    return {
      id: assertion.id,
      about: assertion.about,
      result: assertion.result,
      says: headline,
      limit: isMeasure ? assertion.limit : null,
      unit: isMeasure ? assertion.measure.unit : null,
      measured: isMeasure ? assertion.measure.value : null,
      count: isMeasure ? assertion.measure.of.count : assertion.findings.length,
      cases: details.map(({text, at}) => ({says: text, where: place(at)})),
    };
  };
  return {
    schemaVersion: 1,
    verdict: checkVerdict(check, timeline),
    failed: check.failed,
    strict: check.strict,
    inputs: timeline.inputs.map((input) => ({
      name: inputName(input.name),
      coverage: Math.floor(coverage(input) * 10_000) / 10_000,
    })),
    assertions: check.assertions.map(assertion),
    unasserted: check.unasserted.map(finding),
    baseline: baselineOf(diagnosis),
  };
}
