import {test, expect} from 'vitest';
import {loadGrammar} from '../../src/grammar/load.ts';
import {compileGrammar} from '../../src/grammar/compile.ts';
import {interpret} from '../../src/grammar/interpret.ts';
import type {Matcher} from '../../src/grammar/matcher.ts';
test('x', async () => {
  const g = loadGrammar('/tmp/eng.ohm');
  const src = compileGrammar(g);
  console.log(src.slice(0, 6000));
  const c = (await import('data:text/javascript,' + encodeURIComponent(src))).default as Matcher;
  const o = interpret(g);
  for (const line of ['hello 12', 'hello 12  ', 'hello there you', 'opt', 'opt (5)', 'opt (5) sig 9', 'opt sig 9', '<a => 3 => 4', 'Feb 9', 'hello x', 'hello 12 foo']) {
    const b = Buffer.from(line + '\n' + '\0'.repeat(8));
    const show = (m: Matcher, k: 'match'|'prefix') => { m.bind(b); const id = m[k](0); return id < 0 ? -1 : [m.messages[id], m.end(), ...m.fieldsOf[id]!.map(f => m.fields[f] + '=' + m.captures[2*f] + ',' + (m.captures[2*f]! < 0 ? '' : m.captures[2*f+1]))]; };
    expect(show(c, 'match')).toEqual(show(o, 'match'));
    expect(show(c, 'prefix')).toEqual(show(o, 'prefix'));
    console.log(line, show(c, 'match'), show(c, 'prefix'));
  }
});
