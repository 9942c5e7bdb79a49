import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {holdsTruth} from '../recorded-truth.ts';

// Causes the troubles anew with real servers and asks whether logdoctor tells what the kernel saw. Needs the Debian
// packages that samples/record/README.md names; `npm run test:servers`.
const scenarios = [
  'uwsgi/healthy-reload',
  'uwsgi/idle-workers-held-by-thread-prefork',
  'uwsgi/request-outlives-mercy',
  'uwsgi/chain-reload-slow',
  'uwsgi/max-requests-orphans-tasks',
  'uwsgi/recycle-blocked',
  'uwsgi/lifetime-never-came-back',
  'uwsgi/stop-hangs',
  'uwsgi/stop-healthy',
  'uwsgi/two-instances-one-file',
  'supervisord/uwsgi-stop-healthy',
  'supervisord/uwsgi-stop-became-reload',
  'supervisord/uwsgi-survivors-hold-port',
];

const out = mkdtempSync(join(tmpdir(), 'logdoctor-servers-'));
afterAll(() => rmSync(out, {recursive: true}));

function record(names: readonly string[], timeout: number, ...options: readonly string[]): string {
  const {stdout, stderr} = spawnSync('python3', ['samples/record/record.py', '--out', out, ...options, ...names], {
    encoding: 'utf8',
    timeout,
  });
  return stdout + stderr;
}

let printed = '';
beforeAll(() => {
  printed = record(scenarios, 360_000, '--jobs', '4');
}, 370_000);

describe.each(scenarios)('%s', (scenario) => {
  test('is recorded', () => expect(existsSync(join(out, scenario, 'truth.json')), printed).toBe(true));
  holdsTruth(() => join(out, scenario), {hasOutsiders: false});
});

// A systemd of its own needs namespaces and control groups that not every machine allows: where it cannot be booted, these are
// skipped and say why. SYSTEMD=1 demands them, SYSTEMD=0 leaves them out.
const wanted = process.env['SYSTEMD'] ?? '';
const isDemanded = wanted === '1';
const units = ['systemd/uwsgi-stop-healthy', 'systemd/uwsgi-timeout-below-mercy'];

function obstacle(): string | null {
  if (wanted === '0') return 'SYSTEMD=0';
  if (!existsSync('/lib/systemd/systemd')) return 'systemd is not installed';
  if (!existsSync('/sys/fs/cgroup/systemd')) return 'this machine has no control groups of version 1';
  const {status, stderr} = spawnSync('unshare', ['--mount', '--pid', '--uts', '--ipc', '--cgroup', '--fork', 'true'], {
    encoding: 'utf8',
  });
  return status === 0 ? null : `no namespaces of one's own: ${stderr?.trim() || 'unshare is missing'}`;
}

const hindered = isDemanded ? null : obstacle();
if (hindered !== null) process.stderr.write(`skipped: the recordings of systemd: ${hindered}\n`);

describe.skipIf(hindered !== null)('a real systemd', () => {
  let said = '';
  beforeAll(() => {
    said = record(units, 80_000, '--jobs', '2', '--attempts', '1');
    if (missing().length > 0) process.stderr.write(`skipped: the recordings of systemd, ${missing().join(', ')}: ${said}\n`);
  }, 90_000);
  const missing = () => units.filter((unit) => !existsSync(join(out, unit, 'truth.json')));

  describe.each(units)('%s', (unit) => {
    beforeEach(({skip}) => {
      if (!isDemanded) skip(missing().includes(unit), 'it could not be recorded here');
    });
    test('is recorded', () => expect(missing(), said).not.toContain(unit));
    holdsTruth(() => join(out, unit), {hasOutsiders: false});
  });
});
