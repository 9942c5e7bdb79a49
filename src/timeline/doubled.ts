import type {LogEvent, RequestSegment} from './event.ts';
import {groupBy} from './group.ts';
import {logsOf} from './logs.ts';
import type {Recording, Shared} from './recording.ts';
import {isExact} from './time.ts';

/** Two sinks stamp one record within so many milliseconds. */
const SAME_MS = 2000;
/** A clock that steps back by more begins another copy of the same lines, or was set. */
const STEP_BACK_MS = 5000;
const ZONE_STEP_MS = 15 * 60_000;
/** Fewer different records that agree are no proof. */
const LEAST = 3;
const LEAST_WITHOUT_STAMPS = 5;
/** Of the records that both can have. */
const LEAST_SHARE = 0.8;
/** A record that so many sinks have is too common to be compared by. */
const MOST_SINKS = 8;

/**
 * Sets aside what two sinks have written of the same events: the journal and the syslog file in one paste, a
 * container's log and the server's own file, two exports that overlap.
 *
 * Never decided by two equal lines, which may well be two occurrences, but by whole sequences: what both sinks can
 * have must be in both for the most part, in the same order, at the same times. Without times, a record that is
 * dated in its own words, or a request line, must be in both.
 */
export function withoutDoubled(recording: Recording): Recording {
  const sinks = sinksOf(recording);
  const copies: Copy[] = [];
  const taken = new Set<Sink>();
  for (const [a, b] of pairsToCompare(sinks)) {
    if (taken.has(a) || taken.has(b)) continue;
    const [original, copy] = isBetter(b, a) ? [b, a] : [a, b];
    const found = compare(original, copy);
    if (found === null) continue;
    copies.push(found);
    taken.add(copy);
  }
  return copies.length === 0 ? recording : setAside(recording, copies);
}

/** The lines of one writer that came one way, in one go. */
interface Sink {
  readonly log: number;
  readonly stream: string | null;
  readonly via: string;
  readonly events: LogEvent[];
  readonly segments: RequestSegment[];
  /** What was said with a date in its own words. */
  readonly dated: Set<string>;
}

interface Copy {
  readonly original: Sink;
  readonly copy: Sink;
  /** What is added to times of the copy; null where one of the two has none. */
  readonly shift: number | null;
  readonly events: readonly LogEvent[];
  readonly segments: readonly RequestSegment[];
}

function sinksOf({inputs, events, segments}: Recording): Sink[] {
  const logOf = logsOf(inputs);
  const runs = new Map<string, Sink[]>();
  const runsOf = (input: number, {stream, sink}: LogEvent | RequestSegment) => {
    const log = logOf[input] ?? 0;
    const key = `${log} ${sink} ${stream ?? ''}`;
    const known = runs.get(key);
    if (known !== undefined) return known;
    const begun: Sink[] = [{log, stream, via: sink, events: [], segments: [], dated: new Set()}];
    runs.set(key, begun);
    return begun;
  };
  for (const event of events) {
    const own = runsOf(event.input, event);
    const last = own.at(-1) as Sink;
    const run = beginsAgain(last, event) ? {...last, events: [], segments: [], dated: new Set<string>()} : last;
    if (run !== last) own.push(run);
    run.events.push(event);
    if (isDated(event)) run.dated.add(event.text);
  }
  for (const segment of segments) {
    const own = runsOf(segment.first.input, segment);
    const run = own.findLast((candidate) => (candidate.events[0]?.place ?? 0) <= segment.first.place) ?? (own[0] as Sink);
    run.segments.push(segment);
  }
  return [...runs.values()].flat();
}

/** The same lines come once more, as far as one line can tell. */
function beginsAgain({events, dated}: Sink, event: LogEvent): boolean {
  const before = events.at(-1);
  if (before === undefined) return false;
  if (isExact(before.at) && isExact(event.at))
    return (event.at.earliest as number) < (before.at.earliest as number) - STEP_BACK_MS;
  return isDated(event) && dated.has(event.text);
}

/** Its own words tell when it was written. */
function isDated({meaning}: LogEvent): boolean {
  return meaning.timeIn !== undefined;
}

/** Pairs of sinks that have records in common and may be two ways of one writer. */
function pairsToCompare(sinks: readonly Sink[]): [Sink, Sink][] {
  if (sinks.length < 2) return [];
  const having = new Map<string, Set<number>>();
  for (const [n, {events, segments}] of sinks.entries()) {
    const keys = [...events.map(keyOf), ...segments.map(({first}) => first.text)];
    for (const key of keys) having.set(key, (having.get(key) ?? new Set()).add(n));
  }
  const shared = new Map<string, number>();
  for (const numbers of having.values()) {
    if (numbers.size > MOST_SINKS) continue;
    const list = [...numbers];
    for (const [n, a] of list.entries())
      for (const b of list.slice(n + 1)) shared.set(`${a} ${b}`, (shared.get(`${a} ${b}`) ?? 0) + 1);
  }
  return [...shared].flatMap(([pair, count]): [Sink, Sink][] => {
    const [a, b] = pair.split(' ').map((n) => sinks[Number(n)]);
    return count >= LEAST && a !== undefined && b !== undefined && mayBeOneWriter(a, b) ? [[a, b]] : [];
  });
}

