import {expect, test} from 'vitest';
import type {Timeline} from '../../src/timeline/timeline.ts';
import {timelineOf} from '../envelope/plain-run.ts';

const DATE = 'Sun Nov 22 09:00:03 2026 - ';
const start = (master: number, workers: readonly number[]) => [
  '*** Starting uWSGI 2.0.21-debian (64bit) on [Sun Nov 22 09:00:00 2026] ***',
  `spawned uWSGI master process (pid: ${master})`,
  ...workers.map((pid, n) => `spawned uWSGI worker ${n + 1} (pid: ${pid}, cores: 1)`),
];
const marked = (mark: string, ...lines: readonly string[]) => lines.map((line) => `${mark}${line}`);

/** By master: its workers, and the kinds of its reloads. */
const told = ({instances, reloads}: Timeline) =>
  instances.map(({id, masterPid, processes}) => [
    masterPid,
    processes.filter(({role}) => role === 'worker').map(({pid}) => pid),
    reloads.filter(({instance}) => instance === id).map(({kind}) => kind),
  ]);

/** A second server starts between the lines of the first, whose workers then are replaced; no pid tells whose reload it is. */
const beside = (first: string, second: string) => [
  ...marked(first, ...start(100, [101, 102])),
  ...marked(second, ...start(200, [201, 202])),
  ...marked(first, '...brutally killing workers...', 'worker 1 buried after 0 seconds', 'worker 2 buried after 0 seconds'),
  ...marked(first, 'binary reloading uWSGI...', 'gracefully (RE)spawned uWSGI master process (pid: 100)'),
  ...marked(second, 'DAMN ! worker 1 (pid: 201) died :( trying respawn ...', 'Respawned uWSGI worker 1 (new pid: 203)'),
  ...marked(first, 'spawned uWSGI worker 1 (pid: 103, cores: 1)', 'spawned uWSGI worker 2 (pid: 104, cores: 1)'),
];

test.each([
  ['names', 'shop - ', 'mail - '],
  ['names with a number', 'web-1 - ', 'web-2 - '],
  ['a name and none', '[shop] - ', ''],
  ['none and a date', '', DATE],
])('of two servers at a time %s in front of their lines tell whose they are', async (_, first, second) => {
  const timeline = await timelineOf(beside(first, second).join('\n'));
  expect(told(timeline)).toEqual([
    [100, [101, 102, 103, 104], ['brutal']],
    [200, [201, 202, 203], []],
  ]);
  expect(timeline.instances.flatMap(({unproved}) => unproved)).toEqual([]);
});

test('a line that always has a date is of the server whose process it names', async () => {
  const lines = [
    ...marked('', ...start(100, [101])),
    ...marked(DATE, ...start(200, [201])),
    '...gracefully killing workers...',
    'Gracefully killing worker 1 (pid: 101)...',
    `${DATE}worker 1 (pid: 101) is taking too much time to die...NO MERCY !!!`,
    `${DATE}*** HARAKIRI ON WORKER 1 (pid: 101, try: 1) ***`,
  ];
  const {instances} = await timelineOf(lines.join('\n'));
  expect(instances.map(({processes}) => processes.filter(({forced}) => forced !== null).map(({pid}) => pid))).toEqual([
    [101],
    [],
  ]);
});

test('a server whose start the log lacks is known by the name in front of its lines', async () => {
  const lines = [
    ...marked('shop - ', 'Respawned uWSGI worker 1 (new pid: 101)'),
    ...start(200, [201, 202]),
    ...marked('shop - ', 'DAMN ! worker 2 (pid: 99) died, killed by signal 9 :( trying respawn ...'),
    ...marked('shop - ', 'Respawned uWSGI worker 2 (new pid: 102)', 'worker 1 killed successfully (pid: 101)'),
  ];
  expect(told(await timelineOf(lines.join('\n')))).toEqual([
    [null, [101, 99, 102], []],
    [200, [201, 202], []],
  ]);
});

test('output of the application in front of a name makes no other server', async () => {
  const lines = [
    ...marked('shop - ', ...start(100, [101, 102])),
    ...start(200, [201]),
    ...marked('....shop - ', '...brutally killing workers...', 'worker 1 buried after 0 seconds'),
    ...marked('..shop - ', 'worker 2 buried after 0 seconds'),
    ...marked('shop - ', 'binary reloading uWSGI...'),
  ];
  expect(told(await timelineOf(lines.join('\n')))).toEqual([
    [100, [101, 102], ['brutal']],
    [200, [201], []],
  ]);
});

test('a server that dates its lines from a reload on is one server', async () => {
  const lines = [
    ...start(100, [101]),
    '...gracefully killing workers...',
    'Gracefully killing worker 1 (pid: 101)...',
    'worker 1 buried after 1 seconds',
    'binary reloading uWSGI...',
    ...marked(DATE, 'gracefully (RE)spawned uWSGI master process (pid: 100)', 'spawned uWSGI worker 1 (pid: 102, cores: 1)'),
  ];
  expect(told(await timelineOf(lines.join('\n')))).toEqual([[100, [101, 102], ['graceful']]]);
});

test('a server that is started anew with a date succeeds the one without', async () => {
  const stop = ['SIGINT/SIGTERM received...killing workers...', 'worker 1 buried after 0 seconds', 'goodbye to uWSGI.'];
  const {instances} = await timelineOf([...start(100, [101]), ...stop, ...marked(DATE, ...start(200, [201]))].join('\n'));
  expect(instances.map(({predecessor}) => predecessor)).toEqual([null, instances[0]?.id]);
});

test('an arbiter that speaks beside another one is a server of its own, though its start is not in the log', async () => {
  const line = (pid: number, words: string) => `[2026-11-22 09:00:00 +0000] [${pid}] [INFO] ${words}`;
  const lines = [
    line(100, 'Starting gunicorn 20.1.0'),
    line(100, 'Listening at: http://127.0.0.1:8000 (100)'),
    line(101, 'Booting worker with pid: 101'),
    line(200, 'Handling signal: term'),
    line(201, 'Worker exiting (pid: 201)'),
    line(200, 'Shutting down: Master'),
  ];
  expect(told(await timelineOf(lines.join('\n')))).toEqual([
    [100, [101], []],
    [200, [201], ['stop']],
  ]);
});
