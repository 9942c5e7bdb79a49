import {arrange} from './arrange.ts';
import {concludeTimeline, type Story} from './conclude.ts';
import {constraintsOf} from './constraints.ts';
import {
  causeOf,
  type EpochDraft,
  type InstanceDraft,
  isAlive,
  isLeaving,
  killerOf,
  masterKey,
  newInstance,
  newProcess,
  type ProcessDraft,
  type ReloadDraft,
  type ReloadEntry,
} from './draft.ts';
import type {EventKind, LogEvent, ReloadKind, Trigger} from './event.ts';
import {logsOf} from './logs.ts';
import {nest} from './nesting.ts';
import {type Owners, ownersOf} from './ownership.ts';
import {Programs} from './programs.ts';
import type {Recording} from './recording.ts';
import {serversOf} from './servers.ts';
import {addSetting} from './settings.ts';
import {FAULTS, REQUESTS, signalName} from './signals.ts';
import {silentlyKilled} from './silent-kill.ts';
import {solve} from './solve.ts';
import {isBefore} from './time.ts';
import {type Setting, type Timeline, UNKNOWN_PID} from './timeline.ts';

/**
 * Rebuilds what happened from what was written: first who did what, then when that can have been, and then
 * the timeline. Always succeeds: what does not fit is left as the log has it.
 */
export function buildTimeline(read: Recording): Timeline {
  const recording = arrange(read);
  const logOf = logsOf(recording.inputs);
  const servers = serversOf(recording);
  const first = follow(recording.events, NOBODY, servers);
  const ended = nest(first, recording.events);
  const {instants, disagreements} = solve(recording.events, constraintsOf(first), (input) => logOf[input] ?? input);
  const events = recording.events.map((event, n): LogEvent => ({...event, at: instants[n] ?? event.at}));
  const story = follow(events, ended, servers);
  nest(story, events);
  return concludeTimeline({...recording, events}, story, servers, disagreements);
}

const NOBODY: ReadonlySet<string> = new Set();

/**
 * Who did what. Does not depend on times.
 *
 * @param ended Masters whose end only an outer supervisor tells, perhaps in another file ({@link masterKey}).
 * @param servers By input: which server lines without a stream tell of.
 */
function follow(events: readonly LogEvent[], ended: ReadonlySet<string>, servers: readonly number[]): Story {
  const builder = new Builder(events, ended, servers);
  for (const [index, event] of events.entries()) builder.take(event, index);
  return builder;
}

/** What a start-up says before its master is known. */
interface StartUp {
  banner: LogEvent | null;
  readonly settings: Setting[];
  readonly loads: LogEvent[];
}

/**
 * What one supervisor says in one stream (host, container, unit): process ids and worker numbers mean
 * something only there.
 */
interface Source {
  readonly supervisor: string;
  readonly stream: string | null;
  /** Keeps apart what no stream does: see {@link serversOf}. */
  readonly server: number;
  readonly instances: InstanceDraft[];
  /** The latest process of each pid. */
  readonly byPid: Map<number, ProcessDraft>;
  startUp: StartUp | null;
  /** The instance that the last event belonged to: what a line without any mark most likely belongs to as well. */
  current: InstanceDraft | null;
  /** A dump of the configuration is being printed. */
  isInDump: boolean;
  /** uvicorn: a parent starts the processes that serve. Null until somebody asks. */
  hasParent: boolean | null;
}

/** What only a parent of several processes of uvicorn writes. */
const PARENTS: ReadonlySet<string> = new Set(
  ['started-parent', 'started-reloader', 'terminated-child', 'waiting-for-child', 'child-died', 'stopping-parent'].map(
    (name) => `uvicorn/${name}`,
  ),
);
/** How far ahead to look for the process that a line without any belongs to. */
const LOOK_AHEAD = 200;

class Builder {
  readonly instances: InstanceDraft[] = [];
  readonly reloads: ReloadDraft[] = [];
  private readonly events: readonly LogEvent[];
  private readonly sources = new Map<string, Source>();
  private source: Source = newSource('', null, 0);
  private index = 0;
  private readonly programs = new Programs();
  private readonly servers: readonly number[];
  private readonly ended: ReadonlySet<string>;
  private readonly owners: Owners;
  /** The process that a deadline struck last, whoever's it was. */
  private lastStruck: ProcessDraft | null = null;

  constructor(events: readonly LogEvent[], ended: ReadonlySet<string>, servers: readonly number[]) {
    this.events = events;
    this.ended = ended;
    this.servers = servers;
    this.owners = ownersOf(events, ({stream, input}) => String(stream ?? servers[input] ?? input));
  }

  take(event: LogEvent, index: number): void {
    this.index = index;
    const host = this.hostOf(event);
    this.source = host ?? this.sourceOf(event);
    // Its host has told of its start and will tell of its end.
    if (host !== null && event.meaning.kind === 'process-started') return;
    if (event.meaning.role === 'program') this.program(event);
    else if (this.source.supervisor !== 'uvicorn' || event.pid !== null || !this.spoken(event))
      this.handlers[event.meaning.kind]?.(event);
    for (const [field, name] of Object.entries(event.meaning.shows ?? {})) {
      const value = event.fields[field];
      if (value !== undefined) addSetting(this.instanceOf(event), {name, value, from: 'log', where: event});
    }
  }

