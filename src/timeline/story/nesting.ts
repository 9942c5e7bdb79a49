/**
 * Programs nest: unit > supervisord > program > master > worker. What an outer supervisor, or the kernel, tells of a
 * process is joined here with what the process's own supervisor tells of it, across files and clocks: by pid, and where no
 * line tells one, by the unit's (dyno's) name that the envelope of the inner lines carries.
 */

import type {LogEvent} from '../event.ts';
import {addTo} from '../group.ts';
import {firstFrom, precedes} from '../lookup.ts';
import {signalName} from '../signals.ts';
import type {Instant} from '../time.ts';
import {UNKNOWN_PID} from '../timeline.ts';
import {type InstanceDraft, killerOf, masterKey, newProcess, type ProcessDraft, type ReloadDraft, type Story} from './draft.ts';
import {showThere} from './seen.ts';

const SECOND = 1000;
/** A server writes its first line this soon after its start, in milliseconds. */
const START = 60 * SECOND;
/** It takes note of being stopped this soon. */
const STOP = 2 * SECOND;
/** Clocks of different zones differ by a multiple of this, and by no more than {@link FARTHEST_ZONE}. */
const ZONE_STEP = 15 * 60 * SECOND;
const FARTHEST_ZONE = 26 * 3600 * SECOND;
/** Between the kernel's line and the supervisor's of one death, in milliseconds. */
const NEAR = 10 * SECOND;

/** @returns The masters whose end an outer supervisor tells and they themselves do not ({@link masterKey}). */
export function nest(story: Story, events: readonly LogEvent[]): ReadonlySet<string> {
  const {instances} = story;
  const ended = new Set<string>();
  const known = new Known(story);
  for (const outer of instances) {
    for (const life of outer.processes) {
      const found = life.role === 'program' ? innerOf(life, outer, known) : null;
      if (found === null) continue;
      const {instance: inner, inferred} = found;
      inner.runsAs = life;
      inner.runsAsInferred = inferred;
      if (isCutShort(inner, life)) ended.add(masterKey(inner));
      join(inner, life, known);
    }
  }
  const lives = new Map(instances.flatMap((instance) => (instance.runsAs === null ? [] : [[instance.runsAs, instance]])));
  for (const instance of instances) instance.predecessor = predecessorOf(instance, lives);
  // With the masters that were introduced meanwhile.
  const all = new Known(story);
  for (const outer of instances) giveKills(outer, all);
  for (const event of events) {
    if (event.meaning.kind === 'out-of-memory') giveToKernel(event, all);
    else if (event.meaning.kind === 'process-left-over') showAlive(event, all);
    else if (event.meaning.onHost) showListed(event, all);
  }
  forgetUneventful(instances);
  return ended;
}

/** Ways into a story that would otherwise be searched again and again. */
class Known {
  private readonly byPid = new Map<number, ProcessDraft[]>();
  private readonly byMaster = new Map<number, InstanceDraft[]>();
  private readonly byName = new Map<string, InstanceDraft[]>();
  /** Those whose start the log shows, in the order of these lines. */
  private readonly starting: readonly InstanceDraft[];
  private readonly starts: readonly LogEvent[];
  /** Those that the log shows reloading or stopping. */
  readonly reloading: readonly InstanceDraft[];
  private readonly reloads: ReadonlyMap<InstanceDraft, ReloadDraft>;
  private readonly ofOneUnit: ReadonlySet<InstanceDraft>;
  /** The names of containers whose states the log tells. */
  private readonly containers: readonly string[];

  constructor({instances, reloads}: Story) {
    const starting = instances.flatMap((instance) => {
      const start = startOf(instance);
      return start === null ? [] : [{instance, start}];
    });
    starting.sort((a, b) => a.start.place - b.start.place);
    this.starting = starting.map(({instance}) => instance);
    this.starts = starting.map(({start}) => start);
    for (const instance of instances) {
      const {masterPid, processes, stream} = instance;
      // A server of one process has no master.
      const masters = masterPid === null ? processes.filter(({role}) => role !== 'other').map(({pid}) => pid) : [masterPid];
      for (const pid of new Set(masters)) addTo(this.byMaster, pid, instance);
      for (const name of new Set(stream?.split('/'))) addTo(this.byName, name, instance);
      for (const process of processes) addTo(this.byPid, process.pid, process);
    }
    const programs = instances.flatMap(({supervisor, processes}) => (supervisor === 'container' ? processes : []));
    this.containers = [...new Set(programs.flatMap(({program}) => program ?? []))];
    this.reloads = new Map(reloads.map((reload) => [reload.instance, reload]));
    this.reloading = [...this.reloads.keys()];
    this.ofOneUnit = new Set(instances.filter(({supervisor, processes}) => supervisor === 'systemd' && isOneUnit(processes)));
  }

