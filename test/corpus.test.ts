import {readdirSync, readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {formats} from '../src/formats/index.ts';
import {matchLine} from './grammar/matching.ts';

// test/corpus/<format>.txt: real lines above, what they say below; `?` is no message of this format.
describe.each(readdirSync('test/corpus').sort())('%s', (file) => {
  const format = formats.find(({id}) => `${id}.txt` === file)!;
  const blocks = readFileSync(`test/corpus/${file}`, 'utf8')
    .split(/^={3,}\n(.*)\n={3,}\n/m)
    .slice(1);

  for (let n = 0; n < blocks.length; n += 2) {
    const [input = '', expected = ''] = (blocks[n + 1] ?? '').split(/^---$/m);
    test(blocks[n] ?? '', () => {
      const said = lines(input).map((line) => describeLine(line));
      expect(said).toEqual(lines(expected));
    });
  }

  function describeLine(line: string): string {
    const found = matchLine(format.matcher, Buffer.from(line, 'utf8'));
    if (found === null || format.meanings[found.message] === 'unknown') return '?';
    if (format.meanings[found.message] === 'noise') return `noise ${found.message}`;
    const fields = Object.entries(found.fields).map(
      ([name, value]) => `${name}=${quoted(Buffer.from(value, 'latin1').toString('utf8'))}`,
    );
    return [found.message, ...fields].join(' ');
  }
});

function lines(block: string): string[] {
  return block.split('\n').filter((line) => line !== '');
}

function quoted(value: string): string {
  return value === '' || /[\s"]/.test(value) ? JSON.stringify(value) : value;
}
