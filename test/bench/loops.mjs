#!/usr/bin/env node
// Measures how the time grows with the number of starts, crashes and reloads of a log: four times as many should take four times as long.
//
//   node test/bench/loops.mjs [--count 3000] [--only hup,units] [--program ../other/bin/run.js]
import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {performance} from 'node:perf_hooks';
import {parseArgs} from 'node:util';
import {Stamps} from './clock.mjs';

const BEGIN = Date.UTC(2026, 2, 4, 10);
const MORE = 4;
const PROGRAM = join(import.meta.dirname, '../../bin/run.js');

const stamps = new Stamps();
const iso = (seconds) => stamps.iso(BEGIN + 1000 * seconds);
const ctime = (seconds) => stamps.ctime(BEGIN + 1000 * seconds);
const syslog = (seconds) => ctime(seconds).slice(4, 19);
const gunicorn = (seconds, pid, level, text) => `[${iso(seconds)} +0000] [${pid}] [${level}] ${text}`;

const UWSGI = [
  `*** Starting uWSGI 2.0.21 (64bit) on [${ctime(0)}] ***`,
  'your mercy for graceful operations on workers is 4 seconds',
  'spawned uWSGI master process (pid: 100)',
  'spawned uWSGI worker 1 (pid: 1000, cores: 1)',
];

/** @type {Readonly<Record<string, {first?: readonly string[], turn: (n: number) => readonly string[]}>>} What each turn of a loop writes. */
const LOOPS = {
  crashes: {
    first: UWSGI,
    turn: (n) => [
      `DAMN ! worker 1 (pid: ${1000 + n}) died, killed by signal 11 :( trying respawn ...`,
      `Respawned uWSGI worker 1 (new pid: ${1001 + n})`,
    ],
  },
  harakiri: {
    first: UWSGI,
    turn: (n) => [
      `${ctime(30 * n)} - *** HARAKIRI ON WORKER 1 (pid: ${1000 + n}, try: 1) ***`,
      `DAMN ! worker 1 (pid: ${1000 + n}) died, killed by signal 9 :( trying respawn ...`,
      `Respawned uWSGI worker 1 (new pid: ${1001 + n})`,
    ],
  },
  reloads: {
    first: UWSGI,
    turn: (n) => [
      `${ctime(60 * n + 10)} - *** /srv/reload has been touched... grace them all !!! ***`,
      '...gracefully killing workers...',
      `Gracefully killing worker 1 (pid: ${1000 + n})...`,
      ...(n % 3 === 0
        ? [`${ctime(60 * n + 15)} - worker 1 (pid: ${1000 + n}) is taking too much time to die...NO MERCY !!!`]
        : []),
      'worker 1 buried after 1 seconds',
      'binary reloading uWSGI...',
      `*** Starting uWSGI 2.0.21 (64bit) on [${ctime(60 * n + 16)}] ***`,
      'gracefully (RE)spawned uWSGI master process (pid: 100)',
      `spawned uWSGI worker 1 (pid: ${1001 + n}, cores: 1)`,
    ],
  },
  stops: {
    turn: (n) => [
      `*** Starting uWSGI 2.0.21 (64bit) on [${ctime(60 * n)}] ***`,
      `spawned uWSGI master process (pid: ${100 + 2 * n})`,
      `spawned uWSGI worker 1 (pid: ${101 + 2 * n}, cores: 1)`,
      'SIGINT/SIGTERM received...killing workers...',
      'worker 1 buried after 1 seconds',
      'goodbye to uWSGI.',
    ],
  },
  starts: {
    turn: (n) => [
      `*** Starting uWSGI 2.0.21 (64bit) on [${ctime(60 * n)}] ***`,
      `spawned uWSGI master process (pid: ${100 + 2 * n})`,
      `spawned uWSGI worker 1 (pid: ${101 + 2 * n}, cores: 1)`,
    ],
  },
  hup: {
    first: [gunicorn(0, 100, 'INFO', 'Starting gunicorn 20.1.0'), gunicorn(0, 1000, 'INFO', 'Booting worker with pid: 1000')],
    turn: (n) => [
      gunicorn(20 * n + 10, 100, 'INFO', 'Handling signal: hup'),
      gunicorn(20 * n + 10, 1001 + n, 'INFO', `Booting worker with pid: ${1001 + n}`),
      gunicorn(20 * n + 11, 1000 + n, 'INFO', `Worker exiting (pid: ${1000 + n})`),
    ],
  },
  boots: {
    turn: (n) => [
      gunicorn(15 * n, 100 + 2 * n, 'INFO', 'Starting gunicorn 20.1.0'),
      gunicorn(15 * n, 101 + 2 * n, 'INFO', `Booting worker with pid: ${101 + 2 * n}`),
      gunicorn(15 * n, 101 + 2 * n, 'ERROR', 'Exception in worker process'),
      'Traceback (most recent call last):',
      "ModuleNotFoundError: No module named 'shop'",
      gunicorn(15 * n, 101 + 2 * n, 'INFO', `Worker exiting (pid: ${101 + 2 * n})`),
      gunicorn(15 * n, 100 + 2 * n, 'INFO', 'Shutting down: Master'),
      gunicorn(15 * n, 100 + 2 * n, 'INFO', 'Reason: Worker failed to boot.'),
    ],
  },
  uvicorn: {
    turn: (n) => [
      `INFO:     Started server process [${100 + n}]`,
      'INFO:     Waiting for application startup.',
      'INFO:     Application startup complete.',
      'INFO:     Shutting down',
      'INFO:     Waiting for application shutdown.',
      'INFO:     Application shutdown complete.',
      `INFO:     Finished server process [${100 + n}]`,
    ],
  },
  programs: {
    first: [`${iso(0)},123 INFO supervisord started with pid 7`],
    turn: (n) => [
      `${iso(20 * n)},123 INFO spawned: 'app' with pid ${100 + n}`,
      `${iso(20 * n + 1)},123 INFO success: app entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)`,
      `${iso(20 * n + 9)},123 WARN exited: app (exit status 1; not expected)`,
    ],
  },
  units: {
    turn: (n) => [
      `${syslog(120 * n)} vm systemd[1]: Starting app.service - App...`,
      `${syslog(120 * n)} vm uwsgi[${100 + 2 * n}]: *** Starting uWSGI 2.0.21 (64bit) on [${ctime(120 * n)}] ***`,
      `${syslog(120 * n)} vm uwsgi[${100 + 2 * n}]: spawned uWSGI master process (pid: ${100 + 2 * n})`,
      `${syslog(120 * n)} vm uwsgi[${100 + 2 * n}]: spawned uWSGI worker 1 (pid: ${101 + 2 * n}, cores: 1)`,
      `${syslog(120 * n)} vm systemd[1]: Started app.service - App.`,
      `${syslog(120 * n + 60)} vm systemd[1]: Stopping app.service - App...`,
      `${syslog(120 * n + 60)} vm uwsgi[${100 + 2 * n}]: SIGINT/SIGTERM received...killing workers...`,
      `${syslog(120 * n + 61)} vm uwsgi[${100 + 2 * n}]: worker 1 buried after 1 seconds`,
      `${syslog(120 * n + 61)} vm uwsgi[${100 + 2 * n}]: goodbye to uWSGI.`,
      `${syslog(120 * n + 61)} vm systemd[1]: app.service: Deactivated successfully.`,
      `${syslog(120 * n + 61)} vm systemd[1]: Stopped app.service - App.`,
    ],
  },
};

