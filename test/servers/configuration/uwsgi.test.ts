import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, describe, expect, test} from 'vitest';
import type {Declaration} from '../../../src/config/configuration.ts';
import {readConfiguration} from '../../../src/config/read.ts';
import {isList, namesOf, optionValue} from '../../../src/config/uwsgi-options.ts';
import {Chance, Folder, ROUNDS, seed, told} from './cases.ts';
import {KEYS, LISTED, oracle, SWITCHES, treeFor} from './uwsgi.ts';

const folder = new Folder();
afterAll(() => folder.remove());

/** What is wrong with what was read; and how many options it left open. */
function compare(
  given: readonly [string, string][],
  read: readonly Declaration[],
): {wrong: string[]; compared: number; open: number} {
  const wrong: string[] = [];
  let [compared, open] = [0, 0];
  for (const key of [...KEYS, ...SWITCHES, ...LISTED]) {
    const names = namesOf(key);
    const real = given.filter(([name]) => names.includes(name));
    const ours = read.filter(({name}) => names.includes(name));
    const unknown = ours.filter(({unknown}) => unknown);
    const known = ours.filter(({unknown}) => !unknown).map(({name, value}) => `${name}=${value}`);
    const values = real.map(([name, text]) => `${name}=${optionValue(name, text)}`);
    compared++;
    if (unknown.length > 0) open++;
    if (isList(key)) {
      for (const value of known) if (!values.includes(value)) wrong.push(`read ${value}, which the server does not have`);
      if (unknown.length === 0) for (const value of values) if (!known.includes(value)) wrong.push(`not read: ${value}`);
      continue;
    }
    if (unknown.length > 0) continue;
    const [last, mine] = [values.at(-1), known.at(-1)];
    if (last !== mine) wrong.push(`the server has ${last}, read was ${mine}`);
  }
  return {wrong, compared, open};
}

describe.skipIf(!existsSync('/usr/bin/uwsgi'))('uWSGI says the same of a configuration', () => {
  test.each(['ini', 'yaml', 'json', 'xml'])(
    '%s',
    async (format) => {
      const counts = {refused: 0, compared: 0, open: 0};
      for (let round = 0; round < ROUNDS; round++) {
        const chance = new Chance(round);
        const files = treeFor(chance, format);
        const directory = folder.write(`${format}-${round}`, files);
        const path = join(directory, `app.${format}`);
        const given = oracle(directory, path);
        if (given === null) {
          counts.refused++;
          continue;
        }
        const {programs} = await readConfiguration([path]).catch((error: unknown) => {
          throw new Error(`${error}\n${told(round, files)}`);
        });
        const {wrong, compared, open} = compare(given, programs[0]?.settings ?? []);
        expect(wrong, told(round, files)).toEqual([]);
        counts.compared += compared;
        counts.open += open;
      }
      process.stdout.write(`${format}, SEED=${seed}: ${JSON.stringify(counts)}\n`);
      expect(counts.refused).toBeLessThan(ROUNDS / 2);
      expect(counts.open).toBeLessThan(counts.compared / 2);
    },
    300_000,
  );
});
