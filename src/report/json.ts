import type {Diagnosis} from '../analyze.ts';
import type {BaselineEntry} from '../checks/baseline.ts';
import type {Measure} from '../measures/measure.ts';
import {measuresOf} from '../measures/measures.ts';
import type {RuleResult} from '../rules/rule.ts';
import {printableJson} from './escape.ts';
import {findingJson} from './json/finding.ts';
import {notationOf} from './json/notation.ts';
import {inputJson, instanceJson, orphanJson, reloadJson, snapshotJson} from './json/timeline.ts';
import {inputName} from './place.ts';
import type {Reporter} from './reporter.ts';
import {verdict} from './verdict.ts';

/** The report for other programs. Its shape is promised: see `logdoctor schema`. */
export const json: Reporter = {
  name: 'json',
  render: (diagnosis) => printableJson(`${JSON.stringify(reportOf(diagnosis), null, 2)}\n`),
};

export type Report = ReturnType<typeof reportOf>;

/** The report as plain data. Keys stand in the order in which they are printed; nothing in it tells when or where it was made. */
export function reportOf(diagnosis: Diagnosis) {
  const {timeline, findings, rules, notes} = diagnosis;
  const notation = notationOf(timeline);
  return {
    schemaVersion: 1,
    verdict: verdict(diagnosis),
    inputs: timeline.inputs.map((input) => inputJson(input, timeline.clockSteps)),
    instances: timeline.instances.map((instance) => instanceJson(instance, notation)),
    reloads: timeline.reloads.map((reload) => reloadJson(reload, notation)),
    tasks: {
      started: timeline.tasks.started,
      finished: timeline.tasks.finished,
      retried: timeline.tasks.retried,
      orphaned: timeline.tasks.orphaned.map((task) => orphanJson(task, notation)),
    },
    snapshots: timeline.snapshots.map((snapshot) => snapshotJson(snapshot, notation)),
    findings: findings.map((finding) => findingJson(finding, notation)),
    rules: rules.map(({id, result, reason}: RuleResult) => ({id, result, reason})),
    notes: notes.map(({input, text}) => ({input: inputName(input), text})),
    measures: measuresOf(timeline).map(measure),
    baseline: baselineOf(diagnosis),
  };
}

function measure({id, title, unit, value, missing, of}: Measure) {
  return {id, title, unit, value, missing, count: of.count};
}

/** What a baseline did to the findings; null without one. */
export function baselineOf({baseline}: Diagnosis) {
  if (baseline === undefined) return null;
  const entry = ({fingerprint, rule, title, reason, expires}: BaselineEntry) => ({fingerprint, rule, title, reason, expires});
  return {
    file: inputName(baseline.file),
    accepted: baseline.accepted.map((each) => entry(each.entry)),
    expired: baseline.expired.map((each) => entry(each.entry)),
    stale: baseline.stale.map(entry),
  };
}
