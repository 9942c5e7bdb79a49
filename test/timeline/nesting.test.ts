import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {analyze} from '../../src/analyze.ts';
import type {Instance, Process, Timeline} from '../../src/timeline/timeline.ts';

const folder = mkdtempSync(join(tmpdir(), 'nesting-'));
let files = 0;

/** The timeline of several logs, each given as its lines. */
async function read(...logs: readonly (readonly string[])[]): Promise<Timeline> {
  const inputs = logs.map((lines) => {
    const file = join(folder, `${++files}.log`);
    writeFileSync(file, `${lines.join('\n')}\n`);
    return file;
  });
  return (await analyze({inputs})).timeline;
}

function instanceOf({instances}: Timeline, id: string): Instance {
  const found = instances.find((instance) => instance.id === id);
  if (found === undefined) throw new Error(`${id} is not among ${instances.map((instance) => instance.id)}`);
  return found;
}

function processOf(timeline: Timeline, instance: string, pid: number): Process {
  const found = instanceOf(timeline, instance).processes.find((process) => process.pid === pid);
  if (found === undefined) throw new Error(`${instance} has no process ${pid}`);
  return found;
}

const SUPERVISORD = [
  "2026-11-20 23:32:01,080 INFO spawned: 'shop' with pid 800",
  '2026-11-20 23:32:02,201 INFO success: shop entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)',
  '2026-11-20 23:32:10,401 INFO waiting for shop to stop',
  "2026-11-20 23:32:15,401 WARN killing 'shop' (800) with SIGKILL",
  '2026-11-20 23:32:15,409 WARN stopped: shop (terminated by SIGKILL)',
];

const uwsgi = (pid: number, stamp: string) => [
  `*** Starting uWSGI 2.0.21 (64bit) on [${stamp}] ***`,
  `spawned uWSGI master process (pid: ${pid})`,
  `spawned uWSGI worker 1 (pid: ${pid + 1}, cores: 1)`,
  `spawned uWSGI worker 2 (pid: ${pid + 2}, cores: 1)`,
];

describe('a kill by supervisord', () => {
  const stopping = 'SIGINT/SIGTERM received...killing workers...';

  test('owns the end of the master that another file tells of', async () => {
    const timeline = await read(SUPERVISORD, [...uwsgi(800, 'Fri Nov 20 23:32:01 2026'), stopping]);
    expect(instanceOf(timeline, 'uwsgi-1').runsAs).toMatchObject({instance: 'supervisord-1', name: 'shop'});
    expect(processOf(timeline, 'uwsgi-1', 800)).toMatchObject({
      end: 'forced',
      killedBy: 'supervisord',
      signal: 'SIGKILL',
      forced: {deadline: 'stop-timeout', patience: {min: 5, max: 5}},
      ownedBy: {message: 'supervisord/killing', line: 4},
    });
    expect(timeline.reloads).toMatchObject([{kind: 'stop', outcome: 'failed', ended: {message: 'supervisord/stopped'}}]);
    expect(processOf(timeline, 'uwsgi-1', 801).end).toBe('lost');
  });

  test('is found whichever file comes first, and when the clocks differ by whole hours', async () => {
    for (const stamp of ['Fri Nov 20 23:32:01 2026', 'Fri Nov 20 18:32:01 2026']) {
      const timeline = await read([...uwsgi(800, stamp), stopping], SUPERVISORD);
      expect(processOf(timeline, 'uwsgi-1', 800)).toMatchObject({end: 'forced', killedBy: 'supervisord'});
    }
  });

  test('is not given to a master that had the same pid on another day', async () => {
    const timeline = await read(SUPERVISORD, [...uwsgi(800, 'Wed Nov 18 03:07:40 2026'), stopping]);
    expect(instanceOf(timeline, 'uwsgi-1').runsAs).toBeNull();
  });

  test('ends the instance before the next start in the same log, and the two are told apart', async () => {
    const again = [
      "2026-11-20 23:32:16,001 INFO spawned: 'shop' with pid 900",
      '2026-11-20 23:32:17,201 INFO success: shop entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)',
    ];
    const timeline = await read(
      [...SUPERVISORD, ...again],
      [
        ...uwsgi(800, 'Fri Nov 20 23:32:01 2026'),
        stopping,
        ...uwsgi(900, 'Fri Nov 20 23:32:16 2026'),
        'Fri Nov 20 23:32:18 2026 - uWSGI worker 2 screams: UAAAAAAH my master disconnected: i will kill myself !!!',
        '...gracefully killing workers...',
        'Gracefully killing worker 1 (pid: 901)...',
      ],
    );
    expect(instanceOf(timeline, 'uwsgi-2')).toMatchObject({predecessor: 'uwsgi-1', masterPid: 900, runsAs: {name: 'shop'}});
    expect(processOf(timeline, 'uwsgi-1', 802)).toMatchObject({end: 'lost', cause: 'master-gone'});
    expect(processOf(timeline, 'uwsgi-2', 902).end).toBe('running');
    expect(timeline.reloads.map(({instance, kind}) => `${instance} ${kind}`)).toEqual(['uwsgi-1 stop', 'uwsgi-2 graceful']);
  });

  test('a master that said goodbye was not killed', async () => {
    const timeline = await read(
      [...SUPERVISORD.slice(0, 3), '2026-11-20 23:32:11,409 INFO stopped: shop (exit status 0)'],
      [
        ...uwsgi(800, 'Fri Nov 20 23:32:01 2026'),
        stopping,
        'worker 1 buried after 1 seconds',
        'worker 2 buried after 1 seconds',
        'goodbye to uWSGI.',
      ],
    );
    expect(processOf(timeline, 'uwsgi-1', 800)).toMatchObject({end: 'clean', cause: 'stop', killedBy: null});
    expect(processOf(timeline, 'supervisord-1', 800)).toMatchObject({end: 'clean', program: 'shop'});
  });
});

