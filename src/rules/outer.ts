/**
 * Servers that run under another supervisor (supervisord, systemd, a platform), and what became of its stops. One reading
 * for all rules that meet them, so that each kill is told once.
 */

import type {LogEvent} from '../timeline/event.ts';
import {precedes, successorOf} from '../timeline/lookup.ts';
import {oncePer} from '../timeline/once.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Process, Reload, Timeline} from '../timeline/timeline.ts';
import {KILLED_INSIDE} from './exit-status.ts';
import {setting, uwsgiOf} from './settings.ts';

export interface Outer {
  /** The outer supervisor. */
  readonly supervisor: Instance;
  /** The life of its program that the server is. */
  readonly life: Process;
  /** Only the time of their start says that the two are one. */
  readonly inferred: boolean;
}

interface Nesting {
  readonly outer: ReadonlyMap<Instance, Outer>;
  readonly server: ReadonlyMap<Process, Instance>;
}

const nestingOf = oncePer((timeline: Timeline): Nesting => {
  const lives = new Map<string, Outer>();
  for (const supervisor of timeline.instances) {
    for (const life of supervisor.processes) {
      if (life.role === 'program')
        lives.set(`${supervisor.id} ${life.pid} ${placeOf(life.started)} ${life.program}`, {supervisor, life, inferred: false});
    }
  }
  const outer = new Map<Instance, Outer>();
  const server = new Map<Process, Instance>();
  for (const instance of timeline.instances) {
    const {runsAs} = instance;
    if (runsAs === null) continue;
    const found = lives.get(`${runsAs.instance} ${runsAs.pid} ${placeOf(runsAs.started)} ${runsAs.name}`);
    if (!found) continue;
    outer.set(instance, {...found, inferred: runsAs.inferred});
    server.set(found.life, instance);
  }
  return {outer, server};
});

function placeOf(event: LogEvent | null): string {
  return event === null ? '' : `${event.input}:${event.line}`;
}

/** What the server runs as; null where nothing ties it to an outer supervisor. */
export function outerOf(timeline: Timeline, instance: Instance): Outer | null {
  return nestingOf(timeline).outer.get(instance) ?? null;
}

/** The server that a program of an outer supervisor is; null where the log has no line of it. */
export function serverOf(timeline: Timeline, life: Process): Instance | null {
  return nestingOf(timeline).server.get(life) ?? null;
}

/** What rests on the tie between a server and its unit, where only the time of their start makes it; null where a line does. */
export function inferredTie(server: Instance | null, outer: Outer | null): string | null {
  if (server === null || !outer?.inferred) return null;
  const master = server.masterPid === null ? '' : ` (master pid ${server.masterPid})`;
  const above = outerName(outer.supervisor);
  const sign =
    outer.life.started === null
      ? `it begins to stop or reload in the moment in which ${above} stops that`
      : `it starts right after ${above} starts that`;
  return `That ${server.supervisor === 'uwsgi' ? 'uWSGI' : server.supervisor}${master} is ${outer.life.program ?? 'this program'} is inferred: ${sign}, and no line names both.`;
}

/** How long an outer supervisor waits for a program that it stops, and where that is set. */
export interface Patience {
  readonly setting: string | null;
  readonly section: string | null;
  /** In words: "supervisord's stopwaitsecs". */
  readonly name: string;
}

export function patienceOf(supervisor: string, program: string | null): Patience {
  if (supervisor === 'supervisord') {
    return {setting: 'stopwaitsecs', section: `program:${program ?? ''}`, name: "supervisord's stopwaitsecs"};
  }
  if (supervisor === 'systemd') return {setting: 'TimeoutStopSec', section: 'Service', name: "systemd's TimeoutStopSec"};
  if (supervisor === 'container') {
    const name = "the container's time for a stop (docker stop --time, stop_grace_period, terminationGracePeriodSeconds)";
    return {setting: null, section: null, name};
  }
  if (supervisor === 'procfile')
    return {
      setting: null,
      section: null,
      name: "the process manager's time for a stop (foreman start --timeout; honcho waits 5 s)",
    };
  return {setting: null, section: null, name: "the platform's time for a stop"};
}

const OUTER_NAMES: Readonly<Record<string, string>> = {
  heroku: 'Heroku',
  container: 'The container runtime',
  procfile: 'foreman or honcho',
};

/** As its makers write it. */
export function serverName(server: Instance | null): string {
  return server === null ? 'the server' : server.supervisor === 'uwsgi' ? 'uWSGI' : server.supervisor;
}