  /** A systemd of which the log tells one unit only. */
  hasOneUnit(instance: InstanceDraft): boolean {
    return this.ofOneUnit.has(instance);
  }

  /** Those that start while a program runs. */
  startingIn({started, ended}: ProcessDraft): readonly InstanceDraft[] {
    const from = started === null ? 0 : firstFrom(this.starts, started);
    return this.starting.slice(from, ended === null ? undefined : firstFrom(this.starts, ended));
  }

  withMaster(pid: number): readonly InstanceDraft[] {
    return pid === UNKNOWN_PID ? [] : (this.byMaster.get(pid) ?? []);
  }

  named(name: string | null): readonly InstanceDraft[] {
    return name === null ? [] : (this.byName.get(name) ?? []);
  }

  /**
   * Compose puts its project before the name of a container, and leaves it out in front of the container's own lines. Those may be of any
   * container that ends in the same words.
   */
  inContainer(name: string | null): readonly InstanceDraft[] {
    for (let rest = name ?? ''; ; rest = rest.slice(rest.search(/[-_]/) + 1)) {
      if (rest !== name && this.containers.some((other) => other !== name && endsInWords(other, rest))) return [];
      const found = this.named(rest);
      if (found.length > 0 || !/[-_]/.test(rest)) return found;
    }
  }

  withPid(pid: number | null): readonly ProcessDraft[] {
    return pid === null || pid === UNKNOWN_PID ? [] : (this.byPid.get(pid) ?? []);
  }

  lastReload(instance: InstanceDraft): ReloadDraft | null {
    return this.reloads.get(instance) ?? null;
  }
}

function endsInWords(name: string, words: string): boolean {
  return name === words || name.endsWith(`-${words}`) || name.endsWith(`_${words}`);
}

function isOneUnit(processes: readonly ProcessDraft[]): boolean {
  return new Set(processes.filter(({role}) => role === 'program').map(({program}) => program)).size === 1;
}

/** The earlier life of the same program. What ran in the same place and is another program is none. */
function predecessorOf(
  {runsAs, predecessor}: InstanceDraft,
  lives: ReadonlyMap<ProcessDraft, InstanceDraft>,
): InstanceDraft | null {
  if (runsAs === null) return predecessor;
  const before = runsAs.predecessor === null ? undefined : lives.get(runsAs.predecessor);
  return before ?? (predecessor?.runsAs && predecessor.runsAs.program !== runsAs.program ? null : predecessor);
}

interface Inner {
  readonly instance: InstanceDraft;
  /** No line names both: only the time of their start joins them. */
  readonly inferred: boolean;
}

/** The instance whose master this program is. */
function innerOf(life: ProcessDraft, outer: InstanceDraft, known: Known): Inner | null {
  const isOther = (instance: InstanceDraft) =>
    instance !== outer && instance.supervisor !== outer.supervisor && instance.runsAs === null && mayShareHost(instance, outer);
  const byPid = known.withMaster(life.pid).filter(isOther);
  const named = outer.supervisor === 'container' ? known.inContainer(life.program) : known.named(life.program);
  const told = byPid.length > 0 ? byPid : named.filter((instance) => isOther(instance) && isFree(instance, life));
  const fitting = told.filter((instance) => fits(life, instance, byPid.length > 0));
  if (told.length === 0 && known.hasOneUnit(outer)) {
    const instance = startedWith(life, known.startingIn(life).filter(isOther)) ?? stoppedWith(life, known, isOther);
    return instance === null ? null : {instance, inferred: true};
  }
  const instance = fitting.find((each) => sharesClock(life, each)) ?? fitting[0];
  return instance === undefined ? null : {instance, inferred: false};
}

