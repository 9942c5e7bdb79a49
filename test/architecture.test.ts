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
  formats: ['envelope', 'grammar', 'source', 'timeline'],
  rules: ['timeline'],
  simulation: ['rules', 'timeline'],
  measures: ['timeline'],
  checks: ['measures', 'rules', 'timeline', 'analyze.ts'],
  report: ['checks', 'config', 'formats', 'measures', 'rules', 'simulation', 'timeline', 'analyze.ts'],
  commands: [
    'checks',
    'config',
    'envelope',
    'formats',
    'measures',
    'report',
    'rules',
    'simulation',
    'source',
    'timeline',
    'analyze.ts',
  ],
};

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
    .filter((layer) => layer !== '..' && layer !== layerOf(file) && !allowed[layerOf(file)]?.includes(layer));
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
});

test('no folder is a drawer', () => {
  const drawers = ['utils', 'helpers', 'common', 'types', 'core', 'lib', 'misc'];
  expect(drawers.filter((name) => existsSync(`src/${name}`))).toEqual([]);
});

test('every grammar has its format, and every format its corpus', () => {
  for (const grammar of readdirSync('grammars').filter((file) => !['log.ohm', 'envelope.ohm', 'origin.ohm'].includes(file))) {
    const id = grammar.replace('.ohm', '');
    expect(existsSync(`src/formats/${id}.ts`), `src/formats/${id}.ts`).toBe(true);
    expect(existsSync(`test/corpus/${id}.txt`), `test/corpus/${id}.txt`).toBe(true);
  }
});
