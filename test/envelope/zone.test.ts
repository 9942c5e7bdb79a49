import {describe, expect, test} from 'vitest';
import {Zone} from '../../src/envelope/zone.ts';
import {HEADROOM} from '../../src/grammar/matcher.ts';
import {Recorder} from '../../src/recorder/recorder.ts';
import {iso} from '../../src/report/instant.ts';
import clockDisagreement from '../../src/rules/clock-disagreement.ts';
import {buildTimeline} from '../../src/timeline/build.ts';
import {timelineOf} from './plain-run.ts';

/** When each event of these lines was, as a report writes it. */
async function times(lines: readonly string[], options: {zone?: string; year?: number}): Promise<(string | null)[]> {
  const zone = options.zone === undefined ? undefined : new Zone(options.zone);
  const recorder = await Recorder.create('compiled', {zone, year: options.year});
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  recorder.open({name: 'x.log', compression: 'none'});
  recorder.lines(Buffer.concat([bytes, Buffer.alloc(HEADROOM)]), 0, bytes.length, false);
  recorder.close({bytes: bytes.length, truncated: false});
  const {events, inputs, clockSteps} = buildTimeline(recorder.finish());
  return events.map(({at}) => iso(at.earliest, inputs[0]?.zone ?? null, clockSteps));
}

describe('a zone', () => {
  const stamped = 'Wed Jul 31 20:13:14 2019 - worker 1 (pid: 7) is taking too much time to die...NO MERCY !!!';

  test('is not invented', async () => {
    expect(await times([stamped], {})).toEqual(['2019-07-31T20:13:14']);
  });

  test('that is given belongs to stamps that tell none', async () => {
    expect(await times([stamped], {zone: 'Asia/Shanghai'})).toEqual(['2019-07-31T20:13:14+08:00']);
    expect(await times([stamped], {zone: '-03:30'})).toEqual(['2019-07-31T20:13:14-03:30']);
  });

  test('that is given shows what is told in UTC on the clock there, in summer and in winter', async () => {
    const line = (time: string) => `${time} worker 1 buried after 1 seconds`;
    expect(await times([line('2026-07-01T10:00:00Z'), line('2026-12-01T10:00:00Z')], {zone: 'Europe/Berlin'})).toEqual([
      '2026-07-01T12:00:00+02:00',
      '2026-12-01T11:00:00+01:00',
    ]);
  });

  test('that does not exist is refused', () => {
    expect(() => new Zone('Nowhere/Land')).toThrow(RangeError);
  });
});

describe('a log without years', () => {
  const lines = [
    'Dec 31 23:59:59 vm uwsgi[7]: worker 1 buried after 1 seconds',
    'Jan  1 00:00:01 vm uwsgi[7]: worker 2 buried after 1 seconds',
  ];

  test('crosses New Year, from the year that is given on', async () => {
    expect(await times(lines, {year: 2024})).toEqual(['2024-12-31T23:59:59', '2025-01-01T00:00:01']);
  });
});

describe('the hour that summer time repeats', () => {
  const log = ['02:59:58', '02:00:03']
    .map((time, n) => `2026-10-25T${time} vm uwsgi[7]: worker ${n + 1} buried after 1 seconds`)
    .join('\n');
  const found = async (zone: string | null) => {
    const timeline = await timelineOf(log, zone === null ? {} : {zone: new Zone(zone)});
    return [...clockDisagreement.check(timeline)].flatMap((result) => (result !== null && 'title' in result ? result.title : []));
  };

  test('is put right by the zone that is given', async () => {
    expect(await found('Europe/Berlin')).toEqual([]);
    const stamps = ['2026-10-25T02:59:58', '2026-10-25T02:00:03', '2026-10-25T03:00:00'];
    const lines = stamps.map((stamp) => `${stamp} vm uwsgi[7]: worker 1 buried after 1 seconds`);
    expect(await times(lines, {zone: 'Europe/Berlin'})).toEqual([
      '2026-10-25T02:59:58+02:00',
      '2026-10-25T02:00:03+01:00',
      '2026-10-25T03:00:00+01:00',
    ]);
  });

  test('is not where the zone has none, or none is known', async () => {
    expect(await found('Asia/Shanghai')).toEqual(['Times in this log contradict each other']);
    expect(await found('America/New_York')).toEqual(['Times in this log contradict each other']);
    expect(await found(null)).toEqual(['Times in this log contradict each other']);
  });
});
