import {greatest} from '../extremes.ts';
import {patienceBefore, waitedSeconds, withReaping} from './constraints.ts';
import type {LogEvent, RequestSegment} from './event.ts';
import {addTo, groupBy} from './group.ts';
import {precedes} from './lookup.ts';
import type {Recording} from './recording.ts';
import {SEEN, snapshotsOf} from './snapshots.ts';
import type {Constraint} from './solve.ts';
import type {AskedDraft, EpochDraft, ForcedDraft, InstanceDraft, ProcessDraft, ReloadDraft, Story} from './story/draft.ts';
import {causeOf, isAlive, killerOf, newProcess} from './story/draft.ts';
import {inferSettings} from './story/settings.ts';
import {taskLedger} from './tasks.ts';
import {between, type Duration, exactly, type Instant, isBefore, isExact, UNKNOWN_INSTANT} from './time.ts';
import type {
  AppLoad,
  Asked,
  Forced,
  Instance,
  Process,
  ProcessEnd,
  Program,
  Reload,
  ReloadedWorker,
  Timeline,
} from './timeline.ts';
import {type Untold, untoldReloads} from './untold.ts';

/** Closes what is open, works out what follows from the whole, and gives the timeline as plain data. */
export function concludeTimeline(
  recording: Recording,
  {instances, reloads}: Story,
  servers: readonly number[],
  disagreements: readonly Constraint[],
): Timeline {
  const segments = assignSegments(recording.segments, instances, servers);
  const [from = null, to = null] = spanOf(recording);
  const reloadIds = new Map(reloads.map((reload, n) => [reload, `reload-${n + 1}`]));
  const untold = untoldReloads(reloads, segments, to === null ? UNKNOWN_INSTANT : exactly(to));
  const concluded = instances.map((instance) => {
    inferSettings(instance, (process) => countOf(segments.get(process)));
    return new Conclusion(instance, segments, reloadIds, untold, to);
  });
  const owners = new Map(instances.map((instance, n) => [instance, concluded[n] as Conclusion]));
  const reloadList = reloads.map((reload) =>
    (owners.get(reload.instance) as Conclusion).reload(reload, reloadIds.get(reload) as string),
  );
  const reloadsOf = groupBy(reloadList, ({instance}) => instance);
  const instanceList = concluded.map((conclusion) => conclusion.instance(reloadsOf));
  return {
    inputs: recording.inputs,
    configurations: [],
    instances: instanceList,
    reloads: reloadList,
    tasks: taskLedger(recording.events, instanceList, to),
    events: recording.events,
    voices: recording.voices,
    doubled: recording.doubled,
    snapshots: snapshotsOf(recording.events, instanceList),
    messages: new Set(recording.events.map(({message}) => message)),
    disagreements: disagreements.map(({before, after, because}) => ({before, after, because})),
    from,
    to,
    clockSteps: recording.clockSteps,
  };
}

/**
 * The first and the last instant of the log itself: a snapshot shows who is there, and not that nothing was written
 * until then. Where there is nothing else, those of the snapshots.
 */
function spanOf({inputs, events, segments}: Recording): readonly number[] {
  const looked = new Set(events.filter(({meaning}) => SEEN.has(meaning.kind)).map(({input}) => input));
  const written = inputs.flatMap((summary, input) => {
    if (!looked.has(input)) return [summary.from, summary.to];
    const told = events.filter((event) => event.input === input && !SEEN.has(event.meaning.kind));
    return [
      // A line without a stamp is known not to be before: the snapshot below it says nothing of how long the log goes on.
      ...told.map(({at}) => at.earliest ?? at.latest),
      ...segments.filter(({first}) => first.input === input).flatMap(({firstStart, lastEnd}) => [firstStart, lastEnd]),
    ];
  });
  const known = (times: readonly (number | null)[]) => times.filter((time) => time !== null);
  const own = known(written);
  const times = own.length > 0 ? own : known(inputs.flatMap((summary) => [summary.from, summary.to]));
  let [from, to] = [times[0], times[0]];
  for (const time of times) {
    if (from === undefined || time < from) from = time;
    if (to === undefined || time > to) to = time;
  }
  return from === undefined || to === undefined ? [] : [from, to];
}

type Segments = ReadonlyMap<ProcessDraft, readonly RequestSegment[]>;

