/** Where rules draw a line: a log on either side of it, one second, line or worker apart. */
import {describe, expect, test} from 'vitest';
import {diagnosisOf} from '../envelope/plain-run.ts';

/** Seconds after ten o'clock, as uWSGI writes a time. */
const stamp = (second: number) => `Wed Mar  4 ${clock(second)} 2026`;
const clock = (second: number) => new Date(Date.UTC(2026, 2, 4, 10) + second * 1000).toISOString().slice(11, 19);
const times = <T>(count: number, make: (n: number) => T) => Array.from({length: count}, (_, n) => make(n));

/** A line of uWSGI's, with log-date. */
const said = (second: number, text: string) => `${stamp(second)} - ${text}`;
const request = (pid: number, second: number) =>
  `[pid: ${pid}|app: 0|req: 1/1] 127.0.0.1 () {22 vars in 240 bytes} [${stamp(second)}] GET /list => generated 3 bytes in 12 msecs (HTTP/1.1 200) 1 headers in 45 bytes (1 switches on core 0)`;
const loaded = (pid: number, second: number, took: number) =>
  said(second, `WSGI app 0 (mountpoint='') ready in ${took} seconds on interpreter 0x55d pid: ${pid} (default app)`);
const banner = (second: number) => `*** Starting uWSGI 2.0.21 (64bit) on [${stamp(second)}] ***`;
/** Worker 1 has pid `first`, worker 2 the next. */
const workers = (second: number, count: number, first = 201) =>
  times(count, (n) => said(second, `spawned uWSGI worker ${n + 1} (pid: ${first + n}, cores: 1)`));
const started = ({mercy = 60, count = 2} = {}) => [
  banner(0),
  said(0, `your mercy for graceful operations on workers is ${mercy} seconds`),
  loaded(100, 0, 0),
  said(0, 'spawned uWSGI master process (pid: 100)'),
  ...workers(0, count),
];
const asked = (second: number, count: number, first = 201) => [
  said(second, '...gracefully killing workers...'),
  ...times(count, (n) => said(second, `Gracefully killing worker ${n + 1} (pid: ${first + n})...`)),
];
const respawned = (second: number, worker: number, pid: number) =>
  said(second, `Respawned uWSGI worker ${worker} (new pid: ${pid})`);
const buried = (second: number, worker: number, after: number) => said(second, `worker ${worker} buried after ${after} seconds`);
const anew = (second: number, count: number, first = 301) => [
  said(second, 'gracefully (RE)spawned uWSGI master process (pid: 100)'),
  ...workers(second, count, first),
];
const done = (second: number, pid: number) =>
  said(second, `...The work of process ${pid} is done (max requests reached (100 >= 100)). Seeya!`);
const gone = (second: number, worker: number, pid: number) => said(second, `worker ${worker} killed successfully (pid: ${pid})`);
const full = (second: number, figures = '101/100') =>
  said(second, `*** uWSGI listen queue of socket "127.0.0.1:8000" (fd: 3) full !!! (${figures}) ***`);
const paused = (second: number) =>
  said(second, '*** PAUSE (press start to resume, if you do not have a joypad send SIGTSTP) ***');

/** A line of systemd's, so many seconds after ten past ten. */
const systemd = (second: number, text: string) => `Mar  4 ${clock(600 + second)} h systemd[1]: ${text}`;
const supervisord = (second: number, text: string) => `2026-03-04 ${clock(second)},000 INFO ${text}`;

/** What the rule answers: how bad it is, or why it says nothing. */
async function answer(rule: string, lines: readonly string[]) {
  const {findings, rules} = await diagnosisOf(`${lines.join('\n')}\n`);
  const found = findings.find((finding) => finding.rule === rule);
  return {says: found?.severity ?? rules.find(({id}) => id === rule)?.result, message: found?.message ?? ''};
}

