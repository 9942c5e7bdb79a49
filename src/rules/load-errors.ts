/** Why an application did not load, where a line above the failure says so. */
import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import type {Timeline} from '../timeline/timeline.ts';

/** Lines between the end of a traceback and what the server makes of it. */
const NEAR = 12;
/** Lines between a frame of the server in a traceback and its end. */
const FRAMES = 120;
/** Characters of a reason. */
const LONGEST = 160;

/**
 * For each failure the line that tells its reason: the server's own, or the last one of the traceback above it. Each once,
 * in the order of the log.
 */
export function loadErrors({events}: Timeline, failures: readonly LogEvent[]): LogEvent[] {
  const told = failures.flatMap((failure) => {
    const isFailure = ({kind}: LogEvent['meaning']) => kind === 'app-load-failed' || kind === 'no-app';
    if (!isFailure(failure.meaning)) return [];
    if (failure.meaning.kind === 'app-load-failed' && failure.fields['reason'] !== undefined) return [failure];
    if (failure.message === 'uvicorn/import-raised') {
      const below = events.find(
        (event) =>
          event.message === 'application/import-failed' &&
          event.input === failure.input &&
          precedes(failure, event) &&
          event.line - failure.line <= FRAMES,
      );
      return below === undefined ? [] : [below];
    }
    const above = events.findLast(
      ({message, input, line, ...event}) =>
        message === 'application/import-failed' &&
        input === failure.input &&
        failure.line - line <= NEAR &&
        precedes({...event, input, line}, failure),
    );
    return above === undefined ? [] : [above];
  });
  const reasons = new Set<string>();
  return told.filter((event) => {
    const reason = reasonOf(event);
    return !reasons.has(reason) && reasons.add(reason);
  });
}

/** In its own words, without a full stop. */
export function reasonOf({fields}: LogEvent): string {
  const reason = String(fields['reason']).replace(/[.\s]+$/, '');
  return reason.length > LONGEST ? `${reason.slice(0, LONGEST)}…` : reason;
}
