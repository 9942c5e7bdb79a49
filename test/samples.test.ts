import {readdirSync, readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import type {Diagnosis} from '../src/analyze.ts';
import {text} from '../src/report/text.ts';
import {rules} from '../src/rules/index.ts';
import {retiredIds} from '../src/rules/retired.ts';
import {confidencePage, scores} from './docs/confidence.ts';
import {recorded, recordingsPage} from './docs/recordings.ts';
import {ruleIndex, rulePage} from './docs/rule-pages.ts';
import {holdsTruth} from './recorded-truth.ts';
import {diagnosed, logsOf, recordings} from './recordings.ts';

// Whole logs of real servers, each with the truth that the recorder learned from the kernel, and the report it gives.
const folders = recordings();

describe.each(folders)('%s', (folder) => {
  holdsTruth(() => folder);

  test('gives the report that lies beside it', async () => {
    await expect(textOf(await diagnosed(logsOf(folder)))).toMatchFileSnapshot(`../${folder}/report.txt`);
  });
});

describe.each(readdirSync('samples/reported').filter((file) => file.endsWith('.log') || file === '003-uwsgitop.txt'))(
  'samples/reported/%s',
  (file) => {
    test('gives the report that lies beside it', async () => {
      await expect(textOf(await diagnosed([`samples/reported/${file}`]))).toMatchFileSnapshot(
        `../samples/reported/${file.replace(/\.(log|txt)$/, '.report.txt')}`,
      );
    });
  },
);

test('every line of every sample is accounted for', async () => {
  for (const path of folders.flatMap(logsOf)) {
    const [input] = (await diagnosed([path])).timeline.inputs;
    const {events, requests, noise, application, unknown} = input!.counts;
    expect(events + requests + noise + application + unknown, path).toBe(input!.lines);
    const text = readFileSync(path, 'latin1');
    expect(input!.lines, path).toBe(text === '' ? 0 : text.replace(/\n$/, '').split('\n').length);
  }
});

describe('docs that are made (npm run docs)', () => {
  test('the index of the rules', async () => {
    await expect(ruleIndex()).toMatchFileSnapshot('../docs/rules/README.md');
  });

  test.each(rules.map((rule) => [rule.id, rule] as const))('the page of %s', async (id, rule) => {
    await expect(await rulePage(rule)).toMatchFileSnapshot(`../docs/rules/${id}.md`);
  });

  test('every page has its rule; an id that had one is never given to another', () => {
    const ids = rules.map(({id}) => id);
    const pages = readdirSync('docs/rules').map((name) => name.replace('.md', ''));
    expect(pages.filter((name) => name !== 'README' && !ids.includes(name) && !retiredIds.includes(name))).toEqual([]);
    expect(retiredIds.filter((id) => ids.includes(id))).toEqual([]);
  });

  test('the table of what was recorded: each of gunicorn, supervisord and systemd has a trouble and a healthy one', async () => {
    const table = await recorded();
    for (const server of ['gunicorn', 'supervisord', 'systemd'] as const) {
      const cells = [...table.values()]
        .map((row) => row.get(server))
        .filter((cell) => cell !== undefined && cell.troubles.length > 0);
      expect(cells.length, server).toBeGreaterThan(4);
    }
    await expect(recordingsPage(table)).toMatchFileSnapshot('../docs/recordings.md');
  });

  test('the table of the words certain, likely and possible, of which certain was never wrong', async () => {
    const table = await scores();
    expect(table.certain.wrong).toEqual([]);
    await expect(confidencePage(table, folders.length)).toMatchFileSnapshot('../docs/confidence.md');
  });
});

function textOf(diagnosis: Diagnosis): string {
  return text.render(diagnosis, {width: 100, color: false, quiet: false, showRules: false});
}