/** Each case: what the line is drawn through, a log with `value` of it, and what is answered on either side. */
type Sides = readonly (readonly [value: number, says: string])[];
const severities: readonly (readonly [what: string, rule: string, log: (value: number) => readonly string[], sides: Sides])[] = [
  [
    'seconds without any answer',
    'listen-queue-full',
    (length) => [...started(), request(201, 1), ...times(length + 1, (n) => full(60 + n)), request(201, 120)],
    [
      [29, 'warning'],
      [30, 'error'],
    ],
  ],
  [
    'connections in a queue for 100',
    'listen-queue-full',
    (queued) => [...started(), request(201, 1), full(60, `${queued}/100`)],
    [
      [1000, 'warning'],
      [1001, 'passed'],
    ],
  ],
  [
    'seconds of a pause up to the end of the log',
    'instance-paused',
    (length) => [...started(), request(201, 1), paused(10), full(10 + length)],
    [
      [60, 'warning'],
      [61, 'error'],
    ],
  ],
  [
    'seconds from a pause to the last request that begins',
    'instance-paused',
    (later) => [...started(), request(201, 1), paused(10), request(201, 10 + later), full(200)],
    [
      [2, 'error'],
      [3, 'passed'],
    ],
  ],
  [
    'seconds after harakiri in which the worker still answers',
    'harakiri-kills',
    (later) => [
      ...started(),
      request(201, 1),
      said(40, '*** HARAKIRI ON WORKER 1 (pid: 201, try: 1, graceful: yes) ***'),
      request(201, 40 + later),
      request(202, 200),
    ],
    [
      [9, 'error'],
      [10, 'warning'],
    ],
  ],
  [
    'deaths in a row',
    'crash-loop',
    (deaths) => [
      ...started(),
      request(201, 1),
      ...times(deaths, (n) => [died(5 + n, n), respawned(5 + n, 2, 401 + n)]).flat(),
      request(201, 60),
    ],
    [
      [2, 'passed'],
      [3, 'error'],
    ],
  ],
  [
    'seconds of each life',
    'crash-loop',
    (life) => [
      ...started(),
      request(201, 1),
      ...times(4, (n) => [
        request(second(n), life * n + 1),
        died(life * (n + 1), n),
        respawned(life * (n + 1), 2, 401 + n),
      ]).flat(),
      request(201, 400),
    ],
    [
      [30, 'error'],
      [31, 'passed'],
    ],
  ],
  [
    'seconds from one recycling to the next',
    'recycled-too-often',
    (life) => [...started({count: 1}), ...recycled(5, life, life, 0), request(405, 3000)],
    [
      [299, 'info'],
      [300, 'passed'],
    ],
  ],
  [
    'seconds between recyclings that cost, a third of what makes a habit of four',
    'recycled-too-often',
    (apart) => [banner(0), ...alone(30), ...recycled(4, 60, apart, 30), request(404, 3000)],
    [
      [199, 'info'],
      [200, 'warning'],
    ],
  ],
  [
    'seconds of each start, of lives of 150',
    'recycled-too-often',
    (took) => [banner(0), ...alone(took), ...recycled(6, 150, 150, took), request(406, 3000)],
    [
      [6, 'info'],
      [7, 'warning'],
    ],
  ],
  [
    'seconds between two reloads',
    'reloaded-twice',
    (apart) => [...started(), request(201, 1), ...reload(100, 201), ...reload(100 + apart, 301), request(401, 300)],
    [
      [30, 'info'],
      [31, 'passed'],
    ],
  ],
  [
    'seconds without a worker in its place, where others are back after one',
    'worker-never-came-back',
    (silent) => [
      ...started(),
      request(201, 1),
      said(50, 'worker 1 lifetime reached, it was running for 50 second(s)'),
      gone(51, 1, 201),
      respawned(51, 1, 301),
      request(301, 52),
      said(60, 'worker 2 lifetime reached, it was running for 60 second(s)'),
      ...times(silent, (n) => request(301, 60 + n)),
      full(60 + silent),
    ],
    [
      [10, 'undecided'],
      [11, 'error'],
    ],
  ],
  [
    'requests of each of the others',
    'worker-never-served',
    (each) => [
      ...started({count: 4}),
      ...times(each, (n) => [201, 202, 203].map((pid) => request(pid, 2 + 2 * n))).flat(),
      request(201, 300),
    ],
    [
      [49, 'passed'],
      [50, 'warning'],
    ],
  ],
  [
    'seconds for which it has been there',
    'worker-never-served',
    (length) => [
      ...started({count: 4}),
      ...times(80, () => [201, 202, 203].map((pid) => request(pid, 1))).flat(),
      request(201, length),
    ],
    [
      [58, 'passed'],
      [59, 'warning'],
    ],
  ],
  [
    'seconds of mercy for the one that hangs',
    'mercy-too-long',
    (mercy) => oneHangs(mercy, 1),
    [
      [8, 'passed'],
      [9, 'warning'],
    ],
  ],
  [
    'seconds that the others need, of a mercy of 20',
    'mercy-too-long',
    (needed) => oneHangs(20, needed),
    [
      [7, 'warning'],
      [8, 'passed'],
    ],
  ],
  [
    'seconds until the program leaves with status 0',
    'program-left-by-itself',
    (life) => [
      supervisord(0, 'supervisord started with pid 100'),
      supervisord(1, "spawned: 'web' with pid 200"),
      supervisord(2, 'success: web entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)'),
      supervisord(1 + life, 'exited: web (exit status 0; expected)'),
    ],
    [
      [60, 'info'],
      [61, 'passed'],
    ],
  ],
  [
    'answers that nobody took',
    'clients-gone',
    (lost) => [
      ...started(),
      ...times(lost, (n) =>
        said(
          n + 1,
          'SIGPIPE: writing to a closed pipe/socket/fd (probably the client disconnected) on request /a (ip 10.0.0.1) !!!',
        ),
      ),
    ],
    [
      [9, 'info'],
      [10, 'warning'],
    ],
  ],
  [
    'seconds from the stop of a unit to that of the machine',
    'restarted-from-above',
    (later) => [
      systemd(-600, 'Started web.service - Web.'),
      systemd(0, 'Stopping web.service - Web...'),
      systemd(1, 'Stopped web.service - Web.'),
      systemd(later, 'Reached target shutdown.target - System Shutdown.'),
    ],
    [
      [60, 'info'],
      [61, 'passed'],
    ],
  ],
  [
    'seconds from a package tool to the stop of a unit',
    'restarted-from-above',
    (later) => [
      systemd(-600, 'Started web.service - Web.'),
      systemd(0, "Reexecuting requested from client PID 9000 ('systemctl') (unit apt-daily-upgrade.service)..."),
      systemd(0, 'Reexecuting.'),
      systemd(later, 'Stopping web.service - Web...'),
      systemd(later + 1, 'web.service: Deactivated successfully.'),
      systemd(later + 1, 'Stopped web.service - Web.'),
      systemd(later + 1, 'Starting web.service - Web...'),
      systemd(later + 1, 'Started web.service - Web.'),
    ],
    [
      [60, 'info'],
      [61, 'passed'],
    ],
  ],
  [
    'seconds by which a line is stamped before the one above it',
    'clock-disagreement',
    (back) => [...started(), paused(100), said(100 - back, '*** worker 1 suspended ***')],
    [
      [5, 'passed'],
      [6, 'warning'],
    ],
  ],
  [
    'seconds in which nobody serves',
    'slow-start-empties-service',
    (took) => slowReload(took),
    [
      [9, 'passed'],
      [10, 'info'],
      [29, 'info'],
      [30, 'warning'],
    ],
  ],
  [
    'seconds in which nobody left, of a mercy of 5',
    'reload-unfinished',
    (length) => [...started({mercy: 5}), request(201, 1), ...asked(100, 2), full(100 + length)],
    [
      [16, 'info'],
      [17, 'error'],
    ],
  ],
  [
    'seconds of waiting for a replacement, where a start takes 5',
    'reload-unfinished',
    (waited) => [
      banner(0),
      said(0, 'spawned uWSGI master process (pid: 100)'),
      ...workers(0, 2),
      loaded(201, 5, 5),
      loaded(202, 5, 5),
      ...chainWaits(waited),
    ],
    [
      [15, 'info'],
      [16, 'error'],
    ],
  ],
  [
    'seconds of waiting for a replacement, where no start is shown',
    'reload-unfinished',
    (waited) => [respawned(0, 2, 202), ...chainWaits(waited)],
    [
      [120, 'info'],
      [121, 'error'],
    ],
  ],
  [
    'seconds from the first recycling to the second of two workers',
    'synchronized-recycling',
    (apart) => [
      ...started(),
      done(200, 201),
      done(200 + apart, 202),
      ...[1, 2].map((worker) => gone(201 + apart, worker, 200 + worker)),
      ...[1, 2].map((worker) => respawned(201 + apart, worker, 300 + worker)),
    ],
    [
      [3, 'warning'],
      [4, 'passed'],
    ],
  ],
  [
    'recyclings of one moment, of 8 workers',
    'synchronized-recycling',
    (together) => [
      ...started({count: 8}),
      ...times(together, (n) => done(200, 201 + n)),
      ...times(together, (n) => [gone(201, n + 1, 201 + n), respawned(201, n + 1, 301 + n)]).flat(),
    ],
    [
      [5, 'passed'],
      [6, 'warning'],
    ],
  ],
];

