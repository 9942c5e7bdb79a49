import {readFileSync} from 'node:fs';
import {type Grammar, grammars} from 'ohm-js';
import {extractExamples} from 'ohm-js/extras';
import {describe, expect, test} from 'vitest';
import {compileGrammar} from '../../src/grammar/compile.ts';
import {messagesOf} from '../../src/grammar/expression.ts';
import {interpret} from '../../src/grammar/interpret.ts';
import {loadGrammar} from '../../src/grammar/load.ts';
import {kebabCase} from '../../src/grammar/matcher.ts';
import {Vocabulary} from '../../src/grammar/vocabulary.ts';
import {grammarFiles} from './grammar-files.ts';
import {compiled, matchLine} from './matching.ts';
import {mutate} from './mutate.ts';
import {randomFrom} from './random.ts';

// Ohm is the oracle: whatever bytes a log holds, both engines must give the same message and the same
// captures. FUZZ_SEED=n repeats a run, FUZZ_LINES=n makes it longer.
const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_121);
const lines = Number(process.env['FUZZ_LINES'] ?? 1500);

describe.each(grammarFiles)('%s', (file) => {
  const path = `grammars/${file}`;
  const grammar = loadGrammar(path);
  const examples = extractExamples(readFileSync(path, 'latin1')).map(({example}) => example);

  test(`compiled and interpreted agree on mutated lines (seed ${seed})`, async () => {
    const oracle = interpret(grammar);
    const matcher = await compiled(grammar);
    const vocabulary = Vocabulary.of([matcher]);
    const random = randomFrom(seed);
    for (let n = 0; n < lines; n++) {
      const line = mutate(examples, random);
      for (const how of ['match', 'prefix', 'inside'] as const) {
        const where = `seed ${seed}, line ${n}, ${how}: ${JSON.stringify(line.toString('latin1'))}`;
        const expected = matchLine(oracle, line, how);
        expect(matchLine(matcher, line, how), where).toEqual(expected);
        if (expected !== null) expect(vocabulary.speakers(line, 0, line.length), where).toBe(1);
      }
    }
  });

  test('bytes and characters agree on UTF-8', async () => {
    const matcher = await compiled(grammar);
    const unicode = unicodeGrammar(path, grammar);
    const random = randomFrom(seed);
    const messageOf = unicode.createSemantics().addOperation<string>('messageOf', {
      _nonterminal: (...children) => kebabCase(children[0]?.ctorName ?? ''),
    });
    const insertions = ['é', '中', '🦉', '\u2028', 'ß: '];
    for (let n = 0; n < 300; n++) {
      const example = Buffer.from(examples[random(examples.length)] ?? '', 'latin1').toString('utf8');
      const at = random(example.length + 1);
      const line = example.slice(0, at) + insertions[random(insertions.length)] + example.slice(at);
      const found = matchLine(matcher, Buffer.from(line, 'utf8'));
      const expected = unicode.match(line, 'whole_');
      expect(found?.message, line).toBe(expected.succeeded() ? messageOf(expected)['messageOf']() : undefined);
    }
  });
});

test('three hundred messages cost no more code to choose among than each needs by itself', () => {
  const many = Array.from({length: 300}, (_, n) => `message${n} = "event ${n} of " name\n`).join('');
  const size = (source: string) => compileGrammar(Object.values(grammars(source))[0] as Grammar).length;
  const hundred = many.split('\n').slice(0, 100).join('\n');
  const perMessage = (total: number, count: number) => total / count;
  const grown = perMessage(size(`Many { ${many} name = (~" " any)+ }`), 300);
  expect(grown).toBeLessThan(1.5 * perMessage(size(`Some { ${hundred} name = (~" " any)+ }`), 100));
});

/** The same grammar in terms of characters: what somebody sees who reads the file with Ohm. */
function unicodeGrammar(path: string, grammar: Grammar): Grammar {
  const all = grammars(`${withAncestors(path)}
    Asked <: ${grammar.name} { whole_ = ${messagesOf(grammar)
      .map(({rule}) => `${rule} space* end`)
      .join(' | ')} }`);
  return all['Asked'] as Grammar;
}

function withAncestors(path: string): string {
  const source = readFileSync(path, 'utf8');
  const [, parent] = /^\w+ <: (\w+)/m.exec(source) ?? [];
  return parent === undefined ? source : `${withAncestors(`grammars/${parent.toLowerCase()}.ohm`)}\n${source}`;
}
