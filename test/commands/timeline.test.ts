import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {logdoctor, type Surroundings, sample} from './logdoctor.ts';

const hung = sample('reported/002-chain-reload-4-minutes.log');
const two = sample('uwsgi/healthy-reload/uwsgi.log');
const directory = mkdtempSync(join(tmpdir(), 'logdoctor-timeline-'));

const timeline = (args: readonly string[], surroundings?: Surroundings) => logdoctor(['timeline', ...args], surroundings);

test('draws a file, whatever rules find in it', async () => {
  const {code, stdout, stderr} = await timeline([hung]);
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
  expect(stdout).toContain('1  7759 → 7847');
  expect(stdout).toMatch(/244 s +97 % +4 × 61 s waiting for mercy/);
});

test('draws a pipe in 100 columns', async () => {
  const {code, stdout} = await timeline([], {stdin: readFileSync(hung)});
  expect(code).toBe(0);
  expect(Math.max(...stdout.split('\n').map((line) => Array.from(line).length))).toBe(100);
});

test('--fail-on asks for the rules after all', async () => {
  expect((await timeline([hung, '--fail-on', 'error'])).code).toBe(1);
});

test('--width and --ascii', async () => {
  const {stdout} = await timeline([hung, '--width', '60', '--ascii']);
  expect(stdout).toMatch(/^[\n -~]*$/);
  expect(stdout).toMatch(/X killed x 4/);
  expect(Math.max(...stdout.split('\n').map(({length}) => length))).toBe(60);
});

test('--reload shows one, by number or id', async () => {
  const [all, first, second] = await Promise.all([
    timeline([two]),
    timeline([two, '--reload', '1']),
    timeline([two, '-r', 'reload-2']),
  ]);
  expect(all.stdout).toMatch(/^reload-1 [\s\S]*^reload-2 /m);
  expect(first.stdout).toMatch(/^reload-1 /);
  expect(first.stdout).not.toContain('reload-2');
  expect(second.stdout).toMatch(/^reload-2 /);
});

describe('colours', () => {
  test.each<[boolean, readonly string[], NodeJS.ProcessEnv]>([
    [false, [], {}],
    [true, ['--color'], {}],
    [true, [], {FORCE_COLOR: '1'}],
    [false, [], {FORCE_COLOR: '1', NO_COLOR: '1'}],
    [false, ['--no-color'], {FORCE_COLOR: '1'}],
  ])('%s with %j and %j', async (colored, args, env) => {
    expect((await timeline([hung, ...args], {env})).stdout.includes('\x1b[')).toBe(colored);
  });
});

describe('SVG', () => {
  test('on standard output', async () => {
    const {code, stdout} = await timeline([hung, '--format', 'svg']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^<\?xml version="1\.0"[\s\S]*<svg [\s\S]*<\/svg>\n$/);
  });

  test('into a file, and the text beside it', async () => {
    const path = join(directory, 'reload.svg');
    const {stdout, stderr} = await timeline([hung, '--format', `svg=${path}`, '--format', 'text']);
    expect(readFileSync(path, 'utf8')).toContain('</svg>');
    expect(stdout).toContain('Where the time went');
    expect(stderr).toBe('');
  });

  test('--output', async () => {
    const path = join(directory, 'other.svg');
    const {stdout, stderr} = await timeline([hung, '--format', 'svg', '-o', path]);
    expect(stdout).toBe('');
    expect(stderr).toBe(`The picture is in ${path}\n`);
    expect(readFileSync(path, 'utf8')).toContain('</svg>');
  });
});

describe('exit codes', () => {
  test.each<[number, string, readonly string[], string]>([
    [2, 'a reload that is not there', [hung, '--reload', '2'], 'there is no reload 2: there is reload-1 only'],
    [2, 'a reload that is no number', [two, '--reload', 'last'], 'there is no reload last: there are reload-1 to reload-2'],
    [2, 'an unknown format', [hung, '--format', 'sgv'], 'unknown format sgv. Did you mean svg?'],
    [2, 'two pictures for one place', [hung, '--format', 'svg', '--format', 'text'], 'a place of its own'],
    [2, 'an output that nobody uses', [hung, '--format', 'svg=x.svg', '-o', 'y.svg'], '--output has nothing to write'],
    [2, 'a picture that cannot be written', [hung, '--format', 'svg=/nowhere/at/all'], 'cannot write /nowhere/at/all'],
    [2, 'a picture that is too narrow', [hung, '--width', '20'], '40'],
    [2, 'a file that does not exist', ['nowhere.log'], 'cannot read nowhere.log'],
  ])('%i: %s', async (code, _, args, message) => {
    const ended = await timeline(args);
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).not.toMatch(/^ +at /m);
    expect(ended.code).toBe(code);
  });

  test('3: nothing is understood, and nothing is drawn', async () => {
    const path = join(directory, 'hello.txt');
    writeFileSync(path, 'hello\nworld\n');
    const {code, stdout, stderr} = await timeline([path]);
    expect(code).toBe(3);
    expect(stderr).toContain('is not understood: none of its 2 lines');
    expect(stdout).toBe('Nothing to draw: the log tells of no worker, no reload and no stop.\n');
  });
});
