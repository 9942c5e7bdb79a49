import type {Diagnosis} from '../analyze.ts';
import {counted, thousands} from '../number.ts';
import type {RuleFinding} from '../rules/rule.ts';
import {stampAt} from '../timeline/time.ts';
import {printable} from './escape.ts';
import {timeOfDay} from './instant.ts';
import {inputName} from './place.ts';
import type {RenderOptions} from './reporter.ts';
import {finding, title} from './text/findings.ts';
import {pageFor} from './text/page.ts';
import {bySeverity} from './verdict.ts';

/** Findings of a log that goes on, as the text report has them; with `quiet` their titles. An empty text where there are none. */
export function newsText(news: readonly RuleFinding[], {timeline}: Diagnosis, options: RenderOptions): string {
  const page = pageFor(timeline, options);
  return bySeverity(news)
    .map((found) => `${options.quiet ? title(found, page) : finding(found, page)}\n\n`)
    .join('');
}

/** One line on the state of a log that goes on: how much there is, its own time, and what runs in it. */
export function statusText({timeline}: Diagnosis): string {
  const {inputs, events, reloads, to, clockSteps} = timeline;
  const lines = inputs.reduce((sum, input) => sum + input.lines, 0);
  const running = reloads.findLast(({outcome}) => outcome === 'unfinished');
  const replaced = running?.workers.filter(({newPid}) => newPid !== null).length ?? 0;
  const since = running?.startedAt.latest ?? null;
  const parts = [
    `following ${printable(inputName(inputs.at(-1)?.name ?? ''))}`,
    `${counted(lines, 'line')}, ${counted(events.length, 'event')}`,
    ...(to === null ? [] : [`last ${timeOfDay(stampAt(to, clockSteps))}`]),
    ...(running === undefined
      ? []
      : [
          `${running.id} is running${since === null ? '' : ` since ${timeOfDay(stampAt(since, clockSteps))}`}` +
            (running.workers.length === 0
              ? ''
              : `, ${thousands(replaced)} of ${counted(running.workers.length, 'worker')} replaced`),
        ]),
  ];
  return parts.join('; ');
}