/**
 * systemd tells no pid when it starts a unit. In the journal of one unit, what starts on its host in the moment of its start
 * is the unit's: the outermost, where a supervisor starts servers in turn.
 */
function startedWith(life: ProcessDraft, others: readonly InstanceDraft[]): InstanceDraft | null {
  if (life.started === null) return null;
  const {started, ended, pid} = life;
  const inTime = others.filter((instance) => {
    const start = startOf(instance);
    if (start === null || instance.stream === null || (pid !== UNKNOWN_PID && pid !== instance.masterPid)) return false;
    return precedes(started, start) && (ended === null || precedes(start, ended)) && sharesClock(life, instance);
  });
  const [only, ...more] = inTime.some(({supervisor}) => supervisor === 'supervisord')
    ? inTime.filter(({supervisor}) => supervisor === 'supervisord')
    : inTime;
  return only !== undefined && more.length === 0 ? only : null;
}

/** The log begins later than the unit: the only one on its host that begins to stop or reload when the unit is told to stop. */
function stoppedWith(
  {started, asked}: ProcessDraft,
  known: Known,
  isOther: (instance: InstanceDraft) => boolean,
): InstanceDraft | null {
  if (started !== null || asked === null) return null;
  const [only, ...more] = known.reloading.filter((instance) => {
    const reload = known.lastReload(instance);
    const apart = reload === null ? null : distance(asked.told.at, reload.began.at);
    return instance.stream !== null && isOther(instance) && apart !== null && apart <= STOP;
  });
  return only !== undefined && more.length === 0 ? only : null;
}

/** Its supervisor names another pid: it is something else in the same unit. */
function isFree({masterPid}: InstanceDraft, {pid}: ProcessDraft): boolean {
  return masterPid === null || pid === UNKNOWN_PID || masterPid === pid;
}

/** Streams of one host, or of hosts that no envelope tells. */
function mayShareHost(a: {stream: string | null}, b: {stream: string | null}): boolean {
  if (a.stream === null || b.stream === null) return true;
  const parts = a.stream.split('/');
  return b.stream.split('/').some((part) => parts.includes(part));
}

function startOf({epochs}: InstanceDraft): LogEvent | null {
  const [first] = epochs;
  if (first === undefined || first.reExecuted) return null;
  return first.banner ?? first.master;
}

/** Nothing speaks against it that the two are one: pids and units come round again. */
function fits(life: ProcessDraft, instance: InstanceDraft, anyZone: boolean): boolean {
  const start = startOf(instance);
  const apart = life.started === null || start === null ? null : distance(life.started.at, start.at);
  if (apart !== null) {
    if (apart <= START) return true;
    const offset = apart % ZONE_STEP;
    return anyZone && apart <= FARTHEST_ZONE && Math.min(offset, ZONE_STEP - offset) <= START;
  }
  if (start !== null && life.ended !== null && isAfter(start.at, life.ended.at)) return false;
  return life.started === null || instance.stopped === null || !isAfter(life.started.at, instance.stopped.at);
}

/** They start within a moment of each other on one clock. */
export function sharesClock(life: ProcessDraft, instance: InstanceDraft): boolean {
  const start = startOf(instance);
  const apart = life.started === null || start === null ? null : distance(life.started.at, start.at);
  return apart !== null && apart <= START;
}

/** Milliseconds between two instants at least; null where one of them is not bounded. */
function distance(a: Instant, b: Instant): number | null {
  const [fromA, toA] = [a.earliest ?? a.latest, a.latest ?? a.earliest];
  const [fromB, toB] = [b.earliest ?? b.latest, b.latest ?? b.earliest];
  if (fromA === null || toA === null || fromB === null || toB === null) return null;
  return Math.max(0, fromB - toA, fromA - toB);
}

function isAfter(a: Instant, b: Instant): boolean {
  return a.earliest !== null && b.latest !== null && a.earliest - b.latest > SECOND;
}

/** It did not say goodbye itself. */
function isCutShort({stopped}: InstanceDraft, {ended}: ProcessDraft): boolean {
  return ended !== null && stopped?.meaning.kind !== 'stop-ended';
}

