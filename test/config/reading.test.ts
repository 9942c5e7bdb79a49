import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import type {Program} from '../../src/config/configuration.ts';
import {readConfiguration} from '../../src/config/read.ts';
import {writer} from '../written.ts';

const FILES = 'test/config/files';
const written = writer();

function settingsOf({settings}: Program): string[] {
  return settings.map(({name, value, file, line}) => `${file.name.split('/').at(-1)}:${line} ${name}=${value}`);
}

async function programs(...names: string[]): Promise<readonly Program[]> {
  return (await readConfiguration(names)).programs;
}

test('a uWSGI ini with placeholders, repeated keys, an include, a condition and a loop', async () => {
  const {programs, notes} = await readConfiguration([`${FILES}/app.ini`]);
  expect(settingsOf(programs[0]!)).toEqual([
    'app.ini:3 base=20',
    'app.ini:4 master=true',
    'app.ini:6 worker-reload-mercy=60',
    'app.ini:7 harakiri=30',
    'app.ini:8 die-on-term=true',
    'app.ini:9 log-date=%Y-%m-%d',
    'app.ini:10 pidfile=/run/app.pid',
    'app.ini:11 secret=[uwsgi]\nlazy-apps = 1\nprocesses = 3',
    'app.ini:12 env=A=1',
    'app.ini:13 env=B=2',
    'common.ini:2 lazy-apps=true',
    'common.ini:3 processes=3',
    'app.ini:16 max-requests=100 (under if-env = PROD)',
    'app.ini:21 cheaper=2 (under else of if-opt = processes=3)',
    'app.ini:24 touch-reload=/tmp/x',
    'app.ini:24 touch-reload=/tmp/y',
    'app.ini:26 reload-mercy=$(MERCY)',
  ]);
  expect(notes.map(({text}) => text).join('\n')).toMatch(/line 15: .*if-env = PROD.*not known here[\s\S]*line 26: \$\(MERCY\)/);
});

test('another section of it', async () => {
  expect(settingsOf((await programs(`${FILES}/app.ini:prod`))[0]!)).toEqual(['app.ini:29 processes=9']);
});

test.each(['app.yaml', 'app.json', 'app.xml'])('%s says the same, on its own lines', async (name) => {
  const [program] = await programs(`${FILES}/${name}`);
  const line = name === 'app.json' ? 3 : 2;
  expect(settingsOf(program!).slice(0, 2)).toEqual([`${name}:${line} master=true`, `${name}:${line + 1} processes=4`]);
});

test('gunicorn.conf.py is read and not run', async () => {
  const {programs, notes} = await readConfiguration([`${FILES}/gunicorn.conf.py`]);
  expect(settingsOf(programs[0]!)).toEqual([
    'gunicorn.conf.py:4 bind=0.0.0.0:8000',
    'gunicorn.conf.py:6 timeout=120',
    'gunicorn.conf.py:7 graceful_timeout=30',
    'gunicorn.conf.py:8 workers=multiprocessing.cpu_count() * 2 + 1',
    'gunicorn.conf.py:9 preload_app=true',
    'gunicorn.conf.py:13 post_fork=a function',
    'gunicorn.conf.py:17 max_requests=worked out at the start',
  ]);
  expect(notes.map(({text}) => text.split(' ')[2])).toEqual(['workers', 'max_requests']);
});

test('supervisord: programs, continued values, comments, an include, and the servers they start', async () => {
  const [web, api] = await programs(`${FILES}/supervisord.conf`);
  expect(web).toMatchObject({name: 'web', runs: {server: 'uwsgi', files: ['app.ini']}});
  expect(settingsOf(web!)).toContain('supervisord.conf:5 stopwaitsecs=5');
  expect(settingsOf(web!)).toContain('supervisord.conf:8 killasgroup=true');
  expect(web?.runs?.settings.map(({name, value}) => [name, value])).toEqual([['worker-reload-mercy', 7]]);
  expect(api?.runs?.settings.map(({name, value}) => `${name}=${value}`)).toEqual(['workers=4', 'timeout=90', 'preload_app=true']);
});

