import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {essence, timelineOf} from '../envelope/plain-run.ts';

const log = readFileSync('samples/uwsgi/chain-reload-slow/uwsgi.log', 'utf8').trimEnd().split('\n');
const encoded = (text: string) => JSON.stringify({level: 'x', req: text});

test('a JSON encoder may call the text anything', async () => {
  const plain = await timelineOf(log.join('\n'));
  // The encoder is there from the second line on.
  const [first = '', ...rest] = log;
  const wrapped = await timelineOf([first, ...rest.map(encoded)].join('\n'));
  expect(essence(wrapped)).toEqual(essence(plain));
  expect(wrapped.inputs[0]?.envelopes).toContain('json');
  expect(essence(await timelineOf(`${first}\n${rest.map(encoded).join('')}`))).toEqual(essence(plain));
});

test('JSON of an application beside lines of the supervisor is not the supervisor', async () => {
  const forged = encoded('worker 1 (pid: 4711) is taking too much time to die...NO MERCY !!!');
  const timeline = await timelineOf([...log, forged].join('\n'));
  expect(essence(timeline)).toEqual(essence(await timelineOf(log.join('\n'))));
});

test('a server that says what its JSON holds is read beside one that writes plain lines', async () => {
  const other = [
    '*** Starting uWSGI 2.0.21 (64bit) on [Wed Mar  4 10:00:00 2026] ***',
    'spawned uWSGI master process (pid: 90100)',
  ];
  const plain = [
    ...other,
    ...['91', '92', '93', '94', '95'].map((pid, n) => `spawned uWSGI worker ${n + 1} (pid: 901${pid}, cores: 1)`),
  ];
  const announced = `[log-encoder] registered json {"level":"x","req":"\${msg}"}`;
  const mastersOf = async (...lines: string[]) => (await timelineOf(lines.join('\n'))).instances.map(({masterPid}) => masterPid);
  const [own] = await mastersOf(...log);
  expect(await mastersOf(...plain, announced, ...log.map(encoded))).toEqual([90100, own]);
  expect(await mastersOf(...plain, announced.replace('req', 'other'), ...log.map(encoded))).toEqual([90100]);
});
