import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {type AnalyzeOptions, analyze} from '../../src/analyze.ts';

const directory = mkdtempSync(join(tmpdir(), 'logdoctor-tasks-'));

/** A log of two workers, of which the first is recycled by NO MERCY, or is said to leave and nothing more. */
const START = [
  '*** Starting uWSGI 2.0.21 (64bit) on [Wed Mar  4 10:00:00 2026] ***',
  'your mercy for graceful operations on workers is 3 seconds',
  'spawned uWSGI master process (pid: 100)',
  'spawned uWSGI worker 1 (pid: 201, cores: 1)',
  'spawned uWSGI worker 2 (pid: 202, cores: 1)',
];
const LEAVES = ['...The work of process 201 is done. Seeya!'];
const IS_KILLED = [
  ...LEAVES,
  'Wed Mar  4 10:00:09 2026 - worker 1 (pid: 201) is taking too much time to die...NO MERCY !!!',
  'worker 1 killed successfully (pid: 201)',
  'Respawned uWSGI worker 1 (new pid: 401)',
];

async function ledger(lines: readonly string[], options: Partial<AnalyzeOptions> = {}) {
  const file = join(directory, 'uwsgi.log');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const {timeline} = await analyze({inputs: [file], ...options});
  const {started, finished, retried, orphaned} = timeline.tasks;
  return {started, finished, retried, lost: orphaned.map(({id, pid, worker}) => `${id} in ${pid} (${worker})`)};
}

const at = (second: number, text: string) => `2026-03-04 10:00:0${second},100 ${text}`;

describe('a task is lost', () => {
  test('where its process is gone', async () => {
    const {lost} = await ledger([...START, at(1, 'app 201 139975189329600 start task 7'), ...IS_KILLED]);
    expect(lost).toEqual(['7 in 201 (1)']);
  });

  test('where two without ids ran side by side and one ended', async () => {
    const begun = [at(1, '[201] INFO starting task'), at(1, '[201] INFO starting task')];
    const {lost, finished} = await ledger([...START, ...begun, at(2, '[201] INFO finished task'), ...IS_KILLED]);
    expect([lost, finished]).toEqual([['null in 201 (1)'], 1]);
  });

  test('where ids repeat in every process, so that the same id elsewhere is another task', async () => {
    const counted = [1, 2, 3].flatMap((id) => [at(1, `[202] start task ${id}`), at(2, `[202] end task ${id}`)]);
    const own = [1, 2].flatMap((id) => [at(3, `[201] start task ${id}`), at(3, `[201] end task ${id}`)]);
    const again = [at(9, '[401] start task 1'), at(9, '[401] end task 1'), at(9, '[401] start task 3')];
    const {lost} = await ledger([...START, ...counted, ...own, at(4, '[201] start task 3'), ...IS_KILLED, ...again]);
    expect(lost).toEqual(['3 in 201 (1)']);
  });

  test('where no line names its process, and all that can have run it are gone', async () => {
    const stop = ['SIGINT/SIGTERM received...killing workers...', 'worker 1 buried after 1 seconds', 'goodbye to uWSGI.'];
    const begun =
      'INFO:apscheduler.executors.default:Running job "tick (trigger: interval[0:00:05], next run at: x)" (scheduled at y)';
    const {lost} = await ledger([...START, begun, ...stop]);
    expect(lost).toEqual(['tick in null (null)']);
  });
});

describe('a task is not lost', () => {
  test.each([
    ['that ends after its process said goodbye', [at(1, '[201] start task 7'), ...LEAVES, at(8, '[201] end task 7')]],
    ['whose process said goodbye and may still be at it', [at(1, '[201] start task 7'), ...LEAVES]],
    ['whose process runs', [at(1, '[202] start task 7'), ...IS_KILLED]],
    [
      'whose thread went on with another',
      [
        at(1, 'app 201 139975189329600 start task 7'),
        at(2, 'app 201 139975189329600 start task 8'),
        at(3, 'app 201 139975189329600 end task 8'),
        ...IS_KILLED,
      ],
    ],
    ['that another process ends', [at(1, '[201] Received task 7'), at(3, '[202] task 7 succeeded'), ...IS_KILLED]],
    [
      'that no line ties to a process, while some live on',
      ['[Q] INFO Process-1:8 processing [venus-rugby-cola-kitten]', ...IS_KILLED],
    ],
  ])('%s', async (_, lines) => {
    expect((await ledger([...START, ...lines])).lost).toEqual([]);
  });

  test('that is begun again elsewhere', async () => {
    const {lost, retried} = await ledger([...START, at(1, '[201] start task 7'), ...IS_KILLED, at(9, '[401] start task 7')]);
    expect([lost, retried]).toEqual([[], 1]);
  });
});

