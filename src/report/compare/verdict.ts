import type {Change, Comparison} from '../../checks/compare.ts';
import {counted} from '../../number.ts';

/** The whole in one sentence. */
export function comparisonVerdict({measures: all, gone, fresh, failed, notUnderstood}: Comparison): string {
  if (notUnderstood.length > 0)
    return `Nothing can be compared: ${notUnderstood.join(' and ')} ${notUnderstood.length === 1 ? 'was' : 'were'} not understood.`;
  const measures = all.filter(({isMissing}) => !isMissing);
  const count = (wanted: Change) => measures.filter(({change}) => change === wanted).length;
  const [better, worse] = [count('better'), count('worse')];
  const isWorse = worse > 0 || fresh.some(({severity}) => severity !== 'info');
  const isBetter = better > 0 || gone.some(({severity}) => severity !== 'info');
  const outcome =
    isWorse && isBetter
      ? 'Mixed'
      : isWorse
        ? 'Worse'
        : isBetter
          ? 'Better'
          : count('same') > 0
            ? 'No difference shown'
            : 'Cannot tell';
  const parts: readonly (readonly [number, string])[] = [
    [better, 'better'],
    [worse, 'worse'],
    [count('same'), 'the same'],
    [count('unknown'), 'cannot be told'],
  ];
  const told = parts.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`])).join(', ');
  const findings = `${counted(gone.length, 'finding')} gone, ${fresh.length} new`;
  const budget = failed ? 'over budget' : isWorse ? 'within the budget' : null;
  return `${outcome}${budget === null ? '' : `, ${budget}`}. ${counted(measures.length, 'measure')}: ${told}; ${findings}.`;
}
