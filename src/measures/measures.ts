import type {Duration} from '../timeline/time.ts';
import {type Process, type Reload, type Timeline, UNKNOWN_PID} from '../timeline/timeline.ts';
import {exactly, longest, median, shortest, sum} from './interval.ts';
import type {Case, Measure} from './measure.ts';
import {gapsOf, servicesOf} from './service.ts';

/** Takes every measure of a log, in the order in which they are shown. */
export function measuresOf(timeline: Timeline): readonly Measure[] {
  const reloads = casesOf(timeline.reloads.filter(({kind}) => kind !== 'stop'));
  const stops = casesOf(timeline.reloads.filter(({kind}) => kind === 'stop'));
  const waits = waitsOf(timeline);
  const seconds = {unit: 'seconds'} as const;
  const ofReloads = {...seconds, noun: 'reload', cases: reloads, missing: 'the log shows no reload'} as const;
  const ofWaits = {...seconds, noun: 'worker', cases: waits, missing: 'the log shows no worker that was asked to leave'} as const;
  return [
    measure({...ofReloads, id: 'longest-reload', title: 'longest reload', figure: longest}),
    measure({...ofReloads, id: 'median-reload', title: 'median reload', figure: median}),
    measure({
      ...seconds,
      id: 'longest-stop',
      title: 'longest stop',
      noun: 'stop',
      cases: stops,
      figure: longest,
      missing: 'the log shows no stop',
    }),
    measure({...ofWaits, id: 'longest-wait', title: 'longest wait for a worker', figure: longest}),
    measure({...ofWaits, id: 'median-wait', title: 'median wait for a worker', figure: median}),
    forcedKills(timeline),
    orphanedTasks(timeline),
    downtime(timeline),
    coverage(timeline),
  ];
}

interface Making {
  readonly id: Measure['id'];
  readonly title: string;
  readonly unit: Measure['unit'];
  readonly noun: Measure['of']['noun'];
  readonly cases: readonly Case[];
  /** Of the values of all cases. */
  readonly figure: (values: readonly Duration[]) => Duration;
  /** The number of things that could have been cases; without it the cases are all there is. */
  readonly among?: number;
  /** Why there is nothing to measure, where there is nothing. */
  readonly missing: string;
}

function measure({id, title, unit, noun, cases, figure, among, missing}: Making): Measure {
  const count = among ?? cases.length;
  const none = count === 0;
  return {
    id,
    title,
    unit,
    value: none ? null : figure(cases.map(({value}) => value)),
    missing: none ? missing : null,
    of: {count, noun},
    cases: cases.toSorted((a, b) => size(b.value) - size(a.value) || b.value.min - a.value.min),
  };
}

/** What has no known end may be the longest of all. */
function size({max}: Duration): number {
  return max ?? Number.MAX_VALUE;
}

/** A reload that never came to its end has lasted at least as long as the log tells of it. */
function casesOf(reloads: readonly Reload[]): readonly Case[] {
  return reloads.map(({id, duration, endedAt, began, outcome}) => ({
    what: outcome === 'completed' ? id : `${id}, ${outcome}`,
    value: {min: duration.min, max: endedAt === null ? null : duration.max},
    at: began,
  }));
}

function waitsOf(timeline: Timeline): readonly Case[] {
  return processesOf(timeline).flatMap((process) =>
    process.role !== 'worker' || process.asked === null
      ? []
      : [{what: named(process), value: process.asked.wait, at: process.asked.event}],
  );
}

/** uWSGI's master kills these at every reload, however healthy (core/gateway.c and core/spooler.c, 2.0). */
const ALWAYS_KILLED: ReadonlySet<Process['role']> = new Set(['gateway', 'spooler']);

/** A process that was asked and whose end the log never tells may have been killed. */
function forcedKills(timeline: Timeline): Measure {
  const gone = unlessTwice(processesOf(timeline).filter(({role, end}) => !ALWAYS_KILLED.has(role) && end !== 'running'));
  // The wait of a stop shows that somebody had to be killed; of those that had left their loop it does not show who.
  const explained = new Set(
    gone.filter((process) => process.end === 'forced' && !isGuess(process)).map(({asked}) => asked?.reload),
  );
  const cases = gone.flatMap((process): Case[] => {
    const {end, forced, ended, asked} = process;
    if (end === 'forced') {
      const min = isGuess(process) && explained.has(asked?.reload) ? 0 : 1;
      explained.add(asked?.reload);
      return [{what: named(process), value: {min, max: 1}, at: forced?.event ?? ended}];
    }
    if (end !== 'lost' || asked === null) return [];
    return [{what: `${named(process)}, whose end is not told`, value: {min: 0, max: 1}, at: asked.event}];
  });
  return measure({
    id: 'forced-kills',
    title: 'forced kills',
    unit: 'count',
    noun: 'process',
    cases,
    figure: sum,
    among: gone.length,
    missing: 'the log shows no process that ended',
  });
}

function isGuess({forced, leaving, asked}: Process): boolean {
  return forced?.inferred === true && leaving !== null && asked?.reload != null;
}

/** A master is a program of the supervisor that runs it as well: the same process, and the same end. */
function unlessTwice(processes: readonly Process[]): readonly Process[] {
  const endOf = ({pid, ended}: Process) => `${pid} ${ended?.input} ${ended?.line}`;
  const own = new Set(processes.filter(({role}) => role !== 'program').map(endOf));
  return processes.filter((process) => process.role !== 'program' || process.ended === null || !own.has(endOf(process)));
}

/** Where only its silence shows that a task was lost, it may have been. */
function orphanedTasks({tasks}: Timeline): Measure {
  return measure({
    id: 'orphaned-tasks',
    title: 'orphaned tasks',
    unit: 'count',
    noun: 'task',
    cases: tasks.orphaned.map(({id, pid, started, gone}) => ({
      what: `task ${id ?? 'without a name'} (pid ${pid})`,
      value: {min: gone === null ? 0 : 1, max: 1},
      at: started,
    })),
    figure: sum,
    among: tasks.started,
    missing: 'the log shows no background task',
  });
}

function downtime(timeline: Timeline): Measure {
  const isTimed = timeline.from !== null;
  return measure({
    id: 'downtime',
    title: 'time without a worker',
    unit: 'seconds',
    noun: 'service',
    cases: gapsOf(timeline).map(({duration, reload, instance, at}) => ({
      what: reload?.id ?? `${instance}, outside a reload`,
      value: duration,
      at,
    })),
    figure: sum,
    among: isTimed ? servicesOf(timeline).size : 0,
    missing: isTimed ? 'the log shows no worker' : 'the log carries no time',
  });
}

/** Of the input of which the least is understood. */
function coverage({inputs}: Timeline): Measure {
  const cases = inputs.map(({name, lines, counts}) => ({
    what: name,
    value: exactly(lines === 0 ? 0 : Math.max(0, 1 - counts.unknown / lines)),
    at: null,
  }));
  const made = measure({
    id: 'coverage',
    title: 'lines understood',
    unit: 'part',
    noun: 'input',
    cases,
    figure: shortest,
    missing: 'there is no input',
  });
  return {...made, cases: made.cases.toReversed()};
}

function processesOf({instances}: Timeline): readonly Process[] {
  return instances.flatMap(({processes}) => processes);
}

function named({role, worker, pid}: Process): string {
  return `${role}${worker === null ? '' : ` ${worker}`}${pid === UNKNOWN_PID ? '' : ` (pid ${pid})`}`;
}
