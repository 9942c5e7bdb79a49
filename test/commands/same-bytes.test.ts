import {cpSync, mkdirSync, mkdtempSync, readFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {checkReporters} from '../../src/report/check/index.ts';
import {compareReporters} from '../../src/report/compare/index.ts';
import {reporters} from '../../src/report/index.ts';
import {logdoctor, sample} from './logdoctor.ts';

// The same input gives the same bytes, whoever runs it, where and when: another zone, language, home, terminal and directory.
const here = {TZ: 'UTC', LANG: 'C', LC_ALL: 'C'};
const elsewhere = {
  TZ: 'Asia/Kathmandu',
  LANG: 'tr_TR.UTF-8',
  LC_ALL: 'tr_TR.UTF-8',
  LANGUAGE: 'tr',
  HOME: '/nonexistent',
  USER: 'somebody',
  COLUMNS: '47',
  TERM: 'xterm-256color',
  GITHUB_ACTIONS: 'true',
};
const LOGS = {
  // With stamps, without any, without a year, and with an offset.
  'uwsgi.log': 'uwsgi/chain-reload-slow/uwsgi.log',
  'tasks.log': 'uwsgi/max-requests-orphans-tasks/uwsgi.log',
  'healthy.log': 'uwsgi/healthy-reload/uwsgi.log',
  'gunicorn.log': 'reported/002-gunicorn-hup-healthy.log',
  'untimed.log': 'reported/000-reload-idle-workers-no-mercy.log',
  'syslog.log': '../test/envelope/real/uwsgi-chain-reload-slow/rsyslog-traditional.log',
};

function directoryWithInputs(...below: string[]): string {
  const directory = join(mkdtempSync(join(tmpdir(), 'logdoctor-same-')), ...below);
  mkdirSync(directory, {recursive: true});
  for (const [name, path] of Object.entries({...LOGS, 'uwsgi.ini': 'uwsgi/chain-reload-slow/uwsgi.ini'}))
    cpSync(sample(path), join(directory, name));
  return directory;
}

const [one, other] = [directoryWithInputs(), directoryWithInputs('a b', 'ç')];

const logs = Object.keys(LOGS);
const into = (names: readonly string[]) => names.flatMap((name) => ['--format', `${name}=out.${name}`]);
const reportFormats = reporters.map(({name}) => name);
const checkFormats = checkReporters.map(({name}) => name);
const compareFormats = compareReporters.map(({name}) => name);

test.each<[string, readonly string[], readonly string[]]>([
  ['every report', ['analyze', ...logs, '--config', 'uwsgi.ini', ...into(reportFormats)], reportFormats],
  ['every check', ['check', ...logs, '--max-reload', '5s', ...into(checkFormats)], checkFormats],
  ['every comparison', ['compare', 'healthy.log', 'uwsgi.log', ...into(compareFormats)], compareFormats],
  ['every picture', ['timeline', ...logs, ...into(['text', 'svg'])], ['text', 'svg']],
  ['the events', ['events', ...logs], []],
  ['a report on standard output', ['analyze', ...logs, '--show-rules', '--tz', 'Europe/Berlin'], []],
])('%s: the same bytes everywhere', async (_, call, formats) => {
  const [first, second] = await Promise.all([
    logdoctor(call, {cwd: one, env: here}),
    logdoctor(call, {cwd: other, env: elsewhere}),
  ]);
  expect(first.code, first.stderr).toBeLessThan(2);
  expect(second).toEqual(first);
  for (const name of formats) {
    const [expected, there] = [one, other].map((directory) => readFileSync(join(directory, `out.${name}`), 'utf8'));
    expect(there, name).toBe(expected);
  }
});
