import {grammars} from 'ohm-js';
import {describe, expect, test} from 'vitest';
import {compileGrammar} from '../../src/grammar/compile.ts';
import {Vocabulary} from '../../src/grammar/vocabulary.ts';
import {compiled} from './matching.ts';

const matcherOf = (body: string) => compiled(Object.values(grammars(`Test { ${body} }`))[0]!);

async function speakers(bodies: readonly string[], line: string): Promise<number> {
  const vocabulary = Vocabulary.of(await Promise.all(bodies.map(matcherOf)));
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
    const vocabulary = Vocabulary.of([await matcherOf(buried)]);
    expect(vocabulary.speakers(Buffer.from('worker 3 buried\n'), 0, 8)).toBe(0);
  });
  test('everybody who can do without words', async () =>
    expect(await speakers(['pair = digit+ "=" digit+', buried], 'x')).toBe(1));
  test('nobody, where a text is followed by what cannot follow it in a message', async () => {
    expect(await speakers([buried], 'worker 3 buried')).toBe(1);
    expect(await speakers([buried], 'worker of the month')).toBe(0);
    expect(await speakers([died], 'app: crash')).toBe(0);
    expect(await speakers(['done = "Task " name " is done"  name = (~" " any)+'], 'Task x, and no more')).toBe(0);
  });
  test('whoever may go on where the line is cut', async () => {
    expect(
      await speakers(['gone = "worker " number " (pid: " pid ") has gone"  number = digit+  pid = digit+'], 'worker 3 (pid: 47'),
    ).toBe(1);
  });
  test('whoever may have written what a tool made something else of', async () => {
    const killed = ['killed = "killing " name " (" pid ")"  name = letter_+  pid = digit+  letter_ = "a".."z"'];
    expect(await speakers(killed, 'killing uwsgi\\ (7)')).toBe(1);
    expect(await speakers(killed, 'killing time again')).toBe(0);
  });
  test('everyday words count only where a message has no others', async () => {
    expect(await speakers(['told = "INFO: " noun " reborn"  noun = (~" " any)+'], 'INFO: nothing')).toBe(0);
    expect(await speakers(['told = "INFO: " noun  noun = (~" " any)+'], 'INFO: nothing')).toBe(1);
  });
});

describe('the text that tells a message', () => {
  const signsIn = async (body: string) => (await matcherOf(body)).signs;
  const textsIn = async (body: string) => (await signsIn(body))?.map(([text]) => text);

  test('a choice among texts is joined with what stands beside it', async () =>
    expect(await textsIn('set = "  " ("bind" | "workers") ": " rest  rest = any+')).toEqual(['  bind: ', '  workers: ']));
  test('what must not follow stands nowhere', async () =>
    expect(await textsIn('farewell = "bye" ~" world" " now"')).toEqual(['bye now']));
  test('what has to follow is told as far as it is plain', async () => {
    expect(await signsIn('gone = "worker " number (" (" | ", ") name ")"  number = digit+  name = (~")" any)+')).toEqual([
      ['worker ', 0, '+09', '= (\n, ', '1\0\t\v\xff', '*\0\t\v(*\xff', '1))'],
    ]);
    expect(await signsIn('said = "he said " (loud | quiet)  loud = digit+ "!"  quiet = "nothing"')).toEqual([
      ['he said ', 4, '109nn'],
    ]);
  });
  test('two bytes are enough where there are no more', async () => {
    expect(await speakers(['tree = ("|-" | "`-") pid  pid = digit+'], 'x |-4711')).toBe(1);
    expect(await speakers(['tree = ("|-" | "`-") pid  pid = digit+'], 'x | -4711')).toBe(0);
    expect(await textsIn('tree = "|-" " "? pid  pid = "0".."2"')).toEqual(['|- ', '|-0', '|-1', '|-2']);
    expect(await speakers(['tree = "|-" " "* pid  pid = digit+'], 'x |-   4711')).toBe(1);
    expect(await speakers(['tree = "|-" " "* pid  pid = digit+'], 'x |-   uwsgi')).toBe(0);
    expect(await textsIn('tree = "|-" " "? ("[" | "(" | "") number  number = "7"')).toEqual(['|- ', '|-[', '|-(', '|-7']);
    expect(await signsIn('tree = "|-" name  name = (~";" any)+')).toBe(null);
  });
  test('the whole of it has to be there', async () =>
    expect(await speakers(['died = "worker " number " died"  number = digit+'], 'the worker 3 dies')).toBe(0));
});

test('a matcher is not made before it is asked', async () => {
  const matcher = await matcherOf('asked = "asked for the first time"');
  const before = matcher.match;
  matcher.bind(Buffer.from('asked for the first time\n'.padEnd(60)));
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
