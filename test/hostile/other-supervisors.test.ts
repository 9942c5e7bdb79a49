import {describe, expect, test} from 'vitest';
import {judged, judgedAll} from './judged.ts';

const journal = (second: number, text: string, ident = 'systemd[1]') =>
  `Nov 20 23:${String(Math.floor(second / 60)).padStart(2, '0')}:${String(second % 60).padStart(2, '0')} vm ${ident}: ${text}`;
const gunicorn = (second: number, pid: number, text: string, level = 'INFO') =>
  `[2026-11-20 23:${String(Math.floor(second / 60)).padStart(2, '0')}:${String(second % 60).padStart(2, '0')} +0000] [${pid}] [${level}] ${text}`;
const supervisord = (second: number, text: string, level = 'INFO', ms = 75) =>
  `2026-11-20 23:25:${String(second).padStart(2, '0')},${String(ms).padStart(3, '0')} ${level} ${text}`;

const START = [
  gunicorn(0, 10, 'Starting gunicorn 20.1.0'),
  gunicorn(0, 10, 'Listening at: http://127.0.0.1:8000 (10)'),
  gunicorn(0, 10, 'Using worker: sync'),
  gunicorn(0, 11, 'Booting worker with pid: 11'),
  gunicorn(0, 12, 'Booting worker with pid: 12'),
];

describe('names of processes in the lines of systemd', () => {
  test.each([
    ['gunicorn: maste', 'gunicorn: maste'],
    ['a) b) c', 'a) b) c'],
    ['python3', 'python3'],
  ])('(%s)', async (comm) => {
    const {said, timeline, header} = await judged(
      journal(0, 'Started shop.'),
      journal(1, 'Stopping shop...'),
      journal(91, "shop.service: State 'stop-sigterm' timed out. Killing."),
      journal(91, `shop.service: Killing process 12 (${comm}) with signal SIGKILL.`),
      journal(91, 'shop.service: Main process exited, code=killed, status=9/KILL'),
      journal(91, "shop.service: Failed with result 'timeout'."),
    );
    expect(said).toContain('systemd/killing-process 12');
    expect(timeline.events.find(({message}) => message === 'systemd/killing-process')?.fields).toMatchObject({process: comm});
    expect(header).toContain('6 events');
    expect(header).toContain('0 unknown');
  });

  test('the helper of PAM is nobody', async () => {
    const {findings} = await judged(
      journal(0, 'Started User Manager for UID 1000.'),
      journal(1, 'Stopping User Manager for UID 1000...'),
      journal(2, 'user@1000.service: Killing process 12 ((sd-pam)) with signal SIGKILL.'),
      journal(2, 'user@1000.service: Succeeded.'),
      journal(2, 'Stopped User Manager for UID 1000.'),
    );
    expect(findings).toEqual([]);
  });
});

test('names of units', async () => {
  for (const unit of ['uwsgi@my-app.service', 'app-foo\\x2dbar.service', 'user@1000.service', 'run-r1234.scope', '-.slice']) {
    const {timeline, header} = await judged(journal(0, `${unit}: Killing process 12 (uwsgi) with signal SIGKILL.`));
    expect(
      timeline.events.map(({fields}) => fields['unit']),
      unit,
    ).toEqual([unit]);
    expect(header, unit).toContain('1 event');
  }
});

describe('descriptions of units', () => {
  test.each([
    ['with a dash', 'Shop - the web part'],
    ['with dots', 'Shop... and more...'],
    ['with a period', 'The shop.'],
    ['in another language', 'Магазин и всё остальное'],
  ])('%s', async (_, description) => {
    const {said, timeline, findings, verdict} = await judged(
      journal(0, `Starting ${description}...`),
      journal(1, `Started ${description}.`),
      journal(20, `Stopping ${description}...`),
      journal(21, 'shop.service: Succeeded.'),
      journal(21, `Stopped ${description}.`),
    );
    expect(said).toHaveLength(5);
    expect(timeline.events.flatMap(({fields}) => fields['description'] ?? [])).toEqual(Array(4).fill(description));
    expect(findings).toEqual([]);
    expect(verdict).toMatch(/^No trouble found/);
  });

  test.each(['shop.service - Shop - the web part', 'shop.service - The shop.'])('with the name of the unit: %s', async (unit) => {
    const {timeline, verdict} = await judged(
      journal(0, `Starting ${unit}...`),
      journal(1, `Started ${unit}.`),
      journal(20, `Stopping ${unit}...`),
      journal(21, 'shop.service: Deactivated successfully.'),
      journal(21, `Stopped ${unit}.`),
    );
    expect(timeline.events.map(({fields}) => fields['unit'])).toEqual(Array(5).fill('shop.service'));
    expect(verdict).toMatch(/^No trouble found/);
  });
});

