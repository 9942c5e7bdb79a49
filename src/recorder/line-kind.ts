import type {CurrentInput} from './current-input.ts';

/** What a line is to the reader. */
export type LineKind = 'events' | 'requests' | 'noise' | 'application' | 'unknown';

/** What says most about a line comes first. */
const TELLING: readonly LineKind[] = ['events', 'requests', 'unknown', 'application', 'noise'];

export function moreTelling(a: LineKind, b: LineKind): LineKind {
  return TELLING.indexOf(a) < TELLING.indexOf(b) ? a : b;
}

export function isRecognised(kind: LineKind): boolean {
  return kind !== 'unknown' && kind !== 'application';
}

/** A line turns out to be something else than it was counted as. */
export function recount(input: CurrentInput, before: LineKind, kind: LineKind): void {
  input[before]--;
  input[kind]++;
}
