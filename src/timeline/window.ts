import type {LineRef, LogEvent} from './event.ts';
import type {Recording} from './recording.ts';
import type {Instant} from './time.ts';
import type {Instance, Process, Reload, Timeline} from './timeline.ts';

/** A side of the time that is to be reported, as somebody gives it. */
export type Bound =
  /** A date and time; `utc` where an offset was told with it. */
  | {readonly is: 'moment'; readonly at: number; readonly utc: boolean}
  /** The last time before the end of the log when a clock showed this; milliseconds since midnight. */
  | {readonly is: 'time-of-day'; readonly inDay: number}
  /** Milliseconds before the end of the log. */
  | {readonly is: 'before-end'; readonly by: number};

/** Milliseconds on the log's clock; null where a side is open. */
export interface TimeWindow {
  readonly since: number | null;
  readonly until: number | null;
}

const DAY = 86_400_000;
const UNITS: Readonly<Record<string, number>> = {s: 1000, m: 60_000, h: 3_600_000, d: DAY, w: 7 * DAY};
const MOMENT = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,3})?)? ?(Z|UTC|[+-]\d\d:?\d\d)?)?$/;
const TIME_OF_DAY = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/;
const AGO = /^-?(\d+(?:\.\d+)?) ?(s|m|h|d|w)(?:ec(?:onds?)?|in(?:utes?)?|ours?|ays?|eeks?)?(?: ago)?$/;

/** `2026-11-20`, `2026-11-20 23:30[:05]` with or without an offset, `23:30`, `10min`, `-2h`. Null for anything else. */
export function boundOf(text: string): Bound | null {
  const [, day, clock = '00:00', seconds = ':00', zone] = MOMENT.exec(text) ?? [];
  if (day !== undefined) {
    const offset = zone === undefined || zone === 'UTC' ? 'Z' : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
    const at = Date.parse(`${day}T${clock}${seconds}${offset}`);
    // There is no 31st of February, and Date makes a March of it.
    const start = Date.parse(`${day}T00:00Z`);
    const exists = !Number.isNaN(start) && new Date(start).toISOString().startsWith(day);
    return Number.isNaN(at) || !exists ? null : {is: 'moment', at, utc: zone !== undefined};
  }
  const [, hour, minute, second = '0'] = TIME_OF_DAY.exec(text) ?? [];
  if (hour !== undefined) return {is: 'time-of-day', inDay: ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000};
  const [, count, unit = ''] = AGO.exec(text) ?? [];
  return count === undefined ? null : {is: 'before-end', by: Number(count) * (UNITS[unit] as number)};
}

/** The clock of a log, as far as it is not that of its stamps. */
interface LogClock {
  readonly fromUtc: (utc: number) => number;
  readonly fromStamp: (stamp: number) => number;
  readonly stampAt: (at: number) => number;
}

/** What is asked for ends before it begins. */
export class WindowError extends Error {
  override readonly name = 'WindowError';
}

/**
 * What of a log that ends at `end` is asked for. A time of day as its end is the first one after its beginning, so that it may lie behind
 * midnight, or behind the end of the log. Throws WindowError where the beginning lies behind the end.
 */
export function windowOf(
  {since: from, until: to}: {readonly since?: Bound | undefined; readonly until?: Bound | undefined},
  end: number | null,
  clock: LogClock,
): TimeWindow {
  const since = placed(from ?? null, end, clock);
  const last = placed(to ?? null, end, clock);
  const isEarly = since !== null && last !== null && last < since;
  const until = isEarly && to?.is === 'time-of-day' ? clock.fromStamp(clock.stampAt(last) + DAY) : last;
  if (since === null || until === null || since <= until) return {since, until};
  const told = (at: number) =>
    new Date(clock.stampAt(at))
      .toISOString()
      .replace('T', ' ')
      .replace(/(?:\.000)?Z$/, '');
  throw new WindowError(`since (${told(since)}) lies after until (${told(until)}): there is nothing in between to report`);
}

