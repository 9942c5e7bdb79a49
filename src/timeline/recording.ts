import type {LogEvent, RequestSegment, Voice} from './event.ts';
import type {ClockStep} from './time.ts';
import type {InputSummary} from './timeline.ts';

/** Everything that was read, before anything is made of it. */
export interface Recording {
  readonly inputs: readonly InputSummary[];
  /** In the order of the lines. */
  readonly events: readonly LogEvent[];
  /** In the order in which they were closed. */
  readonly segments: readonly RequestSegment[];
  readonly voices: readonly Voice[];
  /** Events that a second sink wrote again. They are not among {@link events}. */
  readonly doubled: readonly LogEvent[];
  readonly shared: readonly Shared[];
  /** Changes to and from summer time, where somebody named the zone. */
  readonly clockSteps: readonly ClockStep[];
}

/** Two inputs that are known to tell of one server. */
export interface Shared {
  readonly inputs: readonly [number, number];
  /** What is added to times of the second to be on the clock of the first, in milliseconds; null where nothing tells. */
  readonly shift: number | null;
}