describe('the journal', () => {
  test('a boot inside a reload: the reload has no end, and equal pids are other processes', async () => {
    const {timeline, findings, header} = await judged(
      ...START.map((line) => journal(0, line, 'gunicorn[10]')),
      journal(5, gunicorn(5, 10, 'Handling signal: hup'), 'gunicorn[10]'),
      journal(5, gunicorn(5, 10, 'Hang up: Master'), 'gunicorn[10]'),
      journal(5, gunicorn(5, 13, 'Booting worker with pid: 13'), 'gunicorn[13]'),
      '-- Boot 6ae1b3f4d2c14d9f8a5b7c6d5e4f3a2b --',
      ...START.map((line) => journal(50, line.replace('23:00:00', '23:00:50'), 'gunicorn[10]')),
    );
    expect(timeline.instances).toHaveLength(2);
    expect(timeline.reloads.map(({outcome}) => outcome)).not.toContain('completed');
    expect(findings.filter((each) => / certain/.test(each))).toEqual([]);
    expect(header).toContain('0 unknown');
  });

  test('only time since boot', async () => {
    const {timeline, header, findings} = await judged(
      `[ 2121.058362] vm gunicorn[10]: [10] [INFO] Starting gunicorn 20.1.0`,
      `[ 2121.058362] vm gunicorn[10]: [10] [INFO] Listening at: http://127.0.0.1:8000 (10)`,
      `[ 2121.158362] vm gunicorn[11]: [11] [INFO] Booting worker with pid: 11`,
      `[ 9121.158362] vm gunicorn[10]: [10] [INFO] Handling signal: hup`,
    );
    expect(timeline.from).toBeNull();
    expect(header).toContain('no time at all');
    expect(findings.filter((each) => each.includes('certain'))).toEqual([]);
  });
});

