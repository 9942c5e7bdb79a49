import type {EventKind, LogEvent, RequestSegment} from '../event.ts';
import {type InstanceDraft, newInstance, type ProcessDraft, type ReloadDraft, type Story} from './draft.ts';
import {type Marks, marksOf} from './marks.ts';
import {type Owners, ownersOf} from './ownership.ts';
import {Programs} from './programs.ts';
import {newSource, type Source} from './sources.ts';

/** What lines of some kinds change in the story. */
export type Handlers = {readonly [kind in EventKind]?: (story: StoryDraft, event: LogEvent) => void};

/** How far ahead to look for the process that a line without any belongs to. */
export const LOOK_AHEAD = 200;

/** The story as far as it has been read, and the line at which the reading is. */
export class StoryDraft implements Story {
  readonly events: readonly LogEvent[];
  /** Masters whose end only an outer supervisor tells, perhaps in another file ({@link masterKey}). */
  readonly ended: ReadonlySet<string>;
  /** By input: which server lines without a stream tell of. */
  readonly servers: readonly number[];
  readonly instances: InstanceDraft[] = [];
  readonly reloads: ReloadDraft[] = [];
  readonly programs = new Programs();
  readonly sources = new Map<string, Source>();
  /** Of each supervisor in each log, the one that spoke last. */
  readonly latest = new Map<string, Source>();
  readonly owners: Owners;
  readonly markOf: Marks;
  /** What the line belongs to that is being read. */
  source: Source = newSource('', null, 0, '');
  /** Of the event that is being read. */
  index = 0;
  /** Some master is replaced by another that it starts beside itself. */
  readonly hasUpgrades: boolean;
  /** The process that a deadline struck last, whoever's it was. */
  lastStruck: ProcessDraft | null = null;
  /** Celery's time limits that struck, and no process has been seen to end by them yet. */
  readonly timeLimits: LogEvent[] = [];

  /** Processes that gunicorn's lines tell to be its workers, each behind the key of its source. */
  readonly workersOfGunicorn: ReadonlySet<string>;

  /** How many instances there have been of each supervisor. */
  private readonly counts = new Map<string, number>();
  /** Streams whose envelopes name the process that wrote a line: a master says its pid itself, and so do they. */
  private readonly telling: ReadonlySet<string | null>;

  /** The place of the last request of each process, by stream, or input, and pid. */
  private readonly served = new Map<string, number>();

  constructor(
    events: readonly LogEvent[],
    segments: readonly RequestSegment[],
    ended: ReadonlySet<string>,
    servers: readonly number[],
  ) {
    this.events = events;
    for (const {stream, pid, last} of segments) this.served.set(`${stream ?? last.input} ${pid}`, last.place);
    this.ended = ended;
    this.hasUpgrades = events.some(({meaning}) => meaning.reload === 'usr2');
    this.servers = servers;
    const masters = events.filter(({meaning: {kind}}) => kind === 'master-started' || kind === 'master-re-executed');
    this.telling = new Set(masters.filter(({pid, writer}) => pid !== null && pid === writer).map(({stream}) => stream));
    this.workersOfGunicorn = new Set(
      events
        .filter(({message, pid, meaning}) => message.startsWith('gunicorn/') && meaning.role === 'worker' && pid !== null)
        .map(({stream, input, pid}) => `gunicorn ${stream ?? servers[input] ?? input} ${pid}`),
    );
    this.markOf = marksOf(events, (event) => this.logOf(event));
    this.owners = ownersOf(events, (event) => `${this.logOf(event)} ${this.markOf(event)}`);
  }

  /** It has a request behind that line. */
  servesAfter({pid}: ProcessDraft, {stream, input, place}: LogEvent): boolean {
    return (this.served.get(`${stream ?? input} ${pid}`) ?? 0) > place;
  }

  /** What tells which lines can be of one server at all: their stream, or where they have none, their input. */
  logOf({stream, input}: LogEvent): string {
    return stream ?? String(this.servers[input] ?? input);
  }

  /** Whether the line that is being read and another one can be of one server. */
  isBeside(other: LogEvent): boolean {
    const {supervisor, stream, server, mark} = this.source;
    if (other.stream !== stream || (stream === null && (this.servers[other.input] ?? other.input) !== server)) return false;
    if (!other.message.startsWith(`${supervisor}/`) && !(supervisor === 'gunicorn' && other.message.startsWith('uvicorn/')))
      return false;
    return mark === '' || (this.markOf(other) ?? mark) === mark;
  }

  /** The process that wrote it, where the stream tells that. */
  writerOf({stream, writer}: LogEvent): number | null {
    return this.telling.has(stream) ? writer : null;
  }

  addInstance(predecessor: InstanceDraft | null): InstanceDraft {
    const {supervisor, stream, server, instances} = this.source;
    const number = (this.counts.get(supervisor) ?? 0) + 1;
    this.counts.set(supervisor, number);
    const instance = newInstance(supervisor, number, {stream, server}, predecessor);
    if (predecessor !== null) {
      predecessor.isSucceeded = true;
      this.source.vacant.delete(predecessor);
    }
    this.instances.push(instance);
    instances.push(instance);
    this.source.running.push(instance);
    return instance;
  }

  /** An instance of the current source is gone. */
  stop(instance: InstanceDraft, event: LogEvent): void {
    instance.stopped = event;
    if (!instance.isSucceeded) this.source.vacant.add(instance);
    this.source.running = this.source.running.filter((other) => other !== instance);
  }

  /** A line names its master. */
  nameMaster(instance: InstanceDraft, pid: number | null): void {
    const {byMaster} = this.source;
    if (instance.masterPid === pid) return;
    instance.masterPid = pid;
    if (pid !== null) byMaster.set(pid, [...(byMaster.get(pid) ?? []), instance]);
  }

  /** The running instances whose master has this pid. There may be thousands whose end no line tells: these are not looked through. */
  withMaster(pid: number): readonly InstanceDraft[] {
    const {byMaster, running} = this.source;
    const there = byMaster.get(pid)?.filter(({masterPid, stopped}) => masterPid === pid && stopped === null) ?? [];
    byMaster.set(pid, there);
    return there.length < 2 ? there : running.filter((instance) => there.includes(instance));
  }

  register(process: ProcessDraft): void {
    this.source.byPid.set(process.pid, process);
  }

  /** The latest of this pid. */
  process(pid: number): ProcessDraft | null {
    return this.source.byPid.get(pid) ?? null;
  }
}
