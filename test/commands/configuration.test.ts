import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {writer} from '../written.ts';
import {logdoctor} from './logdoctor.ts';

const LOG = 'samples/reported/002-chain-reload-4-minutes.log';

const file = writer();

describe('--config', () => {
  test('settings of the file are in the report, with their lines', async () => {
    const config = file('good.ini', '[uwsgi]\nmaster = true\nprocesses = 4\n');
    const {stdout, stderr} = await logdoctor([LOG, '--config', config, '--json']);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout).instances[0].settings).toContainEqual({
      name: 'processes',
      value: 4,
      from: 'config',
      where: {input: config, line: 3},
    });
  });

  test.each([
    ['not there', ['--config', join(file.folder, 'none.ini')], /cannot read .*none\.ini: no such file/],
    ['not understood', ['--config', file('broken.ini', '[uwsgi\n')], /broken\.ini:1: a section heading .*; write \[name\]/],
    ['a directory', ['--config', file.folder], /it is a directory; name the files in it/],
    ['a patch of nothing', ['--patch'], /--patch changes a configuration.*add --config FILE/],
  ])('2: %s', async (_, args, message) => {
    const {code, stdout, stderr} = await logdoctor([LOG, ...args]);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  test('--patch prints nothing but what patch takes', async () => {
    const config = file('mercy.ini', '[uwsgi]\nworker-reload-mercy = 60\n');
    const {stdout} = await logdoctor([LOG, '--config', config, '--patch']);
    expect(stdout.split('\n').filter((line) => !/^(#|---|\+\+\+|@@|[-+ ])/.test(line))).toEqual(['']);
    expect(stdout).toContain('\n+worker-reload-mercy = 5\n');
  });
});

describe('simulate', () => {
  test('for people and for programs', async () => {
    const args = ['simulate', LOG, '--set', 'worker-reload-mercy=5'];
    const [text, json] = await Promise.all([logdoctor(args), logdoctor([...args, '--json'])]);
    expect([text.code, json.code]).toEqual([0, 0]);
    expect(text.stdout).toContain('killed 4 -> 4');
    expect(JSON.parse(json.stdout).total.kills).toEqual({now: 4, after: {min: 4, max: 4}});
  });

  test.each([
    ['no value', ['--set', 'worker-reload-mercy'], /takes a name and a value/],
    ['no number', ['--set', 'worker-reload-mercy=soon'], /takes whole seconds, not "soon"/],
    ['a misspelled name', ['--set', 'worker-reload-mery=5'], /cannot be simulated.*worker-reload-mercy/],
    ['nothing to set', [], /set/],
  ])('2: %s', async (_, args, message) => {
    const {code, stdout, stderr} = await logdoctor(['simulate', LOG, ...args]);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  test('3: nothing is understood', async () => {
    expect(
      (await logdoctor(['simulate', file('prose.log', 'nothing of the kind\n'.repeat(30)), '--set', 'lazy-apps=true'])).code,
    ).toBe(3);
  });
});
