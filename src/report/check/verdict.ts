import type {Check, Result} from '../../checks/check.ts';
import {counted} from '../../number.ts';
import type {Timeline} from '../../timeline/timeline.ts';
import {recognised} from '../understood.ts';

/** What the check came to, in one sentence. */
export function checkVerdict({assertions, failed, strict}: Check, timeline: Timeline): string {
  if (!timeline.inputs.some((input) => recognised(input, timeline))) return 'Nothing was checked: the input was not understood.';
  const count = (wanted: Result) => assertions.filter(({result}) => result === wanted).length;
  const parts: readonly (readonly [number, string])[] = [
    [count('broken'), 'broken'],
    [count('undecided'), 'cannot be decided from this log'],
    [count('unmeasured'), 'had nothing to measure'],
    [count('warning'), 'gave a warning'],
    [count('passed'), 'passed'],
  ];
  const told = parts.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`])).join(', ');
  const isOpen = count('undecided') + count('unmeasured') > 0;
  const outcome = failed ? 'Failed' : count('passed') > 0 ? 'Passed' : 'Nothing shown to be wrong';
  return `${outcome}. ${counted(assertions.length, 'assertion')}: ${told}${isOpen && !strict ? ' (only --strict fails on what is open)' : ''}.`;
}
