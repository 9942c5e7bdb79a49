/** Why an application did not load, where a line above the failure says so. */
import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {firstFrom} from '../timeline/lookup.ts';
import {oncePer} from '../timeline/once.ts';
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
export function loadErrors(timeline: Timeline, failures: readonly LogEvent[]): LogEvent[] {
  const told = failures.flatMap((failure) => {
    const isFailure = ({kind}: LogEvent['meaning']) => kind === 'app-load-failed' || kind === 'no-app';
    if (!isFailure(failure.meaning)) return [];
    if (failure.meaning.kind === 'app-load-failed' && failure.fields['reason'] !== undefined) return [failure];
    const imports = failedImports(timeline).get(failure.input) ?? [];
    const behind = firstFrom(imports, failure);
    if (failure.message === 'uvicorn/import-raised') {
      const below = imports[behind];
      return below !== undefined && below.line - failure.line <= FRAMES ? [below] : [];
    }
    const above = imports[behind - 1];
    return above !== undefined && failure.line - above.line <= NEAR ? [above] : [];
  });
  const reasons = new Set<string>();
  return told.filter((event) => {
    const reason = reasonOf(event);
    return !reasons.has(reason) && reasons.add(reason);
  });
}

/** By input, in the order of the lines: the last lines of tracebacks that tell why something was not imported. */
const failedImports = oncePer(
  ({events}: Timeline): ReadonlyMap<number, readonly LogEvent[]> =>
    groupBy(
      events.filter(({message}) => message === 'application/import-failed').sort((a, b) => a.place - b.place),
      ({input}) => input,
    ),
);

/** Whether the log of these failures has lines of an application at all: without them the traceback went elsewhere. */
export function mayHoldTraceback({inputs}: Timeline, failures: readonly LogEvent[]): boolean {
  return failures.some(({input}) => {
    const {application, unknown} = inputs[input]?.counts ?? {application: 0, unknown: 0};
    return application + unknown > 0;
  });
}

/** Where to look for it. */
export function tracebackAt(isHere: boolean): string {
  return isHere
    ? 'read the traceback above the first of these lines'
    : 'find the traceback: the server prints it to its standard error, which goes to another file or to the journal';
}

/** In its own words, without a full stop. */
export function reasonOf({fields}: LogEvent): string {
  const reason = String(fields['reason']).replace(/[.\s]+$/, '');
  return reason.length > LONGEST ? `${reason.slice(0, LONGEST)}…` : reason;
}
