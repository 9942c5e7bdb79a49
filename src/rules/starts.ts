/** Starts that failed, and generations that came up without their application: read once, for all rules that ask. */

import {type LogEvent, speakerOf} from '../timeline/event.ts';
import {firstFrom, precedes} from '../timeline/lookup.ts';
import {oncePer} from '../timeline/once.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {isSetupFailure} from './exit-status.ts';

/**
 * `app`: the application did not load. `address`: another process holds the address. `bind`: the address was refused for another
 * reason, or for one that no line tells. `backlog`: the system allows a shorter queue than was asked for. `configuration`: its file was
 * not found. `hook`: what the configuration runs at the start failed.
 */
export type Obstacle = 'app' | 'address' | 'bind' | 'backlog' | 'configuration' | 'hook';

/** From one start (or reload) of a supervisor to the next. */
export interface Generation {
  /** Whose lines they are: supervisor and stream. */
  readonly source: string;
  readonly supervisor: string;
  readonly stream: string | null;
  /** The start-up banner; null where the log begins later, or where workers alone were replaced. */
  readonly start: LogEvent | null;
  /** The line by which it is known that this is no first start but follows a reload. */
  reload: LogEvent | null;
  /** An application was loaded before that reload. */
  readonly hadApp: LogEvent | null;
  readonly troubles: LogEvent[];
  readonly loaded: LogEvent[];
  /** Requests that were answered with an error for want of an application. */
  readonly unanswered: LogEvent[];
  /** The same of workers that a stop had interrupted while they loaded it. */
  readonly interrupted: LogEvent[];
  lastWorker: LogEvent | null;
}

export interface FailedStart {
  readonly generation: Generation;
  readonly obstacles: readonly Obstacle[];
  /** Lines that prove it, in the order of the log. */
  readonly proofs: readonly LogEvent[];
}

const generationsIn = oncePer((timeline: Timeline): readonly Generation[] => {
  const all: Generation[] = [];
  const current = new Map<string, Generation>();
  const reloading = new Map<string, LogEvent>();
  /** Where a stop is under way: what it interrupts is no trouble of the start. */
  const stopping = new Set<string>();
  const begin = (event: LogEvent, source: string, supervisor: string, start: LogEvent | null, reload: LogEvent | null) => {
    const past = current.get(source);
    const next: Generation = {
      source,
      supervisor,
      stream: event.stream,
      start,
      reload,
      hadApp: reload === null ? null : (past?.loaded.at(-1) ?? past?.hadApp ?? null),
      troubles: [],
      loaded: [],
      unanswered: [],
      interrupted: [],
      lastWorker: null,
    };
    current.set(source, next);
    all.push(next);
    return next;
  };
  for (const event of timeline.events) {
    const {kind, reload, cause} = event.meaning;
    const supervisor = speakerOf(event.message);
    const source = `${supervisor} ${event.stream ?? ''}`;
    const now = () => current.get(source) ?? begin(event, source, supervisor, null, null);
    if (kind === 're-executing' || (kind === 'reload-began' && (reload === 'graceful' || reload === 'brutal'))) {
      reloading.set(source, event);
    } else if (kind === 'stop-began' || kind === 'stop-ended') {
      reloading.delete(source);
      if (kind === 'stop-began' && current.has(source)) stopping.add(source);
      else stopping.delete(source);
    } else if (kind === 'starting') {
      stopping.delete(source);
      begin(event, source, supervisor, event, reloading.get(source) ?? null);
      reloading.delete(source);
    } else if (kind === 'master-re-executed') {
      now().reload ??= event;
    } else if ((kind === 'reload-began' && reload !== undefined) || (kind === 'recycle-began' && cause === 'reload')) {
      begin(event, source, supervisor, null, event);
    } else if (kind === 'app-loaded') now().loaded.push(event);
    else if (kind === 'process-started' && event.meaning.role === 'worker') now().lastWorker = event;
    else if (stopping.has(source) && event.message === 'uwsgi/no-python-app') now().interrupted.push(event);
    else if (stopping.has(source) && obstacleOf(kind) === 'app') continue;
    else if (kind === 'path-missing') {
      const under = reloading.get(source) ?? null;
      if (under === null ? isConfiguration(event) && !isUp(current.get(source)) : under.meaning.kind === 're-executing') {
        begin(event, source, supervisor, null, under).troubles.push(event);
        reloading.delete(source);
      }
    } else if (isObstacle(event))
      (isOfAnother(event, now()) ? begin(event, source, supervisor, null, null) : now()).troubles.push(event);
    else if (event.message === 'uwsgi/no-python-app') now().unanswered.push(event);
  }
  return all;
});

/** Requests that were answered with an error for want of an application. */
export function unansweredIn(timeline: Timeline): Record<'unanswered' | 'interrupted', readonly LogEvent[]> {
  const all = generationsIn(timeline);
  return {unanswered: all.flatMap((each) => each.unanswered), interrupted: all.flatMap((each) => each.interrupted)};
}

/** Two masters gave up: pieces of two logs, of which neither has its start. */
function isOfAnother({pid, message, meaning}: LogEvent, {troubles}: Generation): boolean {
  return (
    meaning.fatal === true &&
    pid !== null &&
    troubles.some((trouble) => trouble.message === message && trouble.pid !== null && trouble.pid !== pid)
  );
}

