/** What one supervisor says in one stream: process ids and worker numbers mean something only there. */
import {type LogEvent, speakerOf} from '../event.ts';
import {SEEN} from '../snapshots.ts';
import type {Setting} from '../timeline.ts';
import {type InstanceDraft, isAlive, type ProcessDraft} from './draft.ts';
import {BARE} from './marks.ts';
import {seenIn} from './seen.ts';
import {LOOK_AHEAD, type StoryDraft} from './story-draft.ts';

/** Programs that show what a supervisor knows. */
const SHOWS: Readonly<Record<string, string>> = {systemctl: 'systemd'};

export interface Source {
  readonly supervisor: string;
  /** Host, container or unit. */
  readonly stream: string | null;
  /** Keeps apart what no stream does: see {@link serversOf}. */
  readonly server: number;
  /** See {@link Marks}. */
  readonly mark: string;
  readonly instances: InstanceDraft[];
  /** Those whose end has not been told. */
  running: InstanceDraft[];
  /** Those whose end has been told and whose place no other has taken. */
  readonly vacant: Set<InstanceDraft>;
  /** Those that a line has named by the pid of their master: see {@link StoryDraft.withMaster}. */
  readonly byMaster: Map<number, readonly InstanceDraft[]>;
  /** The latest process of each pid. */
  readonly byPid: Map<number, ProcessDraft>;
  /** Of {@link writer}. */
  startUp: StartUp | null;
  /** Start-ups that are being told, by the process that tells. */
  readonly startUps: Map<number | null, StartUp>;
  /** The process that wrote the event that is being read; null where the stream does not tell its writers. */
  writer: number | null;
  /** Banners of uWSGI that no master has been seen to follow: of starts that are told at once, no line tells whose is which. */
  readonly banners: LogEvent[];
  /** The instance that the last event belonged to: what a line without any mark most likely belongs to as well. */
  current: InstanceDraft | null;
  /** A dump of the configuration is being printed. */
  isInDump: boolean;
  /** uvicorn: a parent starts the processes that serve. Null until somebody asks. */
  hasParent: boolean | null;
}

/** What a start-up says before its master is known. */
export interface StartUp {
  banner: LogEvent | null;
  readonly settings: Setting[];
  readonly loads: LogEvent[];
}

export function newSource(supervisor: string, stream: string | null, server: number, mark: string): Source {
  return {
    supervisor,
    stream,
    server,
    mark,
    instances: [],
    running: [],
    vacant: new Set(),
    byMaster: new Map(),
    byPid: new Map(),
    startUps: new Map(),
    writer: null,
    banners: [],
    get startUp() {
      return this.startUps.get(this.writer) ?? null;
    },
    set startUp(told) {
      if (told === null) this.startUps.delete(this.writer);
      else this.startUps.set(this.writer, told);
    },
    current: null,
    isInDump: false,
    hasParent: null,
  };
}

export function newStartUp(): StartUp {
  return {banner: null, settings: [], loads: []};
}

export function sourceOf(story: StoryDraft, event: LogEvent): Source {
  const speaker = speakerOf(event.message);
  const supervisor = SHOWS[speaker] ?? speaker;
  const shown = event.stream === null && SEEN.has(event.meaning.kind) ? sourceShown(story, event, supervisor) : null;
  if (shown !== null) return shown;
  if (event.meaning.kind === 'program-seen' && story.source.supervisor === supervisor) return story.source;
  return sourceFor(story, event, supervisor);
}

function sourceFor(story: StoryDraft, event: LogEvent, supervisor: string): Source {
  const log = `${supervisor} ${story.logOf(event)}`;
  const mark = story.markOf(event);
  const untold = mark === null || mark === BARE ? sourceUntold(story, event, log, mark) : undefined;
  const key = `${log} ${mark ?? ''}`;
  const known =
    untold ??
    story.sources.get(key) ??
    newSource(supervisor, event.stream, story.servers[event.input] ?? event.input, mark ?? '');
  if (untold === undefined) story.sources.set(key, known);
  story.latest.set(log, known);
  return known;
}

/** Lines of this log tell by their marks whose they are, and this one does not: of whose process it is, of whose it asks next, or of whoever spoke last. */
function sourceUntold(story: StoryDraft, event: LogEvent, log: string, mark: string | null): Source | undefined {
  const {pid, meaning} = event;
  const own = pid === null ? undefined : sourceWith(story, log, pid);
  if (own !== undefined || mark !== null) return own;
  return (ASKING.has(meaning.kind) ? sourceAsked(story, event, log) : undefined) ?? story.latest.get(log);
}

/** Lines of a master that are followed by what the workers say whom it tells to leave. */
const ASKING: ReadonlySet<LogEvent['meaning']['kind']> = new Set(['reload-asked', 'reload-began', 'chain-step']);

function sourceAsked(story: StoryDraft, {meaning, input}: LogEvent, log: string): Source | undefined {
  for (const next of story.events.slice(story.index + 1, story.index + LOOK_AHEAD)) {
    if (next.input !== input) continue;
    if (next.meaning.kind === 'process-asked' && next.pid !== null) return sourceWith(story, log, next.pid);
    if (next.meaning.kind === meaning.kind) return undefined;
  }
  return undefined;
}

function sourceWith(story: StoryDraft, log: string, pid: number): Source | undefined {
  return [...story.sources].find(([key, {byPid}]) => key.startsWith(`${log} `) && byPid.has(pid))?.[1];
}

/** A snapshot names no host and no unit of its lines: it is of the server whose processes, or programs, it shows. */
function sourceShown(story: StoryDraft, event: LogEvent, supervisor: string): Source | null {
  const pids = [event, ...seenIn(story, event)].flatMap(({pid}) => pid ?? []);
  const name = event.fields['unit'] ?? event.fields['program'];
  const shows = ({byPid, instances}: Source) =>
    pids.some((pid) => byPid.has(pid)) ||
    (name !== undefined && instances.some(({processes}) => processes.some(({program}) => program === name)));
  return [...story.sources.values()].find((source) => source.supervisor === supervisor && shows(source)) ?? null;
}

/**
 * A server that runs as the worker of another (uvicorn under gunicorn) speaks of a process that the other started. Where the log
 * begins later than the process, a later line of the other tells whose it is.
 */
export function hostOf(story: StoryDraft, event: LogEvent): Source | null {
  const {message, pid} = event;
  if (!message.startsWith('uvicorn/') || pid === null) return null;
  const key = `gunicorn ${story.logOf(event)}`;
  const host = story.sources.get(`${key} `);
  const process = host?.byPid.get(pid);
  if (host !== undefined && process !== undefined) return isAlive(process) ? host : null;
  return story.workersOfGunicorn.has(`${key} ${pid}`) ? sourceFor(story, event, 'gunicorn') : null;
}

/** uvicorn with --workers or --reload; without, the process that serves is all there is. */
export function hasParent(story: StoryDraft): boolean {
  const {stream} = story.source;
  story.source.hasParent ??= story.events.some((event) => event.stream === stream && event.meaning.byParent);
  return story.source.hasParent;
}
