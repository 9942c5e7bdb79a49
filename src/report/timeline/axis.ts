const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000];

/** Distances between ticks that people count in. */
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map((n) => n * DAY),
];

interface Tick {
  readonly at: number;
  readonly label: string;
}

/**
 * Round times between two instants, as close as `room` allows: the most characters of labels, with a gap after each.
 * `stamp` tells what the log's stamps say at an instant.
 */
export function ticksOf(from: number, to: number, room: number, stamp = (at: number) => at): readonly Tick[] {
  const fits = (step: number) => ((to - from) / step + 1) * (labelOf(from, step, isLong(from, to)).length + 2) <= room;
  const step = STEPS.find(fits);
  if (step === undefined) return [];
  const ticks: Tick[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step)
    ticks.push({at, label: labelOf(stamp(at), step, isLong(from, to))});
  return ticks;
}

function isLong(from: number, to: number): boolean {
  return Math.floor(from / DAY) !== Math.floor(to / DAY);
}

/** `20:13:14`, `20:13` on whole minutes, with the day where there are several. */
function labelOf(at: number, step: number, withDay: boolean): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return '?';
  const [day = '', clock = ''] = time.toISOString().split('T');
  const moment = clock.slice(0, step < MINUTE ? 'hh:mm:ss'.length : 'hh:mm'.length);
  if (step >= DAY) return day.slice('YYYY-'.length);
  return withDay ? `${day.slice('YYYY-'.length)} ${moment}` : moment;
}
