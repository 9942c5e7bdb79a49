/** The timeline while it is being built: the same things as in timeline.ts, still open. */
import type {Cause, LogEvent, ReloadKind, Role, Trigger} from '../event.ts';
import type {Forced, Process, ProcessEnd, Setting} from '../timeline.ts';

/** Who did what, before it is turned into plain data. */
export interface Story {
  readonly instances: readonly InstanceDraft[];
  readonly reloads: readonly ReloadDraft[];
}

export interface ProcessDraft {
  /** systemd tells that of a unit's main process only when it kills it. */
  pid: number;
  /** `other` until a line tells what it is. */
  role: Role;
  worker: number | null;
  /** Programs: its name, as its supervisor calls it. */
  program: string | null;
  instance: InstanceDraft;
  /** Several instances had room for it when it started: which one it belongs to is a guess until something tells. */
  isGuessed: boolean;
  started: LogEvent | null;
  /** Index of the event from which on lines of this pid are its own. */
  readonly since: number;
  appLoaded: LogEvent | null;
  asked: AskedDraft | null;
  /** It announced that it would leave by itself. */
  recycling: {readonly event: LogEvent; cause: Cause} | null;
  /** It said that it had left its work loop; it may hang after that. */
  leaving: LogEvent | null;
  forced: ForcedDraft | null;
  ended: LogEvent | null;
  /** No line tells its end; by this one it was gone. */
  goneBy: LogEvent | null;
  end: ProcessEnd | null;
  cause: Cause;
  killedBy: Process['killedBy'];
  /** The line by which somebody owns up to its end who has not lost patience with it. */
  ownedBy: LogEvent | null;
  signal: string | null;
  predecessor: ProcessDraft | null;
  successor: ProcessDraft | null;
  crash: LogEvent | null;
  /** The latest snapshot that shows it. */
  seen: LogEvent | null;
  readonly remarks: LogEvent[];
}

export interface ForcedDraft {
  readonly event: LogEvent;
  readonly tries: number;
  readonly deadline: Forced['deadline'];
  readonly inferred: boolean;
}

export interface AskedDraft {
  /** What asked it: the line that began the reload or stop, the chain's step, or its own announcement. */
  readonly told: LogEvent;
  /**
   * The last line that asked it once more, with everybody else. uWSGI's master counts from there when it loses patience and when it
   * says how long a worker took (core/master_utils.c, uwsgi_curse).
   */
  again: LogEvent | null;
  /** The line by which that is known of this process: its own where it took note. */
  event: LogEvent;
  /** Index of the event by which it is known. */
  readonly index: number;
  acknowledged: boolean;
  by: 'reload' | 'stop' | 'itself' | 'unknown';
  reload: ReloadDraft | null;
}

export interface ReloadDraft {
  readonly instance: InstanceDraft;
  kind: ReloadKind;
  trigger: Trigger;
  readonly began: LogEvent;
  readonly headless: boolean;
  /** The supervisor itself has said that it reloads; before that only a trigger was seen. */
  isUnderWay: boolean;
  ended: LogEvent | null;
  outcome: 'completed' | 'unfinished' | 'failed';
  readonly entries: ReloadEntry[];
  reExecuted: LogEvent | null;
  readonly repeated: LogEvent[];
  /** The last event that belongs to it. */
  lastSign: LogEvent;
  /** Other instances that it fits as well: no line tells which of them it is of. */
  readonly rivals: readonly InstanceDraft[];
}

export interface ReloadEntry {
  worker: number | null;
  old: ProcessDraft | null;
  next: ProcessDraft | null;
  /** The line with which the supervisor told this worker in particular. */
  readonly told: LogEvent | null;
  /** Chain reloads: the line with which the chain went on to the next worker. */
  passed: LogEvent | null;
}

export interface EpochDraft {
  readonly banner: LogEvent | null;
  /** The first banner that may be its own; null where there is none. */
  readonly since: LogEvent | null;
  master: LogEvent | null;
  readonly reExecuted: boolean;
  readonly loads: LogEvent[];
}

