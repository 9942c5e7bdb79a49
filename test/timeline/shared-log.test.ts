import {describe, expect, test} from 'vitest';
import {judged} from '../hostile/judged.ts';

/** Two uWSGI masters that write into one log, as under an emperor. */
const at = (second: number) => `Wed Mar  4 10:00:${String(second).padStart(2, '0')} 2026`;
const loaded = (pid: number, seconds = 0) =>
  `WSGI app 0 (mountpoint='') ready in ${seconds} seconds on interpreter 0x7f96c5b60018 pid: ${pid} (default app)`;
const spawned = (worker: number, pid: number) => `spawned uWSGI worker ${worker} (pid: ${pid}, cores: 1)`;
const served = (pid: number, second: number) =>
  `[pid: ${pid}|app: 0|req: 1/1] 127.0.0.1 () {22 vars in 240 bytes} [${at(second)}] GET /list => generated 3 bytes in 12 msecs ` +
  '(HTTP/1.1 200) 1 headers in 45 bytes (1 switches on core 0)';

const banner = (second: number) => `*** Starting uWSGI 2.0.21 (64bit) on [${at(second)}] ***`;
const startOf = (master: number, second: number) => [
  banner(second),
  loaded(master),
  `spawned uWSGI master process (pid: ${master})`,
  spawned(1, master + 1),
  spawned(2, master + 2),
];
const both = [...startOf(100, 0), ...startOf(200, 1)];

/** The first server's chain, with its first worker replaced. */
const chain = [
  `${at(5)} - chain reload starting...`,
  `${at(5)} - chain next victim is worker 1`,
  'Gracefully killing worker 1 (pid: 101)...',
  'worker 1 killed successfully (pid: 101)',
  'Respawned uWSGI worker 1 (new pid: 111)',
  `${at(7)} - chain next victim is worker 2`,
  'Gracefully killing worker 2 (pid: 102)...',
];
const reborn = [
  `${at(9)} - worker 2 buried after 1 seconds`,
  'worker 1 buried after 1 seconds',
  'binary reloading uWSGI...',
  banner(10),
  loaded(100),
  'gracefully (RE)spawned uWSGI master process (pid: 100)',
  spawned(1, 121),
  spawned(2, 122),
  served(121, 12),
  served(122, 12),
  served(202, 13),
];
/** The second server has the word last. */
const died = [
  'DAMN ! worker 2 (pid: 202) died, killed by signal 9 :( trying respawn ...',
  'Respawned uWSGI worker 2 (new pid: 212)',
];
const overtaken = [
  ...both,
  ...chain,
  ...died,
  '...gracefully killing workers...',
  'Gracefully killing worker 1 (pid: 111)...',
  ...reborn,
];

describe('a full reload that overtakes a chain', () => {
  test('or is overtaken by one, goes on: the chain never begins', async () => {
    const [chained = ''] = chain;
    const {timeline} = await judged(
      ...startOf(100, 0),
      '...gracefully killing workers...',
      'Gracefully killing worker 1 (pid: 101)...',
      'Gracefully killing worker 2 (pid: 102)...',
      chained,
      ...reborn.slice(0, -1),
    );
    expect(timeline.reloads.map(({kind, outcome, repeated}) => `${kind} ${outcome} ${repeated.length}`)).toEqual([
      'graceful completed 1',
    ]);
  });

  test('is of the server whose worker says that it is told to leave, and not by the chain', async () => {
    const {timeline} = await judged(...overtaken);
    expect(timeline.reloads.map(({kind, instance, rivals}) => `${kind} ${instance} ${rivals}`.trim())).toEqual([
      'chain uwsgi-1',
      'graceful uwsgi-1',
    ]);
  });

  test('is seen by the new image of the master where its own lines are missing', async () => {
    const {timeline} = await judged(...both, ...chain, ...reborn);
    expect(timeline.reloads.map(({kind, outcome}) => `${kind} ${outcome}`)).toEqual(['chain unfinished', 'graceful completed']);
  });

  test('leaves no worker of the new image with the code that the chain kept', async () => {
    const kept = ({findings}: {findings: readonly string[]}) => findings.filter((each) => each.startsWith('old-code-kept'));
    expect(kept(await judged(...overtaken))).toEqual(['old-code-kept certain 111']);
    expect(kept(await judged(...both, ...chain.slice(0, 3), ...reborn))).toEqual([]);
    expect(kept(await judged(...both, ...chain, served(111, 8)))).toEqual(['old-code-kept certain 111']);
  });
});

