/**
 * What happened: the hub between formats, which write it, and rules, which read it. Plain read-only data.
 * Nothing in it is an opinion, and everything in it keeps the lines that prove it.
 */
import type {Cause, LineRef, LogEvent, ReloadKind, RequestSegment, Role, Trigger, Voice} from './event.ts';
import type {ClockStep, Duration, Instant} from './time.ts';
import type {TimeWindow} from './window.ts';

export interface Timeline {
  readonly inputs: readonly InputSummary[];
  /** Names of configuration files. A {@link LineRef} into one counts on from the last input. */
  readonly configurations: readonly string[];
  readonly instances: readonly Instance[];
  /** Reloads and stops of all instances, in order of their beginning. */
  readonly reloads: readonly Reload[];
  readonly tasks: TaskLedger;
  readonly events: readonly LogEvent[];
  /** What processes of the application write again and again. */
  readonly voices: readonly Voice[];
  /** Events that a second sink wrote again: of no account. */
  readonly doubled: readonly LogEvent[];
  /** What somebody saw who looked at the running processes from outside. */
  readonly snapshots: readonly Snapshot[];
  /** Message names (`uwsgi/no-mercy`) that occur; what a rule's needs are held against. */
  readonly messages: ReadonlySet<string>;
  /** Pairs of lines whose times cannot both be right. */
  readonly disagreements: readonly Disagreement[];
  /** The first and the last instant that the log tells; null where it tells none. */
  readonly from: number | null;
  readonly to: number | null;
  /** Changes to and from summer time within the log. */
  readonly clockSteps: readonly ClockStep[];
  /** The time that was asked for, where the report leaves out what lies outside it. */
  readonly window?: TimeWindow;
}

export interface Snapshot {
  /** The line that tells of the whole, and when it was taken; null where there is none. */
  readonly head: LogEvent | null;
  readonly rows: readonly SeenRow[];
}

/** A process, or a program, that a snapshot shows. */
export interface SeenRow {
  readonly event: LogEvent;
  /** Null where no other line of the log names it. */
  readonly process: Process | null;
  /** A line by which it had ended before. */
  readonly contradicts: LogEvent | null;
}

export interface Disagreement {
  readonly before: LogEvent;
  readonly after: LogEvent;
  /** What they contradict. */
  readonly because: string;
}

export interface InputSummary {
  readonly name: string;
  /** As stored. */
  readonly bytes: number;
  /** After unpacking. */
  readonly lines: number;
  readonly compression: string;
  readonly envelopes: readonly string[];
  readonly supervisors: readonly string[];
  readonly counts: LineCounts;
  /** Milliseconds on the log's clock. */
  readonly from: number | null;
  readonly to: number | null;
  readonly zone: string | null;
  /** It tells times of day and no date: the day of {@link from} means nothing. */
  readonly isDateless: boolean;
  /** The data ended inside its compression. */
  readonly truncated: boolean;
  /** Things about the bytes that a reader should know, in words: NUL bytes, lines that were cut, … */
  readonly oddities: readonly Oddity[];
  /** The first lines that look like the supervisor's and that no rule knows. */
  readonly unknownExamples: readonly LineRef[];
  /** Its lines go on where the input before it ended: the next part of a rotated log. */
  readonly continues: boolean;
}

export interface Oddity {
  readonly what: string;
  readonly count: number;
  readonly firstLine: number;
}

/** Every line is exactly one of these. */
export interface LineCounts {
  readonly events: number;
  readonly requests: number;
  /** Known and not needed. */
  readonly noise: number;
  readonly application: number;
  /** Looks like the supervisor's, and is not known. */
  readonly unknown: number;
}

