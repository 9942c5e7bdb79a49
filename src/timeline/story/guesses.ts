/** Which of several masters a new worker belongs to where the log does not prove it, and what corrects the guess. */
import type {LogEvent} from '../event.ts';
import {precedes} from '../lookup.ts';
import {instanceOf, speaksLater} from './attribution.ts';
import {type InstanceDraft, isAlive, isLeaving, type ProcessDraft, workersThere} from './draft.ts';
import {LOOK_AHEAD, type StoryDraft} from './story-draft.ts';

/** A new process belongs where its number is free. */
export function instanceOfStart(story: StoryDraft, event: LogEvent): {instance: InstanceDraft; isGuessed: boolean} {
  const {running} = story.source;
  const {worker} = event;
  if (running.length === 0) return {instance: instanceOf(story, event), isGuessed: false};
  const isUnnumbered = worker === null && event.meaning.role === 'worker';
  const filling = isUnnumbered ? (refilling(story) ?? stillFilling(running)) : undefined;
  if (filling !== undefined) return {instance: filling, isGuessed: false};
  const owners = story.owners.get(event);
  const [owner] = owners?.size === 1 ? owners : [];
  const [only, ...others] = owner === undefined ? [] : story.withMaster(owner);
  if (only !== undefined && others.length === 0) return {instance: only, isGuessed: false};
  const proved = owners === undefined ? [] : running.filter(({masterPid}) => masterPid !== null && owners.has(masterPid));
  const free = running.filter((instance) => {
    if (isUnnumbered) return instance.active?.kind !== 'stop';
    if (worker === null || event.meaning.role !== 'worker') return true;
    const occupant = instance.slots.get(worker);
    return occupant === undefined ? event.meaning.respawned !== true : !isAlive(occupant) || isLeaving(occupant);
  });
  const able = free.filter((instance) => proved.length === 0 || proved.includes(instance));
  const among = [able, proved, free, running].find(({length}) => length > 0) as readonly InstanceDraft[];
  const isCurrent = story.source.current !== null && among.includes(story.source.current);
  // Two that start at the same time: even a number that is free in one only may be so by an earlier guess.
  const isGuessed = event.meaning.respawned === true ? among.length > 1 : running.length > 1;
  return {instance: isCurrent ? (story.source.current as InstanceDraft) : (among.at(-1) as InstanceDraft), isGuessed};
}

/** gunicorn's arbiter starts the new generation of a HUP at once, before anybody else comes to speak (gunicorn/arbiter.py, reload). */
function refilling({source, events, index}: StoryDraft): InstanceDraft | undefined {
  const {current} = source;
  if (current?.supervisor !== 'gunicorn' || current.active?.kind !== 'hup') return undefined;
  const {entries, began} = current.active;
  const count = (side: 'old' | 'next') => entries.filter((entry) => entry[side] !== null).length;
  if (count('next') < count('old')) return current;
  const since = events.slice(Math.max(0, index - LOOK_AHEAD), index).filter((event) => precedes(began, event));
  return since.every(({meaning, pid}) => meaning.kind === 'process-started' || pid === current.masterPid) ? current : undefined;
}

/**
 * An arbiter that USR2 has started and that has not as many workers yet as the one before it had: it starts them all at once, and
 * the other starts one only where one has gone.
 */
function stillFilling(running: readonly InstanceDraft[]): InstanceDraft | undefined {
  return running.find((instance) => {
    const {predecessor, epochs} = instance;
    const begin = epochs[0]?.master ?? null;
    if (predecessor === null || begin === null || !running.includes(predecessor)) return false;
    const before = predecessor.processes.filter(
      ({role, started, ended}) =>
        role === 'worker' && (started === null || precedes(started, begin)) && (ended === null || precedes(begin, ended)),
    );
    return instance.processes.filter(({role}) => role === 'worker').length < before.length;
  });
}

/**
 * A worker that belongs to another instance by guess takes part in a reload of this one: the guess was
 * wrong, and the worker of the same number here is the other's.
 */
export function correctGuess(story: StoryDraft, process: ProcessDraft): void {
  const {worker, instance: wrong} = process;
  if (!process.isGuessed || worker === null || wrong.active !== null) return;
  const right = story.source.instances.find((instance) => {
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

/** A master that says goodbye has no worker left: of whom a later line tells, he was guessed to be its own, and is the other's that goes on. */
export function giveBack(story: StoryDraft, instance: InstanceDraft): void {
  const [other, ...others] = story.source.running.filter((running) => running !== instance);
  if (other === undefined || others.length > 0) return;
  for (const process of workersThere(instance)) {
    const {worker, asked, forced} = process;
    const occupant = worker === null ? undefined : other.slots.get(worker);
    if (!process.isGuessed || forced !== null || (occupant !== undefined && isAlive(occupant)) || !speaksLater(story, process))
      continue;
    exchange(process, other);
    process.asked = null;
    const entry = instance.active?.entries.findIndex(({old}) => old === process) ?? -1;
    if (entry >= 0) instance.active?.entries.splice(entry, 1);
    if (asked === null || !asked.acknowledged || other.active === null) continue;
    other.active.entries.push({worker, old: process, next: null, told: null, passed: null});
    const by = other.active.kind === 'stop' ? 'stop' : 'reload';
    process.asked = {...asked, told: asked.event, by, reload: other.active};
  }
}

function exchange(process: ProcessDraft, to: InstanceDraft): void {
  const {appLoaded: load} = process;
  for (const {loads} of load === null ? [] : process.instance.epochs) {
    const at = loads.lastIndexOf(load as LogEvent);
    if (at >= 0) to.epochs.at(-1)?.loads.push(...loads.splice(at, 1));
  }
  process.instance.oldest = 0;
  process.instance.processes.splice(process.instance.processes.indexOf(process), 1);
  process.instance = to;
  process.isGuessed = false;
  to.processes.push(process);
  if (process.worker !== null) to.slots.set(process.worker, process);
}
