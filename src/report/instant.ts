import {tzOffset} from '@date-fns/tz';
import {type ClockStep, type Instant, stampAt} from '../timeline/time.ts';
import type {Timeline} from '../timeline/timeline.ts';

/** Beyond this a Date does not reach; a stamp that says so is broken. */
const FARTHEST = 8.64e15;
/** Longer than any change of the clock, in milliseconds. */
const CHANGE = 3 * 3_600_000;

/**
 * ISO 8601 as the log's stamps have it: `2019-07-31T20:13:14`, milliseconds only where there are any, an offset only
 * where its zone is known (`UTC`, `+02:00`, `Europe/Berlin`). Null for what is no date.
 */
export function iso(at: number | null, zone: string | null, steps: readonly ClockStep[] = []): string | null {
  if (at === null || !(Math.abs(at) <= FARTHEST)) return null;
  return new Date(stampAt(at, steps)).toISOString().replace(/(?:\.000)?Z$/, '') + offset(zone, beside(at, steps));
}

export interface JsonInstant {
  readonly earliest: string | null;
  readonly latest: string | null;
}

/** Null where neither side is known. */
export function jsonInstant(instant: Instant | null, zone: string | null, steps: readonly ClockStep[]): JsonInstant | null {
  const earliest = iso(instant?.earliest ?? null, zone, steps);
  const latest = iso(instant?.latest ?? null, zone, steps);
  return earliest === null && latest === null ? null : {earliest, latest};
}

/** How the text report writes a moment: with the day only where the log spans several. */
export type Clock = (at: number) => string;

export function clockOf({from, to, clockSteps}: Pick<Timeline, 'from' | 'to' | 'clockSteps'>): Clock {
  const stamp = (at: number) => stampAt(at, clockSteps);
  const oneDay = from !== null && to !== null && day(stamp(from)) === day(stamp(to));
  return (at) => (oneDay && day(stamp(at)) === day(stamp(from)) ? timeOfDay(stamp(at)) : dayAndTime(stamp(at)));
}

/** With the day, whatever the log spans. */
export function datedClockOf({clockSteps}: Pick<Timeline, 'clockSteps'>): Clock {
  return (at) => dayAndTime(stampAt(at, clockSteps));
}

function dayAndTime(stamp: number): string {
  return `${day(stamp)} ${timeOfDay(stamp)}`;
}

/** `16:49:11`, `16:49:11–16:49:14`, `before 16:50:13`, `after 16:48:00`; `?` where nothing is known. */
export function showInstant({earliest, latest}: Instant, clock: Clock): string {
  if (earliest === null) return latest === null ? '?' : `before ${clock(latest)}`;
  if (latest === null) return `after ${clock(earliest)}`;
  const [from, to] = [clock(earliest), clock(latest)];
  if (from === to) return from;
  return day(earliest) === day(latest) ? `${from}–${timeOfDay(latest)}` : `${from} – ${to}`;
}

export function day(at: number): string {
  return iso(at, null)?.split('T')[0] ?? '?';
}

export function timeOfDay(at: number): string {
  return iso(at, null)?.split('T')[1]?.slice(0, 8) ?? '?';
}

/** What a stamp says that has the same offset, and is not of the hour that comes twice. */
function beside(at: number, steps: readonly ClockStep[]): number {
  const last = steps.findLast((step) => step.at <= at);
  const next = steps.find((step) => step.at > at);
  const far = Math.min(
    Math.max(at, last === undefined ? at : last.at + CHANGE),
    next === undefined ? Infinity : next.at - CHANGE,
  );
  return far + (last?.by ?? 0);
}

/** The offset from UTC that the clock on the wall has in `zone` when it shows `at`. */
function offset(zone: string | null, at: number): string {
  if (zone === null) return '';
  if (zone === 'UTC') return 'Z';
  // The offset of a moment nearby is the one looked for, but for the hour in which it changes.
  const nearby = tzOffset(zone, new Date(at));
  const minutes = tzOffset(zone, new Date(at - nearby * 60_000));
  if (Number.isNaN(minutes)) return '';
  const two = (value: number) => String(Math.trunc(value)).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}
