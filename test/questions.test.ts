/** docs/questions.md and docs/causes.md promise where the report answers: here each row is run. */
import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {analyze, type Diagnosis} from '../src/analyze.ts';
import {render} from '../src/report/index.ts';
import {rules} from '../src/rules/index.ts';

interface Row {
  readonly answer: string;
  readonly log: string;
}

function rowsOf(document: string): Row[] {
  return readFileSync(document, 'utf8')
    .split('\n')
    .filter((line) => /^\| .*`(?:samples|test)\//.test(line))
    .map((line): Row => {
      const [answer = '', seen = ''] = line
        .split('|')
        .slice(-3, -1)
        .map((cell) => cell.trim());
      return {answer, log: seen.replaceAll('`', '')};
    });
}

/** A directory stands for the logs in it. */
function inputsOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name.endsWith('.log'))
    .map((name) => join(path, name));
}

const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, word]) => word ?? '');

describe.each(['docs/questions.md', 'docs/causes.md'])('the report answers where %s says', (document) => {
  const rows = rowsOf(document);

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
    for (const words of all(answer, /`: "([^"]+)"/g)) expect(inOneLine(report)).toContain(words);
    if (document === 'docs/causes.md') expect(ids).toEqual(expect.arrayContaining(errorsOf(diagnosis)));
  });

  function errorsOf({findings}: Diagnosis): string[] {
    return findings.filter(({severity}) => severity === 'error').map(({rule}) => rule);
  }

  function inOneLine(report: string): string {
    return report.replace(/\s+/g, ' ');
  }
});
