import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {analyze} from '../../src/analyze.ts';

const directory = mkdtempSync(join(tmpdir(), 'logdoctor-untold-'));

const START = [
  '*** Starting uWSGI 2.0.30 (64bit) on [Wed Mar  4 10:00:00 2026] ***',
  'your mercy for graceful operations on workers is 10 seconds',
  'spawned uWSGI master process (pid: 100)',
  'spawned uWSGI worker 1 (pid: 201, cores: 1)',
  'spawned uWSGI worker 2 (pid: 202, cores: 1)',
];
const touch = (clock: string) => `Wed Mar  4 ${clock} 2026 - *** /srv/reload has been touched... grace them all !!! ***`;
const asked = (first: number) => [
  '...gracefully killing workers...',
  `Gracefully killing worker 1 (pid: ${first})...`,
  `Gracefully killing worker 2 (pid: ${first + 1})...`,
];
const answer = (pid: number, clock: string) =>
  `[pid: ${pid}|app: 0|req: 1/1] 127.0.0.1 () {22 vars in 240 bytes} [Wed Mar  4 ${clock} 2026] GET /list => generated 3 bytes ` +
  'in 90 msecs (HTTP/1.1 200) 1 headers in 45 bytes (1 switches on core 0)';

async function read(...lines: string[]) {
  const file = join(directory, 'uwsgi.log');
  writeFileSync(file, `${[...START, ...lines].join('\n')}\n`);
  const {timeline, findings} = await analyze({inputs: [file]});
  const [first] = timeline.reloads;
  return {timeline, findings, first: first!, waits: first!.workers.map(({wait}) => wait)};
}

test('an answer of a worker that nobody introduced shows that the reload is over', async () => {
  const {first, waits, findings} = await read(touch('10:01:00'), ...asked(201), answer(301, '10:01:30'), answer(302, '10:20:00'));
  expect(first.overBy?.line.text).toContain('[pid: 301|');
  expect(first.duration).toEqual({min: 0, max: 30});
  expect(waits.every(({min, max}) => min === 0 && max !== null && max <= 31)).toBe(true);
  expect(findings.map(({severity}) => severity)).toEqual(['info']);
});

test('an answer within the mercy does not: a worker that never took note may have given it', async () => {
  const {first} = await read(touch('10:01:00'), ...asked(201), answer(301, '10:01:08'));
  expect(first.overBy).toBeNull();
});

test('a second reload of other workers is none of the first, and shows that it is over', async () => {
  const {timeline, first, waits} = await read(
    touch('10:01:00'),
    ...asked(201),
    touch('10:10:00'),
    ...asked(301),
    answer(999, '10:40:00'),
  );
  expect(timeline.reloads).toHaveLength(2);
  expect(first.workers.map(({oldPid}) => oldPid)).toEqual([201, 202]);
  expect(first.overBy?.line.text).toContain('has been touched');
  expect(waits.every(({min}) => min === 0)).toBe(true);
});

test('a second request while the first reload can still go on is counted with it', async () => {
  const {timeline, first} = await read(touch('10:01:00'), ...asked(201), touch('10:01:05'), ...asked(301));
  expect(timeline.reloads).toHaveLength(1);
  expect(first.repeated).toHaveLength(2);
});

test('of a worker whose end is not told nobody says that it was waited for', async () => {
  const {waits} = await read(
    touch('10:01:00'),
    ...asked(201),
    'worker 1 buried after 1 seconds',
    'binary reloading uWSGI...',
    'Wed Mar  4 10:01:08 2026 - [emperor] vassal other.ini has been spawned',
    '*** Starting uWSGI 2.0.30 (64bit) on [Wed Mar  4 10:01:09 2026] ***',
    'gracefully (RE)spawned uWSGI master process (pid: 100)',
    'spawned uWSGI worker 1 (pid: 301, cores: 1)',
    'spawned uWSGI worker 2 (pid: 302, cores: 1)',
  );
  expect(waits[1]?.min).toBe(0);
});

test('a log that ends within the mercy shows a worker that is still waited for', async () => {
  const {first, waits} = await read(
    touch('10:01:00'),
    ...asked(201),
    'Wed Mar  4 10:01:06 2026 - chain reload already running...',
  );
  expect(first.duration.min).toBe(6);
  expect(waits.every(({min}) => min >= 0)).toBe(true);
  expect(first.silence.min).toBeLessThanOrEqual(6);
});

test('a log that goes on for longer than a worker is let live does not', async () => {
  const {first, waits, timeline, findings} = await read(
    touch('10:01:00'),
    ...asked(201),
    'Wed Mar  4 10:11:00 2026 - chain reload already running...',
  );
  expect(first.duration.min).toBe(0);
  expect(waits.every(({min}) => min === 0)).toBe(true);
  const workers = timeline.instances[0]!.processes.filter(({role}) => role === 'worker');
  expect(workers.map(({end}) => end)).toEqual(['lost', 'lost']);
  expect(findings[0]).toMatchObject({rule: 'reload-unfinished', confidence: 'likely'});
});
