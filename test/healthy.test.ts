import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {envelopes} from './envelope/envelopes.ts';
import {diagnosisOf, timedLinesOf} from './envelope/plain-run.ts';
import {logsOf, recordings, type Truth, truthOf} from './recordings.ts';

/** Nothing was made to go wrong, and nobody killed, cut or lost anything. */
function isHealthy({expected, forcedPids, requestsCut, tasks, processes}: Truth): boolean {
  const cut = typeof requestsCut === 'number' ? requestsCut : requestsCut.length;
  const killed = processes.some(
    ({killedBy, role, signal}) => killedBy === 'outside' || (role === 'worker' && signal !== null && signal !== 'SIGTERM'),
  );
  return expected.length === 0 && forcedPids.length === 0 && cut === 0 && tasks.orphaned.length === 0 && !killed;
}

/** uWSGI names a worker that left in the last second of its mercy as killed, and no line tells the difference. */
const NAMED = 'samples/uwsgi/no-mercy-after-clean-exit';

const healthy = recordings()
  .filter((folder) => folder !== NAMED && isHealthy(truthOf(folder)))
  .flatMap(logsOf);

const WRAPPED = [
  'journalctl short-iso',
  'journalctl json',
  'rsyslog, traditional',
  'syslog protocol',
  'docker json-file',
  'docker logs -t',
  'docker compose 2',
  'container runtime',
  'multilog t',
] as const;

test('healthy runs of every server are recorded', () => {
  const servers = new Set(healthy.map((file) => file.split('/')[1]));
  expect([...servers].sort()).toEqual(
    expect.arrayContaining(['daphne', 'gunicorn', 'hypercorn', 'supervisord', 'systemd', 'uvicorn', 'uwsgi']),
  );
  expect(healthy.length).toBeGreaterThan(30);
});

describe.each(healthy)('%s', (file) => {
  const log = readFileSync(file, 'utf8');
  const errorsIn = async (wrapped: string | Buffer) =>
    (await diagnosisOf(wrapped)).findings
      .filter(({severity}) => severity === 'error')
      .map(({rule, title}) => `${rule}: ${title}`);

  test('shows no error as it is', async () => {
    expect(await errorsIn(log)).toEqual([]);
  });

  test.each(WRAPPED)('shows no error in %s', async (name) => {
    expect(await errorsIn(envelopes[name]!.wrap(await timedLinesOf(log)))).toEqual([]);
  });
});
