import type {Change, MeasureChange} from '../../checks/compare.ts';
import {thousands} from '../../number.ts';
import type {Duration} from '../../timeline/time.ts';
import {seconds, shortDuration} from '../duration.ts';

export const CHANGE_WORDS: Readonly<Record<Change, string>> = {
  better: 'better',
  worse: 'worse',
  same: 'same',
  unknown: 'cannot tell',
};

/** `61 s`, `3 of 4`, `–` where there is nothing. Short, for columns. */
export function cellFor({unit, id}: Pick<MeasureChange, 'unit' | 'id'>, value: Duration | null, count: number): string {
  if (value === null) return '–';
  if (unit === 'seconds') return shortDuration(value);
  const figures =
    value.max === null ? `≥ ${value.min}` : value.min === value.max ? thousands(value.min) : `${value.min}–${value.max}`;
  return id === 'forced-kills' || id === 'orphaned-tasks' ? `${figures} of ${thousands(count)}` : figures;
}

/** What stands behind a change: how it was compared, why it cannot be told, the limit. Empty where there is nothing to add. */
export function remarkOn({because, limit, isOverBudget}: MeasureChange): string {
  const bound =
    limit === null
      ? null
      : `${limit.kind.isLeast ? 'at least' : 'at most'} ${limit.kind.unit === 'seconds' ? seconds(limit.value) : limit.value}`;
  const kept = {passed: 'kept', broken: 'broken', undecided: 'undecided'} as const;
  return [
    ...(because === null ? [] : [because]),
    ...(limit === null ? (isOverBudget ? ['over budget'] : []) : [`limit ${bound}: ${kept[limit.result]}`]),
  ].join('; ');
}
