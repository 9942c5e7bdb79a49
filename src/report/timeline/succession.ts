import type {Crew} from '../../measures/crew.ts';
import {precedes} from '../../timeline/lookup.ts';
import type {Duration, Instant} from '../../timeline/time.ts';
import type {Process, Reload} from '../../timeline/timeline.ts';

/** One worker's part in a reload: who left, who came. */
export interface Change {
  readonly worker: number | null;
  readonly old: Process | null;
  readonly next: Process | null;
  readonly wait: Duration;
  /** When this worker was told; null where it was gone already. */
  readonly told: Instant | null;
}

/** The processes behind a reload's pids. Pids come round again: the right one took part in this reload. */
export function successionOf(reload: Reload, {byPid}: Crew): readonly Change[] {
  return reload.workers.map(({worker, oldPid, newPid, wait}): Change => {
    const former = oldPid === null ? [] : (byPid.get(oldPid) ?? []);
    const old =
      former.find(({asked}) => asked?.reload === reload.id) ?? former.find((process) => process.worker === worker) ?? null;
    const later = newPid === null ? [] : (byPid.get(newPid) ?? []);
    const next = later.find(({started}) => started !== null && !precedes(started, reload.began)) ?? later[0] ?? null;
    return {worker, old, next, wait, told: old?.asked?.reload === reload.id ? old.asked.at : null};
  });
}
