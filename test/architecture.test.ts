import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join, relative, resolve} from 'node:path';
import {describe, expect, test} from 'vitest';

/** Who may import whom, by folder of src/. What is not listed is forbidden. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  grammar: [],
  source: ['grammar'],
  config: ['source', 'timeline'],
  timeline: [],
  envelope: ['grammar'],
  formats: ['envelope', 'grammar', 'timeline'],
  recorder: ['envelope', 'formats', 'grammar', 'source', 'timeline'],
  rules: ['timeline', 'number.ts', 'severity.ts'],
  simulation: ['rules', 'timeline'],
  measures: ['timeline'],
  checks: ['measures', 'rules', 'timeline', 'analyze.ts', 'severity.ts'],
  report: [
    'checks',
    'config',
    'formats',
    'measures',
    'recorder',
    'rules',
    'simulation',
    'timeline',
    'analyze.ts',
    'number.ts',
    'severity.ts',
  ],
  commands: [
    'checks',
    'config',
    'envelope',
    'formats',
    'measures',
    'recorder',
    'report',
    'rules',
    'simulation',
    'source',
    'timeline',
    'analyze.ts',
    'follow.ts',
    'number.ts',
    'severity.ts',
  ],
};

/** Knows nothing of logs. */
const EVERYBODYS = 'extremes.ts';

const files = readdirSync('src', {recursive: true, encoding: 'utf8'})
  .filter((file) => file.endsWith('.ts'))
  .map((file) => join('src', file));
const layerOf = (file: string) => relative('src', file).split('/')[0] ?? '';
const inLayers = files.filter((file) => layerOf(file) in allowed);

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name]) => name ?? '');
}

test.each(inLayers)('%s imports only what its layer may', (file) => {
  const forbidden = importsOf(file)
    .filter((name) => name.startsWith('.'))
    .map((name) => layerOf(relative('.', resolve(file, '..', name))))
    .filter(
      (layer) => layer !== '..' && layer !== EVERYBODYS && layer !== layerOf(file) && !allowed[layerOf(file)]?.includes(layer),
    );
  expect(forbidden).toEqual([]);
});

describe('the outside world', () => {
  const uses = (pattern: RegExp, except: (file: string) => boolean) =>
    files.filter((file) => !except(file) && pattern.test(readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')));

  test('only source/ and the grammar loader read files', () => {
    expect(
      uses(/from 'node:fs/, (file) => layerOf(file) === 'source' || layerOf(file) === 'grammar' || layerOf(file) === 'commands'),
    ).toEqual([]);
  });

  test('only commands/ and cli.ts know the terminal, the environment and the exit code', () => {
    expect(
      uses(
        /\bprocess\.(stdout|stderr|env|exit|argv|stdin)|\bconsole\./,
        (file) => layerOf(file) === 'commands' || file === 'src/cli.ts',
      ),
    ).toEqual([]);
  });

  test('nobody asks what time it is', () => {
    expect(uses(/\bDate\.now\(|new Date\(\)/, (file) => file === 'src/commands/today.ts')).toEqual([]);
  });

  test('rules do not look at log text', () => {
    expect(
      uses(
        /\.text\b[^:]*\.(match|includes|startsWith|endsWith|test|search)|\.test\([^)]*\.text/,
        (file) => layerOf(file) !== 'rules',
      ),
    ).toEqual([]);
  });

  test('rules do not look for words in a field: a part that means something is a field of its own', () => {
    const field = String.raw`(?:fields\b[?.\w[\]'"]*|\b(?:reason|client|connection|text)\b)`;
    const asked = String.raw`(?: \?\? ''\))?\)*\??\.(?:match|includes|startsWith|endsWith|search|split)\(`;
    expect(
      uses(new RegExp(`${field}${asked}|\\.(?:test|exec)\\(String\\(${field}`), (file) => layerOf(file) !== 'rules'),
    ).toEqual([]);
  });
});

describe('what a run loads', () => {
  /** Files that are loaded with `entry`: what is imported for its type alone, or only when it is needed, is not. */
  const loadedBy = (entry: string) => {
    const loaded = new Set<string>();
    const follow = (file: string) => {
      if (loaded.has(file)) return;
      loaded.add(file);
      const text = readFileSync(file, 'utf8');
      for (const [, name = ''] of text.matchAll(/^(?:import|export) (?!type )(?:[^;']*? from )?'(\.[^']+\.ts)'/gm)) {
        follow(relative('.', resolve(file, '..', name)));
      }
    };
    follow(entry);
    return [...loaded];
  };

  test('the command line by itself loads no rule, no reader of logs and no reporter', () => {
    const heavy =
      /^src\/(?:rules|formats|recorder|grammar|source|timeline|config)\/|^src\/report\/(?:text|json|sarif|markdown)\.ts|^src\/analyze\.ts/;
    expect(loadedBy('src/cli.ts')).toContain('src/commands/analyze.ts');
    expect(loadedBy('src/cli.ts').filter((file) => heavy.test(file))).toEqual([]);
  });

  test('a reporter is loaded when it is asked for', () => {
    expect(loadedBy('src/report/index.ts')).toEqual(['src/report/index.ts']);
    expect(loadedBy('src/analyze.ts').filter((file) => layerOf(file) === 'report')).toEqual([]);
  });
});

describe('the documents', () => {
  const documents = [
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'README.md',
    ...readdirSync('docs').map((name) => `docs/${name}`),
  ].filter((name) => name.endsWith('.md'));
  const paths = ['src', 'test', 'samples/record', 'grammars', 'bin', 'docs']
    .flatMap((folder) => readdirSync(folder, {recursive: true, encoding: 'utf8'}).map((name) => join(folder, name)))
    .concat(readdirSync('.'));

  test.each(documents)('%s names only files of the project that are there', (document) => {
    const named = [...readFileSync(document, 'utf8').matchAll(/`([\w./-]+\.(?:ts|ohm|mjs|py))`/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !paths.some((path) => `/${path}`.endsWith(`/${name}`)))).toEqual([]);
  });

  test('ARCHITECTURE.md tells of every folder of src and of every file that stands in none', () => {
    const text = readFileSync('ARCHITECTURE.md', 'utf8');
    const entries = readdirSync('src', {withFileTypes: true}).map((entry) =>
      entry.isDirectory() ? `src/${entry.name}/` : entry.name,
    );
    expect(entries.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  test('docs/grammar-engine.md tells of every file of the engine', () => {
    const text = readFileSync('docs/grammar-engine.md', 'utf8');
    const modules = readdirSync('src/grammar').filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'));
    expect(modules.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

test('no folder is a drawer', () => {
  const drawers = ['utils', 'helpers', 'common', 'types', 'core', 'lib', 'misc'];
  expect(drawers.filter((name) => existsSync(`src/${name}`))).toEqual([]);
});

test('every grammar has its format, and every format its corpus', () => {
  for (const grammar of readdirSync('grammars').filter(
    (file) => !['log.ohm', 'envelope.ohm', 'origin.ohm', 'process.ohm'].includes(file),
  )) {
    const id = grammar.replace('.ohm', '');
    expect(existsSync(`src/formats/${id}.ts`), `src/formats/${id}.ts`).toBe(true);
    expect(existsSync(`test/corpus/${id}.txt`), `test/corpus/${id}.txt`).toBe(true);
  }
});
