/**
 * The vocabulary of facts: what a supervisor said, in words that hold for every supervisor.
 *
 * Formats make events, the timeline is built from events, and neither has heard of the other.
 * A format says what a message means with a {@link Meaning}; everything that varies from line to
 * line (pid, worker number, seconds) comes from the grammar's captures.
 */

import type {Instant} from './time.ts';

export type Role = 'master' | 'worker' | 'gateway' | 'mule' | 'spooler' | 'daemon' | 'emperor' | 'program' | 'other';

/** `hup` (gunicorn, uvicorn) and `usr2` (gunicorn) are called by their signals; `workers` is uWSGI's reload of the workers alone. */
export type ReloadKind = 'graceful' | 'brutal' | 'chain' | 'workers' | 'hup' | 'usr2' | 'stop';

export type Trigger = 'touch' | 'signal' | 'fifo' | 'autoreload' | 'unknown';

/** Why a process had to go. `unknown` where the log does not tell. */
export type Cause =
  | 'reload'
  | 'chain-reload'
  | 'stop'
  | 'max-requests'
  | 'max-lifetime'
  | 'rss'
  | 'harakiri'
  | 'timeout'
  | 'cheaper'
  | 'signal'
  | 'exit-code'
  | 'master-gone'
  | 'unknown';

export type EventKind =
  /** The start-up banner; fields: version. Printed at a first start and again after every re-execution. */
  | 'starting'
  /** A setting that a start-up line shows; {@link Meaning.setting} names it, fields: value. */
  | 'setting'
  /** The supervisor prints its whole configuration; the settings that follow until it ends are from there. */
  | 'dump-began'
  | 'dump-ended'
  /** A master runs for the first time (not after a re-execution). */
  | 'master-started'
  /** The same master runs again after replacing its own image. */
  | 'master-re-executed'
  /** A process was forked. Says nothing about readiness. {@link Meaning.respawned} where the slot had one before. */
  | 'process-started'
  /** The application is loaded in the process named by pid; fields: seconds. */
  | 'app-loaded'
  /** An application failed to load; where a process is named, in that process. */
  | 'app-load-failed'
  /** The instance serves without any application, or gives up for want of one ({@link Meaning.fatal}). */
  | 'no-app'
  /** A file is not where it should be; at a start, the configuration itself: the start ends. Fields: file, reason. */
  | 'path-missing'
  /** What the configuration runs at a start failed, and the start is given up for it. */
  | 'start-aborted'
  /** Something asked for a reload; the reload itself may have a line of its own ('reload-began'). */
  | 'reload-asked'
  /** A reload of the whole instance or of its workers began. */
  | 'reload-began'
  /** The supervisor says that a reload is complete. */
  | 'reload-ended'
  /** A chain reload has chosen its next worker. */
  | 'chain-step'
  /** A chain reload waits for the replacement of a worker to accept requests. */
  | 'chain-waiting'
  /** The master replaces its own image: the old generation is gone. */
  | 're-executing'
  /** A stop of the whole instance began. */
  | 'stop-began'
  /** The instance is gone. */
  | 'stop-ended'
  /** A process was asked to stop and has taken note (it prints this itself). */
  | 'process-asked'
  /** A process will leave by itself: recycling; {@link Meaning.cause} where the message tells it. */
  | 'recycle-began'
  /** The supervisor lost patience with a process; {@link Meaning.deadline} says with which. */
  | 'process-forced'
  /** A process says that it has left its work loop. It is not gone: threads and exit handlers may hold it. */
  | 'process-leaving'
  /** A process is gone. {@link Meaning.ending} says in whose words. */
  | 'process-ended'
  /** A process outlived the supervisor that should have ended it; fields: process (its name). */
  | 'process-left-over'
  /** A worker slot was emptied on purpose (scaling down). */
  | 'slot-emptied'
  /** A request that was running when a deadline struck; fields: method, uri, since (epoch seconds). */
  | 'request-running'
  /** More about a deadline that struck: how it was triggered, what the process waits in. */
  | 'deadline-detail'
  /** A process that was struck had been waiting for its threads: its interpreter says so when it is interrupted. */
  | 'threads-awaited'
  /** A deadline passed and was not acted on. */
  | 'deadline-skipped'
  /** A process crashed in its own code (fault handler, interpreter's fatal error). */
  | 'crash'
  /** The system ran out of memory; where a process is named, it was killed for it. Fields: process (its name), unit. */
  | 'out-of-memory'
  /**
   * The kernel counts memory before it kills; fields: used, most (kB, of the cgroup as a whole), or size, held (pages), process
   * (its name).
   */
  | 'memory-held'
  /** A respawn loop is being slowed down; the master sleeps meanwhile. */
  | 'respawn-throttled'
  /** The connection backlog of a socket is full; fields: queued, limit. */
  | 'listen-queue-full'
  /** A socket could not be bound because another process holds it. */
  | 'address-in-use'
  /** A socket could not be bound for another reason; fields: address, reason, as far as the line tells them. */
  | 'address-refused'
  /** The operating system's limit on the connection backlog is below the configured one. */
  | 'listen-above-limit'
  /** A process noticed that its master is gone. */
  | 'master-lost'
  /** A lock was held by a process that died. */
  | 'lock-recovered'
  /** Requests still running in a worker that was asked to stop (event loops that can tell). */
  | 'requests-pending'
  /** A background process of the instance (daemon, spooler, mule, gateway) is being stopped. */
  | 'helper-stopping'
  /** A task of a background process or of the application began / ended; fields: task. */
  | 'task-began'
  | 'task-ended'
  /** A task was cut with the process that ran it; fields: task where the line tells which, {@link Meaning.cause} where it tells why. */
  | 'task-cut'
  /** Tasks that were fetched and not begun went back to where they came from; fields: count. */
  | 'tasks-returned'
  /** Something was paused or resumed. */
  | 'paused'
  | 'resumed'
  /** The log file itself was rotated or reopened. */
  | 'log-rotated'
  /** The number of workers wanted changed (scaling). */
  | 'scaling'
  /**
   * What a supervisor of programs (supervisord, systemd, a platform) says of one of them as a whole; fields: program,
   * unit or dyno. Its processes have 'process-' events with the role `program`, in the same fields.
   */
  | 'program-starting'
  /** The program counts as up. Proves little: nobody looked whether it serves. */
  | 'program-up'
  /** The program is to stop, and is waited for; may be repeated while it is. */
  | 'program-stopping'
  /** A client had the supervisor send a signal to a program or to one of its processes: no deadline's; fields: signal. */
  | 'signal-passed-on'
  /** The program was told to reload; whether it has is not looked at. */
  | 'program-reloaded'
  /** The program counts as down; fields: result. */
  | 'program-down'
  /** A start, a reload or the program itself failed; fields: result. */
  | 'program-failed'
  /** The program stays down: nobody tries again. */
  | 'program-given-up'
  /** What runs several instances or programs stops them all (an emperor, docker compose, honcho); each may have lines of its own. */
  | 'group-stopping'
  | 'group-stopped'
  /** A control program could not reach the supervisor; fields: address, reason. */
  | 'control-unreachable'
  /** Somebody looked at the instance from outside at this instant; fields: version, requests, queued. */
  | 'snapshot'
  /**
   * What a snapshot tells of a process that is there; fields: state, requests, spawns, lastSpawn (time of day, or seconds
   * since 1970), since (the oldest request that runs). {@link Meaning.onHost} where any server can have it.
   */
  | 'process-seen'
  /** What a snapshot tells of a program of a supervisor of programs; fields: program or unit, state, since, ago, uptime. */
  | 'program-seen'
  /** Emperor and vassals: what the parent says about a whole instance; fields: vassal. */
  | 'vassal'
  /** A client or a socket misbehaved: context around a reload, never a cause. */
  | 'request-error'
  /** Worth keeping in the timeline for people, without a consequence for the model. */
  | 'remark';

