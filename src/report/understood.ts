import {counted} from '../number.ts';
import type {EventKind} from '../timeline/event.ts';
import type {InputSummary, Timeline} from '../timeline/timeline.ts';

/** An input that cannot be judged, and why: never a green, empty report. */
export interface NotUnderstood {
  readonly input: string;
  readonly why: string;
}

/** The part of the lines that is not unknown, from 0 to 1; an empty input has none. */
export function coverage({counts, lines}: InputSummary): number {
  return lines === 0 ? 0 : Math.max(0, 1 - counts.unknown / lines);
}

/** @param minCoverage from 0 to 1 */
export function notUnderstood(timeline: Timeline, minCoverage = 0): readonly NotUnderstood[] {
  const judge = (input: InputSummary): string | null => {
    if (input.truncated)
      return input.compression === 'none'
        ? 'it was not read to its end'
        : `it is cut off inside its compression (${input.compression}): the end is missing`;
    if (input.lines === 0) return 'it is empty';
    if (isConfiguration(input, timeline)) return 'it is a configuration, not a log: no line of it tells what happened';
    if (!recognised(input, timeline))
      return `none of its ${counted(input.lines, 'line')} says anything that a known supervisor says`;
    const known = coverage(input);
    return known < minCoverage
      ? `only ${percent(known)} of its ${counted(input.lines, 'line')} were understood, ${percent(minCoverage)} were asked for`
      : null;
  };
  return timeline.inputs.flatMap((input) => {
    const why = judge(input);
    return why === null ? [] : [{input: input.name, why}];
  });
}

/** Something that happened was recognised in the input. */
export function recognised(input: InputSummary, timeline: Timeline): boolean {
  return input.counts.events + input.counts.requests > 0 && !isConfiguration(input, timeline);
}

/** An input that begins as a dump of the configuration does and has nothing else: the .ini file itself, most likely. */
function isConfiguration(input: InputSummary, {inputs, events}: Timeline): boolean {
  const index = inputs.indexOf(input);
  const some = (is: (kind: EventKind) => boolean) => events.some((event) => event.input === index && is(event.meaning.kind));
  return input.counts.requests === 0 && !some((kind) => !OF_A_DUMP.has(kind)) && some((kind) => kind === 'dump-began');
}

const OF_A_DUMP: ReadonlySet<EventKind> = new Set(['dump-began', 'setting', 'dump-ended']);

/** Rounded down, so that 99.96 % is never shown as all. */
export function percent(part: number): string {
  return `${Math.floor(part * 1000) / 10} %`;
}
