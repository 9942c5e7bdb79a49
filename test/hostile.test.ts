import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {HEADROOM} from '../src/grammar/matcher.ts';
import {Recorder} from '../src/recorder/recorder.ts';
import {buildTimeline} from '../src/timeline/build.ts';
import type {Timeline} from '../src/timeline/timeline.ts';
import {randomFrom} from './grammar/random.ts';

/** What is made of these lines, each a piece of bytes without its line end. */
async function read(lines: readonly (string | Buffer)[]): Promise<Timeline> {
  const recorder = await Recorder.create('compiled');
  const bytes = Buffer.concat(lines.flatMap((line) => [Buffer.from(line as string, 'utf8'), Buffer.from('\n')]));
  recorder.open({name: 'hostile.log', compression: 'none', continues: false});
  recorder.lines(Buffer.concat([bytes, Buffer.alloc(HEADROOM)]), 0, bytes.length, false);
  recorder.close({bytes: bytes.length, truncated: false});
  return buildTimeline(recorder.finish());
}

const messagesOf = ({events}: Timeline) => events.map(({message}) => message);
const REQUEST =
  '[pid: 7|app: 0|req: 1/1] 127.0.0.1 () {28 vars in 312 bytes} [Fri Nov 20 23:21:03 2026] GET / => generated 3 bytes in 4 msecs (HTTP/1.1 200) 2 headers in 59 bytes (1 switches on core 1)';

describe('messages that are not where they should be', () => {
  test('behind output of the application without a line end', async () => {
    const timeline = await read([
      'OSErrorworker 3 killed successfully (pid: 801)',
      ': write error',
      'Respawned uWSGI worker 3 (new pid: 216624)',
    ]);
    expect(messagesOf(timeline)).toEqual(['uwsgi/worker-killed', 'uwsgi/worker-respawned']);
  });

  test('with its date, behind other output', async () => {
    const timeline = await read([
      '......Fri Nov 20 23:24:23 2026 - worker 1 (pid: 310) is taking too much time to die...NO MERCY !!!',
    ]);
    expect(timeline.events[0]).toMatchObject({message: 'uwsgi/no-mercy', at: {earliest: Date.UTC(2026, 10, 20, 23, 24, 23)}});
  });

  test('two in one line', async () => {
    const timeline = await read(['...The work of process 226 is done. Seeya!worker 1 killed successfully (pid: 226)']);
    expect(messagesOf(timeline)).toEqual(['uwsgi/work-done', 'uwsgi/worker-killed']);
    expect(timeline.events.map(({line}) => line)).toEqual([1, 1]);
  });

  test('a paste that lost its line ends', async () => {
    const timeline = await read([
      '...gracefully killing workers... Gracefully killing worker 1 (pid: 310)... Fri Nov 20 23:24:23 2026 - worker 1 (pid: 310) is taking too much time to die...NO MERCY !!! worker 1 buried after 0 seconds',
    ]);
    expect(messagesOf(timeline)).toEqual([
      'uwsgi/graceful-reload',
      'uwsgi/gracefully-killing',
      'uwsgi/no-mercy',
      'uwsgi/worker-buried',
    ]);
  });

  test('a request behind dots', async () => {
    const timeline = await read([`....${REQUEST}`]);
    expect(timeline.inputs[0]?.counts.requests).toBe(1);
  });
});

describe('an application prints the words too', () => {
  const quoted = [
    '2026-11-20 23:24:23,123 app 7 12345 saw: worker 2 killed successfully (pid: 801)',
    'alert: worker 1 (pid: 310) is taking too much time to die...NO MERCY !!!',
    'worker 1 (pid: 310) is taking too much time to die...NO MERCY !!!',
    'the line "Respawned uWSGI worker 3 (new pid: 5)" means that it was forked again',
    'ERROR:root:worker 1 killed successfully (pid: 3) by hand',
    '  machine: x86_64',
    'is_lazy = true',
  ];
  test.each(quoted)('%s', async (line) => {
    const timeline = await read([REQUEST, line]);
    expect(messagesOf(timeline)).toEqual([]);
  });
});

describe('bytes that are no text', () => {
  test.each([
    ['invalid UTF-8', Buffer.concat([Buffer.from('worker 1 buried after 1 seconds \xff\xfe', 'latin1')])],
    [
      'NUL bytes in front, as copytruncate leaves them',
      Buffer.concat([Buffer.alloc(5000), Buffer.from('worker 1 buried after 1 seconds')]),
    ],
    ['a byte order mark', Buffer.from('\ufeffworker 1 buried after 1 seconds')],
    ['colours', Buffer.from('\x1b[31mworker 1 buried after 1 seconds\x1b[0m')],
    ['CRLF', Buffer.from('worker 1 buried after 1 seconds\r')],
    ['only control characters', Buffer.from([1, 2, 3, 27, 127])],
    ['nothing but NUL', Buffer.alloc(100_000)],
  ])('%s', async (what, line) => {
    const timeline = await read([line]);
    const counts = timeline.inputs[0]!.counts;
    expect(counts.events + counts.requests + counts.noise + counts.application + counts.unknown).toBe(1);
    if (/front|mark|colours|CRLF/.test(what)) expect(messagesOf(timeline)).toEqual(['uwsgi/worker-buried']);
  });
});

test('numbers that no clock, process or counter has', async () => {
  const timeline = await read([
    'Fri Nov 99 23:24:23 2026 - worker 1 (pid: 310) is taking too much time to die...NO MERCY !!!',
    'worker 99999999999999999999 buried after 99999999999999999999 seconds',
    `Respawned uWSGI worker 1 (new pid: ${'9'.repeat(400)})`,
    REQUEST.replace('2026', '0000').replace('4 msecs', `${'9'.repeat(40)} msecs`),
  ]);
  expect(JSON.stringify(timeline.instances)).not.toMatch(/NaN/);
});

const seed = Number(process.env['FUZZ_SEED'] ?? 4711);

test(`no bytes make it fail, and every line is counted once (seed ${seed})`, async () => {
  const random = randomFrom(seed);
  const log = readFileSync('samples/uwsgi/mules-and-spooler/uwsgi.log');
  for (let round = 0; round < 60; round++) {
    const lines: Buffer[] = [];
    for (let from = 0; from < log.length; ) {
      const to = log.indexOf(10, from) < 0 ? log.length : log.indexOf(10, from);
      const line = Buffer.from(log.subarray(from, to));
      for (let edits = random(3); edits > 0 && line.length > 0; edits--)
        line[random(line.length)] = [0, 27, 32, 40, 91, 128 + random(127)][random(6)] ?? 0;
      if (random(20) > 0) lines.push(line);
      if (random(30) === 0) lines.push(Buffer.concat([line, line]));
      from = to + 1;
    }
    const timeline = await read(lines);
    const {events, requests, noise, application, unknown} = timeline.inputs[0]!.counts;
    expect(events + requests + noise + application + unknown, `seed ${seed}, round ${round}`).toBe(lines.length);
  }
});
