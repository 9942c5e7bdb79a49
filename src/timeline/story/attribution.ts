/** Whose line it is: most lines name a process by pid or number only, and some name none. */
import type {LogEvent} from '../event.ts';
import {precedes} from '../lookup.ts';
import {UNKNOWN_PID} from '../timeline.ts';
import {end, type InstanceDraft, isAlive, isLeaving, newProcess, type ProcessDraft} from './draft.ts';
import {LOOK_AHEAD, type StoryDraft} from './story-draft.ts';

/** What a worker is told of by its number alone. */
const BY_NUMBER: ReadonlySet<LogEvent['meaning']['kind']> = new Set(['recycle-began', 'process-ended']);

/** The process that an event names by pid or by number; one that the log has not introduced is introduced here. */
export function processOf(story: StoryDraft, event: LogEvent): ProcessDraft | null {
  const {pid, worker} = event;
  const {role = 'other'} = event.meaning;
  const instance = instanceOf(story, event);
  story.source.current = instance;
  if (pid !== null) {
    const known = story.process(pid);
    // The same pid under another number is another process: pids come round again.
    if (known !== null && (worker === null || known.worker === null || known.worker === worker)) {
      if (known.role === 'other') known.role = role;
      if (known.worker === null && worker !== null) {
        known.worker = worker;
        if (isAlive(known)) instance.slots.set(worker, known);
      }
      return known;
    }
    const nameless = known === null && role === 'worker' && worker !== null ? instance.slots.get(worker) : undefined;
    if (nameless !== undefined && nameless.pid === UNKNOWN_PID && nameless.started === null && isAlive(nameless)) {
      nameless.pid = pid;
      story.register(nameless);
      return nameless;
    }
    if (event.meaning.kind === 'process-ended' && role === 'other') return null;
    const process = newProcess(instance, pid, role, worker, null, known === null ? 0 : story.index);
    process.appLoaded = instance.epochs.at(-1)?.loads.findLast((load) => load.pid === pid) ?? null;
    story.register(process);
    if (role === 'worker' && worker !== null) {
      const past = instance.slots.get(worker);
      if (past !== undefined) {
        process.predecessor = past;
        past.successor = process;
        if (isAlive(past)) end(past, event, past.forced === null ? 'lost' : 'forced');
      }
      instance.slots.set(worker, process);
    }
    return process;
  }
  if (worker === null || role !== 'worker') return null;
  const known = instance.slots.get(worker) ?? instance.previousSlots.get(worker) ?? null;
  if (known !== null || !BY_NUMBER.has(event.meaning.kind)) return known;
  // The log begins after this worker did, and tells it by its number alone.
  const process = newProcess(instance, UNKNOWN_PID, role, worker, null, story.index);
  instance.slots.set(worker, process);
  return process;
}

export function instanceOf(story: StoryDraft, event: LogEvent): InstanceDraft {
  const known = story.source.instances;
  if (known.length === 0) {
    const first = story.addInstance(null);
    if (event.meaning.role === 'master') story.nameMaster(first, event.pid);
    else if (isMasters(event)) story.nameMaster(first, story.source.writer);
    return first;
  }
  if (event.pid !== null) {
    const owner = story.process(event.pid)?.instance;
    if (owner !== undefined) return owner;
  }
  const {running} = story.source;
  if (event.pid !== null && event.meaning.role === 'master') {
    const own = story.withMaster(event.pid)[0] ?? running.find(({masterPid}) => masterPid === null);
    // One whose start is not in the log speaks beside those that run.
    if (own !== undefined || (running.length > 0 && isMasters(event))) {
      const master = own ?? story.addInstance(null);
      story.nameMaster(master, event.pid);
      return master;
    }
  }
  const writer = writerIn(story) ?? masterThatSays(story, event);
  if (writer !== null) return writer;
  if (running.length === 1) {
    const only = running[0] as InstanceDraft;
    return event.pid !== null && event.worker !== null && isAnothers(story, only, event) ? story.addInstance(null) : only;
  }
  if (running.length === 0) return story.source.current ?? (known.at(-1) as InstanceDraft);
  const {pid, meaning} = event;
  const headless = pid !== null && meaning.role === 'worker' ? running.filter((instance) => !hasToldAll(instance)) : [];
  return likeliest(story, headless.length > 0 ? headless : running, event);
}

