import {describe, expect, test} from 'vitest';
import type {MeasureId} from '../../src/measures/measure.ts';
import {measuresOf} from '../../src/measures/measures.ts';
import {diagnosed, logsOf, recordings, type Truth, truthOf} from '../recordings.ts';
import {at, forcedWorker, hungReload, leftByItself, reloadOf, timelineOf} from '../report/diagnosis.ts';

const samples = recordings('uwsgi', 'gunicorn', 'supervisord', 'systemd');

/** Seconds for which new workers loaded the application before they served: the kernel sees no more than that they were there. */
const LOADING: Readonly<Record<string, number>> = {'samples/uwsgi/listen-queue-in-reload': 9};

describe.each(samples)('what was recorded of %s', (sample) => {
  const truth = truthOf(sample);
  const measured = async () => measuresOf((await diagnosed(logsOf(sample))).timeline);
  const one = async (id: MeasureId) => (await measured()).find((each) => each.id === id);

  test('the time without a worker holds the true one', async () => {
    const {value, cases} = (await one('downtime')) ?? {};
    // Stamps are whole seconds: a gap is known to within one, and one that is shorter may not show at all.
    const doubt = 1 + (cases?.length ?? 0);
    const seconds = withoutAnybody(truth) + (LOADING[sample] ?? 0);
    if (truth.processes.every(({role}) => role !== 'worker')) return expect(value?.min ?? 0).toBe(0);
    expect(value?.min).toBeLessThanOrEqual(seconds + doubt);
    expect(value?.max ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(seconds - doubt);
  });

  test('the longest wait holds the true one', async () => {
    const waits = [...truth.reloads.flatMap(({workers}) => workers), ...truth.recycles].flatMap(({askedAt, endedAt}) =>
      askedAt === null || endedAt === null ? [] : [seconds(askedAt, endedAt)],
    );
    const {value} = (await one('longest-wait')) ?? {};
    if (value == null || waits.length === 0) return;
    expect(value.max ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(Math.max(...waits) - 2);
  });

  test('as many were forced and orphaned as the kernel saw', async () => {
    const forced = await one('forced-kills');
    // Who dies of the signal that asks it to stop was not forced.
    const byOthers = truth.processes.filter(
      ({killedBy, signal}) => (killedBy === 'supervisord' || killedBy === 'systemd') && signal !== 'SIGTERM',
    ).length;
    const seen = truth.forcedPids.length + truth.harakiriPids.length + byOthers;
    // NO MERCY that names one that has just left looks like a kill, unless it is said again and again.
    const named = truth.namedAfterTheirEnd?.length ?? 0;
    // A daemon that had to be killed counts; what the master kills at every reload does not, and truth calls both gateways.
    const daemons = truth.processes.filter(({role, killedBy}) => role === 'gateway' && killedBy === 'master').length;
    // systemd names every process of the unit, also those that the recorder does not follow.
    if (!sample.includes('/systemd/')) expect(forced?.value?.min ?? 0).toBeLessThanOrEqual(seen + named + daemons);
    // gunicorn's arbiter kills without a word when it stops itself.
    if (!sample.includes('gunicorn')) expect(forced?.value?.max ?? 0).toBeGreaterThanOrEqual(seen);
    const {value} = (await one('orphaned-tasks')) ?? {};
    expect(value?.min ?? 0).toBeLessThanOrEqual(truth.tasks.orphaned.length);
    expect(value?.max ?? 0).toBeGreaterThanOrEqual(truth.tasks.orphaned.length);
  });
});

test('what is not in the log is not measured, and says so', () => {
  const measures = measuresOf(timelineOf([], []));
  const missing = Object.fromEntries(measures.map(({id, missing}) => [id, missing]));
  expect(measures.filter(({value}) => value !== null).map(({id}) => id)).toEqual(['coverage']);
  expect(missing).toMatchObject({
    'longest-reload': 'the log shows no reload',
    'orphaned-tasks': 'the log shows no background task',
    downtime: 'the log shows no worker',
  });
});

test('a reload without an end has lasted at least as long as is told', () => {
  const processes = [leftByItself(1, 100, at('20:12:13'), at('20:12:14'))];
  const done = reloadOf(processes, at('20:12:13'), at('20:12:15'));
  const cut = {...reloadOf(processes, at('20:13:13'), null), id: 'reload-2'};
  const [longest, median] = measuresOf(timelineOf(processes, [done, cut]));
  expect(longest).toMatchObject({
    value: {min: 61, max: null},
    of: {count: 2},
    cases: [{what: 'reload-2, unfinished'}, {what: 'reload-1'}],
  });
  expect(median?.value).toEqual({min: 2, max: 2});
});

test('a worker whose end is not told may have been killed', () => {
  const [one, two] = [1, 2].map((n) => forcedWorker(n, 100 + n, at('20:12:13'), at('20:13:14'))) as [never, never];
  const lost = {...(two as ReturnType<typeof forcedWorker>), end: 'lost' as const, forced: null};
  const forced = measuresOf(timelineOf([one, lost], [])).find(({id}) => id === 'forced-kills');
  expect(forced).toMatchObject({value: {min: 1, max: 2}, of: {count: 2, noun: 'process'}});
});

test('a hung reload empties the service as long as the workers held on', () => {
  const downtime = measuresOf(hungReload().timeline).find(({id}) => id === 'downtime');
  expect(downtime?.value?.min).toBeGreaterThanOrEqual(61);
  expect(downtime?.cases[0]?.what).toBe('reload-1');
});

/** Seconds, added up over the services, in which no worker of a service was there and not on its way out. */
function withoutAnybody({processes, reloads, recycles, recorded}: Truth): number {
  const asked = new Map([
    ...reloads.flatMap(({workers}) => workers).map(({oldPid, askedAt}) => [oldPid, askedAt] as const),
    ...recycles.map(({pid, askedAt}) => [pid, askedAt] as const),
  ]);
  const workers = processes.filter(({role}) => role === 'worker');
  // A master that gives up by itself has stopped as well, when its last worker went.
  const [master, ...others] = processes.filter(({role}) => role === 'master');
  const gaveUp = others.length === 0 && master?.endedAt != null && master.signal === null;
  const over = gaveUp
    ? workers
        .flatMap(({endedAt}) => endedAt ?? [])
        .toSorted()
        .at(-1)
    : undefined;
  const lastStop = reloads.findLast(({kind}) => kind === 'stop')?.askedAt ?? over ?? recorded.end;
  const stop = workers.some(({startedAt}) => startedAt > lastStop) ? recorded.end : lastStop;
  // Masters that a supervisor starts one after the other are one service.
  const serviceOf = (pid: number | null) => {
    const master = processes.find((each) => each.pid === pid);
    const others = processes.filter((each) => each.role === 'master' && each !== master && each.parent === master?.parent);
    const isAlone = others.every(
      ({startedAt, endedAt}) => (endedAt ?? stop) <= (master?.startedAt ?? '') || startedAt >= (master?.endedAt ?? stop),
    );
    const isRun = processes.some((each) => each.pid === master?.parent && each.role === 'supervisor');
    return isRun && isAlone ? master?.parent : pid;
  };
  return [...new Set(workers.map(({parent}) => serviceOf(parent)))]
    .map((service) =>
      workers
        .filter(({parent}) => serviceOf(parent) === service)
        .map(({pid, startedAt, endedAt}) => [startedAt, earlier(asked.get(pid) ?? endedAt ?? stop, stop)] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    )
    .reduce((total, served) => {
      let until = served[0]?.[0] ?? stop;
      for (const [from, to] of [...served, [stop, stop] as const]) {
        if (from > until) total += seconds(until, from);
        if (to > until) until = to;
      }
      return total;
    }, 0);
}

function earlier(a: string, b: string): string {
  return a < b ? a : b;
}

function seconds(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}
