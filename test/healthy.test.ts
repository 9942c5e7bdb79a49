import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join, sep} from 'node:path';
import {describe, expect, test} from 'vitest';
import {envelopes} from './envelope/envelopes.ts';
import {diagnosisOf, timedLinesOf} from './envelope/plain-run.ts';

interface Truth {
  readonly expected: readonly string[];
  readonly forcedPids: readonly number[];
  readonly requestsCut: readonly unknown[] | number;
  readonly tasks: {readonly orphaned: readonly unknown[]};
  readonly processes: readonly {readonly killedBy: string | null; readonly role: string; readonly signal: string | null}[];
}

/** Nothing was made to go wrong, and nobody killed, cut or lost anything. */
function isHealthy({expected, forcedPids, requestsCut, tasks, processes}: Truth): boolean {
  const cut = typeof requestsCut === 'number' ? requestsCut : requestsCut.length;
  const killed = processes.some(
    ({killedBy, role, signal}) => killedBy === 'outside' || (role === 'worker' && signal !== null && signal !== 'SIGTERM'),
  );
  return expected.length === 0 && forcedPids.length === 0 && cut === 0 && tasks.orphaned.length === 0 && !killed;
}

const folders = readdirSync('samples', {withFileTypes: true})
  .filter((entry) => entry.isDirectory())
  .flatMap(({name: server}) =>
    readdirSync(join('samples', server))
      .map((scenario) => join('samples', server, scenario))
      .filter((folder) => existsSync(join(folder, 'truth.json'))),
  );

/** uWSGI names a worker that left in the last second of its mercy as killed, and no line tells the difference. */
const NAMED = join('samples', 'uwsgi', 'no-mercy-after-clean-exit');

const healthy = folders
  .filter((folder) => folder !== NAMED && isHealthy(JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as Truth))
  .flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.log'))
      .map((name) => join(folder, name)),
  );

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
  const servers = new Set(healthy.map((file) => file.split(sep)[1]));
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