/** The running instance whose process wrote the line that is being read; null where none is known to have. */
export function writerIn(story: StoryDraft): InstanceDraft | null {
  const {writer, running} = story.source;
  if (writer === null) return null;
  const [own] = story.withMaster(writer);
  if (own !== undefined) return own;
  const process = story.process(writer);
  return process !== null && isAlive(process) && running.includes(process.instance) ? process.instance : null;
}

/** Its start is in the log, and so is that of each of its workers. */
function hasToldAll({epochs}: InstanceDraft): boolean {
  return epochs.some(({banner, master}) => banner !== null && master !== null);
}

/** Only a master says that. */
function isMasters({meaning: {kind}}: LogEvent): boolean {
  return kind === 'stop-began' || kind === 'reload-began' || kind === 'stop-ended' || kind === 're-executing';
}

/** A master whose start no line tells, known by the process that wrote its words. */
function masterThatSays(story: StoryDraft, event: LogEvent): InstanceDraft | null {
  const {writer, instances, running} = story.source;
  if (writer === null || !isMasters(event)) return null;
  const known = instances.findLast(({masterPid}) => masterPid === writer) ?? running.find(({masterPid}) => masterPid === null);
  const instance = known ?? story.addInstance(null);
  story.nameMaster(instance, writer);
  return instance;
}

/** A worker of this number is known to be alive and well under another pid: two instances share the log. */
function isAnothers(story: StoryDraft, instance: InstanceDraft, event: LogEvent): boolean {
  const occupant = instance.slots.get(event.worker as number);
  return (
    occupant !== undefined &&
    event.meaning.role === 'worker' &&
    isAlive(occupant) &&
    !isLeaving(occupant) &&
    speaksLater(story, occupant)
  );
}

/** All workers that the log has shown are gone. */
function isEmpty({slots}: InstanceDraft): boolean {
  return [...slots.values()].every((process) => !isAlive(process));
}

/** A deadline is still to strike it. */
function isStruckLater(story: StoryDraft, {pid, instance}: ProcessDraft): boolean {
  for (const next of story.events.slice(story.index + 1, story.index + LOOK_AHEAD)) {
    if (next.pid !== pid || next.stream !== instance.stream) continue;
    return next.meaning.kind === 'process-forced';
  }
  return false;
}

/** Lines that follow name it. */
export function speaksLater(story: StoryDraft, process: ProcessDraft): boolean {
  return story.events.slice(story.index + 1, story.index + LOOK_AHEAD).some(({pid}) => pid === process.pid);
}

/** The instances of which one stops, or reloads, where no line tells which; none where it is known. */
export function rivalsOf(story: StoryDraft, event: LogEvent): readonly InstanceDraft[] {
  const {running} = story.source;
  if (event.pid !== null || running.length < 2 || writerIn(story) !== null) return [];
  const fits = fittingOf(story, running, event);
  if (fits.length < 2 || nextNamed(story, event, fits) !== null) return [];
  return event.meaning.kind === 'stop-began' ? fits : fits.filter((instance) => isSeenBeside(story, instance, fits));
}

/** It has been seen since the last of them began: what was killed and started again has not. */
function isSeenBeside(story: StoryDraft, instance: InstanceDraft, others: readonly InstanceDraft[]): boolean {
  const [last, ...before] = others.flatMap(({epochs}) => epochs[0]?.master ?? []).sort((a, b) => b.place - a.place);
  if (last === undefined || before.length === 0 || instance.epochs[0]?.master === last) return true;
  return [...instance.slots.values()].some(
    (process) => (process.started !== null && precedes(last, process.started)) || story.servesAfter(process, last),
  );
}

function likeliest(story: StoryDraft, running: readonly InstanceDraft[], event: LogEvent): InstanceDraft {
  const fits = fittingOf(story, running, event);
  if (fits.length === 1) return fits[0] as InstanceDraft;
  const among = fits.length > 0 ? fits : running;
  const next = nextNamed(story, event, among);
  if (next !== null) return next;
  return story.source.current !== null && among.includes(story.source.current)
    ? story.source.current
    : (among.at(-1) as InstanceDraft);
}