/** What a message means. Everything here is constant for the message; captures carry the rest. */
export interface Meaning {
  readonly kind: EventKind;
  readonly role?: Role;
  /** For reload events, and for lines that tell only that one was asked for. */
  readonly reload?: ReloadKind;
  readonly trigger?: Trigger;
  readonly cause?: Cause;
  /** The configuration option that a 'setting' event shows, and its value where the wording itself is the value. */
  readonly setting?: string;
  readonly value?: string | number | boolean;
  /** 'process-started': the slot had a process before. */
  readonly respawned?: true;
  /** 'process-seen': a list of the host's processes: which server's it is, the pid tells; fields: server, parent. */
  readonly onHost?: true;
  /** 'process-forced': which patience ended. */
  readonly deadline?: 'mercy' | 'harakiri' | 'evil-reload' | 'brutal' | 'timeout' | 'stop-timeout' | 'watchdog' | 'memory';
  /**
   * 'process-ended', in the supervisor's own distinction:
   * `collected` reaped while the whole instance goes; `replaced` it had stopped serving and was expected
   * to go; `died` it was still serving. 'vassal': its emperor found it gone (`died`).
   */
  readonly ending?: 'collected' | 'replaced' | 'died';
  /** 'process-ended': a crash, a kill and a health check without an answer are worded alike. */
  readonly howUntold?: true;
  /** 'stop-began', 'reload-began', 'process-asked': with no regard for requests in hand. */
  readonly atOnce?: true;
  /** 'scaling', cheap mode: nobody has come for a while, so all workers are to leave (`leaving`); there is none now (`empty`). */
  readonly cheap?: 'leaving' | 'empty';
  /** 'remark' of a start: no master follows its banner. */
  readonly masterless?: true;
  /** Only the parent of several processes writes it: one that serves by itself does not. */
  readonly byParent?: true;
  /** 'no-app', 'app-load-failed': the instance gives up. */
  readonly fatal?: true;
  /** The field in which the message itself tells, in the form of C ctime, when it was written. */
  readonly timeIn?: string;
  /** The field that holds the line's own stamp, in the form of web servers' logs (`21/Nov/2026:23:21:49 +0000`). */
  readonly stampIn?: string;
  /** Fields that show settings, by the settings' names, in a message that says something else besides. */
  readonly shows?: Readonly<Record<string, string>>;
  /** What a field's text stands for, where wording carries a value: field, captured text, value. */
  readonly values?: Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>;
  /** What a field's text changes in this meaning: field, captured text, what holds instead. */
  readonly when?: Readonly<Record<string, Readonly<Record<string, Partial<Meaning>>>>>;
  /** What the beginning of the field `reason` says of the cause. */
  readonly causes?: readonly (readonly [beginning: string, cause: Cause])[];
  /** The supervisor always writes this message with its own stamp (uWSGI's verbose logger). Without one it is no message. */
  readonly stamped?: true;
  /** Only the program of this name writes it, as the transport has its name: anybody's words otherwise. */
  readonly by?: string;
}

