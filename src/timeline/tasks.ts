import {greatest} from '../extremes.ts';
import {type Cause, type LogEvent, speakerOf} from './event.ts';
import {instanceWithId, precedes, successorOf} from './lookup.ts';
import {between} from './time.ts';
import type {Instance, OrphanedTask, Process, TaskLedger} from './timeline.ts';

interface Task {
  readonly began: LogEvent;
  readonly id: string | null;
  ended: LogEvent | null;
  /** A line says that it was cut. */
  cut: LogEvent | null;
  /** The last line by which the same process began it once more. */
  again: LogEvent | null;
  /** Its thread went on with other work: whatever became of it, the end of the process did not cut it. */
  passed: boolean;
}

/** Seconds after which a process that said it leaves is taken for gone, if no line tells. */
const LEAVES_WITHIN = 30;
/** So many tasks can run before the first has ended. */
const FEW = 10;

/**
 * Pairs the beginnings and ends of tasks. A task is an orphan where its process is gone, it never ended there, and
 * nobody began it again.
 */
export function taskLedger(events: readonly LogEvent[], instances: readonly Instance[], to: number | null): TaskLedger {
  const pairs = paired(events);
  if (pairs.tasks.length === 0) return {started: 0, finished: pairs.finished, retried: 0, orphaned: []};
  return new Ledger(pairs, instances, to).conclude();
}

interface Pairs {
  readonly tasks: readonly Task[];
  readonly finished: number;
  /** No thread of this log ever did two tasks at once. */
  readonly serial: boolean;
  /** Each tells that one task was cut, and not which. */
  readonly cuts: readonly LogEvent[];
  /** Each tells how many tasks were given back unbegun. */
  readonly returns: readonly LogEvent[];
}

/** Which end belongs to which beginning. */
function paired(events: readonly LogEvent[]): Pairs {
  const tasks: Task[] = [];
  const open = new Map<string, Task[]>();
  const openById = new Map<string, Task>();
  const inThread = new Map<string, Task>();
  const cuts: LogEvent[] = [];
  const returns: LogEvent[] = [];
  let finished = 0;
  let serial = true;
  for (const event of events) {
    const {kind} = event.meaning;
    if (kind === 'tasks-returned') returns.push(event);
    if (kind === 'task-cut') {
      const task = cutBy(event, tasks, openById);
      if (task !== undefined) task.cut = event;
      else if (idOf(event) === null && event.fields['process'] === undefined) cuts.push(event);
    }
    if (kind !== 'task-began' && kind !== 'task-ended') continue;
    const key = keyOf(event);
    const waiting = open.get(key) ?? [];
    const thread = threadOf(event);
    const before = thread === null ? undefined : inThread.get(thread);
    if (kind === 'task-began') {
      // "received" and then "started": the same task once more. Or it was cut, and its queue gives it out again.
      if (idOf(event) !== null && waiting[0] !== undefined) {
        waiting[0].again = event;
        if (waiting[0].cut === null) continue;
        waiting.shift();
      }
      const task: Task = {began: event, id: idOf(event), ended: null, cut: null, again: null, passed: false};
      tasks.push(task);
      open.set(key, [...waiting, task]);
      if (task.id !== null) openById.set(`${event.stream} ${task.id}`, task);
      if (before !== undefined && before.ended === null) before.passed = true;
      if (thread !== null) inThread.set(thread, task);
      continue;
    }
    finished++;
    const [own, ...others] = waiting;
    // Queues begin and end a task in different processes.
    const task = own ?? openById.get(`${event.stream} ${idOf(event)}`);
    if (task === undefined || task.ended !== null) continue;
    task.ended = event;
    if (task.passed) serial = false;
    if (own !== undefined) open.set(key, others);
  }
  return {tasks, finished, serial, cuts, returns};
}

/** The task that a line says was cut: by its id, or by the process that ran it. */
function cutBy(event: LogEvent, tasks: readonly Task[], openById: ReadonlyMap<string, Task>): Task | undefined {
  const {process} = event.fields;
  const isOpen = (task: Task) => task.ended === null && task.cut === null;
  if (process === undefined)
    return [openById.get(`${event.stream} ${idOf(event)}`)].find((task) => task !== undefined && isOpen(task));
  // What it did before has ended: its end may be told by another process, and later.
  const last = tasks.findLast(({began}) => began.stream === event.stream && began.fields['process'] === process);
  return last !== undefined && isOpen(last) ? last : undefined;
}

/** Where a task ran, and what took that away. */
interface Loss {
  readonly process: Process | null;
  /** Where it is known without the process. */
  readonly instance?: string;
  readonly cause: Cause;
  readonly gone: LogEvent | null;
}