describe.each(severities)('%s: %s', (_, rule, log, sides) => {
  test.each(sides)('%d: %s', async (value, says) => expect((await answer(rule, log(value))).says).toBe(says));
});

const words: readonly (readonly [
  what: string,
  rule: string,
  log: (value: number) => readonly string[],
  phrase: string,
  sides: readonly (readonly [value: number, isSaid: boolean])[],
])[] = [
  [
    'seconds between two lines of one overflow',
    'listen-queue-full',
    (apart) => [...started(), request(201, 1), full(60), full(60 + apart), request(201, 120)],
    'overflowed once',
    [
      [30, true],
      [31, false],
    ],
  ],
  [
    'seconds from a death to the want of memory that explains it',
    'killed-from-outside',
    (later) => [
      `Mar  4 ${clock(0)} h uwsgi[100]: spawned uWSGI worker 1 (pid: 432, cores: 1)`,
      `Mar  4 ${clock(10)} h uwsgi[100]: DAMN ! worker 1 (pid: 432) died, killed by signal 9 :( trying respawn ...`,
      `Mar  4 ${clock(10)} h uwsgi[100]: Respawned uWSGI worker 1 (new pid: 473)`,
      `Mar  4 ${clock(10 + later)} h kernel: [1620280.105281] uwsgi invoked oom-killer: gfp_mask=0x24000c0, order=0, oom_score_adj=-998`,
    ],
    'it says that uwsgi asked for some',
    [
      [60, true],
      [61, false],
    ],
  ],
];

