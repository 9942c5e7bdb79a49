import type {ComparedFinding, Comparison, MeasureChange} from '../../checks/compare.ts';
import {printableJson} from '../escape.ts';
import type {CompareReporter} from './reporter.ts';
import {comparisonVerdict} from './verdict.ts';

/** For other programs. Its shape is promised: see `logdoctor schema compare`. */
export const compareJson: CompareReporter = {
  name: 'json',
  render: (comparison) => `${printableJson(JSON.stringify(comparisonReportOf(comparison), null, 2))}\n`,
};

function comparisonReportOf(comparison: Comparison) {
  const {before, after, measures, gone, fresh, kept, failed} = comparison;
  const finding = ({rule, severity, title, fingerprint}: ComparedFinding) => ({rule, severity, title, fingerprint});
  const measure = ({id, title, unit, before, after, counts, change, because, isOverBudget, limit}: MeasureChange) => ({
    id,
    title,
    unit,
    before: {value: before, count: counts[0]},
    after: {value: after, count: counts[1]},
    change: change === 'unknown' ? 'cannot-tell' : change,
    because,
    overBudget: isOverBudget,
    limit: limit === null ? null : {value: limit.value, result: limit.result},
  });
  return {
    schemaVersion: 1,
    verdict: comparisonVerdict(comparison),
    failed,
    before,
    after,
    measures: measures.map(measure),
    findings: {gone: gone.map(finding), new: fresh.map(finding), kept: kept.map(finding)},
  };
}