describe('syslog', () => {
  test('a traceback in one line is lines again', async () => {
    const {said, findings, header} = await judged(
      'Nov  5 23:29:16 vm gunicorn[10]: [10] [INFO] Starting gunicorn 20.1.0',
      'Nov  5 23:29:16 vm gunicorn[11]: [11] [INFO] Booting worker with pid: 11',
      'Nov  5 23:29:16 vm gunicorn[11]: [11] [ERROR] Exception in worker process#012Traceback (most recent call last):#012  File "/srv/app.py", line 1, in <module>#012    import nothing#012ModuleNotFoundError: No module named \'nothing\'',
      'Nov  5 23:29:16 vm gunicorn[11]: [11] [INFO] Worker exiting (pid: 11)',
      'Nov  5 23:29:17 vm gunicorn[10]: [10] [INFO] Shutting down: Master',
      'Nov  5 23:29:17 vm gunicorn[10]: [10] [INFO] Reason: Worker failed to boot.',
    );
    expect(said).toContain('gunicorn/worker-exception 11');
    expect(findings.join()).toMatch(/boot-failure certain/);
    expect(header).toContain('0 unknown');
  });

  test('a count stands for as many lines', async () => {
    const {timeline} = await judged(
      'Nov 20 23:29:15 vm uwsgi[12]: Fri Nov 20 23:29:15 2026 - *** Starting uWSGI 2.0.21 (64bit) on [Fri Nov 20 23:29:15 2026] ***',
      'Nov 20 23:29:16 vm uwsgi[12]: message repeated 3 times: [ Fri Nov 20 23:29:16 2026 - *** uWSGI listen queue of socket "127.0.0.1:80" (fd: 3) full !!! (101/100) ***]',
    );
    expect(timeline.events.at(-1)).toMatchObject({fields: {repeated: 3}});
  });

  test('the year begins, and 29 February', async () => {
    const {timeline, header} = await judged(
      'Dec 31 23:59:58 vm gunicorn[10]: [10] [INFO] Starting gunicorn 20.1.0',
      'Jan  1 00:00:01 vm gunicorn[11]: [11] [INFO] Booting worker with pid: 11',
      'Feb 29 00:00:01 vm gunicorn[10]: [10] [INFO] Handling signal: ttin',
    );
    const times = timeline.events.map(({at}) => at.earliest as number);
    expect((times[1] as number) - (times[0] as number)).toBe(3000);
    expect(new Date(times[2] as number).getUTCMonth()).toBe(1);
    expect(header).toContain('the log tells no year');
  });

  test('an hour that comes twice keeps the order of its lines', async () => {
    const at = (clock: string, text: string) => `Oct 25 ${clock} vm gunicorn[10]: ${text}`;
    const {timeline} = await judged(
      at('02:59:58', '[10] [INFO] Starting gunicorn 20.1.0'),
      at('02:59:59', '[11] [INFO] Booting worker with pid: 11'),
      at('02:00:01', '[10] [INFO] Handling signal: hup'),
      at('02:00:01', '[10] [INFO] Hang up: Master'),
      at('02:00:01', '[12] [INFO] Booting worker with pid: 12'),
      at('02:00:02', '[11] [INFO] Worker exiting (pid: 11)'),
    );
    const order = timeline.events.map(({message}) => message);
    expect(order.indexOf('gunicorn/starting')).toBeLessThan(order.indexOf('gunicorn/handling-signal'));
    expect(timeline.instances).toHaveLength(1);
    for (const {duration} of timeline.reloads) expect(duration.min).toBeGreaterThanOrEqual(0);
  });
});

describe('containers', () => {
  const docker = (log: string) => JSON.stringify({log, stream: 'stderr', time: '2026-11-20T23:29:16Z'});

  test('a part that ends inside the front of a line', async () => {
    const {said} = await judged(
      docker(`${gunicorn(0, 1, 'Starting gunicorn 20.1.0')}\n`),
      docker(gunicorn(0, 7, 'Booting worker with pid: 7').slice(0, 31)),
      docker(`${gunicorn(0, 7, 'Booting worker with pid: 7').slice(31)}\n`),
    );
    expect(said).toEqual(['gunicorn/starting 1', 'gunicorn/booting-worker 7']);
  });

  test('two parts and an end, another stream in between', async () => {
    const line = gunicorn(0, 7, 'Booting worker with pid: 7');
    const cri = (tag: string, text: string, stream = 'stderr') => `2026-11-20T23:29:16.1Z ${stream} ${tag} ${text}`;
    const {said, header} = await judged(
      cri('P', line.slice(0, 12)),
      cri('F', 'something else', 'stdout'),
      cri('P', line.slice(12, 30)),
      cri('F', line.slice(30)),
    );
    expect(said).toEqual(['gunicorn/booting-worker 7']);
    expect(header).toContain('cri');
  });

  test('compose in colours, and a message with its bar', async () => {
    const {said, timeline} = await judged(
      `\x1b[36mweb-1  | \x1b[0m${gunicorn(0, 1, 'Starting gunicorn 20.1.0')}`,
      `\x1b[36mweb-1  | \x1b[0m${gunicorn(0, 7, 'Booting worker with pid: 7')}`,
      '\x1b[36mweb-1  | \x1b[0mleft | right | middle',
      `\x1b[33mweb-2  | \x1b[0m${gunicorn(0, 1, 'Starting gunicorn 20.1.0')}`,
      `\x1b[33mweb-2  | \x1b[0m${gunicorn(0, 7, 'Booting worker with pid: 7')}`,
    );
    expect(said).toHaveLength(4);
    expect(timeline.events.map(({stream}) => stream)).toEqual(['web-1', 'web-1', 'web-2', 'web-2']);
    expect(timeline.inputs[0]?.counts.application).toBe(1);
    expect(timeline.instances).toHaveLength(2);
  });

  test('the same pids in several containers, and the kernel of the host, which counts otherwise', async () => {
    const {timeline, findings} = await judged(
      `web-1  | ${gunicorn(0, 1, 'Starting gunicorn 23.0.0')}`,
      `web-1  | ${gunicorn(0, 7, 'Booting worker with pid: 7')}`,
      `web-1  | ${gunicorn(0, 8, 'Booting worker with pid: 8')}`,
      `web-2  | ${gunicorn(0, 1, 'Starting gunicorn 23.0.0')}`,
      `web-2  | ${gunicorn(0, 7, 'Booting worker with pid: 7')}`,
      `web-2  | ${gunicorn(0, 8, 'Booting worker with pid: 8')}`,
      `web-2  | ${gunicorn(9, 1, 'Worker (pid:7) was sent SIGKILL! Perhaps out of memory?', 'ERROR')}`,
      `web-2  | ${gunicorn(9, 9, 'Booting worker with pid: 9')}`,
    );
    expect(timeline.instances).toHaveLength(2);
    const ends = timeline.instances.map(({processes}) => processes.find(({pid}) => pid === 7)?.end);
    expect(ends).toEqual(['running', 'killed']);
    expect(findings).toEqual(['killed-from-outside possible 7']);
  });
});

