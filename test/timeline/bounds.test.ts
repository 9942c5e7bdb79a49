import {readdirSync, readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {MONTHS} from '../../src/envelope/ctime.ts';
import {Recorder} from '../../src/recorder/recorder.ts';
import {LineFeed} from '../../src/source/line-feed.ts';
import {buildTimeline} from '../../src/timeline/build.ts';
import type {LogEvent} from '../../src/timeline/event.ts';
import type {Recording} from '../../src/timeline/recording.ts';
import {type Duration, type Instant, isExact, UNKNOWN_INSTANT} from '../../src/timeline/time.ts';
import type {Timeline} from '../../src/timeline/timeline.ts';
import {recordedLines, recordedRuns, timelineOf} from '../envelope/plain-run.ts';
import {randomFrom} from '../grammar/random.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 252);
const SAMPLES = readdirSync('samples/uwsgi');

async function recordingOf(log: string): Promise<Recording> {
  const recorder = await Recorder.create('compiled');
  const feed = new LineFeed(recorder);
  recorder.open({name: 'uwsgi.log', compression: 'none'});
  feed.append(Buffer.from(log));
  feed.finish();
  recorder.close({bytes: log.length, truncated: false});
  return recorder.finish();
}

/** Everything that is said of time, by what it is said of. */
function bounds({instances, reloads}: Timeline): {instants: Map<string, Instant>; durations: Map<string, Duration>} {
  const instants = new Map<string, Instant>();
  const durations = new Map<string, Duration>();
  for (const {id, startedAt, endedAt, duration, workers} of reloads) {
    instants.set(`${id} began`, startedAt);
    if (endedAt !== null) instants.set(`${id} ended`, endedAt);
    durations.set(id, duration);
    for (const {oldPid, wait} of workers) durations.set(`${id} waited for ${oldPid}`, wait);
  }
  for (const {pid, instance, startedAt, endedAt, end, asked, forced} of instances.flatMap(({processes}) => processes)) {
    const who = `${instance} ${pid}`;
    instants.set(`${who} started`, startedAt);
    if (end !== 'running') instants.set(`${who} ended`, endedAt);
    if (asked !== null) instants.set(`${who} asked`, asked.at);
    if (asked !== null) durations.set(`${who} waited`, asked.wait);
    if (forced !== null) instants.set(`${who} forced`, forced.at);
    if (forced?.patience) durations.set(`${who} patience`, forced.patience);
  }
  return {instants, durations};
}

const low = (value: number | null) => value ?? Number.NEGATIVE_INFINITY;
const high = (value: number | null) => value ?? Number.POSITIVE_INFINITY;

/** A stamp stands for its whole second, and lines beside it may tell milliseconds. */
const RESOLUTION_MS = 1000;

/** What of `narrow` is not inside the same of `wide`. */
function narrowed(wide: Timeline, narrow: Timeline): string[] {
  const [outer, inner] = [bounds(wide), bounds(narrow)];
  const wrong: string[] = [];
  for (const [what, at] of inner.instants) {
    const around = outer.instants.get(what);
    if (
      around &&
      (low(around.earliest) > low(at.earliest) + RESOLUTION_MS || high(around.latest) < high(at.latest) - RESOLUTION_MS)
    )
      wrong.push(`${what}: ${JSON.stringify(around)} does not hold ${JSON.stringify(at)}`);
  }
  for (const [what, {min, max}] of inner.durations) {
    const around = outer.durations.get(what);
    if (around && (around.min > min + RESOLUTION_MS / 1000 || high(around.max) < high(max) - RESOLUTION_MS / 1000))
      wrong.push(`${what}: ${JSON.stringify(around)} does not hold ${JSON.stringify({min, max})}`);
  }
  return wrong;
}

/** What the two cannot both be right about. */
function contradictions(a: Timeline, b: Timeline): string[] {
  const [first, second] = [bounds(a), bounds(b)];
  const wrong: string[] = [];
  for (const [what, at] of first.instants) {
    const other = second.instants.get(what);
    if (other && (low(at.earliest) > high(other.latest) + RESOLUTION_MS || low(other.earliest) > high(at.latest) + RESOLUTION_MS))
      wrong.push(`${what}: ${JSON.stringify(at)} and ${JSON.stringify(other)}`);
  }
  for (const [what, duration] of first.durations) {
    const other = second.durations.get(what);
    if (other && (duration.min > high(other.max) + 1 || other.min > high(duration.max) + 1))
      wrong.push(`${what}: ${JSON.stringify(duration)} and ${JSON.stringify(other)}`);
  }
  return wrong;
}

describe(`a stamp that is less exact narrows nothing (seed ${SEED})`, () => {
  const below = randomFrom(SEED);

  test.each(SAMPLES)('%s', async (sample) => {
    const recording = await recordingOf(readFileSync(`samples/uwsgi/${sample}/uwsgi.log`, 'utf8'));
    const exact = buildTimeline(recording);
    if (exact.disagreements.length > 0) return;
    const stamped = recording.events.flatMap((event, n) => (isExact(event.at) ? [n] : []));
    for (let round = 0; round < 8 && stamped.length > 0; round++) {
      const chosen = stamped[below(stamped.length)];
      const by = [1000, 3000, 60_000, null][below(4)] ?? null;
      const widen = ({earliest, latest}: Instant): Instant =>
        by === null ? UNKNOWN_INSTANT : {earliest: (earliest ?? 0) - by, latest: (latest ?? 0) + by};
      const events = recording.events.map((event, n): LogEvent => (n === chosen ? {...event, at: widen(event.at)} : event));
      const loose = buildTimeline({...recording, events});
      expect(narrowed(loose, exact), `event ${chosen} by ${by}`).toEqual([]);
    }
  });
});

describe('times of an envelope contradict nothing that is known without them', () => {
  test.each(recordedRuns)('%s', async (run) => {
    const lines = recordedLines(run);
    const plain = await timelineOf(lines.map(({text}) => text).join('\n'));
    const stamped = lines.map(({text, time}) => `${new Date(time).toISOString()} web uwsgi[7]: ${text}`);
    const wrapped = await timelineOf(stamped.join('\n'));
    expect(bounds(wrapped).instants.size).toBe(bounds(plain).instants.size);
    expect(contradictions(plain, wrapped)).toEqual([]);
  });
});

describe('on a quiet log the mercy tells when the reload began', () => {
  const ctime = (at: number) => {
    const [date = '', clock = ''] = new Date(at).toISOString().split('T');
    return `Wed ${MONTHS[Number(date.slice(5, 7)) - 1]} ${date.slice(8).replace(/^0/, ' ')} ${clock.slice(0, 8)} ${date.slice(0, 4)}`;
  };
  const start = Date.UTC(2026, 2, 4, 10);

  test.each([1, 3, 10, 60, 300])('to within 3 s, with a mercy of %i s', async (mercy) => {
    // The master looks once a second: the kill comes one second after the mercy, seldom two.
    for (const rounds of [1, 2]) {
      const began = start + 7200_000;
      const killed = began + (mercy + rounds) * 1000;
      const {reloads} = await timelineOf(
        [
          `*** Starting uWSGI 2.0.21 (64bit) on [${ctime(start)}] ***`,
          `your mercy for graceful operations on workers is ${mercy} seconds`,
          'spawned uWSGI master process (pid: 100)',
          'spawned uWSGI worker 1 (pid: 101, cores: 1)',
          '...gracefully killing workers...',
          'Gracefully killing worker 1 (pid: 101)...',
          `${ctime(killed)} - worker 1 (pid: 101) is taking too much time to die...NO MERCY !!!`,
          'worker 1 buried after 1 seconds',
          'binary reloading uWSGI...',
        ].join('\n'),
      );
      const {earliest, latest} = reloads[0]?.startedAt ?? UNKNOWN_INSTANT;
      expect(high(latest) - low(earliest)).toBeLessThanOrEqual(3000);
      expect(low(earliest)).toBeLessThanOrEqual(began);
      expect(high(latest)).toBeGreaterThanOrEqual(began);
    }
  });
});
