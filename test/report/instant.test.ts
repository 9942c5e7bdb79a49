import {expect, test} from 'vitest';
import {clockOf, iso, jsonInstant, showInstant} from '../../src/report/instant.ts';

const noon = Date.UTC(2019, 6, 31, 12, 0, 0);

test('ISO 8601 has milliseconds and an offset only where there are any', () => {
  expect(iso(noon, null)).toBe('2019-07-31T12:00:00');
  expect(iso(noon + 250, null)).toBe('2019-07-31T12:00:00.250');
  expect(iso(noon, 'UTC')).toBe('2019-07-31T12:00:00Z');
  expect(iso(noon, '+0200')).toBe('2019-07-31T12:00:00+02:00');
  expect(iso(noon, 'a zone without an offset')).toBe('2019-07-31T12:00:00');
});

test('a stamp that is no date is null, not an exception', () => {
  expect(iso(9e15, null)).toBeNull();
  expect(iso(Number.NaN, null)).toBeNull();
});

test('an instant is null where neither side is known', () => {
  expect(jsonInstant({earliest: null, latest: noon}, 'UTC', [])).toEqual({earliest: null, latest: '2019-07-31T12:00:00Z'});
  expect(jsonInstant({earliest: null, latest: null}, null, [])).toBeNull();
  expect(jsonInstant(null, null, [])).toBeNull();
});

test('bounds are shown as bounds', () => {
  const clock = clockOf({from: noon - 3600_000, to: noon + 3600_000, clockSteps: []});
  expect(showInstant({earliest: noon, latest: noon}, clock)).toBe('12:00:00');
  expect(showInstant({earliest: noon, latest: noon + 999}, clock)).toBe('12:00:00');
  expect(showInstant({earliest: noon, latest: noon + 3000}, clock)).toBe('12:00:00–12:00:03');
  expect(showInstant({earliest: null, latest: noon}, clock)).toBe('before 12:00:00');
  expect(showInstant({earliest: noon, latest: null}, clock)).toBe('after 12:00:00');
  expect(showInstant({earliest: null, latest: null}, clock)).toBe('?');
});

test('the day is told where the log spans several', () => {
  const clock = clockOf({from: noon, to: noon + 24 * 3600_000, clockSteps: []});
  expect(showInstant({earliest: noon, latest: noon + 3000}, clock)).toBe('2019-07-31 12:00:00–12:00:03');
});