/** One way keeps its writers apart itself; and two files without any envelope may be those of two servers that are alike. */
function mayBeOneWriter(a: Sink, b: Sink): boolean {
  if (a.via !== b.via) return true;
  return a.stream === b.stream && (a.log === b.log || a.stream !== null || haveSameRequests(a, b));
}

function haveSameRequests(a: Sink, b: Sink): boolean {
  const texts = new Set(a.segments.flatMap(({first, last}) => [first.text, last.text]));
  return b.segments.some(({first, last}) => texts.has(first.text) || texts.has(last.text));
}

function keyOf({message, text}: LogEvent): string {
  return `${message} ${text}`;
}

/** The sink with times of its own tells more, else the one with more records. */
function isBetter(a: Sink, b: Sink): boolean {
  const [timedA, timedB] = [stampedShare(a), stampedShare(b)];
  return Math.abs(timedA - timedB) > 0.5 ? timedA > timedB : a.events.length > b.events.length;
}

function stampedShare({events}: Sink): number {
  return events.length === 0 ? 0 : events.filter(({at}) => isExact(at)).length / events.length;
}

/** What of the copy is in the original as well; null where they are two things. */
function compare(original: Sink, copy: Sink): Copy | null {
  const shift = shiftBetween(original, copy);
  const pairs = align(original.events, copy.events, shift);
  const byPid = groupBy(original.segments, ({pid}) => pid);
  const segments = copy.segments.filter((segment) => byPid.get(segment.pid)?.some((other) => isCovered(segment, other, shift)));
  const events = pairs.map(([, event]) => event);
  const different = new Set(events.map(keyOf)).size;
  const timed = pairs.filter(([a, b]) => isExact(a.at) && isExact(b.at)).length;
  const areTimed = timed * 2 > pairs.length;
  const areProven = areTimed
    ? different >= LEAST && events.some(({pid}) => pid !== null)
    : different >= LEAST_WITHOUT_STAMPS && (events.some(isDated) || haveSameRequests(original, copy));
  if (!areProven) return null;
  const [first, last] = [pairs[0] as Pair, pairs.at(-1) as Pair];
  const common = (all: readonly LogEvent[], side: 0 | 1) =>
    areTimed ? within(all, original, copy, side === 0 ? 0 : shift) : between(all, first[side], last[side]);
  const most = Math.min(common(original.events, 0).length, common(copy.events, 1).length);
  return pairs.length >= LEAST_SHARE * most || overlap(original, copy, pairs)
    ? {original, copy, shift: areTimed ? shift : null, events, segments}
    : null;
}

/** One breaks off inside the other, and from the first record that both have to the last, both have nearly all of them. */
function overlap(original: Sink, copy: Sink, pairs: readonly Pair[]): boolean {
  const [first, last] = [pairs[0] as Pair, pairs.at(-1) as Pair];
  const begins = first[0] === original.events[0] || first[1] === copy.events[0];
  const ends = last[0] === original.events.at(-1) || last[1] === copy.events.at(-1);
  const all = [between(original.events, first[0], last[0]), between(copy.events, first[1], last[1])];
  return begins && ends && all.every(({length}) => pairs.length >= LEAST_SHARE * length);
}

type Pair = readonly [original: LogEvent, copy: LogEvent];

/** What is added to a time of the copy to be on the clock of the original: whole quarters of an hour, if anything. */
function shiftBetween(original: Sink, copy: Sink): number {
  const once = onlyOnce(original.events);
  const shifts = [...onlyOnce(copy.events)].flatMap(([key, event]) => {
    const other = once.get(key);
    if (other === undefined || !isExact(other.at) || !isExact(event.at)) return [];
    return [Math.round(((other.at.earliest as number) - (event.at.earliest as number)) / ZONE_STEP_MS) * ZONE_STEP_MS];
  });
  return shifts.toSorted((a, b) => a - b)[Math.floor(shifts.length / 2)] ?? 0;
}

function onlyOnce(events: readonly LogEvent[]): Map<string, LogEvent> {
  const once = new Map<string, LogEvent>();
  const often = new Set<string>();
  for (const event of events) {
    const key = keyOf(event);
    if (once.has(key)) often.add(key);
    once.set(key, event);
  }
  for (const key of often) once.delete(key);
  return once;
}