/** Gives each run of requests to the process that had its pid, in its stream, at that time. */
function assignSegments(
  segments: readonly RequestSegment[],
  instances: readonly InstanceDraft[],
  servers: readonly number[],
): Segments {
  const byPid = new Map<number, ProcessDraft[]>();
  for (const process of instances.flatMap(({processes}) => processes)) addTo(byPid, process.pid, process);
  const assigned = new Map<ProcessDraft, RequestSegment[]>();
  for (const segment of segments) {
    const {pid, stream, afterEvents} = segment;
    const writer = {stream, server: servers[segment.first.input] ?? 0};
    const candidates = ofWriter(byPid.get(pid) ?? [], writer, ({instance}) => instance);
    let owner = candidates.findLast(({since}) => since <= afterEvents) ?? candidates[0];
    if (owner === undefined) {
      // Nothing but requests is known of it.
      const known = ofWriter(instances, writer, (instance) => instance);
      const instance = known.findLast(({supervisor}) => supervisor === 'uwsgi') ?? known[0];
      if (instance === undefined) continue;
      owner = newProcess(instance, pid, 'worker', null, null, 0);
      addTo(byPid, pid, owner);
    }
    addTo(assigned, owner, segment);
  }
  return assigned;
}

/** Those of a stream; where there are none, those of whom one of the two does not tell the stream, of the same server first. */
function ofWriter<T>(
  all: readonly T[],
  {stream, server}: {readonly stream: string | null; readonly server: number},
  instanceOf: (one: T) => InstanceDraft,
): readonly T[] {
  const same = all.filter((one) => instanceOf(one).stream === stream && (stream !== null || instanceOf(one).server === server));
  return same.length > 0 ? same : all.filter((one) => stream === null || instanceOf(one).stream === null);
}

function countOf(segments: readonly RequestSegment[] | undefined): number {
  return (segments ?? []).reduce((sum, {count}) => sum + count, 0);
}

/** Turns the drafts of one instance into plain data. */
class Conclusion {
  private readonly draft: InstanceDraft;
  private readonly segments: Segments;
  private readonly reloadIds: ReadonlyMap<ReloadDraft, string>;
  private readonly untold: Untold;
  private readonly logEnd: Instant;
  private readonly workerPids: ReadonlySet<number>;
  /** By the line in which its master says its pid. */
  private readonly epochs: ReadonlyMap<LogEvent | null, EpochDraft>;

  constructor(
    draft: InstanceDraft,
    segments: Segments,
    reloadIds: ReadonlyMap<ReloadDraft, string>,
    untold: Untold,
    to: number | null,
  ) {
    this.draft = draft;
    this.untold = untold;
    this.workerPids = new Set(draft.processes.filter(({role}) => role === 'worker').map(({pid}) => pid));
    this.epochs = new Map(draft.epochs.map((epoch) => [epoch.master, epoch]));
    this.segments = segments;
    this.reloadIds = reloadIds;
    this.logEnd = to === null ? {earliest: null, latest: null} : exactly(to);
  }

  instance(reloadsOf: ReadonlyMap<string, readonly Reload[]>): Instance {
    const {draft} = this;
    return {
      id: draft.id,
      supervisor: draft.supervisor,
      version: draft.version,
      name: draft.stream,
      masterPid: draft.masterPid,
      predecessor: draft.predecessor?.id ?? null,
      settings: draft.settings,
      configured: [],
      processes: draft.processes.map((process) => this.process(process)),
      // Without numbers (gunicorn) a master of full strength starts none, and the new one is meant.
      unproved: draft.processes.filter(({isGuessed, role}) => isGuessed && role === 'worker').map(({pid}) => pid),
      reloads: reloadsOf.get(draft.id) ?? [],
      epochs: draft.epochs.map(({banner, master, reExecuted, loads}) => ({
        banner,
        master,
        reExecuted,
        appLoads: loads.map((event) => this.appLoad(event)),
      })),
      stopped: draft.stopped,
      runsAs: draft.runsAs === null ? null : programOf(draft.runsAs, draft.runsAsInferred),
    };
  }

  reload(draft: ReloadDraft, id: string): Reload {
    const {kind, trigger, outcome, began, headless, ended, reExecuted, repeated, lastSign} = draft;
    const startedAt = began.at;
    const endedAt = ended === null ? null : outcome === 'completed' ? overAt(draft, ended) : ended.at;
    const duration = endedAt === null ? this.lasted(draft, startedAt, lastSign.at.earliest) : between(startedAt, endedAt);
    return {
      id,
      instance: draft.instance.id,
      kind,
      trigger,
      startedAt,
      endedAt,
      duration,
      outcome,
      began,
      headless,
      ended,
      reExecuted,
      repeated,
      workers: draft.entries.map(
        ({worker, old, next, passed}): ReloadedWorker => ({
          worker,
          oldPid: old?.pid ?? null,
          newPid: next?.pid ?? null,
          wait: old?.asked?.reload === draft ? this.wait(old) : {min: 0, max: null},
          end: endOf(old),
          comeback:
            kind !== 'chain' || old === null || passed === null || old.ended === null ? null : between(old.ended.at, passed.at),
        }),
      ),
      silence: outcome === 'unfinished' ? between(lastSign.at, this.logEnd) : {min: 0, max: 0},
      overBy: this.untold.over.get(draft) ?? null,
      rivals: rivalsOf(draft).map(({id: rival}) => rival),
    };
  }

