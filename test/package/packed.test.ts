import {execFileSync, spawnSync} from 'node:child_process';
import {cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {beforeAll, describe, expect, test} from 'vitest';

/** The oldest and the newest Node that the package promises to run on. */
const MAJORS = [20, 24];
const SAMPLE = 'samples/uwsgi/chain-reload-slow';

const scratch = mkdtempSync(join(tmpdir(), 'logdoctor-package-'));
const prefix = join(scratch, 'prefix');
const installed = join(prefix, 'lib/node_modules/logdoctor');
const {version} = JSON.parse(readFileSync('package.json', 'utf8')) as {version: string};

function npm(args: readonly string[], cwd = '.'): string {
  return execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {cwd, encoding: 'utf8'});
}

function nodeOf(major: number): string {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const directory = join(scratch, `node-${major}`);
  mkdirSync(directory);
  writeFileSync(join(directory, 'package.json'), '{}');
  npm(['install', `node@${major}`], directory);
  return join(directory, 'node_modules/node/bin/node');
}

beforeAll(() => {
  npm(['pack', '--ignore-scripts', '--pack-destination', scratch]);
  npm(['install', '--global', '--offline', '--prefix', prefix, join(scratch, `logdoctor-${version}.tgz`)]);
});

describe('what is installed', () => {
  test('only what is needed, and no other package', () => {
    expect(readdirSync(installed).sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin',
      'dist',
      'grammars',
      'package.json',
    ]);
    expect(readdirSync(join(prefix, 'lib/node_modules'))).toEqual(['logdoctor']);
    const sources = readdirSync(installed, {recursive: true, encoding: 'utf8'}).filter((file) =>
      /(?<!\.d)\.ts$|\.map$|\.test\./.test(file),
    );
    expect(sources).toEqual([]);
  });

  test('the manual page', () => expect(existsSync(join(prefix, 'share/man/man1/logdoctor.1'))).toBe(true));

  test('the licences of what is bundled', () => {
    const licences = readFileSync(join(installed, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const name of ['@oclif/core', 'ohm-js', 'cli-table3']) expect(licences).toContain(`\n${name} `);
    expect(licences).toContain('Permission is hereby granted');
  });
});

describe.each(MAJORS)('on Node %i', (major) => {
  let node: string;
  beforeAll(() => {
    node = nodeOf(major);
  });
  const logdoctor = (...args: readonly string[]) => {
    const {status, stdout, stderr} = spawnSync(node, [join(prefix, 'bin/logdoctor'), ...args], {encoding: 'utf8'});
    return {status, stdout, stderr};
  };

  test('it is that Node', () => expect(String(execFileSync(node, ['--version']))).toMatch(new RegExp(`^v${major}\\.`)));

  test('--version', () => expect(logdoctor('--version')).toEqual({status: 0, stdout: `logdoctor ${version}\n`, stderr: ''}));

  test.each(['compiled', 'ohm'])('the report on a recorded log, engine %s', (engine) => {
    const {status, stdout, stderr} = logdoctor(`${SAMPLE}/uwsgi.log`, '--engine', engine);
    expect(stderr).toBe('');
    expect(stdout).toBe(readFileSync(`${SAMPLE}/report.txt`, 'utf8'));
    expect(status).toBe(1);
  });

  test.each(['concise', 'json', 'jsonl', 'markdown', 'sarif', 'junit', 'github', 'gitlab'])('--format %s', (format) => {
    const {stdout, stderr} = logdoctor(`${SAMPLE}/uwsgi.log`, '--format', format);
    expect(stderr).toBe('');
    expect(stdout).toContain('app-threads-block-shutdown');
  });

  test.each([
    [['timeline', `${SAMPLE}/uwsgi.log`]],
    [['events', `${SAMPLE}/uwsgi.log`]],
    [['rules']],
    [['formats']],
    [['schema']],
    [['completion', 'bash']],
    [['--help']],
  ])('%j', (args) => {
    const {status, stdout, stderr} = logdoctor(...args);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout.length).toBeGreaterThan(100);
  });

  test('the example of docs/library.md', () => {
    const directory = project(`example-${major}`);
    writeFileSync(join(directory, 'example.mjs'), example());
    cpSync(`${SAMPLE}/uwsgi.log`, join(directory, 'uwsgi.log'));
    const printed = execFileSync(node, ['example.mjs'], {cwd: directory, encoding: 'utf8'});
    expect(printed).toContain('error app-threads-block-shutdown (likely): ');
    expect(printed).toMatch(/the longest reload took at least \d+ s/);
    expect(JSON.parse(readFileSync(join(directory, 'logdoctor.sarif'), 'utf8')).version).toBe('2.1.0');
  });
});

describe('types', () => {
  test.each([
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('the example under module %s, moduleResolution %s', (module, moduleResolution) => {
    const directory = project(`types-${moduleResolution}`);
    writeFileSync(
      join(directory, 'example.ts'),
      `${example()}\n// @ts-expect-error: proves that the types are there\nconst figure: number = verdict(diagnosis);\n`,
    );
    mkdirSync(join(directory, 'node_modules/@types'));
    for (const name of ['@types/node', 'undici-types'])
      symlinkSync(resolve('node_modules', name), join(directory, 'node_modules', name));
    const options = [
      '--noEmit',
      '--strict',
      '--target',
      'es2022',
      '--types',
      'node',
      '--module',
      module,
      '--moduleResolution',
      moduleResolution,
    ];
    const {stdout} = spawnSync(process.execPath, [resolve('node_modules/typescript/bin/tsc'), ...options, 'example.ts'], {
      cwd: directory,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
  });
});

/** A folder of somebody who has installed the package. */
function project(name: string): string {
  const directory = join(scratch, name);
  mkdirSync(join(directory, 'node_modules'), {recursive: true});
  writeFileSync(join(directory, 'package.json'), '{"type": "module"}');
  symlinkSync(installed, join(directory, 'node_modules/logdoctor'));
  return directory;
}

function example(): string {
  const [, code = ''] = /<!-- run by test\/package -->\n```ts\n([\s\S]*?)```/.exec(readFileSync('docs/library.md', 'utf8')) ?? [];
  expect(code).toContain("from 'logdoctor'");
  return code;
}