test('a systemd unit and the drop-in beside it: the drop-in wins', async () => {
  const [unit] = await programs(`${FILES}/web.service`);
  expect(unit).toMatchObject({name: 'web.service', runs: {server: 'uwsgi', files: ['app.ini']}});
  expect(settingsOf(unit!)).toEqual([
    'web.service:4 ExecStart=/usr/bin/uwsgi  --ini app.ini',
    'web.service:7 KillMode=mixed',
    '10.conf:2 TimeoutStopSec=20',
  ]);
});

test('a server behind a shell', async () => {
  const path = written('shell.conf', "[program:x]\ncommand = /bin/sh -c 'cd /srv && exec gunicorn -t 9 app:app'\n");
  const [program] = await programs(path);
  expect(program?.runs).toMatchObject({server: 'gunicorn', settings: [{name: 'timeout', value: 9}]});
});

describe('what cannot be understood is named with its file, its line and what to do', () => {
  test.each([
    ['broken.xml', '<uwsgi>\n<master>\n</uwsgi>\n', /broken\.xml:3: .*XML.*; correct it/],
    ['broken.yaml', 'uwsgi:\n  a: [1\n', /broken\.yaml:\d: .*YAML.*; correct it/],
    ['broken.json', '{"uwsgi": {"a": }\n', /broken\.json:\d+: .*JSON.*; correct it/],
    ['gunicorn.py', 'bind = 1\ntimeout = (3\n', /gunicorn\.py:\d: .*Python.*check-config/],
    ['heading.ini', '[uwsgi]\n[other\n', /heading\.ini:2: .*bracket; write \[name\]/],
    ['x.service', '[Service]\nnonsense\n', /x\.service:2: .*; correct the line/],
    ['y.service', '[Service]\nTimeoutStopSec=soon\n', /y\.service:2: .*time span; write seconds/],
    ['s.conf', '[program:x]\ncommand=date +%d\n', /s\.conf:2: .*write %% for/],
    ['other.ini', '[app:main]\nuse = egg\n', /other\.ini: .*no section \[uwsgi\].*; name one/],
    ['prose.txt', 'Nothing of the kind.\n', /prose\.txt: .*; give a uwsgi file/],
    ['empty.ini', '', /empty\.ini: .*; give a uwsgi file/],
  ])('%s', async (name, text, message) => {
    await expect(readConfiguration([written(name, text)])).rejects.toThrow(message);
  });

  test('a file that is not there', async () => {
    await expect(readConfiguration([join(written.folder, 'none.ini')])).rejects.toThrow(/cannot read .*none\.ini: no such file/);
  });

  test('placeholders and includes without end', async () => {
    const own = written('own.ini', `[uwsgi]\na = ${'%(a)'.repeat(20)}\n`);
    await expect(readConfiguration([own])).rejects.toThrow(/own\.ini:2: a placeholder that grows without end; look for/);
    const text = '[uwsgi]\nini = :b\nini = :b\n[b]\nini = :c\nini = :c\n[c]\nini = :uwsgi\nmaster = true\n';
    const {programs, notes} = await readConfiguration([written('round.ini', text)]);
    expect(programs[0]?.settings.map(({name}) => name)).toEqual(['master']);
    expect(notes.length).toBeGreaterThan(0);
  });

  test('a file that includes itself, and one that includes what is not there', async () => {
    const path = written('loop.ini', '[uwsgi]\nini = loop.ini\ninclude = /nowhere/more.ini\nmaster = true\n');
    const {programs, notes} = await readConfiguration([path]);
    expect(programs[0]?.settings.map(({name}) => name)).toEqual(['master']);
    expect(notes.map(({text}) => text.split(' ').slice(0, 3).join(' '))).toEqual(['line 2 includes', 'line 3 includes']);
  });
});