describe('order', () => {
  const entries = [...START, gunicorn(9, 10, 'Handling signal: hup'), gunicorn(9, 10, 'Hang up: Master')];
  const iso = (n: number) => (n < START.length ? `2026-11-20T23:00:00.${n + 1}Z` : `2026-11-20T23:00:09.${n}Z`);

  test('the newest line first', async () => {
    const {said, header} = await judged(...entries.map((line, n) => `${iso(n)} {app="shop"} ${line}`).toReversed());
    expect(said[0]).toBe('gunicorn/starting 10');
    expect(said.at(-1)).toMatch(/hang-up|reload/);
    expect(header).toContain('newest line comes first');
  });

  test('two sinks wrote the same lines', async () => {
    const {timeline, header} = await judgedAll([entries.map((line, n) => `${iso(n)} {app="shop"} ${line}`), entries]);
    expect(timeline.instances).toHaveLength(1);
    expect(timeline.instances[0]?.processes.filter(({role}) => role === 'worker')).toHaveLength(2);
    expect(header).toMatch(/twice|doubled|again|same/);
  });

  test('parts of an export that are not in order', async () => {
    const lines = entries.map((line, n) => `${iso(n)} ${line}`);
    const {timeline, said} = await judgedAll([lines.slice(4), lines.slice(0, 4)]);
    expect(said[0]).toBe('gunicorn/starting 10');
    expect(timeline.instances).toHaveLength(1);
  });
});

