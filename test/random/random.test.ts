import {readdirSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {analyze} from '../../src/analyze.ts';
import {holdsTruth} from '../recorded-truth.ts';

// Runs of real servers that were drawn by lot (samples/record/random_runs.py) and of which something untrue was once said.
// `expected` and `mustNotFire` were written by hand; everything else in truth.json is what the kernel saw.
const folders = ['uwsgi', 'gunicorn']
  .flatMap((server) => readdirSync(`test/random/${server}`).map((name) => `test/random/${server}/${name}`))
  .filter((folder) => !/\/(held-until-the-arbiter-left|killed-within-a-second|left-as-the-deadline-came)$/.test(folder)); // no line tells of their kills

describe.each(folders)('%s', (folder) => holdsTruth(() => folder));

test('reads the settings that gunicorn lists behind a line with a date (loglevel debug)', async () => {
  const {timeline} = await analyze({inputs: ['test/random/gunicorn/threads-stopped-at-once/gunicorn.log']});
  const value = (name: string) => timeline.instances[0]?.settings.find((setting) => setting.name === name)?.value;
  expect([value('graceful_timeout'), value('timeout'), value('threads')]).toEqual([2, 3, 2]);
});

test('a stop that began before a chain was complete ends neither it nor the chain too early', async () => {
  const {timeline} = await analyze({inputs: ['test/random/uwsgi/stop-before-the-chain-ends/uwsgi.log']});
  expect(timeline.reloads.map(({kind, outcome, duration}) => [kind, outcome, duration.max])).toEqual([
    ['chain', 'completed', 3],
    ['stop', 'completed', 1],
  ]);
});

test('an emperor that drops a vassal stops that one and no other', async () => {
  const {timeline} = await analyze({inputs: ['test/random/uwsgi/vassal-removed/uwsgi.log']});
  expect(timeline.reloads.map(({workers}) => workers.length)).toEqual([6]);
  const second = timeline.instances.find(({masterPid}) => masterPid === 6544);
  expect(second?.processes.map(({end}) => end)).toEqual(['running', 'running', 'running']);
});

test('a second HUP during the first starts a generation of its own', async () => {
  const {timeline} = await analyze({inputs: ['test/random/gunicorn/second-hup-meanwhile/gunicorn.log']});
  const pids = timeline.reloads.map(({kind, workers}) => [
    kind,
    workers.flatMap(({oldPid}) => oldPid ?? []),
    workers.flatMap(({newPid}) => newPid ?? []),
  ]);
  expect(pids).toEqual([
    ['hup', [15096, 15097, 15098, 15099, 15113], [15137, 15138, 15139, 15140]],
    ['hup', [15138, 15139, 15140], [15142, 15143, 15144, 15145]],
  ]);
});

test('of workers that were held at their exit until the arbiter left, none is said to have left by itself', async () => {
  const {timeline} = await analyze({inputs: ['test/random/gunicorn/held-until-the-arbiter-left/gunicorn.log']});
  const workers = timeline.instances[0]?.processes.filter(({role}) => role === 'worker') ?? [];
  expect(workers.map(({pid, end}) => [pid, end])).toEqual([
    [17190, 'lost'],
    [17194, 'lost'],
  ]);
});

test('the workers of an upgrade belong to the new arbiter', async () => {
  const {timeline} = await analyze({inputs: ['test/random/gunicorn/upgrade-among-replacements/gunicorn.log']});
  const upgraded = timeline.instances.find(({masterPid}) => masterPid === 19443);
  const workers = upgraded?.processes.filter(({role}) => role === 'worker') ?? [];
  expect(workers.map(({pid, end}) => [pid, end])).toEqual([19445, 19446, 19447, 19448].map((pid) => [pid, 'running']));
});

test('a HUP whose last worker has only said that it leaves may have taken longer', async () => {
  const {timeline} = await analyze({inputs: ['test/random/gunicorn/held-after-its-last-word/gunicorn.log']});
  expect(timeline.reloads.map(({outcome, duration}) => [outcome, duration])).toEqual([['completed', {min: 2, max: null}]]);
});

test('a master whose log is written by itself began when its banner says, before the stamps of its import', async () => {
  const {timeline} = await analyze({inputs: ['test/random/uwsgi/log-master-writes-late/uwsgi.log']});
  const master = timeline.instances[0]?.processes.find(({role}) => role === 'master');
  expect(master?.startedAt).toEqual({earliest: Date.UTC(2026, 10, 21, 18, 34, 51), latest: Date.UTC(2026, 10, 21, 18, 34, 58)});
});

test('a request that a stop at once has cut held nobody, although harakiri names its worker after that', async () => {
  const {timeline, findings} = await analyze({inputs: ['test/random/uwsgi/harakiri-names-who-has-gone/uwsgi.log']});
  expect(timeline.instances[0]?.processes.find(({pid}) => pid === 1241)?.end).toBe('clean');
  expect(findings.map(({rule}) => rule)).not.toContain('request-blocks-shutdown');
});

test('workers that are found gone after their master has waited for a daemon ended at some time of that wait', async () => {
  const {timeline} = await analyze({inputs: ['test/random/uwsgi/found-after-the-daemon/uwsgi.log']});
  const waits = timeline.reloads.flatMap(({workers}) => workers.map(({oldPid, wait, end}) => [oldPid, wait, end]));
  expect(waits).toEqual([322, 323, 324].map((pid) => [pid, {min: 0, max: 3}, 'clean']));
});

test('a vassal that reloads is not the one that is told to stop just before', async () => {
  const {timeline} = await analyze({inputs: ['test/random/uwsgi/vassal-stopped-beside-another/uwsgi.log']});
  const master = (id: string) => timeline.instances.find((instance) => instance.id === id)?.masterPid;
  expect(timeline.reloads.map(({kind, instance}) => [kind, master(instance)])).toEqual([
    ['graceful', 31092],
    ['stop', 31092],
    ['graceful', 31093],
  ]);
});

test('names no master as the one that died where no line tells which of two vassals had stopped before', async () => {
  const {findings} = await analyze({inputs: ['test/rules/master-died/fires-of-which-vassal-no-line-tells.log']});
  expect(findings.find(({rule}) => rule === 'master-died')).toMatchObject({instance: null, pids: []});
});

test('names no arbiter as the one that died where two may have started the worker that lost it', async () => {
  const {findings} = await analyze({inputs: ['test/rules/master-died/fires-of-which-arbiter-no-line-tells.log']});
  const found = findings.find(({rule}) => rule === 'master-died');
  expect(found).toMatchObject({instance: null, pids: [31]});
  expect(found?.message).toContain('Which arbiter of those in this log it was, no line tells.');
});

test('of workers that said that they leave as graceful_timeout was over, none is said to have left, and none to be killed', async () => {
  const ends = async (name: string) => {
    const {timeline} = await analyze({inputs: [`test/random/gunicorn/${name}/gunicorn.log`]});
    const workers = timeline.instances[0]?.processes.filter(({role}) => role === 'worker') ?? [];
    return workers.map(({pid, end, forced}) => [pid, end, forced?.inferred ?? null]);
  };
  expect(await ends('killed-within-a-second')).toEqual([13138, 13139].map((pid) => [pid, 'lost', null]));
  expect(await ends('left-as-the-deadline-came')).toEqual([
    [18393, 'lost', null],
    [18416, 'lost', null],
  ]);
});

test('a worker at work long after it said that it leaves is the one that held up the stop', async () => {
  const {timeline} = await analyze({inputs: ['test/rules/app-threads-block-shutdown/fires-gunicorn-one-still-at-work.log']});
  const workers = timeline.instances[0]?.processes.filter(({role}) => role === 'worker') ?? [];
  expect(workers.map(({pid, end}) => [pid, end])).toEqual([
    [410, 'forced'],
    [411, 'lost'],
  ]);
});

test('a kill that comes before the graceful_timeout that the log tells is nobody known', async () => {
  const {timeline} = await analyze({inputs: ['test/random/gunicorn/killed-from-outside-during-a-stop/gunicorn.log']});
  expect(timeline.instances[0]?.processes.find(({pid}) => pid === 27423)).toMatchObject({end: 'killed', killedBy: null});
});

test('uWSGI counts what a worker takes from the last request to all: the burial tells nothing of an earlier one', async () => {
  const {timeline} = await analyze({inputs: ['test/random/uwsgi/stopped-and-then-at-once/uwsgi.log']});
  const waits = timeline.reloads[0]?.workers.filter(({oldPid}) => oldPid === 1364 || oldPid === 1365) ?? [];
  expect(waits.map(({wait}) => wait.max)).toEqual([null, null]);
});

test('a master that replaces its image is not the one that says meanwhile that it stops', async () => {
  const {timeline} = await analyze({inputs: ['test/random/uwsgi/stop-beside-a-new-image/uwsgi.log']});
  const master = (id: string) => timeline.instances.find((instance) => instance.id === id)?.masterPid;
  expect(timeline.reloads.map(({kind, instance}) => [kind, master(instance)])).toEqual([
    ['graceful', 11071],
    ['graceful', 11070],
    ['stop', 11070],
    ['stop', 11071],
  ]);
});

test('a worker that is asked alone is not the beginning of a reload that its master announces later', async () => {
  const {timeline} = await analyze({inputs: ['test/random/uwsgi/one-worker-asked-before-the-reload/uwsgi.log']});
  expect(timeline.reloads.map(({kind, headless}) => [kind, headless])).toEqual([
    ['workers', true],
    ['graceful', false],
    ['stop', false],
  ]);
});

test('a message behind output without a line end is of the stream that its line names', async () => {
  const {timeline} = await analyze({inputs: ['test/random/gunicorn/dots-in-an-envelope/gunicorn.log']});
  expect(timeline.instances.map(({masterPid}) => masterPid)).toEqual([32095, 32153]);
});

test('a worker of gunicorn that speaks as uvicorn before anything tells of its start is no server of its own', async () => {
  const {timeline} = await analyze({inputs: ['test/random/gunicorn/uvicorn-worker-without-its-start/main.log']});
  expect(timeline.instances.map(({supervisor}) => supervisor)).toEqual(['gunicorn']);
});

test('of two servers in one file the one stops that does not speak after it, and the one chains whose worker takes note', async () => {
  const masters = async (name: string) => {
    const {timeline} = await analyze({inputs: [`test/random/uwsgi/${name}/uwsgi.log`]});
    const of = (id: string) => timeline.instances.find((instance) => instance.id === id)?.masterPid;
    return timeline.reloads.map(({kind, instance}) => [kind, of(instance)]);
  };
  expect(await masters('stop-of-one-of-two')).toEqual([['stop', 26411]]);
  expect(await masters('chain-of-one-of-two')).toEqual([['chain', 27015]]);
});

test('the workers that follow a HUP are those of the arbiter that it went to', async () => {
  const workers = async (name: string, file: string, master: number) => {
    const {timeline} = await analyze({inputs: [`test/random/gunicorn/${name}/${file}`]});
    const processes = timeline.instances.find(({masterPid}) => masterPid === master)?.processes ?? [];
    return processes.filter(({role}) => role === 'worker').map(({pid}) => pid);
  };
  expect(await workers('hup-beside-another', 'gunicorn.log', 27416)).toEqual(expect.arrayContaining([27431, 27432]));
  expect(await workers('upgrade-taken-back', 'main.log', 19555)).toEqual([19557, 19560, 19582, 19583, 19641, 19642]);
});

test('of servers that start at the same time none is said to have begun after its banner', async () => {
  const {timeline} = await analyze({inputs: ['test/random/uwsgi/told-at-once/uwsgi.log']});
  const masters = timeline.instances.flatMap(({processes}) => processes.filter(({role}) => role === 'master'));
  const second = Date.UTC(2026, 10, 22, 0, 39, 55);
  expect(masters.map(({pid, startedAt}) => [pid, startedAt.earliest])).toEqual([
    [23184, second],
    [23183, second],
  ]);
});

test('a place that stays empty is one of the server whose worker has just ended', async () => {
  const {timeline} = await analyze({inputs: ['test/random/uwsgi/place-left-empty-beside-another/uwsgi.log']});
  const ends = timeline.instances.map(({masterPid, processes}) => [
    masterPid,
    processes.filter(({cause}) => cause === 'cheaper').map(({pid}) => pid),
  ]);
  expect(ends).toEqual([
    [16413, [16424]],
    [16414, []],
  ]);
});

test('lines of a dump of the configuration are known behind a date too', async () => {
  const {timeline} = await analyze({inputs: ['test/random/uwsgi/configuration-behind-dates/uwsgi.log']});
  expect(timeline.inputs.map(({counts}) => counts.unknown)).toEqual([0]);
});

test('workers that uWSGI sends away because nobody comes are gone when it says that it is cheap', async () => {
  const {timeline} = await analyze({inputs: ['test/random/uwsgi/idle-sends-workers-away/uwsgi.log']});
  const workers = timeline.instances[0]?.processes.filter(({role}) => role === 'worker') ?? [];
  expect(workers.map(({pid, end, cause}) => [pid, end, cause])).toEqual([
    [13661, 'clean', 'chain-reload'],
    [13662, 'clean', 'chain-reload'],
    [13734, 'clean', 'cheaper'],
    [13780, 'clean', 'cheaper'],
  ]);
});

test("of two vassals the one has stopped that their emperor finds gone, and its workers are not the other one's", async () => {
  const {timeline} = await analyze({inputs: ['test/random/uwsgi/vassal-that-its-emperor-finds-gone/uwsgi.log']});
  const stopped = timeline.instances.find(({stopped}) => stopped !== null);
  expect(stopped?.masterPid).toBe(27153);
  const workers = stopped?.processes.filter(({role}) => role === 'worker') ?? [];
  expect(workers.map(({pid}) => pid).toSorted()).toEqual([27163, 27167, 27168]);
  const other = timeline.instances.find(({masterPid}) => masterPid === 27152);
  const forced = other?.processes.filter(({end}) => end === 'forced') ?? [];
  expect(forced.map(({pid}) => pid).toSorted()).toEqual([27169, 27170, 27171, 27172, 27173, 27174]);
});

test('of two servers none is said to have lost its master where a worker tells no more than its number', async () => {
  const {timeline, findings} = await analyze({inputs: ['test/random/uwsgi/master-gone-of-one-of-two/uwsgi.log']});
  expect(timeline.instances.map(({stopped}) => stopped)).toEqual([null, null]);
  expect(findings.find(({rule}) => rule === 'master-died')).toMatchObject({instance: null, pids: []});
});

test('a master that begins anew has not stopped, whatever a daemon that it was about to start says', async () => {
  const {timeline} = await analyze({inputs: ['test/random/uwsgi/daemon-says-that-it-stops/uwsgi.log']});
  expect(timeline.reloads.map(({kind, outcome}) => [kind, outcome])).toEqual([['graceful', 'completed']]);
});

test('of two servers the one stops at once whose worker says in the words of gevent that it goes', async () => {
  const {timeline} = await analyze({inputs: ['test/random/uwsgi/stop-at-once-under-gevent/uwsgi.log']});
  const master = (id: string) => timeline.instances.find((instance) => instance.id === id)?.masterPid;
  expect(timeline.reloads.map(({kind, instance}) => [kind, master(instance)])).toEqual([['stop', 24734]]);
});

test('of two servers in one file that have different log-prefixes each worker is of the one whose lines tell of it', async () => {
  const workers = async (name: string, file: string) => {
    const {timeline} = await analyze({inputs: [`test/random/uwsgi/${name}/${file}`]});
    return timeline.instances.map(({masterPid, processes}) => [
      masterPid,
      processes
        .filter(({role}) => role === 'worker')
        .map(({pid}) => pid)
        .toSorted(),
    ]);
  };
  expect(await workers('prefix-of-one-of-two', 'together.log')).toEqual([
    [16748, [16760, 16762, 17063, 17064]],
    [16747, []],
  ]);
  expect(await workers('prefix-tells-whose', 'uwsgi.log')).toEqual([
    [25947, [25948, 25966, 26069]],
    [25946, [25952, 25969, 26072, 26165]],
  ]);
});