/** Where a bound lies in a log that ends at `end`. Null: the log tells no time. */
export function placed(bound: Bound | null, end: number | null, clock: LogClock): number | null {
  if (bound?.is === 'moment') return bound.utc ? clock.fromUtc(bound.at) : clock.fromStamp(bound.at);
  if (bound === null || end === null) return null;
  if (bound.is === 'before-end') return end - bound.by;
  const last = clock.stampAt(end);
  const today = last - (((last % DAY) + DAY) % DAY) + bound.inDay;
  return clock.fromStamp(today <= last ? today : today - DAY);
}

export function mayBeAfter({latest}: Instant, time: number | null): boolean {
  return time === null || latest === null || latest >= time;
}

function mayBeBefore({earliest}: Instant, time: number | null): boolean {
  return time === null || earliest === null || earliest <= time;
}

/** The last instant that the inputs tell. */
export function endOf({inputs}: Pick<Recording, 'inputs'>): number | null {
  return inputs.reduce<number | null>((last, {to}) => (to === null || (last !== null && last >= to) ? last : to), null);
}

/** The recording as it would be if the log had ended at `until`: without what certainly happened later. */
export function endedAt(recording: Recording, until: number | null): Recording {
  if (until === null) return recording;
  /** How many events are left of the first n. */
  const left = [0];
  const events = recording.events.filter((event) => {
    const isLeft = mayBeBefore(event.at, until);
    left.push((left.at(-1) as number) + Number(isLeft));
    return isLeft;
  });
  return {
    ...recording,
    inputs: recording.inputs.map((input) => ({
      ...input,
      from: input.from !== null && input.from > until ? null : input.from,
      to: input.from !== null && input.from > until ? null : input.to !== null && input.to > until ? until : input.to,
    })),
    events,
    segments: recording.segments
      .filter(({firstStart}) => !(firstStart > until))
      .map((segment) => ({...segment, afterEvents: left[segment.afterEvents] as number})),
  };
}

/**
 * The timeline without the reloads, processes and lost tasks that were certainly over before `since`. What came before
 * stays known: settings, who started whom, and all events, by which rules tell what they know.
 */
export function begunAt(timeline: Timeline, since: number | null): Timeline {
  if (since === null) return timeline;
  const lives = (process: Process) => process.end === 'running' || mayBeAfter(process.endedAt, since);
  const processes = timeline.instances.flatMap((instance) => instance.processes);
  const goesOn = ({endedAt, workers, instance}: Reload) =>
    endedAt === null
      ? // What never ended, as far as the log shows, ends with the last it had to do with.
        workers.length === 0 ||
        workers.some(({oldPid, newPid}) =>
          processes.some(
            (process) => process.instance === instance && (process.pid === oldPid || process.pid === newPid) && lives(process),
          ),
        )
      : mayBeAfter(endedAt, since);
  const needed = new Set(processes.filter(lives).flatMap(({asked}) => asked?.reload ?? []));
  const reloads = timeline.reloads.filter((reload) => goesOn(reload) || needed.has(reload.id));
  const pids = new Set(reloads.flatMap(({instance, workers}) => workers.map(({oldPid}) => `${instance} ${oldPid}`)));
  const kept = timeline.instances.map((instance): Instance => {
    return {
      ...instance,
      processes: instance.processes.filter((process) => lives(process) || pids.has(`${instance.id} ${process.pid}`)),
      reloads: reloads.filter((reload) => reload.instance === instance.id),
    };
  });
  const isOver = ({stopped, processes, reloads}: Instance) =>
    reloads.length === 0 && processes.length === 0 && stopped !== null && !mayBeAfter(stopped.at, since);
  return {
    ...timeline,
    instances: kept.filter((instance) => !isOver(instance) || kept.some(({predecessor}) => predecessor === instance.id)),
    reloads,
    tasks: {
      ...timeline.tasks,
      orphaned: timeline.tasks.orphaned.filter(({gone, replacedBy}) => mayBeAfter((gone ?? replacedBy)?.at ?? OPEN, since)),
    },
  };
}

const OPEN: Instant = {earliest: null, latest: null};

/** Tells of a line whether what it says can have happened at `since` or later; lines that are no events can. */
export function afterOn(events: readonly LogEvent[], since: number | null): (line: LineRef) => boolean {
  const early = new Set(events.filter(({at}) => !mayBeAfter(at, since)).map(({input, line}) => `${input}:${line}`));
  return ({input, line}) => !early.has(`${input}:${line}`);
}
