import type {InstanceDraft, ProcessDraft, ReloadDraft} from './draft.ts';
import {causeOf, isAlive, newProcess} from './draft.ts';
import type {LogEvent, RequestSegment} from './event.ts';
import type {Recording} from './recording.ts';
import {taskLedger} from './tasks.ts';
import {before, between, type Duration, exactly, type Instant, isExact, narrow} from './time.ts';
import type {AppLoad, Asked, Forced, Instance, Process, ProcessEnd, Reload, ReloadedWorker, Setting, Timeline} from './timeline.ts';

/** uWSGI looks at a deadline once per round of its master, in whole seconds: mercy + 1, at most + 2, and a second of stamp. */
const TICK: Duration = {min: 1, max: 3};
/** A killed process is gone at once; its master notices within a round or two. */
const REAPED: Duration = {min: 0, max: 3};
/** uWSGI's worker-reload-mercy where nothing sets it (core/init.c). */
const DEFAULT_MERCY = 60;
const MERCY = 'worker-reload-mercy';

/** Closes what is open, works out what follows from the whole, and gives the timeline as plain data. */
export function concludeTimeline(recording: Recording, instances: readonly InstanceDraft[], reloads: readonly ReloadDraft[]): Timeline {
  const all = [...instances];
  const segments = assignSegments(recording.segments, all);
  const times = recording.inputs.flatMap(({from, to}) => [from, to]).filter((time) => time !== null);
  const to = times.length === 0 ? null : Math.max(...times);
  const from = times.length === 0 ? null : Math.min(...times);
  const reloadIds = new Map(reloads.map((reload, n) => [reload, `reload-${n + 1}`]));
  const concluded = all.map((instance) => {
    inferSettings(instance, segments);
    for (const process of instance.processes) boundByMercy(process, instance);
    return new Conclusion(instance, segments, reloadIds, to);
  });
  for (const reload of reloads) boundReload(reload);
  for (const process of all.flatMap(({processes}) => processes)) boundEnd(process);
  const reloadList = reloads.map((reload) => {
    const owner = concluded[all.indexOf(reload.instance)] as Conclusion;
    return owner.reload(reload, reloadIds.get(reload) as string);
  });
  const instanceList = concluded.map((conclusion) => conclusion.instance(reloadList));
  return {
    inputs: recording.inputs,
    instances: instanceList,
    reloads: reloadList,
    tasks: taskLedger(recording.events, instanceList.flatMap(({processes}) => processes)),
    events: recording.events,
    messages: new Set(recording.events.map(({message}) => message)),
    from,
    to,
  };
}

type Segments = ReadonlyMap<ProcessDraft, readonly RequestSegment[]>;

/** Gives each run of requests to the process that had its pid at that time. */
function assignSegments(segments: readonly RequestSegment[], instances: InstanceDraft[]): Segments {
  const byPid = new Map<number, ProcessDraft[]>();
  for (const process of instances.flatMap(({processes}) => processes)) {
    byPid.set(process.pid, [...(byPid.get(process.pid) ?? []), process]);
  }
  const assigned = new Map<ProcessDraft, RequestSegment[]>();
  for (const segment of segments) {
    const candidates = byPid.get(segment.pid) ?? [];
    let owner = candidates.findLast(({since}) => since <= segment.afterEvents) ?? candidates[0];
    if (owner === undefined) {
      // Nothing but requests is known of it.
      const instance = instances.findLast(({supervisor}) => supervisor === 'uwsgi') ?? instances[0];
      if (instance === undefined) continue;
      owner = newProcess(instance, segment.pid, 'worker', null, null, 0);
      byPid.set(segment.pid, [owner]);
    }
    assigned.set(owner, [...(assigned.get(owner) ?? []), segment]);
  }
  return assigned;
}

/** Settings that no line names and that follow from what happened. */
function inferSettings(instance: InstanceDraft, segments: Segments): void {
  const {settings, processes} = instance;
  const set = (name: string, value: Setting['value'], where: LogEvent) => {
    if (!settings.has(name)) settings.set(name, {name, value, from: 'inferred', where});
  };
  for (const process of processes) {
    const {asked, forced} = process;
    if (asked === null || forced?.event.meaning.deadline !== 'mercy' || !isExact(asked.at) || !isExact(forced.at)) continue;
    const waited = Math.round(between(asked.at, forced.at).min);
    if (waited >= 1) set(MERCY, waited - 1, forced.event);
  }
  if (instance.supervisor === 'uwsgi' && !settings.has(MERCY)) {
    settings.set(MERCY, {name: MERCY, value: DEFAULT_MERCY, from: 'default', where: null});
  }
  const loads = instance.epochs.flatMap((epoch) => epoch.loads);
  const worker = loads.find(({pid}) => processes.some((process) => process.role === 'worker' && process.pid === pid));
  const master = loads.find(({pid}) => pid !== null && pid === instance.masterPid);
  if (worker !== undefined) set('lazy-apps', true, worker);
  else if (master !== undefined) set('lazy-apps', false, master);
  inferMaxRequests(instance, segments);
}

