import {Ajv2020} from 'ajv/dist/2020.js';
import {describe, expect, test} from 'vitest';
import {limitFrom} from '../../src/checks/limits.ts';
import {settingsFrom, settingsSchema} from '../../src/checks/settings.ts';

test.each<[string, 'seconds' | 'count' | 'part', number | null]>([
  ['30s', 'seconds', 30],
  ['30', 'seconds', 30],
  ['0', 'seconds', 0],
  ['1.5 s', 'seconds', 1.5],
  ['500ms', 'seconds', 0.5],
  ['2m', 'seconds', 120],
  ['2 min', 'seconds', 120],
  ['1m30s', 'seconds', 90],
  ['1h 2m 3s', 'seconds', 3723],
  ['', 'seconds', null],
  ['-1s', 'seconds', null],
  ['soon', 'seconds', null],
  ['30s5m', 'seconds', null],
  ['3', 'count', 3],
  ['3.5', 'count', null],
  ['-1', 'count', null],
  ['80%', 'part', 0.8],
  ['99.5', 'part', 0.995],
  ['100 %', 'part', 1],
  ['101', 'part', null],
])('%j as %s is %s', (text, unit, limit) => expect(limitFrom(text, unit)).toBe(limit));

const RULES = ['harakiri-kills', 'mercy-too-long'];
const read = async (text: string) => settingsFrom('logdoctor.config.yaml', text, RULES);

describe('settings', () => {
  test('as YAML and as JSON', async () => {
    const yaml =
      'check:\n  max-reload: 1m\n  max-forced: 0\n  min-coverage: 80\n  strict: true\nrules:\n  mercy-too-long: off\nbaseline: b.json\n';
    const json = {
      check: {'max-reload': 60, 'max-forced': '0', 'min-coverage': '80%', strict: true},
      rules: {'mercy-too-long': 'off'},
      baseline: 'b.json',
    };
    expect(await read(yaml)).toEqual({
      limits: {'max-reload': 60, 'max-forced': 0, 'min-coverage': 0.8},
      rules: {'mercy-too-long': 'off'},
      failOn: undefined,
      strict: true,
      baseline: 'b.json',
    });
    expect(await read(JSON.stringify(json, null, '\t'))).toEqual(await read(yaml));
  });

  test('an empty file demands nothing', async () => {
    expect(await read('# later\n')).toMatchObject({limits: {}, rules: {}, strict: false, baseline: null});
  });

  test.each([
    ['check:\n  max-forced: 0\n  max-reloads: 30s\n', 'logdoctor.config.yaml:3: there is no key max-reloads', 'max-reload'],
    ['{\n "chekc": {}}', 'logdoctor.config.yaml:2: there is no key chekc', 'check'],
    ['rules:\n  harakiri-kill: off\n', 'logdoctor.config.yaml:2: there is no rule harakiri-kill', 'harakiri-kills'],
  ])('an unknown key is an error that names the line and what may be meant: %j', async (text, message, known) => {
    await expect(read(text)).rejects.toMatchObject({message, unknown: {known: expect.arrayContaining([known])}});
  });

  test.each([
    [
      'check:\n  max-reload: soon\n',
      ':2: max-reload takes a time such as 30s, 2m, 1m30s or 500ms; a figure alone is seconds, not "soon"',
    ],
    ['check:\n  max-forced: 1.5\n', ':2: max-forced takes a whole number from 0, not 1.5'],
    ['check:\n  max-forced: -1\n', ':2: max-forced takes a whole number from 0, not -1'],
    ['check:\n  min-coverage: 180\n', ':2: min-coverage takes a percentage from 0 to 100, not 180'],
    ['rules:\n  harakiri-kills: fatal\n', ':2: harakiri-kills takes error, warning, off, not "fatal"'],
    ['check: [1]\n', ':1: check takes keys with values, not [1]'],
    ['check:\n  fail-on: [\n', ':3: this is no valid YAML: '],
    ['check:\n  strict: perhaps\n', ':2: strict takes true or false, not "perhaps"'],
  ])('%j is refused', async (text, message) => {
    await expect(read(text)).rejects.toThrow(`logdoctor.config.yaml${message}`);
  });

  test('the schema is one', () => {
    expect(new Ajv2020({strict: true, allowUnionTypes: true}).validateSchema(settingsSchema(RULES))).toBe(true);
  });
});
