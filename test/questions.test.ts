/** docs/questions.md promises where each question is answered: here each row is run. */
import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {analyze} from '../src/analyze.ts';
import {render} from '../src/report/index.ts';
import {rules} from '../src/rules/index.ts';

interface Row {
  readonly answer: string;
  readonly log: string;
}

const rows = readFileSync('docs/questions.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| .*`(?:samples|test)\//.test(line))
  .map((line): Row => {
    const [, , answer = '', seen = ''] = line.split('|').map((cell) => cell.trim());
    return {answer, log: seen.replaceAll('`', '')};
  });

/** A directory stands for the logs in it. */
function inputsOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name.endsWith('.log'))
    .map((name) => join(path, name));
}

const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, word]) => word ?? '');

describe('every question is answered where docs/questions.md says', () => {
  test('it has rows', () => expect(rows.length).toBeGreaterThan(20));

  test.each(rows)('$log: $answer', async ({answer, log}) => {
    const diagnosis = await analyze({inputs: inputsOf(log)});
    const report = await render(diagnosis, 'text');
    const ids = all(answer, /`([a-z-]+)`/g);
    const sections = all(answer, /\*\*([\w-]+)\*\*/g);
    expect(ids.length + sections.length).toBeGreaterThan(0);
    for (const id of ids) expect(rules.map((rule) => rule.id)).toContain(id);
    expect(diagnosis.findings.map(({rule}) => rule)).toEqual(expect.arrayContaining(ids));
    for (const section of sections) expect(report).toMatch(new RegExp(`^${section} `, 'm'));
    for (const words of all(answer, /\*: "([^"]+)"|\*\* "([^"]+)"/g).filter((each) => each !== ''))
      expect(report).toContain(words);
  });
});
