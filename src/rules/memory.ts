/** Kills for want of memory, as the kernel or systemd tells them, and the processes of the log that they hit. */

import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {oncePer} from '../timeline/once.ts';
import {between, type Instant} from '../timeline/time.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';

/** Bytes of a page where no line tells: x86, and most of ARM. */
const PAGE = 4096;

/** Seconds between the kernel's line and the supervisor's of one death, where no pid ties them. */
const NEAR = 5;
/** Lines from the first to the last that the kernel writes about one kill, and from the first of its table to the kill. */
const [ONE_KILL, ONE_TABLE] = [10, 2000];
/** Seconds: the clocks of two zones differ by a multiple of this. */
const ZONE_STEP = 15 * 60;

/**
 * What ties a process to a kill. `time`: only that and the name, as for a container, whose pids are not those of the host.
 * `pid`: that and the name; the clocks of the two logs cannot be compared.
 */
export type Tie = 'pid-and-time' | 'pid' | 'time';

export interface Victim {
  readonly instance: Instance;
  readonly process: Process;
  readonly tie: Tie;
}

/** One row of the table that the kernel writes before it kills. */
export interface Holder {
  readonly row: LogEvent;
  readonly name: string;
  readonly pid: number | null;
  readonly mebibytes: number;
}

export interface MemoryKill {
  /** Every line about it: up to three of the kernel with one pid, and systemd's about its unit. */
  readonly lines: readonly [LogEvent, ...LogEvent[]];
  /** The kernel's name of the process; null where only a unit is named. */
  readonly name: string | null;
  readonly victims: readonly Victim[];
  /** Who held memory at that moment, the most first: of the cgroup whose limit was reached, or of the whole machine. */
  readonly holders: readonly Holder[];
  /** The limit of the cgroup in MiB, and the line that tells it. */
  readonly limit: {readonly line: LogEvent; readonly mebibytes: number} | null;
}

export const memoryKillsIn = oncePer((timeline: Timeline): readonly MemoryKill[] => {
  // A program of an outer supervisor and the master of its own log are one process.
  const processes = timeline.instances.flatMap((instance) =>
    instance.processes.filter(({role}) => role !== 'master' || instance.runsAs === null).map((process) => ({instance, process})),
  );
  const signalled = processes.filter(
    ({process: {end, ended, signal}}) => ended !== null && end === 'killed' && (signal === '9' || signal === 'SIGKILL'),
  );
  const owned = groupBy(processes, ({process}) => process.ownedBy);
  const counted = timeline.events.filter(({meaning}) => meaning.kind === 'memory-held' || meaning.kind === 'out-of-memory');
  const kills = episodes(timeline.events).map((lines): MemoryKill => {
    const [first] = lines;
    const name = lines.flatMap(({fields}) => (fields.process === undefined ? [] : [String(fields.process)]))[0] ?? null;
    const named = lines.flatMap((line) => owned.get(line) ?? []);
    const likely = signalled.filter(({instance}) => name === null || name.startsWith(instance.supervisor));
    const tied = (tie: Tie, some: typeof processes) => some.map((victim): Victim => ({...victim, tie}));
    const victims = [
      tied('pid-and-time', named),
      tied(
        'time',
        likely.filter(({process}) => isNear(process.endedAt, first.at)),
      ),
      tied(
        'pid',
        likely.filter(({process}) => process.pid === first.pid && isOnOtherClock(process, first)),
      ),
    ].find((some) => some.length > 0);
    return {lines, name, victims: victims ?? [], ...countBefore(counted, lines)};
  });
  return kills;
});

/** What the kernel counted right before this kill; nothing before the second of several kills for one want. */
function countBefore(events: readonly LogEvent[], lines: MemoryKill['lines']): Pick<MemoryKill, 'holders' | 'limit'> {
  const [first] = lines;
  const rows: LogEvent[] = [];
  for (let n = events.indexOf(first) - 1; n >= 0; n--) {
    const event = events[n] as LogEvent;
    // systemd speaks of its unit before or after the kernel does.
    if (event.meaning.kind === 'out-of-memory' && event.message.startsWith('kernel/')) break;
    if (event.meaning.kind === 'memory-held' && isBeside(event, first, ONE_TABLE)) rows.unshift(event);
  }
  const line = rows.findLast(({fields}) => fields.most !== undefined) ?? null;
  const table = rows.filter(({fields}) => fields.held !== undefined);
  const page = pageOf(table, lines);
  return {
    limit: line && {line, mebibytes: Math.round(Number(line.fields.most) / 1024)},
    holders: table
      .map((row) => ({
        row,
        name: String(row.fields.process ?? ''),
        pid: row.pid,
        mebibytes: Math.round((Number(row.fields.held) * page) / 2 ** 20),
      }))
      .sort((a, b) => b.mebibytes - a.mebibytes),
  };
}

/** The victim's size is told in pages and in kilobytes. */
function pageOf(table: readonly LogEvent[], lines: MemoryKill['lines']): number {
  const kilobytes = lines.map(({fields}) => Number(fields.total)).find((total) => total > 0);
  const pages = Number(table.find(({pid}) => pid === lines[0].pid)?.fields.size);
  const page = kilobytes === undefined || !(pages > 0) ? PAGE : (kilobytes * 1024) / pages;
  return page >= 2 ** 12 && page <= 2 ** 16 ? page : PAGE;
}

/** Lines with one pid tell of one kill; a line without a pid belongs to the kill right before it. */
function episodes(events: readonly LogEvent[]): [LogEvent, ...LogEvent[]][] {
  const found: [LogEvent, ...LogEvent[]][] = [];
  const latestOf = new Map<number, [LogEvent, ...LogEvent[]]>();
  for (const event of events) {
    if (event.meaning.kind !== 'out-of-memory') continue;
    const before = event.pid === null ? found.at(-1) : latestOf.get(event.pid);
    if (before !== undefined && isBeside(before[0], event, ONE_KILL)) {
      before.push(event);
      continue;
    }
    const lines: [LogEvent, ...LogEvent[]] = [event];
    found.push(lines);
    if (event.pid !== null) latestOf.set(event.pid, lines);
  }
  return found;
}

/** It ended in another log, so many quarters of an hour away. */
function isOnOtherClock({ended, endedAt}: Process, kill: LogEvent): boolean {
  if (ended === null || ended.input === kill.input) return false;
  const apart = Math.max(between(endedAt, kill.at).min, between(kill.at, endedAt).min) % ZONE_STEP;
  return Math.min(apart, ZONE_STEP - apart) <= NEAR;
}

/** In the same moment; in a log without times (dmesg), so many lines apart at most. */
function isBeside(a: LogEvent, b: LogEvent, lines: number): boolean {
  const isTimeless = a.at.earliest === null && a.at.latest === null && b.at.earliest === null && b.at.latest === null;
  return isTimeless ? a.input === b.input && Math.abs(a.line - b.line) <= lines : isNear(a.at, b.at);
}

/** Where a time is missing on either side nothing speaks for it. */
function isNear(a: Instant, b: Instant): boolean {
  const [ahead, behind] = [between(a, b).max, between(b, a).max];
  return ahead !== null && behind !== null && Math.max(ahead, behind) <= NEAR;
}
