/**
 * The patience of a supervisor with a worker that was asked to leave: what it is, and what it had better be.
 * All rules take their advice about it from here, so that no report contradicts itself.
 */

import {greatest, least} from '../extremes.ts';
import {thousands} from '../number.ts';
import type {LineRef} from '../timeline/event.ts';
import {oncePer} from '../timeline/once.ts';
import type {Duration} from '../timeline/time.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import type {Fix} from './rule.ts';
import {setting} from './settings.ts';
import {count, duration, seconds} from './wording.ts';
import {isNormal, longerThan, longestWork, requestsOf, tasksOf} from './work.ts';

const MERCY = 'worker-reload-mercy';
const DEFAULT_MERCY = 60;

export interface Mercy {
  readonly seconds: number;
  /**
   * `shown`: in the log or the configuration; `measured`: from the waits; `later`: only by a later start, which may have
   * read another configuration; `atMost`: the waits prove no more than that it is no longer; `assumed`: uWSGI's default.
   */
  readonly known: 'shown' | 'measured' | 'later' | 'atMost' | 'assumed';
  readonly where: LineRef | null;
}

/**
 * @param at Where it is asked for: a reload reads the configuration again, and the mercy may be another one behind it.
 * Without it, that of the last worker that ran into it, or else the latest.
 */
export function mercyOf(instance: Instance, at: LineRef | null = lastKill(instance)): Mercy {
  const shown = setting(instance, MERCY, at);
  const value = Number(shown?.value ?? Number.NaN);
  if (shown && Number.isFinite(value) && shown.from !== 'default') {
    return {seconds: value, known: shown.from === 'inferred' ? 'measured' : 'shown', where: shown.where};
  }
  for (const {forced} of instance.processes) {
    if (forced?.deadline !== 'mercy' || forced.tries > 1 || !forced.patience || forced.patience.max === null) continue;
    if (setting(instance, MERCY, forced.event)?.from === 'log') continue;
    // The check runs once a second and asks for "more than": the wait is the mercy and one second.
    const {min, max} = forced.patience;
    if (max - min <= 1) return {seconds: Math.max(0, Math.round(min) - 1), known: 'measured', where: forced.event};
  }
  const later = setting(instance, MERCY);
  if (later?.from === 'log' && Number.isFinite(Number(later.value)))
    return {seconds: Number(later.value), known: 'later', where: later.where};
  const least = leastPatience(instance);
  return least !== null && least < DEFAULT_MERCY
    ? {seconds: Math.floor(least), known: 'atMost', where: null}
    : {seconds: DEFAULT_MERCY, known: 'assumed', where: null};
}

/** Seconds that the shortest wait for a kill has lasted at most. */
function leastPatience({processes}: Instance): number | null {
  const waits = processes.flatMap(({forced}) =>
    forced?.deadline === 'mercy' && forced.tries === 1 && typeof forced.patience?.max === 'number' ? [forced.patience.max] : [],
  );
  return waits.length === 0 ? null : least(waits);
}

const lastKill = oncePer(
  (instance: Instance): LineRef | null =>
    instance.processes.findLast(({forced}) => forced?.deadline === 'mercy')?.forced?.event ?? null,
);

/** The log proves it for the time in question. */
export function isKnown({known}: Mercy): boolean {
  return known === 'shown' || known === 'measured';
}

export function mercyText({seconds: value, known}: Mercy): string {
  return {
    shown: `${value} s`,
    measured: `${value} s, going by the waits`,
    atMost: `at most ${value} s, going by the waits`,
    later: `${value} s if it was then what a later start shows`,
    assumed: `${value} s unless the configuration says otherwise`,
  }[known];
}

/** How long each kill took: as measured, or as the mercy has it. */
export function waitText(instance: Instance, measured: Duration | null): string {
  const mercy = mercyOf(instance);
  const isClose = measured && measured.max !== null && measured.max - measured.min <= 2;
  if (isClose || (measured && measured.min >= 1 && !isKnown(mercy))) return duration(measured);
  return mercy.known === 'assumed' ? `the whole mercy (${costOf(mercy.seconds)} s by default)` : `${costOf(mercy.seconds)} s`;
}

/** What a worker that is killed at the deadline costs, in seconds: the mercy, and a tick of the master. */
export function costOf(mercy: number): number {
  return mercy + 1;
}

const STEPS = [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600];

/** The shortest usual mercy that leaves the work of this log alone; null where none of the usual ones does. */
export function enoughMercy(timeline: Timeline, instance: Instance): number | null {
  const requests = requestsOf(instance);
  const tasks = Math.max(0, greatest(tasksOf(timeline, instance).map((task) => task.least)));
  return (
    STEPS.find((step) => tasks < step && !isNormal(requests, step) && !(requests.count < 200 && requests.longest >= step)) ?? null
  );
}

/** Advice to be less patient. None where the log shows work that needs the patience, or where nothing would be gained. */
export function lowerMercy(timeline: Timeline, instance: Instance, processes: readonly Process[]): Fix | null {
  const now = mercyOf(instance, null);
  const enough = enoughMercy(timeline, instance);
  if (enough === null || enough >= now.seconds || now.known === 'atMost') return null;
  if (timeline.tasks.orphaned.some((task) => processes.some((process) => process.pid === task.pid))) return null;
  return {
    setting: 'worker-reload-mercy',
    section: 'uwsgi',
    value: String(enough),
    since: null,
    remaining: costOf(enough),
    safety: 'may-cut-requests',
    effect:
      `${now.known === 'assumed' ? 'with the default mercy, ' : ''}${seconds(costOf(now.seconds))} -> about ` +
      `${seconds(costOf(enough))} for each worker that does not leave${cut(instance, enough)}`,
    why:
      'It shortens the wait and leaves the cause in place: the workers are still killed. reload-mercy is another option ' +
      'and has no effect on workers.',
  };
}

/** What a mercy of that length would have cut, in figures of this log. */
function cut(instance: Instance, mercy: number): string {
  const requests = requestsOf(instance);
  if (requests.count === 0) return '; this log has no request lines to show what that would cut';
  const longer = longerThan(requests, mercy);
  const all = count(requests.count, 'request');
  return longer === 0
    ? `; none of ${all} here took that long`
    : `; ${thousands(longer)} of ${all} here took longer and could have been cut`;
}

/** Advice to be more patient, where work is shown to take longer than the mercy. */
export function raiseMercy(timeline: Timeline, instance: Instance): Fix | null {
  const now = mercyOf(instance, null);
  const longest = longestWork(timeline, instance);
  const enough = STEPS.find((step) => step > longest * 1.2 && step > now.seconds);
  if (enough === undefined || longest <= now.seconds) return null;
  return {
    setting: 'worker-reload-mercy',
    section: 'uwsgi',
    value: String(enough),
    since: null,
    safety: 'safe',
    effect:
      `work of up to ${seconds(longest)}, as this log shows it, can end before the deadline; a worker that hangs is waited ` +
      `for ${seconds(costOf(enough))}`,
    why:
      `Now the mercy is ${mercyText(now)}. The time limit of the outer supervisor (supervisord's stopwaitsecs, systemd's ` +
      'TimeoutStopSec) must be longer still.',
  };
}
