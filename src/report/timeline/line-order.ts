import type {LineRef} from '../../timeline/event.ts';

/** By input and line: inputs are in the order of time. */
export function isBefore(a: LineRef, b: LineRef): boolean {
  return a.input === b.input ? a.line < b.line : a.input < b.input;
}
