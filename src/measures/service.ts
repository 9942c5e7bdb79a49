import {greatest, least} from '../extremes.ts';
import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {precedes} from '../timeline/lookup.ts';
import {type Duration, UNKNOWN_INSTANT} from '../timeline/time.ts';
import type {Instance, Process, Reload, Timeline} from '../timeline/timeline.ts';
import {type Capacity, capacityOf, emptyRuns} from './capacity.ts';
import {crewOf} from './crew.ts';
import {lifeOf, type Span} from './life.ts';
import {piecesOf} from './piece.ts';

/** A stamp stands for its whole second. */
const RESOLUTION = 1000;

/** A time in which no worker of a service could serve, or may not have been able to. */
export interface Gap {
  /** The first of the instances that follow one another. */
  readonly instance: string;
  /** Milliseconds on the log's clock: not before the one, not after the other. */
  readonly from: number;
  readonly to: number;
  /** Seconds without anybody. */
  readonly duration: Duration;
  /** The reload, or the stop before the next start, that falls into it. Null where another trouble emptied the service. */
  readonly reload: Reload | null;
  readonly at: LogEvent | null;
}

/**
 * The times in which nobody could serve, from the first worker that is known to the last stop. An instance that was stopped
 * and the one that was started in its place are one service: the time between them counts. Before the first worker and
 * after the last stop nothing is promised to anybody.
 */
export function gapsOf(timeline: Timeline): readonly Gap[] {
  if (timeline.from === null || timeline.to === null) return [];
  const end = timeline.to + RESOLUTION;
  return [...servicesOf(timeline).values()].flatMap((instances) => gapsIn(instances, timeline.from as number, end));
}

/** Instances that have workers, each with those that took its place. */
export function servicesOf({instances}: Timeline): ReadonlyMap<string, readonly Instance[]> {
  const first = new Map<string, string>();
  for (const {id, predecessor} of instances) first.set(id, predecessor === null ? id : (first.get(predecessor) ?? predecessor));
  const serving = instances.filter(({processes}) => processes.some(({role}) => role === 'worker'));
  return groupBy(serving, ({id}) => first.get(id) as string);
}

function gapsIn(instances: readonly Instance[], from: number, end: number): readonly Gap[] {
  // A log that tells of no start does not tell who took the place of those that left.
  const isBlind = instances.every(({processes}) => processes.every(({role, started}) => role !== 'worker' || started === null));
  if (isBlind && instances.every(({supervisor}) => supervisor === 'gunicorn' || supervisor === 'celery')) return [];
  if (!isWhole(instances[0])) return [];
  const reloads = instances.flatMap((instance) => instance.reloads);
  const stop = reloads.at(-1);
  const isOver = stop?.kind === 'stop' && instances.at(-1)?.reloads.at(-1) === stop;
  const to = isOver ? Math.max(from, stop.startedAt.earliest ?? stop.startedAt.latest ?? end) : end;
  const firstLoss = firstLossOf(instances);
  const lives = instances.flatMap((instance, n) => {
    const {places, loadsInWorker} = crewOf(instance);
    return places.map((place) => {
      const life = lifeOf(place, loadsInWorker);
      const wasThere = n === 0 && (firstLoss === null || isThereBefore(firstLoss, place[0]));
      return piecesOf(wasThere ? servingFromTheStart(life) : life, from, to);
    });
  });
  const steps = capacityOf(lives);
  return emptyRuns(steps).map((run): Gap => {
    const gap = gapIn(run, run.at(-1) === steps.at(-1) && !isOver);
    const reload = reloads.find((each) => fallsInto(each, gap)) ?? null;
    const duration = atLeast(gap.duration, reload === null ? 0 : emptiedFor(reload, lives.length));
    return {...gap, duration, instance: instances[0]?.id ?? '', reload, at: reload?.began ?? null};
  });
}

/**
 * Whether the log shows all workers: from their start on, or all as they are told to leave. In an excerpt others may serve of whom
 * there was nothing to tell.
 */
function isWhole(first: Instance | undefined): boolean {
  const workers = first?.processes.filter(({role}) => role === 'worker') ?? [];
  const isStart = ({worker, started}: Process) => worker !== null && started !== null && started.meaning.respawned !== true;
  if (first?.epochs.some(({banner, master}) => banner !== null || master !== null) || workers.some(isStart)) return true;
  const numbers = new Set(workers.flatMap(({worker}) => worker ?? []));
  return (first?.reloads.length ?? 0) > 0 && (numbers.size === 0 || greatest([...numbers]) === numbers.size);
}

/** The line that tells of the first worker to leave, or to be asked to. */
function firstLossOf(instances: readonly Instance[]): LogEvent | null {
  const losses = instances.flatMap(({processes}) =>
    processes.filter(({role}) => role === 'worker').flatMap(({asked, ended}) => [asked?.event ?? [], ended ?? []].flat()),
  );
  return losses.reduce<LogEvent | null>((first, each) => (first === null || precedes(each, first) ? each : first), null);
}

function isThereBefore(loss: LogEvent, process: Process | undefined): boolean {
  return process !== undefined && (process.started === null || precedes(process.started, loss));
}

/** Nothing is promised before a service is up, so its start is no gap, however little is known of when that was. */
function servingFromTheStart(life: readonly Span[]): readonly Span[] {
  const serving = life.findIndex(({state}) => state === 'serving');
  const [span, ...rest] = serving === -1 ? [] : life.slice(serving);
  return span === undefined ? life : [{...span, from: UNKNOWN_INSTANT}, ...rest];
}

/**
 * Seconds for which a reload has emptied a service of so many workers at least. All are asked at once; the new generation comes when the
 * last has gone, or, where the master stays what it is, each replacement when its own worker has gone.
 */
function emptiedFor({kind, workers, reExecuted}: Reload, places: number): number {
  if (kind !== 'graceful' && kind !== 'brutal' && kind !== 'workers') return 0;
  const waits = workers.map(({wait}) => wait.min);
  if (waits.length < places) return 0;
  return reExecuted === null ? least(waits) : greatest(waits);
}

function atLeast({min, max}: Duration, seconds: number): Duration {
  return max !== null && seconds > max ? {min, max} : {min: Math.max(min, seconds), max};
}

function gapIn(steps: readonly Capacity[], isOpen: boolean): Pick<Gap, 'from' | 'to' | 'duration'> {
  const length = (some: readonly Capacity[]) => some.reduce((sum, {from, to}) => sum + to - from, 0) / 1000;
  const min = length(steps.filter(({max}) => max === 0));
  return {
    from: (steps[0] as Capacity).from,
    to: (steps.at(-1) as Capacity).to,
    duration: {min, max: isOpen ? null : length(steps)},
  };
}

function fallsInto({startedAt, endedAt}: Reload, {from, to}: Pick<Gap, 'from' | 'to'>): boolean {
  return (startedAt.earliest ?? from) <= to && (endedAt?.latest ?? endedAt?.earliest ?? to) >= from;
}
