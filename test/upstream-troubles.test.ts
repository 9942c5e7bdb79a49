import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {analyze} from '../src/analyze.ts';
import {upstreamTroubles} from '../src/rules/upstream-troubles.ts';

const directory = mkdtempSync(join(tmpdir(), 'logdoctor-upstream-'));

const start = (version: string) => [
  `*** Starting uWSGI ${version} (64bit) on [Wed Mar  4 10:00:00 2026] ***`,
  '*** Operational MODE: preforking ***',
  'your mercy for graceful operations on workers is 5 seconds',
  "WSGI app 0 (mountpoint='') ready in 0 seconds on interpreter 0x7f96c5b60018 pid: 100 (default app)",
  'spawned uWSGI master process (pid: 100)',
  'spawned uWSGI worker 1 (pid: 201, cores: 1)',
  'spawned uWSGI worker 2 (pid: 202, cores: 1)',
];
const request = (pid: number, clock: string) =>
  `[pid: ${pid}|app: 0|req: 1/1] 127.0.0.1 () {22 vars in 240 bytes} [Wed Mar  4 ${clock} 2026] GET /list => generated 3 bytes ` +
  'in 90 msecs (HTTP/1.1 200) 1 headers in 45 bytes (1 switches on core 0)';
const touch = 'Wed Mar  4 10:00:30 2026 - *** /srv/reload has been touched... grace them all !!! ***';
const stop = 'Wed Mar  4 10:00:30 2026 - graceful shutdown triggered...';

/** A log with that version, and the rule that meets the trouble. */
const CASES: Readonly<Record<string, {rule: string; log: (version: string) => string; within: string[]; outside: string[]}>> = {
  'exit-hang': {
    rule: 'app-threads-block-shutdown',
    log: (version) =>
      readFileSync('test/rules/app-threads-block-shutdown/fires-known-fault.log', 'utf8').replaceAll(
        /Starting uWSGI [\d.]+/g,
        `Starting uWSGI ${version}`,
      ),
    within: ['2.0.25', '2.0.25.1', '2.0.26', '2.0.26-debian'],
    outside: ['2.0.24', '2.0.27', '2.0.28', '2.1-dev'],
  },
  'reload-blocks': {
    rule: 'reload-unfinished',
    log: (version) => [...start(version), touch, request(202, '10:00:41'), request(201, '10:05:41')].join('\n'),
    within: ['2.0.27'],
    outside: ['2.0.26', '2.0.28'],
  },
  'stop-blocks': {
    rule: 'reload-unfinished',
    log: (version) =>
      [
        ...start(version),
        stop,
        request(202, '10:00:29'),
        'spawned uWSGI master process (pid: 300)',
        request(301, '10:05:41'),
      ].join('\n'),
    within: ['2.0.27', '2.0.28', '2.0.30'],
    outside: ['2.0.26', '2.0.31', '2.1'],
  },
  'kill-repeats': {
    rule: 'kill-without-effect',
    log: (version) =>
      [
        ...start(version),
        stop,
        'Gracefully killing worker 1 (pid: 201)...',
        'Gracefully killing worker 2 (pid: 202)...',
        ...['36', '42', '48'].map(
          (second) => `Wed Mar  4 10:00:${second} 2026 - worker 1 (pid: 201) is taking too much time to die...NO MERCY !!!`,
        ),
      ].join('\n'),
    within: ['2.0.27', '2.0.30'],
    outside: ['2.0.26', '2.0.31', '2.1'],
  },
  'abort-at-fork': {
    rule: 'known-upstream-trouble',
    log: (python) => readFileSync('test/rules/known-upstream-trouble/fires-python-3.13.log', 'utf8').replace('3.13.1', python),
    within: ['3.13.0', '3.14.2'],
    outside: ['3.12.9', '3.9.2'],
  },
  'crash-at-exit': {
    rule: 'worker-crashed',
    log: (version) =>
      [
        ...start(version).filter((line) => !line.startsWith('WSGI')),
        "WSGI app 0 (mountpoint='') ready in 0 seconds on interpreter 0x7f96c5b60018 pid: 201 (default app)",
        "WSGI app 0 (mountpoint='') ready in 0 seconds on interpreter 0x7f96c5b60018 pid: 202 (default app)",
        '...The work of process 201 is done. Seeya!',
        '!!! uWSGI process 201 got Segmentation Fault !!!',
        'DAMN ! worker 1 (pid: 201) died, killed by signal 11 :( trying respawn ...',
        'Respawned uWSGI worker 1 (new pid: 203)',
      ].join('\n'),
    within: ['2.0.21', '2.0.29'],
    outside: ['2.0.30', '2.1'],
  },
};

async function isNamed(signature: string, version: string): Promise<boolean> {
  const {rule, log} = CASES[signature]!;
  const file = join(directory, 'uwsgi.log');
  writeFileSync(file, `${log(version)}\n`);
  const {findings} = await analyze({inputs: [file]});
  const {reference} = upstreamTroubles.find((trouble) => trouble.signature === signature)!;
  const told = findings.filter((finding) => finding.rule === rule);
  return told.some(({message, against}) => [message, ...against.map(({because}) => because)].join(' ').includes(reference));
}

test('every known trouble has its case', () => {
  expect(upstreamTroubles.map(({signature}) => signature).sort()).toEqual(Object.keys(CASES).sort());
});

describe.each(Object.entries(CASES))('%s', (signature, {within, outside}) => {
  test.each(within)('is named on %s', async (version) => {
    expect(await isNamed(signature, version)).toBe(true);
  });

  test.each(outside)('is not named on %s', async (version) => {
    expect(await isNamed(signature, version)).toBe(false);
  });
});