  private readonly handlers: {readonly [kind in EventKind]?: (event: LogEvent) => void} = {
    starting: (event) => this.starting(event),
    setting: (event) => this.setting(event),
    'dump-began': () => {
      this.source.isInDump = true;
    },
    'dump-ended': () => {
      this.source.isInDump = false;
    },
    'master-started': (event) => this.masterStarted(event),
    'master-re-executed': (event) => this.masterReExecuted(event),
    'process-started': (event) => this.processStarted(event),
    'app-loaded': (event) => this.appLoaded(event),
    'app-load-failed': (event) => this.appLoadFailed(event),
    'reload-asked': (event) => this.reloadAsked(event),
    'reload-began': (event) => this.reloadBegan(event),
    'reload-ended': (event) => this.reloadEnded(event),
    'chain-step': (event) => this.chainStep(event),
    'chain-waiting': (event) => this.sign(this.instanceOf(event), event),
    're-executing': (event) => this.reExecuting(event),
    'stop-began': (event) => this.stopBegan(event),
    'stop-ended': (event) => this.stopEnded(event),
    'process-asked': (event) => this.processAsked(event),
    'recycle-began': (event) => this.recycleBegan(event),
    'process-leaving': (event) => this.processLeaving(event),
    'process-forced': (event) => this.processForced(event),
    'process-ended': (event) => this.processEnded(event),
    'slot-emptied': (event) => this.slotEmptied(event),
    crash: (event) => this.crash(event),
    'request-running': (event) => this.remark(event),
    'requests-pending': (event) => this.remark(event),
    'deadline-detail': (event) => this.remark(event),
    'deadline-skipped': (event) => this.remark(event),
    'request-error': (event) => this.requestError(event),
    'threads-awaited': (event) => {
      this.lastStruck?.remarks.push(event);
    },
    'master-lost': (event) => this.masterLost(event),
    snapshot: (event) => this.snapshot(event),
    'process-seen': (event) => this.processSeen(event),
  };

  /** What a supervisor of programs says of one of them as a whole. */
  private program(event: LogEvent): void {
    const instance = this.instanceOf(event);
    this.source.current = instance;
    if (!this.programs.take(event, instance, this.index)) this.handlers[event.meaning.kind]?.(event);
    this.finishSupervisor(instance, event);
  }

  /** supervisord does not say when it ends: its last program has gone by then. */
  private finishSupervisor(instance: InstanceDraft, event: LogEvent): void {
    const {active} = instance;
    if (active?.kind !== 'stop' || event.meaning.kind !== 'process-ended') return;
    if (instance.processes.some((process) => process.role === 'program' && isAlive(process))) return;
    instance.stopped = event;
    this.finishReload(active, event, 'completed');
  }

  // Start-up

  private starting(event: LogEvent): void {
    const before = this.source.startUp;
    this.source.startUp = before !== null && before.banner === null ? before : newStartUp();
    this.source.startUp.banner = event;
  }

  private setting(event: LogEvent): void {
    const {option} = event.fields;
    const name = event.meaning.setting ?? (this.source.isInDump && option !== undefined ? String(option) : null);
    const value = event.meaning.value ?? event.fields['value'];
    if (name === null || value === undefined) return;
    const setting: Setting = {name, value, from: 'log', where: event};
    const isStartUp =
      // The first thing that a server says, before its banner.
      name === 'configuration' ||
      this.source.startUp !== null ||
      this.source.current === null ||
      this.source.current.stopped !== null ||
      this.source.current.active?.reExecuted;
    if (!isStartUp) {
      if (this.source.current) addSetting(this.source.current, setting);
      return;
    }
    this.source.startUp ??= newStartUp();
    this.source.startUp.settings.push(setting);
  }

  private masterStarted(event: LogEvent): void {
    this.buryEnded(event);
    const running = this.source.instances.filter(({stopped}) => stopped === null);
    const same = running.find(({masterPid}) => masterPid === event.pid);
    // In a container each master has the same pid: a banner and a first start tell another one.
    if (same !== undefined && this.source.startUp?.banner != null) {
      same.stopped = event;
      if (same.active !== null) this.leaveUnfinished(same.active);
    } else if (same !== undefined) {
      // supervisord says so again when it has restarted itself.
      if (same.active?.kind === 'graceful' && same.supervisor === 'supervisord')
        this.finishReload(same.active, event, 'completed');
      return;
    }
    const upgraded = running.find(({active}) => active?.kind === 'usr2');
    if (upgraded?.active) {
      this.finishReload(upgraded.active, event, 'completed');
      this.beginEpoch(this.addInstance(upgraded), event, false);
      return;
    }
    const succeeded = new Set(this.instances.map(({predecessor}) => predecessor));
    const predecessor = this.source.instances.findLast((past) => past.stopped !== null && !succeeded.has(past));
    const instance = this.addInstance(predecessor ?? null);
    this.beginEpoch(instance, event, false);
  }

  /** Of a master that was killed from outside its own log is silent: the next start shows that it is gone. */
  private buryEnded(event: LogEvent): void {
    for (const instance of this.source.instances) {
      if (instance.stopped !== null || instance.masterPid === null || instance.masterPid === event.pid) continue;
      if (!this.ended.has(masterKey(instance))) continue;
      instance.stopped = event;
      if (instance.active !== null) this.leaveUnfinished(instance.active);
    }
  }

  private masterReExecuted(event: LogEvent): void {
    const known = this.source.instances;
    const instance =
      known.find(({masterPid}) => masterPid === event.pid) ??
      known.find(({masterPid, active}) => masterPid === null && active?.reExecuted) ??
      known.find(({masterPid}) => masterPid === null) ??
      this.addInstance(null);
    this.beginEpoch(instance, event, true);
    this.sign(instance, event);
  }

  private beginEpoch(instance: InstanceDraft, master: LogEvent, reExecuted: boolean): void {
    const startUp = this.source.startUp ?? newStartUp();
    this.source.startUp = null;
    this.source.current = instance;
    const epoch: EpochDraft = {banner: startUp.banner, master, reExecuted, loads: startUp.loads};
    instance.epochs.push(epoch);
    instance.masterPid = master.pid;
    const version = startUp.banner?.fields['version'];
    if (version !== undefined) instance.version = String(version);
    for (const setting of startUp.settings) addSetting(instance, setting);
    if (master.pid !== null && this.process(master.pid)?.role !== 'master') {
      this.register(newProcess(instance, master.pid, 'master', null, reExecuted ? null : master, this.index));
    }
    if (!reExecuted) return;
    if (instance.active === null) this.beginReload(instance, master, 'graceful', 'unknown', {isUnderWay: true, headless: true});
    if (instance.active !== null) instance.active.reExecuted ??= master;
    instance.previousSlots = instance.slots;
    instance.slots = new Map();
    for (const worker of instance.previousSlots.values()) {
      if (isAlive(worker)) this.end(worker, master, worker.forced === null ? 'lost' : 'forced');
    }
  }

