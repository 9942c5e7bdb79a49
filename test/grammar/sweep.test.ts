import {readFileSync} from 'node:fs';
import {type Grammar, grammar as ohm} from 'ohm-js';
import {extractExamples} from 'ohm-js/extras';
import {describe, expect, test} from 'vitest';
import {compileSweep} from '../../src/grammar/compile-sweep.ts';
import {loadGrammar} from '../../src/grammar/load.ts';
import {HEADROOM, type Matcher} from '../../src/grammar/matcher.ts';
import {FROM, Sweep, TO} from '../../src/grammar/sweep.ts';
import {grammarFiles} from './grammar-files.ts';
import {compiled, type Match, matchLine} from './matching.ts';
import {mutate} from './mutate.ts';
import {randomFrom} from './random.ts';

// The matcher is the oracle here, and Ohm is the matcher's.
const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_121);
const lines = Number(process.env['FUZZ_LINES'] ?? 2500);

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
