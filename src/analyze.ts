/** The pipeline, top to bottom: bytes -> events -> timeline -> findings. */

import {getHeapStatistics} from 'node:v8';
import type {BaselineUse} from './checks/baseline.ts';
import type {Configuration} from './config/configuration.ts';
import {Zone} from './envelope/zone.ts';
import {logFormatOf} from './formats/log-format.ts';
import type {Engine, TaskExpressions} from './recorder/choices.ts';
import {Recorder} from './recorder/recorder.ts';
import {rules} from './rules/index.ts';
import type {RuleFinding, RuleResult} from './rules/rule.ts';
import {runRules} from './rules/run.ts';
import {since} from './rules/since.ts';
import {type InputError, type InputNote, readInputs} from './source/inputs.ts';
import {ReadingProgress} from './source/progress.ts';
import {buildTimeline} from './timeline/build.ts';
import type {Recording} from './timeline/recording.ts';
import {stampAt} from './timeline/time.ts';
import type {Timeline} from './timeline/timeline.ts';
import {type Bound, begunAt, endedAt, endOf, mayBeAfter, type TimeWindow, windowOf} from './timeline/window.ts';

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
  /** How many threads look at a large file (from 512 MB on, as many as there are cores, 4 at most). The report does not depend on it. */
  readonly threads?: number | undefined;
  /** Only these supervisors' words are looked for, by the names of `logdoctor formats`. */
  readonly supervisors?: readonly string[] | undefined;
  /** Only these envelopes are peeled, by the names of `logdoctor formats`; `plain` is none. */
  readonly envelopes?: readonly string[] | undefined;
  /** uWSGI's option log-format; where a configuration is given, that of the configuration. Throws LogFormatError. */
  readonly logFormat?: string | undefined;
  /** What was certainly over before is left out of the report. */
  readonly since?: Bound | undefined;
  /** The log is read as if it ended there. */
  readonly until?: Bound | undefined;
  /** An input is not read further once there are so many events. Absent: as many as memory holds. */
  readonly mostEvents?: number | undefined;
  /** Called once, when reading begins, with a function that tells how far it is. */
  readonly onReading?: ((progress: () => Progress) => void) | undefined;
  /** What tells that a task of the application begins and ends, in place of the words that are known. */
  readonly tasks?: TaskExpressions | undefined;
  /** Aborting it ends the reading; what was read so far is judged. */
  readonly signal?: AbortSignal | undefined;
}

/** What an event takes at most, with all that is told of it (measured: 1.6 KB for a text, 3.5 KB for JSON). */
const BYTES_PER_EVENT = 4096;

/** How far the reading is. */
export interface Progress {
  /** Read so far, as stored. */
  readonly bytes: number;
  /** Of all inputs; null where one does not tell its length. */
  readonly total: number | null;
  /** Recognised so far. */
  readonly events: number;
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
 * understood, RangeError where there is no such zone, and WindowError where `since` lies after `until`.
 */
export async function analyze(options: AnalyzeOptions): Promise<Diagnosis> {
  const {recorder, judge, notes} = await prepare(options);
  const progress = new ReadingProgress();
  options.onReading?.(() => ({bytes: progress.bytes, total: progress.total, events: recorder.eventCount}));
  const onNote = (note: InputNote) => notes.push(note);
  const errors = await readInputs(options.inputs, recorder, {
    signal: options.signal,
    threads: options.threads,
    onNote,
    progress,
  });
  return {...(await judge(recorder.finish())), errors};
}

/** What reads lines, and what judges a recording of them. */
interface Practice {
  readonly recorder: Recorder;
  readonly judge: (recording: Recording) => Promise<Diagnosis>;
  /** What a reader of the report should know besides; may be added to before it is judged. */
  readonly notes: InputNote[];
}

/** Everything that does not depend on the lines. Throws as {@link analyze} does. */
export async function prepare(options: Omit<AnalyzeOptions, 'inputs'>): Promise<Practice> {
  const zone = options.zone === undefined ? undefined : new Zone(options.zone);
  const configuration = await configurationOf(options.configs ?? []);
  const template = options.logFormat ?? templateIn(configuration);
  const logFormat = template === undefined ? undefined : logFormatOf(template);
  const mostEvents = options.mostEvents ?? Math.floor(getHeapStatistics().heap_size_limit / BYTES_PER_EVENT);
  const recorder = await Recorder.create(options.engine ?? 'compiled', {...options, zone, logFormat, mostEvents});
  const notes: InputNote[] = [];
  if (logFormat?.missing != null) notes.push({input: 'log-format', text: logFormat.missing});
  const judge = async (recording: Recording): Promise<Diagnosis> => {
    const window = windowIn(recording, options, zone);
    const told = [...notes];
    const whole = await joined(buildTimeline(endedAt(recording, window.until)), configuration, told);
    const timeline = begunAt(whole, window.since);
    const answers = since(runRules(rules, timeline), timeline, window.since);
    const events = timeline.events.filter(({at}) => mayBeAfter(at, window.since));
    return {timeline: {...timeline, events, window}, configuration, ...answers, errors: [], notes: told};
  };
  return {recorder, judge, notes};
}

function windowIn(recording: Recording, options: Omit<AnalyzeOptions, 'inputs'>, zone: Zone | undefined): TimeWindow {
  return windowOf(options, endOf(recording), {
    fromUtc: (utc) => zone?.fromUtc(utc) ?? utc,
    fromStamp: (stamp) => zone?.fromStamp(stamp) ?? stamp,
    stampAt: (at) => stampAt(at, recording.clockSteps),
  });
}

/** Most runs have none: its parsers are loaded for those that do. */
async function configurationOf(names: readonly string[]): Promise<Configuration | null> {
  if (names.length === 0) return null;
  const {readConfiguration} = await import('./config/read.ts');
  return readConfiguration(names);
}

/** How the servers write their request lines, as far as their configuration tells. */
function templateIn(configuration: Configuration | null): string | undefined {
  const settings = configuration?.programs.flatMap((program) => program.settings) ?? [];
  const found = settings.findLast(({name, value}) => /^log-?format$/.test(name) && String(value).includes('%('));
  return found === undefined ? undefined : String(found.value);
}

async function joined(timeline: Timeline, configuration: Configuration | null, notes: InputNote[]): Promise<Timeline> {
  if (configuration === null) return timeline;
  const {joinConfiguration} = await import('./config/join.ts');
  const result = joinConfiguration(timeline, configuration);
  notes.push(...result.notes.map(({file, text}) => ({input: file, text})));
  return result.timeline;
}
