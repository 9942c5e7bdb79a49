import {execFileSync} from 'node:child_process';
import {copyFileSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {applyPatch, parsePatch} from 'diff';
import {describe, expect, test} from 'vitest';
import {analyze} from '../../src/analyze.ts';
import {edited} from '../../src/config/edit.ts';
import {Files} from '../../src/config/files.ts';
import {patch} from '../../src/report/patch.ts';
import {writer} from '../written.ts';

const OPTIONS = {width: 100, color: false, quiet: false, showRules: false};

const written = writer();

async function changed(name: string, text: string, section: string, key: string, value: string): Promise<string> {
  const file = await new Files().open(written(name, text));
  return edited(file, [{section, key, value}]);
}

describe('a value that is there is changed, a key that is not is put beside its kin, and all else stays', () => {
  test.each([
    [
      'a.ini',
      '[uwsgi]\n; wait\nharakiri=30 \nlisten = 5\n',
      'uwsgi',
      'harakiri',
      '60',
      '[uwsgi]\n; wait\nharakiri=60 \nlisten = 5\n',
    ],
    ['b2.ini', '[uwsgi]\nharakiri =\n', 'uwsgi', 'harakiri', '60', '[uwsgi]\nharakiri =60\n'],
    ['b.ini', '[uwsgi]\nmaster\n', 'uwsgi', 'master', 'true', '[uwsgi]\nmaster = true\n'],
    [
      'c.ini',
      '[uwsgi]\r\nmaster = 1\r\nreload-mercy = 5\r\nlisten = 5\r\n[other]\r\nx = 1\r\n',
      'uwsgi',
      'worker-reload-mercy',
      '7',
      '[uwsgi]\r\nmaster = 1\r\nreload-mercy = 5\r\nworker-reload-mercy = 7\r\nlisten = 5\r\n[other]\r\nx = 1\r\n',
    ],
    [
      'd.ini',
      '[uwsgi]\nmaster = 1\nif-env = A\nmax-requests = 5\nendif =',
      'uwsgi',
      'max-requests-delta',
      '7',
      '[uwsgi]\nmaster = 1\nif-env = A\nmax-requests = 5\nendif =\nmax-requests-delta = 7',
    ],
    ['e.ini', '[other]\nx = 1\n[uwsgi]\n', 'uwsgi', 'master', 'true', '[other]\nx = 1\n[uwsgi]\nmaster = true\n'],
    [
      'a.yaml',
      'uwsgi:\n  master: true\n  harakiri: "30" # s\n',
      'uwsgi',
      'harakiri',
      '60',
      'uwsgi:\n  master: true\n  harakiri: "60" # s\n',
    ],
    [
      'b.yaml',
      'uwsgi:\n  master: true # m\n  env:\n    - A=1\n',
      'uwsgi',
      'lazy-apps',
      'true',
      'uwsgi:\n  master: true # m\n  env:\n    - A=1\n  lazy-apps: true\n',
    ],
    [
      'a.json',
      '{"uwsgi": {"master": true, "harakiri": 30}}',
      'uwsgi',
      'harakiri',
      '60',
      '{"uwsgi": {"master": true, "harakiri": 60}}',
    ],
    [
      'b.json',
      '{\n  "uwsgi": {\n    "master": true\n  }\n}\n',
      'uwsgi',
      'lazy-apps',
      'true',
      '{\n  "uwsgi": {\n    "master": true,\n    "lazy-apps": true\n  }\n}\n',
    ],
    [
      'c.json',
      '{"uwsgi": {"env": ["A=1", "B=2"], "touch-reload": ["/x"]}}',
      'uwsgi',
      'touch-chain-reload',
      '/y',
      '{"uwsgi": {"env": ["A=1", "B=2"], "touch-reload": ["/x"], "touch-chain-reload": "/y"}}',
    ],
    [
      'c.yaml',
      'uwsgi:\n  if-env: A\n  master: true\n  endif: "1"\n',
      'uwsgi',
      'master',
      'false',
      'uwsgi:\n  if-env: A\n  master: false\n  endif: "1"\n',
    ],
    [
      'blocks.yaml',
      'uwsgi:\n  if-env: A\n  harakiri: 5\n',
      'uwsgi',
      'listen',
      '6',
      'uwsgi:\n  listen: 6\n  if-env: A\n  harakiri: 5\n',
    ],
    ['c.py', 'x = 1; timeout = 5\n', '', 'graceful_timeout', '6', 'x = 1; timeout = 5\ngraceful_timeout = 6\n'],
    [
      'a.xml',
      '<uwsgi>\n  <master/>\n  <listen>5</listen>\n</uwsgi>\n',
      'uwsgi',
      'listen',
      '6',
      '<uwsgi>\n  <master/>\n  <listen>6</listen>\n</uwsgi>\n',
    ],
    [
      'b.xml',
      '<uwsgi>\n  <master/>\n</uwsgi>\n',
      'uwsgi',
      'listen',
      '6',
      '<uwsgi>\n  <master/>\n  <listen>6</listen>\n</uwsgi>\n',
    ],
    [
      'a.py',
      'timeout = 30  # s\n\n\ndef post_fork(server, worker):\n    pass\n',
      '',
      'graceful_timeout',
      '60',
      'timeout = 30  # s\ngraceful_timeout = 60\n\n\ndef post_fork(server, worker):\n    pass\n',
    ],
    ['b.py', 'preload_app = True\n', '', 'preload_app', 'False', 'preload_app = False\n'],
    [
      's.conf',
      '[program:a]\ncommand=x ; y\n\n[program:b]\ncommand=z\nstopwaitsecs=5 ; short\n',
      'program:b',
      'stopwaitsecs',
      '65',
      '[program:a]\ncommand=x ; y\n\n[program:b]\ncommand=z\nstopwaitsecs=65 ; short\n',
    ],
    [
      't.conf',
      '[program:a]\ncommand = x\n\n[program:b]\ncommand = z\n',
      'program:a',
      'stopwaitsecs',
      '65',
      '[program:a]\ncommand = x\nstopwaitsecs = 65\n\n[program:b]\ncommand = z\n',
    ],
    [
      'x.service',
      '[Service]\nExecStart=/bin/x \\\n  --y\n[Install]\nWantedBy=z\n',
      'Service',
      'TimeoutStopSec',
      '65',
      '[Service]\nExecStart=/bin/x \\\n  --y\nTimeoutStopSec=65\n[Install]\nWantedBy=z\n',
    ],
  ])('%s', async (name, before, section, key, value, after) => {
    expect(await changed(name, before, section, key, value)).toBe(after);
  });
});

const HUNG = 'samples/uwsgi/idle-workers-held-by-thread-prefork';

function has(command: string): boolean {
  try {
    execFileSync(command, ['--version'], {stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
}

test('the patch of a report applies, with patch and with git, and is then in force', async () => {
  const config = written('conf/uwsgi.ini', readFileSync(join(HUNG, 'uwsgi.ini'), 'utf8'));
  const diagnosis = await analyze({inputs: [join(HUNG, 'uwsgi.log')], configs: [config]});
  // As if called in the directory that holds conf/.
  const named = {
    ...diagnosis,
    configuration: {
      ...diagnosis.configuration!,
      files: diagnosis.configuration!.files.map((file) => ({...file, name: 'conf/uwsgi.ini'})),
    },
  };
  const text = patch.render(named, OPTIONS);
  expect(text).toMatch(/^# .*\(app-threads-block-shutdown; safe\)/);
  const before = readFileSync(config, 'utf8');
  const after = applyPatch(before, parsePatch(text)[0]!);
  expect(after).toContain('py-call-uwsgi-fork-hooks = true\n');
  const tools: [string, string[]][] = [
    ['patch', ['-p0', '-i', 'fixes.diff']],
    ['patch', ['-p1', '-i', 'fixes.diff']],
    ['git', ['apply', 'fixes.diff']],
  ];
  writeFileSync(join(written.folder, 'fixes.diff'), text);
  for (const [tool, args] of tools.filter(([name]) => has(name))) {
    writeFileSync(config, before);
    execFileSync(tool, args, {cwd: written.folder, env: {...process.env, GIT_CEILING_DIRECTORIES: dirname(written.folder)}});
    expect(readFileSync(config, 'utf8'), `${tool} ${args.join(' ')}`).toBe(after);
  }
});

test('every patch of the samples, with their own configurations, parses and applies', async () => {
  for (const name of readdirSync('samples/uwsgi')) {
    const config = written(`${name}.ini`, '');
    copyFileSync(join('samples/uwsgi', name, 'uwsgi.ini'), config);
    const diagnosis = await analyze({inputs: [join('samples/uwsgi', name, 'uwsgi.log')], configs: [config]});
    const text = patch.render(diagnosis, OPTIONS);
    if (text === '') continue;
    const [parsed] = parsePatch(text);
    expect(applyPatch(readFileSync(config, 'utf8'), parsed!), name).toBeTypeOf('string');
  }
});

/** The patch for a fix of one setting; empty where none is offered. */
async function patchFor(config: string, setting: string, value: string): Promise<string> {
  const log = written(
    'one.log',
    '*** Starting uWSGI 2.0.21 (64bit) on [Fri Nov 20 10:00:00 2026] ***\nspawned uWSGI master process (pid: 1)\n',
  );
  const diagnosis = await analyze({inputs: [log], configs: [config]});
  const fix = {setting, section: 'uwsgi', value, effect: 'none', why: 'none', since: null, safety: 'safe'};
  const findings = [{rule: 'a-rule', instance: diagnosis.timeline.instances[0]?.id, fixes: [fix]}];
  return patch.render({...diagnosis, findings} as unknown as typeof diagnosis, OPTIONS);
}

test('the line that is in force is changed, not one under a condition that does not hold', async () => {
  const before = '[uwsgi]\nharakiri = 30\nif-opt = none\nharakiri = 60\nendif =\n';
  const config = written('force.ini', before);
  const text = await patchFor(config, 'harakiri', '90');
  expect(applyPatch(before, parsePatch(text)[0]!)).toBe(before.replace('30', '90'));
});

test('none is offered where the environment of the server decides', async () => {
  const config = written('open.ini', '[uwsgi]\nharakiri = 30\nif-env = SLOW\nharakiri = 60\nendif =\n');
  expect(await patchFor(config, 'harakiri', '90')).toBe('');
  expect(await patchFor(config, 'listen', '90')).toContain('+listen = 90');
});
