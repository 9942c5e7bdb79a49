import {readFileSync} from 'node:fs';
import {type Grammar, grammar as ohm} from 'ohm-js';
import {extractExamples} from 'ohm-js/extras';
import {describe, expect, test} from 'vitest';
import {compileSweep} from '../../src/grammar/compile-sweep.ts';
import {loadGrammar} from '../../src/grammar/load.ts';
import {HEADROOM, type Matcher} from '../../src/grammar/matcher.ts';
import {FROM, IS_ALIKE, IS_SAME, Sweep, TO} from '../../src/grammar/sweep.ts';
import {grammarFiles} from './grammar-files.ts';
import {compiled, type Match, matchLine} from './matching.ts';
import {mutate} from './mutate.ts';
import {randomFrom} from './random.ts';

// The matcher is the oracle here, and Ohm is the matcher's.
const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_121);
const lines = Number(process.env['FUZZ_LINES'] ?? 1500);

interface Swept {
  readonly at: number;
  readonly message: string;
  readonly end: number;
  readonly fields: Readonly<Record<string, string>>;
}

/** What a sweep over all messages of a matcher finds in `log`. */
function swept(grammar: Grammar, {messages, fields}: Matcher, log: Buffer, skip: number): Swept[] {
  const sweep = Sweep.of(compileSweep(grammar, {messages, numbers: [], texts: fields})) as Sweep;
  const found: Swept[] = [];
  for (let at = 0; at < log.length - HEADROOM; at = sweep.reached) {
    const count = sweep.lines(log, at, log.length - HEADROOM, skip);
    for (let n = 0; n < count; n++) {
      const cell = (number: number) => sweep.records[n * sweep.width + number] as number;
      const texts = fields.flatMap((field) => {
        const from = cell(sweep.cell(field));
        return from < 0 ? [] : [[field, log.toString('latin1', from, cell(sweep.cell(field) + 1))]];
      });
      found.push({at: cell(FROM), message: messages[cell(0)] as string, end: cell(TO), fields: Object.fromEntries(texts)});
    }
  }
  return found;
}

/** The same, asked line by line. */
function matched(matcher: Matcher, texts: readonly Buffer[], skip: number): Swept[] {
  let at = 0;
  return texts.flatMap((text) => {
    const from = at + skip;
    at += text.length + 1;
    const match: Match | null = skip <= text.length ? matchLine(matcher, text, 'match', skip) : null;
    return match === null ? [] : [{...match, at: from, end: from - skip + match.end}];
  });
}

function logOf(texts: readonly Buffer[]): Buffer {
  return Buffer.concat([...texts.flatMap((text) => [text, Buffer.from('\n')]), Buffer.alloc(HEADROOM, '\n[')]);
}

describe.each(grammarFiles)('%s', (file) => {
  const grammar = loadGrammar(`grammars/${file}`);
  const examples = extractExamples(readFileSync(`grammars/${file}`, 'latin1')).map(({example}) => example);

  test.each([0, 1, 7])(`a sweep from byte %i on and the matcher agree on mutated lines (seed ${seed})`, async (skip) => {
    const matcher = await compiled(grammar);
    const random = randomFrom(seed);
    const texts = Array.from({length: lines}, () => Buffer.concat([Buffer.alloc(skip, ' '), mutate(examples, random)]));
    texts.splice(random(lines), 0, Buffer.alloc(200_000, 'a long line '), Buffer.alloc(3, '-'));
    const expected = matched(matcher, texts, skip);
    expect(expected.length).toBeGreaterThan(0);
    expect(swept(grammar, matcher, logOf(texts), skip), `seed ${seed}`).toEqual(expected);
  });
});