/** Several workers that left after the same number of requests were counted out. */
function inferMaxRequests(instance: InstanceDraft, segments: Segments): void {
  const recycled = instance.processes.filter(({recycling}) => recycling !== null && recycling.cause === 'unknown');
  const lives = recycled.filter(({started}) => started !== null).map((process) => countOf(segments.get(process)));
  const limit = lives[0];
  if (limit === undefined || limit === 0 || lives.length < 2 || lives.some((count) => count !== limit)) return;
  for (const process of recycled) {
    if (process.recycling === null) continue;
    process.recycling.cause = 'max-requests';
    if (process.cause === 'unknown') process.cause = 'max-requests';
  }
  const where = recycled[0]?.recycling?.event ?? null;
  if (!instance.settings.has('max-requests')) {
    instance.settings.set('max-requests', {name: 'max-requests', value: limit, from: 'inferred', where});
  }
}

/** What the mercy arithmetic says of lines that carry no time. */
function boundByMercy({asked, forced}: ProcessDraft, instance: InstanceDraft): void {
  const patience = mercyOf(instance);
  if (asked === null || patience === null || forced?.event.meaning.deadline !== 'mercy') return;
  asked.at = narrow(asked.at, before(forced.at, patience));
}

/** How long after the signal the kill comes where mercy governs it; null where the log does not show the mercy. */
function mercyOf(instance: InstanceDraft): Duration | null {
  const mercy = instance.settings.get(MERCY);
  const seconds = Number(mercy?.value);
  if (mercy === undefined || mercy.from === 'default' || !Number.isFinite(seconds)) return null;
  return {min: seconds + TICK.min - 1, max: seconds + (TICK.max ?? 0)};
}

/** The line that begins a full reload or a stop is written right before the workers are told, all of them at once. */
function boundReload(reload: ReloadDraft): void {
  if (reload.kind === 'chain' || reload.kind === 'workers') return;
  const asked = reload.entries.flatMap(({old}) => (old?.asked?.reload === reload ? [old.asked] : []));
  for (const {at} of asked) reload.startedAt = narrow(reload.startedAt, {earliest: minus(at.earliest, 1000), latest: at.latest});
  const {earliest, latest} = reload.startedAt;
  for (const worker of asked) worker.at = narrow(worker.at, {earliest, latest: minus(latest, -1000)});
}

/** What is known of the end of a process beyond the lines around the one that tells it. */
function boundEnd(process: ProcessDraft): void {
  const {asked, forced, ended} = process;
  if (forced !== null) {
    const reaped = {earliest: forced.at.earliest, latest: ended === null ? null : minus(forced.at.latest, -1000 * (REAPED.max ?? 0))};
    process.endedAt = ended === null ? reaped : narrow(process.endedAt, reaped);
    return;
  }
  const waited = ended === null ? null : waitedSeconds(ended);
  if (asked !== null && waited !== null) process.endedAt = narrow(process.endedAt, {earliest: null, latest: minus(asked.at.latest, -1000 * (waited + 1))});
}

/**
 * `worker N buried after S seconds`: from the signal to the master's taking note, in whole seconds. Only for
 * a worker that left by itself: a kill sets the count back (uWSGI, core/master.c).
 */
function waitedSeconds(ended: LogEvent): number | null {
  const {seconds} = ended.fields;
  return ended.meaning.ending === 'collected' && typeof seconds === 'number' ? seconds : null;
}

function minus(time: number | null, milliseconds: number): number | null {
  return time === null ? null : time - milliseconds;
}

function countOf(segments: readonly RequestSegment[] | undefined): number {
  return (segments ?? []).reduce((sum, {count}) => sum + count, 0);
}

/** Turns the drafts of one instance into plain data. */
class Conclusion {
  private readonly draft: InstanceDraft;
  private readonly segments: Segments;
  private readonly reloadIds: ReadonlyMap<ReloadDraft, string>;
  private readonly logEnd: Instant;

  constructor(draft: InstanceDraft, segments: Segments, reloadIds: ReadonlyMap<ReloadDraft, string>, to: number | null) {
    this.draft = draft;
    this.segments = segments;
    this.reloadIds = reloadIds;
    this.logEnd = to === null ? {earliest: null, latest: null} : exactly(to);
  }

  instance(reloads: readonly Reload[]): Instance {
    const {draft} = this;
    return {
      id: draft.id,
      supervisor: draft.supervisor,
      version: draft.version,
      name: null,
      masterPid: draft.masterPid,
      predecessor: draft.predecessor?.id ?? null,
      settings: [...draft.settings.values()],
      processes: draft.processes.map((process) => this.process(process)),
      reloads: reloads.filter(({instance}) => instance === draft.id),
      epochs: draft.epochs.map(({banner, master, reExecuted, loads}) => ({
        banner, master, reExecuted,
        appLoads: loads.map((event) => this.appLoad(event)),
      })),
      stopped: draft.stopped,
    };
  }