/** The records of both that are the same, in the order that both have. */
function align(original: readonly LogEvent[], copy: readonly LogEvent[], shift: number): Pair[] {
  const placesOf = new Map<string, number[]>();
  for (const [n, event] of original.entries()) {
    const places = placesOf.get(keyOf(event)) ?? [];
    places.push(n);
    placesOf.set(keyOf(event), places);
  }
  const tried = new Map<string, number>();
  const pairs: Pair[] = [];
  let reached = -1;
  for (const event of copy) {
    const key = keyOf(event);
    const places = placesOf.get(key) ?? [];
    let n = tried.get(key) ?? 0;
    while (n < places.length && ((places[n] as number) <= reached || isEarlier(original[places[n] as number], event, shift))) n++;
    tried.set(key, n);
    const place = places[n];
    const other = place === undefined ? undefined : original[place];
    if (place === undefined || other === undefined || !isSameTime(other, event, shift)) continue;
    pairs.push([other, event]);
    reached = place;
    tried.set(key, n + 1);
  }
  return pairs;
}

function isEarlier(original: LogEvent | undefined, copy: LogEvent, shift: number): boolean {
  if (original === undefined || !isExact(original.at) || !isExact(copy.at)) return false;
  return (original.at.earliest as number) < (copy.at.earliest as number) + shift - SAME_MS;
}

function isSameTime(original: LogEvent, copy: LogEvent, shift: number): boolean {
  if (!isExact(original.at) || !isExact(copy.at)) return true;
  return Math.abs((original.at.earliest as number) - (copy.at.earliest as number) - shift) <= SAME_MS;
}

/** Those of a sink that lie in the time of both. */
function within(events: readonly LogEvent[], a: Sink, b: Sink, shift: number): readonly LogEvent[] {
  const [fromA, toA] = spanOf(a.events);
  const [fromB, toB] = spanOf(b.events);
  const copyShift = shiftBetween(a, b);
  const from = Math.max(fromA, fromB + copyShift) - SAME_MS;
  const to = Math.min(toA, toB + copyShift) + SAME_MS;
  return events.filter(({at}) => isExact(at) && (at.earliest as number) + shift >= from && (at.earliest as number) + shift <= to);
}

function spanOf(events: readonly LogEvent[]): readonly [number, number] {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const {at} of events) {
    if (!isExact(at)) continue;
    from = Math.min(from, at.earliest as number);
    to = Math.max(to, at.earliest as number);
  }
  return [from, to];
}

function between(events: readonly LogEvent[], first: LogEvent, last: LogEvent): readonly LogEvent[] {
  return events.slice(events.indexOf(first), events.indexOf(last) + 1);
}

/** All requests of the one segment are among those of the other, of a process with the same id. */
function isCovered(segment: RequestSegment, other: RequestSegment, shift: number): boolean {
  const isShifted =
    segment.firstStart + shift >= other.firstStart - SAME_MS && segment.lastEnd + shift <= other.lastEnd + SAME_MS;
  const isPlain = segment.firstStart >= other.firstStart - SAME_MS && segment.lastEnd <= other.lastEnd + SAME_MS;
  return segment.count <= other.count && (isShifted || isPlain);
}

/** Takes the copies out. What only the copy has is of the same writer, so it goes by the name of the original. */
function setAside(recording: Recording, copies: readonly Copy[]): Recording {
  const doubled = new Set(copies.flatMap(({events}) => events));
  const dropped = new Set(copies.flatMap(({segments}) => segments));
  const nameOf = new Map<LogEvent | RequestSegment, string | null>();
  for (const {original, copy} of copies) for (const one of [...copy.events, ...copy.segments]) nameOf.set(one, original.stream);
  const renamed = <T extends LogEvent | RequestSegment>(one: T): T => {
    const stream = nameOf.get(one);
    return stream === undefined ? one : {...one, stream};
  };
  return {
    ...recording,
    inputs: recording.inputs.map((input, index) => {
      const own = copies.flatMap(({events}) => events.filter((event) => event.input === index));
      const requests = copies.flatMap(({segments}) => segments.filter(({first}) => first.input === index));
      const count = own.length + requests.reduce((sum, segment) => sum + segment.count, 0);
      if (count === 0) return input;
      const lines = [...own.map(({line}) => line), ...requests.map(({first}) => first.line)];
      const firstLine = lines.reduce((least, line) => Math.min(least, line), Number.POSITIVE_INFINITY);
      return {...input, oddities: [...input.oddities, {what: DOUBLED, count, firstLine}]};
    }),
    events: recording.events.filter((event) => !doubled.has(event)).map(renamed),
    segments: recording.segments.filter((segment) => !dropped.has(segment)).map(renamed),
    doubled: recording.events.filter((event) => doubled.has(event)),
    shared: copies.flatMap(({original, copy, shift}): Shared[] => {
      const [a, b] = [original.events[0]?.input, copy.events[0]?.input];
      return a === undefined || b === undefined || a === b ? [] : [{inputs: [a, b], shift}];
    }),
  };
}

const DOUBLED = 'doubled: a line that another sink wrote too; counted once';
