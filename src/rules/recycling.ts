/** Workers that leave by themselves, to be replaced: after so many requests, so much time or memory. */
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {forcedWorkers} from './forced-workers.ts';

export const REASONS = {
  'max-requests': 'max-requests (so many requests)',
  'max-lifetime': 'max-worker-lifetime (so much time)',
  rss: 'a limit on memory',
  unknown: 'max-requests or a limit on memory (this version does not say which)',
} as const;

export function reasonOf(process: Process): string {
  return REASONS[process.cause as keyof typeof REASONS] ?? REASONS.unknown;
}

/** By a limit of their own: changed code is meant for all at once. */
export function recycled(instance: Instance): Process[] {
  return instance.processes.filter(
    ({role, asked}) => role === 'worker' && asked?.by === 'itself' && asked.event.meaning.cause !== 'reload',
  );
}

/** Killed while they were recycling; `proved` where each said so itself. */
export function killedWhileRecycling(timeline: Timeline, instance: Instance): {process: Process; proved: boolean}[] {
  return forcedWorkers(timeline).filter((worker) => worker.instance === instance && worker.verdict === 'recycle');
}

/** max-worker-lifetime alone has no deadline: such a worker is never killed. */
export function hasDeadline(process: Process): boolean {
  return process.asked?.event.meaning.cause !== 'max-lifetime';
}