  private processStarted(event: LogEvent): void {
    if (this.source.startUp !== null && event.meaning.role === 'worker' && event.meaning.respawned !== true)
      this.beginWithoutMaster(this.source.startUp);
    const {worker} = event;
    const {role = 'other'} = event.meaning;
    const isServer = this.source.supervisor === 'uvicorn' && !this.hasParent();
    const past = isServer ? this.source.instances.at(-1) : undefined;
    const {instance, isGuessed} =
      past !== undefined && past.processes.length > 0
        ? {instance: this.addInstance(past.stopped === null ? null : past), isGuessed: false}
        : this.instanceOfStart(event);
    this.source.current = instance;
    if (event.pid === null) return;
    const known = this.process(event.pid);
    if (known !== null && known.started === null && isAlive(known) && known.worker === worker) {
      // The worker's own first lines came before the master's.
      known.started = event;
      this.fillSlot(instance, known, event);
      return;
    }
    const process = newProcess(instance, event.pid, role, worker, event, this.index);
    process.isGuessed = isGuessed;
    this.register(process);
    const cores = event.fields['cores'];
    if (typeof cores === 'number') addSetting(instance, {name: 'cores-per-worker', value: cores, from: 'log', where: event});
    if (role !== 'worker') return;
    if (worker !== null) this.fillSlot(instance, process, event);
    else this.joinGeneration(instance, process, event);
  }

  /** gunicorn does not number its workers: a reload has an old generation and a new one, and no pairs. */
  private joinGeneration(instance: InstanceDraft, process: ProcessDraft, event: LogEvent): void {
    const {active} = instance;
    if (active?.kind !== 'hup') return;
    active.entries.push({worker: null, old: null, next: process, told: null, passed: null});
    active.lastSign = event;
    this.finishGeneration(instance, event);
  }

  /** Complete once the old generation has left and as many have been started anew. */
  private finishGeneration(instance: InstanceDraft, event: LogEvent): void {
    const {active} = instance;
    if (active?.kind !== 'hup') return;
    const old = active.entries.flatMap((entry) => (entry.old === null ? [] : [entry.old]));
    const next = active.entries.filter((entry) => entry.next !== null);
    if (old.length > 0 && next.length >= old.length && old.every((process) => !isAlive(process) || process.leaving !== null)) {
      this.finishReload(active, event, 'completed');
    }
  }

  private fillSlot(instance: InstanceDraft, process: ProcessDraft, event: LogEvent): void {
    const {worker} = process;
    if (worker === null) return;
    const past = instance.slots.get(worker) ?? instance.previousSlots.get(worker) ?? null;
    if (past !== process) {
      // A worker that stopped serving and left by itself is replaced without a word about its end.
      if (past !== null && isAlive(past)) this.end(past, event, past.forced === null ? 'clean' : 'forced');
      process.predecessor = past;
      if (past !== null) past.successor = process;
    }
    instance.slots.set(worker, process);
    instance.previousSlots.delete(worker);
    this.joinReload(instance, process, event);
  }

  /** The reload that a new worker completes or goes on with. */
  private joinReload(instance: InstanceDraft, process: ProcessDraft, event: LogEvent): void {
    const reload = instance.active ?? this.justReExecuted(instance);
    if (reload === null || reload.kind === 'stop') return;
    const isFull = reload.kind === 'graceful' || reload.kind === 'brutal';
    if (isFull && reload.reExecuted === null) return;
    const entry = reload.entries.find((candidate) => candidate.worker === process.worker && candidate.next === null);
    if (entry === undefined && !isFull) return;
    if (entry === undefined)
      reload.entries.push({worker: process.worker, old: process.predecessor, next: process, told: null, passed: null});
    else entry.next = process;
    reload.lastSign = event;
    if (reload.kind === 'chain') return;
    if (reload.entries.every(({next}) => next !== null)) this.finishReload(reload, event, 'completed');
  }

  /** A full reload stays open for the rest of its generation: only then is its last worker known. */
  private justReExecuted(instance: InstanceDraft): ReloadDraft | null {
    const last = this.reloads.findLast((reload) => reload.instance === instance) ?? null;
    const isOpen = last?.reExecuted && last.ended !== null && last.ended === last.lastSign && this.onlyStartsSince(last.ended);
    return isOpen ? last : null;
  }

  private onlyStartsSince(event: LogEvent): boolean {
    for (let n = this.index - 1; n >= 0; n--) {
      const between = this.events[n] as LogEvent;
      if (between === event) return true;
      if (between.meaning.kind !== 'process-started' && between.meaning.kind !== 'app-loaded') return false;
    }
    return false;
  }

  private beginWithoutMaster(startUp: StartUp): void {
    if (startUp.banner === null) return;
    const instance = this.addInstance(null);
    this.source.current = instance;
    instance.version = String(startUp.banner.fields['version'] ?? '') || null;
    for (const setting of startUp.settings) addSetting(instance, setting);
    instance.epochs.push({banner: startUp.banner, master: null, reExecuted: false, loads: startUp.loads});
    this.source.startUp = null;
  }

  /** gunicorn gives up as a whole where its new workers cannot load the application: so has the reload that started them. */
  private appLoadFailed(event: LogEvent): void {
    if (!event.meaning.fatal || event.pid === null) return;
    const instance = this.process(event.pid)?.instance;
    const last = this.reloads.findLast((reload) => reload.instance === instance);
    if (last?.kind === 'hup') this.finishReload(last, event, 'failed');
  }

