import type {LineRef} from '../timeline/event.ts';
import type {Duration} from '../timeline/time.ts';

export const MEASURE_IDS = [
  'longest-reload',
  'median-reload',
  'longest-stop',
  'longest-wait',
  'median-wait',
  'forced-kills',
  'orphaned-tasks',
  'downtime',
  'coverage',
] as const;
export type MeasureId = (typeof MEASURE_IDS)[number];

/** What a log says about one figure. */
export interface Measure {
  readonly id: MeasureId;
  /** As the subject of a line: "longest reload". */
  readonly title: string;
  /** `part` runs from 0 to 1. */
  readonly unit: 'seconds' | 'count' | 'part';
  /** An interval, for lines without a time leave doubt. Null where the log has nothing to measure. */
  readonly value: Duration | null;
  /** Why there is nothing to measure. */
  readonly missing: string | null;
  /** The things that it was measured on: so many of them, and what one is called. */
  readonly of: {readonly count: number; readonly noun: 'reload' | 'stop' | 'worker' | 'process' | 'task' | 'service' | 'input'};
  /** What the value comes from, the worst first. */
  readonly cases: readonly Case[];
}

/** One thing that adds to a measure. */
export interface Case {
  /** "reload-1", "worker 3 (pid 4711)". May hold text of the log. */
  readonly what: string;
  readonly value: Duration;
  readonly at: LineRef | null;
}
