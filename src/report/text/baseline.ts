import type {Diagnosis} from '../../analyze.ts';
import {counted} from '../../number.ts';
import {printable} from '../escape.ts';
import {wrap} from '../wrap.ts';
import type {Page} from './page.ts';

/** What the baseline took out of the report, and which of its entries should be looked at. Empty without a baseline. */
export function baselineSection({baseline}: Diagnosis, page: Page): string {
  if (baseline === undefined) return '';
  const {file, accepted, expired, stale} = baseline;
  const lines = [
    ...accepted.map(({entry: {rule, reason, expires}, finding: {title}}) => {
      const until = expires === null ? '' : `, until ${expires}`;
      return `accepted${until}: ${rule}: ${title}. Reason: ${reason}`;
    }),
    ...expired.map(
      ({entry: {rule, reason, expires}}) => `expired on ${expires}, the finding counts again: ${rule}. Reason was: ${reason}`,
    ),
    ...stale.map(
      ({rule, title, fingerprint}) => `stale, not in this log: ${rule} ${fingerprint}${title === '' ? '' : ` (${title})`}`,
    ),
  ];
  const head = `Baseline ${printable(file)}: ${counted(accepted.length, 'finding')} accepted, ${expired.length} expired, ${stale.length} stale`;
  return [
    page.paint.bold(wrap(head, page.width)),
    ...lines.map((text) => wrap(printable(text), page.width, '  - ', '    ')),
  ].join('\n');
}
