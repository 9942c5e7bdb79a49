import {readdirSync, readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {accusations, diagnosisOf, essence, linesCounted, recordedRuns} from './plain-run.ts';

// What real programs made of a recorded run (see the README beside the files) shows that run, and the same is found in it.
describe.each(recordedRuns)('%s', (run) => {
  const folder = `test/envelope/real/${run}`;
  const plain = diagnosisOf(readFileSync(`${folder}/plain.log`));

  test.each(readdirSync(folder).filter((file) => file.endsWith('.log')))('%s', async (file) => {
    const wrapped = await diagnosisOf(readFileSync(`${folder}/${file}`));
    expect(essence(wrapped.timeline)).toEqual(essence((await plain).timeline));
    expect(accusations(wrapped)).toEqual(accusations(await plain));
    const {counted, lines} = linesCounted(wrapped.timeline);
    expect(counted).toBe(lines);
    expect(wrapped.timeline.inputs[0]?.counts.unknown).toBe(0);
  });
});
