import type {LogEvent, RequestSegment, Voice} from './event.ts';
import type {InputSummary} from './timeline.ts';

/** Everything that was read, before anything is made of it. */
export interface Recording {
  readonly inputs: readonly InputSummary[];
  /** In the order of the lines. */
  readonly events: readonly LogEvent[];
  /** In the order in which they were closed. */
  readonly segments: readonly RequestSegment[];
  readonly voices: readonly Voice[];
}