describe('a text', () => {
  const grammar = ohm('Texts { message = "at " time ", " name\n time = (~"," any)*\n name = any* }');
  const timesOf = (log: Buffer) => {
    const sweep = Sweep.of(compileSweep(grammar, {messages: ['message'], numbers: [], texts: ['time', 'name']})) as Sweep;
    const count = sweep.lines(log, 0, log.length - HEADROOM, 0);
    const time = sweep.cell('time');
    return Array.from({length: count}, (_, n) => {
      const cell = (number: number) => sweep.records[n * sweep.width + time + number] as number;
      return {text: log.toString('latin1', cell(0), cell(1)), isSame: cell(IS_SAME) === 1};
    });
  };

  test(`is the same as in the record before, or is not (seed ${seed})`, () => {
    const random = randomFrom(seed);
    const letters = (length: number) => Array.from({length}, () => 'ab'[random(2)]).join('');
    const texts = Array.from({length: 40}, () => letters(random(30)));
    const lines = Array.from({length: 3000}, (_, n) => {
      const text = texts[random(texts.length)] as string;
      return Buffer.from(n % 5 === 4 ? `at ${text} no such line` : `at ${text}, ${letters(random(5))}`);
    });
    // Runs of the same: the next line has one, or changes a byte of it.
    const twice = lines.flatMap((line) => [line, random(2) === 0 ? line : mutate([line.toString('latin1')], random)]);
    const times = timesOf(logOf(twice));
    const isLong = (text: string) => text.length >= 8;
    const expected = times.map(({text}, n) => n > 0 && isLong(text) && text === times[n - 1]?.text);
    expect(expected.filter(Boolean).length).toBeGreaterThan(500);
    expect(
      times.map(({isSame}) => isSame),
      `seed ${seed}`,
    ).toEqual(expected);
  });
});

test(`what is skipped is the same as in the line before, or is not (seed ${seed})`, () => {
  const grammar = ohm('Fronts { message = "at " name\n name = any* }');
  const sweep = Sweep.of(compileSweep(grammar, {messages: ['message'], numbers: [], texts: []})) as Sweep;
  const random = randomFrom(seed);
  for (const skip of [8, 13, 24]) {
    const front = () => Array.from({length: skip}, () => 'ab'[random(20) === 0 ? 1 : 0]).join('');
    const lines = Array.from({length: 2000}, () =>
      random(9) === 0 ? 'other' : `${front()}${random(9) === 0 ? 'or' : 'at'} ${random(50)}`,
    );
    const log = logOf(lines.map((line) => Buffer.from(line)));
    const count = sweep.lines(log, 0, log.length - HEADROOM, skip);
    const alike = Array.from({length: count}, (_, n) => sweep.records[n * sweep.width + IS_ALIKE] === 1);
    const isRecord = (line: string | undefined) => line?.slice(skip).startsWith('at ') === true;
    const expected = lines.flatMap((line, n) => {
      if (!isRecord(line)) return [];
      const before = lines[n - 1];
      return [isRecord(before) && before?.slice(0, skip) === line.slice(0, skip)];
    });
    expect(expected.filter(Boolean).length).toBeGreaterThan(10);
    expect(alike, `seed ${seed}, ${skip} bytes`).toEqual(expected);
  }
});

describe('numbers', () => {
  const grammar = ohm('Numbers { message = "n=" value " " name\n value = "-"? digit+\n name = (~" " any)* }');
  const readAs = (text: string) => {
    const sweep = Sweep.of(compileSweep(grammar, {messages: ['message'], numbers: ['value'], texts: []})) as Sweep;
    const log = logOf([Buffer.from(`n=${text} 12345678`)]);
    expect(sweep.lines(log, 0, log.length - HEADROOM, 0)).toBe(1);
    return sweep.records[sweep.cell('value')];
  };

  test(`are what JavaScript reads (seed ${seed})`, () => {
    const random = randomFrom(seed);
    for (let n = 0; n < 300; n++) {
      const digits = Array.from({length: 1 + random(15)}, () => random(10)).join('');
      expect(readAs(digits), `seed ${seed}`).toBe(Number(digits));
      expect(readAs(`-${digits}`), `seed ${seed}`).toBe(-Number(digits));
    }
  });

  test('a field that a match may be without is no number', () => {
    const some = ohm('Some { message = "n" value?\n value = digit+ }');
    expect(() => compileSweep(some, {messages: ['message'], numbers: ['value'], texts: []})).toThrow('"value"');
  });
});
