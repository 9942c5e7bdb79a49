import {least} from '../extremes.ts';
import {type LogEvent, type RequestSegment, speakerOf, type Voice} from './event.ts';
import {groupBy} from './group.ts';
import {logsOf} from './logs.ts';
import type {Recording} from './recording.ts';
import type {InputSummary, Oddity} from './timeline.ts';

const TIMELESS = 'no line of it tells a time: its lines stand apart from those of the other inputs';
const FOREIGN =
  'its clock cannot be compared with that of the other inputs (--tz tells its zone): its lines stand apart from theirs';

/**
 * Puts the lines of several logs into one order by time; lines of one log keep theirs. A log without any time, or with
 * a clock of which nobody knows how far it is from the others', stays in one piece where it was named.
 */
export function merge(recording: Recording): Recording {
  const {inputs} = recording;
  const logOf = logsOf(inputs);
  const count = (logOf.at(-1) ?? -1) + 1;
  if (count < 2 && recording.doubled.length === 0) return recording;
  const logs = Array.from({length: count}, (_, log) => new Queue(log));
  const shifts = shiftsOf(recording, logOf);
  for (const item of itemsOf(recording)) logs[logOf[item.input] ?? 0]?.add(item);
  const groups = groupsOf(logs, inputs, logOf, shifts);
  const order = groups.flatMap(byTime);
  const apart = oddities(groups, logs, inputs, logOf);
  return {
    ...renumbered(recording, order, logs, logOf),
    inputs: inputs.map((input, index) => {
      const log = logOf[index] ?? 0;
      const by = logs[log]?.shift ?? 0;
      const what =
        apart.get(log) ?? (by === 0 ? undefined : `its clock was ${hours(-by)} off that of the other inputs: put right`);
      const oddity: Oddity[] = what === undefined ? [] : [{what, count: 1, firstLine: 1}];
      const to = shifts.get(log)?.to;
      return {
        ...input,
        from: moved(input.from, by),
        to: moved(input.to, by),
        zone: to === undefined ? input.zone : (inputs[logOf.indexOf(to)]?.zone ?? null),
        oddities: [...input.oddities, ...oddity],
      };
    }),
  };
}

/** A line that has to be kept in order: an event, one that another sink wrote again, or the first or last request of a segment. */
interface Item {
  readonly of: LogEvent | RequestSegment | Voice;
  readonly is: 'event' | 'doubled' | 'first' | 'last';
  readonly input: number;
  readonly place: number;
  /** Where it is put among the lines of other logs; null: right behind the line above it. */
  readonly time: number | null;
}

/** What is left to be put into order of one log. */
class Queue {
  readonly log: number;
  /** What is added to its times to compare them with those of others. */
  shift = 0;
  private readonly items: {readonly item: Item; readonly time: number}[] = [];
  private next = 0;
  private time = Number.NEGATIVE_INFINITY;

  constructor(log: number) {
    this.log = log;
  }

  add(item: Item): void {
    this.time = Math.max(this.time, item.time ?? this.time);
    this.items.push({item, time: this.time});
  }

  /** Of the next line, on the clock of the logs it is merged with; null at the end. */
  get nextTime(): number | null {
    const next = this.items[this.next];
    return next === undefined ? null : next.time + this.shift;
  }

  /** From the beginning: nothing of the log has to be put into order. */
  get isEmpty(): boolean {
    return this.items.length === 0;
  }

  take(): Item {
    return this.items[this.next++]?.item as Item;
  }
}

/** In the order of the lines of each log. */
function itemsOf({events, doubled, segments, voices}: Recording): Item[] {
  const stops = events.flatMap(({meaning, at}) =>
    meaning.kind === 'program-stopping' && at.earliest !== null ? [at.earliest] : [],
  );
  const itemOf = (is: 'event' | 'doubled') => (event: LogEvent) => {
    const {input, place, at} = event;
    return {of: event, is, input, place, time: askedAt(event, stops) ?? at.earliest ?? at.latest};
  };
  const items: Item[] = [...events.map(itemOf('event')), ...doubled.map(itemOf('doubled'))];
  for (const segment of segments) {
    const {first, last, firstStart, lastEnd} = segment;
    items.push({of: segment, is: 'first', input: first.input, place: first.place, time: firstStart});
    items.push({of: segment, is: 'last', input: last.input, place: last.place, time: lastEnd});
  }
  for (const voice of voices) {
    const {first, last} = voice;
    items.push({of: voice, is: 'first', input: first.input, place: first.place, time: null});
    items.push({of: voice, is: 'last', input: last.input, place: last.place, time: null});
  }
  // Sorting is stable: events of one line stay in their order.
  return items.sort((a, b) => a.place - b.place);
}