  private process(draft: ProcessDraft): Process {
    const segments = this.segments.get(draft) ?? [];
    const {stopped} = this.draft;
    const isOver = stopped !== null && !this.isThere(draft);
    const leaving = hasLeft(draft) ? draft.leaving : null;
    const crash = fatalCrash(draft);
    const isGuess = this.isEndGuessed(draft);
    const told = isGuess && draft.end === 'clean' ? 'lost' : draft.end;
    const end: ProcessEnd =
      told ??
      (crash !== null
        ? 'crashed'
        : draft.forced !== null
          ? 'forced'
          : leaving !== null
            ? 'clean'
            : isOver || this.isUntold(draft)
              ? 'lost'
              : 'running');
    return {
      pid: draft.pid,
      role: draft.role,
      worker: draft.worker,
      program: draft.program,
      instance: this.draft.id,
      startedAt: this.startedAt(draft),
      started: draft.started,
      appLoaded: draft.appLoaded,
      asked: this.asked(draft, segments),
      leaving: draft.leaving,
      forced: this.forced(draft),
      endedAt: isGuess || end === 'running' ? UNKNOWN_INSTANT : this.endedAt(draft, end),
      ended: draft.ended ?? crash ?? (draft.forced === null ? leaving : null),
      end,
      cause: causeOf(draft),
      killedBy: end === 'forced' ? (draft.killedBy ?? killerOf(this.draft)) : null,
      ownedBy: draft.ownedBy ?? (draft.forced?.inferred ? null : (draft.forced?.event ?? null)),
      signal: draft.signal,
      requests: countOf(segments),
      segments,
      predecessorPid: draft.predecessor?.pid ?? null,
      successorPid: draft.successor?.pid ?? null,
      successor: draft.successor?.started ?? null,
      remarks: draft.remarks,
    };
  }

  /** No line tells which of several instances stopped: then nobody knows which master has left either, and whose workers. */
  private isEndGuessed({asked, role, end}: ProcessDraft): boolean {
    const stop = role === 'master' ? (end === null ? null : this.draft.lastReload) : asked?.by === 'stop' ? asked.reload : null;
    return stop?.kind === 'stop' && rivalsOf(stop).length > 0;
  }

  /** A master says its pid when it has imported the application; it may have printed the banner itself, long before, or before the log begins. */
  private startedAt({started}: ProcessDraft): Instant {
    if (started === null) return UNKNOWN_INSTANT;
    const epoch = this.epochs.get(started);
    if (epoch === undefined || (epoch.since === null && this.draft.supervisor !== 'uwsgi')) return started.at;
    // The stamp of one may tell milliseconds, and that of the other whole seconds.
    if (epoch.since !== null && between(epoch.since.at, started.at).max === 0) return started.at;
    return {earliest: epoch.since?.at.earliest ?? null, latest: started.at.latest};
  }

  private endedAt(draft: ProcessDraft, end: ProcessEnd): Instant {
    const over =
      end === 'lost' && draft.end === null && draft.asked?.reload ? this.untold.over.get(draft.asked.reload) : undefined;
    return over === undefined ? endedAt(draft) : {earliest: null, latest: over.at.latest};
  }

  private asked(draft: ProcessDraft, segments: readonly RequestSegment[]): Asked | null {
    const {asked} = draft;
    if (asked === null) return null;
    const {told, event, acknowledged, by, reload, index} = asked;
    return {
      at: told.at,
      event,
      acknowledged,
      by,
      reload: reload === null ? null : (this.reloadIds.get(reload) ?? null),
      wait: this.wait(draft),
      requestsAfter: segments.filter(({afterEvents}) => afterEvents > index).reduce((sum, {count}) => sum + count, 0),
    };
  }

