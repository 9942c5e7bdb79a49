/** The library: the same diagnosis that the command line prints, as data. */
export {type AnalyzeOptions, analyze, type Diagnosis} from './analyze.ts';
export type {BaselineUse} from './checks/baseline.ts';
export {type Assertion, type Check, check, type Demands} from './checks/check.ts';
export {type Budget, type Comparison, compare, type Side} from './checks/compare.ts';
export {ConfigError, type Configuration} from './config/configuration.ts';
export type {Case, Measure, MeasureId} from './measures/measure.ts';
export {measuresOf} from './measures/measures.ts';
export {sideOf} from './report/compare/side.ts';
export {type ReporterEntry, type ReportFormat, render, reporters} from './report/index.ts';
export {type Report, reportOf} from './report/json.ts';
export type {RenderOptions, Reporter} from './report/reporter.ts';
export {schema} from './report/schema.ts';
export {verdict} from './report/verdict.ts';
export type * from './rules/rule.ts';
export {InputError} from './source/input-error.ts';
export type * from './timeline/event.ts';
export type * from './timeline/time.ts';
export type * from './timeline/timeline.ts';
