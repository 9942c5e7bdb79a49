import type {LogEvent, RequestSegment} from './event.ts';
import {groupBy} from './group.ts';
import {logsOf} from './logs.ts';
import type {Recording} from './recording.ts';
import {isExact} from './time.ts';

/** A record and its echo lie so close to each other: in events, and in time where both have one. */
const MOST_BETWEEN = 50;
const SAME_MS = 2000;
/** Fewer different records that come twice are no proof. */
const LEAST = 5;
/** Of the records between the first and the last that come twice. */
const LEAST_SHARE = 0.8;

/**
 * Sets aside what two sinks wrote into one file in one form, so that each record comes twice, at once or a burst later: A A B B,
 * or A B A B. Decided by the whole stretch of a writer's records, never by two equal lines, which may well be two occurrences.
 */
export function withoutEchoes(recording: Recording): Recording {
  const echoes = new Set<LogEvent>();
  const halved = new Map<RequestSegment, number>();
  for (const {events, segments} of writersOf(recording)) {
    const stretch = echoesIn(events);
    if (stretch === null) continue;
    for (const event of stretch.echoes) echoes.add(event);
    const own = segments.filter(({first, last}) => first.place > stretch.from && last.place < stretch.to);
    for (const requests of byPid(own)) if (comeTwice(requests)) halve(requests, halved);
  }
  if (echoes.size === 0) return recording;
  return {
    ...recording,
    inputs: recording.inputs.map((input, index) => {
      const own = [...echoes].filter((event) => event.input === index);
      const requests = [...halved].filter(([{first}]) => first.input === index);
      const count = own.length + requests.reduce((sum, [segment, left]) => sum + segment.count - left, 0);
      const firstLine = leastOf([...own.map(({line}) => line), ...requests.map(([{first}]) => first.line)]);
      return count === 0 ? input : {...input, oddities: [...input.oddities, {what: TWICE, count, firstLine}]};
    }),
    events: recording.events.filter((event) => !echoes.has(event)),
    segments: recording.segments.flatMap((segment) => reduced(segment, halved.get(segment) ?? segment.count)),
    doubled: [...recording.doubled, ...echoes],
  };
}

interface Records {
  readonly events: LogEvent[];
  readonly segments: RequestSegment[];
}

function writersOf({inputs, events, segments}: Recording): Iterable<Records> {
  const logOf = logsOf(inputs);
  const writers = new Map<string, Records>();
  const of = (input: number, {stream, sink}: LogEvent | RequestSegment) => {
    const key = `${logOf[input] ?? 0} ${sink} ${stream ?? ''}`;
    const known = writers.get(key) ?? {events: [], segments: []};
    writers.set(key, known);
    return known;
  };
  for (const event of events) of(event.input, event).events.push(event);
  for (const segment of segments) of(segment.first.input, segment).segments.push(segment);
  return writers.values();
}

/** The records that repeat one just before them, and the places between which that is the rule; null where it is not. */
function echoesIn(events: readonly LogEvent[]): {echoes: LogEvent[]; from: number; to: number} | null {
  const waiting = new Map<string, number[]>();
  const echoOf = new Map<number, number>();
  let latest = Number.NEGATIVE_INFINITY;
  for (const [n, event] of events.entries()) {
    const key = `${event.message} ${event.text}`;
    if (isExact(event.at)) {
      // The clock steps back where a whole copy follows.
      if ((event.at.earliest as number) < latest - SAME_MS) waiting.clear();
      latest = Math.max(latest, event.at.earliest as number);
    }
    const open = (waiting.get(key) ?? []).filter((before) => mayEcho(events[before] as LogEvent, event, n - before));
    const original = open.shift();
    if (original !== undefined) echoOf.set(n, original);
    waiting.set(key, original !== undefined ? open : [n]);
  }
  const numbers = [...echoOf.keys()];
  const [first, last] = [leastOf([...echoOf.values()]), numbers.at(-1) ?? -1];
  const originals = new Set(echoOf.values());
  const stretch = events.slice(first, last + 1);
  const alone = stretch.filter((_, n) => !originals.has(first + n) && !echoOf.has(first + n));
  const echoes = numbers.map((n) => events[n] as LogEvent);
  if (new Set(echoes.map(({text}) => text)).size < LEAST || !echoes.some(({pid}) => pid !== null)) return null;
  if (stretch.length - alone.length < LEAST_SHARE * stretch.length) return null;
  // Where an application is loaded differs from process to process: these are two servers that are alike.
  if (alone.some(({meaning}) => meaning.kind === 'app-loaded')) return null;
  return {echoes, from: events[first - 1]?.place ?? 0, to: events[last + 1]?.place ?? Number.POSITIVE_INFINITY};
}

function mayEcho(before: LogEvent, event: LogEvent, distance: number): boolean {
  if (distance > MOST_BETWEEN) return false;
  if (!isExact(before.at) || !isExact(event.at)) return true;
  return Math.abs((event.at.earliest as number) - (before.at.earliest as number)) <= SAME_MS;
}

function byPid(segments: readonly RequestSegment[]): Iterable<readonly RequestSegment[]> {
  return groupBy(segments, ({pid}) => pid).values();
}

/** The lines of one process are more than the requests that they count. */
function comeTwice(segments: readonly RequestSegment[]): boolean {
  const numbers = segments.flatMap(({firstNumber, lastNumber}) => [firstNumber, lastNumber]).filter((number) => number >= 0);
  if (numbers.length === 0) return true;
  const lines = segments.reduce((sum, {count}) => sum + count, 0);
  const greatest = numbers.reduce((most, number) => Math.max(most, number), 0);
  return lines >= 1.5 * (greatest - leastOf(numbers) + 1);
}

/**
 * An event between a record and its echo cuts what they are counted in: what is left of each part follows from the numbers
 * that no part before it has, or from the sum where requests have none.
 */
function halve(segments: readonly RequestSegment[], left: Map<RequestSegment, number>): void {
  let lines = 0;
  let reached: number | null = null;
  for (const segment of segments) {
    const {count, firstNumber, lastNumber} = segment;
    const before = Math.ceil(lines / 2);
    lines += count;
    const to = Math.max(firstNumber, lastNumber);
    const from: number = reached ?? Math.min(firstNumber, lastNumber) - 1;
    left.set(segment, to < 0 ? Math.ceil(lines / 2) - before : Math.min(count, Math.max(0, to - from)));
    if (to >= 0) reached = Math.max(from, to);
  }
}

function reduced(segment: RequestSegment, count: number): RequestSegment[] {
  if (count === segment.count) return [segment];
  if (count === 0) return [];
  const share = (number: number) => Math.ceil((number * count) / segment.count);
  const {total, byDuration, status5xx} = segment;
  return [
    {
      ...segment,
      count,
      total: (total * count) / segment.count,
      byDuration: byDuration.map(share),
      status5xx: share(status5xx),
    },
  ];
}

/** There may be more of them than a call takes arguments. */
function leastOf(numbers: readonly number[]): number {
  return numbers.reduce((least, number) => Math.min(least, number), Number.POSITIVE_INFINITY);
}

const TWICE = 'doubled: a line that came twice; counted once';