/** One master process and everything under it, over all its re-executions. */
export interface Instance {
  /** `uwsgi-1`, in order of appearance. */
  readonly id: string;
  readonly supervisor: string;
  readonly version: string | null;
  /** A name that the log gives it: a vassal, a program, a unit. */
  readonly name: string | null;
  readonly masterPid: number | null;
  /** The instance that ran before this one and was stopped. */
  readonly predecessor: string | null;
  readonly settings: readonly Setting[];
  /** Where its settings are written, as far as configuration files were given. */
  readonly configured: readonly ConfiguredPlace[];
  readonly processes: readonly Process[];
  /** Pids of workers that another instance may have started as well: the log does not prove whose they are. */
  readonly unproved: readonly number[];
  readonly reloads: readonly Reload[];
  /** Start-ups that the log shows: the first, and one per re-execution. */
  readonly epochs: readonly Epoch[];
  /** The instance said goodbye, or an outer supervisor tells of its end. */
  readonly stopped: LogEvent | null;
  /** The program of an outer supervisor (supervisord, systemd, a platform) that its master is. */
  readonly runsAs: Program | null;
}

export interface Program {
  /** The instance of the outer supervisor. */
  readonly instance: string;
  /** As the outer supervisor calls it: a program, a unit, a dyno. */
  readonly name: string;
  /** {@link UNKNOWN_PID} where no line tells it. */
  readonly pid: number;
  /** The line of its start; null where the log begins later, or tells no start. */
  readonly started: LogEvent | null;
  /** No line names both this program and the server: they are joined because they start together. */
  readonly inferred: boolean;
}

export interface Epoch {
  readonly banner: LogEvent | null;
  /** `master-started` or `master-re-executed`. */
  readonly master: LogEvent | null;
  readonly reExecuted: boolean;
  readonly appLoads: readonly AppLoad[];
}

export interface AppLoad {
  readonly pid: number;
  readonly seconds: number | null;
  /** Loaded in a worker (lazy-apps), or before the workers were forked; null where the log does not tell. */
  readonly inWorker: boolean | null;
  readonly event: LogEvent;
}

export interface Setting {
  readonly name: string;
  readonly value: string | number | boolean;
  /** `inferred`: not printed, follows from what the log shows. */
  readonly from: 'log' | 'config' | 'default' | 'inferred';
  /** Only the machine of the server tells to what a file sets it (`value`), or whether it does (`condition`): the value is how the file puts it. */
  readonly unknown?: 'value' | 'condition';
  /** Null for defaults. */
  readonly where: LineRef | null;
  /** The program or unit of an outer supervisor that it is a setting of. Absent: one of the server itself. */
  readonly program?: string;
}

/** A part of a configuration file that holds settings of an instance. */
export interface ConfiguredPlace {
  /** The heading of the section, or the first line of a file without sections. */
  readonly heading: LineRef;
  /** `uwsgi`, `program:web`, `Service`; empty where the file has no sections. */
  readonly section: string;
  /** Whose settings these are: those of the server, or of the supervisor that runs it. */
  readonly server: 'uwsgi' | 'gunicorn' | 'supervisord' | 'systemd' | 'compose' | 'kubernetes';
}

/** How a process ended. See the contract: `forced` by a supervisor that lost patience, `lost` the log never says. */
export type ProcessEnd = 'clean' | 'forced' | 'crashed' | 'killed' | 'lost' | 'running';

/** The pid of a process that the log tells by its number alone. No worker ever has it. */
export const UNKNOWN_PID = 0;

export interface Process {
  /** {@link UNKNOWN_PID} where the log never names it. */
  readonly pid: number;
  readonly role: Role;
  readonly worker: number | null;
  /** Its name, where it is a program of a supervisor of programs. */
  readonly program: string | null;
  readonly instance: string;
  readonly startedAt: Instant;
  /** The line that told of its start; null where it was there before the log began. */
  readonly started: LogEvent | null;
  /** The application was loaded in this very process. */
  readonly appLoaded: LogEvent | null;
  /** How it was asked to leave, or said that it would. Null: it was not, as far as the log shows. */
  readonly asked: Asked | null;
  /** It said that it had left its work loop, which is not its end: threads and exit handlers may hold it. */
  readonly leaving: LogEvent | null;
  /** Its supervisor lost patience. The last of several tries. */
  readonly forced: Forced | null;
  readonly endedAt: Instant;
  /** The line that told of its end. */
  readonly ended: LogEvent | null;
  readonly end: ProcessEnd;
  readonly cause: Cause;
  readonly killedBy: 'master' | 'arbiter' | 'supervisord' | 'systemd' | 'platform' | 'kernel' | null;
  /**
   * The line by which somebody owns up to its end: its supervisor (a deadline), an outer supervisor, the kernel. Null where
   * it ended by itself, and where nobody in the log does.
   */
  readonly ownedBy: LogEvent | null;
  /** Number or name of the signal that ended it, where told. */
  readonly signal: string | null;
  readonly requests: number;
  readonly segments: readonly RequestSegment[];
  readonly predecessorPid: number | null;
  readonly successorPid: number | null;
  readonly successor: LogEvent | null;
  /** Crash reports, deadlines that struck, requests named as running: everything else that names this pid. */
  readonly remarks: readonly LogEvent[];
}