  private appLoaded(event: LogEvent): void {
    if (this.source.startUp !== null) {
      this.source.startUp.loads.push(event);
      return;
    }
    const instance = this.instanceOf(event);
    this.source.current = instance;
    if (instance.epochs.length === 0) instance.epochs.push({banner: null, master: null, reExecuted: false, loads: []});
    instance.epochs.at(-1)?.loads.push(event);
    const process = event.pid === null ? null : this.process(event.pid);
    if (process !== null) process.appLoaded = event;
    this.sign(instance, event);
  }

  // Reloads and stops

  private reloadAsked(event: LogEvent): void {
    const instance = this.instanceOf(event);
    const {reload: kind = 'graceful', trigger = 'unknown'} = event.meaning;
    const {active} = instance;
    if (active !== null && active.kind !== 'stop' && (active.isUnderWay || active.kind !== kind || trigger !== 'autoreload')) {
      active.repeated.push(event);
      return;
    }
    if (active === null) this.beginReload(instance, event, kind, trigger, {isUnderWay: false, headless: false});
  }

  private reloadBegan(event: LogEvent): void {
    const instance = this.instanceOf(event);
    const {reload: kind = 'graceful', trigger = 'unknown'} = event.meaning;
    const {active} = instance;
    if (active !== null && !active.isUnderWay && active.kind === kind) {
      active.isUnderWay = true;
      active.lastSign = event;
    } else if (active !== null && active.kind === kind && active.reExecuted === null) {
      // A chain that was touched prints a header of its own; anything else is a second request.
      if (kind === 'chain' && active.entries.length === 0) active.lastSign = event;
      else active.repeated.push(event);
      return;
    } else {
      if (active !== null) this.leaveUnfinished(active);
      this.beginReload(instance, event, kind, trigger, {isUnderWay: true, headless: false});
    }
    if (kind === 'graceful' || kind === 'brutal' || kind === 'hup') this.askAll(instance, event, 'reload');
  }

  private stopBegan(event: LogEvent): void {
    const instance = this.instanceOf(event);
    if (instance.active?.kind === 'stop') {
      instance.active.repeated.push(event);
      return;
    }
    if (instance.active !== null) this.leaveUnfinished(instance.active);
    this.beginReload(instance, event, 'stop', 'unknown', {isUnderWay: true, headless: false});
    this.askAll(instance, event, 'stop');
    this.programs.askAll(instance, event, this.index);
  }

  private stopEnded(event: LogEvent): void {
    const instance = this.instanceOf(event);
    // daphne says no more than that it has stopped.
    if (event.meaning.reload === 'stop' && instance.active === null) this.stopBegan(event);
    instance.stopped = event;
    for (const process of silentlyKilled(instance, event)) {
      process.forced = {event, tries: 1, deadline: 'stop-timeout', inferred: true};
      process.killedBy = killerOf(instance);
    }
    for (const process of instance.processes) {
      if (!isAlive(process)) continue;
      process.cause = 'stop';
      if (process.leaving !== null && process.forced === null) {
        process.goneBy = event;
        process.end = 'clean';
        continue;
      }
      const isSilent = instance.supervisor === 'gunicorn' && process.role === 'worker';
      this.end(process, event, process.forced !== null ? 'forced' : isSilent ? 'lost' : 'clean');
    }
    if (instance.active !== null) this.finishReload(instance.active, event, 'completed');
  }

  private reloadEnded(event: LogEvent): void {
    const {active} = this.instanceOf(event);
    if (active === null) return;
    for (const entry of active.entries) entry.passed ??= event;
    this.finishReload(active, event, 'completed');
  }

  private reExecuting(event: LogEvent): void {
    const instance = this.instanceOf(event);
    if (instance.active === null) this.beginReload(instance, event, 'graceful', 'unknown', {isUnderWay: true, headless: true});
    if (instance.active === null) return;
    instance.active.reExecuted = event;
    instance.active.lastSign = event;
  }

  private chainStep(event: LogEvent): void {
    const instance = this.instanceOf(event);
    let {active} = instance;
    if (active?.kind !== 'chain')
      active = this.beginReload(instance, event, 'chain', 'unknown', {isUnderWay: true, headless: true});
    for (const entry of active.entries) entry.passed ??= event;
    const old = (event.worker === null ? null : instance.slots.get(event.worker)) ?? null;
    const entry: ReloadEntry = {worker: event.worker, old, next: null, told: event, passed: null};
    active.entries.push(entry);
    active.lastSign = event;
    if (old !== null && isAlive(old)) this.ask(old, event, 'reload', active, false);
  }

  private beginReload(
    instance: InstanceDraft,
    event: LogEvent,
    kind: ReloadKind,
    trigger: Trigger,
    {isUnderWay, headless}: {isUnderWay: boolean; headless: boolean},
  ): ReloadDraft {
    const reload: ReloadDraft = {
      instance,
      kind,
      trigger,
      headless,
      isUnderWay,
      began: event,
      ended: null,
      outcome: 'unfinished',
      entries: [],
      reExecuted: null,
      repeated: [],
      lastSign: event,
    };
    instance.active = reload;
    this.source.current = instance;
    this.reloads.push(reload);
    return reload;
  }

  private finishReload(reload: ReloadDraft, event: LogEvent, outcome: 'completed' | 'failed'): void {
    reload.ended = event;
    reload.lastSign = event;
    reload.outcome = outcome;
    if (reload.instance.active === reload) reload.instance.active = null;
  }

  /** A worker that was thought to have left is still there: so is the reload that asked it. */
  private prolong({asked}: ProcessDraft, event: LogEvent): void {
    const reload = asked?.reload;
    if (reload?.kind === 'hup' && reload.ended !== null) this.finishReload(reload, event, 'completed');
  }

