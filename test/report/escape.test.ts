import {expect, test} from 'vitest';
import {clip, printable, printableJson} from '../../src/report/escape.ts';

test.each([
  ['\x1b[31mred', '\\x1b[31mred'],
  ['bell\x07 del\x7f', 'bell\\x07 del\\x7f'],
  ['c1 \x9b31m', 'c1 \\x9b31m'],
  ['\u202egnp.exe', '\\u202egnp.exe'],
  ['zero\u200bwidth', 'zero\\u200bwidth'],
  ['a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
  ['lone \ud800 surrogate', 'lone \\ud800 surrogate'],
  ['tag \u{e0041}', 'tag \\u{e0041}'],
  ['line\nbreak\r', 'line\\x0abreak\\x0d'],
  ['tab\there', 'tab    here'],
  ['naïve 日本 😀 stays', 'naïve 日本 😀 stays'],
])('%j is shown as %j', (text, shown) => expect(printable(text)).toBe(shown));

test('JSON keeps its value and loses what a terminal would obey', () => {
  const value = {text: '\x9b31m \u202e \u2028 \x7f \u{e0041} ü'};
  const json = printableJson(JSON.stringify(value, null, 2));
  expect(json).not.toMatch(/[\x7f-\x9f\u2028\u202e]/);
  expect(json).toContain('ü');
  expect(JSON.parse(json)).toEqual(value);
});

test('a long line loses its middle, not its end', () => {
  expect(clip('worker 1 is taking too much time to die...NO MERCY !!!', 30)).toBe('worker 1 is taking t…MERCY !!!');
  expect(clip('short', 30)).toBe('short');
  expect(clip('😀😀😀😀', 3)).toBe('😀😀…');
  expect(clip('abc', 0)).toBe('');
});