describe('a Celery worker', () => {
  const banner = (node: string) => [
    ` -------------- ${node} v5.2.6 (dawn-chorus)`,
    '- *** --- * --- .> concurrency: 2 (prefork)',
  ];
  const says = (second: number, text: string) => `[2026-11-21 10:00:0${second},000: ${text}`;
  const ready = (second: number, node: string) => says(second, `INFO/MainProcess] ${node} ready.`);
  const takes = (second: number, id: string) => says(second, `INFO/MainProcess] Task shop.mail[${id}] received`);
  const ends = (second: number, id: string) =>
    says(second, `INFO/ForkPoolWorker-1] Task shop.mail[${id}] succeeded in 0.3s: None`);
  const start = (second: number, node = 'celery@vm') => [...banner(node), ready(second, node)];
  const lostOf = async (...lines: readonly string[]) => {
    const {lost, retried} = await ledger(lines);
    return {lost: lost.map((each) => each.split(' ')[0]), retried};
  };

  test('that starts anew has lost what it had taken', async () => {
    expect(await lostOf(...start(1), takes(2, 'a1'), takes(2, 'b2'), ends(3, 'a1'), ...start(5))).toEqual({
      lost: ['b2'],
      retried: 0,
    });
  });

  test('gets a task again that its broker gives out again', async () => {
    const lines = [...start(1), takes(2, 'a1'), ...start(5), takes(6, 'a1'), ends(7, 'a1')];
    expect(await lostOf(...lines)).toEqual({lost: [], retried: 1});
  });

  test('of another node is another worker', async () => {
    expect(await lostOf(...start(1), takes(2, 'a1'), ends(2, 'a1'), takes(3, 'b2'), ...start(5, 'mail@vm'))).toMatchObject({
      lost: [],
    });
  });

  test('that goes on with what it had taken was not replaced: two have one name', async () => {
    const lines = [...start(1), takes(2, 'a1'), takes(2, 'b2'), ...start(5), ends(6, 'a1')];
    expect(await lostOf(...lines)).toMatchObject({lost: []});
  });

  test('whose pool writes into another file tells nothing of the ends', async () => {
    const ids = [...'abcdefghijkl'];
    expect(await lostOf(...start(1), ...ids.map((id) => takes(2, `${id}1`)), ...start(5))).toMatchObject({lost: []});
  });

  test('loses as many tasks as processes are gone, where no others are open', async () => {
    const lost = says(
      4,
      "ERROR/MainProcess] Task handler raised error: WorkerLostError('Worker exited prematurely: signal 9 (SIGKILL) Job: 1.')",
    );
    expect(await lostOf(...start(1), takes(2, 'a1'), ends(3, 'a1'), takes(3, 'b2'), lost)).toMatchObject({lost: ['b2']});
    // Which of the two, no line tells.
    expect(await lostOf(...start(1), takes(2, 'a1'), takes(3, 'b2'), lost)).toMatchObject({lost: []});
  });
});

describe("the user's own expressions", () => {
  const tasks = {start: 'picked up (?<id>\\w+)', end: '(?P<id>\\w+) is through'};

  test('take the pid from the layout', async () => {
    const lines = [at(1, '[201] INFO picked up abc'), at(2, '[201] INFO picked up def'), at(3, '[201] INFO abc is through')];
    const {started, lost} = await ledger([...START, ...lines, ...IS_KILLED], {tasks});
    expect([started, lost]).toEqual([2, ['def in 201 (1)']]);
  });

  test('take the pid and the thread from groups, and may mean the line with its stamp', async () => {
    const named = {start: '^2026\\S+ \\S+ p(?<pid>\\d+) t(?<thread>\\d+) go', end: 'p(?<pid>\\d+) t(?<thread>\\d+) stop'};
    const lines = [at(1, 'p201 t1 go'), at(1, 'p201 t2 go'), at(2, 'p201 t1 stop')];
    const {started, lost} = await ledger([...START, ...lines, ...IS_KILLED], {tasks: named});
    expect([started, lost]).toEqual([2, ['null in 201 (1)']]);
  });

  test('stand in place of the known words, and give the same by either engine', async () => {
    const lines = [...START, at(1, '[201] start task 7'), at(1, '[201] picked up abc'), ...IS_KILLED];
    expect((await ledger(lines, {tasks})).lost).toEqual(['abc in 201 (1)']);
    expect(await ledger(lines, {tasks, engine: 'ohm'})).toEqual(await ledger(lines, {tasks}));
  });
});
