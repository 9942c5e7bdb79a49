import {grammars} from 'ohm-js';
import {describe, expect, test} from 'vitest';
import {compileGrammar} from '../../src/grammar/compile.ts';
import {interpret} from '../../src/grammar/interpret.ts';
import {compiled, matchLine} from './matching.ts';

const grammarOf = (body: string) => Object.values(grammars(`Test { ${body} }`))[0]!;

/** Both engines must say `expected` of `line`: the message and its fields, or null. */
async function check(body: string, line: string, expected: Record<string, string> | null): Promise<void> {
  const grammar = grammarOf(body);
  for (const matcher of [await compiled(grammar), interpret(grammar)]) {
    const found = matchLine(matcher, Buffer.from(line, 'latin1'));
    expect(found === null ? null : {message: found.message, ...found.fields}).toEqual(expected);
  }
}

describe('a compiled grammar means what Ohm means', () => {
  test('fields are what applied rules matched', () =>
    check('buried = "worker " worker " buried"  worker = digit+', 'worker 12 buried', {message: 'buried', worker: '12'}));

  test('the name of a message is its rule in kebab-case', () =>
    check('workerBuriedNow = "x"', 'x', {message: 'worker-buried-now'}));

  test('blanks may follow a message, other text may not', async () => {
    await check('bye = "bye"', 'bye  \t', {message: 'bye'});
    await check('bye = "bye"', 'bye now', null);
  });

  test('repetition never gives back', () => check('greedy = "a"* "ab"', 'aab', null));

  test('a choice is taken for good', () => check('first = ("a" | "ab") "c"', 'abc', null));

  test('the first message in the text wins, unless something follows it', async () => {
    const body = 'short = "worker" shortTail_?  shortTail_ = "!"  long = "worker " number  number = digit+';
    await check(body, 'worker', {message: 'short'});
    await check(body, 'worker 7', {message: 'long', number: '7'});
  });

  test('a field of an alternative that failed later is forgotten', () =>
    check(
      'ended = (bySignal_ | byCode_) "."  bySignal_ = signal " signal"  byCode_ = code " code"  signal = digit+  code = digit+',
      '9 code.',
      {message: 'ended', code: '9'},
    ));

  test('an optional field that is absent is absent, whatever matched before', async () => {
    const grammar = grammarOf('died = "died" by_?  by_ = " by " signal  signal = digit+');
    const matcher = await compiled(grammar);
    expect(matchLine(matcher, Buffer.from('died by 9'))?.fields).toEqual({signal: '9'});
    expect(matchLine(matcher, Buffer.from('died'))?.fields).toEqual({});
  });

  test('everything before a text that is not a single character', () =>
    check('got = "<" text "=> " number  text = (~"=> " any)*  number = digit+', '<a = > b=> 3', {
      message: 'got',
      text: 'a = > b',
      number: '3',
    }));

  test('bytes that are no text pass through', () =>
    check('raw = "[" text "]"  text = (~"]" any)*', '[\xff\x00\x80]', {message: 'raw', text: '\xff\x00\x80'}));

  test('a parameterised shape, and a field given its form where it is applied', () =>
    check('moved = file<upTo_<" to ">> " to " target<digit+>  file<x> = x  target<x> = x  upTo_<x> = (~x any)+', 'a b to 3', {
      message: 'moved',
      file: 'a b',
      target: '3',
    }));

  test('an empty literal matches nothing, everywhere', () =>
    check('got = "a" mark "b"  mark = "!" | ""', 'ab', {message: 'got', mark: ''}));

  test('words of one length are told apart', async () => {
    const body = 'month = ("Jan" | "Feb" | "Mar") " " day  day = digit+';
    await check(body, 'Feb 3', {message: 'month', day: '3'});
    await check(body, 'Fex 3', null);
  });

  test('a message inside a line begins where find says', async () => {
    const matcher = await compiled(grammarOf('died = "worker " number " died"  number = digit+'));
    const line = Buffer.from('xxworkworker 3 died');
    expect(matchLine(matcher, line, 'prefix', 6)?.fields).toEqual({number: '3'});
    expect([matcher.find(0), matcher.find(6), matcher.find(7)]).toEqual([6, 6, -1]);
  });
});

describe('what cannot be compiled faithfully is refused, and the rule is named', () => {
  const cases: readonly [string, string, RegExp][] = [
    ['recursion', 'a = "(" inner_ ")"  inner_ = "x" | nested_  nested_ = "(" inner_ ")"', /rule nested_: "inner_" is recursive/],
    ['a syntactic rule', 'Word = "y" "z"', /rule Word: it is syntactic/],
    ['a single any', 'a = "x" any "y"', /rule a: a single "any"/],
    ['a single character that is not something', 'a = "x" ~"z" any "y"', /rule a: a single "any"/],
    ['a range beyond ASCII', 'a = "\u00e0".."\u00ff"', /rule a: a range reaches beyond ASCII/],
    ['letters in the sense of Unicode', 'a = letter', /rule a: "letter" depends on Unicode/],
    ['a field in a repetition', 'a = (pid " ")+  pid = digit+', /rule a: field "pid" is captured in a repetition/],
    ['a field captured twice', 'a = pid " " pid  pid = digit+', /rule a: field "pid" is captured twice/],
    ['a field in a lookahead', 'a = &pid "1"  pid = digit+', /rule a: field "pid" is captured in a lookahead/],
    ['a line end', 'a = "x\\ny"', /rule a: a literal contains a line end/],
    ['a case label', 'a = "x" -- one\n | "y" -- two', /rule a_one: case labels/],
  ];
  test.each(cases)('%s', (_, body, message) => {
    expect(() => compileGrammar(grammarOf(body))).toThrow(message);
  });
});
