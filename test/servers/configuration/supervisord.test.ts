import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, describe, expect, test} from 'vitest';
import {readConfiguration} from '../../../src/config/read.ts';
import {Chance, Folder, ROUNDS, seed, told} from './cases.ts';
import {NAMES, oracle, treeFor} from './supervisord.ts';

const folder = new Folder();
afterAll(() => folder.remove());

describe.skipIf(!existsSync('/usr/bin/supervisord'))('supervisord', () => {
  test('has every value that is read', async () => {
    const cases = Array.from({length: ROUNDS}, (_, round) => treeFor(new Chance(round)));
    const directories = cases.map((files, round) => folder.write(`supervisord-${round}`, files));
    const answers = oracle(directories);
    const counts = {refused: 0, known: 0, unknown: 0, commands: 0};
    for (const [round, files] of cases.entries()) {
      const [real, directory = ''] = [answers[round], directories[round]];
      if (!real) {
        counts.refused++;
        continue;
      }
      const {programs} = await readConfiguration([join(directory, 'supervisord.conf')]);
      const say = told(round, files);
      expect(programs.map(({name}) => name).sort(), say).toEqual(Object.keys(real).sort());
      for (const {name, settings} of programs) {
        const own = real[name ?? ''] ?? {};
        for (const {name: key, value, unknown} of settings) {
          if (unknown) counts.unknown++;
          else if (key === 'command') {
            counts.commands++;
            expect(String(value), say).toBe(own['command']);
          } else if (NAMES.includes(key)) {
            counts.known++;
            const given = typeof own[key] === 'boolean' ? value === true || value === 1 : value;
            expect(given, `${name} ${key}: ${say}`).toBe(own[key]);
          }
        }
        const missing = NAMES.filter((key) => !settings.some((each) => each.name === key));
        const usual = {
          stopwaitsecs: 10,
          stopsignal: 'TERM',
          stopasgroup: false,
          killasgroup: false,
          startsecs: 1,
          startretries: 3,
        };
        for (const key of missing) expect(own[key], `${name} ${key}: ${say}`).toBe(usual[key as keyof typeof usual]);
      }
    }
    process.stdout.write(`SEED=${seed}: ${JSON.stringify(counts)}\n`);
    expect(counts.refused).toBeLessThan(ROUNDS * 0.8);
    expect(counts.known).toBeGreaterThan(counts.unknown);
  }, 300_000);
});
