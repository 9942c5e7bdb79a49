import {existsSync, mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {analyze, type Diagnosis} from '../src/analyze.ts';
import {reconcile} from '../src/rules/reconcile.ts';
import type {Fix} from '../src/rules/rule.ts';
import {mayHave, setting} from '../src/rules/settings.ts';
import {diagnosed, logsBelow} from './recordings.ts';
import {finding, timelineOf} from './report/diagnosis.ts';

const directory = mkdtempSync(join(tmpdir(), 'logdoctor-fixes-'));

/** Every log of the project, with its configuration where one stands beside it. */
const logs = [...logsBelow('test/rules'), ...logsBelow('samples')];

function configsOf(log: string): string[] {
  return [log.replace(/\.log$/, '.ini'), log.replace(/\.log$/, '.config.ini'), log.replace(/\.log$/, '.config.conf')].filter(
    existsSync,
  );
}

/** What a report advises that cannot all be followed. */
function contradictions({findings, timeline}: Diagnosis): string[] {
  return timeline.instances.flatMap((instance) => {
    const own = findings.filter((each) => each.instance === instance.id).flatMap(({fixes}) => fixes);
    const values = new Map<string, Set<string>>();
    for (const {section, setting: name, value} of own) {
      if (name === null || value === null) continue;
      values.set(`${section} ${name}`, (values.get(`${section} ${name}`) ?? new Set()).add(value));
    }
    const advised = (name: string) => own.some((fix) => fix.setting === name);
    return [
      ...[...values].filter(([, each]) => each.size > 1).map(([name, each]) => `${name}: ${[...each].join(' or ')}`),
      ...(advised('lazy-apps') && advised('py-call-uwsgi-fork-hooks') ? ['lazy-apps and py-call-uwsgi-fork-hooks'] : []),
      ...own.filter(({since}) => !mayHave(instance, since)).map(({setting: name}) => `${name} is later than ${instance.version}`),
      ...own
        .filter(
          (fix) => fix.setting !== null && fix.value !== null && String(setting(instance, fix.setting)?.value) === fix.value,
        )
        .map((fix) => `${fix.setting} is ${fix.value} already`),
    ];
  });
}

describe('fixes of one report never contradict each other', () => {
  test.each(logs)('%s', async (log) => {
    expect(contradictions(await diagnosed([log]))).toEqual([]);
    const configs = configsOf(log);
    if (configs.length > 0) expect(contradictions(await diagnosed([log], configs))).toEqual([]);
  });
});

test('each setting that is offered is in docs/fixes.md: tried, or named as not tried', async () => {
  const text = readFileSync('docs/fixes.md', 'utf8');
  const offered = new Set<string>();
  for (const log of logs) {
    for (const configs of [[], configsOf(log)]) {
      const {findings} = await diagnosed([log], configs);
      for (const {setting: name} of findings.flatMap(({fixes}) => fixes)) if (name !== null) offered.add(name);
    }
  }
  const tried = [...offered].filter((name) => new RegExp(`[|,] ${name.replace('.', '\\.')} = `).test(text));
  const named = [...offered].filter((name) => text.includes(`\`${name}\``));
  expect(tried.length).toBeGreaterThan(8);
  expect([...offered].filter((name) => !tried.includes(name) && !named.includes(name))).toEqual([]);
});

test('what is called tried is in the table of docs/fixes.md', async () => {
  const table = readFileSync('docs/fixes.md', 'utf8');
  const called = new Set<string>();
  for (const log of logs) {
    const {findings} = await diagnosed([log]);
    for (const {fixes} of findings) for (const {setting: name, tried} of fixes) if (tried && name !== null) called.add(name);
  }
  expect(called.size).toBeGreaterThan(8);
  expect([...called].filter((name) => !new RegExp(`[|,] ${name} = `).test(table))).toEqual([]);
});

describe('where rules disagree', () => {
  const fix = (value: string, changes: Partial<Fix> = {}): Fix => ({
    setting: 'worker-reload-mercy',
    section: 'uwsgi',
    value,
    effect: `with ${value}`,
    since: null,
    safety: 'safe',
    why: '',
    ...changes,
  });
  const fixesOf = (...sets: readonly (readonly Fix[])[]) =>
    reconcile(
      sets.map((fixes, n) => finding({rule: `rule-${n}`, fixes})),
      timelineOf([], []),
    );

  test('the more patient value holds, and the other finding says why it has none', () => {
    const [lower, higher] = fixesOf([fix('5')], [fix('90')]);
    expect(lower?.fixes).toEqual([]);
    expect(lower?.next.at(-1)).toContain('needs 90');
    expect(higher?.fixes.map(({value}) => value)).toEqual(['90']);
  });

  test('of two ways to lower, the careful one is given twice', () => {
    const values = fixesOf([fix('5')], [fix('20')]).flatMap(({fixes}) => fixes.map(({value, effect}) => [value, effect]));
    expect(values).toEqual([
      ['20', 'with 20'],
      ['20', 'with 20'],
    ]);
  });

  test('a later version has it: not advised', () => {
    expect(fixesOf([fix('true', {setting: 'max-requests-delta', since: '2.0.29'})])[0]?.fixes).toEqual([]);
  });

  test('the fix that leaves least comes first', () => {
    const [found] = fixesOf([
      fix('6', {setting: 'a', remaining: 6}),
      fix('1', {setting: 'b', remaining: 1}),
      fix('x', {setting: 'c'}),
    ]);
    expect(found?.fixes.map(({setting: name}) => name)).toEqual(['b', 'a', 'c']);
  });
});

describe('with a configuration', () => {
  const hung = 'samples/uwsgi/mercy-too-long/uwsgi.log';

  test('a finding about a setting is found at its line, and the smell is not said again', async () => {
    const config = 'samples/uwsgi/chain-reload-old-code/uwsgi.ini';
    const {findings, timeline} = await analyze({inputs: ['samples/uwsgi/chain-reload-old-code/uwsgi.log'], configs: [config]});
    expect(findings.map(({rule}) => rule)).toContain('old-code-kept');
    expect(timeline.configurations).toEqual([config]);
  });

  test('the mercy that is too long is found where it is set', async () => {
    const {findings, timeline} = await analyze({inputs: [hung], configs: ['samples/uwsgi/mercy-too-long/uwsgi.ini']});
    const [first] = findings.find(({rule}) => rule === 'mercy-too-long')?.evidence ?? [];
    expect(first?.at.input).toBe(timeline.inputs.length);
    expect(first?.at.text).toMatch(/^worker-reload-mercy/);
  });

  test('more patience than supervisord has needs more of that as well', async () => {
    const log = 'samples/uwsgi/mercy-too-short/uwsgi.log';
    const conf = join(directory, 'supervisord.conf');
    const nextOf = async (limit: number) => {
      writeFileSync(conf, `[program:shop]\ncommand = uwsgi --ini uwsgi.ini\nstopwaitsecs = ${limit}\n`);
      const {findings} = await analyze({inputs: [log], configs: ['samples/uwsgi/mercy-too-short/uwsgi.ini', conf]});
      const raising = findings.filter(({fixes}) => fixes.some(({setting: name}) => name === 'worker-reload-mercy'));
      expect(raising.length).toBeGreaterThan(0);
      return raising.flatMap(({next}) => next).join('\n');
    };
    expect(await nextOf(5)).toMatch(/raise stopwaitsecs \(now 5 s\) above \d+ s together with worker-reload-mercy/);
    expect(await nextOf(600)).not.toContain('stopwaitsecs');
  });

  test('what is set already is not advised again', async () => {
    const config = join(directory, 'set.ini');
    writeFileSync(config, '[uwsgi]\nskip-atexit-teardown = true\n');
    const log = 'samples/uwsgi/idle-workers-held-by-thread-prefork/uwsgi.log';
    const {findings} = await analyze({inputs: [log], configs: [config]});
    const held = findings.find(({rule}) => rule === 'app-threads-block-shutdown');
    expect(held?.fixes.map(({setting: name}) => name)).not.toContain('skip-atexit-teardown');
    expect(held?.next.join()).toContain('skip-atexit-teardown = true is set already');
  });
});
