import {greatest, least} from '../../extremes.ts';
import type {LogEvent} from '../../timeline/event.ts';
import {precedes} from '../../timeline/lookup.ts';
import {between, type Duration, type Instant} from '../../timeline/time.ts';
import type {Instance, Process, Reload} from '../../timeline/timeline.ts';
import type {Change} from './succession.ts';

/**
 * What a stretch of a reload's critical path was spent on. `mercy`: waiting for a worker that was killed in the end; `leaving`: for
 * one that left by itself; `restart`: from the old process to the new one, or to the new generation; `load`: its application, up to
 * where the reload went on; `end`: from the last process to the end of a stop.
 */
type Spending = 'mercy' | 'leaving' | 'restart' | 'load' | 'end';

export interface Phase {
  readonly spent: Spending;
  readonly duration: Duration;
  /** False where it still lasts when the log ends. */
  readonly isOver: boolean;
  /** The line that ends it; null where the log has none. */
  readonly until: LogEvent | null;
}

/** One link of the critical path: a chain reload has one for each worker, others have one for all. */
export interface Link {
  readonly worker: number | null;
  /** The worker that was waited for. */
  readonly process: Process | null;
  readonly duration: Duration;
  readonly phases: readonly Phase[];
}

/** What one way of spending adds up to over all links. */
export interface Account {
  readonly spent: 'mercy' | 'leaving' | 'start' | 'end';
  /** False where the last of them still lasts when the log ends. */
  readonly isOver: boolean;
  /** Of how many links. */
  readonly count: number;
  /** The shortest and the longest of them. */
  readonly each: Duration;
  readonly sum: Duration;
  /** Of the whole, from 0 to 1; null where the reload has no end. */
  readonly share: Duration | null;
}

/** Where the seconds of a reload went. */
export interface Path {
  readonly total: Duration;
  readonly links: readonly Link[];
  /** In the order in which they come up. */
  readonly accounts: readonly Account[];
  /** Workers of the same reload that nobody had to wait for any longer, and how long they took. */
  readonly others: {readonly count: number; readonly wait: Duration} | null;
  /** What the new generation still loaded after the reload counted as done. */
  readonly after: Duration | null;
}

/** @param logEnd the last instant that the log tells */
export function pathOf(reload: Reload, instance: Instance, changes: readonly Change[], logEnd: number | null): Path | null {
  const isChain = reload.kind === 'chain';
  const links = isChain ? chained(reload, changes, {earliest: logEnd, latest: null}) : together(reload, instance, changes);
  if (links.length === 0) return null;
  return {
    total: reload.duration,
    links,
    accounts: accountsOf(links, reload),
    others: isChain ? null : othersOf(changes, links[0]?.process ?? null),
    after: isChain ? null : loadedAfter(reload, changes),
  };
}

/** One worker after the other: each link begins where the one before it ends. */
function chained(reload: Reload, changes: readonly Change[], logEnd: Instant): readonly Link[] {
  const begins = changes.map(({old, told}, n) => (n === 0 ? reload.startedAt : (told ?? old?.endedAt ?? null)));
  return changes.map((change, n): Link => {
    const {worker, old, next} = change;
    const from = begins[n] ?? UNKNOWN;
    const isLast = n === changes.length - 1;
    const passed = isLast ? reload.endedAt : (begins[n + 1] ?? null);
    const gone = goneAt(old);
    const phases: Phase[] = [];
    const phase = (spent: Spending, since: Instant, to: Instant | null, until: LogEvent | null) =>
      phases.push({spent, duration: between(since, to ?? logEnd), isOver: to !== null, until});
    if (old !== null) phases.push(waitFor(old, from, gone));
    const left = gone ?? (old === null ? from : null);
    if (left !== null && next !== null) {
      phase('restart', left, next.startedAt, next.started);
      phase('load', next.startedAt, passed, next.appLoaded);
    } else if (left !== null) phase('restart', left, passed, null);
    const duration = passed === null ? sumOf(phases.map((phase) => phase.duration)) : between(from, passed);
    return {worker, process: old, duration, phases};
  });
}