function join(inner: InstanceDraft, life: ProcessDraft, known: Known): void {
  if (life.pid === UNKNOWN_PID && inner.masterPid !== null) life.pid = inner.masterPid;
  const master = masterOf(inner, life);
  if (master === null || life.ended === null) return;
  master.asked ??= life.asked;
  if (!isCutShort(inner, life)) return;
  takeOver(master, life);
  inner.stopped = life.ended;
  const reload = known.lastReload(inner);
  if (reload === null || reload.outcome === 'completed') return;
  reload.ended = life.ended;
  reload.outcome = reload.kind === 'stop' && life.end === 'clean' ? 'completed' : 'failed';
}

function masterOf(inner: InstanceDraft, {pid, ended}: ProcessDraft): ProcessDraft | null {
  const known =
    inner.processes.find((process) => process.pid === pid) ?? inner.processes.find(({role}) => role === 'master') ?? null;
  if (known !== null || ended === null || pid === UNKNOWN_PID) return known;
  return newProcess(inner, pid, 'master', null, null, 0);
}

/** What somebody outside knows of its end goes before what its own log leaves open. */
function takeOver(process: ProcessDraft, life: ProcessDraft): void {
  if (process.end !== null && process.end !== 'lost' && process.end !== 'killed') return;
  process.end = life.end;
  process.ended = life.ended;
  process.remarks.push(...life.remarks.filter(({meaning}) => meaning.kind === 'signal-passed-on'));
  process.forced = life.forced;
  process.killedBy = life.killedBy;
  process.signal = life.signal;
  process.cause = life.cause;
}

/** Kills that an outer supervisor lists by pid, of processes that their own supervisor knows. */
function giveKills(outer: InstanceDraft, known: Known): void {
  const kills = outer.processes.filter(({role, program, forced}) => role === 'other' && program !== null && forced !== null);
  const given = new Set<ProcessDraft>();
  for (const kill of kills) {
    const {event} = kill.forced as {event: LogEvent};
    for (const victim of victimsOf(kill.pid, event, known, ({instance}) => instance.supervisor !== outer.supervisor)) {
      victim.remarks.push(event);
      victim.forced = kill.forced;
      victim.killedBy = kill.killedBy;
      victim.signal ??= String(event.fields['signal'] ?? '') || null;
      victim.end = 'forced';
      if (victim.cause === 'unknown' && kill.asked !== null) victim.cause = 'stop';
      // It names a process of the server as one of the unit.
      if (victim.instance.runsAs?.program === kill.program) victim.instance.runsAsInferred = false;
      given.add(kill);
      cutShort(victim, event, known);
    }
  }
  if (given.size > 0) {
    keepOnly(
      outer.processes,
      outer.processes.filter((each) => !given.has(each)),
    );
  }
}

/** With its master an instance is over, and so is what it was at. */
function cutShort({instance, pid}: ProcessDraft, event: LogEvent, known: Known): void {
  if (pid !== instance.masterPid || instance.stopped?.meaning.kind === 'stop-ended') return;
  instance.stopped ??= event;
  const reload = known.lastReload(instance);
  if (reload === null || reload.outcome === 'completed') return;
  reload.ended = event;
  reload.outcome = 'failed';
}

/**
 * The kernel ended it for want of memory. A pid inside a container is another than the kernel's. What others say later of the
 * same process changes nothing: systemd kills what has been killed (OOMPolicy=kill), and a master buries it as one that left.
 */
function giveToKernel(event: LogEvent, known: Known): void {
  const name = String(event.fields['process'] ?? '');
  const isServer = ({instance}: ProcessDraft) => name.startsWith(instance.supervisor);
  const accepts = (process: ProcessDraft) => {
    const {end, signal, ended, forced, killedBy} = process;
    if (end === 'killed') return signal !== null && signalName(signal) === 'KILL';
    if (end === 'forced') return killedBy !== 'kernel' && (forced === null || isFirst(event, forced.event));
    return isServer(process) && (end === null || end === 'lost' || (end === 'clean' && ended !== null && isFirst(event, ended)));
  };
  const isOpen = ({end}: ProcessDraft) => end !== 'crashed' && end !== 'running';
  for (const victim of victimsOf(event.pid, event, known, accepts, isOpen)) {
    const isTaken = victim.end === 'clean' || victim.end === 'forced';
    victim.end = 'forced';
    if (isTaken) {
      victim.forced = null;
      victim.leaving = null;
    }
    victim.ended ??= event;
    victim.killedBy = killerOf({supervisor: 'kernel'});
    victim.ownedBy = event;
    victim.signal ??= 'SIGKILL';
    victim.cause = 'signal';
    cutShort(victim, event, known);
  }
}

