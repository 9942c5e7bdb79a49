import {mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {ConfigError} from '../../src/config/configuration.ts';
import {edited} from '../../src/config/edit.ts';
import {readConfiguration} from '../../src/config/read.ts';
import {InputError} from '../../src/source/input-error.ts';
import {randomFrom} from '../grammar/random.ts';

const FILES = 'test/config/files';
const directory = mkdtempSync(join(tmpdir(), 'logdoctor-fuzz-'));

const PIECES = [
  '[',
  ']',
  '=',
  ':',
  '%',
  '%(',
  '$(',
  '@(',
  ')',
  '"',
  "'",
  '\\',
  '\n',
  '\n ',
  '\t',
  '<',
  '/>',
  '{',
  '}',
  '- ',
  '#',
  ';',
  '\0',
  'é',
  'if-env = A\n',
  'end =\n',
  'for = a b\n',
  '%(_)',
  'ini = :uwsgi\n',
];

/** Whatever a file holds, it is read or refused by name; and what was read can be edited. */
test('damaged configurations never fail otherwise than with their name', async () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const below = randomFrom(seed);
  const names = readdirSync(FILES).filter((name) => statSync(join(FILES, name)).isFile());
  for (let round = 0; round < 400; round++) {
    const name = names[below(names.length)] ?? '';
    let text = readFileSync(join(FILES, name), 'utf8');
    for (let change = below(6); change >= 0; change--) {
      const at = below(text.length + 1);
      text = text.slice(0, at) + (PIECES[below(PIECES.length)] ?? '') + text.slice(at + below(4));
    }
    const path = join(directory, name);
    writeFileSync(path, text);
    try {
      const {files} = await readConfiguration([path]);
      for (const file of files) {
        for (const {name: section} of file.sections) edited(file, [{section, key: 'a-new-key', value: '1'}]);
        for (const {from, to, start, end} of file.entries) {
          expect(
            start <= from && from <= to && to <= end && end <= file.text.length,
            `SEED=${seed}, round ${round}: ${text}`,
          ).toBe(true);
        }
      }
    } catch (error) {
      expect(error instanceof ConfigError || error instanceof InputError, `SEED=${seed}, round ${round}: ${error}\n${text}`).toBe(
        true,
      );
      expect((error as Error).message).toContain(directory);
    }
  }
});
