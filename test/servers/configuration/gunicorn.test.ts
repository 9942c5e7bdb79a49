import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, describe, expect, test} from 'vitest';
import {analyze} from '../../../src/analyze.ts';
import {isUnknown, setting} from '../../../src/rules/settings.ts';
import {Chance, Folder, ROUNDS, seed, told} from './cases.ts';
import {caseOf, NAMES, oracle, same} from './gunicorn.ts';

const folder = new Folder();
afterAll(() => folder.remove());

describe.skipIf(!existsSync('/usr/bin/gunicorn'))('gunicorn', () => {
  test('has every value that is read', async () => {
    const cases = Array.from({length: ROUNDS}, (_, round) => caseOf(new Chance(round)));
    const directories = cases.map(({files}, round) => folder.write(`gunicorn-${round}`, files));
    const answers = oracle(cases, directories);
    const counts = {refused: 0, known: 0, unknown: 0, untold: 0};
    const wrong: string[] = [];
    for (const [round, {files}] of cases.entries()) {
      const [real, directory = ''] = [answers[round], directories[round]];
      if (!real) {
        counts.refused++;
        continue;
      }
      const path = (name: string) => join(directory, name);
      const {timeline} = await analyze({
        inputs: [path('gunicorn.log')],
        configs: [path('gunicorn.conf.py'), path('web.service')],
      });
      const [instance] = timeline.instances;
      if (instance === undefined) throw new Error(told(round, files));
      for (const name of NAMES) {
        const ours = setting({...instance, settings: instance.settings.filter(({from}) => from !== 'log')}, name);
        if (ours === null) counts[isUnknown(instance, name) ? 'unknown' : 'untold']++;
        else if (same(real[name], ours.value)) counts.known++;
        else
          wrong.push(
            `${name} is ${real[name]}, read was ${ours.value}: ${told(round, {conf: files['gunicorn.conf.py'] ?? '', unit: files['web.service'] ?? ''})}`,
          );
      }
    }
    process.stdout.write(`SEED=${seed}: ${JSON.stringify(counts)}\n`);
    expect(wrong.slice(0, 3), `${wrong.length} of ${counts.known}`).toEqual([]);
    expect(counts.refused).toBeLessThan(ROUNDS * 0.9);
    expect(counts.known).toBeGreaterThan(counts.unknown / 2);
  }, 300_000);
});
