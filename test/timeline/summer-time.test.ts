import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {tzOffset} from '@date-fns/tz';
import {describe, expect, test} from 'vitest';
import {analyze} from '../../src/analyze.ts';
import {MONTHS} from '../../src/envelope/ctime.ts';
import type {Duration} from '../../src/timeline/time.ts';
import type {Timeline} from '../../src/timeline/timeline.ts';
import {randomFrom} from '../grammar/random.ts';

const folder = mkdtempSync(join(tmpdir(), 'logdoctor-summer-'));
const SEED = 20261025;

/** Real logs; all of their stamps are in UTC. */
const LOGS = [
  'samples/uwsgi/chain-reload-slow/uwsgi.log',
  'samples/uwsgi/chain-reload-healthy/uwsgi.log',
  'samples/uwsgi/mercy-too-long/uwsgi.log',
  'samples/uwsgi/log-date/uwsgi.log',
  'samples/uwsgi/max-requests-healthy/uwsgi.log',
  'samples/supervisord/uwsgi-stopwaitsecs-below-mercy/supervisord.log',
];
/** When clocks were changed, in UTC. */
const CHANGES = [
  {zone: 'Europe/Berlin', at: Date.UTC(2026, 9, 25, 1)},
  {zone: 'America/New_York', at: Date.UTC(2026, 10, 1, 6)},
  {zone: 'Australia/Lord_Howe', at: Date.UTC(2026, 3, 4, 15)},
  {zone: 'Europe/Berlin', at: Date.UTC(2026, 2, 29, 1)},
];
const CTIME = /\b(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat) (\w{3}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})/g;
const ISO = /\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?=,\d{3}| - )/g;
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** The log as it would be had it been written `by` later on a clock `ahead` of UTC. */
function restamped(text: string, by: number, ahead: (utc: number) => number): string {
  const wall = (utc: number) => new Date(utc + by + ahead(utc + by));
  return text
    .replace(CTIME, (_, month, day, hour, minute, second, year) => {
      const time = wall(Date.UTC(Number(year), MONTHS.indexOf(month), Number(day), Number(hour), Number(minute), Number(second)));
      const [date, clock] = time.toISOString().split('T') as [string, string];
      return `${DAYS[time.getUTCDay()]} ${MONTHS[time.getUTCMonth()]} ${date.slice(8).replace(/^0/, ' ')} ${clock.slice(0, 8)} ${date.slice(0, 4)}`;
    })
    .replace(ISO, (stamp) =>
      wall(Date.parse(`${stamp.replace(' ', 'T')}Z`))
        .toISOString()
        .slice(0, 19)
        .replace('T', ' '),
    );
}

function spanOf(text: string): readonly [number, number] {
  const times = [...text.matchAll(CTIME)].map(([, month = '', ...rest]) => {
    const [day, hour, minute, second, year] = rest.map(Number) as [number, number, number, number, number];
    return Date.UTC(year, MONTHS.indexOf(month), day, hour, minute, second);
  });
  times.push(...[...text.matchAll(ISO)].map(([stamp]) => Date.parse(`${stamp.replace(' ', 'T')}Z`)));
  return [Math.min(...times), Math.max(...times)];
}

let files = 0;
async function timelineOf(text: string, zone?: string): Promise<Timeline> {
  const file = join(folder, `${++files}.log`);
  writeFileSync(file, text);
  return (await analyze({inputs: [file], zone})).timeline;
}

/** Everything that lasted, in order. */
function durations({reloads, instances}: Timeline): Duration[] {
  return [
    ...reloads.flatMap(({duration, workers}) => [duration, ...workers.map(({wait}) => wait)]),
    ...instances.flatMap(({processes}) => processes.flatMap(({asked, forced}) => [asked?.wait, forced?.patience])),
  ].filter((duration) => duration != null);
}

describe.each(CHANGES)('a reload across the change of clocks in $zone', ({zone, at}) => {
  const ahead = (utc: number) => tzOffset(zone, new Date(utc)) * 60_000;

  test.each(LOGS)('%s lasts as long as it does elsewhere', async (log) => {
    const text = readFileSync(log, 'utf8');
    const [from, to] = spanOf(text);
    const plain = durations(await timelineOf(text));
    const below = randomFrom(SEED);
    for (let n = 0; n < 6; n++) {
      // The clock is changed at some second of the log, or shortly before or after it.
      const second = Math.floor(from / 1000 + ((to - from) / 1000) * (below(140) / 100 - 0.2)) * 1000;
      const timeline = await timelineOf(restamped(text, at - second, ahead), zone);
      expect(durations(timeline), `seed ${SEED}, change ${(second - from) / 1000} s after the beginning`).toEqual(plain);
      expect(timeline.disagreements).toEqual([]);
    }
  });
});

test('a log that shows an hour once that its zone has twice leaves open which of the two it was', async () => {
  const text = (clock: string) => `Sun Oct 25 ${clock} 2026 - worker 1 (pid: 7) is taking too much time to die...NO MERCY !!!`;
  const {events, inputs} = await timelineOf(
    ['01:30:00', '02:20:00', '02:40:00', '03:10:00'].map(text).join('\n'),
    'Europe/Berlin',
  );
  const since = events.map((event) => {
    const [first] = events;
    return [event.at.earliest, event.at.latest].map((time) => ((time ?? 0) - (first?.at.earliest ?? 0)) / 60_000);
  });
  expect(since).toEqual([
    [0, 0],
    [50, 110],
    [70, 130],
    [160, 160],
  ]);
  expect(inputs[0]?.oddities.map(({what}) => what)).toContainEqual(expect.stringContaining('shows it once'));
});

test('without a zone the step back is told, with what puts it right', async () => {
  const text = readFileSync('samples/uwsgi/chain-reload-slow/uwsgi.log', 'utf8');
  const [from, to] = spanOf(text);
  const file = join(folder, 'no-zone.log');
  const ahead = (utc: number) => tzOffset('Europe/Berlin', new Date(utc)) * 60_000;
  writeFileSync(file, restamped(text, Date.UTC(2026, 9, 25, 1) - (from + to) / 2, ahead));
  const {findings} = await analyze({inputs: [file]});
  const found = findings.find(({rule}) => rule === 'clock-disagreement');
  expect(found?.message).toContain('--tz');
  expect(found?.next.join('\n')).toContain('--tz');
});