/** Those of the running instances of which the line can be, by all that it and the lines before it tell. */
function fittingOf(story: StoryDraft, running: readonly InstanceDraft[], event: LogEvent): readonly InstanceDraft[] {
  const {worker} = event;
  const {kind} = event.meaning;
  const buried = kind === 'stop-began' ? buriedAfter(story) : [];
  const outlives = kind === 'stop-began' ? outlivesStop(story) : NOBODY;
  const risen = kind === 're-executing' ? risenAfter(story, story.index) : null;
  if (risen !== null && running.includes(risen)) return [risen];
  const cursed = kind === 'stop-began' || kind === 'stop-ended' ? cursedAfter(story, event) : undefined;
  if (cursed !== undefined && running.includes(cursed)) return [cursed];
  const next = kind === 'process-ended' && worker !== null && event.pid === null ? nextToRise(story) : null;
  const last = next?.slots.get(worker ?? UNKNOWN_PID);
  if (next !== null && last !== undefined && running.includes(next) && isAlive(last) && isLeaving(last)) return [next];
  return running.filter((instance) => {
    if (kind === 'chain-step') return instance.active?.kind === 'chain' || !running.some(({active}) => active?.kind === 'chain');
    if (kind === 'chain-waiting' || kind === 'reload-ended') return instance.active?.kind === 'chain';
    // uWSGI says once that it stops.
    if (kind === 'stop-began' && instance.supervisor === 'uwsgi')
      return (
        instance.active?.kind !== 'stop' &&
        !isBetweenImages(instance) &&
        !outlives.has(instance) &&
        buried.every((number) => instance.slots.has(number))
      );
    if (kind === 'stop-ended')
      return instance.active?.kind === 'stop' && (story.source.supervisor !== 'uwsgi' || isEmpty(instance));
    if (kind === 're-executing') return instance.active !== null && [...instance.slots.values()].every((slot) => !isAlive(slot));
    if (worker === null) return true;
    const occupant = instance.slots.get(worker);
    if (event.pid !== null) return occupant === undefined || !isAlive(occupant) || isLeaving(occupant);
    if (kind !== 'process-ended') return occupant !== undefined && isAlive(occupant);
    // A worker that is named later is still there.
    return occupant !== undefined && isAlive(occupant) && isLeaving(occupant) && !isStruckLater(story, occupant);
  });
}

/** It has said that it replaces its own image and is not back yet: it can say nothing. */
function isBetweenImages({active, epochs}: InstanceDraft): boolean {
  const back = epochs.at(-1)?.master ?? null;
  return active?.reExecuted != null && (back === null || precedes(back, active.reExecuted));
}

/** The master that is the next to come back with a new image, where no other goes before it has. */
function risenAfter(story: StoryDraft, index: number): InstanceDraft | null {
  const {events, source} = story;
  for (const event of events.slice(index + 1, index + LOOK_AHEAD)) {
    const {meaning, pid} = event;
    if (!story.isBeside(event)) continue;
    if (meaning.kind === 're-executing') return null;
    if (meaning.kind === 'master-re-executed') return source.instances.find(({masterPid}) => masterPid === pid) ?? null;
  }
  return null;
}

/** The vassal that its emperor finds gone behind a stop, where no other stop is under way (core/emperor.c). */
function cursedAfter(story: StoryDraft, {meaning}: LogEvent): InstanceDraft | undefined {
  const {events, index, source} = story;
  let isOver = meaning.kind === 'stop-ended';
  for (const next of events.slice(index + 1, index + LOOK_AHEAD)) {
    if (!story.isBeside(next)) continue;
    if (next.meaning.kind === 'vassal' && next.meaning.ending === 'died')
      return isOver ? source.instances.find(({masterPid}) => masterPid === next.pid) : undefined;
    if (next.meaning.kind === 'stop-began' || (isOver && next.meaning.kind === 'stop-ended')) return undefined;
    isOver ||= next.meaning.kind === 'stop-ended';
  }
  return undefined;
}