class Ledger {
  private readonly tasks: readonly Task[];
  private readonly finished: number;
  private readonly serial: boolean;
  private readonly cuts: readonly LogEvent[];
  private readonly cutUnnamed: ReadonlyMap<Task, LogEvent>;
  private readonly leavings = new Map<Instance, boolean>();
  private readonly returns: readonly LogEvent[];
  private readonly instances: readonly Instance[];
  private readonly to: number | null;
  private readonly byPid = new Map<number, Process[]>();
  private readonly byId = new Map<string, number[]>();
  private readonly lastOf = new Map<string, LogEvent>();
  private readonly idsRepeat: boolean;
  private readonly longest: number;

  constructor({tasks, finished, serial, cuts, returns}: Pairs, instances: readonly Instance[], to: number | null) {
    this.tasks = tasks;
    this.finished = finished;
    this.serial = serial;
    this.cuts = cuts;
    this.returns = returns;
    this.cutUnnamed = this.unnamed(cuts);
    this.instances = instances;
    this.to = to;
    for (const process of instances.flatMap(({processes}) => processes)) push(this.byPid, process.pid, process);
    for (const [n, {id, began, ended}] of tasks.entries()) {
      if (id !== null) push(this.byId, id, n);
      for (const event of [began, ended]) if (event !== null) this.lastOf.set(processKey(event), event);
    }
    this.idsRepeat = [...this.byId.values()].filter((same) => this.isRepeated(same)).length > 1;
    this.longest = Math.max(0, greatest(tasks.map(({began, ended}) => (ended === null ? 0 : between(began.at, ended.at).min))));
  }

  conclude(): TaskLedger {
    const orphaned: OrphanedTask[] = [];
    let retried = 0;
    let givenOutAgain = 0;
    for (const [n, task] of this.tasks.entries()) {
      if (isGivenOutAgain(task)) {
        givenOutAgain++;
        continue;
      }
      if (task.again !== null && this.wasCutBetween(task.began, task.again)) retried++;
      if (task.ended !== null || (task.passed && (this.serial || task.id === null))) continue;
      const orphan = this.cutTask(task) ?? (task.began.pid === null ? this.withoutPid(task) : this.withPid(task, n));
      if (orphan === null) continue;
      if (this.isBegunAgain(task, n)) retried++;
      else orphaned.push(orphan);
    }
    return {
      started: this.tasks.length - givenOutAgain,
      finished: this.finished,
      retried: retried + givenOutAgain,
      orphaned,
    };
  }

  /** The same id ended, and was then begun elsewhere: each process counts its own tasks. */
  private isRepeated(same: readonly number[]): boolean {
    return same.some((n, at) => {
      const [task, next] = [this.tasks[n] as Task, this.tasks[same[at + 1] ?? -1]];
      return task.ended !== null && next !== undefined && processKey(next.began) !== processKey(task.began);
    });
  }

  private wasCutBetween(began: LogEvent, again: LogEvent): boolean {
    const isBetween = (event: LogEvent) => event.stream === began.stream && precedes(began, event) && precedes(event, again);
    const banners = this.instances.flatMap(({epochs, predecessor}) => (predecessor === null ? [] : (epochs[0]?.banner ?? [])));
    return [...this.cuts, ...banners].some(isBetween) && !this.returns.some(isBetween);
  }

  /** A line says that it was cut. */
  private cutTask(task: Task): OrphanedTask | null {
    const cut = task.cut !== null && !isLater(task, task.cut) ? task.cut : this.cutUnnamed.get(task);
    return cut === undefined ? null : orphanOf(task, lossBy(cut, this.instanceAt(task.began)?.id), null);
  }

  /** Lines say how many tasks were cut, and not which: those that are left, where that many never ended. */
  private unnamed(cuts: readonly LogEvent[]): ReadonlyMap<Task, LogEvent> {
    const found = new Map<Task, LogEvent>();
    for (const stream of new Set(cuts.map((cut) => cut.stream))) {
      const own = cuts.filter((cut) => cut.stream === stream);
      const last = own.at(-1) as LogEvent;
      const tasks = this.tasks.filter(({began, id}) => id !== null && isOneLog(began, last));
      const open = tasks.filter((task) => task.ended === null && task.cut === null && !isLater(task, last));
      const given = tasks.filter(
        ({began, again}) => again !== null && own.some((cut) => precedes(began, cut) && precedes(cut, again)),
      );
      if (open.length <= own.length - given.length) for (const task of open) found.set(task, last);
    }
    return found;
  }

  private isBegunAgain({id, began}: Task, n: number): boolean {
    if (id === null || this.idsRepeat) return false;
    return (this.byId.get(id) ?? []).some((other) => {
      const next = this.tasks[other] as Task;
      return other > n && (began.pid === null || processKey(next.began) !== processKey(began));
    });
  }

