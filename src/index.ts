/** The library: the same diagnosis that the command line prints, as data. */
export {type AnalyzeOptions, analyze, type Diagnosis} from './analyze.ts';
export {ConfigError, type Configuration} from './config/configuration.ts';
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
