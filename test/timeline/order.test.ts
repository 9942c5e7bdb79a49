import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import type {Timeline} from '../../src/timeline/timeline.ts';
import {essence, timedLines, timelineOf, timelineOfInputs} from '../envelope/plain-run.ts';
import {randomFrom} from '../grammar/random.ts';

const samples = ['idle-workers-held-by-thread-prefork', 'chain-reload-slow', 'max-requests-orphans-tasks'];

/** The first half of a setting may be a whole one. */
const withoutSettings = (timeline: Timeline) =>
  essence({...timeline, instances: timeline.instances.map((instance) => ({...instance, settings: []}))});

describe.each(samples)('a log that was rotated: %s', async (sample) => {
  const log = readFileSync(`samples/uwsgi/${sample}/uwsgi.log`);
  const whole = await timelineOf(log);
  const seed = 20261121;

  test(`shows the same as in one piece, wherever it was cut (seed ${seed})`, async () => {
    const random = randomFrom(seed);
    for (let round = 0; round < 40; round++) {
      const anywhere = [random(log.length), random(log.length)];
      const cuts = anywhere.map((cut) => (round % 4 < 2 ? cut : log.lastIndexOf('\n', cut) + 1)).sort((a, b) => a - b);
      const bounds = [0, ...cuts, log.length];
      const parts = bounds.slice(1).map((to, n) => {
        const bytes = log.subarray(bounds[n], to);
        // copytruncate leaves NULs where the server goes on writing at its old place.
        return {
          name: `uwsgi.log.${9 - n}`,
          log: n > 0 && round % 2 === 1 ? Buffer.concat([Buffer.alloc(500), bytes]) : bytes,
          continues: n > 0,
        };
      });
      const timeline = await timelineOfInputs(parts);
      expect(withoutSettings(timeline), `cut at ${cuts}`).toEqual(withoutSettings(whole));
      // The second half of a line may be recognised without the time that the first half has.
      const isBetweenLines = cuts.every((cut) => log[cut - 1] === 10);
      if (isBetweenLines) expect(timeline.events.map(({at}) => at)).toEqual(whole.events.map(({at}) => at));
      for (const {counts, lines} of timeline.inputs) expect(Object.values(counts).reduce((a, b) => a + b)).toBe(lines);
    }
  });

  test('is another log where it does not go on', async () => {
    const timeline = await timelineOfInputs([
      {name: 'a.log', log},
      {name: 'b.log', log: 'spawned uWSGI worker 1 (pid: 99999, cores: 1)\n'},
    ]);
    expect(timeline.events.at(-1)?.at).toEqual({earliest: null, latest: null});
  });
});

describe.each(samples)('newest first: %s', async (sample) => {
  const lines = await timedLines(sample);

  test.each([
    ['with stamps', (text: string, time: number) => `${new Date(time).toISOString()} vm uwsgi[205]: ${text}`],
    ['with the times of requests alone', (text: string) => text],
  ])('%s', async (_, wrap) => {
    const wrapped = lines.map(({text, time}) => wrap(text, time));
    const forwards = await timelineOf(`${wrapped.join('\n')}\n`);
    const backwards = await timelineOf(`${wrapped.toReversed().join('\n')}\n`);
    expect(essence(backwards)).toEqual(essence(forwards));
    expect(backwards.events.map(({at}) => at)).toEqual(forwards.events.map(({at}) => at));
    expect(backwards.events.map(({served}) => served)).toEqual(forwards.events.map(({served}) => served));
    expect(backwards.inputs[0]?.oddities.map(({what}) => what)).toContain('the newest line comes first: turned round');
    expect(forwards.inputs[0]?.oddities.map(({what}) => what)).not.toContain('the newest line comes first: turned round');
  });
});