  private withPid(task: Task, n: number): OrphanedTask | null {
    const {began} = task;
    const candidates = (this.byPid.get(began.pid as number) ?? []).filter((process) => startedBefore(process, began));
    const sameStream = candidates.filter((process) => this.streamOf(process) === began.stream);
    const process = (sameStream.length > 0 ? sameStream : candidates).at(-1);
    if (process !== undefined) {
      const loss = this.lossOf(process);
      return loss && orphanOf(task, loss, null);
    }
    // Only the application's own lines tell: another process does the same work from the same thread, and this one is silent.
    const thread = began.fields['thread'];
    const last = this.lastOf.get(processKey(began));
    const replacedBy = this.tasks.find(
      (other, at) =>
        at > n &&
        other.began.pid !== null &&
        other.began.pid !== began.pid &&
        other.began.fields['thread'] === thread &&
        isLaterThan(other.began, last),
    );
    if (replacedBy === undefined || thread === undefined) return null;
    return orphanOf(task, {process: null, cause: 'unknown', gone: null}, replacedBy.began);
  }

  /** No line tells where it ran: it is lost where every process is gone in which it can have run. */
  private withoutPid(task: Task): OrphanedTask | null {
    const {began} = task;
    const instance = this.instanceAt(began);
    if (instance === null) return null;
    const gone = instance.stopped ?? this.startAfter(instance) ?? coldEnd(instance);
    if (gone !== null) return this.goneWith(task, instance, gone);
    // Of the processes of a pool that the log does not introduce, others may be left.
    if (instance.processes.some(({role, started}) => role === 'worker' && started === null)) return null;
    const processes = instance.processes.filter(
      (process) =>
        process.role === 'worker' &&
        startedBefore(process, began) &&
        (process.ended === null || precedes(began, process.ended) || process.end === 'running'),
    );
    const losses = processes.map((process) => this.lossOf(process));
    const [first] = losses;
    if (!first || losses.some((loss) => loss === null)) return null;
    const causes = new Set(losses.map((loss) => loss?.cause));
    if (losses.length === 1) return orphanOf(task, first, null);
    return orphanOf(
      task,
      {process: null, instance: instance.id, cause: causes.size === 1 ? first.cause : 'unknown', gone: first.gone},
      null,
    );
  }

  /** The only instance in which a line that names no process can have been written. */
  private instanceAt(began: LogEvent): Instance | null {
    const supervisor = speakerOf(began.message);
    const all = this.instances.filter(({epochs, processes}) => epochs.length > 0 || processes.length > 0);
    const own = all.filter((instance) => instance.supervisor === supervisor);
    const among = own.length > 0 ? own : all;
    const sameStream = among.filter(({name}) => name === began.stream);
    const candidates = (sameStream.length > 0 ? sameStream : among).filter((instance) => isRunningAt(instance, began));
    const [instance] = candidates;
    return instance !== undefined && candidates.length === 1 ? instance : null;
  }

  private goneWith(task: Task, instance: Instance, gone: LogEvent): OrphanedTask | null {
    if (!precedes(task.began, gone) || isLater(task, gone)) return null;
    const known = this.leavings.get(instance) ?? this.leftBehind(task.began.stream, instance, gone);
    this.leavings.set(instance, known);
    if (!known) return null;
    const cause = instance.reloads.some(({kind}) => kind === 'stop') ? 'stop' : 'unknown';
    return orphanOf(task, {process: null, instance: instance.id, cause, gone}, null);
  }

  /** Whether an instance that is gone can have taken its open tasks along, as far as its log shows what becomes of tasks. */
  private leftBehind(stream: string | null, instance: Instance, gone: LogEvent): boolean {
    const same = this.tasks.filter(({began}) => began.stream === stream && began.pid === null && precedes(began, gone));
    // What it had begun ended after it: another one of the same name is still there.
    if (same.some((task) => task.ended !== null && precedes(gone, task.ended) && !isLater(task, gone))) return false;
    const open = same.filter((task) => task.ended === null && !isLater(task, gone));
    // The pool writes another file.
    if (open.length === same.length && open.length > FEW) return false;
    const [first] = instance.epochs;
    const began = first?.banner ?? first?.master ?? null;
    const returned = this.returns
      .filter((event) => event.stream === stream && !precedes(gone, event) && (began === null || precedes(began, event)))
      .reduce((sum, {fields}) => sum + Number(fields['count'] ?? 0), 0);
    return open.length > returned;
  }

  /** The banner of the instance that took its place. */
  private startAfter(instance: Instance): LogEvent | null {
    const next = successorOf(this.instances, instance);
    return next?.epochs[0]?.banner ?? next?.epochs[0]?.master ?? null;
  }

