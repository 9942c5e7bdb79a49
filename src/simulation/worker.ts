import type {Duration} from '../timeline/time.ts';
import type {Process} from '../timeline/timeline.ts';

export interface Change {
  readonly now: Duration;
  readonly after: Duration;
}

export interface Kills {
  readonly now: number;
  readonly after: {readonly min: number; readonly max: number};
}

/** A worker that was to leave, as it was and as it would have been. */
export interface SimulatedWorker {
  readonly process: Process;
  readonly wait: Change;
  readonly kills: Kills;
}

/** The worker under another setting: how long it would have been waited for, and whether it would have been killed. */
export function changed(worker: SimulatedWorker, wait: Duration, kills: Kills['after'] = worker.kills.after): SimulatedWorker {
  return {process: worker.process, wait: {now: worker.wait.now, after: wait}, kills: {now: worker.kills.now, after: kills}};
}
