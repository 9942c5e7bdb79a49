import {join} from 'node:path';
import {afterAll, describe, expect, test} from 'vitest';
import {readConfiguration} from '../../../src/config/read.ts';
import {Chance, Folder, ROUNDS, seed, told} from './cases.ts';
import {isThere, oracle, treeFor, USUAL} from './systemd.ts';

const folder = new Folder();
afterAll(() => folder.remove());

describe.skipIf(!isThere)('systemd', () => {
  test('has every value that is read', async () => {
    const names = Array.from({length: ROUNDS}, (_, round) => `case${round}.service`);
    const cases = names.map((name, round) => treeFor(new Chance(round), name));
    const wants = `[Unit]\n${names.map((name) => `Wants=${name}`).join('\n')}\n`;
    const units = folder.write('units', Object.assign({'all.target': wants}, ...cases));
    const answers = oracle(units);
    const counts = {units: answers.size, compared: 0};
    for (const [round, name] of names.entries()) {
      const say = told(round, cases[round] ?? {});
      const real = answers.get(name);
      if (real === undefined || Object.keys(real).length === 0) continue;
      const {programs} = await readConfiguration([join(units, name)]);
      for (const [key, usual] of Object.entries(USUAL)) {
        const value = programs[0]?.settings.findLast((each) => each.name === key)?.value ?? usual;
        const given = typeof usual === 'boolean' ? value === true || value === 1 : value;
        // It is shown in whole seconds.
        const shown = typeof given === 'number' ? Math.floor(given) : given;
        expect(shown, `${name} ${key}: ${say}`).toBe(typeof real[key] === 'number' ? Math.floor(real[key]) : real[key]);
        counts.compared++;
      }
    }
    process.stdout.write(`SEED=${seed}: ${JSON.stringify(counts)}\n`);
    expect(counts.compared).toBeGreaterThan(ROUNDS * 4);
  }, 120_000);
});
