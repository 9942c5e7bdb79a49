import type {Instant} from '../timeline/time.ts';

/** Beyond this a Date does not reach; a stamp that says so is broken. */
const FARTHEST = 8.64e15;

/**
 * ISO 8601 on the log's clock: `2019-07-31T20:13:14`, milliseconds only where there are any, an offset only
 * where the log tells its zone (`UTC`, `Z`, `+02:00`). Null for what is no date.
 */
export function iso(at: number | null, zone: string | null): string | null {
  if (at === null || !(Math.abs(at) <= FARTHEST)) return null;
  return new Date(at).toISOString().replace(/(?:\.000)?Z$/, '') + offset(zone);
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
  return iso(at, null)?.replace(/T.*$/, '') ?? '?';
}

export function timeOfDay(at: number): string {
  return iso(at, null)?.replace(/^.*T/, '').slice(0, 'hh:mm:ss'.length) ?? '?';
}

function offset(zone: string | null): string {
  if (zone === null) return '';
  if (zone === 'UTC' || zone === 'Z' || zone === 'GMT') return 'Z';
  const [, sign, hours, mins = '00'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  return sign === undefined ? '' : `${sign}${hours}:${mins}`;
}
