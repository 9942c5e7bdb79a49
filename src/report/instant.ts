import {tzOffset} from '@date-fns/tz';
import type {Instant} from '../timeline/time.ts';

/** Beyond this a Date does not reach; a stamp that says so is broken. */
const FARTHEST = 8.64e15;

/**
 * ISO 8601 on the log's clock: `2019-07-31T20:13:14`, milliseconds only where there are any, an offset only
 * where its zone is known (`UTC`, `+02:00`, `Europe/Berlin`). Null for what is no date.
 */
export function iso(at: number | null, zone: string | null): string | null {
  if (at === null || !(Math.abs(at) <= FARTHEST)) return null;
  return new Date(at).toISOString().replace(/(?:\.000)?Z$/, '') + offset(zone, at);
}

export interface JsonInstant {
  readonly earliest: string | null;
  readonly latest: string | null;
}

/** Null where neither side is known. */
export function jsonInstant(instant: Instant | null, zone: string | null): JsonInstant | null {
  const earliest = iso(instant?.earliest ?? null, zone);
  const latest = iso(instant?.latest ?? null, zone);
  return earliest === null && latest === null ? null : {earliest, latest};
}

/** How the text report writes a moment: with the day only where the log spans several. */
export type Clock = (at: number) => string;

export function clockOf(from: number | null, to: number | null): Clock {
  const oneDay = from !== null && to !== null && day(from) === day(to);
  return (at) => (oneDay && day(at) === day(from) ? timeOfDay(at) : `${day(at)} ${timeOfDay(at)}`);
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
