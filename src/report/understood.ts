import type {InputSummary, Timeline} from '../timeline/timeline.ts';
import {counted} from './number.ts';

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
export function notUnderstood({inputs}: Timeline, minCoverage = 0): readonly NotUnderstood[] {
  const judge = (input: InputSummary): string | null => {
    if (input.truncated) return `it is cut off inside its compression (${input.compression}): the end is missing`;
    if (input.lines === 0) return 'it is empty';
    if (!recognised(input)) return `none of its ${counted(input.lines, 'line')} says anything that a known supervisor says`;
    const known = coverage(input);
    return known < minCoverage
      ? `only ${percent(known)} of its ${counted(input.lines, 'line')} were understood, ${percent(minCoverage)} were asked for`
      : null;
  };
  return inputs.flatMap((input) => {
    const why = judge(input);
    return why === null ? [] : [{input: input.name, why}];
  });
}

/** Something in the input was recognised. */
export function recognised({counts}: InputSummary): boolean {
  return counts.events + counts.requests > 0;
}

/** Rounded down, so that 99.96 % is never shown as all. */
export function percent(part: number): string {
  return `${Math.floor(part * 1000) / 10} %`;
}
