/** Kills for want of memory, as the kernel or systemd tells them, and the processes of the log that they hit. */
import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {between, type Instant} from '../timeline/time.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';

/** Seconds between the kernel's line and the supervisor's of one death, where no pid ties them. */
const NEAR = 5;

export interface Victim {
  readonly instance: Instance;
  readonly process: Process;
  /** By the pid; without it the name and the time fit, as for a container, whose pids are not those of the host. */
  readonly isNamed: boolean;
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
    const isNamed = named.length > 0;
    const victims = isNamed
      ? named
      : signalled.filter(
          ({instance, process}) => isNear(process.endedAt, first.at) && (name === null || name.startsWith(instance.supervisor)),
        );
    return {lines, name, victims: victims.map((victim) => ({...victim, isNamed}))};
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

/** Where a time is missing on either side nothing speaks for it. */
function isNear(a: Instant, b: Instant): boolean {
  const [ahead, behind] = [between(a, b).max, between(b, a).max];
  return ahead !== null && behind !== null && Math.max(ahead, behind) <= NEAR;
}
