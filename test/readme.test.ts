import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';

const readme = readFileSync('README.md', 'utf8');

test('the report in the README is the one that the sample gives', () => {
  const [, file, shown] = /<!-- (\S+) -->\n```text\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(shown).toBe(readFileSync(file ?? '', 'utf8'));
});

test('the Quick start has two lines', () => {
  const [, block = ''] = /^```sh\n([\s\S]*?)^```/m.exec(readme) ?? [];
  expect(block.trim().split('\n')).toHaveLength(2);
});