/** As a sentence names it. */
export function outerName({supervisor}: Instance): string {
  return OUTER_NAMES[supervisor] ?? supervisor;
}

/** The platform's limit in seconds, where its own line names it. */
export function limitTold({remarks, forced}: Process): number | null {
  const lines = [...remarks, ...(forced ? [forced.event] : [])];
  const value = lines.map(({fields}) => fields['limit'] ?? fields.seconds).find((each) => each !== undefined);
  return value === undefined ? null : Number(value);
}

/** The setting that tells an outer supervisor which signal means stop. */
export function stopSignalOf(supervisor: string): {setting: string; value: string} {
  return supervisor === 'systemd' ? {setting: 'KillSignal', value: 'SIGINT'} : {setting: 'stopsignal', value: 'INT'};
}

/** A stop that uWSGI took as a reload: without die-on-term that is what SIGTERM means to it (core/uwsgi.c). */
export interface TakenAsReload {
  readonly instance: Instance;
  readonly reload: Reload;
  readonly outer: Outer | null;
  /** The line that shows how it ended: the kill, workers that lost their master, a start from nothing. */
  readonly end: LogEvent | null;
}

/** Seconds within which whoever wanted a stop kills what goes on running: the usual limits are 5 to 90 s. */
const SOON = 120;
/** Between an outer supervisor's clock and the server's answer, in seconds. */
const SLACK = 2;
export const stopsTakenAsReload = oncePer((timeline: Timeline): readonly TakenAsReload[] =>
  uwsgiOf(timeline).flatMap((instance) => takenAsReload(timeline, instance) ?? []),
);

function takenAsReload(timeline: Timeline, instance: Instance): TakenAsReload | null {
  const reload = instance.reloads.at(-1);
  if (reload?.kind !== 'brutal') return null;
  const outer = outerOf(timeline, instance);
  if (outer && isKilledUnannounced(outer)) {
    const {ended} = outer.life;
    return ended !== null && precedes(reload.began, ended) && between(reload.startedAt, ended.at).min <= SOON
      ? {instance, reload, outer, end: ended}
      : null;
  }
  if (outer) {
    const {asked, forced, ended} = outer.life;
    if (asked === null ? !beginsBeforeLimit(reload, outer.life) : asked.by !== 'stop' || endsBefore(reload, asked.event))
      return null;
    const isKilledInside = Number(ended?.fields['status']) === KILLED_INSIDE;
    // It stopped all the same: somebody had asked for the reload before.
    if (forced === null && ended !== null && !isKilledInside) return null;
    return {instance, reload, outer, end: forced?.event ?? (isKilledInside ? ended : null)};
  }
  if (reload.reExecuted === null) return null;
  const end = instance.stopped?.meaning.kind === 'master-lost' ? instance.stopped : startAfter(timeline, instance, reload);
  return end !== null && between(reload.startedAt, end.at).min <= SOON ? {instance, reload, outer, end} : null;
}

/** Docker compose tells how a container has ended, and mostly not that it was told to stop. */
export function isKilledUnannounced({supervisor, life: {asked, forced, ended}}: Outer): boolean {
  return (
    supervisor.supervisor === 'container' &&
    asked === null &&
    forced === null &&
    Number(ended?.fields['status']) === KILLED_INSIDE
  );
}

/** No line tells when the stop was asked for, but the kill names the time that was given: then the reload began. */
function beginsBeforeLimit({startedAt}: Reload, life: Process): boolean {
  const [limit, {forced}] = [limitTold(life), life];
  if (limit === null || forced === null) return false;
  const {min, max} = between(startedAt, forced.at);
  return max !== null && min <= limit + SLACK && max >= limit - SLACK;
}

function endsBefore({startedAt}: Reload, event: LogEvent): boolean {
  return startedAt.latest !== null && event.at.earliest !== null && startedAt.latest < event.at.earliest - 1000;
}

/** The next start from nothing in the same log, of a server that never said goodbye. */
function startAfter(timeline: Timeline, instance: Instance, reload: Reload): LogEvent | null {
  if (instance.stopped?.meaning.kind === 'stop-ended') return null;
  const next = successorOf(timeline.instances, instance);
  const start = next?.epochs[0]?.banner ?? null;
  return start !== null && start.input === reload.began.input && precedes(reload.began, start) ? start : null;
}

/** Seconds that a setting names; null where it is not known, or endless. */
export function secondsOf(instance: Instance, name: string): number | null {
  const value = Number(setting(instance, name)?.value ?? Number.NaN);
  return Number.isFinite(value) ? value : null;
}