/**
 * `noise`: a line that the supervisor is known to write and that nothing here needs. `unknown`: a line that
 * looks like the supervisor's and is in no catalogue. `voice`: counted by process and words (see {@link Voice}).
 */
export type Unneeded = 'noise' | 'unknown' | 'voice';

/** Where a line stands. Everything that is claimed keeps one of these. */
export interface LineRef {
  /** Index into the inputs of the recording. */
  readonly input: number;
  /** Counted from 1, after unpacking. */
  readonly line: number;
  /** Where it stands among all lines of the recording in the order of their writing, which need not be that of the input. */
  readonly place: number;
  /** The message without its envelope, as text of the log: to be escaped wherever it is shown. */
  readonly text: string;
}

/** Whose words a message is: the format's name. */
export function speakerOf(message: LogEvent['message']): string {
  return message.slice(0, message.indexOf('/'));
}

/** A fact of the log: one message that a supervisor (or the application) wrote. */
export interface LogEvent extends LineRef {
  /** The format's name, `/`, and the grammar's rule in kebab-case. */
  readonly message: string;
  readonly meaning: Meaning;
  /** What the grammar captured; digits are numbers. */
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  /** The process that the message is about, where it names one. */
  readonly pid: number | null;
  /** The worker (mule, gateway) number, where the message names one. */
  readonly worker: number | null;
  /** When it was written. */
  readonly at: Instant;
  /** Requests of the whole recording that had ended when this was written. */
  readonly served: number;
  /**
   * Which of several writers of one log wrote it, as its envelopes tell: host, unit, pod, container, program, boot.
   * Process ids and worker numbers mean something within one stream only. Null where no envelope tells.
   */
  readonly stream: string | null;
  /** The outermost envelope around it, `plain` where there is none: by what way it came here. */
  readonly sink: string;
  /** The process that wrote it, as its envelope tells; null where none does. Some transports name themselves. */
  readonly writer: number | null;
  /**
   * What its server itself has put in front of it (uWSGI's log-prefix, log-encoder, log-date): {@link OWN_DATE} for a date, empty where
   * the message stands at the beginning of its line, null where that cannot be told.
   */
  readonly mark: string | null;
}

/** A server's own date in front of a line, whatever its form. */
export const OWN_DATE = 'date';

/**
 * What a process of the application writes again and again: lines of its logger that name their process and differ in
 * numbers only. Only the first lines of an input are listened to.
 */
export interface Voice {
  readonly pid: number;
  readonly stream: string | null;
  /** The beginning of what it says, numbers left out: text of the log. */
  readonly words: string;
  readonly count: number;
  /** How many of these lines came without any event since the one before: nothing but itself had called for them. */
  readonly repeats: number;
  readonly first: LineRef;
  readonly last: LineRef;
}

/**
 * What the request lines of one process between two events that name it add up to. Times are milliseconds.
 * A request is logged when it ends, with the time at which it began.
 */
export interface RequestSegment {
  readonly pid: number;
  /** See {@link LogEvent.stream}. */
  readonly stream: string | null;
  /** See {@link LogEvent.sink}. */
  readonly sink: string;
  /** The number of events of the recording before the first request of the segment. */
  readonly afterEvents: number;
  /** The same for its last request. */
  readonly untilEvents: number;
  readonly count: number;
  readonly firstStart: number;
  readonly lastStart: number;
  /** The latest end of a request. */
  readonly lastEnd: number;
  readonly longest: number;
  readonly total: number;
  /** Requests by duration: entry n counts those below {@link DURATION_BOUNDS}[n]; the last entry the rest. */
  readonly byDuration: readonly number[];
  readonly status5xx: number;
  /** `req: n/` of the first and of the last line; -1 where the line has none. */
  readonly firstNumber: number;
  readonly lastNumber: number;
  readonly first: LineRef;
  readonly last: LineRef;
}

/** Upper bounds in milliseconds of the classes of {@link RequestSegment.byDuration}. */
export const DURATION_BOUNDS = [100, 500, 1000, 2000, 3000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000] as const;
