import {readdirSync, readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {essence, linesCounted, timelineOf} from './plain-run.ts';

const folder = 'test/envelope/real';
const plain = timelineOf(readFileSync('samples/uwsgi/chain-reload-slow/uwsgi.log'));

// What real programs made of a recorded run (see the README beside the files) shows that run.
test.each(readdirSync(folder).filter((file) => file.endsWith('.log')))('%s', async (file) => {
  const wrapped = await timelineOf(readFileSync(`${folder}/${file}`));
  expect(essence(wrapped)).toEqual(essence(await plain));
  const {counted, lines} = linesCounted(wrapped);
  expect(counted).toBe(lines);
  expect(wrapped.inputs[0]?.counts.unknown).toBe(0);
});
