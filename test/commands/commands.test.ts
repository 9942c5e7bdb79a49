import {spawn} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {describe, expect, test} from 'vitest';
import {writer} from '../written.ts';
import {type Ended, logdoctor, run, sample} from './logdoctor.ts';

const hung = sample('reported/002-chain-reload-4-minutes.log');
const slow = sample('uwsgi/chain-reload-slow/uwsgi.log');
const file = writer();

describe('the default command', () => {
  test('a file', async () => {
    const {stdout, stderr} = await logdoctor([hung]);
    expect(stderr).toBe('');
    expect(stdout).toContain('30 lines: 30 events');
    expect(stdout).toMatch(/\nVERDICT [\s\S]*\.\n$/);
  });

  test('a pipe gives the same as a file, but for the name', async () => {
    const [fromFile, fromPipe] = await Promise.all([
      logdoctor([hung, '--json']),
      logdoctor(['--json'], {stdin: readFileSync(hung)}),
    ]);
    expect(fromPipe.stdout.replaceAll('"stdin"', '"x"')).toBe(fromFile.stdout.replaceAll(`"${hung}"`, '"x"'));
    expect(fromPipe.code).toBe(fromFile.code);
  });

  test('- is standard input', async () => {
    expect((await logdoctor(['analyze', '-'], {stdin: readFileSync(hung)})).stdout).toContain('stdin, 30 lines');
  });
});

describe('exit codes', () => {
  test.each<[number, string, readonly string[], string]>([
    [2, 'a file that does not exist', ['nowhere.log'], 'cannot read nowhere.log: no such file'],
    [2, 'a command that does not exist', ['explian', 'x'], 'Did you mean the command explain?'],
    [2, 'an unknown flag', ['--jsn', hung], 'unknown flag --jsn. Did you mean --json?'],
    [2, 'an unknown format', ['--format', 'jsno', hung], 'unknown format jsno. Did you mean json?'],
    [2, 'a bad percentage', ['--min-coverage', 'much', hung], 'takes a percentage from 0 to 100, not much'],
    [2, 'an expression with a fault', ['--task-start', 'a(', '--task-end', 'b', hung], '--task-start is no regular expression'],
    [2, 'an expression that would need backtracking', ['--task-start', '(a)\\1', '--task-end', 'b', hung], 'backreferences'],
    [2, 'an expression that fits every line', ['--task-start', 'a*', '--task-end', 'b', hung], 'it matches an empty line'],
    [2, 'an unknown group', ['--task-start', '(?<job>a)', '--task-end', 'b', hung], 'names the group job'],
    [2, 'a beginning without an end', ['--task-start', 'a', hung], '--task-end'],
    [2, 'a bad choice', ['--fail-on', 'never-ever', hung], 'error, warning, info, never'],
    [2, 'a choice with a slip', ['--fail-on', 'wraning', hung], 'error, warning, info, never. Did you mean warning?'],
    [2, 'two reports for one place', ['--json', '--format', 'text', hung], 'a place of its own'],
    [2, 'a report that cannot be written', ['--format', 'json=/nowhere/at/all', hung], 'cannot write /nowhere/at/all'],
    [2, 'a directory', [file.folder], 'it is a directory'],
    [2, 'an unknown rule', ['explain', 'no-such-rule'], 'there is no rule no-such-rule'],
    [2, 'help for a command that does not exist', ['help', 'explian'], 'there is no command explian. Did you mean explain?'],
    [2, 'an unknown shell', ['completion', 'tcsh'], 'Expected tcsh to be one of: bash, zsh, fish'],
    [2, 'an unknown supervisor', ['--supervisor', 'gunicron', hung], 'there is no supervisor "gunicron". Did you mean gunicorn?'],
    [2, 'an unknown envelope', ['--envelope', 'sislog', hung], 'there is no envelope "sislog". Did you mean syslog?'],
    [2, 'two inputs to follow', ['--follow', hung, hung], '--follow takes one input'],
    [2, 'a report of what is followed', ['--follow', '--json', hung], '--follow prints text'],
    [2, 'a file to follow that does not exist', ['--follow', 'nowhere.log'], 'cannot read nowhere.log: no such file'],
    [2, 'a time that is none', ['--since', 'yesterday', hung], '--since takes a time such as'],
    [2, 'a template that is none', ['--log-format', 'plain', hung], 'it has no variable'],
    [2, 'a day that is none', ['--until', '2026-13-45', hung], '--until takes a time such as'],
    [2, 'an end before the beginning', ['--since', '2023-04-11', '--until', '2023-04-10', hung], 'lies after until'],
    [2, 'an offset that is none', ['--tz', '+25:00', hung], 'there is no time zone "+25:00"'],
    [2, 'a report for no file', ['--format', 'json=', hung], '--format json= names no file'],
    [2, 'a flag unlike any other', ['--zzz', hung], 'unknown flag --zzz; --help lists those of the command'],
    [2, 'a simulation of nothing', ['simulate', hung], '--set is missing'],
    [
      2,
      'a simulation of two values',
      ['simulate', hung, '--set', 'worker-reload-mercy=5', '--set', 'worker-reload-mercy=9'],
      '--set gives worker-reload-mercy two values',
    ],
    [2, 'an argument too many', ['rules', 'x'], 'Unexpected argument: x'],
    [3, 'a supervisor that did not write it', ['--supervisor', 'gunicorn', hung], '--supervisor gunicorn was asked for'],
  ])('%i: %s', async (code, _, args, message) => {
    const ended = await logdoctor(args);
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).not.toMatch(/^ +at /m);
    expect(ended.code).toBe(code);
  });

  test('3: nothing is understood, and the report says so', async () => {
    const {code, stdout, stderr} = await logdoctor([file('hello.txt', 'hello\nworld\n')]);
    expect(code).toBe(3);
    expect(stderr).toContain('hello.txt is not understood: none of its 2 lines');
    expect(stdout).toContain('What to try');
  });

  test('3: an empty pipe', async () => {
    const {code, stdout, stderr} = await logdoctor([]);
    expect({code, stderr}).toEqual({code: 3, stderr: 'logdoctor: stdin is not understood: it is empty\n'});
    expect(stdout).toContain('does the command in front of it print anything by itself?');
    expect(stdout).not.toContain('carries no time');
  });

  test('3: what was cut off inside its compression', async () => {
    const packed = gzipSync(readFileSync(hung));
    const {code, stderr} = await logdoctor([file('cut.log.gz', packed.subarray(0, packed.length - 20))]);
    expect(code).toBe(3);
    expect(stderr).toContain('cut off inside its compression (gzip)');
  });

  test('2 goes before 3, and what could be read is reported', async () => {
    const {code, stdout} = await logdoctor([hung, 'nowhere.log', file('hello2.txt', 'hello\n')]);
    expect(code).toBe(2);
    expect(stdout).toContain('Chain reload');
  });

  test('--min-coverage', async () => {
    const unknown = 'Mon Apr 10 12:18:57 2023 - words that uWSGI never wrote\n'.repeat(30);
    const half = file('half.log', `${readFileSync(hung, 'utf8')}${unknown}`);
    const codeAt = async (percent: string) => (await logdoctor([half, '--fail-on', 'never', '--min-coverage', percent])).code;
    expect(await Promise.all(['50', '50%', '51%', '100 %'].map(codeAt))).toEqual([0, 0, 3, 3]);
  });
});