  private forced({forced, asked}: ProcessDraft): Forced | null {
    if (forced === null) return null;
    const {event, tries, deadline, inferred} = forced;
    const {at} = event;
    // Lines out of order: nobody waits for what is asked afterwards.
    const isPatient = asked !== null && !precedes(event, asked.told);
    return {at, event, tries, deadline, inferred, patience: isPatient ? this.patience(asked, forced) : null};
  }

  private appLoad(event: LogEvent): AppLoad {
    const {masterPid} = this.draft;
    const isWorker = event.pid !== null && this.workerPids.has(event.pid);
    return {
      pid: event.pid ?? 0,
      seconds: typeof event.fields['seconds'] === 'number' ? event.fields['seconds'] : null,
      inWorker: isWorker ? true : event.pid !== null && event.pid === masterPid ? false : null,
      event,
    };
  }

  private wait(draft: ProcessDraft): Duration {
    const {asked, forced, ended, leaving} = draft;
    if (asked === null) return {min: 0, max: null};
    if (ended === null && ((leaving !== null && !saysGoodbye(draft)) || (draft.end === 'clean' && draft.goneBy !== null)))
      return between(asked.told.at, endedAt(draft));
    if (ended === null) {
      if (forced !== null) return {min: this.patience(asked, forced).min, max: null};
      if (this.draft.stopped !== null && !this.isThere(draft)) return this.waitedWithoutMaster(asked.told.at, draft);
      return this.lasted(asked.reload, asked.told.at, this.lastSeen(draft, this.segments.get(draft) ?? []));
    }
    // No line tells its end: this one shows that it was over.
    if (draft.end === 'lost') {
      const seen = this.lastSeen(draft, this.segments.get(draft) ?? []);
      return between(asked.told.at, {earliest: seen, latest: ended.at.latest});
    }
    const byLines = between(asked.told.at, endedAt(draft));
    const counted = waitedSeconds(ended);
    if (forced === null) return counted === null || asked.again !== null ? byLines : tighter(byLines, {min: 0, max: counted + 1});
    return tighter(byLines, withReaping(this.patience(asked, forced)));
  }

  /** Until uWSGI's master was gone itself, which would have told of its end; else until it was seen last. */
  private waitedWithoutMaster(since: Instant, draft: ProcessDraft): Duration {
    const {stopped, supervisor} = this.draft;
    const seen = this.lastSeen(draft, this.segments.get(draft) ?? []);
    const told = supervisor === 'uwsgi' ? (stopped?.at.earliest ?? null) : null;
    const earliest = seen === null || told === null ? (seen ?? told) : Math.max(seen, told);
    return {min: between(since, {earliest, latest: null}).min, max: null};
  }

  /** From asked to forced. What the two instants leave open, the mercy may tell. */
  private patience({told, again}: AskedDraft, {event: forced, tries}: ForcedDraft): Duration {
    const byLines = between(told.at, forced.at);
    const byMercy = forced.meaning.deadline === 'mercy' && tries === 1 ? patienceBefore(forced, this.draft) : null;
    if (byMercy === null || (isExact(told.at) && isExact(forced.at))) return byLines;
    return tighter(byLines, again === null ? byMercy : {min: byMercy.min, max: null});
  }

  /**
   * What has no end in the log has lasted to the end of the log at least; where that cannot be, or lines must be missing, to the
   * last moment at which it was seen.
   */
  private lasted(reload: ReloadDraft | null, since: Instant, seen: number | null): Duration {
    const over = reload === null ? undefined : this.untold.over.get(reload);
    if (over !== undefined) return between(since, {earliest: seen, latest: over.at.latest});
    const isSilent = reload !== null && this.untold.silent.has(reload);
    return {min: between(since, isSilent ? {earliest: seen, latest: null} : this.logEnd).min, max: null};
  }

  /** Asked by a reload or stop that is over or has gone silent: of this process nobody can say that it is still there. */
  private isUntold({asked, role}: ProcessDraft): boolean {
    const reload = asked?.reload ?? null;
    return role === 'worker' && reload !== null && (this.untold.over.has(reload) || this.untold.silent.has(reload));
  }

  /** A look at the processes at the end of the log shows it. One that outlives its master has nobody to tell of its end. */
  private isThere({seen}: ProcessDraft): boolean {
    return seen !== null && (between(seen.at, this.logEnd).max ?? 0) <= 1;
  }

  private lastSeen({seen, remarks}: ProcessDraft, segments: readonly RequestSegment[]): number | null {
    const signs = [seen?.at.earliest, ...remarks.map(({at}) => at.earliest), ...segments.map(({lastEnd}) => lastEnd)];
    const known = signs.filter((at) => at != null);
    return known.length === 0 ? null : greatest(known);
  }
}