describe('a kill by systemd', () => {
  const journal = [
    'Nov 21 10:00:00 vm systemd[1]: Stopping guni.service - gunicorn daemon...',
    'Nov 21 10:00:00 vm gunicorn[194]: [2026-11-21 10:00:00 +0000] [194] [INFO] Handling signal: term',
    "Nov 21 10:00:05 vm systemd[1]: guni.service: State 'stop-sigterm' timed out. Killing.",
    'Nov 21 10:00:05 vm systemd[1]: guni.service: Killing process 194 (gunicorn: maste) with signal SIGKILL.',
    'Nov 21 10:00:05 vm systemd[1]: guni.service: Killing process 197 (gunicorn: worke) with signal SIGKILL.',
    'Nov 21 10:00:05 vm systemd[1]: guni.service: Main process exited, code=killed, status=9/KILL',
    "Nov 21 10:00:05 vm systemd[1]: guni.service: Failed with result 'timeout'.",
    'Nov 21 10:00:05 vm systemd[1]: Stopped guni.service - gunicorn daemon.',
  ];
  const start = [
    'Nov 21 09:00:00 vm systemd[1]: Started guni.service - gunicorn daemon.',
    'Nov 21 09:00:00 vm gunicorn[194]: [2026-11-21 09:00:00 +0000] [194] [INFO] Starting gunicorn 20.1.0',
    'Nov 21 09:00:00 vm gunicorn[194]: [2026-11-21 09:00:00 +0000] [194] [INFO] Listening at: http://127.0.0.1:8000 (194)',
    'Nov 21 09:00:00 vm gunicorn[197]: [2026-11-21 09:00:00 +0000] [197] [INFO] Booting worker with pid: 197',
  ];

  test('owns the ends of the arbiter and of the workers that it names', async () => {
    const timeline = await read([...start, ...journal]);
    expect(instanceOf(timeline, 'gunicorn-1').runsAs).toMatchObject({instance: 'systemd-1', name: 'guni.service'});
    for (const pid of [194, 197])
      expect(processOf(timeline, 'gunicorn-1', pid)).toMatchObject({end: 'forced', killedBy: 'systemd', cause: 'stop'});
    expect(processOf(timeline, 'gunicorn-1', 194).forced?.patience).toEqual({min: 5, max: 5});
    expect(instanceOf(timeline, 'systemd-1').processes.map(({pid, program}) => [pid, program])).toEqual([[194, 'guni.service']]);
  });

  test('a server that only starts when its unit does is joined with it as a guess, until a line names its process', async () => {
    const timeline = await read(start);
    expect(instanceOf(timeline, 'gunicorn-1').runsAs).toMatchObject({name: 'guni.service', inferred: true});
    const named = await read([...start, ...journal]);
    expect(instanceOf(named, 'gunicorn-1').runsAs).toMatchObject({name: 'guni.service', inferred: false});
  });

  test('what rests on that guess is likely at the most', async () => {
    const at = 'Nov 21 09:00:00 vm uwsgi[300]:';
    const later = 'Nov 21 10:00:00 vm uwsgi[300]:';
    const lines = [
      'Nov 21 09:00:00 vm systemd[1]: Started shop.service - Shop.',
      ...uwsgi(300, 'Sat Nov 21 09:00:00 2026').map((line) => `${at} ${line}`),
      'Nov 21 10:00:00 vm systemd[1]: Stopping shop.service - Shop...',
      `${later} ...brutally killing workers...`,
      `${later} binary reloading uWSGI...`,
      "Nov 21 10:00:09 vm systemd[1]: shop.service: State 'stop-sigterm' timed out. Killing.",
    ];
    const killed = 'Nov 21 10:00:09 vm systemd[1]: shop.service: Killing process 300 (uwsgi) with signal SIGKILL.';
    const end = ['Nov 21 10:00:09 vm systemd[1]: shop.service: Main process exited, code=killed, status=9/KILL'];
    const told = async (log: readonly string[]) => {
      const file = join(folder, `${++files}.log`);
      writeFileSync(file, `${log.join('\n')}\n`);
      return (await analyze({inputs: [file]})).findings.find(({rule}) => rule === 'stop-became-reload');
    };
    expect(await told([...lines, ...end])).toMatchObject({confidence: 'likely', message: expect.stringContaining('is inferred')});
    expect(await told([...lines, killed, ...end])).toMatchObject({
      confidence: 'certain',
      message: expect.not.stringContaining('is inferred'),
    });
  });

  test('what it leaves alone lives on', async () => {
    const timeline = await read([
      ...start,
      ...journal.slice(0, 4),
      ...journal.slice(5),
      'Nov 21 10:00:05 vm systemd[1]: guni.service: Unit process 197 (gunicorn: worke) remains running after unit stopped.',
    ]);
    expect(processOf(timeline, 'gunicorn-1', 194)).toMatchObject({end: 'forced', killedBy: 'systemd'});
    expect(processOf(timeline, 'gunicorn-1', 197)).toMatchObject({end: 'running', killedBy: null});
  });

  test('units that come and go are not listed', async () => {
    const timeline = await read([
      'Nov 21 09:00:00 vm systemd[1]: Starting apt-daily.service - Daily apt download activities...',
      'Nov 21 09:00:04 vm systemd[1]: apt-daily.service: Deactivated successfully.',
      'Nov 21 09:00:05 vm systemd[1]: fwupd.service: Main process exited, code=exited, status=1/FAILURE',
      ...start,
      ...journal,
    ]);
    expect(instanceOf(timeline, 'systemd-1').processes.map(({program}) => program)).toEqual(['guni.service']);
  });
});

