import type {Diagnosis} from '../analyze.ts';
import type {RenderOptions, Reporter} from './reporter.ts';

/** A reporter that is loaded when it is asked for. */
export interface ReporterEntry {
  /** What `--format` calls it. */
  readonly name: string;
  /** What it is for, in a few words. */
  readonly title: string;
  readonly load: () => Promise<Reporter>;
}

/** Every reporter, the default first. A new one is a file and a line here. */
export const reporters = [
  {name: 'text', title: 'for people, on a terminal or in a file', load: async () => (await import('./text.ts')).text},
  {name: 'concise', title: 'one line a finding, its place first', load: async () => (await import('./concise.ts')).concise},
  {name: 'json', title: 'everything, for other programs (logdoctor schema)', load: async () => (await import('./json.ts')).json},
  {name: 'jsonl', title: 'everything, one JSON object a line', load: async () => (await import('./jsonl.ts')).jsonl},
  {name: 'markdown', title: 'for a pull request or a job summary', load: async () => (await import('./markdown.ts')).markdown},
  {name: 'sarif', title: 'SARIF 2.1.0, for code scanning', load: async () => (await import('./sarif.ts')).sarif},
  {name: 'junit', title: 'JUnit XML: one test case a rule', load: async () => (await import('./junit.ts')).junit},
  {name: 'github', title: 'annotations of GitHub Actions', load: async () => (await import('./github.ts')).github},
  {
    name: 'patch',
    title: 'fixes as a unified diff of the configuration (--config)',
    load: async () => (await import('./patch.ts')).patch,
  },
  {name: 'gitlab', title: 'GitLab Code Quality', load: async () => (await import('./gitlab.ts')).gitlab},
] as const satisfies readonly ReporterEntry[];

export type ReportFormat = (typeof reporters)[number]['name'];

/** Writes a diagnosis down. Without options as into a file: 100 columns, no colour. */
export async function render(diagnosis: Diagnosis, format: ReportFormat, options: Partial<RenderOptions> = {}): Promise<string> {
  const entry = reporters.find(({name}) => name === format);
  if (entry === undefined) throw new RangeError(`there is no report format ${format}`);
  return (await entry.load()).render(diagnosis, {width: 100, color: false, quiet: false, showRules: false, ...options});
}
