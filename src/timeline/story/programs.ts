import type {EventKind, LogEvent} from '../event.ts';
import {namedPrograms} from '../named-programs.ts';
import {FAULTS, REQUESTS, signalName} from '../signals.ts';
import {UNKNOWN_PID} from '../timeline.ts';
import {type InstanceDraft, isAlive, killerOf, newProcess, type ProcessDraft} from './draft.ts';
import {showThere} from './seen.ts';

const FIRST_SIGNAL = 128;
const LAST_SIGNAL = FIRST_SIGNAL + 64;

/**
 * The programs of supervisors that run whole programs: supervisord, systemd, a platform. Most of their lines name the
 * program alone, so its lives are followed by name; supervisord tells a pid when it starts one, systemd when it kills one.
 */
export class Programs {
  private readonly latest = new Map<string, ProcessDraft>();
  /** By instance: the last line by which compose began to stop its containers. */
  private readonly stopped = new Map<string, {readonly event: LogEvent; readonly index: number}>();
  /** The unit that a snapshot is about: its rows do not name it. */
  private unit: string | null = null;

  /** Takes what a supervisor says of one of its programs; false where the event is nothing of that kind. */
  take(event: LogEvent, instance: InstanceDraft, index: number): boolean {
    const handle = event.meaning.role === 'program' ? this.handlers[event.meaning.kind] : undefined;
    handle?.(event, instance, index);
    return handle !== undefined;
  }

  /** The whole supervisor stops: so does each of its programs. */
  askAll(instance: InstanceDraft, event: LogEvent, index: number): void {
    for (const program of instance.processes) if (program.role === 'program') ask(program, event, index);
  }

  /** Compose names no container when it begins to stop them all. */
  stoppingAll(event: LogEvent, {id, supervisor}: InstanceDraft, index: number): void {
    if (supervisor === 'container') this.stopped.set(id, {event, index});
  }

  private readonly handlers: {
    readonly [kind in EventKind]?: (event: LogEvent, instance: InstanceDraft, index: number) => void;
  } = {
    'process-started': (event, instance, index) => this.started(event, instance, index),
    'program-starting': (event, instance, index) => this.up(event, instance, index),
    'program-up': (event, instance, index) => this.up(event, instance, index),
    'program-stopping': (event, instance, index) => this.stopping(event, instance, index),
    'process-forced': (event, instance, index) => {
      for (const named of this.targetsOf(event, instance)) this.forced(named, instance, index);
    },
    'process-ended': (event, instance, index) => this.ended(event, instance, index),
    'program-down': (event, instance) => this.down(event, instance),
    'signal-passed-on': (event, instance) => this.current(event, instance)?.remarks.push(event),
    'out-of-memory': (event, instance, index) => this.wantsMemory(event, instance, index),
    'program-failed': (event, instance, index) => this.failed(event, instance, index),
    'process-left-over': (event, instance) => this.current(event, instance)?.remarks.push(event),
    snapshot: (event) => {
      this.unit = nameOf(event);
    },
    'program-seen': (event, instance, index) => this.seen(event, instance, index),
    // A reload of the unit is a signal to the program, whose own lines tell what came of it.
    'reload-asked': (event, instance) => this.current(event, instance)?.remarks.push(event),
  };

  private started(event: LogEvent, instance: InstanceDraft, index: number): void {
    const past = this.current(event, instance);
    if (past !== null && isAlive(past)) end(past, event, past.forced === null ? 'lost' : 'forced');
    this.begin(event, instance, index, event.pid ?? UNKNOWN_PID, past);
  }

  /** systemd tells no pid: the unit's main process is known by the unit alone. */
  private up(event: LogEvent, instance: InstanceDraft, index: number): void {
    if (instance.supervisor === 'supervisord') return;
    const past = this.current(event, instance);
    if (past !== null && isAlive(past)) return;
    this.begin(event, instance, index, UNKNOWN_PID, past);
  }

  private begin(event: LogEvent, instance: InstanceDraft, index: number, pid: number, past: ProcessDraft | null): void {
    const process = newProcess(instance, pid, 'program', null, event, index);
    process.program = nameOf(event);
    process.predecessor = past;
    if (past !== null) past.successor = process;
    this.latest.set(keyOf(instance, nameOf(event)), process);
  }

  /** Heroku names the dyno that it kills next; systemd a unit, whose main process it may not be. */
  private wantsMemory(event: LogEvent, instance: InstanceDraft, index: number): void {
    const known = this.current(event, instance);
    const process = known ?? (instance.supervisor === 'heroku' ? this.introduce(event, instance, index, nameOf(event)) : null);
    process?.remarks.push(event);
  }

  /** Heroku names the dyno whose start took too long, and then kills it. */
  private failed(event: LogEvent, instance: InstanceDraft, index: number): void {
    if (instance.supervisor !== 'heroku' || event.meaning.deadline === undefined) return;
    const process = this.current(event, instance) ?? this.introduce(event, instance, index, nameOf(event));
    process.remarks.push(event);
  }