describe('gunicorn', () => {
  test('dates of 19.1 and before, which stand bare', async () => {
    const {said, timeline} = await judged(
      '2013-09-05 11:26:58 [10] [INFO] Starting gunicorn 18.0',
      '2013-09-05 11:26:58 [10] [INFO] Listening at: http://127.0.0.1:8000 (10)',
      '2013-09-05 11:26:58 [15] [INFO] Booting worker with pid: 15',
    );
    expect(said.at(-1)).toBe('gunicorn/booting-worker 15');
    expect(timeline.from).toBe(Date.UTC(2013, 8, 5, 11, 26, 58));
  });

  test('its syslog handler, without level and date', async () => {
    const {said} = await judged(
      'Nov 20 23:29:16 vm gunicorn.shop.error: [10] Starting gunicorn 20.1.0',
      'Nov 20 23:29:16 vm gunicorn.shop.error: [11] Booting worker with pid: 11',
    );
    expect(said).toEqual(['gunicorn/starting 10', 'gunicorn/booting-worker 11']);
  });

  test('records in JSON of its own configuration', async () => {
    const {said, timeline} = await judged(
      '{"asctime": "2026-11-20 23:29:16,123", "levelname": "INFO", "process": 10, "name": "gunicorn.error", "message": "Starting gunicorn 20.1.0"}',
      '{"asctime": "2026-11-20 23:29:17,123", "levelname": "INFO", "process": 11, "name": "gunicorn.error", "message": "Booting worker with pid: 11"}',
    );
    expect(said.map((each) => each.split(' ')[0])).toEqual(['gunicorn/starting', 'gunicorn/booting-worker']);
    expect(timeline.to).toBe(Date.UTC(2026, 10, 20, 23, 29, 17));
  });

  test('an offset of half an hour, west', async () => {
    const {timeline} = await judged('[2026-11-20 20:00:00 -0330] [10] [INFO] Starting gunicorn 20.1.0');
    expect(timeline.from).toBe(Date.UTC(2026, 10, 20, 23, 30));
  });

  test.each(['http://[::]:8000 (1)', 'http://0.0.0.0:8000,http://[::]:8000 (1)', 'unix:/x y.sock (1)'])(
    'listens at %s',
    async (address) => {
      const {timeline, header} = await judged(
        gunicorn(0, 1, 'Starting gunicorn 20.1.0'),
        gunicorn(0, 1, `Listening at: ${address}`),
        gunicorn(0, 7, 'Booting worker with pid: 7'),
      );
      expect(timeline.instances.map(({masterPid}) => masterPid)).toEqual([1]);
      expect(header).toContain('0 unknown');
    },
  );

  test('a pid that is booted twice is two lives', async () => {
    const {processes} = await judged(
      ...START,
      gunicorn(20, 10, 'WORKER TIMEOUT (pid:11)', 'CRITICAL'),
      gunicorn(21, 11, 'Booting worker with pid: 11'),
    );
    expect(processes.filter(({pid}) => pid === 11)).toHaveLength(2);
  });

  test('a worker that says that it leaves has not gone', async () => {
    const {processes, findings} = await judged(
      ...START,
      gunicorn(5, 10, 'Handling signal: hup'),
      gunicorn(5, 10, 'Hang up: Master'),
      gunicorn(5, 13, 'Booting worker with pid: 13'),
      gunicorn(5, 14, 'Booting worker with pid: 14'),
      gunicorn(5, 11, 'Worker exiting (pid: 11)'),
      gunicorn(5, 12, 'Worker exiting (pid: 12)'),
      gunicorn(36, 10, 'WORKER TIMEOUT (pid:11)', 'CRITICAL'),
      gunicorn(37, 10, 'Worker with pid 11 was terminated due to signal 9', 'WARNING'),
    );
    expect(processes.find(({pid}) => pid === 11)).toMatchObject({end: 'forced'});
    expect(processes.find(({pid}) => pid === 12)?.end).not.toBe('forced');
    expect(findings.join()).toMatch(/ 11$| 11,/);
  });

  test('tracebacks of two workers, one through the other', async () => {
    const {findings, timeline} = await judged(
      ...START,
      gunicorn(1, 11, 'Exception in worker process', 'ERROR'),
      'Traceback (most recent call last):',
      gunicorn(1, 12, 'Exception in worker process', 'ERROR'),
      'Traceback (most recent call last):',
      '  File "/srv/app.py", line 1, in <module>',
      '  File "/srv/app.py", line 1, in <module>',
      '    import nothing',
      '    import nothing',
      "ModuleNotFoundError: No module named 'nothing'",
      "ModuleNotFoundError: No module named 'nothing'",
      gunicorn(1, 11, 'Worker exiting (pid: 11)'),
      gunicorn(1, 12, 'Worker exiting (pid: 12)'),
      gunicorn(2, 10, 'Shutting down: Master'),
      gunicorn(2, 10, 'Reason: Worker failed to boot.'),
    );
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatch(/^boot-failure/);
    expect(timeline.inputs[0]?.counts.unknown).toBe(0);
  });
});