  private leaveUnfinished(reload: ReloadDraft): void {
    if (reload.instance.active === reload) reload.instance.active = null;
  }

  /** A reload of the whole instance and a stop ask every worker, whether or not it says so itself. */
  private askAll(instance: InstanceDraft, event: LogEvent, by: 'reload' | 'stop'): void {
    const {active} = instance;
    if (active === null) return;
    for (const worker of instance.processes) {
      if (worker.role !== 'worker' || !isAlive(worker) || worker.leaving !== null) continue;
      active.entries.push({worker: worker.worker, old: worker, next: null, told: null, passed: null});
      this.ask(worker, event, by, active, false);
    }
  }

  private ask(
    process: ProcessDraft,
    event: LogEvent,
    by: 'reload' | 'stop' | 'itself' | 'unknown',
    reload: ReloadDraft | null,
    acknowledged: boolean,
    told = event,
  ): void {
    process.asked ??= {told, event, index: this.index, acknowledged, by, reload};
  }

  private processAsked(event: LogEvent): void {
    const process = this.processOf(event);
    if (process === null) return;
    this.correctGuess(process);
    const {instance} = process;
    if (process.asked !== null) {
      const {asked} = process;
      if (!asked.acknowledged) asked.event = event;
      asked.acknowledged = true;
      this.sign(instance, event);
      return;
    }
    let {active} = instance;
    if (active === null && instance.supervisor !== 'uwsgi') {
      this.ask(process, event, 'unknown', null, true);
      return;
    }
    // uWSGI reloads its workers alone without a word of its own when told so through its FIFO.
    active ??= this.beginReload(instance, event, 'workers', 'unknown', {isUnderWay: true, headless: true});
    let entry =
      active.entries.find(({old}) => old === process) ??
      active.entries.find(({worker, old}) => worker === process.worker && old === null);
    if (entry === undefined)
      active.entries.push((entry = {worker: process.worker, old: process, next: null, told: null, passed: null}));
    entry.old = process;
    this.ask(process, event, active.kind === 'stop' ? 'stop' : 'reload', active, true, entry.told ?? event);
    active.lastSign = event;
  }

  // Processes

  private recycleBegan(event: LogEvent): void {
    const process = this.processOf(event);
    if (process === null || !isAlive(process)) return;
    process.recycling = {event, cause: event.meaning.cause ?? 'unknown'};
    this.ask(process, event, 'itself', null, true);
  }

  private processLeaving(event: LogEvent): void {
    const process = this.processOf(event);
    if (process === null || !isAlive(process)) return;
    process.leaving = event;
    const {instance} = process;
    // Who was there before the log began belongs to the generation that the last reload asked.
    const reload = instance.active ?? this.reloads.findLast((past) => past.instance === instance) ?? null;
    if (process.asked === null && process.started === null && reload !== null && reload.kind !== 'usr2') {
      reload.entries.push({worker: process.worker, old: process, next: null, told: null, passed: null});
      this.ask(process, reload.began, reload.kind === 'stop' ? 'stop' : 'reload', reload, true);
      if (reload.ended !== null && reload.kind === 'hup') this.finishReload(reload, event, 'completed');
    }
    if (process.asked !== null) process.asked.acknowledged = true;
    this.sign(instance, event);
    this.finishGeneration(instance, event);
    if (instance.supervisor !== 'uvicorn' || this.hasParent()) return;
    instance.stopped = event;
    if (instance.active !== null) this.finishReload(instance.active, event, 'completed');
  }

  private processForced(event: LogEvent): void {
    const process = this.processOf(event);
    if (process === null) return;
    process.remarks.push(event);
    process.instance.struck = process;
    // uWSGI 2.0.27 to 2.0.30 names processes that have ended already.
    if (!isAlive(process)) return;
    this.askInHindsight(process);
    const tries = (process.forced?.tries ?? 0) + 1;
    process.forced = {event, tries, deadline: event.meaning.deadline ?? 'mercy', inferred: false};
    process.killedBy = killerOf(process.instance);
    if (event.meaning.cause !== undefined) process.cause = event.meaning.cause;
    this.lastStruck = process;
    this.sign(process.instance, event);
    this.prolong(process, event);
  }

  /** A worker that the log had not introduced when all were told was told as well: it never took note. */
  private askInHindsight(process: ProcessDraft): void {
    const {active} = process.instance;
    if (process.asked !== null || process.started !== null || active === null || !active.isUnderWay) return;
    if (active.kind !== 'graceful' && active.kind !== 'brutal' && active.kind !== 'stop') return;
    active.entries.push({worker: process.worker, old: process, next: null, told: null, passed: null});
    this.ask(process, active.began, active.kind === 'stop' ? 'stop' : 'reload', active, false);
  }

  private processEnded(event: LogEvent): void {
    const {role} = event.meaning;
    const process = this.processOf(event);
    if (process === null || (role !== undefined && process.role !== role && process.role !== 'other')) return;
    if (!isAlive(process)) {
      process.remarks.push(event);
      return;
    }
    const {ending} = event.meaning;
    const {signal} = event.fields;
    if (signal !== undefined) process.signal = String(signal);
    if (event.meaning.cause !== undefined) process.cause = event.meaning.cause;
    const {active} = process.instance;
    if (ending === 'collected' && active?.headless && active.kind === 'workers') active.kind = 'graceful';
    if (process.forced !== null) this.end(process, event, 'forced');
    else if (ending === 'collected' || ending === 'replaced')
      this.end(process, event, process.crash === null ? 'clean' : 'crashed');
    else this.died(process, event);
    this.sign(process.instance, event);
    this.finishGeneration(process.instance, event);
  }