/** The master that replaces its image next: only once it has buried all of its workers. */
function nextToRise(story: StoryDraft): InstanceDraft | null {
  const {events, index} = story;
  for (let n = index + 1; n < Math.min(events.length, index + LOOK_AHEAD); n++) {
    const next = events[n] as LogEvent;
    const {meaning} = next;
    if (!story.isBeside(next)) continue;
    if (meaning.kind === 'stop-ended' || meaning.kind === 'master-re-executed') return null;
    if (meaning.kind === 're-executing') return risenAfter(story, n);
  }
  return null;
}

const NOBODY: ReadonlySet<InstanceDraft> = new Set();

/** Instances that go on when the stop that begins here, the only one that is under way, has come to its end: a master speaks, or a worker serves. */
function outlivesStop(story: StoryDraft): ReadonlySet<InstanceDraft> {
  const {events, index, source} = story;
  const outlives = new Set<InstanceDraft>();
  let over: LogEvent | null = null;
  for (const event of events.slice(index + 1, index + LOOK_AHEAD)) {
    const {meaning, pid} = event;
    if (!story.isBeside(event)) continue;
    if (meaning.kind === 'stop-began') return over === null ? NOBODY : outlives;
    if (meaning.kind === 'stop-ended' && over !== null) return NOBODY;
    if (meaning.kind === 'stop-ended') {
      over = event;
      for (const instance of source.running) {
        const isServing = [...instance.slots.values()].some((process) => isAlive(process) && story.servesAfter(process, event));
        if (isServing) outlives.add(instance);
      }
    }
    const owner = over !== null && pid !== null && NAMING.includes(meaning.kind) ? story.process(pid)?.instance : undefined;
    if (owner !== undefined) outlives.add(owner);
  }
  return outlives;
}

/** The numbers of the workers that are buried between a stop and the next line of a master as a whole. */
function buriedAfter(story: StoryDraft): number[] {
  const {events, index} = story;
  const numbers: number[] = [];
  for (const event of events.slice(index + 1, index + LOOK_AHEAD)) {
    const {meaning, worker, pid} = event;
    if (!story.isBeside(event)) continue;
    if (['stop-began', 'stop-ended', 'reload-began', 're-executing'].includes(meaning.kind)) break;
    if (meaning.kind === 'process-ended' && meaning.role === 'worker' && pid === null && worker !== null) numbers.push(worker);
  }
  return numbers;
}

/** Whether something that tells this worker to leave can begin: not where a reload under way has told it. A chain tells one at a time, and says whom. */
function canBeginNow({instance: {active}, asked}: ProcessDraft): boolean {
  return !active?.isUnderWay || (active.kind === 'chain' && asked === null);
}

const NAMING: readonly LogEvent['meaning']['kind'][] = ['process-asked', 'process-forced', 'process-ended'];

/** Lines without a process are followed by lines with one: "...gracefully killing workers..." by who was told. */
function nextNamed(story: StoryDraft, event: LogEvent, among: readonly InstanceDraft[]): InstanceDraft | null {
  if (!['reload-asked', 'reload-began', 'stop-began', 'chain-step'].includes(event.meaning.kind)) return null;
  // At a stop at once no worker says that it was told, but for gevent's and in words of their own: who does belongs to something else.
  const isAtOnce = event.meaning.kind === 'stop-began' && event.meaning.atOnce === true;
  for (const next of story.events.slice(story.index + 1, story.index + LOOK_AHEAD)) {
    if (!story.isBeside(next)) continue;
    // What is told of others after a stop's end does not tell whose it was.
    if (event.meaning.kind === 'stop-began' && next.meaning.kind === 'stop-ended') return null;
    const isOthers = isAtOnce && next.meaning.kind === 'process-asked' && !next.meaning.atOnce;
    if (!NAMING.includes(next.meaning.kind) || isOthers || next.pid === null) continue;
    if (event.meaning.kind === 'chain-step' && next.worker !== event.worker) continue;
    const named = story.process(next.pid);
    // Of a gateway or a mule nothing tells whose it is: each server has its first one.
    if (named?.isGuessed && named.role !== 'worker') continue;
    if (named !== null && among.includes(named.instance) && canBeginNow(named)) return named.instance;
  }
  return null;
}