/** A file that no client asks for. */
function isConfiguration({fields}: LogEvent): boolean {
  return fields.configSuffix !== undefined;
}

/** Its configuration was found. */
function isUp(generation: Generation | undefined): boolean {
  return generation !== undefined && (generation.start !== null || generation.lastWorker !== null);
}

function isObstacle({meaning}: LogEvent): boolean {
  return obstacleOf(meaning.kind) !== null;
}

export function obstacleOf(kind: LogEvent['meaning']['kind']): Obstacle | null {
  if (kind === 'app-load-failed' || kind === 'no-app') return 'app';
  if (kind === 'address-in-use') return 'address';
  if (kind === 'address-refused') return 'bind';
  if (kind === 'path-missing') return 'configuration';
  if (kind === 'start-aborted') return 'hook';
  return kind === 'listen-above-limit' ? 'backlog' : null;
}

/** The application is missing in it, as far as that is a trouble: an instance may be meant to load applications later. */
function appTroubles({troubles, unanswered, reload, hadApp}: Generation): LogEvent[] {
  const own = troubles.filter(({meaning}) => obstacleOf(meaning.kind) === 'app');
  const isSure = own.some(({meaning}) => meaning.kind === 'app-load-failed' || meaning.fatal === true);
  if (isSure || unanswered.length > 0 || (reload !== null && hadApp !== null)) return own;
  return [];
}

/** First starts that something kept from coming up; `reloads`: new generations without their application. */
export function failedStarts(timeline: Timeline): {starts: FailedStart[]; reloads: FailedStart[]} {
  const starts: FailedStart[] = [];
  const reloads: FailedStart[] = [];
  for (const generation of generationsIn(timeline)) {
    const {troubles, lastWorker, unanswered, reload, start} = generation;
    const apps = appTroubles(generation);
    const missing = apps.length > 0 ? [...apps, ...unanswered.slice(0, 1)] : unanswered.slice(0, reload !== null ? 1 : 0);
    if (missing.length > 0 && reload !== null) reloads.push({generation, obstacles: ['app'], proofs: missing});
    const sockets = troubles.filter(
      (event) =>
        obstacleOf(event.meaning.kind) !== 'app' &&
        (event.meaning.fatal === true || lastWorker === null || precedes(lastWorker, event)),
    );
    const own = [...sockets, ...(reload === null ? missing : [])].sort((a, b) => (precedes(a, b) ? -1 : 1));
    if (own.length === 0) continue;
    const told = [...new Set(own.map((event) => (givesUpUntold(event) ? 'bind' : (obstacleOf(event.meaning.kind) ?? 'app'))))];
    const obstacles = told.filter((obstacle) => obstacle !== 'bind' || !told.includes('address'));
    // A start that was seen and fails on its socket never gets to its application.
    starts.push({generation, obstacles: start === null && obstacles.length === 0 ? ['app'] : obstacles, proofs: own});
  }
  return {starts, reloads};
}

/** gunicorn gives up in the same words whatever the reason; the lines before tell whether it is another process. */
function givesUpUntold({message}: LogEvent): boolean {
  return message === 'gunicorn/cannot-connect';
}

/** What is known to have kept a program or an application from coming up. */
const obstaclesIn = oncePer((timeline: Timeline): readonly LogEvent[] => {
  const {starts, reloads} = failedStarts(timeline);
  return [...starts, ...reloads].flatMap(({proofs}) => proofs);
});

/** Seconds between what a program says and its end. */
const NEAR = 5;

/** What kept the program from coming up is known from its own lines: its end is the consequence. */
export function failedToStart(timeline: Timeline, instance: Instance, process: Process): boolean {
  const {ended} = process;
  if (!ended) return false;
  // WORKER_BOOT_ERROR and APP_LOAD_ERROR.
  if (instance.supervisor === 'gunicorn') return ended.fields.code === 3 || ended.fields.code === 4;
  if (instance.supervisor === 'uvicorn') return startupFailed(timeline, process);
  if (process.role !== 'program') return false;
  if (instance.supervisor === 'systemd' && isSetupFailure(ended)) return true;
  return obstaclesIn(timeline).some(
    (event) =>
      between(event.at, ended.at).min <= NEAR &&
      between(ended.at, event.at).min <= NEAR &&
      (event.input !== ended.input || Math.abs(event.line - ended.line) < 100),
  );
}

/** uvicorn's line of it names no process: it stands between the start and the end of one. */
function startupFailed(timeline: Timeline, {started, ended}: Process): boolean {
  if (started === null || ended === null) return false;
  const failures = failedStartups(timeline);
  const next = failures[firstFrom(failures, started)];
  return next !== undefined && precedes(next, ended);
}

const failedStartups = oncePer(({events}: Timeline): readonly LogEvent[] =>
  events.filter(({message}) => message === 'uvicorn/startup-failed').sort((a, b) => a.place - b.place),
);

/** Programs that a supervisor of programs has given up. */
export const givenUp = oncePer(({events}: Timeline): readonly LogEvent[] =>
  events.filter(({meaning}) => meaning.kind === 'program-given-up'),
);

export function programOf({fields}: LogEvent): string {
  return String(fields.program ?? fields.unit ?? fields.name ?? 'the program');
}
