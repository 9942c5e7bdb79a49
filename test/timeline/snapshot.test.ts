import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {analyze} from '../../src/analyze.ts';
import {text} from '../../src/report/text.ts';

const LOG = 'samples/reported/003-max-requests-recycle-blocked.log';
const SNAPSHOT = 'samples/reported/003-uwsgitop.txt';

async function pasted(log: string) {
  const file = join(mkdtempSync(join(tmpdir(), 'logdoctor-')), 'pasted.log');
  writeFileSync(file, log);
  return analyze({inputs: [file]});
}

test('a snapshot joins the server whose processes it shows', async () => {
  const {timeline, findings} = await analyze({inputs: [LOG, SNAPSHOT]});
  expect(timeline.instances).toHaveLength(1);
  const {version, processes} = timeline.instances[0]!;
  expect(version).toBe('2.0.20');
  // It had said goodbye without its number, and the snapshot shows the only number that nobody else has had.
  expect(processes.find(({pid}) => pid === 19859)).toMatchObject({worker: 3, successorPid: 20285});
  expect(processes.filter(({end}) => end === 'running').map(({pid}) => pid)).toEqual([20201, 20204, 20205, 20285]);
  expect(findings.map(({rule}) => rule)).toEqual(['recycle-blocked', 'synchronized-recycling']);
});

test('that somebody looked later is no silence of the log', async () => {
  const {timeline} = await analyze({inputs: [LOG, SNAPSHOT]});
  expect(timeline.to).toBe(Date.UTC(2024, 0, 22, 10, 43, 23));
});

test('of a snapshot older than the log, nothing replaces a worker', async () => {
  const {timeline} = await pasted(
    [
      'Respawned uWSGI worker 1 (new pid: 900)',
      'Mon Jan 22 11:00:00 2024 - worker 2 (pid: 700) is taking too much time to die...NO MERCY !!!',
      'worker 2 killed successfully (pid: 700)',
      'Respawned uWSGI worker 2 (new pid: 901)',
      'uwsgi-2.0.20 - Mon Jan 22 10:00:00 2024 - req: 400 - RPS: 0 - lq: 0 - tx: 13.2M',
      '2 26.2 650 100 0 0 0 idle 16ms 0 0 4.1M 3 0 49351.395 09:43:22',
      '',
    ].join('\n'),
  );
  const processes = timeline.instances.flatMap((instance) => instance.processes);
  expect(processes.find(({pid}) => pid === 901)).toMatchObject({end: 'running'});
});

test('the report names the line that a snapshot contradicts', async () => {
  const diagnosis = await pasted(
    [
      'Mon Jan 22 11:00:00 2024 - worker 2 (pid: 700) is taking too much time to die...NO MERCY !!!',
      'worker 2 killed successfully (pid: 700)',
      'Respawned uWSGI worker 2 (new pid: 901)',
      'uwsgi-2.0.20 - Mon Jan 22 12:00:00 2024 - req: 400 - RPS: 0 - lq: 0 - tx: 13.2M',
      '2 26.2 700 100 0 0 0 idle 16ms 0 0 4.1M 3 0 49351.395 09:43:22',
      '',
    ].join('\n'),
  );
  const report = text.render(diagnosis, {width: 1000, color: false, quiet: false, showRules: false});
  expect(report).toContain('worker 2 (pid 700): idle');
  expect(report).toContain('contradicts pasted.log:2');
});

test('a worker whose server was over is running where a later snapshot shows it', async () => {
  const start = ['*** Starting uWSGI 2.0.20 (64bit) on [Mon Jan 22 10:00:00 2024] ***', 'spawned uWSGI master process (pid: 1)'];
  const {timeline} = await pasted(
    [
      ...start,
      'spawned uWSGI worker 1 (pid: 601, cores: 1)',
      ...start.map((line) => line.replace('10:00', '11:00')),
      'spawned uWSGI worker 1 (pid: 651, cores: 1)',
      'uwsgi-2.0.20 - Mon Jan 22 12:00:00 2024 - req: 4 - RPS: 0 - lq: 0 - tx: 1.2K',
      '1 100.0 601 4 0 0 0 busy 16ms 0 0 1.2K 1 0 49.3 10:00:00',
      '',
    ].join('\n'),
  );
  const processes = timeline.instances.flatMap((instance) => instance.processes);
  expect(processes.find(({pid}) => pid === 601)).toMatchObject({end: 'running'});
});

test('a worker that said goodbye is still there where a later snapshot shows it', async () => {
  const {timeline} = await pasted(
    [
      'Mon Jan 22 11:00:00 2024 - *** no app loaded. going in full dynamic mode ***',
      '...The work of process 700 is done. Seeya!',
      'uwsgi-2.0.20 - Mon Jan 22 12:00:00 2024 - req: 400 - RPS: 0 - lq: 0 - tx: 13.2M',
      '1 26.2 700 100 0 0 0 idle 16ms 0 0 4.1M 3 0 49351.395 09:43:22',
      '',
    ].join('\n'),
  );
  const [process] = timeline.instances.flatMap((instance) => instance.processes);
  expect(process).toMatchObject({pid: 700, worker: 1, end: 'running', ended: null});
});

test('workers replaced at one moment are named, workers replaced one after the other are not', async () => {
  const report = async (times: readonly string[]) =>
    text.render(
      await pasted(
        [
          'uwsgi-2.0.20 - Mon Jan 22 12:00:00 2024 - req: 400 - RPS: 0 - lq: 0 - tx: 13.2M',
          ...times.map((time, n) => `${n + 1} 33.3 ${700 + n} 100 0 0 0 idle 16ms 0 0 4.1M 3 0 49351.395 ${time}`),
          '',
        ].join('\n'),
      ),
      {width: 1000, color: false, quiet: false, showRules: false},
    );
  expect(await report(['10:43:22', '10:43:23', '10:50:00'])).toContain('Workers 1, 2 were last replaced within');
  expect(await report(['10:43:22', '10:46:23', '10:50:00'])).not.toContain('were last replaced');
});

test('a snapshot taken before the end of a process contradicts nothing', async () => {
  const diagnosis = await pasted(
    [
      'Mon Jan 22 11:00:00 2024 - worker 1 (pid: 700) is taking too much time to die...NO MERCY !!!',
      'worker 2 killed successfully (pid: 701)',
      'Mon Jan 22 11:10:00 2024 - worker 3 (pid: 702) is taking too much time to die...NO MERCY !!!',
      'uwsgi-2.0.20 - Mon Jan 22 11:05:00 2024 - req: 400 - RPS: 0 - lq: 0 - tx: 13.2M',
      '2 26.2 701 100 0 0 0 idle 16ms 0 0 4.1M 3 0 49351.395 09:43:22',
      '',
    ].join('\n'),
  );
  const report = text.render(diagnosis, {width: 1000, color: false, quiet: false, showRules: false});
  expect(report).toContain('worker 2 (pid 701): idle');
  expect(report).not.toContain('contradicts');
});
