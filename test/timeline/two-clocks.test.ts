import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {MONTHS} from '../../src/envelope/ctime.ts';
import {between, exactly} from '../../src/timeline/time.ts';
import {timelineOf} from '../envelope/plain-run.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** The log as it is where the application sets a time zone: request lines are written by workers. */
function withRequestsAhead(log: string, hours: number): string {
  return log.replace(/^(\[pid: .*? )\[\w{3} (\w{3}) ([ \d]\d) ([\d:]{8}) (\d{4})\]/gm, (_, front, month, day, clock, year) => {
    const time = new Date(Date.parse(`${day.trim()} ${month} ${year} ${clock} UTC`) + hours * 3_600_000);
    const date = `${MONTHS[time.getUTCMonth()]} ${String(time.getUTCDate()).padStart(2)}`;
    return `${front}[${DAYS[time.getUTCDay()]} ${date} ${time.toISOString().slice(11, 19)} ${time.getUTCFullYear()}]`;
  });
}

test.each([
  ['chain-reload-slow', 8],
  ['mercy-too-long', -5],
  ['request-outlives-mercy', 5.5],
  ['max-requests-healthy', -8],
  ['log-date', 9.75],
])('%s, with request lines %d h ahead, shows the same', async (sample, hours) => {
  const log = readFileSync(`samples/uwsgi/${sample}/uwsgi.log`, 'utf8');
  const [plain, moved] = [await timelineOf(log), await timelineOf(withRequestsAhead(log, hours))];
  expect(moved.reloads.map(({duration, workers}) => [duration, workers.map(({wait}) => wait)])).toEqual(
    plain.reloads.map(({duration, workers}) => [duration, workers.map(({wait}) => wait)]),
  );
  const segments = ({instances}: typeof plain) =>
    instances.flatMap(({processes}) =>
      processes.flatMap(({segments}) => segments.map(({firstStart, lastEnd}) => [firstStart, lastEnd])),
    );
  expect(segments(moved)).toEqual(segments(plain));
  expect([moved.from, moved.to]).toEqual([plain.from, plain.to]);
  expect(moved.inputs[0]?.oddities.map(({what}) => what)).toContain(
    `the supervisor's clock is ${-hours} h off that of the request lines`,
  );
});

test('clocks that differ by no whole zone are not brought together', async () => {
  const log = readFileSync('samples/uwsgi/mercy-too-long/uwsgi.log', 'utf8');
  const {inputs} = await timelineOf(withRequestsAhead(log, 1 / 9));
  expect(inputs[0]?.oddities.map(({what}) => what).filter((what) => what.includes('request lines'))).toEqual([]);
});

test('of two times that are far in the wrong order nothing is said of the time between them', () => {
  expect(between(exactly(3_600_000), exactly(0))).toEqual({min: 0, max: null});
  expect(between(exactly(1000), exactly(0))).toEqual({min: 0, max: 0});
});
