/** Random configurations of supervisord, and what the real one makes of them. */
import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import type {Chance, Tree} from './cases.ts';

export const NAMES = ['stopwaitsecs', 'stopsignal', 'stopasgroup', 'killasgroup', 'startsecs', 'startretries'];

function optionOf(chance: Chance): [string, string] {
  const seconds = String(chance.below(100));
  return chance.of<() => [string, string]>([
    () => ['stopwaitsecs', chance.of([seconds, seconds, '%(ENV_WAIT)s', '%(ENV_SHARED)s'])],
    () => ['StopWaitSecs', seconds],
    () => ['stopsignal', chance.of(['TERM', 'INT', 'SIGQUIT', 'hup', '15', '2', 'KILL'])],
    () => ['stopasgroup', chance.of(['true', 'false', '1', 'off', 'Yes'])],
    () => ['killasgroup', chance.of(['true', 'true', 'on', 'No'])],
    () => ['startsecs', seconds],
    () => ['startretries', seconds],
    () => [
      'environment',
      chance.of(['OWN="7",MORE=\'a b\'', 'OWN=7', 'OWN="a,b", MORE="%(ENV_WAIT)s"', 'OWN="%(program_name)s"']),
    ],
    () => ['numprocs', '2'],
    () => ['numprocs_start', '3'],
    () => ['umask', '022'],
  ])();
}

function program(chance: Chance, name: string): string {
  const command = chance.of([
    'gunicorn -w 3 app:app',
    '/usr/bin/uwsgi --ini %(here)s/app.ini --harakiri %(ENV_OWN)s',
    'gunicorn --name %(program_name)s-%(process_num)02d -w %(numprocs)d\n  --timeout 9',
    'gunicorn -t %(ENV_SHARED)s -n "a;b # c" # no more',
    'uwsgi --listen %(ENV_WAIT)s ; note',
    'uwsgi --date 100%% -M',
    '/bin/cat --group %(group_name)s',
  ]);
  const indent = chance.of(['', '', '', '  ']);
  const own: readonly [string, string][] = [
    ['command', command],
    ['process_name', '%(program_name)s-%(process_num)s'],
  ];
  const lines = own
    .concat(chance.many(6, () => optionOf(chance)))
    .flatMap(([key, value]) => [
      ...(chance.oneIn(7) ? [chance.of(['', '; note', '# note', '   ; note', '\t'])] : []),
      `${indent}${key}${chance.of(['=', ' = ', ': ', '= '])}${value.replace('\n', `\n${indent}`)}${chance.of(['', '', ' ', ' ; note', ' # note'])}`,
    ]);
  return `[program:${name}]${chance.of(['', ' ', ' ; it'])}\n${lines.join('\n')}`;
}

export function treeFor(chance: Chance): Tree {
  const head = chance.of(['', 'environment=SHARED="12"\n', 'environment=SHARED=\'13\',OTHER="x y"\n']);
  const parts = [
    `[supervisord]\n${head}`,
    ...(chance.oneIn(2)
      ? [`[include]\nfiles = ${chance.of(['conf.d/*.conf', '%(here)s/conf.d/*.conf extra.ini', 'conf.d/b*.conf none/*'])}`]
      : []),
    program(chance, 'web'),
    ...(chance.oneIn(2) ? [program(chance, 'work')] : []),
    ...(chance.oneIn(4) ? [program(chance, 'web')] : []),
    ...(chance.oneIn(5) ? ['[group:both]\nprograms = web, work'] : []),
    ...(chance.oneIn(6) ? ['[DEFAULT]\nstopwaitsecs = 44'] : []),
  ];
  return {
    'supervisord.conf': `${parts.join(chance.of(['\n', '\n\n']))}\n`,
    'conf.d/a.conf': `${program(chance, chance.of(['web', 'job']))}\n`,
    'conf.d/b.conf': `${program(chance, 'job')}\n`,
    'extra.ini': `${program(chance, 'work')}\n`,
  };
}

type Answer = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The programs of each case; null where it is refused. */
export function oracle(directories: readonly string[]): (Answer | null)[] {
  const environment = (round: number) => (round % 3 === 0 ? {WAIT: '77', SHARED: '78'} : {WAIT: '66', SHARED: '1', OWN: '2'});
  const printed = execFileSync('/usr/bin/python3', ['-B', join(import.meta.dirname, 'supervisord_oracle.py')], {
    input: directories.map((directory, round) => JSON.stringify({directory, environment: environment(round)})).join('\n'),
    encoding: 'utf8',
    env: {PATH: process.env['PATH']},
    maxBuffer: 2 ** 26,
  });
  return printed
    .trim()
    .split('\n')
    .map((line): Answer | null => JSON.parse(line));
}