test('systemd over supervisord over gunicorn: each kill ends the process on every level', async () => {
  const timeline = await read([
    'Nov 21 09:00:00 vm systemd[1]: Started supervisor.service - Supervisor process control system for UNIX.',
    'Nov 21 09:00:01 vm supervisord[100]: 2026-11-21 09:00:01,000 INFO supervisord started with pid 100',
    "Nov 21 09:00:02 vm supervisord[100]: 2026-11-21 09:00:02,000 INFO spawned: 'shop' with pid 200",
    'Nov 21 09:00:02 vm supervisord[100]: [2026-11-21 09:00:02 +0000] [200] [INFO] Starting gunicorn 20.1.0',
    'Nov 21 09:00:02 vm supervisord[100]: [2026-11-21 09:00:02 +0000] [200] [INFO] Listening at: http://127.0.0.1:8000 (200)',
    'Nov 21 09:00:02 vm supervisord[100]: [2026-11-21 09:00:02 +0000] [201] [INFO] Booting worker with pid: 201',
    'Nov 21 10:00:00 vm systemd[1]: Stopping supervisor.service - Supervisor process control system for UNIX...',
    'Nov 21 10:00:00 vm supervisord[100]: 2026-11-21 10:00:00,100 WARN received SIGTERM indicating exit request',
    'Nov 21 10:00:00 vm supervisord[100]: 2026-11-21 10:00:00,101 INFO waiting for shop to die',
    'Nov 21 10:00:00 vm supervisord[100]: [2026-11-21 10:00:00 +0000] [200] [INFO] Handling signal: term',
    "Nov 21 10:00:20 vm systemd[1]: supervisor.service: State 'stop-sigterm' timed out. Killing.",
    'Nov 21 10:00:20 vm systemd[1]: supervisor.service: Killing process 100 (supervisord) with signal SIGKILL.',
    'Nov 21 10:00:20 vm systemd[1]: supervisor.service: Killing process 200 (gunicorn: maste) with signal SIGKILL.',
    'Nov 21 10:00:20 vm systemd[1]: supervisor.service: Killing process 201 (gunicorn: worke) with signal SIGKILL.',
    'Nov 21 10:00:20 vm systemd[1]: supervisor.service: Main process exited, code=killed, status=9/KILL',
    "Nov 21 10:00:20 vm systemd[1]: supervisor.service: Failed with result 'timeout'.",
    'Nov 21 10:00:20 vm systemd[1]: Stopped supervisor.service - Supervisor process control system for UNIX.',
  ]);
  expect(instanceOf(timeline, 'supervisord-1').runsAs).toMatchObject({instance: 'systemd-1', name: 'supervisor.service'});
  expect(instanceOf(timeline, 'gunicorn-1').runsAs).toMatchObject({instance: 'supervisord-1', name: 'shop'});
  for (const [instance, pid] of [
    ['systemd-1', 100],
    ['supervisord-1', 100],
    ['supervisord-1', 200],
    ['gunicorn-1', 200],
    ['gunicorn-1', 201],
  ] as const)
    expect(processOf(timeline, instance, pid), `${instance} ${pid}`).toMatchObject({end: 'forced', killedBy: 'systemd'});
  expect(timeline.reloads.map(({outcome}) => outcome)).toEqual(['failed', 'failed']);
});