  /** What took the process away; null while it may still run. A process that says it leaves can work on. */
  private lossOf(process: Process): Loss | null {
    const {ended, forced, end, cause} = process;
    if (end === 'running') return null;
    const {kind} = ended?.meaning ?? {kind: null};
    if (ended !== null && kind !== 'process-leaving' && kind !== 'master-lost') return {process, cause, gone: ended};
    if (end === 'forced' || (end === 'lost' && kind !== 'master-lost')) return {process, cause, gone: forced?.event ?? null};
    if (kind === 'master-lost') return this.isLongAfter(process) ? {process, cause, gone: null} : null;
    const instance = instanceWithId(this.instances, process.instance);
    // uWSGI starts a successor when it has buried the process before.
    if (instance?.supervisor === 'uwsgi' && process.successor !== null) return {process, cause, gone: process.successor};
    if (instance?.stopped) return {process, cause, gone: instance.stopped};
    // So does an arbiter where a worker left by itself; at a reload it starts the new ones first.
    const next =
      process.asked?.by === 'itself' && instance?.processes.find(({started}) => started && ended && precedes(ended, started));
    if (next) return {process, cause, gone: next.started};
    return this.isLongAfter(process) ? {process, cause, gone: null} : null;
  }

  private isLongAfter({ended}: Process): boolean {
    const since = ended?.at.latest ?? null;
    return since !== null && this.to !== null && this.to - since > 1000 * Math.max(LEAVES_WITHIN, 2 * this.longest);
  }

  private streamOf(process: Process): string | null {
    return instanceWithId(this.instances, process.instance)?.name ?? null;
  }
}

/** A line says that it was cut, and a later one begins it again: what becomes of that is told of another {@link Task}. */
function isGivenOutAgain({cut, again}: Task): boolean {
  return cut !== null && again !== null && precedes(cut, again);
}

/** It was begun, or given out once more, after that. */
function isLater({began, again}: Task, event: LogEvent): boolean {
  return precedes(event, again ?? began);
}

function lossBy(gone: LogEvent, instance: string | undefined): Loss {
  return {process: null, cause: gone.meaning.cause ?? 'signal', gone, ...(instance === undefined ? {} : {instance})};
}

function orphanOf({began, id}: Task, {process, cause, gone, instance}: Loss, replacedBy: LogEvent | null): OrphanedTask {
  return {
    id: id ?? nameOf(began),
    pid: process?.pid ?? began.pid,
    worker: process?.worker ?? null,
    instance: process?.instance ?? instance ?? null,
    startedAt: began.at,
    started: began,
    lostTo: cause,
    gone,
    replacedBy,
  };
}

/**
 * Celery stops at once, with its tasks. Where it was waiting for them already (TERM before), versions up to 5.4 go on to wait
 * (celery/apps/worker.py).
 */
function coldEnd({reloads}: Instance): LogEvent | null {
  const stop = reloads.findLast(({kind}) => kind === 'stop');
  if (stop === undefined || stop.began.message === 'celery/warm-shutdown') return null;
  return [stop.began, ...stop.repeated].find(({message}) => message === 'celery/cold-shutdown') ?? null;
}

function startedBefore(process: Process, event: LogEvent): boolean {
  const {earliest} = process.startedAt;
  return earliest === null || event.at.latest === null || earliest <= event.at.latest;
}

function isRunningAt({epochs, stopped}: Instance, event: LogEvent): boolean {
  const began = epochs[0]?.banner ?? epochs[0]?.master ?? null;
  return (began === null || !precedes(event, began)) && (stopped === null || precedes(event, stopped));
}

function isLaterThan(event: LogEvent, other: LogEvent | undefined): boolean {
  return other === undefined || (event.at.earliest ?? 0) > (other.at.latest ?? 0);
}

function idOf({fields}: LogEvent): string | null {
  const {task} = fields;
  return task === undefined ? null : String(task);
}

function nameOf({fields}: LogEvent): string | null {
  const {name} = fields;
  return name === undefined ? null : String(name);
}

/** Process ids mean something within one stream only. */
function processKey({stream, pid}: LogEvent): string {
  return `${stream ?? ''} ${pid ?? ''}`;
}

function threadOf(event: LogEvent): string | null {
  const {thread} = event.fields;
  return event.pid === null || thread === undefined ? null : `${processKey(event)} ${thread}`;
}

/** RQ writes the name of the queue in front of some lines, where it is taken for the name of a program. */
function isOneLog(a: LogEvent, b: LogEvent): boolean {
  return a.stream === b.stream || (a.input === b.input && (a.stream === null || b.stream === null));
}

/** Within one process a task is known by its id, else by its name and the thread it runs in. */
function keyOf(event: LogEvent): string {
  const id = idOf(event);
  if (id !== null) return `${processKey(event)} id ${id}`;
  return `${processKey(event)} ${nameOf(event) ?? ''} thread ${event.fields['thread'] ?? ''}`;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}
