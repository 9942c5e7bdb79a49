import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {analyze} from '../src/analyze.ts';

const directory = mkdtempSync(join(tmpdir(), 'logdoctor-many-'));

const RELOADS = 100;

/** A master that is reloaded again and again, and whose workers hang every time. */
function log(): string {
  const lines = [
    '*** Starting uWSGI 2.0.21 (64bit) on [Wed Mar  4 10:00:00 2026] ***',
    'your mercy for graceful operations on workers is 4 seconds',
    "WSGI app 0 (mountpoint='') ready in 0 seconds on interpreter 0x7f96c5b60018 pid: 100 (default app)",
    'spawned uWSGI master process (pid: 100)',
    'spawned uWSGI worker 1 (pid: 1001, cores: 1)',
    'spawned uWSGI worker 2 (pid: 1002, cores: 1)',
  ];
  const ctime = (seconds: number) => {
    const clock = new Date(Date.UTC(2026, 2, 4, 10, 0, seconds)).toISOString().slice(11, 19);
    return `Wed Mar  4 ${clock} 2026`;
  };
  for (let n = 0; n < RELOADS; n++) {
    const pids = [1001 + 2 * n, 1002 + 2 * n];
    const at = 100 + 60 * n;
    lines.push(
      `${ctime(at)} - *** /srv/reload has been touched... grace them all !!! ***`,
      '...gracefully killing workers...',
      ...pids.map((pid, i) => `Gracefully killing worker ${i + 1} (pid: ${pid})...`),
      ...pids.map((pid, i) => `${ctime(at + 5)} - worker ${i + 1} (pid: ${pid}) is taking too much time to die...NO MERCY !!!`),
      'worker 1 buried after 1 seconds',
      'worker 2 buried after 1 seconds',
      'binary reloading uWSGI...',
      `*** Starting uWSGI 2.0.21 (64bit) on [${ctime(at + 6)}] ***`,
      'your mercy for graceful operations on workers is 4 seconds',
      "WSGI app 0 (mountpoint='') ready in 0 seconds on interpreter 0x7f96c5b60018 pid: 100 (default app)",
      'gracefully (RE)spawned uWSGI master process (pid: 100)',
      ...pids.map((pid, i) => `spawned uWSGI worker ${i + 1} (pid: ${pid + 2}, cores: 1)`),
    );
  }
  return `${lines.join('\n')}\n`;
}

test('a hundred hung reloads are one finding with a count', async () => {
  const file = join(directory, 'uwsgi.log');
  writeFileSync(file, log());
  const {findings, timeline} = await analyze({inputs: [file]});
  expect(timeline.reloads).toHaveLength(RELOADS);
  const told = findings.map(({rule}) => rule);
  expect(told.filter((rule) => rule === 'app-threads-block-shutdown')).toHaveLength(1);
  expect(told.length).toBe(new Set(told).size);
  expect(findings[0]?.message).toContain(`${2 * RELOADS} workers had to be killed in ${RELOADS} reloads`);
});

/** `Wed Mar  4 10:00:00 2026`, so many seconds later. */
function stamp(seconds: number): string {
  const at = new Date(Date.UTC(2026, 2, 4, 10, 0, seconds));
  const day = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][at.getUTCDay()];
  return `${day} Mar ${String(at.getUTCDate()).padStart(2)} ${at.toISOString().slice(11, 19)} 2026`;
}

function start(seconds: number, master: number): string[] {
  return [
    `*** Starting uWSGI 2.0.21 (64bit) on [${stamp(seconds)}] ***`,
    'your mercy for graceful operations on workers is 4 seconds',
    `WSGI app 0 (mountpoint='') ready in 0 seconds on interpreter 0x7f96c5b60018 pid: ${master} (default app)`,
    `spawned uWSGI master process (pid: ${master})`,
    ...[1, 2].map((worker) => `spawned uWSGI worker ${worker} (pid: ${master + worker}, cores: 1)`),
  ];
}

const answer = (pid: number, seconds: number) =>
  `[pid: ${pid}|app: 0|req: 1/1] 127.0.0.1 () {22 vars in 240 bytes} [${stamp(seconds)}] GET /list => generated 3 bytes in 9 msecs ` +
  '(HTTP/1.1 200) 1 headers in 45 bytes (1 switches on core 0)';

/** One worker after the other meets its trouble, and another takes its place. */
function deaths(trouble: (pid: number, seconds: number) => string[]): string[] {
  const lines = start(0, 100);
  for (let n = 0; n < RELOADS; n++) {
    const pid = n === 0 ? 101 : 1000 + n;
    lines.push(
      answer(pid, 30 * n),
      answer(102, 30 * n + 1),
      ...trouble(pid, 30 * n + 2),
      `Respawned uWSGI worker 1 (new pid: ${1001 + n})`,
    );
  }
  return lines;
}