  /** It went while it was serving, or in a way that only the signal or the exit code can tell. */
  private died(process: ProcessDraft, event: LogEvent): void {
    const {code} = event.fields;
    const signal = process.signal === null ? null : signalName(process.signal);
    const wasAsked = process.asked !== null || process.leaving !== null;
    if (process.crash !== null || (signal !== null && FAULTS.has(signal))) {
      process.cause = signal === null ? 'exit-code' : 'signal';
      this.end(process, event, 'crashed');
    } else if (signal === 'KILL' && process.asked !== null && isStopping(process) && event.meaning.ending !== 'died') {
      process.killedBy = killerOf(process.instance);
      process.forced = {event, tries: 1, deadline: 'stop-timeout', inferred: false};
      this.end(process, event, 'forced');
    } else if (signal !== null && wasAsked && REQUESTS.has(signal)) {
      this.end(process, event, 'clean');
    } else if (signal !== null) {
      process.cause = 'signal';
      this.end(process, event, 'killed');
    } else if (!wasAsked && event.message === 'uvicorn/child-died') {
      // A crash, a kill and a health check without an answer are worded alike.
      this.end(process, event, 'lost');
    } else if ((wasAsked && event.meaning.ending === 'died') || code === 0) {
      // Told to go by a signal that ends it at once; uWSGI words that like a crash.
      this.end(process, event, 'clean');
    } else {
      process.cause = 'exit-code';
      this.end(process, event, 'crashed');
    }
  }

  private slotEmptied(event: LogEvent): void {
    const process = this.processOf(event);
    if (process === null) return;
    process.cause = 'cheaper';
    if (isAlive(process)) this.end(process, event, process.forced === null ? 'clean' : 'forced');
    if (process.worker !== null && process.instance.slots.get(process.worker) === process)
      process.instance.slots.delete(process.worker);
  }

  private crash(event: LogEvent): void {
    const process = event.pid === null ? null : this.process(event.pid);
    if (process === null) return;
    process.crash = event;
    process.remarks.push(event);
  }

  private remark(event: LogEvent): void {
    const isAboutStruck = event.pid === null && event.worker === null;
    const process = isAboutStruck ? this.instanceOf(event).struck : this.processOf(event);
    process?.remarks.push(event);
  }

  /** The interpreter names the request that a deadline broke off. */
  private requestError(event: LogEvent): void {
    const process = event.pid === null ? null : this.process(event.pid);
    if (process?.forced) process.remarks.push(event);
  }

  private snapshot(event: LogEvent): void {
    const instance = this.instanceOf(event);
    const {version} = event.fields;
    if (version !== undefined) instance.version ??= String(version);
    const past = instance.processes.filter((each) => each.role === 'worker' && each.worker === null && isLeaving(each));
    const fresh = this.seenIn(event).filter(({worker}) => worker !== null && !instance.slots.has(worker));
    // A snapshot shows all workers: who said goodbye without a number had the only one that nobody else has had.
    if (past.length !== 1 || fresh.length !== 1) return;
    const [[leaver], [row]] = [past, fresh];
    if (leaver == null || row?.worker == null || row.pid === leaver.pid) return;
    leaver.worker = row.worker;
    instance.slots.set(row.worker, leaver);
  }

  /** The processes that a snapshot shows, by the lines that follow its first. */
  private seenIn(snapshot: LogEvent): readonly LogEvent[] {
    const next = this.events.slice(this.index + 1).filter(({input}) => input === snapshot.input);
    const end = next.findIndex(({meaning}) => meaning.kind !== 'process-seen');
    return end < 0 ? next : next.slice(0, end);
  }

  /** A process is there at this instant. Where the log has told of its end, the log is believed and both are shown. */
  private processSeen(event: LogEvent): void {
    if (event.pid === null || this.isOutdated(event)) return;
    if (event.meaning.role === 'master') {
      const instance = this.instanceOf(event);
      if (this.process(event.pid) === null) this.register(newProcess(instance, event.pid, 'master', null, null, 0));
    }
    const process = this.processOf(event);
    if (process === null) return;
    process.remarks.push(event);
    process.seen = event;
    // No line had told of its end: it was missed only.
    const gone = process.ended ?? process.goneBy;
    if (process.end !== 'lost' || (gone !== null && !isBefore(gone.at, event.at))) return;
    process.end = null;
    process.ended = null;
    process.goneBy = null;
  }

  /** A snapshot that stands below the log and was taken before the worker that has its number now had started. */
  private isOutdated({pid, worker, at}: LogEvent): boolean {
    if (pid === null || worker === null || this.process(pid) !== null) return false;
    const started = this.source.instances.flatMap(({slots}) => slots.get(worker)?.started?.at.earliest ?? []);
    return at.earliest !== null && started.some((time) => time > (at.earliest as number));
  }

  private masterLost(event: LogEvent): void {
    const process = event.pid === null ? this.survivorOf(event) : this.processOf(event);
    if (process === null) return;
    if (isAlive(process)) {
      process.cause = 'master-gone';
      process.remarks.push(event);
      this.end(process, event, 'clean');
    }
    this.masterGone(process.instance, event);
  }

  /** A worker that tells its number alone: rather one of an instance that is known to be over than of its successor. */
  private survivorOf(event: LogEvent): ProcessDraft | null {
    const {worker} = event;
    if (worker === null) return null;
    const having = this.source.instances.filter((instance) => {
      const occupant = instance.slots.get(worker) ?? instance.previousSlots.get(worker);
      return occupant !== undefined && isAlive(occupant);
    });
    const over = having.find((instance) => instance.stopped !== null || this.ended.has(masterKey(instance)));
    const instance = over ?? having[0];
    return instance?.slots.get(worker) ?? instance?.previousSlots.get(worker) ?? null;
  }

  /** Its workers outlived it; the log does not say how it ended. */
  private masterGone(instance: InstanceDraft, event: LogEvent): void {
    if (instance.stopped !== null) return;
    instance.stopped = event;
    const master = instance.processes.find(({role}) => role === 'master');
    if (master !== undefined && isAlive(master)) {
      master.end = 'lost';
      master.goneBy = event;
    }
    if (instance.active !== null) this.finishReload(instance.active, event, 'failed');
  }

