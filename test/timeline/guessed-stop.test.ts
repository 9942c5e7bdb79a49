import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {reportOf} from '../../src/report/json.ts';
import {judged} from '../hostile/judged.ts';

/** An emperor with three vassals; of what follows, lines without a pid tell of one of them. */
const log = readFileSync('samples/uwsgi/emperor-stop/uwsgi.log', 'utf8').trimEnd().split('\n');
const running = log.slice(
  0,
  log.findIndex((line) => line.includes('RAGNAROK')),
);
const stopped = [
  'Sat Nov 21 14:38:51 2026 - [emperor] stop the uwsgi instance sound.ini',
  'Sat Nov 21 14:38:51 2026 - received message 0 from emperor',
  'SIGINT/SIGTERM received...killing workers...',
  'worker 1 buried after 1 seconds',
  'worker 2 buried after 1 seconds',
  'goodbye to uWSGI.',
  'Sat Nov 21 14:38:53 2026 - [emperor] removed uwsgi instance sound.ini',
];

test('of a stop that can be of any vassal, no worker is said to have left', async () => {
  const {header, findings, processes, timeline, verdict} = await judged(...running, ...stopped);
  expect(timeline.reloads.map(({rivals}) => rivals.length)).toEqual([2]);
  expect(header).toMatch(/which of uwsgi-\d, uwsgi-\d, uwsgi-\d stopped no line tells/);
  expect(processes.filter(({role, end}) => role === 'worker' && end !== 'running' && end !== 'lost')).toEqual([]);
  expect(findings).toEqual([]);
  expect(verdict).toContain('1 stop completed');
});

test('the report in JSON names the others that it may have been of, and none where it is known', async () => {
  const {reloads, instances} = reportOf((await judged(...running, ...stopped)).diagnosis);
  const [{instance, rivals} = {instance: '', rivals: []}] = reloads;
  expect([instance, ...rivals].toSorted()).toEqual(instances.map(({id}) => id).toSorted());
  const named = await judged(
    ...running,
    ...stopped.slice(0, 3),
    'Sat Nov 21 14:38:55 2026 - worker 1 (pid: 22296) is taking too much time to die...NO MERCY !!!',
    ...stopped.slice(3),
  );
  expect(reportOf(named.diagnosis).reloads.map((reload) => reload.rivals)).toEqual([[]]);
});

test('of a stop in which one of its workers is named, it is known', async () => {
  const {header, processes} = await judged(
    ...running,
    ...stopped.slice(0, 3),
    'Sat Nov 21 14:38:55 2026 - worker 1 (pid: 22296) is taking too much time to die...NO MERCY !!!',
    ...stopped.slice(3),
  );
  expect(header).not.toContain('Unproved');
  expect(processes.find(({pid}) => pid === 22296)?.end).toBe('forced');
  expect(processes.find(({pid}) => pid === 22297)?.end).toBe('clean');
});

test('where all stop, each has stopped', async () => {
  const {header, processes} = await judged(...running, ...[1, 2, 3].flatMap(() => stopped));
  expect(header).not.toContain('Unproved');
  expect(processes.filter(({role}) => role === 'worker').map(({end}) => end)).toEqual(Array(6).fill('clean'));
});