const died = (pid: number, signal: number) =>
  `DAMN ! worker 1 (pid: ${pid}) died, killed by signal ${signal} :( trying respawn ...`;
const noMercy = (worker: number, pid: number, seconds: number) =>
  `${stamp(seconds)} - worker ${worker} (pid: ${pid}) is taking too much time to die...NO MERCY !!!`;

/** The server is started anew again and again, and each run ends alike. */
function runs(end: (master: number, seconds: number) => string[]): string[] {
  return Array.from({length: RELOADS}, (_, n) => [
    ...start(100 * n, 1000 + 10 * n),
    answer(1001 + 10 * n, 100 * n + 5),
    ...end(1000 + 10 * n, 100 * n + 40),
  ]).flat();
}

const CASES: readonly (readonly [string, string, string[]])[] = [
  [
    'struck by harakiri',
    'harakiri-kills',
    deaths((pid, at) => [`${stamp(at)} - *** HARAKIRI ON WORKER 1 (pid: ${pid}, try: 1) ***`, died(pid, 9)]),
  ],
  ['that crash', 'worker-crashed', deaths((pid) => [`!!! uWSGI process ${pid} got Segmentation Fault !!!`, died(pid, 11)])],
  ['killed from outside', 'killed-from-outside', deaths((pid) => [died(pid, 9)])],
  [
    'killed for their memory',
    'evil-reload-kills',
    deaths((pid) => [`*** EVIL RELOAD ON WORKER 1 RSS: 137609216 (pid: ${pid}) ***`, died(pid, 9)]),
  ],
  [
    'held at their recycling',
    'recycle-blocked',
    deaths((pid, at) => [
      `...The work of process ${pid} is done. Seeya!`,
      noMercy(1, pid, at + 5),
      `worker 1 killed successfully (pid: ${pid})`,
    ]),
  ],
  [
    'held at each of many stops',
    'app-threads-block-shutdown',
    runs((master, at) => [
      'SIGINT/SIGTERM received...killing workers...',
      noMercy(1, master + 1, at + 5),
      noMercy(2, master + 2, at + 5),
      'worker 1 buried after 0 seconds',
      'worker 2 buried after 0 seconds',
      'goodbye to uWSGI.',
    ]),
  ],
  [
    'left by master after master',
    'master-died',
    runs((_, at) =>
      [1, 2].map(
        (worker) => `${stamp(at)} - uWSGI worker ${worker} screams: UAAAAAAH my master disconnected: i will kill myself !!!`,
      ),
    ),
  ],
  ['of many stops without an end', 'reload-unfinished', runs(() => ['SIGINT/SIGTERM received...killing workers...'])],
];

test.each(CASES)('a hundred workers %s are one finding', async (_, rule, lines) => {
  const file = join(directory, 'many.log');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const {findings} = await analyze({inputs: [file]});
  const troubles = findings.filter(({severity}) => severity !== 'info').map((finding) => finding.rule);
  expect(troubles).toEqual([rule]);
  expect(findings.length).toBeLessThan(5);
});

test('a hundred containers that are killed while they stop are one finding, though each master has the same pid', async () => {
  const file = join(directory, 'containers.log');
  const lines = Array.from({length: RELOADS}, (_, n) => [
    ...start(100 * n, 1),
    answer(2, 100 * n + 5),
    'SIGINT/SIGTERM received...killing workers...',
    noMercy(1, 2, 100 * n + 45),
    noMercy(2, 3, 100 * n + 45),
  ]).flat();
  writeFileSync(file, `${lines.join('\n')}\n`);
  const {findings, timeline} = await analyze({inputs: [file]});
  expect(timeline.instances).toHaveLength(RELOADS);
  expect(findings.filter(({rule}) => rule === 'app-threads-block-shutdown')).toHaveLength(1);
});

test('two runs are told one by one', async () => {
  const file = join(directory, 'two.log');
  const two = runs(() => ['SIGINT/SIGTERM received...killing workers...']).slice(0, 3 * 8 - 1);
  writeFileSync(file, `${two.join('\n')}\n`);
  const {findings, timeline} = await analyze({inputs: [file]});
  expect(timeline.instances).toHaveLength(3);
  expect(findings.filter(({severity}) => severity === 'error')).toHaveLength(2);
});

test('more lives than a call takes arguments are no trouble', async () => {
  const file = join(directory, 'lives.log');
  const lives = Array.from({length: 130_000}, (_, n) => [
    `DAMN ! worker 1 (pid: ${1000 + n}) died, killed by signal 11 :( trying respawn ...`,
    `Respawned uWSGI worker 1 (new pid: ${1001 + n})`,
  ]);
  writeFileSync(file, `${['spawned uWSGI worker 1 (pid: 1000, cores: 1)', ...lives.flat()].join('\n')}\n`);
  const {findings} = await analyze({inputs: [file]});
  expect(findings.map(({rule}) => rule)).toContain('crash-loop');
}, 120_000);
