import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {holdsTruth} from '../recorded-truth.ts';

// Causes the troubles anew with real servers and asks whether logdoctor tells what the kernel saw. Needs the Debian
// packages that samples/record/README.md names; `npm run test:servers`. With SYSTEMD=1 also those that boot a systemd, for
// which namespaces and control groups of one's own must be allowed.
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
  ...(process.env['SYSTEMD'] === '1' ? ['systemd/uwsgi-stop-healthy', 'systemd/uwsgi-timeout-below-mercy'] : []),
];

const out = mkdtempSync(join(tmpdir(), 'logdoctor-servers-'));
afterAll(() => rmSync(out, {recursive: true}));

let printed = '';
beforeAll(() => {
  const recorder = spawnSync('python3', ['samples/record/record.py', '--out', out, '--jobs', '4', ...scenarios], {
    encoding: 'utf8',
    timeout: 360_000,
  });
  printed = recorder.stdout + recorder.stderr;
}, 370_000);

describe.each(scenarios)('%s', (scenario) => {
  test('is recorded', () => expect(existsSync(join(out, scenario, 'truth.json')), printed).toBe(true));
  holdsTruth(() => join(out, scenario));
});
