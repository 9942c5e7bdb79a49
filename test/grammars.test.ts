import {readFileSync} from 'node:fs';
import {extractExamples} from 'ohm-js/extras';
import {describe, expect, test} from 'vitest';
import {formats} from '../src/formats/index.ts';
import {interpret} from '../src/grammar/interpret.ts';
import {loadGrammar} from '../src/grammar/load.ts';
import {kebabCase} from '../src/grammar/matcher.ts';
import {grammarFiles} from './grammar/grammar-files.ts';
import {compiled, matchLine} from './grammar/matching.ts';

// The examples in the grammars are the first test of each rule. An envelope's rule matches the front of a line,
// every other one the whole of a message.
describe.each(grammarFiles)('%s', (file) => {
  const path = `grammars/${file}`;
  const grammar = loadGrammar(path);
  const how = ['envelope.ohm', 'origin.ohm'].includes(file) ? 'prefix' : 'match';
  const examples = extractExamples(readFileSync(path, 'latin1'));
  const oracle = interpret(grammar);
  const matcher = compiled(grammar);

  test.each(examples.map(({rule, example, shouldMatch}) => [rule, shouldMatch ? 'accepts' : 'refuses', example] as const))(
    '%s %s %s',
    async (rule, verb, example) => {
      const line = Buffer.from(example, 'latin1');
      for (const engine of [await matcher, oracle]) {
        const message = matchLine(engine, line, how)?.message;
        if (verb === 'accepts') expect(message).toBe(kebabCase(rule));
        else expect(message).not.toBe(kebabCase(rule));
      }
    },
  );

  test('every message has an accepted example', () => {
    const shown = new Set(examples.filter(({shouldMatch}) => shouldMatch).map(({rule}) => kebabCase(rule)));
    expect(oracle.messages.filter((message) => !shown.has(message))).toEqual([]);
  });
});

describe.each(formats.map((format) => [format.id, format] as const))('format %s', (_, format) => {
  test('says of every message what it means, and of no other', () => {
    const said = [...Object.keys(format.meanings), ...format.requests].sort();
    expect(said).toEqual([...format.matcher.messages].sort());
  });
});

test('a message of one supervisor is no message of another', () => {
  const claimed: string[] = [];
  // A record is any line of an application's logger.
  const speaking = formats.filter(({meanings}) => !Object.values(meanings).includes('voice'));
  for (const format of speaking) {
    const accepted = extractExamples(readFileSync(`grammars/${format.grammarFile}`, 'latin1')).filter(
      ({shouldMatch}) => shouldMatch,
    );
    for (const {example} of accepted) {
      for (const other of speaking) {
        const found = other === format ? null : matchLine(other.matcher, Buffer.from(example, 'latin1'));
        if (found !== null) claimed.push(`${format.id}: ${example} is also ${other.id}/${found.message}`);
      }
    }
  }
  expect(claimed).toEqual([]);
});
