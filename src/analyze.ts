/** The pipeline, top to bottom: bytes -> events -> timeline -> findings. */
import {type Engine, Recorder} from './formats/recorder.ts';
import {rules} from './rules/index.ts';
import {runRules} from './rules/run.ts';
import type {RuleFinding, RuleResult} from './rules/rule.ts';
import {type InputError, readInputs} from './source/inputs.ts';
import {buildTimeline} from './timeline/build.ts';
import type {Timeline} from './timeline/timeline.ts';

export interface AnalyzeOptions {
  /** Files; `-` is standard input. */
  readonly inputs: readonly string[];
  /** `ohm` asks Ohm's interpreter instead of the compiled matcher: slow, and the same report byte for byte. */
  readonly engine?: Engine;
}

export interface Diagnosis {
  readonly timeline: Timeline;
  readonly findings: readonly RuleFinding[];
  readonly rules: readonly RuleResult[];
  /** Inputs that could not be read; the rest was. */
  readonly errors: readonly InputError[];
}

/** Reads the inputs and judges what they show. */
export async function analyze(options: AnalyzeOptions): Promise<Diagnosis> {
  const recorder = await Recorder.create(options.engine ?? 'compiled');
  const errors = await readInputs(options.inputs, recorder);
  const timeline = buildTimeline(recorder.finish());
  return {timeline, ...runRules(rules, timeline), errors};
}
