import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {HEADROOM} from '../../src/grammar/matcher.ts';
import {Recorder} from '../../src/recorder/recorder.ts';
import type {Witness} from '../../src/recorder/witness.ts';
import {randomFrom} from '../grammar/random.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_121);
const logs = ['samples/uwsgi', 'samples/gunicorn', 'test/envelope/real'].flatMap((folder) =>
  readdirSync(folder, {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith('.log'))
    .map((name) => join(folder, name)),
);

/** What applications and people put between the lines of a server. */
const FOREIGN = [
  'Traceback (most recent call last):',
  '  File "/srv/shop/app.py", line 64, in application',
  '    return handle(environ, start_response)',
  "KeyError: 'address'",
  '2026-11-20 06:39:24,799 INFO shop.search refreshed',
  'INFO 2026-11-20 06:39:24,799 settings 19272 139889324566272 refreshed',
  '[30348] refreshed',
  'worker of the queue is 12 items behind',
  '{"event": "paid", "order": 12}',
  '[1, 2, 3]',
  '-- Boot 0123456789abcdef0123456789abcdef --',
  '     1\tnumbered',
  '12:found',
  '> quoted',
  'web-1  | started',
  '\x1b[32mgreen\x1b[0m',
  'a\x00b',
  'carriage return\r',
  'split#012by syslog',
  '2026-11-20 06:39:24',
  '*** Starting something else ***',
  '',
  '\t',
  '  workers: 2',
  '  preload_app: True',
  'app - refreshed',
  'app - worker 1 buried after 1 seconds',
  // Texts of servers in lines that are none of theirs, or not as they stand.
  '[pid: 17|app: 0|req: 9/55] 10.0.0.1 () {28 vars refreshed',
  '[uwsgi-daemons] refreshed',
  '[',
  '["worker 1 buried after 1 seconds"]',
  '[retry 2] socks',
  'spawned uWSGI worker 3 (pid: 77, blue)',
  'Respawned uWSGI worker 4 (new pid 4711) at last',
  'Gracefully killing worker 2 (pid: 99) for good',
  'he said: Gracefully killing worker 2 (pid: 99)...',
  'Gracefully killing worker 2 (pid: 99)... said he',
  '"worker 1 buried after 1 seconds"',
  '`worker 1 buried after 1 seconds`',
  'worker 1 buried after 1 seconds <-- here',
  'worker 1 \\(buried) after 1 seconds',
  '[0mworker 1 buried after 1 seconds[0m',
  'importing /usr/lib/uwsgi/plugins/python3_plugin.so',
  'root 15169 15114 0 14:05 ? 00:00:00 grep uwsgi',
  '2026-11-20 06:39:24,799 INFO celery.worker refreshed',
  '2026-11-20 06:39:24,799 INFO worker 1 buried after 1 seconds',
  'refreshed [2026-11-20 06:39:24 +0000] [17] [INFO] Worker exiting (pid: 17)',
  'Job said Error: Unit shop.service not found',
  'Nov 20 06:39:24 web1 systemd[1]: Started shop. Nov 20 06:39:25 web1 systemd[1]: Stopped shop.service.',
];
/** The front of a line that some transport has wrapped, or that uWSGI has dated. */
const FRONT = /^.{0,80}?(?:\]: | F | \| | 20\d\d - )/;

const NOBODY: Witness = {took() {}, missed() {}};

/** With a witness every line goes the long way. */
async function recordingOf(log: Buffer, witness: Witness | undefined) {
  const recorder = await Recorder.create('compiled', {witness});
  recorder.open({name: 'log', compression: 'none'});
  recorder.lines(Buffer.concat([log, Buffer.alloc(HEADROOM)]), 0, log.length, false);
  recorder.close({bytes: log.length, truncated: false});
  const recording = recorder.finish();
  // How long a log goes on is read off fronts, which only the short way learns.
  return {...recording, inputs: recording.inputs.map(({to: _, ...input}) => input)};
}

describe('a line that is decided by one look is what the long way makes of it', () => {
  test.each(logs)(`%s (seed ${seed})`, async (file) => {
    const random = randomFrom(seed);
    const lines = readFileSync(file, 'latin1').trimEnd().split('\n');
    const mixed = lines.flatMap((line) => {
      if (random(3) > 0) return [line];
      const foreign = FOREIGN[random(FOREIGN.length)] as string;
      return [line, random(2) === 0 ? foreign : `${FRONT.exec(line)?.[0] ?? ''}${foreign}`];
    });
    const log = Buffer.from(`${mixed.join('\n')}\n`, 'latin1');
    expect(await recordingOf(log, undefined)).toEqual(await recordingOf(log, NOBODY));
  });
});

test('behind the date that uWSGI writes itself, words that are nobody’s are unknown', async () => {
  const lines = [
    '*** Starting uWSGI 2.0.21-debian (64bit) on [Fri Nov 20 23:21:00 2026] ***',
    'spawned uWSGI master process (pid: 10)',
    'refreshed',
    'refreshed',
    'workers = 2',
    'workers = 2',
  ];
  for (const [front, counts] of [
    ['Fri Nov 20 23:21:10 2026 - ', {unknown: 2, noise: 2, application: 0}],
    ['Fri Nov 20 23:21:10 2026 ', {unknown: 0, noise: 0, application: 4}],
  ] as const) {
    const log = Buffer.from(`${lines.map((line) => `${front}${line}\n`).join('')}`);
    for (const witness of [undefined, NOBODY]) expect((await recordingOf(log, witness)).inputs[0]?.counts).toMatchObject(counts);
  }
});

test('a line that said nothing is looked at again once another server has been heard', async () => {
  const glued = 'loading settings supervisord started with pid 12';
  const lines = [
    '*** Starting uWSGI 2.0.21-debian (64bit) on [Fri Nov 20 23:00:00 2026] ***',
    glued,
    glued,
    '2026-11-20 23:00:01,000 INFO supervisord started with pid 11',
    glued,
  ];
  const log = Buffer.from(`${lines.join('\n')}\n`);
  const {events} = await recordingOf(log, undefined);
  expect(events.map(({line}) => line)).toEqual([1, 4, 5]);
  expect((await recordingOf(log, NOBODY)).events).toEqual(events);
});
