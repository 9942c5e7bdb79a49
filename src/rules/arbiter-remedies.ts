/** What ends the hang of a gunicorn worker that has left its loop. One table for all rules that meet such a worker. */
import type {Instance} from '../timeline/timeline.ts';
import {otherBlockers} from './remedies.ts';
import {type Finding, type Fix, NO_SETTING} from './rule.ts';
import {numberOf} from './settings.ts';
import {nameOf, seconds} from './wording.ts';

/** Seconds where nothing sets them (gunicorn/config.py). */
export const DEFAULT_TIMEOUT = 30;

/** @param gain What it brings, in figures of the log. */
export function endTheThread(gain: string): Fix {
  return {
    ...NO_SETTING,
    safety: 'needs-code',
    tried: true,
    effect: gain,
    why:
      'Find the thread, timer or pool that the application starts in each worker, and make it a daemon thread (daemon=True), ' +
      'or stop it in the server hook worker_exit of gunicorn.conf.py, which runs before Python waits for threads. ' +
      "Python's own atexit comes too late.",
  };
}

/** The deadline that ended the wait, set lower: it shortens the hang and leaves its cause. */
export function lowerDeadline(instance: Instance, name: 'timeout' | 'graceful_timeout'): Fix {
  const value = numberOf(instance, name);
  return {
    setting: name,
    section: null,
    value: null,
    since: null,
    safety: 'may-cut-requests',
    effect: `the wait ends after ${name} in place of ${seconds(value ?? DEFAULT_TIMEOUT)}${value === null ? ' (the default, unless it is set)' : ''}`,
    why: 'It shortens the hang and leaves the cause, and cuts requests that take longer.',
  };
}

export function whileItExits(instance: Instance): string[] {
  const alive = instance.processes.findLast(({role, end}) => role === 'worker' && end === 'running');
  return [
    `py-spy dump --pid ${alive ? alive.pid : '<pid of a worker that has said "Worker exiting">'}   # during the next hang${
      alive ? ` (${nameOf(alive)} ran at the end of this log)` : ''
    }: shows which thread is waited for`,
    "py-spy dump before a reload lists the threads that are there while it serves: each that is not gunicorn's and not a daemon holds the exit",
  ];
}

export function otherHolders(): Finding['against'] {
  return otherBlockers().map((each) => ({
    ...each,
    hypothesis: each.hypothesis.replace('(atexit, uwsgi.atexit)', '(atexit, worker_exit)'),
  }));
}

export const GUNICORN_EXIT_REFERENCES: readonly string[] = [
  'https://docs.gunicorn.org/en/stable/settings.html#worker-exit',
  'https://docs.gunicorn.org/en/stable/settings.html#graceful-timeout',
];
