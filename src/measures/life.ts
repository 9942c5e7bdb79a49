import {greatest} from '../extremes.ts';
import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import type {Instant} from '../timeline/time.ts';
import type {Process} from '../timeline/timeline.ts';

/**
 * What a worker's place is doing. `asked`: told to stop, or about to leave by itself, and still there. `starting`: forked, and its
 * application not loaded yet. `gone`: no process. `unknown`: the log never says what became of it.
 */
export type State = 'serving' | 'asked' | 'starting' | 'gone' | 'unknown';

/** A state and its two ends. Certain between `from.latest` and `to.earliest`, possible between `from.earliest` and `to.latest`. */
export interface Span {
  readonly state: State;
  readonly from: Instant;
  readonly to: Instant;
  readonly process: Process | null;
  /** The line by which it is known. */
  readonly because: LogEvent | null;
}

interface Change {
  readonly to: State;
  readonly at: Instant;
  readonly process: Process;
  readonly because: LogEvent | null;
}

/**
 * The states that one place goes through, without gaps, from before the log to after it.
 *
 * @param processes that held the place, one after the other
 * @param loadsInWorker the application is loaded by each worker and not before they are forked
 */
export function lifeOf(processes: readonly Process[], loadsInWorker: boolean): readonly Span[] {
  const first = processes[0];
  if (first === undefined) return [];
  const changes = inOrder(processes.flatMap((process, n) => changesOf(process, n === 0, loadsInWorker)));
  const spans: Span[] = [];
  let state: State = first.started === null ? 'serving' : 'gone';
  let process: Process | null = first.started === null ? first : null;
  let because: LogEvent | null = null;
  let from: Instant = OPEN;
  for (const change of changes) {
    spans.push({state, from, to: change.at, process, because});
    state = change.to;
    from = change.at;
    process = change.to === 'gone' ? null : change.process;
    because = change.because;
  }
  return [...spans, {state, from, to: OPEN, process, because}];
}

const OPEN: Instant = {earliest: null, latest: null};

function changesOf(process: Process, isFirst: boolean, loadsInWorker: boolean): readonly Change[] {
  const {startedAt, started, appLoaded, asked, forced, leaving, endedAt, ended, end, segments} = process;
  const changes: Change[] = [];
  const change = (to: State, at: Instant, because: LogEvent | null) => changes.push({to, at, process, because});
  const neverReady = appLoaded !== null && asked?.acknowledged && precedes(asked.event, appLoaded);
  const ready = neverReady ? null : appLoaded;
  if (started !== null) {
    const waits = appLoaded !== null || (loadsInWorker && segments.length === 0);
    change(waits ? 'starting' : 'serving', startedAt, started);
    if (waits && ready !== null) change('serving', ready.at, ready);
  } else if (!isFirst) change('serving', startedAt, null);
  if (asked !== null) change('asked', asked.at, asked.event);
  if (end === 'running') return changes;
  // Out of its loop it serves nobody, however long it is held at its exit.
  if (leaving !== null && endedAt.latest === null && forced === null) {
    change('gone', leaving.at, leaving);
    return changes;
  }
  const isTold = ended !== null || endedAt.earliest !== null || endedAt.latest !== null;
  // A kill works at once; its line comes when the supervisor has noticed.
  if (isTold) change('gone', forced === null ? endedAt : {earliest: forced.at.earliest, latest: endedAt.latest}, ended);
  else change('unknown', {earliest: lastSign(process), latest: null}, null);
  return changes;
}

/** The last moment at which a process was surely there. */
function lastSign({startedAt, asked, segments}: Process): number | null {
  const signs = [startedAt.earliest, asked?.at.earliest ?? null, ...segments.map(({lastEnd}) => lastEnd)];
  const known = signs.filter((at) => at !== null);
  return known.length === 0 ? null : greatest(known);
}

/** The changes happened in this order: none is earlier than the one before it, none later than the one after it. */
function inOrder(changes: readonly Change[]): readonly Change[] {
  const earliest: (number | null)[] = [];
  const latest: (number | null)[] = [];
  let bound: number | null = null;
  for (const {at} of changes) {
    bound = bound === null ? at.earliest : at.earliest === null ? bound : Math.max(bound, at.earliest);
    earliest.push(bound);
  }
  bound = null;
  for (const {at} of changes.toReversed()) {
    bound = bound === null ? at.latest : at.latest === null ? bound : Math.min(bound, at.latest);
    latest.push(bound);
  }
  latest.reverse();
  return changes.map((change, n) => {
    const [low, high] = [earliest[n] ?? null, latest[n] ?? null];
    // Two lines contradict each other: what comes first is believed.
    return {...change, at: {earliest: low, latest: low !== null && high !== null && high < low ? low : high}};
  });
}
