import type {InputSummary} from './timeline.ts';

/** By input: the number of the log that it is, or is a part of. */
export function logsOf(inputs: readonly InputSummary[]): readonly number[] {
  let log = -1;
  return inputs.map(({continues}) => {
    if (!continues) log++;
    return Math.max(log, 0);
  });
}
