/**
 * Snapshots: what somebody saw who looked at the running processes from outside, at one instant. A row is joined with the
 * process of the log that had its pid then; where the two cannot both be right, both are shown.
 */
import {type EventKind, type LogEvent, speakerOf} from './event.ts';
import {precedes} from './lookup.ts';
import {isBefore} from './time.ts';
import type {Instance, Process, SeenRow, Snapshot} from './timeline.ts';

/** What a snapshot is made of. */
export const SEEN: ReadonlySet<EventKind> = new Set(['snapshot', 'process-seen', 'program-seen']);

/** Ended, and not yet collected by its parent: the kernel's letter for it. */
export function isDefunct({fields}: LogEvent): boolean {
  return String(fields['state'] ?? '').startsWith('Z');
}

/**
 * By index: rows on top of a log that tell no time. They were pasted there, and not taken before what stands below, so
 * that they are asked after everything else.
 */
export function pastedOnTop(events: readonly LogEvent[]): ReadonlySet<number> {
  const begun = new Set<number>();
  const onTop = new Set<number>();
  for (const [index, {input, meaning, at}] of events.entries()) {
    if (!SEEN.has(meaning.kind)) begun.add(input);
    else if (!begun.has(input) && at.earliest === null) onTop.add(index);
  }
  return onTop;
}

/** The snapshots of a log, each with what it shows. */
export function snapshotsOf(events: readonly LogEvent[], instances: readonly Instance[]): readonly Snapshot[] {
  const processes = new Map<LogEvent, Process>();
  for (const process of instances.flatMap((instance) => instance.processes))
    for (const remark of process.remarks) {
      // The program of an outer supervisor is the master of its own log, which tells more of it.
      const isToldBetter = process.role === 'program' && processes.has(remark);
      if (SEEN.has(remark.meaning.kind) && !isToldBetter) processes.set(remark, process);
    }
  const snapshots: {head: LogEvent | null; last: LogEvent; rows: SeenRow[]}[] = [];
  for (const event of events.filter(({meaning}) => SEEN.has(meaning.kind)).sort((a, b) => a.place - b.place)) {
    const isHead = event.meaning.kind === 'snapshot';
    const row = rowOf(event, processes.get(event) ?? null);
    const open = snapshots.at(-1);
    if (open !== undefined && !isHead && goesOn(open.last, event)) {
      open.rows.push(row);
      open.last = event;
    } else {
      snapshots.push({head: isHead ? event : null, last: event, rows: isHead ? [] : [row]});
    }
  }
  return snapshots.map(({head, rows}) => ({head, rows: rows.map((row) => withOthers(row, rows))}));
}

/** Also where nothing tells when they were seen: what had ended before another started is not there together with it. */
function withOthers(row: SeenRow, rows: readonly SeenRow[]): SeenRow {
  const ended = row.process?.end === 'running' || row.process?.end === 'lost' ? null : (row.process?.ended ?? null);
  if (row.contradicts !== null || ended === null || isDefunct(row.event)) return row;
  const isLater = ({process}: SeenRow) =>
    process?.started != null && process.started.input === ended.input && precedes(ended, process.started);
  return rows.some(isLater) ? {...row, contradicts: ended} : row;
}

/** Lines between two rows of one table are of processes that nobody asks about. */
const FARTHEST = 400;

function goesOn(last: LogEvent, event: LogEvent): boolean {
  return last.input === event.input && speakerOf(last.message) === speakerOf(event.message) && event.line - last.line < FARTHEST;
}

function rowOf(event: LogEvent, process: Process | null): SeenRow {
  return {event, process, contradicts: process === null ? null : contradicted(event, process)};
}

/** The line that cannot be right if the process was there when it was seen. */
function contradicted(event: LogEvent, {ended, end}: Process): LogEvent | null {
  const isOver = ended !== null && end !== 'running' && end !== 'lost' && isBefore(ended.at, event.at);
  return isOver && !isDefunct(event) ? ended : null;
}