describe.each(words)('%s: %s', (_, rule, log, phrase, sides) => {
  test.each(sides)('%d: %s', async (value, isSaid) => {
    const {message} = await answer(rule, log(value));
    expect(message).not.toBe('');
    expect(message.includes(phrase)).toBe(isSaid);
  });
});

/** Who has the second place after so many deaths. */
function second(deaths: number): number {
  return deaths === 0 ? 202 : 400 + deaths;
}

function died(at: number, deaths: number): string {
  return said(at, `DAMN ! worker 2 (pid: ${second(deaths)}) died, killed by signal 11 :( trying respawn ...`);
}

/** A server of one worker that loads the application itself. */
function alone(took: number): string[] {
  return [said(0, 'spawned uWSGI master process (pid: 100)'), ...workers(0, 1), loaded(201, took, took)];
}

/** `took`: seconds in which each replacement loads the application; with 0 the master had loaded it. */
function recycled(count: number, first: number, apart: number, took: number): string[] {
  return times(count, (n) => {
    const [at, pid] = [first + apart * n, n === 0 ? 201 : 400 + n];
    return [done(at, pid), gone(at, 1, pid), respawned(at, 1, 401 + n), ...(took > 0 ? [loaded(401 + n, at + took, took)] : [])];
  }).flat();
}

function reload(at: number, first: number): string[] {
  return [
    ...asked(at, 2, first),
    ...[1, 2].map((worker) => buried(at + 1, worker, 1)),
    said(at + 1, 'binary reloading uWSGI...'),
    ...anew(at + 1, 2, first + 100),
  ];
}

/** A reload in which the third of three workers has to be killed, and the others need so many seconds. */
function oneHangs(mercy: number, needed: number): string[] {
  const over = 101 + mercy;
  return [
    ...started({mercy, count: 3}),
    ...[201, 202, 203].map((pid) => request(pid, 1)),
    ...asked(100, 3),
    ...[1, 2].map((worker) => buried(100 + needed, worker, needed)),
    said(over, 'worker 3 (pid: 203) is taking too much time to die...NO MERCY !!!'),
    buried(over + 1, 3, 0),
    said(over + 1, 'binary reloading uWSGI...'),
    ...anew(over + 1, 3),
    request(301, 300),
  ];
}

function slowReload(took: number): string[] {
  return [
    ...started(),
    request(201, 1),
    ...asked(100, 2),
    ...[1, 2].map((worker) => buried(101, worker, 1)),
    said(101, 'binary reloading uWSGI...'),
    banner(101),
    loaded(100, 101 + took, took),
    ...anew(101 + took, 2),
    request(301, 300),
  ];
}

function chainWaits(waited: number): string[] {
  return [
    said(100, '*** /tmp/r has been touched... chain reload !!! ***'),
    said(100, 'chain next victim is worker 1'),
    said(100, 'Gracefully killing worker 1 (pid: 201)...'),
    gone(101, 1, 201),
    respawned(101, 1, 301),
    said(101, 'chain is still waiting for worker 1...'),
    said(101 + waited, 'chain is still waiting for worker 1...'),
  ];
}