  private stopping(event: LogEvent, instance: InstanceDraft, index: number): void {
    for (const name of namedPrograms(event) ?? [nameOf(event)]) {
      const process = this.latest.get(keyOf(instance, name)) ?? this.introduce(event, instance, index, name);
      ask(process, event, index);
    }
  }

  /** A program that was there before the log began. */
  private introduce(event: LogEvent, instance: InstanceDraft, index: number, name: string): ProcessDraft {
    const process = newProcess(instance, event.pid ?? UNKNOWN_PID, 'program', null, null, index);
    process.program = name;
    this.latest.set(keyOf(instance, name), process);
    return process;
  }

  /** Who names no program means all that have not ended. */
  private targetsOf(event: LogEvent, {processes}: InstanceDraft): readonly LogEvent[] {
    if (nameOf(event) !== '' || event.pid !== null) return [event];
    const left = processes.filter((process) => process.role === 'program' && isAlive(process) && process.asked !== null);
    if (left.length === 0) return [event];
    return left.map(({program}) => ({...event, fields: {...event.fields, program: program ?? ''}}));
  }

  private forced(event: LogEvent, instance: InstanceDraft, index: number): void {
    const main = this.current(event, instance) ?? this.introduce({...event, pid: null}, instance, index, nameOf(event));
    const process = event.pid === null || main.pid === event.pid ? main : this.target(main, event, instance, index);
    process.remarks.push(event);
    if (!isAlive(process)) return;
    // In its last state systemd waits for what the main process has left behind: that one is gone.
    if (isLast(event) && process.forced === null) {
      end(process, event, 'clean');
      return;
    }
    const before = process.forced;
    // systemd and platforms say first that their patience is over, and then whom they kill for it.
    const isAnnounced = before !== null && before.event.pid === null;
    const tries = before === null ? 1 : before.tries + (isAnnounced ? 0 : 1);
    const deadline = this.deadlineOf(event, main);
    process.killedBy = killerOf(instance);
    if (deadline === null) return;
    // Killed in vain, it is killed again: its time was over at the first.
    process.forced = {event: before === null || isAnnounced ? event : before.event, tries, deadline, inferred: false};
    if (event.meaning.cause !== undefined) process.cause = event.meaning.cause;
    // With its first process a container is gone, and no further line says so.
    if (instance.supervisor === 'container') end(process, event, 'forced');
  }

  /**
   * What has run out. systemd says that first, and then whom it kills; where it has not, memory may have run out (OOMPolicy=kill),
   * or a start may have taken too long as well as a stop. What the main process leaves behind it kills without any patience (KillMode=mixed).
   * Heroku words each kill alike; null where the line that tells why is not in the log.
   */
  private deadlineOf({meaning, pid}: LogEvent, main: ProcessDraft): NonNullable<ProcessDraft['forced']>['deadline'] | null {
    const {supervisor} = main.instance;
    if (supervisor === 'heroku' && main.asked === null) {
      if (main.remarks.some(isWant)) return 'memory';
      return main.remarks.find(({meaning}) => meaning.deadline !== undefined)?.meaning.deadline ?? null;
    }
    if (supervisor !== 'systemd' || pid === null) return meaning.deadline ?? 'stop-timeout';
    if (main.forced !== null) return main.forced.deadline;
    if (main.remarks.some(isLast)) return 'stop-timeout';
    if (main.asked === null && main.remarks.some(isWant)) return 'memory';
    return main.end === 'clean' ? 'brutal' : main.asked ? 'stop-timeout' : 'timeout';
  }

  /**
   * Whom a kill with a pid hits. Once its patience with the main process is over, systemd kills that one first, and then
   * everything else in the cgroup (src/core/unit.c, unit_kill_context).
   */
  private target(main: ProcessDraft, event: LogEvent, instance: InstanceDraft, index: number): ProcessDraft {
    const isMain = main.pid === UNKNOWN_PID && isAlive(main) && (instance.supervisor !== 'systemd' || waitsForMain(main));
    if (isMain) {
      main.pid = event.pid ?? UNKNOWN_PID;
      return main;
    }
    const again = instance.processes.find(
      (each) => each.role === 'other' && each.pid === event.pid && each.program === main.program && isAlive(each),
    );
    if (again !== undefined) return again;
    const other = newProcess(instance, event.pid ?? UNKNOWN_PID, 'other', null, null, index);
    other.program = main.program;
    other.asked = main.asked;
    return other;
  }