/** All workers at once: the path leads over the last one to leave. */
function together(reload: Reload, instance: Instance, changes: readonly Change[]): readonly Link[] {
  const {startedAt, endedAt, kind} = reload;
  const last = lastToLeave(changes);
  if (last === null) return [];
  const gone = goneAt(last);
  const phases: Phase[] = [waitFor(last, startedAt, gone)];
  if (gone === null || endedAt === null) return [{worker: last.worker, process: last, duration: reload.duration, phases}];
  const rest = between(gone, endedAt);
  const load = kind === 'stop' ? null : loadBefore(reload, instance);
  if (kind === 'stop') phases.push({spent: 'end', duration: rest, isOver: true, until: reload.ended});
  else if (load === null) phases.push({spent: 'restart', duration: rest, isOver: true, until: reload.ended});
  else {
    const max = rest.max === null ? load.duration.max : Math.min(load.duration.max ?? rest.max, rest.max);
    const loading = {min: Math.min(load.duration.min, max ?? load.duration.min), max};
    phases.push({spent: 'restart', duration: without(rest, loading), isOver: true, until: reload.reExecuted});
    phases.push({spent: 'load', duration: loading, isOver: true, until: load.event});
  }
  return [{worker: last.worker, process: last, duration: reload.duration, phases}];
}

const UNKNOWN: Instant = {earliest: null, latest: null};

function waitFor(process: Process, from: Instant, gone: Instant | null): Phase {
  const {asked, forced, ended} = process;
  const spent = forced === null ? 'leaving' : 'mercy';
  const wait = asked?.wait ?? {min: 0, max: null};
  if (gone === null) return {spent, duration: wait, isOver: false, until: null};
  const lines = between(from, gone);
  // The mercy may tell more of the wait than the two lines do.
  const min = forced === null || (lines.max !== null && wait.min > lines.max) ? lines.min : Math.max(lines.min, wait.min);
  return {spent, duration: {min, max: lines.max}, isOver: true, until: forced?.event ?? ended};
}

/** A kill ends the waiting; its being noticed belongs to the restart. Null: it has not left. */
function goneAt(process: Process | null): Instant | null {
  if (process === null) return null;
  if (process.forced !== null) return process.forced.at;
  return process.ended === null ? null : process.endedAt;
}

/** Who is still there longest; among those that went at the same time, one that had to be killed. */
function lastToLeave(changes: readonly Change[]): Process | null {
  let last: Process | null = null;
  for (const {old} of changes) {
    if (old === null) continue;
    if (last === null || compare(old, last) > 0) last = old;
  }
  return last;
}

function compare(a: Process, b: Process): number {
  const [goneA, goneB] = [goneAt(a), goneAt(b)];
  if (goneA === null || goneB === null) return Number(goneA === null) - Number(goneB === null);
  const violent = Number(a.forced !== null) - Number(b.forced !== null);
  const latest = (goneA.latest ?? 0) - (goneB.latest ?? 0);
  const earliest = (goneA.earliest ?? 0) - (goneB.earliest ?? 0);
  // A kill is stamped; who left by itself is known from its line only, which may be later than the truth.
  return violent !== 0 && (a.forced !== null ? goneA : goneB).latest === null ? violent : earliest || latest || violent;
}

/** The new master loads the application before it forks: it says how long that took, in whole seconds. */
function loadBefore(
  {reExecuted, ended}: Reload,
  {epochs}: Instance,
): {readonly duration: Duration; readonly event: LogEvent} | null {
  if (reExecuted === null || ended === null) return null;
  const loads = epochs
    .filter(({master}) => master !== null && !precedes(master, reExecuted) && !precedes(ended, master))
    .flatMap(({appLoads}) => appLoads.filter(({inWorker, seconds}) => inWorker === false && seconds !== null));
  const [first] = loads;
  if (first === undefined) return null;
  const seconds = loads.reduce((sum, load) => sum + (load.seconds ?? 0), 0);
  return {duration: {min: seconds, max: seconds + loads.length}, event: first.event};
}