describe('a kill by the kernel', () => {
  const worker = [
    'Nov 21 09:00:00 vm uwsgi[70]: spawned uWSGI master process (pid: 70)',
    'Nov 21 09:00:00 vm uwsgi[70]: spawned uWSGI worker 1 (pid: 71, cores: 1)',
    'Nov 21 09:05:01 vm uwsgi[70]: DAMN ! worker 1 (pid: 71) died, killed by signal 9 :( trying respawn ...',
    'Nov 21 09:05:01 vm uwsgi[70]: Respawned uWSGI worker 1 (new pid: 80)',
  ];
  const kill = (pid: number, time: string) => [
    `Nov 21 ${time} vm kernel: Memory cgroup out of memory: Killed process ${pid} (uwsgi) total-vm:90000kB, anon-rss:80000kB, file-rss:0kB, shmem-rss:0kB`,
  ];

  test('is joined by the pid, in another file too', async () => {
    const timeline = await read(worker, kill(71, '09:05:00'));
    expect(processOf(timeline, 'uwsgi-1', 71)).toMatchObject({
      end: 'forced',
      killedBy: 'kernel',
      ownedBy: {message: 'kernel/oom'},
    });
  });

  test('is not given to a process that had the pid at another time, nor to one that lives on', async () => {
    const timeline = await read(worker, kill(71, '11:00:00'));
    expect(processOf(timeline, 'uwsgi-1', 71)).toMatchObject({end: 'killed', killedBy: null});
  });
});