const {values} = parseArgs({
  options: {count: {type: 'string', default: '3000'}, only: {type: 'string'}, program: {type: 'string', default: PROGRAM}},
});
const count = Number(values.count);
const names = values.only?.split(',') ?? Object.keys(LOOPS);
const unknown = names.filter((name) => !Object.hasOwn(LOOPS, name));
if (unknown.length > 0) throw new Error(`there is no loop "${unknown[0]}": ${Object.keys(LOOPS).join(', ')}`);
const directory = mkdtempSync(join(tmpdir(), 'logdoctor-loops-'));

/** Seconds that a log of so many turns takes. */
function seconds(name, turns) {
  const {first = [], turn} = LOOPS[name];
  const path = join(directory, `${name}.log`);
  writeFileSync(path, [...first, ...Array.from({length: turns}, (_, n) => turn(n)).flat(), ''].join('\n'));
  const begin = performance.now();
  const {status} = spawnSync(process.execPath, [values.program, 'analyze', path], {stdio: ['ignore', 'ignore', 'inherit']});
  if (status !== 0 && status !== 1) throw new Error(`logdoctor failed on ${path}`);
  return (performance.now() - begin) / 1000;
}

console.log(`| loop       | ${count} turns, s | ${MORE * count} turns, s | ratio |`);
console.log('|------------|-------------:|--------------:|------:|');
for (const name of names) {
  const [few, many] = [seconds(name, count), seconds(name, MORE * count)];
  const cells = [few.toFixed(2).padStart(12), many.toFixed(2).padStart(13), (many / few).toFixed(1).padStart(5)];
  console.log(`| ${name.padEnd(10)} | ${cells.join(' | ')} |`);
}
rmSync(directory, {recursive: true});
