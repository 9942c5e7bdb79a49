/** Kills for want of memory, as the kernel or systemd tells them, and the processes of the log that they hit. */
import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {between, type Instant} from '../timeline/time.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';

/** Seconds between the kernel's line and the supervisor's of one death, where no pid ties them. */
const NEAR = 5;
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

export interface MemoryKill {
  /** Every line about it: up to three of the kernel with one pid, and systemd's about its unit. */
  readonly lines: readonly [LogEvent, ...LogEvent[]];
  /** The kernel's name of the process; null where only a unit is named. */
  readonly name: string | null;
  readonly victims: readonly Victim[];
}

const known = new WeakMap<Timeline, readonly MemoryKill[]>();

export function memoryKillsIn(timeline: Timeline): readonly MemoryKill[] {
  const before = known.get(timeline);
  if (before) return before;
  // A program of an outer supervisor and the master of its own log are one process.
  const processes = timeline.instances.flatMap((instance) =>
    instance.processes.filter(({role}) => role !== 'master' || instance.runsAs === null).map((process) => ({instance, process})),
  );
  const signalled = processes.filter(
    ({process: {end, ended, signal}}) => ended !== null && end === 'killed' && (signal === '9' || signal === 'SIGKILL'),
  );
  const owned = groupBy(processes, ({process}) => process.ownedBy);
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
    return {lines, name, victims: victims ?? []};
  });
  known.set(timeline, kills);
  return kills;
}

/** Lines with one pid tell of one kill; a line without a pid belongs to the kill right before it. */
function episodes(events: readonly LogEvent[]): [LogEvent, ...LogEvent[]][] {
  const found: [LogEvent, ...LogEvent[]][] = [];
  const latestOf = new Map<number, [LogEvent, ...LogEvent[]]>();
  for (const event of events) {
    if (event.meaning.kind !== 'out-of-memory') continue;
    const before = event.pid === null ? found.at(-1) : latestOf.get(event.pid);
    if (before !== undefined && isNear(before[0].at, event.at)) {
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

/** Where a time is missing on either side nothing speaks for it. */
function isNear(a: Instant, b: Instant): boolean {
  const [ahead, behind] = [between(a, b).max, between(b, a).max];
  return ahead !== null && behind !== null && Math.max(ahead, behind) <= NEAR;
}
