import {type Gap, gapsOf} from '../../measures/service.ts';
import {counted} from '../../number.ts';
import type {Timeline} from '../../timeline/timeline.ts';
import {longDuration} from '../duration.ts';
import {printable} from '../escape.ts';
import {showInstant} from '../instant.ts';
import {wrap} from '../wrap.ts';
import type {Page} from './page.ts';

const LABEL = 'Unserved  ';
const MOST = 3;

/** For how long no worker was there that could serve, as far as the log proves it: the longest times first. */
export function unserved(timeline: Timeline, page: Page): string {
  const gaps = gapsOf(timeline).filter(({duration}) => duration.min > 0);
  if (gaps.length === 0) return '';
  const told = [...gaps].sort((a, b) => b.duration.min - a.duration.min).slice(0, MOST);
  const of = ({instance}: Gap) => (timeline.instances.length > 1 ? ` of ${printable(instance)}` : '');
  const lines = told.map(
    (gap) =>
      `${longDuration(gap.duration)} without a worker${of(gap)}: ` +
      (gap.reload === null
        ? showInstant({earliest: gap.from, latest: gap.to}, page.clock)
        : `${gap.reload.id} (${page.place(gap.reload.began)})`),
  );
  const more = gaps.length - told.length;
  if (more > 0) lines.push(`… and ${counted(more, 'shorter time', 'shorter times')} (check --max-downtime has the sum)`);
  return lines
    .map((line, n) => {
      const label = n === 0 ? LABEL : ' '.repeat(LABEL.length);
      const text = wrap(line, page.width, label, ' '.repeat(LABEL.length));
      return n === 0 ? page.paint.bold(LABEL) + text.slice(LABEL.length) : text;
    })
    .join('\n');
}
