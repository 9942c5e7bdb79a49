import {mkdirSync, mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Ajv2020} from 'ajv/dist/2020.js';
import {describe, expect, test} from 'vitest';
import {logdoctor, sample} from './logdoctor.ts';

const hung = sample('reported/002-chain-reload-4-minutes.log');
const healthy = sample('uwsgi/log-micros-and-memory-report/uwsgi.log');
const noReload = sample('reported/001-app-tasks.log');
const noMatter = sample('README.md');

function directory(files: Readonly<Record<string, string>> = {}): string {
  const made = mkdtempSync(join(tmpdir(), 'logdoctor-check-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(made, name), text);
  return made;
}

describe('exit codes', () => {
  test.each<[number, readonly string[], string]>([
    [0, ['--max-reload', '300s', hung], 'longest reload: 4 min 12 s (252 s) of 1 reload; demanded: at most 5 min'],
    [1, ['--max-reload', '30s', hung], 'Failed. 1 assertion: 1 broken.'],
    [1, ['--max-forced', '0', hung], 'forced kills: 4 of 4 processes that ended; demanded: at most 0'],
    [1, [hung], '1 finding of severity error'],
    [0, [healthy], 'no finding of severity error'],
    [0, ['--max-reload', '30s', noReload], 'nothing to measure, the log shows no reload'],
    [1, ['--max-reload', '30s', '--strict', noReload], 'nothing to measure, the log shows no reload'],
    [3, ['--max-reload', '30s', noMatter], 'Nothing was checked: the input was not understood.'],
  ])('%i: %j', async (code, args, said) => {
    const ended = await logdoctor(['check', ...args], {cwd: directory()});
    expect(ended.stdout).toContain(said);
    expect(ended.code).toBe(code);
  });

  test.each(['text', 'json', 'junit', 'markdown', 'github'])(
    '3: nothing is understood, and %s calls nothing passed',
    async (format) => {
      const {code, stdout} = await logdoctor(['check', noMatter, '--format', format], {cwd: directory()});
      expect(code).toBe(3);
      expect(stdout).not.toMatch(/passed|no finding of/);
      expect(stdout).toContain('no rule could look for any');
    },
  );

  test('3: too little is understood, and the assertion says how much', async () => {
    const unknown = 'Mon Apr 10 12:18:57 2023 - words that uWSGI never wrote\n'.repeat(30);
    const cwd = directory({'half.log': `${readFileSync(hung, 'utf8')}${unknown}`});
    const {code, stdout} = await logdoctor(['check', 'half.log', '--min-coverage', '80%'], {cwd});
    expect(stdout).toMatch(/^broken +lines understood: 50 % in 1 input; demanded: at least 80 %/m);
    expect(code).toBe(3);
  });

  test.each<[readonly string[], string]>([
    [['nowhere.log'], 'cannot read nowhere.log: no such file'],
    [['--max-reload', 'soon', hung], '--max-reload takes a time such as 30s'],
    [['--max-reloads', '30', hung], 'unknown flag --max-reloads. Did you mean --max-reload?'],
    [['--rule', 'harakiri-kill', hung], 'there is no rule harakiri-kill. Did you mean harakiri-kills?'],
    [['--rule', 'harakiri-kills=fatal', hung], '--rule takes a rule and its level (error, warning, off)'],
    [['--checks', 'nowhere.yaml', hung], 'cannot read nowhere.yaml: no such file'],
    [['--baseline', 'nowhere.json', hung], 'cannot read nowhere.json: no such file'],
    [['--write-baseline', hung], '--write-baseline needs the name of the file'],
    [['--today', '2026-13-01', hung], '--today takes a day such as 2026-11-21'],
    [['--format', 'sarif', hung], 'unknown format sarif; there are text, json, markdown, junit, github'],
  ])('2: %j', async (args, said) => {
    const {code, stderr} = await logdoctor(['check', ...args], {cwd: directory()});
    expect(stderr).toContain(said);
    expect(code).toBe(2);
  });
});

describe('settings', () => {
  const settings = 'check:\n  max-reload: 30s\nrules:\n  chain-reload-slow: warning\n';

  test('are found above the directory, and flags go before them', async () => {
    const above = directory({'logdoctor.config.yaml': settings});
    const cwd = join(above, 'deploy');
    mkdirSync(cwd);
    const [asWritten, byFlag] = await Promise.all([
      logdoctor(['check', hung], {cwd}),
      logdoctor(['check', hung, '--max-reload', '5m'], {cwd}),
    ]);
    expect(asWritten).toMatchObject({code: 1, stdout: expect.stringMatching(/^broken +longest reload/m)});
    expect(asWritten.stdout).toMatch(/^warning +chain-reload-slow fired/m);
    expect(byFlag).toMatchObject({code: 0, stdout: expect.stringMatching(/^passed +longest reload/m)});
  });

  test('--checks names another file', async () => {
    const cwd = directory({'logdoctor.config.yaml': settings, 'other.json': '{"check": {"max-forced": 4}}'});
    const {code, stdout} = await logdoctor(['check', hung, '--checks', 'other.json'], {cwd});
    expect(stdout).not.toContain('longest reload');
    expect(code).toBe(0);
  });

  test('an unknown key is an error with a suggestion', async () => {
    const cwd = directory({'logdoctor.config.yaml': 'check:\n  max-orphan: 0\n'});
    const {code, stderr} = await logdoctor(['check', hung], {cwd});
    expect(stderr).toMatch(/logdoctor\.config\.yaml:2: there is no key max-orphan\. Did you mean max-orphans\?\n$/);
    expect(code).toBe(2);
  });
});

describe('formats', () => {
  const demands = ['check', hung, '--max-reload', '30s', '--max-orphans', '0'];

  test('JSON is as its schema says', async () => {
    const cwd = directory();
    const [schema, report] = await Promise.all([logdoctor(['schema', 'check']), logdoctor([...demands, '--json'], {cwd})]);
    const validate = new Ajv2020({strict: true, allowUnionTypes: true}).compile(JSON.parse(schema.stdout));
    const result = JSON.parse(report.stdout);
    expect(validate(result), JSON.stringify(validate.errors)).toBe(true);
    expect(result).toMatchObject({
      failed: true,
      assertions: [
        {id: 'max-reload', result: 'broken', limit: 30, measured: {min: 252, max: 252}, cases: [{where: {line: 1}}]},
        {id: 'max-orphans', result: 'unmeasured', measured: null},
      ],
    });
  });

  test('GitHub gets an annotation for what is broken', async () => {
    const {stdout} = await logdoctor([...demands, '--format', 'github'], {cwd: directory()});
    expect(stdout).toMatch(/^::error file=\S+002-chain-reload-4-minutes\.log,line=1,title=max-reload broken::longest reload/m);
    expect(stdout).toMatch(/^::notice title=max-orphans not measured::/m);
  });

  test('several at once, into files', async () => {
    const cwd = directory();
    const formats = ['--format', 'junit=out.xml', '--format', 'markdown=out.md', '--format', 'text'];
    const {stdout} = await logdoctor([...demands, ...formats], {cwd});
    expect(stdout).toContain('CHECK  Failed');
    expect(readFileSync(join(cwd, 'out.xml'), 'utf8')).toContain('tests="2" failures="1" errors="0"');
    expect(readFileSync(join(cwd, 'out.md'), 'utf8')).toContain('| broken | `max-reload` |');
  });
});

describe('a baseline', () => {
  test('is written, and what it accepts counts no longer', async () => {
    const cwd = directory();
    const write = ['--baseline', 'known.json', '--write-baseline', '--reason', 'OPS-12'];
    expect(await logdoctor(['analyze', hung, ...write], {cwd})).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('OPS-12'),
    });
    const [analyzed, checked] = await Promise.all([
      logdoctor(['analyze', hung, '--baseline', 'known.json', '--json'], {cwd}),
      logdoctor(['check', hung, '--baseline', 'known.json'], {cwd}),
    ]);
    expect(analyzed.code).toBe(0);
    expect(JSON.parse(analyzed.stdout)).toMatchObject({findings: [], baseline: {file: 'known.json', expired: [], stale: []}});
    expect(checked).toMatchObject({code: 0, stdout: expect.stringMatching(/^passed +no finding of severity error/m)});
  });

  test('is named in the settings as seen from their file, and in the report as seen from here', async () => {
    const above = directory({'logdoctor.config.yaml': 'baseline: known.json\n'});
    const cwd = join(above, 'deploy');
    mkdirSync(cwd);
    await logdoctor(['analyze', hung, '--baseline', '../known.json', '--write-baseline'], {cwd});
    const {stdout} = await logdoctor(['check', hung, '--json'], {cwd});
    expect(JSON.parse(stdout)).toMatchObject({failed: false, baseline: {file: '../known.json'}});
  });

  test('past its day counts again, and says so', async () => {
    const cwd = directory({'logdoctor.config.yaml': 'baseline: known.json\n'});
    await logdoctor(['analyze', hung, '--baseline', 'known.json', '--write-baseline'], {cwd});
    const written = JSON.parse(readFileSync(join(cwd, 'known.json'), 'utf8'));
    for (const entry of written.accepted) entry.expires = '2026-11-21';
    writeFileSync(join(cwd, 'known.json'), JSON.stringify(written));
    const on = (day: string) => logdoctor(['check', hung, '--today', day], {cwd});
    expect((await on('2026-11-21')).code).toBe(0);
    expect(await on('2026-11-22')).toMatchObject({code: 1, stdout: expect.stringContaining('expired on 2026-11-21')});
  });

  test('names what this log does not show', async () => {
    const cwd = directory();
    await logdoctor(['analyze', hung, '--baseline', 'known.json', '--write-baseline'], {cwd});
    const {code, stdout} = await logdoctor(['analyze', healthy, '--baseline', 'known.json'], {cwd});
    expect(stdout).toContain('stale, not in this log: app-threads-block-shutdown');
    expect(code).toBe(0);
  });

  test('is not written from half a log', async () => {
    const cwd = directory();
    const {code, stderr} = await logdoctor(['analyze', hung, noMatter, '--baseline', 'known.json', '--write-baseline'], {cwd});
    expect(stderr).toContain('known.json is left as it is');
    expect(code).toBe(2);
  });
});