export interface Asked {
  readonly at: Instant;
  /** The line by which it is known: the process's own, or the one that began the reload or stop. */
  readonly event: LogEvent;
  /** The process itself said that it had taken note (or announced that it leaves). */
  readonly acknowledged: boolean;
  readonly by: 'reload' | 'stop' | 'itself' | 'unknown';
  /** Where `by` is reload or stop. */
  readonly reload: string | null;
  /** From asked to gone, or to the end of the log. Where lines must be missing: to the last moment at which it was seen. */
  readonly wait: Duration;
  /** What it did after it had been asked. */
  readonly requestsAfter: number;
}

export interface Forced {
  readonly at: Instant;
  readonly event: LogEvent;
  readonly deadline: NonNullable<LogEvent['meaning']['deadline']>;
  /** No line says so: the supervisor kills in silence, and the time and the missing lines speak for it. */
  readonly inferred: boolean;
  /** How many times the supervisor tried. */
  readonly tries: number;
  /** Seconds from asked to forced, where both are known well enough to tell. */
  readonly patience: Duration | null;
}

export interface Reload {
  /** `reload-1`, in order of beginning. Stops are counted along. */
  readonly id: string;
  readonly instance: string;
  readonly kind: ReloadKind;
  readonly trigger: Trigger;
  readonly startedAt: Instant;
  /** Null while unfinished. */
  readonly endedAt: Instant | null;
  readonly duration: Duration;
  readonly outcome: 'completed' | 'unfinished' | 'failed';
  /** The line that began it: trigger, header, or the first worker asked. */
  readonly began: LogEvent;
  /** True where the log has no line for the beginning itself (it starts in the middle, or the supervisor prints none). */
  readonly headless: boolean;
  readonly ended: LogEvent | null;
  readonly workers: readonly ReloadedWorker[];
  /** The master replaced its own image. */
  readonly reExecuted: LogEvent | null;
  /** Further requests for a reload while this one was running. */
  readonly repeated: readonly LogEvent[];
  /** Unfinished: how much of the log comes after its last sign of life, in seconds. */
  readonly silence: Duration;
  /** Unfinished: what shows that it was over nevertheless. Its end is missing in the log. */
  readonly overBy: OverBy | null;
  /** Other instances that it may have been of as well: no line tells, and the one that is named is a guess. */
  readonly rivals: readonly string[];
}

export interface OverBy {
  readonly line: LineRef;
  readonly at: Instant;
}

export interface ReloadedWorker {
  readonly worker: number | null;
  readonly oldPid: number | null;
  readonly newPid: number | null;
  readonly wait: Duration;
  readonly end: 'clean' | 'forced' | 'crashed' | 'killed' | 'unknown';
  /** Chain reloads: from the old worker's end to the replacement accepting, in seconds. */
  readonly comeback: Duration | null;
}

export interface TaskLedger {
  readonly started: number;
  readonly finished: number;
  /** Cut with their process, and begun again in another one. */
  readonly retried: number;
  readonly orphaned: readonly OrphanedTask[];
}

export interface OrphanedTask {
  /** Its id; else its name, which others may have as well. */
  readonly id: string | null;
  /** Null where the line names no process: all that can have run it are gone. */
  readonly pid: number | null;
  readonly worker: number | null;
  readonly instance: string | null;
  readonly startedAt: Instant;
  readonly started: LogEvent;
  /** What took the process away. */
  readonly lostTo: Cause;
  /** The line that shows that the process is gone; null where only its silence shows it. */
  readonly gone: LogEvent | null;
  /** Another pid that works on since, where the log has no line for the end of the process itself. */
  readonly replacedBy: LogEvent | null;
}
