import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Ajv2020} from 'ajv/dist/2020.js';
import {expect, test} from 'vitest';
import {logdoctor, sample} from './logdoctor.ts';

const hung = sample('uwsgi/idle-workers-held-by-thread-prefork/uwsgi.log');
const healthy = sample('uwsgi/daemon-thread-at-import/uwsgi.log');
const directory = mkdtempSync(join(tmpdir(), 'logdoctor-compare-'));
const file = (name: string, text: string) => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};

test.each<[number, readonly string[], RegExp]>([
  [0, [hung, healthy], /^COMPARE {2}Better\./m],
  [1, [healthy, hung], /^COMPARE {2}Worse, over budget\./m],
  [1, [healthy, hung, '--max-forced', '2', '--fail-on', 'never'], /Worse, over budget/],
  [0, [healthy, hung, '--max-forced', '3', '--fail-on', 'never'], /Worse, within the budget/],
  [3, [hung, sample('README.md')], /Nothing can be compared/],
])('%i: %j', async (code, args, said) => {
  const ended = await logdoctor(['compare', ...args]);
  expect(ended.stdout).toMatch(said);
  expect(ended.code).toBe(code);
});

test.each<[readonly string[], string]>([
  [[hung], 'AFTER is missing'],
  [['-', '-'], 'only one of the two can be standard input'],
  [[hung, 'nowhere.log'], 'cannot read nowhere.log: no such file'],
  [[hung, healthy, '--max-worse', 'much'], '--max-worse takes a percentage'],
  [[hung, file('cut.json', '{"schemaVersion": 1, "verdict": "…')], 'cut off or damaged'],
  [[hung, file('old.json', '{"schemaVersion": 1, "verdict": "x", "findings": []}')], 'make it anew from the log'],
  [[hung, file('next.json', '{"schemaVersion": 2, "verdict": "x"}')], 'its schemaVersion is 2'],
])('2: %j', async (args, said) => {
  const {code, stderr} = await logdoctor(['compare', ...args]);
  expect(stderr).toContain(said);
  expect(code).toBe(2);
});

test('a saved report says the same as its log, and so does standard input', async () => {
  const saved = file('before.json', (await logdoctor([hung, '--json'])).stdout);
  const results = await Promise.all([
    logdoctor(['compare', hung, healthy, '--json']),
    logdoctor(['compare', saved, healthy, '--json']),
    logdoctor(['compare', '-', healthy, '--json'], {stdin: readFileSync(hung)}),
  ]);
  const [log, report, pipe] = results.map(({stdout}) => ({...JSON.parse(stdout), before: ''}));
  expect(report).toEqual(log);
  expect(pipe).toEqual(log);
});

test('JSON is as its schema says', async () => {
  const [schema, report] = await Promise.all([logdoctor(['schema', 'compare']), logdoctor(['compare', healthy, hung, '--json'])]);
  const validate = new Ajv2020({strict: true, allowUnionTypes: true}).compile(JSON.parse(schema.stdout));
  const result = JSON.parse(report.stdout);
  expect(validate(result), JSON.stringify(validate.errors)).toBe(true);
  expect(result).toMatchObject({failed: true, findings: {new: [{rule: 'app-threads-block-shutdown'}]}});
});

test('Markdown has a table', async () => {
  const {stdout} = await logdoctor(['compare', hung, healthy, '--format', 'markdown']);
  expect(stdout).toContain('| forced kills | 3 of 3 | 0 of 3 | better |');
});
