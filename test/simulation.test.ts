import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Ajv2020} from 'ajv/dist/2020.js';
import {describe, expect, test} from 'vitest';
import {analyze} from '../src/analyze.ts';
import {simulationSchema} from '../src/report/schema.ts';
import {simulationJson, simulationText} from '../src/report/simulation.ts';
import {SIMULATED, type Wish} from '../src/simulation/settings.ts';
import {type Simulation, simulate} from '../src/simulation/simulate.ts';

const directory = mkdtempSync(join(tmpdir(), 'logdoctor-simulate-'));

function wish(text: string): Wish {
  const [name = '', value = ''] = text.split('=');
  const setting = SIMULATED.find((each) => each.name === name);
  if (setting === undefined) throw new Error(`${name} cannot be simulated`);
  return {...setting, value, seconds: setting.takes === 'seconds' ? Number(value) : 0};
}

async function simulated(log: string, ...wishes: readonly string[]): Promise<Simulation> {
  const {timeline} = await analyze({inputs: [log]});
  return simulate(timeline, wishes.map(wish));
}

const CHAIN = 'samples/reported/002-chain-reload-4-minutes.log';
const HELD = 'samples/uwsgi/idle-workers-held-by-thread-prefork/uwsgi.log';

test('a chain of four that each waited for 61 s, with a mercy of 5 s', async () => {
  const {reloads, cannotTell} = await simulated(CHAIN, 'worker-reload-mercy=5');
  expect(reloads).toHaveLength(1);
  const [chain] = reloads;
  expect(chain?.workers).toHaveLength(4);
  for (const {wait, kills} of chain?.workers ?? []) {
    expect(wait.now.min).toBeGreaterThanOrEqual(61);
    expect(wait.after).toEqual({min: 5, max: 7});
    expect(kills).toEqual({now: 1, after: {min: 1, max: 1}});
  }
  expect(chain?.duration.now).toEqual({min: 252, max: 252});
  expect(chain?.duration.after.min).toBeGreaterThanOrEqual(4 * 5);
  expect(chain?.duration.after.max).toBeLessThanOrEqual(4 * 7 + (252 - 4 * 61));
  expect(cannotTell.join()).toContain('no request lines');
});

test('the mercy that was in force changes nothing', async () => {
  for (const log of [CHAIN, HELD, 'samples/uwsgi/healthy-reload/uwsgi.log']) {
    const {total} = await simulated(log, 'reload-mercy=1');
    expect(total.duration.after).toEqual(total.duration.now);
    expect(total.kills.after).toEqual({min: total.kills.now, max: total.kills.now});
  }
});

test('a worker that was killed might have left by itself, had it been waited for', async () => {
  const {reloads, cannotTell} = await simulated('samples/uwsgi/mercy-too-short/uwsgi.log', 'worker-reload-mercy=30');
  for (const {wait, kills} of reloads.flatMap(({workers}) => workers)) {
    expect(wait.after.min).toBeGreaterThanOrEqual(wait.now.min);
    expect(wait.after.max).toBe(32);
    expect(kills.after).toEqual({min: 0, max: 1});
  }
  expect(cannotTell.join()).toMatch(/would have left by itself within 30 s/);
});

test('what is not waited for at the exit is gone at once, as far as it was the exit', async () => {
  const idle = await simulated(HELD, 'skip-atexit-teardown=true');
  expect(idle.reloads[0]?.workers.map(({wait}) => wait.after)).toEqual(Array(3).fill({min: 0, max: 2}));
  const off = await simulated(HELD, 'skip-atexit-teardown=false');
  expect(off.total.kills).toEqual({now: 3, after: {min: 3, max: 3}});
  const lazy = await simulated('samples/uwsgi/idle-workers-held-by-thread-lazy-apps/uwsgi.log', 'py-call-uwsgi-fork-hooks=true');
  expect(lazy.total.kills.after.min).toBe(lazy.total.kills.now);
  const request = await simulated('samples/uwsgi/request-outlives-mercy/uwsgi.log', 'skip-atexit-teardown=true');
  expect(request.total.kills.after.max).toBeGreaterThan(0);
});

test('requests that took longer than the new mercy are counted', async () => {
  const requests = [200, 300, 7000, 9000].map(
    (ms, n) =>
      `[pid: 101|app: 0|req: ${n + 1}/${n + 1}] 127.0.0.1 () {28 vars in 300 bytes} [Fri Nov 20 10:00:0${n} 2026] GET / => generated 3 bytes in ${ms} msecs (HTTP/1.1 200) 1 headers in 44 bytes (1 switches on core 0)\n`,
  );
  const log = join(directory, 'requests.log');
  writeFileSync(
    log,
    `*** Starting uWSGI 2.0.21 (64bit) on [Fri Nov 20 09:59:00 2026] ***
spawned uWSGI master process (pid: 100)
spawned uWSGI worker 1 (pid: 101, cores: 1)
${requests.join('')}...gracefully killing workers...
Gracefully killing worker 1 (pid: 101)...
worker 1 buried after 1 seconds
binary reloading uWSGI...
`,
  );
  const {requests: counted} = await simulated(log, 'worker-reload-mercy=5');
  expect(counted).toEqual({count: 4, longer: 2, limit: 5});
});