test('what is said of a deadline is given to the worker that it struck, whichever server spoke in between', async () => {
  const struck = [
    `${at(5)} - *** HARAKIRI ON WORKER 2 (pid: 202, try: 1) ***`,
    `${at(5)} - worker 1 (pid: 101) is taking too much time to die...NO MERCY !!!`,
    `${at(5)} - HARAKIRI [core 0] 127.0.0.1 - GET /export since 1772618400`,
  ];
  const running = async (...lines: string[]) =>
    (await judged(...both, '...gracefully killing workers...', 'Gracefully killing worker 1 (pid: 101)...', ...lines)).processes
      .filter(({remarks}) => remarks.some(({meaning}) => meaning.kind === 'request-running'))
      .map(({pid}) => pid);
  expect(await running(...struck)).toEqual([202]);
  const [harakiri = '', mercy = '', request = ''] = struck;
  expect(await running(harakiri, mercy, `${at(5)} - *** HARAKIRI ON WORKER 2 (pid: 102, try: 1) ***`, request)).toEqual([]);
});

describe('the time that an application takes to load', () => {
  const loadsOf = async (...lines: string[]) =>
    (await judged(...lines)).timeline.instances.map(({epochs}) => epochs.flatMap(({appLoads}) => appLoads.map(({pid}) => pid)));

  test('is the master’s own where two of them start at once', async () => {
    const [first, second] = [startOf(100, 0), startOf(200, 0)];
    const mixed = [...first.slice(0, 1), ...second.slice(0, 2), ...first.slice(1), ...second.slice(2)];
    expect(await loadsOf(...mixed)).toEqual([[100], [200]]);
  });

  test('is the worker’s where another server starts meanwhile', async () => {
    const [start = '', ...rest] = startOf(200, 1);
    expect(await loadsOf(...startOf(100, 0), start, loaded(102, 12), ...rest)).toEqual([[100, 102], [200]]);
  });
});

describe('a reload of one of two servers', () => {
  const stuck = [
    `${at(5)} - *** reload.txt has been touched... chain reload !!! ***`,
    `${at(30)} - chain is still waiting for worker 1...`,
    served(102, 40),
    served(202, 41),
  ];

  test('that no line gives to either is certain for neither', async () => {
    const {timeline, header, findings} = await judged(...both, ...stuck);
    expect(timeline.reloads.map(({rivals}) => rivals.length)).toEqual([1]);
    expect(header).toMatch(/which of uwsgi-\d, uwsgi-\d reloaded no line tells; reload-1 is taken to be of uwsgi-\d/);
    expect(findings.filter((each) => each.startsWith('reload-unfinished'))).toEqual(['reload-unfinished likely']);
  });

  test('is certain where there is but one, and where the other has not been seen since', async () => {
    const alone = await judged(...startOf(200, 1), ...stuck);
    expect(alone.findings.filter((each) => each.startsWith('reload-unfinished'))).toEqual(['reload-unfinished certain']);
    const {timeline, header} = await judged(...both, ...stuck.slice(0, 2), served(202, 41));
    expect(timeline.reloads.map(({rivals}) => rivals.length)).toEqual([0]);
    expect(header).not.toContain('Unproved');
  });

  test('is of the one whose workers are told next, though only the other has a date before all of its lines', async () => {
    const dated = startOf(100, 0).map((line) => `${at(0)} - ${line}`);
    const [, second = ''] = chain;
    const {timeline} = await judged(
      ...startOf(200, 1),
      ...dated,
      `${at(2)} - spawned uWSGI worker 3 (pid: 103, cores: 1)`,
      second,
      'Gracefully killing worker 1 (pid: 201)...',
      'worker 1 killed successfully (pid: 201)',
      'Respawned uWSGI worker 1 (new pid: 211)',
    );
    const pids = timeline.reloads.flatMap(({kind, workers}) => workers.map(({oldPid}) => `${kind} ${oldPid}`));
    expect(pids).toEqual(['chain 201']);
  });
});