function loadedAfter({endedAt}: Reload, changes: readonly Change[]): Duration | null {
  const ready = changes.flatMap(({next}) => next?.appLoaded?.at ?? []);
  if (endedAt === null || ready.length === 0) return null;
  const all = ready.map((at) => between(endedAt, at));
  return {min: greatest(all.map(({min}) => min)), max: longest(all)};
}

function othersOf(changes: readonly Change[], last: Process | null): Path['others'] {
  const waits = changes.flatMap(({old, wait}) => (old === null || old === last ? [] : [wait]));
  return waits.length === 0 ? null : {count: waits.length, wait: hull(waits)};
}

function accountsOf(links: readonly Link[], {duration, outcome}: Reload): readonly Account[] {
  const parts = links.flatMap(({phases, duration: whole}) => {
    const waits = phases.filter(({spent}) => spent === 'mercy' || spent === 'leaving' || spent === 'end');
    const starts = phases.filter(({spent}) => spent === 'restart' || spent === 'load');
    const parts = waits.map((phase) => ({
      spent: phase.spent as Account['spent'],
      duration: phase.duration,
      isOver: phase.isOver,
    }));
    if (starts.length === 0) return parts;
    // The two ends of the whole may be known better than the seam in the middle of it.
    const rest = without(whole, sumOf(waits.map((phase) => phase.duration)));
    const duration = tighter(sumOf(starts.map((phase) => phase.duration)), rest);
    return [...parts, {spent: 'start' as const, duration, isOver: starts.every(({isOver}) => isOver)}];
  });
  const kinds = (['mercy', 'leaving', 'start', 'end'] as const).filter((kind) => parts.some(({spent}) => spent === kind));
  const sums = kinds.map((spent) => {
    const own = parts.filter((part) => part.spent === spent);
    const durations = own.map((part) => part.duration);
    return {spent, isOver: own.every(({isOver}) => isOver), count: own.length, each: hull(durations), sum: sumOf(durations)};
  });
  return sums.map((account): Account => {
    const rest = sumOf(sums.filter((other) => other !== account).map(({sum}) => sum));
    return {...account, share: outcome === 'completed' && duration.max !== null ? shareOf(account.sum, rest) : null};
  });
}

function shareOf(part: Duration, rest: Duration): Duration | null {
  if (part.max === null || rest.max === null || part.max + rest.max === 0) return null;
  const of = (some: number, other: number) => (some + other === 0 ? 0 : some / (some + other));
  return {min: of(part.min, rest.max), max: of(part.max, rest.min)};
}

function without(whole: Duration, part: Duration): Duration {
  const min = part.max === null ? 0 : Math.max(0, whole.min - part.max);
  return {min, max: whole.max === null ? null : Math.max(min, whole.max - part.min)};
}

/** What both say; where they contradict each other, what the first says. */
function tighter(first: Duration, second: Duration): Duration {
  const min = Math.max(first.min, second.min);
  const max = first.max === null ? second.max : second.max === null ? first.max : Math.min(first.max, second.max);
  return max !== null && max < min ? first : {min, max};
}

function sumOf(durations: readonly Duration[]): Duration {
  const isOpen = durations.some(({max}) => max === null);
  return {
    min: durations.reduce((sum, {min}) => sum + min, 0),
    max: isOpen ? null : durations.reduce((sum, {max}) => sum + (max ?? 0), 0),
  };
}

function hull(durations: readonly Duration[]): Duration {
  return {min: least(durations.map(({min}) => min)), max: longest(durations)};
}

function longest(durations: readonly Duration[]): number | null {
  return durations.some(({max}) => max === null) ? null : greatest(durations.map(({max}) => max ?? 0));
}