export interface InstanceDraft {
  readonly id: string;
  readonly supervisor: string;
  readonly stream: string | null;
  /** See {@link serversOf}. */
  readonly server: number;
  version: string | null;
  masterPid: number | null;
  predecessor: InstanceDraft | null;
  isSucceeded: boolean;
  /** The latest reload or stop, which may be over. */
  lastReload: ReloadDraft | null;
  /** Every value that the log shows, in its order; a value that is shown again stands once. */
  readonly settings: Setting[];
  readonly processes: ProcessDraft[];
  /** Index of the first worker that may still be there: see {@link workersThere}. */
  oldest: number;
  /** The latest process of each numbered worker. */
  slots: Map<number, ProcessDraft>;
  /** Workers before the master replaced its own image. */
  previousSlots: Map<number, ProcessDraft>;
  /** The reload or stop that is running. */
  active: ReloadDraft | null;
  /** Reloads of gunicorn that another HUP has overtaken while their workers were leaving. */
  waning: readonly ReloadDraft[];
  readonly epochs: EpochDraft[];
  /** While lines are read, set by {@link StoryDraft.stop} only. */
  stopped: LogEvent | null;
  /** The program of an outer supervisor that its master is. */
  runsAs: ProcessDraft | null;
  /** Only the time of its start ties it to that program. */
  runsAsInferred: boolean;
  /** The worker that a deadline has just struck: the lines that follow are about it. */
  struck: ProcessDraft | null;
  /** The last line by which gunicorn's arbiter told its workers to open the log anew. */
  reopened: LogEvent | null;
  /** Lines with which the master began to wait for an attached daemon. Until that is gone it looks after nobody else (core/daemons.c). */
  readonly daemonWaits: LogEvent[];
}

export function newProcess(
  instance: InstanceDraft,
  pid: number,
  role: Role,
  worker: number | null,
  started: LogEvent | null,
  since: number,
): ProcessDraft {
  const draft: ProcessDraft = {
    pid,
    role,
    worker,
    program: null,
    instance,
    started,
    since,
    isGuessed: false,
    appLoaded: null,
    asked: null,
    recycling: null,
    leaving: null,
    forced: null,
    ended: null,
    goneBy: null,
    end: null,
    cause: 'unknown',
    killedBy: null,
    ownedBy: null,
    signal: null,
    predecessor: null,
    successor: null,
    crash: null,
    seen: null,
    remarks: [],
  };
  instance.processes.push(draft);
  return draft;
}

export function newInstance(
  supervisor: string,
  number: number,
  {stream, server}: {readonly stream: string | null; readonly server: number},
  predecessor: InstanceDraft | null,
): InstanceDraft {
  return {
    id: `${supervisor}-${number}`,
    supervisor,
    stream,
    server,
    predecessor,
    isSucceeded: false,
    lastReload: null,
    version: null,
    masterPid: null,
    settings: [],
    processes: [],
    oldest: 0,
    slots: new Map(),
    previousSlots: new Map(),
    active: null,
    waning: [],
    epochs: [],
    stopped: null,
    runsAs: null,
    runsAsInferred: false,
    struck: null,
    reopened: null,
    daemonWaits: [],
  };
}

/** Still there, as far as the log has told. */
export function isAlive(process: ProcessDraft): boolean {
  return process.end === null;
}

/** The workers that are still there. Thousands may be gone before them, and are not looked at again and again. */
export function workersThere(instance: InstanceDraft): readonly ProcessDraft[] {
  const {processes} = instance;
  const isThere = (process: ProcessDraft) => process.role === 'worker' && isAlive(process) && !isReplaced(process);
  while (instance.oldest < processes.length && !isThere(processes[instance.oldest] as ProcessDraft)) instance.oldest++;
  return processes.slice(instance.oldest).filter(isThere);
}

/** It has said that it leaves, and the HUP that asked it to is over: gunicorn does not tell when it is gone. */
function isReplaced({leaving, asked}: ProcessDraft): boolean {
  return leaving !== null && asked?.reload?.kind === 'hup' && asked.reload.ended !== null;
}

/** Its supervisor, or it itself, has decided that it goes. */
export function isLeaving(process: ProcessDraft): boolean {
  return process.asked !== null || process.recycling !== null || process.leaving !== null || process.forced !== null;
}

export function end(process: ProcessDraft, event: LogEvent, how: ProcessEnd): void {
  process.ended = event;
  process.end = how;
  process.cause = causeOf(process);
}

/** Why it went, as far as that follows from how it was asked. */
export function causeOf({cause, recycling, asked, forced}: ProcessDraft): Cause {
  if (cause !== 'unknown') return cause;
  if (forced?.event.meaning.cause !== undefined) return forced.event.meaning.cause;
  if (recycling !== null) return recycling.cause;
  if (asked === null) return 'unknown';
  if (asked.by === 'stop') return 'stop';
  if (asked.by === 'reload') return asked.reload?.kind === 'chain' ? 'chain-reload' : 'reload';
  return 'unknown';
}

/** By which the two readings of one recording know a master as the same. */
export function masterKey({supervisor, stream, masterPid}: InstanceDraft): string {
  return `${supervisor} ${stream ?? ''} ${masterPid}`;
}

/** Who kills on behalf of a supervisor. */
export function killerOf({supervisor}: {readonly supervisor: string}): NonNullable<Process['killedBy']> {
  return KILLERS[supervisor] ?? 'master';
}

const KILLERS: Readonly<Record<string, NonNullable<Process['killedBy']>>> = {
  gunicorn: 'arbiter',
  supervisord: 'supervisord',
  systemd: 'systemd',
  heroku: 'platform',
  container: 'platform',
  kernel: 'kernel',
};