test('a reader that closes early is a normal end', async () => {
  const log = file('long.log', readFileSync(hung, 'utf8').repeat(3000));
  const ended = await new Promise<Ended>((resolve) => {
    const child = spawn(process.execPath, [run, 'events', log]);
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.stdout.once('data', () => child.stdout.destroy());
    child.on('close', (code) => resolve({code, stdout: '', stderr}));
  });
  expect(ended).toEqual({code: 0, stdout: '', stderr: ''});
});

test('an interrupt ends a run that waits for input, with 130', async () => {
  const ended = await new Promise<{code: number | null; signal: string | null}>((resolve) => {
    const child = spawn(process.execPath, [run]);
    child.stdin.write(readFileSync(hung));
    setTimeout(() => child.kill('SIGINT'), 4000);
    child.on('close', (code, signal) => resolve({code, signal}));
  });
  expect(ended).toEqual({code: 130, signal: null});
});

test('--follow tells what it finds while the log grows, and the verdict on an interrupt', async () => {
  const growing = file('grows.log', '');
  const ended = await new Promise<Ended>((resolve) => {
    const child = spawn(process.execPath, [run, '--follow', growing, '--quiet']);
    let isInterrupted = false;
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      if (!isInterrupted && stdout.includes('WARNING')) isInterrupted = child.kill('SIGINT');
    });
    setTimeout(() => writeFileSync(growing, readFileSync(slow)), 500);
    child.on('close', (code) => resolve({code, stdout, stderr: ''}));
  });
  expect(ended.code).toBe(130);
  expect(ended.stdout).toMatch(/^ERROR {2}[\s\S]*\nWARNING {2}[\s\S]*\nVERDICT {2}Workers did not leave/);
});

test('--follow of a pipe gives the verdict on an interrupt, while the writer goes on', async () => {
  const child = spawn(process.execPath, [run, '--follow', '--quiet']);
  let isInterrupted = false;
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk;
    // A second one would not wait for the verdict.
    if (!isInterrupted) isInterrupted = child.kill('SIGINT');
  });
  child.stdin.on('error', () => {});
  child.stdin.write(readFileSync(slow));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(stdout).toMatch(/\nVERDICT /);
  expect(code).toBe(130);
});

test('--follow reads a pipe to its end', async () => {
  const {code, stdout} = await logdoctor(['--follow'], {stdin: readFileSync(slow)});
  expect(code).toBe(1);
  expect(stdout).toContain('What to do');
  expect(stdout).toMatch(/\nVERDICT {2}/);
});

