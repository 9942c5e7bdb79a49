/** What is normal work here: how long the requests and tasks of an instance take when they are allowed to end. */

import {greatest} from '../extremes.ts';
import type {LineRef, LogEvent} from '../timeline/event.ts';
import {DURATION_BOUNDS} from '../timeline/event.ts';
import {oncePer} from '../timeline/once.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Timeline} from '../timeline/timeline.ts';

export interface Requests {
  readonly count: number;
  /** Seconds. */
  readonly longest: number;
  readonly longestLine: LineRef | null;
  readonly byDuration: readonly number[];
}

export interface Task {
  readonly id: string;
  readonly pid: number;
  readonly began: LogEvent;
  readonly ended: LogEvent;
  /** Seconds; what the log proves at least. */
  readonly least: number;
}

export const requestsOf = oncePer((instance: Instance): Requests => {
  const byDuration = new Array<number>(DURATION_BOUNDS.length + 1).fill(0);
  let total = 0;
  let longest = 0;
  let longestLine: LineRef | null = null;
  for (const process of instance.processes) {
    for (const segment of process.segments) {
      total += segment.count;
      segment.byDuration.forEach((number, index) => {
        byDuration[index] = (byDuration[index] ?? 0) + number;
      });
      if (segment.longest >= longest) {
        longest = segment.longest;
        longestLine = segment.last;
      }
    }
  }
  return {count: total, longest: longest / 1000, longestLine, byDuration};
});

/** Requests that certainly took longer: classes whose lower bound is at or above the limit. */
export function longerThan({byDuration, longest}: Requests, limit: number): number {
  const first = DURATION_BOUNDS.findIndex((bound) => bound >= limit * 1000);
  const sure = first < 0 ? 0 : byDuration.slice(first + 1).reduce((sum, number) => sum + number, 0);
  return Math.max(sure, longest > limit ? 1 : 0);
}

/** Whether requests of that length are the custom and not the exception. */
export function isNormal(requests: Requests, limit: number): boolean {
  return longerThan(requests, limit) >= Math.max(2, requests.count / 200);
}

/** Tasks of the application that began and ended in one process of the instance. */
export function tasksOf(timeline: Timeline, instance: Instance): Task[] {
  const pids = new Set(instance.processes.filter((process) => process.role === 'worker').map((process) => process.pid));
  const open = new Map<string, LogEvent>();
  const tasks: Task[] = [];
  for (const event of timeline.events) {
    const {kind, role} = event.meaning;
    if (kind !== 'task-began' && kind !== 'task-ended') continue;
    if (event.pid === null || !pids.has(event.pid) || (role && role !== 'worker')) continue;
    const id = event.fields.task ?? event.fields.id;
    if (id === undefined) continue;
    const key = `${event.pid} ${id}`;
    const began = open.get(key);
    if (kind === 'task-began') open.set(key, event);
    else if (began) {
      open.delete(key);
      tasks.push({id: String(id), pid: event.pid, began, ended: event, least: between(began.at, event.at).min});
    }
  }
  return tasks;
}

/** Seconds that the longest task needed which this log shows to have ended, in whichever process. */
export const longestTask = oncePer((timeline: Timeline): number => {
  const open = new Map<string, LogEvent>();
  let longest = 0;
  for (const event of timeline.events) {
    const {kind} = event.meaning;
    if (kind !== 'task-began' && kind !== 'task-ended') continue;
    const {task, name, thread} = event.fields;
    const key = `${event.stream} ${task === undefined ? `${event.pid} ${name} ${thread}` : task}`;
    const began = open.get(key);
    if (kind === 'task-began') open.set(key, event);
    else if (began !== undefined) longest = Math.max(longest, between(began.at, event.at).min);
  }
  return longest;
});

/** Seconds that the longest piece of work needed which this log shows to have ended. */
export function longestWork(timeline: Timeline, instance: Instance): number {
  return Math.max(requestsOf(instance).longest, greatest(tasksOf(timeline, instance).map((task) => task.least)));
}

/** Answers of a worker that was asked what it does (SIGUSR2). */
const ANSWERS: ReadonlySet<string> = new Set(['uwsgi/is-managing', 'uwsgi/harakiri-was']);

export function isRunningRequest(event: LogEvent): boolean {
  return event.meaning.kind === 'request-running' || event.meaning.kind === 'requests-pending' || ANSWERS.has(event.message);
}

/** `GET /export`, as far as the line tells. */
export function requestOf(event: LogEvent): string {
  const {method, uri} = event.fields;
  return [method, uri].filter((part) => part !== undefined).join(' ') || 'a request';
}
