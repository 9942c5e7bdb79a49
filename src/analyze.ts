/** The pipeline, top to bottom: bytes -> events -> timeline -> findings. */

import type {BaselineUse} from './checks/baseline.ts';
import type {Configuration} from './config/configuration.ts';
import {Zone} from './envelope/zone.ts';
import {type Engine, Recorder} from './formats/recorder.ts';
import {rules} from './rules/index.ts';
import type {RuleFinding, RuleResult} from './rules/rule.ts';
import {runRules} from './rules/run.ts';
import {type InputError, type InputNote, readInputs} from './source/inputs.ts';
import {buildTimeline} from './timeline/build.ts';
import type {Timeline} from './timeline/timeline.ts';

export type {InputNote} from './source/inputs.ts';

export interface AnalyzeOptions {
  /** Files; `-` is standard input. */
  readonly inputs: readonly string[];
  /** Configuration files of the servers that wrote the inputs: uWSGI, gunicorn, supervisord, systemd. */
  readonly configs?: readonly string[] | undefined;
  /** `ohm` asks Ohm's interpreter instead of the compiled matcher: slow, and the same report byte for byte. */
  readonly engine?: Engine;
  /** The time zone of stamps that tell none: an IANA name or an offset. Throws RangeError where there is no such zone. */
  readonly zone?: string | undefined;
  /** The year of the first stamp that tells none (syslog). */
  readonly year?: number | undefined;
  /** How many threads may look at a large file (as many as there are cores, 4 at most). The report does not depend on it. */
  readonly threads?: number | undefined;
  /** Aborting it ends the reading; what was read so far is judged. */
  readonly signal?: AbortSignal | undefined;
}

export interface Diagnosis {
  readonly timeline: Timeline;
  /** Null where none was given. */
  readonly configuration: Configuration | null;
  readonly findings: readonly RuleFinding[];
  readonly rules: readonly RuleResult[];
  /** Inputs that could not be read; the rest was. */
  readonly errors: readonly InputError[];
  /** What was skipped, is missing or damaged. */
  readonly notes: readonly InputNote[];
  /** Where a baseline was used: what it took out of the findings. */
  readonly baseline?: BaselineUse | undefined;
}

/**
 * Reads the inputs and judges what they show. Throws InputError or ConfigError where a configuration cannot be read or
 * understood, and RangeError where there is no such zone.
 */
export async function analyze(options: AnalyzeOptions): Promise<Diagnosis> {
  const zone = options.zone === undefined ? undefined : new Zone(options.zone);
  const configuration = await configurationOf(options.configs ?? []);
  const recorder = await Recorder.create(options.engine ?? 'compiled', {zone, year: options.year});
  const notes: InputNote[] = [];
  const errors = await readInputs(options.inputs, recorder, {
    signal: options.signal,
    threads: options.threads,
    onNote: (note) => notes.push(note),
  });
  const timeline = await joined(buildTimeline(recorder.finish()), configuration, notes);
  return {timeline, configuration, ...runRules(rules, timeline), errors, notes};
}

/** Most runs have none: its parsers are loaded for those that do. */
async function configurationOf(names: readonly string[]): Promise<Configuration | null> {
  if (names.length === 0) return null;
  const {readConfiguration} = await import('./config/read.ts');
  return readConfiguration(names);
}

async function joined(timeline: Timeline, configuration: Configuration | null, notes: InputNote[]): Promise<Timeline> {
  if (configuration === null) return timeline;
  const {joinConfiguration} = await import('./config/join.ts');
  const result = joinConfiguration(timeline, configuration);
  notes.push(...result.notes.map(({file, text}) => ({input: file, text})));
  return result.timeline;
}