function programOf({instance, program, pid, started}: ProcessDraft, inferred: boolean): Program {
  return {instance: instance.id, name: program ?? '', pid, started, inferred};
}

/** It said that it was leaving, and no snapshot shows it since. */
function hasLeft(draft: ProcessDraft): boolean {
  return draft.leaving !== null && !saysGoodbye(draft) && !isSeenAfter(draft.leaving, draft);
}

/** A process of mod_wsgi says "Stopping process" when it leaves its work, and "Exiting process" when it is all but gone. */
function saysGoodbye({instance}: ProcessDraft): boolean {
  return instance.supervisor === 'apache';
}

/** The handler that reports it is the last that a process of uWSGI runs (core/uwsgi.c, uwsgi_segfault). */
function fatalCrash({end, crash, instance: {supervisor}}: ProcessDraft): LogEvent | null {
  return end === null && supervisor === 'uwsgi' ? crash : null;
}

/** By place and by time: a snapshot is pasted below a log that goes on behind it. */
function isSeenAfter(event: LogEvent, {seen}: ProcessDraft): boolean {
  return seen !== null && precedes(event, seen) && isBefore(event.at, seen.at);
}

/** A process that said it was leaving, or was killed, is gone some time after that, and after the last look at it. */
function endedAt(draft: ProcessDraft): Instant {
  const {ended, goneBy, forced, leaving, seen} = draft;
  if (ended !== null) return collectedAt(draft, ended);
  if (forced === null && leaving !== null && seen !== null && isSeenAfter(leaving, draft))
    return {earliest: seen.at.earliest, latest: goneBy?.at.latest ?? null};
  return {earliest: (forced?.event ?? leaving ?? fatalCrash(draft))?.at.earliest ?? null, latest: goneBy?.at.latest ?? null};
}

/** Its last line; where a worker said no more than that it was leaving, it ended some time after that, perhaps by a later kill. */
function overAt({entries}: ReloadDraft, ended: LogEvent): Instant {
  const isLater = (old: ProcessDraft) => (old.ended === null ? hasLeft(old) : precedes(ended, old.ended));
  const left = entries.flatMap(({old}) => (old !== null && isLater(old) ? [endedAt(old).latest] : []));
  const bounds = [ended.at.latest, ...left].filter((latest) => latest !== null);
  return {earliest: ended.at.earliest, latest: bounds.length > left.length ? greatest(bounds) : null};
}

/**
 * A worker that its master found gone: while that waits for a daemon it finds nobody. gunicorn's arbiter that says its goodbye: what
 * a preloaded application has started in it may hold its exit, and no line tells.
 */
function collectedAt({role, asked, instance: {daemonWaits}}: ProcessDraft, ended: LogEvent): Instant {
  if (role === 'master' && ended.message === 'gunicorn/master-shutdown') return {earliest: ended.at.earliest, latest: null};
  const wait =
    asked === null || ended.meaning.ending !== 'collected'
      ? undefined
      : daemonWaits.find((event) => precedes(asked.told, event) && precedes(event, ended));
  return wait === undefined ? ended.at : {earliest: wait.at.earliest, latest: ended.at.latest};
}

/**
 * Others that it may have been of. One that has a stop of its own in the log has stopped in any case; a master that comes back with a
 * new image names itself.
 */
function rivalsOf({kind, rivals, reExecuted}: ReloadDraft): readonly InstanceDraft[] {
  if (kind !== 'stop') return reExecuted === null ? rivals : [];
  return rivals.filter(({lastReload}) => lastReload?.kind !== 'stop');
}

function endOf(process: ProcessDraft | null): ReloadedWorker['end'] {
  if (process === null) return 'unknown';
  const {asked} = process;
  if (process.end === 'clean' && asked?.reload?.kind === 'stop' && rivalsOf(asked.reload).length > 0) return 'unknown';
  if (process.forced !== null || process.end === 'forced') return 'forced';
  if (process.end === null && hasLeft(process)) return 'clean';
  if (process.end === 'crashed' || process.end === 'killed') return process.end;
  return isAlive(process) || process.end === 'lost' ? 'unknown' : 'clean';
}

/** What both say; where they contradict each other, what the lines say. */
function tighter(lines: Duration, other: Duration): Duration {
  const min = Math.max(lines.min, other.min);
  const max = lines.max === null ? other.max : other.max === null ? lines.max : Math.min(lines.max, other.max);
  return max !== null && max < min ? lines : {min, max};
}