  reload(draft: ReloadDraft, id: string): Reload {
    const {kind, trigger, startedAt, endedAt, outcome, began, headless, ended, reExecuted, repeated, lastSign} = draft;
    const duration = endedAt === null ? this.waited(startedAt) : between(startedAt, endedAt);
    return {
      id, instance: draft.instance.id,
      kind, trigger, startedAt, endedAt, duration, outcome, began, headless, ended, reExecuted, repeated,
      workers: draft.entries.map(({worker, old, next, passedAt}): ReloadedWorker => ({
        worker,
        oldPid: old?.pid ?? null,
        newPid: next?.pid ?? null,
        wait: old?.asked?.reload === draft ? this.wait(old) : {min: 0, max: null},
        end: endOf(old),
        comeback: kind !== 'chain' || old === null || passedAt === null || old.ended === null ? null : between(old.endedAt, passedAt),
      })),
      silence: outcome === 'unfinished' ? between(lastSign.at, this.logEnd) : {min: 0, max: 0},
    };
  }

  private process(draft: ProcessDraft): Process {
    const segments = this.segments.get(draft) ?? [];
    const isOver = this.draft.stopped !== null;
    const end: ProcessEnd = draft.end ?? (draft.forced !== null ? 'forced' : isOver ? 'lost' : 'running');
    return {
      pid: draft.pid,
      role: draft.role,
      worker: draft.worker,
      instance: this.draft.id,
      startedAt: draft.startedAt,
      started: draft.started,
      appLoaded: draft.appLoaded,
      asked: this.asked(draft, segments),
      forced: this.forced(draft),
      endedAt: draft.endedAt,
      ended: draft.ended,
      end,
      cause: causeOf(draft),
      killedBy: end === 'forced' ? (draft.killedBy ?? 'master') : null,
      signal: draft.signal,
      requests: countOf(segments),
      segments,
      predecessorPid: draft.predecessor?.pid ?? null,
      successorPid: draft.successor?.pid ?? null,
      successor: draft.successor?.started ?? null,
      remarks: draft.remarks,
    };
  }

  private asked(draft: ProcessDraft, segments: readonly RequestSegment[]): Asked | null {
    const {asked} = draft;
    if (asked === null) return null;
    const {at, event, acknowledged, by, reload, index} = asked;
    return {
      at, event, acknowledged, by,
      reload: reload === null ? null : (this.reloadIds.get(reload) ?? null),
      wait: this.wait(draft),
      requestsAfter: segments.filter(({afterEvents}) => afterEvents > index).reduce((sum, {count}) => sum + count, 0),
    };
  }

  private forced({forced, asked}: ProcessDraft): Forced | null {
    if (forced === null) return null;
    const {event, at, tries} = forced;
    return {at, event, tries, deadline: event.meaning.deadline ?? 'mercy', patience: asked === null ? null : between(asked.at, at)};
  }

  private appLoad(event: LogEvent): AppLoad {
    const {masterPid, processes} = this.draft;
    const isWorker = processes.some(({role, pid}) => role === 'worker' && pid === event.pid);
    return {
      pid: event.pid ?? 0,
      seconds: typeof event.fields['seconds'] === 'number' ? event.fields['seconds'] : null,
      inWorker: isWorker ? true : event.pid !== null && event.pid === masterPid ? false : null,
      event,
    };
  }

  private wait({asked, forced, ended, endedAt}: ProcessDraft): Duration {
    if (asked === null) return {min: 0, max: null};
    if (ended === null) return this.waited(asked.at);
    const byLines = between(asked.at, endedAt);
    const counted = waitedSeconds(ended);
    if (forced === null) return counted === null ? byLines : tighter(byLines, {min: 0, max: counted + 1});
    const {min, max} = this.patience(asked.at, forced.at, forced.event.meaning.deadline);
    return tighter(byLines, {min, max: max === null ? null : max + (REAPED.max ?? 0)});
  }

  /** From asked to forced. What the two instants leave open, the mercy may tell. */
  private patience(asked: Instant, forced: Instant, deadline: string | undefined): Duration {
    const byLines = between(asked, forced);
    const byMercy = deadline === 'mercy' ? mercyOf(this.draft) : null;
    return byMercy === null || (isExact(asked) && isExact(forced)) ? byLines : tighter(byLines, byMercy);
  }

  /** It has lasted until the end of the log at least. */
  private waited(since: Instant): Duration {
    return {min: between(since, this.logEnd).min, max: null};
  }
}

function endOf(process: ProcessDraft | null): ReloadedWorker['end'] {
  if (process === null) return 'unknown';
  if (process.forced !== null) return 'forced';
  return isAlive(process) || process.end === 'lost' ? 'unknown' : 'clean';
}

/** What both say; where they contradict each other, what the lines say. */
function tighter(lines: Duration, other: Duration): Duration {
  const min = Math.max(lines.min, other.min);
  const max = lines.max === null ? other.max : other.max === null ? lines.max : Math.min(lines.max, other.max);
  return max !== null && max < min ? lines : {min, max};
}