/** The kernel's lines come a moment late into a journal, and before those of others or behind them. */
function isFirst(kill: LogEvent, other: LogEvent): boolean {
  if (kill.input === other.input && precedes(kill, other)) return true;
  return !isAfter(kill.at, other.at);
}

/** systemd names a process that it left alone when its unit had stopped. */
function showAlive(event: LogEvent, known: Known): void {
  const survivor = known
    .withPid(event.pid)
    .findLast(({instance, end}) => mayShareHost(instance, event) && (end === null || end === 'lost' || end === 'running'));
  if (survivor !== undefined) showThere(survivor, event);
}

/** A list of the host's processes shows it: the latest with this pid, and of a program of an outer supervisor both its lives. */
function showListed(event: LogEvent, known: Known): void {
  const {server} = event.fields;
  const shown = new Map<InstanceDraft, ProcessDraft>();
  for (const process of known.withPid(event.pid)) {
    const {instance, role, started} = process;
    const isSame = server === undefined || role === 'program' || String(server) === instance.supervisor;
    if (isSame && mayShareHost(instance, event) && (started === null || !isAfter(started.at, event.at)))
      shown.set(instance, process);
  }
  for (const process of shown.values()) showThere(process, event);
}

/**
 * The process that had this pid then, unless its own log tells of another end: one for each supervisor that knows it, for
 * the program of an outer supervisor and the master of its own log are one process.
 */
function victimsOf(
  pid: number | null,
  event: LogEvent,
  known: Known,
  accepts: (process: ProcessDraft) => boolean,
  isOpen = ({end}: ProcessDraft) => end === null || end === 'lost' || end === 'killed',
): readonly ProcessDraft[] {
  const victims = new Map<InstanceDraft, ProcessDraft>();
  for (const process of known.withPid(pid)) {
    const {instance, started} = process;
    const isThere = started === null || !isAfter(started.at, event.at);
    if (isOpen(process) && isThere && mayShareHost(instance, event) && isNear(process, event) && accepts(process))
      victims.set(instance, process);
  }
  return [...victims.values()];
}

function isNear({ended, end}: ProcessDraft, event: LogEvent): boolean {
  if (ended === null || end === 'lost') return true;
  const apart = distance(ended.at, event.at);
  return apart === null ? ended.input === event.input : apart <= NEAR;
}

/**
 * A journal of the whole system tells of units that are nobody's question: those that just came and went, and, where other
 * servers are in the log, those that run none of them.
 */
function forgetUneventful(instances: readonly InstanceDraft[]): void {
  const inner = new Set(instances.map(({runsAs}) => runsAs));
  const ours = new Set([...inner].map((life) => life?.program));
  const servers = [...new Set(instances.map(({supervisor}) => supervisor))].filter(
    (other) => other !== 'systemd' && other !== 'kernel',
  );
  for (const {supervisor, processes} of instances) {
    const units = new Set(processes.filter(({role}) => role === 'program').map(({program}) => program));
    const isServer = ({program}: ProcessDraft) =>
      supervisor !== 'systemd' ||
      servers.length === 0 ||
      units.size === 1 ||
      ours.has(program) ||
      servers.some((server) => program?.includes(server));
    const kept = processes.filter(
      (process) =>
        process.role !== 'program' ||
        inner.has(process) ||
        (isServer(process) && (process.pid !== UNKNOWN_PID || isEventful(process))),
    );
    if (kept.length < processes.length) keepOnly(processes, kept);
  }
}

function isEventful({end, forced, remarks, asked}: ProcessDraft): boolean {
  const isWaitedFor = asked !== null && end === null;
  return forced !== null || remarks.length > 0 || end === 'crashed' || end === 'killed' || isWaitedFor;
}

/** In place: an instance keeps its list. */
function keepOnly(processes: ProcessDraft[], kept: readonly ProcessDraft[]): void {
  processes.length = 0;
  for (const process of kept) processes.push(process);
}
