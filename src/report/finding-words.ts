import type {Fix, RuleFinding} from '../rules/rule.ts';
import {ranges} from './ranges.ts';

export const CONFIDENCE = {
  certain: 'certain: the log proves it',
  likely: 'likely: it fits best',
  possible: 'possible: others fit as well',
} as const;

const SAFETY = {
  safe: 'safe',
  'may-cut-requests': 'may cut requests that are still running',
  'needs-code': "needs a change in the application's code",
} as const;

/** `workers 1-4 of reload-1`; empty where the finding names nobody. May hold text of the log. */
export function concerned({reload, instance, workers}: RuleFinding): string {
  return [
    ...(workers.length === 0 ? [] : [`${workers.length === 1 ? 'worker' : 'workers'} ${ranges(workers)}`]),
    ...(reload === null && instance === null ? [] : [reload ?? instance ?? '']),
  ].join(' of ');
}

/** `worker-reload-mercy = 5 in [uwsgi], since version 2.0`; null where the fix is no setting. May hold text of the log. */
export function settingLine({setting, section, value, since}: Fix): string | null {
  if (setting === null) return null;
  const place = section === null ? '' : ` in [${section}]`;
  const version = since === null ? '' : `, since version ${since}`;
  return `${setting}${value === null ? '' : ` = ${value}`}${place}${version}`;
}

/** What may go wrong with it, and whether anybody has tried it. */
export function riskOf({safety, tried}: Fix): string {
  return `${SAFETY[safety]}${tried ? '' : '; not tried on a real server'}`;
}

/** A finding in a few sentences without layout: what happened, and what to try first. May hold text of the log. */
export function inShort({message, fixes}: RuleFinding): string {
  const [fix] = fixes;
  if (fix === undefined) return message;
  const what = settingLine(fix) ?? fix.why.replace(/\.$/, '');
  return `${message}\nTo try first: ${what} (effect: ${fix.effect}; risk: ${riskOf(fix)}).`;
}
