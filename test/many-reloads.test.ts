import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, expect, test} from 'vitest';
import {analyze} from '../src/analyze.ts';

const directory = mkdtempSync(join(tmpdir(), 'logdoctor-many-'));
afterAll(() => rmSync(directory, {recursive: true}));

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