/** A server begins to stop once it was told to: the earliest of these times that its line can have been written at. */
function askedAt({meaning, at}: LogEvent, stops: readonly number[]): number | null {
  const isAnswer = meaning.kind === 'stop-began' || meaning.kind === 'reload-began';
  if (!isAnswer || at.earliest === at.latest) return null;
  const {earliest, latest} = at;
  const possible = stops.filter((stop) => stop >= (earliest ?? stop) && stop <= (latest ?? stop));
  return possible.length === 0 ? null : least(possible) + BEHIND_MS;
}

/** Less than any two stamps differ by. */
const BEHIND_MS = 0.5;

/** Logs whose clocks can be compared, at the place of the first of them. */
function groupsOf(
  logs: readonly Queue[],
  inputs: readonly InputSummary[],
  logOf: readonly number[],
  shifts: ReadonlyMap<number, Shift>,
): (readonly Queue[])[] {
  const placeOf = (log: number): {readonly key: string; readonly shift: number} => {
    const shift = shifts.get(log);
    if (shift === undefined) return {key: clockOf(log, inputs, logOf) ?? `log ${log}`, shift: 0};
    const to = placeOf(shift.to);
    return {key: to.key, shift: shift.by + to.shift};
  };
  for (const queue of logs) queue.shift = placeOf(queue.log).shift;
  return [...groupBy(logs, ({log}) => placeOf(log).key).values()];
}

/** The zone that a log tells, or that it tells none; null where it tells no time, or several zones. */
function clockOf(log: number, inputs: readonly InputSummary[], logOf: readonly number[]): string | null {
  const own = inputs.filter(({from}, index) => logOf[index] === log && from !== null);
  const zones = new Set(own.map(({zone}) => zone));
  return zones.size === 1 ? `zone ${[...zones][0] ?? ''}` : null;
}

/** How far the clock of a log is from that of an earlier one. */
interface Shift {
  readonly to: number;
  readonly by: number;
}

const ZONE_STEP_MS = 15 * 60_000;
/** From UTC-12 to UTC+14. */
const WIDEST_MS = 26 * 3_600_000;
/** A server writes its first line this soon after it was started. */
const START_MS = 60_000;

/**
 * Two logs of different supervisors that tell of the start of one process, and the two logs of one nginx, show how far their
 * clocks are apart, in whole quarters of an hour, as time zones are. By log; only where all that they tell agrees. So do logs with the same records.
 */
function shiftsOf({inputs, events, shared}: Recording, logOf: readonly number[]): ReadonlyMap<number, Shift> {
  const startsOf = new Map<number, Map<number | string, {readonly time: number; readonly by: string}>>();
  for (const event of events) {
    const {input, at} = event;
    const telling = tellingOf(event);
    if (telling === null || at.earliest === null) continue;
    const log = logOf[input] ?? 0;
    const starts = startsOf.get(log) ?? new Map();
    if (!starts.has(telling.of)) starts.set(telling.of, {time: at.earliest, by: telling.by});
    startsOf.set(log, starts);
  }
  const zoneOf = (log: number) => inputs[logOf.indexOf(log)]?.zone ?? null;
  const shifts = new Map<number, Shift>();
  for (const {inputs: pair, shift} of shared) {
    const [a, b] = [logOf[pair[0]] ?? 0, logOf[pair[1]] ?? 0];
    if (shift !== null && a !== b) shifts.set(Math.max(a, b), {to: Math.min(a, b), by: a < b ? shift : -shift});
  }
  for (const [log, starts] of startsOf) {
    for (const [to, others] of startsOf) {
      if (to >= log || shifts.has(log)) continue;
      const apart = [...starts].flatMap(([pid, start]) => {
        const other = others.get(pid);
        return other === undefined || other.by === start.by ? [] : [other.time - start.time];
      });
      const by = Math.round((apart[0] ?? Number.NaN) / ZONE_STEP_MS) * ZONE_STEP_MS;
      // Where both tell the same of their zone, or nothing, one start at the right minute may be chance.
      const isLikely = by === 0 || apart.length > 1 || zoneOf(log) !== zoneOf(to);
      const areAgreed = apart.length > 0 && apart.every((difference) => Math.abs(difference - by) <= START_MS);
      if (isLikely && areAgreed && Math.abs(by) <= WIDEST_MS) shifts.set(log, {to, by});
    }
  }
  return withMates(shifts, inputs, logOf);
}

/** Logs that tell no zone are of one clock, and so are those of one zone: what is known of one of them holds for the others. */
function withMates(
  shifts: ReadonlyMap<number, Shift>,
  inputs: readonly InputSummary[],
  logOf: readonly number[],
): ReadonlyMap<number, Shift> {
  const all = new Map(shifts);
  const anchors = new Set([...shifts.values()].map(({to}) => to));
  for (const [log, shift] of shifts) {
    const clock = clockOf(log, inputs, logOf);
    if (clock === null || shifts.has(shift.to) || clockOf(shift.to, inputs, logOf) === clock) continue;
    for (const mate of new Set(logOf)) {
      if (!all.has(mate) && !anchors.has(mate) && clockOf(mate, inputs, logOf) === clock) all.set(mate, shift);
    }
  }
  return all;
}

