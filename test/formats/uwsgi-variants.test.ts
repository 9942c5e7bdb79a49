import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {essence, timelineOf} from '../envelope/plain-run.ts';

const SAMPLE = 'samples/uwsgi/chain-reload-slow/uwsgi.log';
const lines = readFileSync(SAMPLE, 'utf8').trimEnd().split('\n');
const plain = timelineOf(readFileSync(SAMPLE));
/** A log-encoder is in force once its options are read; what was printed before stands as it is. */
const encoded = (encode: (line: string, index: number) => string, end: string) =>
  `[uWSGI] getting INI configuration from uwsgi.ini\n${lines
    .slice(1)
    .map((line, index) => encode(line.trimEnd(), index) + end)
    .join('')}`;
const epoch = (index: number) => 1_795_262_690 + index;

/** What a log shows, but for what depends on the times that the encoder adds. */
const shown = async (log: string) => {
  const {instances, reloads, events} = essence(await timelineOf(log)) as Record<string, unknown[]>;
  return {instances, reloads, events};
};

describe.each([
  ['with nl', '\n'],
  ['without nl', ''],
])('log-encoder %s', (_, end) => {
  test.each<[string, (line: string, index: number) => string]>([
    ['json', (msg, index) => JSON.stringify({unix: epoch(index), msg})],
    ['format, a number', (msg, index) => `${epoch(index)} ${msg}`],
    [
      'format, a date and a word',
      (msg, index) => `[2026-11-20 23:${10 + Math.floor(index / 60)}:${String(index % 60).padStart(2, '0')}] shop: ${msg}`,
    ],
  ])('%s', async (_name, encode) => {
    const {instances, reloads, events} = essence(await plain) as Record<string, unknown[]>;
    expect((await shown(encoded(encode, end))).events).toEqual(events);
    expect((await shown(encoded(encode, end))).reloads).toEqual(reloads);
    expect(instances).toHaveLength(1);
  });
});

test('a log-encoder that adds nothing but takes the line ends away', async () => {
  const {reloads} = await shown(encoded((msg) => msg, ''));
  const {reloads: expected} = (await shown(lines.join('\n'))) as {reloads: unknown[]};
  expect(reloads).toEqual(expected);
});

test('a word or a time of any kind from log-prefix stands in front of uWSGI’s own lines only', async () => {
  const own = (line: string) => !line.startsWith('[pid: ') && !line.startsWith('[uWSGI] ');
  for (const prefix of ['shop - ', '<23h59> shop - ', '20/11 (23.29.10) - ']) {
    const log = lines.map((line) => (own(line) ? `${prefix}${line.replace(/^\w{3} \w{3} .{16} - /, '')}` : line)).join('\n');
    expect((await shown(log)).events).toEqual((await shown(lines.join('\n'))).events);
  }
});

test('an empty line behind the prefix of log-prefix is no unknown one', async () => {
  const {inputs} = await timelineOf(['[shop] - spawned uWSGI worker 1 (pid: 7, cores: 1)', '[shop] - ', '[shop] - x'].join('\n'));
  expect(inputs[0]?.counts).toMatchObject({events: 1, noise: 1, unknown: 1});
});

test('an application that quotes a message in the middle of a line teaches no prefix', async () => {
  const {events, inputs} = await timelineOf(
    [
      'INFO spawned uWSGI worker 1 (pid: 7, cores: 1) was the last thing I saw',
      'note - seen: spawned uWSGI worker 1 (pid: 7, cores: 1) in the log',
      'note - worker 1 (pid: 7) is taking too much time to die...NO MERCY !!!',
    ].join('\n'),
  );
  expect(events).toEqual([]);
  expect(inputs[0]?.counts.events).toBe(0);
});

test('a front that looks like what else stands in a line takes nothing apart', async () => {
  const request =
    '[pid: 7|app: 0|req: 1/1] 127.0.0.1 () {22 vars in 249 bytes} [Sat Nov 21 08:20:19 2026] GET /08:20:19/a => generated 3 bytes in 5 msecs (HTTP/1.1 200) 1 headers in 44 bytes (1 switches on core 0)';
  const {inputs} = await timelineOf([`41:${request}`, `08:20:19 ${request}`, `42:${request}`].join('\n'));
  expect(inputs[0]).toMatchObject({counts: {requests: 3, application: 0}, oddities: []});
});

test('a long line of an application that holds one message is not taken apart', async () => {
  const {inputs} = await timelineOf(
    `spawned uWSGI worker 1 (pid: 7, cores: 1)\n${'x'.repeat(200)} 17 spawned uWSGI worker 2 (pid: 8, cores: 1) ${'y '.repeat(100)}\n`,
  );
  expect(inputs[0]).toMatchObject({counts: {events: 1, application: 1}, oddities: []});
});
