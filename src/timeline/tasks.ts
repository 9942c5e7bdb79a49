import type {LogEvent} from './event.ts';
import {precedes} from './lookup.ts';
import {between} from './time.ts';
import type {Instance, OrphanedTask, Process, TaskLedger} from './timeline.ts';

interface Task {
  readonly began: LogEvent;
  readonly id: string | null;
  ended: LogEvent | null;
}

/** Seconds after which a process that said it was leaving is taken for gone. */
const LONG_AFTER = 30;

/**
 * Pairs the beginnings and ends of tasks. A task is an orphan where its process is gone, it never ended
 * there, and nobody began it again.
 */
export function taskLedger(events: readonly LogEvent[], instances: readonly Instance[]): TaskLedger {
  const tasks: Task[] = [];
  const open = new Map<string, Task>();
  const lastOf = new Map<string, LogEvent>();
  let finished = 0;
  for (const event of events) {
    const {kind} = event.meaning;
    if ((kind !== 'task-began' && kind !== 'task-ended') || event.pid === null) continue;
    lastOf.set(writerOf(event), event);
    const key = keyOf(event);
    if (kind === 'task-began') {
      const task: Task = {began: event, id: idOf(event), ended: null};
      tasks.push(task);
      open.set(key, task);
      continue;
    }
    finished++;
    const task = open.get(key);
    if (task === undefined) continue;
    task.ended = event;
    open.delete(key);
  }
  const orphaned = tasks.filter(({ended}) => ended === null).flatMap((task) => orphan(task, tasks, instances, lastOf, events));
  return {started: tasks.length, finished, orphaned};
}

function orphan(
  task: Task,
  tasks: readonly Task[],
  instances: readonly Instance[],
  lastOf: ReadonlyMap<string, LogEvent>,
  events: readonly LogEvent[],
): OrphanedTask[] {
  const {began, id} = task;
  const pid = began.pid as number;
  const at = tasks.indexOf(task);
  if (id !== null && tasks.some((other, n) => n > at && other.id === id && other.began.pid !== pid)) return [];
  const process =
    processOf(
      instances.filter(({name}) => name === began.stream),
      began,
    ) ?? processOf(instances, began);
  if (process !== undefined) {
    if (process.end === 'running' || !isGone(process, events)) return [];
    return [
      {
        id,
        pid,
        worker: process.worker,
        startedAt: began.at,
        started: began,
        lostTo: process.cause,
        gone: process.ended ?? process.forced?.event ?? null,
        replacedBy: null,
      },
    ];
  }
  // Only the application's own lines tell: another process does the same work from the same thread, and this one is silent.
  const replacedBy = tasks.find(
    (other, n) =>
      n > at &&
      other.began.pid !== pid &&
      other.began.fields['thread'] === began.fields['thread'] &&
      isLaterThan(other.began, lastOf.get(writerOf(began))),
  );
  if (replacedBy === undefined || began.fields['thread'] === undefined) return [];
  return [
    {id, pid, worker: null, startedAt: began.at, started: began, lostTo: 'unknown', gone: null, replacedBy: replacedBy.began},
  ];
}

function processOf(instances: readonly Instance[], began: LogEvent): Process | undefined {
  return instances
    .flatMap(({processes}) => processes)
    .findLast((candidate) => candidate.pid === began.pid && startedBefore(candidate, began));
}

/**
 * A process that says it is leaving still waits for its threads (gunicorn's "Worker exiting"): it is gone when another
 * takes its place, or when the log has gone on for long without it.
 */
function isGone({leaving, ended}: Process, events: readonly LogEvent[]): boolean {
  if (leaving === null || ended !== leaving) return true;
  return events.some(
    (event) =>
      precedes(leaving, event) &&
      (event.meaning.kind === 'process-started' ||
        between(leaving.at, event.at).min >= LONG_AFTER ||
        event.meaning.kind === 'stop-ended'),
  );
}

function startedBefore(process: Process, event: LogEvent): boolean {
  const {earliest} = process.startedAt;
  return earliest === null || event.at.latest === null || earliest <= event.at.latest;
}

function isLaterThan(event: LogEvent, other: LogEvent | undefined): boolean {
  return other === undefined || (event.at.earliest ?? 0) > (other.at.latest ?? 0);
}

function idOf(event: LogEvent): string | null {
  const {task} = event.fields;
  return task === undefined ? null : String(task);
}

/** Within one process a task is known by its id, else by the thread it runs in. */
function keyOf(event: LogEvent): string {
  const id = idOf(event);
  return `${writerOf(event)} ${id === null ? `thread ${event.fields['thread'] ?? ''}` : `id ${id}`}`;
}

/** Process ids mean something within one stream. */
function writerOf({pid, stream}: LogEvent): string {
  return `${stream ?? ''} ${pid}`;
}