/** What two logs may both tell: the start of a process, and nginx in both of its logs a request that it could not get answered. */
function tellingOf({message, meaning, pid, fields}: LogEvent): {readonly of: number | string; readonly by: string} | null {
  const by = speakerOf(message);
  if (meaning.kind === 'process-started' || meaning.kind === 'master-started') return pid === null ? null : {of: pid, by};
  if (meaning.kind !== 'request-error' || by !== 'nginx' || fields['uri'] === undefined) return null;
  return {of: String(fields['uri']), by: meaning.stampIn === undefined ? 'error' : 'access'};
}

function byTime(queues: readonly Queue[]): Item[] {
  const order: Item[] = [];
  for (;;) {
    let earliest: Queue | null = null;
    for (const queue of queues) {
      if (queue.nextTime !== null && (earliest === null || queue.nextTime < (earliest.nextTime as number))) earliest = queue;
    }
    if (earliest === null) return order;
    order.push(earliest.take());
  }
}

/** What to say of logs that were not merged with all others; of one that holds nothing there is nothing to say. */
function oddities(
  all: readonly (readonly Queue[])[],
  logs: readonly Queue[],
  inputs: readonly InputSummary[],
  logOf: readonly number[],
): ReadonlyMap<number, string> {
  const groups = all.map((group) => group.filter(({isEmpty}) => !isEmpty)).filter(({length}) => length > 0);
  if (groups.length < 2) return new Map();
  const largest = groups.reduce((a, b) => (b.length > a.length ? b : a));
  const apart = logs.filter((queue) => !queue.isEmpty && !largest.includes(queue));
  return new Map(
    apart.map(({log}) => {
      const isTimed = inputs.some(({from}, index) => logOf[index] === log && from !== null);
      return [log, isTimed ? FOREIGN : TIMELESS];
    }),
  );
}

/** The same in this order and on one clock: places, times, and all that counts what came before. */
function renumbered(recording: Recording, order: readonly Item[], logs: readonly Queue[], logOf: readonly number[]): Recording {
  const shiftOf = (input: number) => logs[logOf[input] ?? 0]?.shift ?? 0;
  const events: LogEvent[] = [];
  const doubled: LogEvent[] = [];
  const places = new Map<RequestSegment | Voice, {first: number; last: number; after: number; until: number}>();
  const served = new Served(recording, logOf);
  for (const [place, {of, is, input}] of order.entries()) {
    if (is === 'event' || is === 'doubled') {
      const event = of as LogEvent;
      const total = served.at(logOf[input] ?? 0, event.served);
      const by = shiftOf(input);
      const at = {earliest: moved(event.at.earliest, by), latest: moved(event.at.latest, by)};
      (is === 'event' ? events : doubled).push({...event, at, place, served: total});
      continue;
    }
    const segment = of as RequestSegment | Voice;
    const known = places.get(segment) ?? {first: place, last: place, after: events.length, until: events.length};
    if (is === 'last') {
      known.last = place;
      known.until = events.length;
    }
    places.set(segment, known);
  }
  const segments = recording.segments.map((segment): RequestSegment => {
    const known = places.get(segment);
    if (known === undefined) return segment;
    const {first, last, after, until} = known;
    const by = shiftOf(segment.first.input);
    return {
      ...segment,
      firstStart: segment.firstStart + by,
      lastStart: segment.lastStart + by,
      lastEnd: segment.lastEnd + by,
      afterEvents: after,
      untilEvents: until,
      first: {...segment.first, place: first},
      last: {...segment.last, place: last},
    };
  });
  const voices = recording.voices.map((voice): Voice => {
    const {first = voice.first.place, last = voice.last.place} = places.get(voice) ?? {};
    return {...voice, first: {...voice.first, place: first}, last: {...voice.last, place: last}};
  });
  return {...recording, events, doubled, segments, voices};
}

function moved(time: number | null, by: number): number | null {
  return time === null ? null : time + by;
}

/** `1 h`, `-5.5 h` */
function hours(milliseconds: number): string {
  return `${milliseconds / 3_600_000} h`;
}

/** How many requests had been served by all logs together. */
class Served {
  /** Before the first line of each log, in the order of reading. */
  private readonly before: number[] = [];
  private readonly latest: number[] = [];

  constructor({segments}: Recording, logOf: readonly number[]) {
    const counts: number[] = [];
    for (const {first, count} of segments) {
      const log = logOf[first.input] ?? 0;
      counts[log] = (counts[log] ?? 0) + count;
    }
    let sum = 0;
    for (let log = 0; log <= (logOf.at(-1) ?? 0); log++) {
      this.before.push(sum);
      this.latest.push(0);
      sum += counts[log] ?? 0;
    }
  }

  /** `served`: as counted when the log was read. */
  at(log: number, served: number): number {
    this.latest[log] = Math.max(this.latest[log] ?? 0, served - (this.before[log] ?? 0));
    return this.latest.reduce((a, b) => a + b, 0);
  }
}