  private ended(event: LogEvent, instance: InstanceDraft, index: number): void {
    const past = this.current(event, instance);
    // Compose tells of each end of a container, and never of a start.
    const isAnother = past === null || (instance.supervisor === 'container' && !isAlive(past));
    const process = isAnother ? this.introduce(event, instance, index, nameOf(event)) : past;
    if (!isAlive(process)) return;
    const {expected} = event.fields;
    const status = Number(event.fields['status']);
    const signal = event.fields['signal'] ?? (instance.supervisor === 'container' ? signalIn(status) : undefined);
    if (signal !== undefined) process.signal = String(signal);
    const name = process.signal === null ? null : signalName(process.signal);
    const stop = this.stopped.get(instance.id);
    // Of SIGKILL nobody has told yet why: its time may have been over, or memory.
    if (stop !== undefined && name !== null && REQUESTS.has(name)) ask(process, stop.event, stop.index);
    const wasAsked = event.meaning.cause === 'stop' || process.asked !== null;
    if (process.forced !== null || process.killedBy === 'platform') {
      end(process, event, 'forced');
    } else if (name !== null && FAULTS.has(name)) {
      process.cause = 'signal';
      end(process, event, 'crashed');
    } else if (wasAsked && name === 'KILL') {
      process.killedBy = killerOf(instance);
      end(process, event, 'forced');
    } else if (wasAsked && (name === null || REQUESTS.has(name))) {
      end(process, event, 'clean');
    } else if (name !== null) {
      process.cause = 'signal';
      end(process, event, 'killed');
    } else if (expected === true || status === 0) {
      end(process, event, 'clean');
    } else {
      process.cause = 'exit-code';
      end(process, event, 'crashed');
    }
    if (wasAsked && process.cause === 'unknown') process.cause = 'stop';
  }

  /** A snapshot tells its pid, and with it, where that is another one, a life that no line told of. */
  private seen(event: LogEvent, instance: InstanceDraft, index: number): void {
    const name = nameOf(event) || (this.unit ?? '');
    const past = this.latest.get(keyOf(instance, name)) ?? null;
    const hasEnded = event.fields['code'] !== undefined;
    if (event.pid === null || hasEnded) {
      past?.remarks.push(event);
      // Of the life that has just ended, as systemd remembers it.
      if (past !== null && past.pid === UNKNOWN_PID && !isAlive(past)) past.pid = event.pid ?? UNKNOWN_PID;
      return;
    }
    const isSame = past !== null && (past.pid === event.pid || (past.pid === UNKNOWN_PID && isAlive(past)));
    const process = isSame ? past : this.introduce(event, instance, index, name);
    process.pid = event.pid;
    showThere(process, event);
    if (isSame || past === null) return;
    process.predecessor = past;
    past.successor = process;
    if (isAlive(past)) end(past, event, past.forced === null ? 'lost' : 'forced');
  }

  private down(event: LogEvent, instance: InstanceDraft): void {
    const process = this.current(event, instance);
    if (process === null) return;
    if (isAlive(process)) end(process, event, process.forced === null ? 'clean' : 'forced');
    // An exit code that the unit counts as success.
    else if (event.meaning.ending === 'collected' && process.cause === 'exit-code') process.end = 'clean';
  }

  private current(event: LogEvent, instance: InstanceDraft): ProcessDraft | null {
    return this.latest.get(keyOf(instance, nameOf(event))) ?? null;
  }
}

/** A container whose first process a signal ended has the code 128 and the signal's number. */
function signalIn(code: number): number | undefined {
  return code > FIRST_SIGNAL && code <= LAST_SIGNAL ? code - FIRST_SIGNAL : undefined;
}

function waitsForMain({forced}: ProcessDraft): boolean {
  return forced?.event.pid === null && !isLast(forced.event);
}

function isWant({meaning: {kind}}: LogEvent): boolean {
  return kind === 'out-of-memory';
}

function isLast({fields}: LogEvent): boolean {
  return fields['afterMain'] !== undefined;
}

function ask(process: ProcessDraft, event: LogEvent, index: number): void {
  if (!isAlive(process)) return;
  process.asked ??= {told: event, event, again: null, index, acknowledged: false, by: 'stop', reload: null};
}

function end(process: ProcessDraft, event: LogEvent, how: NonNullable<ProcessDraft['end']>): void {
  process.ended = event;
  process.end = how;
}

/** A dyno may be named by the envelope alone, in the place of the program. */
function nameOf({fields, message, stream}: LogEvent): string {
  const ofEnvelope = message.startsWith('heroku/') ? stream?.slice(stream.lastIndexOf('/') + 1) : undefined;
  const name = String(
    fields['program'] ?? fields['unit'] ?? fields['dyno'] ?? fields['name'] ?? fields['description'] ?? ofEnvelope ?? '',
  );
  // The runtime's own log has a container's whole id; what tags the container's lines has its first digits.
  return /^[0-9a-f]{64}$/.test(name) ? name.slice(0, 12) : name;
}

function keyOf({id}: InstanceDraft, name: string): string {
  return `${id} ${name}`;
}
