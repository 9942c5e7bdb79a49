import {expect, test} from 'vitest';
import type {Diagnosis} from '../src/analyze.ts';
import type {Instant} from '../src/timeline/time.ts';
import type {Process} from '../src/timeline/timeline.ts';
import {diagnosed, logsOf, serverOf, truthOf} from './recordings.ts';

/**
 * Tests that hold what logdoctor says of a recorded log against the truth that the recorder learned from the
 * kernel. `folder` gives the recording's folder; it is asked when the tests run. Where nobody kills from outside, a kill that seems
 * to come from there is one whose sender the recorder has missed, as happens on a busy machine: who it was is not known then.
 */
export function holdsTruth(folder: () => string, {hasOutsiders = true} = {}): void {
  const read = async () => ({truth: truthOf(folder()), diagnosis: await diagnosed(logsOf(folder()))});

  test('the forced workers are those that the kernel saw killed at a deadline', async () => {
    const {truth, diagnosis} = await read();
    const forced = processesOf(diagnosis)
      .filter(({role, end, forced}) =>
        hasMercy(folder()) ? forced?.deadline === 'mercy' : role === 'worker' && end === 'forced',
      )
      .map(({pid}) => pid)
      // The line that names them says no more than that; some versions' way of waiting tells that they were gone.
      .filter((pid) => !truth.namedAfterTheirEnd?.includes(pid));
    expect(forced.sort(byNumber)).toEqual(truth.forcedPids.toSorted(byNumber));
  });

  test('true instants lie within their bounds', async () => {
    const {truth, diagnosis} = await read();
    const processes = processesOf(diagnosis);
    const unproved = diagnosis.timeline.instances.flatMap((instance) => instance.unproved);
    const wrong: string[] = [];
    const hold = (what: string, instant: Instant | undefined, true_: string | null) => {
      if (instant !== undefined && true_ !== null && !contains(instant, Date.parse(true_)))
        wrong.push(`${what}: ${true_} not in ${shown(instant)}`);
    };
    for (const {pid, startedAt, endedAt} of truth.processes) {
      const found = processes.find((process) => process.pid === pid && process.role === 'worker');
      hold(`start of ${pid}`, found?.startedAt, startedAt);
      if (unproved.includes(pid)) continue;
      if (found?.end !== 'running' && !truth.namedAfterTheirEnd?.includes(pid)) hold(`end of ${pid}`, found?.endedAt, endedAt);
    }
    for (const {oldPid, askedAt} of truth.reloads.flatMap(({workers}) => workers)) {
      hold(`asking ${oldPid}`, processes.find(({pid}) => pid === oldPid)?.asked?.at, askedAt);
    }
    expect(wrong).toEqual([]);
  });

  test('each process has the successor that took its place', async () => {
    const {truth, diagnosis} = await read();
    const processes = processesOf(diagnosis);
    for (const {oldPid, newPid} of truth.reloads.flatMap(({workers}) => workers)) {
      const found = processes.find(({pid}) => pid === oldPid);
      if (found !== undefined && newPid !== null && found.successorPid !== null) expect(found.successorPid).toBe(newPid);
    }
  });

  test('says who killed each process that was killed, and of nobody else that he was', async () => {
    const {truth, diagnosis} = await read();
    // Whom a kill of the whole group hit along with the master, no line tells.
    const killers = new Set(['supervisord', 'systemd']);
    for (const {pid, role, killedBy} of truth.processes) {
      const found = processesOf(diagnosis).find((process) => process.pid === pid && process.role !== 'program');
      if (found === undefined || truth.namedAfterTheirEnd?.includes(pid)) continue;
      if (killedBy === 'outside' && !hasOutsiders) continue;
      if (killedBy !== null && killers.has(killedBy) && role === 'master')
        expect(found, `${pid}`).toMatchObject({end: 'forced', killedBy});
      else if (killedBy === null || !killers.has(killedBy)) expect(killers.has(String(found.killedBy)), `${pid}`).toBe(false);
    }
  });

  test('exactly the orphaned tasks are called orphans', async () => {
    const {truth, diagnosis} = await read();
    const {orphaned} = diagnosis.timeline.tasks;
    // A queue's lines name the task and not its process, or not even the task.
    const isQueue = isTaskQueue(folder());
    const names = (tasks: readonly {id: string | null; pid: number | null}[]) =>
      tasks.map(({id, pid}) => (isQueue ? id : `${id}@${pid}`)).sort();
    const said = names(orphaned);
    const really = names(truth.tasks.orphaned);
    expect(truth.orphansUntold ? said.filter((each) => !really.includes(each)) : said).toEqual(truth.orphansUntold ? [] : really);
  });

  test('says what an expert would say, and nothing that he would not', async () => {
    const {truth, diagnosis} = await read();
    const fired = diagnosis.findings.map(({rule}) => rule);
    expect(fired).toEqual(expect.arrayContaining([...truth.expected]));
    expect(fired.filter((rule) => truth.mustNotFire.includes(rule))).toEqual([]);
  });
}

/** uWSGI, alone or under another supervisor, kills for other reasons too; the truth lists those that it killed at the end of mercy. */
function hasMercy(folder: string): boolean {
  return !['gunicorn', 'uvicorn', 'hypercorn', 'daphne', 'celery', 'rq', 'django-q', 'apache', 'waitress'].includes(
    serverOf(folder),
  );
}

function processesOf({timeline}: Diagnosis): Process[] {
  return timeline.instances.flatMap(({processes}) => processes);
}

/** Bounds are whole seconds of the log's clock; a death is seen by the master a moment after the kernel has seen it. */
function contains({earliest, latest}: Instant, time: number): boolean {
  return (earliest === null || time >= earliest - 1000) && (latest === null || time < latest + 1000);
}

function shown({earliest, latest}: Instant): string {
  return [earliest, latest].map((time) => (time === null ? '?' : new Date(time).toISOString())).join(' .. ');
}

function byNumber(a: number, b: number): number {
  return a - b;
}

function isTaskQueue(folder: string): boolean {
  return ['celery', 'rq', 'django-q', 'apache'].includes(serverOf(folder));
}
