import type {Grammar} from 'ohm-js';
import {compileGrammar} from '../../src/grammar/compile.ts';
import {HEADROOM, type Matcher} from '../../src/grammar/matcher.ts';

/** The compiled matcher of a grammar, made here and now. */
export async function compiled(grammar: Grammar): Promise<Matcher> {
  const module = await import(`data:text/javascript,${encodeURIComponent(compileGrammar(grammar))}`);
  return module.default as Matcher;
}

export interface Match {
  readonly message: string;
  readonly end: number;
  readonly fields: Readonly<Record<string, string>>;
}

/** What a matcher makes of one line, from `at` on. */
export function matchLine(matcher: Matcher, line: Buffer, how: 'match' | 'prefix' | 'inside' = 'match', at = 0): Match | null {
  const buffer = Buffer.concat([line, Buffer.from('\n'), Buffer.alloc(HEADROOM, 'x')]);
  matcher.bind(buffer);
  const number = matcher[how](at);
  if (number < 0) return null;
  const fields: Record<string, string> = {};
  for (const field of matcher.fieldsOf[number] ?? []) {
    const [from, to] = [matcher.captures[2 * field] as number, matcher.captures[2 * field + 1] as number];
    if (from >= 0) fields[matcher.fields[field] as string] = buffer.toString('latin1', from, to);
  }
  return {message: matcher.messages[number] as string, end: matcher.end(), fields};
}