describe('supervisord', () => {
  test.each(['my app', 'group:name_00', 'größe', "it's"])('a program that is called %s', async (name) => {
    const {said, timeline, findings} = await judged(
      supervisord(0, 'supervisord started with pid 1'),
      supervisord(1, `spawned: '${name}' with pid 12`),
      supervisord(2, `success: ${name} entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)`),
      supervisord(9, `exited: ${name} (terminated by SIGSEGV (core dumped); not expected)`),
      supervisord(10, `spawned: '${name}' with pid 13`),
    );
    expect(said.filter((each) => each.startsWith('supervisord/spawned'))).toEqual([
      'supervisord/spawned 12',
      'supervisord/spawned 13',
    ]);
    const names = timeline.events.map(({fields}) => fields['program']).filter((each) => each !== undefined);
    expect(new Set(names)).toEqual(new Set([name]));
    expect(findings.join()).toContain('worker-crashed');
  });

  test('names as Python 2 wrote them', async () => {
    const {timeline} = await judged(supervisord(1, "spawned: u'web' with pid 12"));
    expect(timeline.events.map(({fields}) => fields['program'])).toEqual(['web']);
  });

  test('a clock that was set back', async () => {
    const {findings, header} = await judged(
      supervisord(1, "spawned: 'web' with pid 12"),
      supervisord(
        9,
        "process 'web' (12) laststart time is in the future, don't know how long process was running so assuming it did not exit too quickly",
        'WARN',
      ),
      supervisord(3, 'exited: web (exit status 0; expected)'),
    );
    expect(header).toContain('0 unknown');
    expect(findings.filter((each) => each.includes('certain'))).toEqual([]);
  });

  test('output of its children in the same stream', async () => {
    const {said, timeline} = await judged(
      supervisord(0, 'supervisord started with pid 1'),
      supervisord(1, "spawned: 'web' with pid 10"),
      ...START,
      supervisord(2, 'success: web entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)'),
      '2026-11-20 23:25:03,000 INFO shop an application may date its lines alike',
    );
    expect(said.filter((each) => each.startsWith('gunicorn/booting'))).toHaveLength(2);
    expect(timeline.instances.map(({supervisor}) => supervisor).sort()).toEqual(['gunicorn', 'supervisord']);
    expect(timeline.inputs[0]?.counts.application).toBe(1);
  });

  test('milliseconds that begin anew', async () => {
    const {timeline} = await judged(
      supervisord(1, "spawned: 'web' with pid 12", 'INFO', 999),
      supervisord(2, 'exited: web (exit status 1; not expected)', 'INFO', 1),
    );
    const [first, second] = timeline.events.map(({at}) => at.earliest as number);
    expect((second as number) - (first as number)).toBe(2);
  });
});

describe('a log that ends too early', () => {
  test('in the middle of a reload: in progress, and no hang', async () => {
    const {findings, verdict} = await judged(
      ...START,
      gunicorn(30, 10, 'Handling signal: hup'),
      gunicorn(30, 10, 'Hang up: Master'),
    );
    expect(findings.filter((each) => !/ possible/.test(each))).toEqual([]);
    expect(verdict).toMatch(/^Undecided/);
  });

  test('long after the deadline: not finished', async () => {
    const {verdict} = await judged(
      ...START,
      gunicorn(30, 10, 'Handling signal: term'),
      gunicorn(30, 11, 'Worker exiting (pid: 11)'),
      gunicorn(300, 12, 'Invalid request from ip=1.2.3.4: x', 'WARNING'),
    );
    expect(verdict).toMatch(/270 s|4 min 30 s/);
  });

  test('where nothing has a time, silence is nothing', async () => {
    for (const log of [
      [
        'INFO:     Started server process [12]',
        'INFO:     Waiting for application startup.',
        'INFO:     Application startup complete.',
        'INFO:     Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)',
        'INFO:     Shutting down',
        'INFO:     Waiting for connections to close. (CTRL+C to force quit)',
      ],
      [
        '[12] Puma starting in cluster mode...',
        '[12] * Puma version: 6.4.0 (ruby 3.1.2-p20) ("The Eagle of Durin")',
        '[12] - Worker 0 (PID: 15) booted in 0.01s, phase: 0',
        '[12] - Gracefully shutting down workers...',
      ],
    ]) {
      const {diagnosis, header} = await judged(...log);
      expect(header).toContain('no time at all');
      const accusing = diagnosis.findings.filter(({severity}) => severity !== 'info');
      expect(accusing.filter(({confidence}) => confidence !== 'possible')).toEqual([]);
    }
  });
});