describe('reports into files', () => {
  test('several at once, the rest on standard output', async () => {
    const path = join(file.folder, 'report.json');
    const {stdout} = await logdoctor([hung, '--format', `json=${path}`, '--format', 'text']);
    expect(JSON.parse(readFileSync(path, 'utf8')).schemaVersion).toBe(1);
    expect(stdout).toContain('VERDICT');
  });

  test('--output, with the verdict on standard error', async () => {
    const path = join(file.folder, 'report.txt');
    const {stdout, stderr} = await logdoctor([hung, '-o', path]);
    expect(stdout).toBe('');
    expect(readFileSync(path, 'utf8')).toContain('VERDICT');
    expect(stderr).toContain(`The report is in ${path}`);
  });
});

test.each(['analyze', 'check', 'events', 'timeline'])('%s takes what all commands that read logs take', async (command) => {
  const path = join(file.folder, `${command}.out`);
  const flags = ['--no-color', '--no-progress', '--quiet', '--fail-on', 'never', '--tz', 'UTC', '-o', path];
  expect(await logdoctor([command, hung, ...flags])).toEqual({code: 0, stdout: '', stderr: ''});
  expect(readFileSync(path, 'utf8')).not.toBe('');
});

test('timeline --json is the report', async () => {
  const [timeline, analyze] = await Promise.all([logdoctor(['timeline', hung, '--json']), logdoctor([hung, '--json'])]);
  expect(timeline.stdout).toBe(analyze.stdout);
});

test('simulate writes where it is told to', async () => {
  const path = join(file.folder, 'simulation.json');
  const args = ['simulate', hung, '--set', 'worker-reload-mercy=5'];
  const [written, shown] = await Promise.all([logdoctor([...args, '--format', `json=${path}`]), logdoctor([...args, '--json'])]);
  expect(written.stdout).toBe('');
  expect(readFileSync(path, 'utf8')).toBe(shown.stdout);
});

test('colour in a pipe only on request', async () => {
  const coloured = async (args: readonly string[], env: NodeJS.ProcessEnv) =>
    (await logdoctor([hung, ...args], {env})).stdout.includes('\x1b[');
  expect(await coloured([], {})).toBe(false);
  expect(await coloured(['--color'], {NO_COLOR: '1'})).toBe(true);
  expect(await coloured([], {FORCE_COLOR: '1'})).toBe(true);
  expect(await coloured(['--no-color'], {FORCE_COLOR: '1'})).toBe(false);
});

test('events are JSON Lines in the order of the log', async () => {
  const {code, stdout} = await logdoctor(['events', hung]);
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(code).toBe(0);
  expect(events.map(({line}) => line)).toEqual(Array.from({length: 30}, (_, i) => i + 1));
  expect(events[0]).toMatchObject({message: 'uwsgi/touch-chain-reload', instance: 'uwsgi-1'});
});

describe('commands about the program', () => {
  test('--version', async () => {
    const {version} = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await logdoctor(['--version'])).toEqual({code: 0, stdout: `logdoctor ${version}\n`, stderr: ''});
  });

  test('--help names every command', async () => {
    const {code, stdout} = await logdoctor(['--help']);
    expect(code).toBe(0);
    for (const command of ['analyze', 'events', 'explain', 'formats', 'rules', 'schema'])
      expect(stdout).toContain(`\n  ${command} `);
  });

  test('examples come before everything else', async () => {
    const page = (await logdoctor(['timeline', '--help'])).stdout;
    const headings = page.match(/^[A-Z][A-Z ]+$/gm) ?? [];
    expect(headings[0]).toBe('EXAMPLES');
    expect((await logdoctor(['--help'])).stdout.match(/^[A-Z][A-Z ]+$/gm)?.[0]).toBe('EXAMPLES');
  });

  test('help explain is explain --help', async () => {
    expect((await logdoctor(['help', 'explain'])).stdout).toBe((await logdoctor(['explain', '--help'])).stdout);
  });

  test('every rule that is listed can be explained', async () => {
    const rules = JSON.parse((await logdoctor(['rules', '--json'])).stdout) as {id: string; title: string}[];
    expect(rules.length).toBeGreaterThan(0);
    const list = (await logdoctor(['rules'])).stdout;
    for (const {id} of rules) expect(list).toContain(`${id} `);
    const [first] = rules;
    const page = (await logdoctor(['explain', first?.id ?? ''])).stdout;
    expect(page).toContain(first?.id);
    expect(page).toContain('Why it matters');
  });

  test('schema', async () => {
    expect(JSON.parse((await logdoctor(['schema'])).stdout)).toMatchObject({title: 'logdoctor report', type: 'object'});
  });

  test('formats', async () => expect((await logdoctor(['formats'])).stdout).toContain('uWSGI'));

  test('formats why', async () => {
    const {code, stdout} = await logdoctor(['formats', 'why', hung, '--supervisor', 'uwsgi']);
    expect(code).toBe(0);
    expect(stdout.replace(/\s+/g, ' ')).toContain('30 of its 30 lines hold a message (uwsgi 30); forced by --supervisor uwsgi');
  });

  test('formats why a file that nobody knows', async () => {
    const {code, stdout} = await logdoctor(['formats', 'why', file('hello3.txt', 'hello\n')]);
    expect(code).toBe(3);
    expect(stdout).toContain('read as nothing known');
  });
});
