/** The pipeline, top to bottom: bytes -> events -> timeline -> findings. */
import {readInputs} from './source/inputs.ts';
import {Recorder} from './formats/recorder.ts';
import {rules} from './rules/index.ts';
import {runRules} from './rules/run.ts';
import type {RuleFinding, RuleResult} from './rules/rule.ts';
import {buildTimeline} from './timeline/build.ts';
import type {LogEvent} from './timeline/event.ts';
import type {Timeline} from './timeline/timeline.ts';

export interface AnalyzeOptions {
  /** Files; `-` is standard input. */
  readonly inputs: readonly string[];
  /** `ohm` asks Ohm's interpreter instead of the compiled matcher: slow, and the same report byte for byte. */
  readonly engine?: 'compiled' | 'ohm';
  /** Called for each event as soon as it is known. */
  readonly onEvent?: (event: LogEvent) => void;
}

export interface Diagnosis {
  readonly timeline: Timeline;
  readonly findings: readonly RuleFinding[];
  readonly rules: readonly RuleResult[];
}

/** Reads the inputs and judges what they show. Throws `InputError` for an input that cannot be read. */
export async function analyze(options: AnalyzeOptions): Promise<Diagnosis> {
  const recorder = await Recorder.create(options.engine ?? 'compiled', options.onEvent);
  await readInputs(options.inputs, recorder);
  const timeline = buildTimeline(recorder.finish());
  return {timeline, ...runRules(rules, timeline)};
}
