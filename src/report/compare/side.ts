import type {Diagnosis} from '../../analyze.ts';
import type {Side} from '../../checks/compare.ts';
import {MEASURE_IDS} from '../../measures/measure.ts';
import {measuresOf} from '../../measures/measures.ts';
import type {Report} from '../json.ts';
import {inputName} from '../place.ts';
import {recognised} from '../understood.ts';

export function sideOf(name: string, {timeline, findings}: Diagnosis): Side {
  const measures = measuresOf(timeline);
  return {
    name: inputName(name),
    isUnderstood: timeline.inputs.some((input) => recognised(input, timeline)),
    measures,
    counts: new Map(measures.map(({id, of}) => [id, of.count])),
    findings,
  };
}

/** The beginning of a report that `--json` gave, however it was laid out since. */
const BEGINNING = /^\s*\{\s*"schemaVersion"\s*:\s*\d+\s*,\s*"verdict"\s*:/;

export function isSavedReport(text: string): boolean {
  return BEGINNING.test(text);
}

/** What a saved report cannot be used for. The message completes the name of the file. */
export class SavedReportError extends Error {
  override readonly name = 'SavedReportError';
}

/**
 * @throws {@link SavedReportError} where it is cut, or was made by a version without measures
 */
export function sideFromReport(name: string, text: string): Side {
  let report: Partial<Report>;
  try {
    report = JSON.parse(text);
  } catch {
    throw new SavedReportError('the JSON report is cut off or damaged; make it anew with --format json');
  }
  const {schemaVersion, measures, findings = [], inputs = []} = report;
  if (schemaVersion !== 1) throw new SavedReportError(`its schemaVersion is ${schemaVersion}, and this logdoctor knows 1`);
  if (measures === undefined)
    throw new SavedReportError('it was made by a logdoctor that measured nothing yet; make it anew from the log');
  const known = measures.filter(({id}) => MEASURE_IDS.includes(id));
  return {
    name: inputName(name),
    isUnderstood: inputs.some(({counts}) => counts.events + counts.requests > 0),
    measures: known,
    counts: new Map(known.map(({id, count}) => [id, count])),
    findings,
  };
}
