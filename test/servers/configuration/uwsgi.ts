/** Random configurations of uWSGI, and what the real server makes of them: `uwsgi --show-config` prints the options as it took them in. */
import {spawnSync} from 'node:child_process';
import type {Chance, Tree} from './cases.ts';

export const KEYS = [
  'harakiri',
  'reload-mercy',
  'worker-reload-mercy',
  'max-requests',
  'listen',
  'processes',
  'workers',
  'threads',
];
export const SWITCHES = ['master', 'lazy-apps', 'die-on-term', 'enable-threads', 'vacuum'];
export const LISTED = ['env', 'touch-reload'];
const PLACEHOLDERS = ['base', 'mercy', 'name'];
const ENVIRONMENT: Readonly<Record<string, string>> = {STAGE: 'prod', LIMIT: '45'};

function valueFor(key: string, chance: Chance): string {
  const plain = () => String(chance.below(90));
  if (LISTED.includes(key)) return chance.of(['A=1', 'B=%(base)', '%d/x', '/tmp/%n.touch', 'C=$(LIMIT)']);
  if (SWITCHES.includes(key)) return chance.of(['true', 'false', '1', '0', 'yes', 'no', 'off', 'On', '', 'enabled', '$(LIMIT)']);
  return chance.of([
    plain,
    plain,
    plain,
    () => `${plain()} ; seconds`,
    () => `${plain()}s`,
    () => `%(${chance.of(PLACEHOLDERS)})`,
    () => `%(${chance.of(PLACEHOLDERS)} ${chance.of(['+', '-', '*', '/', ''])} ${chance.of([...PLACEHOLDERS, plain()])})`,
    () => `%(${chance.of(PLACEHOLDERS)} ${chance.of(['++', '--'])})`,
    () => `%(${chance.of(KEYS)})`,
    () => '$(LIMIT)',
    () => '$(ABSENT)',
    () => '@(number.txt)',
    () => '%k',
    () => '1%%',
    () => `"${plain()}"`,
    () => ' 7',
    () => '',
  ])();
}

interface Line {
  readonly key: string;
  readonly value: string | null;
}

function option(chance: Chance): Line {
  const kind = chance.below(12);
  if (kind < 2)
    return {key: chance.of(['set-ph', 'set-placeholder']), value: `${chance.of(PLACEHOLDERS)}=${valueFor('harakiri', chance)}`};
  if (kind === 2) return {key: chance.of(PLACEHOLDERS), value: valueFor('harakiri', chance)};
  if (kind === 3) return {key: 'set', value: `harakiri=${chance.below(90)}`};
  const key = chance.of([...KEYS, ...SWITCHES, ...LISTED]);
  if (SWITCHES.includes(key) && chance.oneIn(4)) return {key, value: null};
  return {key, value: valueFor(key, chance)};
}

function lines(chance: Chance, includes: readonly string[]): Line[] {
  return chance
    .many(9, () => chance.below(9))
    .flatMap((kind): Line[] => {
      if (kind === 0 && includes.length > 0) return [{key: chance.of(['ini', 'include', 'inherit']), value: chance.of(includes)}];
      if (kind > 2) return [option(chance)];
      const [key, value] = chance.of([
        ['if-env', 'STAGE'],
        ['if-env', 'STAGE=test'],
        ['if-not-env', 'ABSENT'],
        ['if-opt', chance.of(KEYS)],
        ['if-opt', `${chance.of(KEYS)}=${chance.below(90)}`],
        ['if-not-opt', chance.of(PLACEHOLDERS)],
        ['if-exists', 'number.txt'],
        ['if-not-file', '%d/none'],
        ['if-reload', ''],
        ['for', '11 12 13'],
        ['for-times', '3'],
        ['for-glob', '*.txt'],
      ] as const);
      const inner = chance.many(3, () => {
        const {key, value} = option(chance);
        return {
          key,
          value: value !== null && chance.oneIn(3) ? (key.startsWith('set') ? value.replace(/=.*/s, '=%(_)') : '%(_)') : value,
        };
      });
      const end = chance.of(['end', 'endif', 'end-for']);
      return [
        {key, value},
        ...inner,
        ...(chance.oneIn(4) ? [{key: 'else', value: ''}, option(chance)] : []),
        {key: end, value: ''},
      ];
    });
}