  private end(process: ProcessDraft, event: LogEvent, end: NonNullable<ProcessDraft['end']>): void {
    process.ended = event;
    process.end = end;
    process.cause = causeOf(process);
  }

  // Who is meant

  /** Something happened that shows that the running reload goes on. */
  private sign(instance: InstanceDraft, event: LogEvent): void {
    if (instance.active !== null) instance.active.lastSign = event;
  }

  /** uvicorn names its process only where it starts and ends. @returns Whether it is clear who speaks in between. */
  private spoken(event: LogEvent): boolean {
    const {kind, cause} = event.meaning;
    const process = kind === 'process-asked' || kind === 'requests-pending' || kind === 'recycle-began' ? this.speaker() : null;
    if (process === null) return false;
    if (kind === 'requests-pending') process.remarks.push(event);
    else if (kind === 'recycle-began') {
      process.recycling = {event, cause: cause ?? 'unknown'};
      this.ask(process, event, 'itself', null, true);
    } else if (!this.hasParent() && process.asked === null) this.stopBegan(event);
    return true;
  }

  /** The only process that can have said it: the only one there, or the only one that its parent has told to leave. */
  private speaker(): ProcessDraft | null {
    const there = this.source.instances
      .flatMap(({processes}) => processes)
      .filter((process) => process.role === 'worker' && isAlive(process) && process.leaving === null);
    const told = there.filter(({asked}) => asked?.acknowledged);
    const [only, ...others] = told.length > 0 ? told : there;
    return only !== undefined && others.length === 0 ? only : null;
  }

  /** uvicorn with --workers or --reload; without, the process that serves is all there is. */
  private hasParent(): boolean {
    const {stream} = this.source;
    this.source.hasParent ??= this.events.some((event) => event.stream === stream && PARENTS.has(event.message));
    return this.source.hasParent;
  }

  /** A server that runs as the worker of another (uvicorn under gunicorn) speaks of a process that the other started. */
  private hostOf({message, pid, stream, input}: LogEvent): Source | null {
    if (!message.startsWith('uvicorn/') || pid === null) return null;
    const host = this.sources.get(`gunicorn ${stream ?? this.servers[input] ?? input}`);
    const process = host?.byPid.get(pid);
    return host !== undefined && process !== undefined && isAlive(process) ? host : null;
  }

  private sourceOf(event: LogEvent): Source {
    const supervisor = event.message.slice(0, event.message.indexOf('/'));
    const server = this.servers[event.input] ?? event.input;
    const key = `${supervisor} ${event.stream ?? server}`;
    const known = this.sources.get(key) ?? newSource(supervisor, event.stream, server);
    this.sources.set(key, known);
    return known;
  }

  private addInstance(predecessor: InstanceDraft | null): InstanceDraft {
    const {supervisor, stream, server, instances} = this.source;
    const number = this.instances.filter((instance) => instance.supervisor === supervisor).length + 1;
    const instance = newInstance(supervisor, number, {stream, server}, predecessor);
    this.instances.push(instance);
    instances.push(instance);
    return instance;
  }

  private register(process: ProcessDraft): void {
    this.source.byPid.set(process.pid, process);
  }

  private process(pid: number): ProcessDraft | null {
    return this.source.byPid.get(pid) ?? null;
  }

  /** The process that an event names by pid or by number; one that the log has not introduced is introduced here. */
  private processOf(event: LogEvent): ProcessDraft | null {
    const {pid, worker} = event;
    const {role = 'other'} = event.meaning;
    const instance = this.instanceOf(event);
    this.source.current = instance;
    if (pid !== null) {
      const known = this.process(pid);
      // The same pid under another number is another process: pids come round again.
      if (known !== null && (worker === null || known.worker === null || known.worker === worker)) {
        if (known.worker === null && worker !== null) {
          known.worker = worker;
          if (isAlive(known)) instance.slots.set(worker, known);
        }
        return known;
      }
      if (event.meaning.kind === 'process-ended' && role === 'other') return null;
      const process = newProcess(instance, pid, role, worker, null, known === null ? 0 : this.index);
      process.appLoaded = instance.epochs.at(-1)?.loads.findLast((load) => load.pid === pid) ?? null;
      this.register(process);
      if (role === 'worker' && worker !== null) {
        const past = instance.slots.get(worker);
        if (past !== undefined) {
          process.predecessor = past;
          past.successor = process;
          if (isAlive(past)) this.end(past, event, past.forced === null ? 'lost' : 'forced');
        }
        instance.slots.set(worker, process);
      }
      return process;
    }
    if (worker === null || role !== 'worker') return null;
    const known = instance.slots.get(worker) ?? instance.previousSlots.get(worker) ?? null;
    if (known !== null || event.meaning.kind !== 'recycle-began') return known;
    // The log begins after this worker did, and tells it by its number alone.
    const process = newProcess(instance, UNKNOWN_PID, role, worker, null, this.index);
    instance.slots.set(worker, process);
    return process;
  }

  private instanceOf(event: LogEvent): InstanceDraft {
    const known = this.source.instances;
    if (known.length === 0) {
      const first = this.addInstance(null);
      if (event.meaning.role === 'master') first.masterPid = event.pid;
      return first;
    }
    if (event.pid !== null) {
      const owner = this.process(event.pid)?.instance;
      if (owner !== undefined) return owner;
    }
    const running = known.filter(({stopped}) => stopped === null);
    if (event.pid !== null && event.meaning.role === 'master') {
      const own = running.find(({masterPid}) => masterPid === event.pid) ?? running.find(({masterPid}) => masterPid === null);
      if (own !== undefined) {
        own.masterPid = event.pid;
        return own;
      }
    }
    if (running.length === 1) {
      const only = running[0] as InstanceDraft;
      return event.pid !== null && event.worker !== null && this.isAnothers(only, event) ? this.addInstance(null) : only;
    }
    if (running.length === 0) return this.source.current ?? (known.at(-1) as InstanceDraft);
    return this.likeliest(running, event);
  }

