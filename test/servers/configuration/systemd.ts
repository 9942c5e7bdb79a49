/** Random units of systemd, and what the real one makes of them: `systemd --test` loads them, prints what they came to and starts nothing. */
import {execFileSync, spawnSync} from 'node:child_process';
import {chmodSync, chownSync, existsSync, mkdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import type {Chance, Tree} from './cases.ts';

const SYSTEMD = '/lib/systemd/systemd';
const NOBODY = 65_534;
export const USUAL: Readonly<Record<string, unknown>> = {
  TimeoutStartSec: 90,
  TimeoutStopSec: 90,
  KillMode: 'control-group',
  KillSignal: 'SIGTERM',
  SendSIGKILL: true,
  Type: 'simple',
};

function span(chance: Chance): string {
  const figure = 1 + chance.below(40);
  return chance.of([
    `${figure}`,
    `${figure}s`,
    `${figure} sec`,
    `${figure}min`,
    `${figure}m ${figure}s`,
    `1min 30s`,
    `${figure}minutes${figure}seconds`,
    `2h`,
    `1hr 5min 20`,
    `1.5min`,
    `${figure}000ms`,
    '2days 3hours',
    '1week',
    '1month',
    '1M',
    '1year',
    'infinity',
    '0',
    '90000000us',
    '90000000 usec',
  ]);
}

function line(chance: Chance): string {
  const key = chance.of([
    'TimeoutStopSec',
    'TimeoutStopSec',
    'TimeoutStartSec',
    'TimeoutSec',
    'KillMode',
    'KillSignal',
    'SendSIGKILL',
    'Type',
    'ExecReload',
    'Environment',
  ]);
  const value =
    {
      KillMode: chance.of(['mixed', 'process', 'control-group', 'none', '']),
      KillSignal: chance.of(['SIGINT', 'SIGQUIT', 'SIGTERM', '']),
      SendSIGKILL: chance.of(['yes', 'no', 'true', '0', 'off', 'T', 'n', '']),
      Type: chance.of(['simple', 'exec', 'notify', 'forking', '']),
      ExecReload: chance.of(['/bin/kill -HUP $MAINPID', '']),
      Environment: chance.of(['A=1 "B=x y"', '', 'C=\\\n  D=2']),
    }[key] ?? chance.of([span(chance), span(chance), span(chance), span(chance), '']);
  return `${chance.of(['', '', ' '])}${key}${chance.of(['=', '=', ' = '])}${value}${chance.of(['', '', ' '])}`;
}

function part(chance: Chance, exec: string): string {
  const all = [...(exec === '' ? [] : [exec]), ...chance.many(5, () => line(chance))];
  const shown = all.flatMap((each) => (chance.oneIn(8) ? [chance.of(['# note', '; note', '', '# goes on \\']), each] : [each]));
  const again = chance.oneIn(6) ? `\n[Unit]\nDescription=x\n[Service]\n${line(chance)}` : '';
  return `${chance.oneIn(3) ? '[Unit]\nDescription=TimeoutStopSec=1\n\n' : ''}[Service]\n${shown.join('\n')}${again}\n`;
}

export function treeFor(chance: Chance, name: string, start?: string): Tree {
  const exec =
    start ??
    chance.of(['ExecStart=/bin/true --a \\\n  # between\n  --b', 'ExecStart=-/bin/true', "ExecStart=/bin/sh -c 'exec true'"]);
  const dropIns = ['10-a.conf', '9.conf', 'b.conf', 'B.conf', '20.txt'].filter(() => chance.oneIn(3));
  return {
    [name]: part(chance, exec),
    ...Object.fromEntries(dropIns.map((each) => [`${name}.d/${each}`, part(chance, '')])),
  };
}

function secondsOf(text: string): unknown {
  if (text === 'infinity') return text;
  const units: Readonly<Record<string, number>> = {
    y: 31_557_600,
    month: 2_629_800,
    w: 604_800,
    d: 86_400,
    h: 3600,
    min: 60,
    s: 1,
  };
  return text.split(' ').reduce((sum, each) => {
    const [, figure, unit = ''] = /^([\d.]+)(\w+)$/.exec(each) ?? [];
    return sum + Number(figure) * (units[unit] ?? Number.NaN);
  }, 0);
}

/** The settings of each unit, by its name. */
export function oracle(units: string): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const run = join(units, 'run');
  mkdirSync(run, {recursive: true});
  for (const path of [dirname(units), units]) chmodSync(path, 0o755);
  chownSync(run, NOBODY, NOBODY);
  const {stdout, stderr} = spawnSync(
    'setpriv',
    [`--reuid=${NOBODY}`, '--clear-groups', SYSTEMD, '--test', '--user', '--unit=all.target'],
    {
      encoding: 'utf8',
      env: {PATH: process.env['PATH'], XDG_RUNTIME_DIR: run, HOME: run, SYSTEMD_UNIT_PATH: units},
      timeout: 60_000,
      killSignal: 'SIGKILL',
      maxBuffer: 2 ** 28,
    },
  );
  const found = new Map<string, Record<string, unknown>>();
  for (const [, name = '', body = ''] of (stdout + stderr).matchAll(
    /^\s*-> Unit (\S+\.service):\n([\s\S]*?)(?=^\s*-> Unit |$(?![\s\S]))/gm,
  )) {
    const settings: Record<string, unknown> = {};
    for (const [, key = '', value = ''] of body.matchAll(/^\s+(\w+): (.*)$/gm)) {
      if (!(key in USUAL)) continue;
      settings[key] = /Sec$/.test(key) ? secondsOf(value) : value === 'yes' ? true : value === 'no' ? false : value;
    }
    found.set(name, settings);
  }
  return found;
}

export const isThere =
  existsSync(SYSTEMD) && process.getuid?.() === 0 && /252|25[3-9]/.test(execFileSync(SYSTEMD, ['--version'], {encoding: 'utf8'}));