function ini(chance: Chance, sections: Readonly<Record<string, readonly Line[]>>): string {
  const eol = chance.oneIn(5) ? '\r\n' : '\n';
  const text = Object.entries(sections).flatMap(([name, all]) => [
    ...(chance.oneIn(5) ? ['; a note'] : []),
    `[${name}]`,
    ...all.flatMap(({key, value}) => [
      ...(chance.oneIn(8) ? [chance.of(['', '# 50%% more', '  ; x = 1', '\t', '; half 50%'])] : []),
      `${chance.of(['', '', ' ', '\t'])}${key}${value === null ? '' : chance.of(['=', ' = ', ' =', '= '])}${value ?? ''}${chance.of(['', '', ' '])}`,
    ]),
  ]);
  return text.join(eol) + (chance.oneIn(4) ? '' : eol);
}

function yaml(chance: Chance, all: readonly Line[]): string {
  const shown = all.map(({key, value}) => {
    if (value === null) return `  ${key}: true`;
    const isPlain = /^[\w/.= -]*$/.test(value) && !chance.oneIn(4);
    return `  ${key}: ${isPlain ? value.trim() : JSON.stringify(value)}${chance.oneIn(6) ? ' # note' : ''}`;
  });
  return `${chance.oneIn(4) ? 'other:\n  harakiri: 1\n' : ''}uwsgi:\n${shown.join('\n')}\n  env:\n${chance.of(['  ', '    '])}- Z=1\n`;
}

function json(chance: Chance, all: readonly Line[]): string {
  const shown = all.map(({key, value}) => {
    const given = value === null ? 'true' : /^[1-9]\d*$/.test(value) && chance.oneIn(2) ? value : JSON.stringify(value);
    return `${JSON.stringify(key)}: ${chance.oneIn(9) ? `[${given}]` : given}`;
  });
  // Places are told by their lines.
  const isWide = all.some(({key}) => key.startsWith('if') || key.startsWith('for'));
  return `{"uwsgi": {${[...shown, '"vacuum": null'].join(isWide ? ',\n  ' : chance.of([', ', ',\n  ']))}}}`;
}

function xml(chance: Chance, all: readonly Line[]): string {
  const shown = all.map(({key, value}) =>
    value === null || (value === '' && chance.oneIn(2)) ? `<${key}/>` : `<${key}>${value.replaceAll('&', '&amp;')}</${key}>`,
  );
  const id = chance.of(['', '', ' id="x"']);
  const own = `<uwsgi${id}>\n${shown.join('\n')}\n</uwsgi>\n`;
  return chance.oneIn(3) ? `<all>${own}<uwsgi id="y"><harakiri>1</harakiri></uwsgi></all>` : own;
}

export function treeFor(chance: Chance, format: string): Tree {
  const more = {
    'number.txt': '17\n',
    'common.ini': ini(chance, {uwsgi: lines(chance, []), other: lines(chance, [])}),
  };
  if (format === 'ini') {
    const includes = ['common.ini', '%d/common.ini', 'common.ini:other', ':more', 'common.ini:none'];
    const sections = {uwsgi: lines(chance, includes), more: lines(chance, ['common.ini'])};
    const again = chance.oneIn(5) ? ini(chance, {uwsgi: lines(chance, [])}) : '';
    return {...more, 'app.ini': `${ini(chance, sections)}\n${again}`};
  }
  const all = lines(chance, ['common.ini']).filter(({key}) => key !== '');
  return {...more, [`app.${format}`]: (format === 'yaml' ? yaml : format === 'json' ? json : xml)(chance, all)};
}

/** The options as the server took them in; null where it refused them. */
export function oracle(directory: string, name: string, extra: readonly string[] = []): [string, string][] | null {
  const environment = {PATH: process.env['PATH'] ?? '', ...ENVIRONMENT};
  const {stdout, stderr} = spawnSync('uwsgi', [name, '--show-config', ...extra], {
    cwd: directory,
    env: environment,
    encoding: 'utf8',
    timeout: 3000,
    // It waits for its workers where it has been asked to end.
    killSignal: 'SIGKILL',
    // A socket for its input would be one to serve.
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [, shown] = /^\[uwsgi\]\n([\s\S]*?)^;end of configuration$/m.exec(stdout + stderr) ?? [];
  return (
    shown?.split('\n').flatMap((line): [string, string][] => {
      const [, key, value] = /^(\S+) = (.*)$/.exec(line) ?? [];
      return key === undefined ? [] : [[key, value ?? '']];
    }) ?? null
  );
}