  /** A worker of this number is known to be alive and well under another pid: two instances share the log. */
  private isAnothers(instance: InstanceDraft, event: LogEvent): boolean {
    const occupant = instance.slots.get(event.worker as number);
    return (
      occupant !== undefined &&
      event.meaning.role === 'worker' &&
      isAlive(occupant) &&
      !isLeaving(occupant) &&
      this.speaksLater(occupant)
    );
  }

  private speaksLater(process: ProcessDraft): boolean {
    return this.events.slice(this.index + 1, this.index + LOOK_AHEAD).some(({pid}) => pid === process.pid);
  }

  private likeliest(running: readonly InstanceDraft[], event: LogEvent): InstanceDraft {
    const {worker} = event;
    const {kind} = event.meaning;
    const fits = running.filter((instance) => {
      if (kind === 'chain-step' || kind === 'chain-waiting' || kind === 'reload-ended') return instance.active?.kind === 'chain';
      if (kind === 'stop-ended') return instance.active?.kind === 'stop';
      if (kind === 're-executing')
        return instance.active !== null && [...instance.slots.values()].every((slot) => !isAlive(slot));
      if (worker === null) return true;
      const occupant = instance.slots.get(worker);
      if (event.pid !== null) return occupant === undefined || !isAlive(occupant) || isLeaving(occupant);
      return occupant !== undefined && isAlive(occupant) && (kind !== 'process-ended' || isLeaving(occupant));
    });
    if (fits.length === 1) return fits[0] as InstanceDraft;
    const among = fits.length > 0 ? fits : running;
    const next = this.nextNamed(event, among);
    if (next !== null) return next;
    return this.source.current !== null && among.includes(this.source.current)
      ? this.source.current
      : (among.at(-1) as InstanceDraft);
  }

  /** Lines without a process are followed by lines with one: "...gracefully killing workers..." by who was told. */
  private nextNamed(event: LogEvent, among: readonly InstanceDraft[]): InstanceDraft | null {
    if (!['reload-asked', 'reload-began', 'stop-began'].includes(event.meaning.kind)) return null;
    for (const next of this.events.slice(this.index + 1, this.index + LOOK_AHEAD)) {
      if (!['process-asked', 'process-forced', 'process-ended'].includes(next.meaning.kind) || next.pid === null) continue;
      const owner = next.stream === event.stream ? this.process(next.pid)?.instance : undefined;
      if (owner !== undefined && among.includes(owner) && !owner.active?.isUnderWay) return owner;
    }
    return null;
  }

  /** A new process belongs where its number is free. */
  private instanceOfStart(event: LogEvent): {instance: InstanceDraft; isGuessed: boolean} {
    const running = this.source.instances.filter(({stopped}) => stopped === null);
    const {worker} = event;
    if (running.length === 0) return {instance: this.instanceOf(event), isGuessed: false};
    const free = running.filter((instance) => {
      if (worker === null || event.meaning.role !== 'worker') return true;
      const occupant = instance.slots.get(worker);
      return occupant === undefined ? event.meaning.respawned !== true : !isAlive(occupant) || isLeaving(occupant);
    });
    const owners = this.owners.get(event);
    const proved = running.filter(({masterPid}) => masterPid !== null && owners?.has(masterPid));
    const [only] = proved;
    if (only !== undefined && proved.length === 1 && owners?.size === 1) return {instance: only, isGuessed: false};
    const able = free.filter((instance) => proved.length === 0 || proved.includes(instance));
    const among = [able, proved, free, running].find(({length}) => length > 0) as readonly InstanceDraft[];
    const isCurrent = this.source.current !== null && among.includes(this.source.current);
    // Two that start at the same time: even a number that is free in one only may be so by an earlier guess.
    const isGuessed = event.meaning.respawned === true ? among.length > 1 : running.length > 1;
    return {instance: isCurrent ? (this.source.current as InstanceDraft) : (among.at(-1) as InstanceDraft), isGuessed};
  }

  /**
   * A worker that belongs to another instance by guess takes part in a reload of this one: the guess was
   * wrong, and the worker of the same number here is the other's.
   */
  private correctGuess(process: ProcessDraft): void {
    const {worker, instance: wrong} = process;
    if (!process.isGuessed || worker === null || wrong.active !== null) return;
    const right = this.source.instances.find((instance) => {
      const occupant = instance.slots.get(worker);
      return instance.active?.isUnderWay && occupant?.isGuessed && isAlive(occupant) && occupant.asked?.acknowledged === false;
    });
    const other = right?.slots.get(worker);
    if (right === undefined || other === undefined) return;
    exchange(process, right);
    exchange(other, wrong);
    const entry = right.active?.entries.find(({old}) => old === other);
    if (entry !== undefined) entry.old = process;
    process.asked = other.asked;
    other.asked = null;
  }
}

/** Whatever asked it: a stop that has begun since ends everybody. */
function isStopping({asked, instance}: ProcessDraft): boolean {
  return asked?.by === 'stop' || instance.active?.kind === 'stop';
}

function exchange(process: ProcessDraft, to: InstanceDraft): void {
  process.instance.processes.splice(process.instance.processes.indexOf(process), 1);
  process.instance = to;
  process.isGuessed = false;
  to.processes.push(process);
  if (process.worker !== null) to.slots.set(process.worker, process);
}

function newSource(supervisor: string, stream: string | null, server: number): Source {
  return {
    supervisor,
    stream,
    server,
    instances: [],
    byPid: new Map(),
    startUp: null,
    current: null,
    isInDump: false,
    hasParent: null,
  };
}

function newStartUp(): StartUp {
  return {banner: null, settings: [], loads: []};
}
