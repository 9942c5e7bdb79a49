import {grammars} from 'ohm-js';
import {describe, expect, test} from 'vitest';
import {compileGrammar} from '../../src/grammar/compile.ts';
import {Vocabulary} from '../../src/grammar/vocabulary.ts';
import {compiled} from './matching.ts';

const matcherOf = (body: string) => compiled(Object.values(grammars(`Test { ${body} }`))[0]!);

async function speakers(bodies: readonly string[], line: string): Promise<number> {
  const vocabulary = new Vocabulary(await Promise.all(bodies.map(matcherOf)));
  return vocabulary.speakers(Buffer.from(`${line}\n`), 0, line.length);
}

describe('a vocabulary tells who may have written a line', () => {
  const buried = 'buried = "worker " number " buried"  number = digit+';
  const died = 'died = name ": " ("was killed" | "crashed")  name = (~":" any)+';

  test('nobody, where it has no word of theirs', async () =>
    expect(await speakers([buried, died], 'Traceback (most recent call)')).toBe(0));
  test('one of two', async () => expect(await speakers([buried, died], 'xx worker 3 buried')).toBe(1));
  test('by any of the words of an alternative', async () => {
    expect(await speakers([buried, died], 'app: crashed')).toBe(2);
    expect(await speakers([buried, died], 'app: was killed')).toBe(2);
  });
  test('both', async () => expect(await speakers([buried, died], 'worker 3 buried, app: crashed')).toBe(3));
  test('only what stands between the two ends', async () => {
    const vocabulary = new Vocabulary([await matcherOf(buried)]);
    expect(vocabulary.speakers(Buffer.from('worker 3 buried\n'), 0, 8)).toBe(0);
  });
  test('everybody who can do without words', async () =>
    expect(await speakers(['pair = digit+ "=" digit+', buried], 'x')).toBe(1));
  test('everyday words count only where a message has no others', async () => {
    expect(await speakers(['told = "INFO: " noun " reborn"  noun = (~" " any)+'], 'INFO: nothing')).toBe(0);
    expect(await speakers(['told = "INFO: " noun  noun = (~" " any)+'], 'INFO: nothing')).toBe(1);
  });
});

describe('the text that tells a message', () => {
  const textsIn = async (body: string) => (await matcherOf(body)).texts;

  test('a choice among texts is joined with what stands beside it', async () =>
    expect(await textsIn('set = "  " ("bind" | "workers") ": " rest  rest = any+')).toEqual(['  bind: ', '  workers: ']));
  test('what must not follow stands nowhere', async () =>
    expect(await textsIn('farewell = "bye" ~" world" " now"')).toEqual(['bye now']));
  test('two bytes are enough where there are no more', async () => {
    expect(await speakers(['tree = ("|-" | "`-") pid  pid = digit+'], 'x |-4711')).toBe(1);
    expect(await speakers(['tree = ("|-" | "`-") pid  pid = digit+'], 'x | -4711')).toBe(0);
  });
  test('the whole of it has to be there', async () =>
    expect(await speakers(['died = "worker " number " died"  number = digit+'], 'the worker 3 dies')).toBe(0));
});

test('a matcher is not made before it is asked', async () => {
  const matcher = await matcherOf('bye = "bye"');
  const before = matcher.match;
  matcher.bind(Buffer.from('bye\n'.padEnd(40)));
  expect(matcher.match(0)).toBe(0);
  expect(matcher.match).not.toBe(before);
});

test('what stands in a grammar often is written once', () => {
  const date = '("Mon" | "Tuesday" | "We") " " digit digit ":" digit digit ":" digit digit " " digit digit digit digit';
  const messages = (count: number) => Array.from({length: count}, (_, n) => `message${n} = "m${n} " date_ `).join('');
  const size = (count: number) =>
    compileGrammar(Object.values(grammars(`Test { ${messages(count)} date_ = ${date} }`))[0]!).length;
  expect(size(40) - size(20)).toBeLessThan(size(20));
  expect((size(40) - size(20)) / 20).toBeLessThan(700);
});