test('a program that its outer supervisor killed: more time, and it might have stopped', async () => {
  const log = join(directory, 'supervisord.log');
  writeFileSync(
    log,
    `2026-11-20 10:00:00,000 INFO supervisord started with pid 1
2026-11-20 10:00:01,000 INFO spawned: 'web' with pid 100
2026-11-20 10:01:00,000 INFO waiting for web to stop
2026-11-20 10:01:10,000 WARN killing 'web' (100) with SIGKILL
2026-11-20 10:01:10,100 WARN stopped: web (terminated by SIGKILL)
`,
  );
  const longer = await simulated(log, 'stopwaitsecs=70');
  expect(longer.reloads.map(({id, kills}) => [id, kills])).toEqual([['web', {now: 1, after: {min: 0, max: 1}}]]);
  expect(longer.total.duration.after).toMatchObject({max: 72});
  expect((await simulated(log, 'stopwaitsecs=3')).total.duration.after.max).toBe(5);
  expect((await simulated(log, 'worker-reload-mercy=3')).reloads).toEqual([]);
});

describe('gunicorn', () => {
  const stopped = 'samples/gunicorn/stop-held-by-thread/gunicorn.log';
  const reloaded = 'samples/gunicorn/hup-held-by-thread/gunicorn.log';

  test('a stop ends at graceful_timeout', async () => {
    const {total} = await simulated(stopped, 'graceful_timeout=2');
    expect(total).toEqual({duration: {now: {min: 5, max: 5}, after: {min: 2, max: 3}}, kills: {now: 3, after: {min: 3, max: 3}}});
    const longer = await simulated(stopped, 'graceful_timeout=30');
    expect(longer.total.kills.after).toEqual({min: 0, max: 3});
    expect(longer.cannotTell.join()).toContain('would have left by itself within 30 s');
    expect((await simulated(stopped, 'timeout=2')).total.duration.after).toEqual({min: 5, max: 5});
  });

  test('a worker that finished its request in 3 s would have been killed after 1 s', async () => {
    const {reloads} = await simulated('samples/gunicorn/stop-request-finishes/gunicorn.log', 'graceful_timeout=1');
    expect(reloads[0]?.workers.map(({kills}) => kills.after.min).sort()).toEqual([0, 0, 1]);
  });

  test('at a HUP it is timeout that kills', async () => {
    const {total, cannotTell} = await simulated(reloaded, 'graceful_timeout=2');
    expect(total.kills.after).toEqual({min: 3, max: 3});
    expect(total.duration.after).toEqual(total.duration.now);
    expect(cannotTell.join()).toContain('what graceful_timeout would have done at a HUP');
    const {timeline} = await analyze({inputs: [reloaded], configs: [reloaded.replace('gunicorn.log', 'gunicorn.conf.py')]});
    const replay = (text: string) => simulate(timeline, [wish(text)]).total;
    expect(replay('timeout=5').duration.after).toEqual({min: 2, max: 4});
    expect(replay('timeout=3')).toMatchObject({duration: {after: {min: 0, max: 2}}, kills: {after: {min: 3, max: 3}}});
    expect(replay('timeout=0')).toMatchObject({duration: {after: {min: 3, max: null}}, kills: {after: {min: 0, max: 0}}});
  });

  test('without the value that was in force, only bounds', async () => {
    const {total, cannotTell} = await simulated(reloaded, 'timeout=30');
    expect(total).toMatchObject({duration: {after: {min: 0, max: 31}}, kills: {after: {min: 0, max: 3}}});
    expect(cannotTell.join()).toContain('which timeout was in force');
  });
});

describe('how it is written down', () => {
  test('for people', async () => {
    const {timeline} = await analyze({inputs: [CHAIN]});
    const text = simulationText(simulate(timeline, [wish('worker-reload-mercy=5')]), timeline, {width: 100, quiet: false});
    expect(text).toMatch(/^Try {5}worker-reload-mercy = 5 \(it was 60 s, going by the waits\)\n/);
    expect(text).toContain('worker 1 (pid 7759): waited for 61 to 62 s -> 5 to 7 s; killed all the same');
    expect(text).toMatch(/Total .*252 s.* -> .*; killed 4 -> 4/);
    expect(text).toContain('Cannot be told');
  });

  test('for programs', async () => {
    const report = JSON.parse(simulationJson(await simulated(HELD, 'worker-reload-mercy=1')));
    expect(report).toMatchObject({
      schemaVersion: 1,
      settings: [{name: 'worker-reload-mercy', value: 1}],
      total: {kills: {now: 3, after: {min: 3, max: 3}}},
    });
    expect(report.reloads[0].workers).toHaveLength(3);
    const validate = new Ajv2020({strict: false}).compile(simulationSchema);
    expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
  });
});
