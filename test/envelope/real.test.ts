import {readdirSync, readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import type {Diagnosis} from '../../src/analyze.ts';
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

// uWSGI's own loggers lose the lines around a re-execution, and of a file other ones: what happened is the same.
describe.each(['syslog', 'rsyslog'])('logger = %s', (logger) => {
  const folder = `test/envelope/loggers/${logger}`;
  const plain = diagnosisOf(readFileSync(`${folder}/plain.log`));
  const lives = ({timeline}: Diagnosis) =>
    timeline.instances
      .filter(({supervisor}) => supervisor === 'uwsgi')
      .flatMap(({processes}) => processes)
      .map(({pid, role, worker, end, forced, requests, successorPid}) => [
        pid,
        role,
        worker,
        end,
        forced?.deadline,
        requests,
        successorPid,
      ]);

  test.each(readdirSync(folder).filter((file) => file.startsWith('rsyslog')))('%s', async (file) => {
    const logged = await diagnosisOf(readFileSync(`${folder}/${file}`));
    expect(lives(logged)).toEqual(lives(await plain));
    expect(accusations(logged)).toEqual(accusations(await plain, 'and times are told'));
    expect(logged.timeline.inputs[0]?.counts.unknown).toBe(0);
    for (const {at} of logged.timeline.events) expect(at.earliest).toBe(at.latest);
  });
});
