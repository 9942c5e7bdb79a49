import {expect, test} from 'vitest';
import {counted, thousands} from '../../src/number.ts';
import {longDuration, seconds, shortDuration} from '../../src/report/duration.ts';
import {ranges} from '../../src/report/ranges.ts';

test.each([
  [{min: 61, max: 61}, '61 s', '61 s'],
  [{min: 60, max: 62}, '60–62 s', '60 to 62 s'],
  [{min: 61, max: null}, '≥ 61 s', 'at least 61 s'],
  [{min: 0, max: 62}, '≤ 62 s', 'at most 62 s'],
  [{min: 0, max: null}, '?', 'an unknown time'],
  [{min: 252, max: 252}, '252 s', '4 min 12 s (252 s)'],
  [{min: 251, max: 253}, '251–253 s', '251 to 253 s (about 4 min 12 s)'],
  [{min: 0.04, max: 0.26}, '0–0.3 s', '0 to 0.3 s'],
])('%j', (duration, short, long) => {
  expect(shortDuration(duration)).toBe(short);
  expect(longDuration(duration)).toBe(long);
});

test('seconds grow into minutes, hours and days, and stay comparable', () => {
  expect([0.35, 9.96, 119, 120, 7380, 200_000].map(seconds)).toEqual([
    '0.4 s',
    '10 s',
    '119 s',
    '2 min (120 s)',
    '2 h 3 min (7,380 s)',
    '2 d 7 h (200,000 s)',
  ]);
});

test('numbers', () => {
  expect([0, 999, 1204, 1_234_567].map(thousands)).toEqual(['0', '999', '1,204', '1,234,567']);
  expect([counted(1, 'worker'), counted(1204, 'line')]).toEqual(['1 worker', '1,204 lines']);
  expect([[4, 1, 2, 3], [1, 2], [7, 1, 3, 2, 7], []].map(ranges)).toEqual(['1-4', '1, 2', '1-3, 7', '']);
});
