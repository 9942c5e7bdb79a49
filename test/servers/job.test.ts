import {type ChildProcess, spawn} from 'node:child_process';
import {existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, describe, expect, test} from 'vitest';
import {type Ended, logdoctor} from '../commands/logdoctor.ts';

// What a staging job does: start a real uWSGI, reload it under load, stop it, and hold what it logged against assertions.
// Needs Debian's uwsgi-core and uwsgi-plugin-python3; `npm run test:servers`.
const HEALTHY = `
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
`;
const BLOCKING = `
import threading, time
import uwsgi

uwsgi.post_fork_hook = lambda: threading.Thread(target=time.sleep, args=(300,)).start()
${HEALTHY}`;

const MERCY = 3;
const DEADLINE = 30_000;
const directory = mkdtempSync(join(tmpdir(), 'logdoctor-job-'));
const started: ChildProcess[] = [];
afterAll(() => {
  for (const {pid, exitCode} of started) if (pid !== undefined && exitCode === null) process.kill(-pid, 'SIGKILL');
  rmSync(directory, {recursive: true});
});

/** Gives the log of a server that was reloaded while it answered requests, and then stopped. */
async function reloadedUnderLoad(name: string, app: string): Promise<string> {
  const [log, port] = [join(directory, `${name}.log`), await freePort()];
  writeFileSync(join(directory, `${name}.py`), app);
  const options = ['--plugin', 'python3', '--wsgi-file', `${name}.py`, '--http-socket', `127.0.0.1:${port}`];
  const workers = ['--master', '--processes', '2', '--enable-threads', '--worker-reload-mercy', String(MERCY), '--log-date'];
  const output = openSync(log, 'a');
  const server = spawn('uwsgi', [...options, ...workers], {cwd: directory, stdio: ['ignore', output, output], detached: true});
  started.push(server);
  const answered = async () => {
    const reply = await fetch(`http://127.0.0.1:${port}/`, {signal: AbortSignal.timeout(DEADLINE)}).catch(() => null);
    return reply?.status === 200;
  };
  await until(answered, 'the first answer');
  let isLoaded = true;
  const load = (async () => {
    while (isLoaded) {
      await answered();
      await sleep(50);
    }
  })();
  await sleep(2000);
  server.kill('SIGHUP');
  await until(() => count(log, 'spawned uWSGI worker') >= 4, 'the new generation');
  await until(answered, 'an answer of the new generation');
  await sleep(1000);
  isLoaded = false;
  await load;
  server.kill('SIGINT');
  await until(() => server.exitCode !== null, 'the end of the server');
  return log;
}

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const end = performance.now() + DEADLINE; !(await isSo()); await sleep(100)) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
  }
}

function count(log: string, words: string): number {
  return existsSync(log) ? readFileSync(log, 'utf8').split(words).length - 1 : 0;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function check(log: string): Promise<Ended> {
  const limits = ['--max-reload', '10s', '--max-forced', '0', '--min-coverage', '95%', '--fail-on', 'error'];
  return logdoctor(['check', log, ...limits, '--format', 'github'], {cwd: directory});
}

describe('a job that reloads uWSGI under load and stops it', () => {
  test('passes where the application lets its workers go', async () => {
    const {code, stdout, stderr} = await check(await reloadedUnderLoad('healthy', HEALTHY));
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).not.toMatch(/^::(error|warning)/m);
    expect(stdout).toMatch(/^passed +longest reload: .* of 1 reload;/m);
  }, 120_000);

  test('fails with an annotation where a thread of the application holds them', async () => {
    const log = await reloadedUnderLoad('blocking', BLOCKING);
    const {code, stdout} = await check(log);
    expect(code, stdout).toBe(1);
    expect(stdout).toMatch(/^::error file=\S*blocking\.log,line=\d+,title=max-forced broken::forced kills: [2-9]/m);
    expect(stdout).toMatch(/^::error file=\S*blocking\.log,line=\d+,title=app-threads-block-shutdown/m);
  }, 120_000);

  test('tells before from after', async () => {
    const {code, stdout} = await logdoctor(['compare', 'healthy.log', 'blocking.log'], {cwd: directory});
    expect(stdout).toMatch(/^forced kills +0 of \d+ +[2-9] of \d+ +worse/m);
    expect(code).toBe(1);
  });
});
