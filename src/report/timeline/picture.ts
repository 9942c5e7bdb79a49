/**
 * What a picture of reloads and workers shows, before anybody draws it: rows, states, capacity, marks, and where the seconds went.
 * Milliseconds on the log's clock throughout.
 */

import {type Capacity, capacityOf, type Outage, outagesOf} from '../../measures/capacity.ts';
import {type Crew, crewOf, drawable, presentIn} from '../../measures/crew.ts';
import {lifeOf, type Span} from '../../measures/life.ts';
import {type Piece, piecesOf} from '../../measures/piece.ts';
import type {LogEvent} from '../../timeline/event.ts';
import {type Instant, isExact} from '../../timeline/time.ts';
import type {Instance, Process, Reload, Timeline} from '../../timeline/timeline.ts';
import {type Frame, framedWhole, frameOf} from './frame.ts';
import {type Path, pathOf} from './path.ts';
import {type Change, successionOf} from './succession.ts';

/** Everything that is to be drawn of one log. */
export interface Album {
  readonly pictures: readonly Picture[];
  /** Reloads without a picture, for there are too many. */
  readonly more: number;
  /** The log has no reload and no stop: the pictures show whole lives. */
  readonly isWhole: boolean;
}

export interface Picture {
  readonly instance: Instance;
  /** Null where the picture shows the whole log. */
  readonly reload: Reload | null;
  /** Null where no time is known: then {@link order} is all there is. */
  readonly frame: Frame | null;
  readonly rows: readonly Row[];
  /** Places without a row, for there are too many; they count for the capacity all the same. */
  readonly more: number;
  readonly capacity: readonly Capacity[];
  readonly outages: readonly Outage[];
  readonly marks: readonly Mark[];
  readonly path: Path | null;
  /** What happened, in the order of the lines. */
  readonly order: readonly Mark[];
}

/** A worker's place, and who held it. */
export interface Row {
  /** The worker's number, or what else names it. */
  readonly name: string;
  readonly pids: readonly number[];
  readonly spans: readonly Span[];
  readonly pieces: readonly Piece[];
  /** Violent ends. */
  readonly ends: readonly Mark[];
}

export type MarkKind = 'trigger' | 'again' | 'kill' | 'crash' | 're-executed' | 'spawn' | 'complete';

export interface Mark {
  readonly kind: MarkKind;
  readonly at: Instant;
  readonly event: LogEvent;
}

/** Nobody looks at more of them one after the other. */
const MOST_PICTURES = 20;
export const MOST_ROWS = 40;

/** @param only the reload to show; without one all are shown */
export function albumOf(timeline: Timeline, only: Reload | null = null): Album {
  const reloads = only === null ? timeline.reloads : [only];
  const shown = reloads.length <= MOST_PICTURES ? reloads : mostTold(reloads);
  const isWhole = reloads.length === 0;
  const crews = new Map(timeline.instances.map((instance) => [instance.id, crewOf(instance)]));
  const pictures = isWhole
    ? [...crews.values()].filter(({places}) => places.length > 0).map((crew) => wholePicture(crew, timeline))
    : shown.flatMap((reload) => {
        const crew = crews.get(reload.instance);
        return crew === undefined ? [] : [reloadPicture(reload, crew, timeline)];
      });
  return {pictures, more: reloads.length - shown.length, isWhole};
}

/** The last one, and those that took longest; the order stays as it was. */
function mostTold(reloads: readonly Reload[]): readonly Reload[] {
  const ranked = reloads
    .map((reload, n) => ({reload, n}))
    .sort((a, b) => b.reload.duration.min - a.reload.duration.min || mostOf(b.reload) - mostOf(a.reload) || b.n - a.n)
    .map(({reload}) => reload);
  const chosen = new Set([...new Set([...reloads.slice(-1), ...ranked])].slice(0, MOST_PICTURES));
  return reloads.filter((reload) => chosen.has(reload));
}

/** Seconds; what is open counts as little: it is often only that nothing was logged. */
function mostOf({duration: {min, max}}: Reload): number {
  return max ?? min;
}

/** The reload that `3` or `reload-3` names. */
export function reloadNamed(name: string, {reloads}: Timeline): Reload | null {
  return reloads.find(({id}) => id === name || id === `reload-${name}`) ?? null;
}

function reloadPicture(reload: Reload, crew: Crew, timeline: Timeline): Picture {
  const changes = successionOf(reload, crew);
  const frame = frameOf(reload, changes, timeline);
  const marks = reloadMarks(reload, changes);
  return {
    ...drawn(crew, frame, changes, timeline.to),
    reload,
    marks,
    path: pathOf(reload, crew.instance, changes, timeline.to),
    order: inOrder(marks),
  };
}

function wholePicture(crew: Crew, timeline: Timeline): Picture {
  const frame = framedWhole(timeline);
  const marks = drawable(crew.instance).flatMap((process) => [
    ...(process.started === null ? [] : [spawn(process)]),
    ...violence(process),
  ]);
  return {...drawn(crew, frame, [], timeline.to), reload: null, marks, path: null, order: inOrder(marks)};
}

function drawn(
  crew: Crew,
  frame: Frame | null,
  changes: readonly Change[],
  logEnd: number | null,
): Pick<Picture, 'instance' | 'frame' | 'rows' | 'more' | 'capacity' | 'outages'> {
  const {instance} = crew;
  if (frame === null) return {instance, frame, rows: [], more: 0, capacity: [], outages: []};
  const rows = rowsOf(crew, frame, changes);
  const capacity = capacityOf(rows.map(({pieces}) => pieces));
  const shown = rows.length <= MOST_ROWS ? rows : mostTelling(rows);
  // What can only be said to have begun by the end of the log has not been seen.
  const isSeen = ({from}: Outage) => isExact(from) || from.latest === null || logEnd === null || from.latest < logEnd;
  const outages = outagesOf(capacity).filter(isSeen);
  return {instance, frame, rows: shown, more: rows.length - shown.length, capacity, outages};
}

/** Rows with a violent end come first where there is no room for all; the order stays as it was. */
function mostTelling(rows: readonly Row[]): readonly Row[] {
  const ranked = [...rows.filter(({ends}) => ends.length > 0), ...rows.filter(({ends}) => ends.length === 0)];
  const chosen = new Set(ranked.slice(0, MOST_ROWS));
  return rows.filter((row) => chosen.has(row));
}

function rowsOf({places, loadsInWorker}: Crew, {from, to}: Frame, changes: readonly Change[]): readonly Row[] {
  const taking = new Set(changes.flatMap(({old, next}) => [old, next]));
  return places.flatMap((place): Row[] => {
    const held = presentIn(place, from, to);
    const spans = lifeOf(held, loadsInWorker).filter(
      (span) => (span.to.latest ?? to) >= from && (span.from.earliest ?? from) <= to,
    );
    const pieces = piecesOf(spans, from, to);
    const seen = new Set(spans.map(({process}) => process));
    const part = held.filter((process) => taking.has(process));
    const present = part.length > 0 ? part : held.filter((process) => seen.has(process));
    const isEmpty = pieces.every(({states}) => states.every((state) => state === 'gone' || state === 'unknown'));
    if (present.length === 0 || (isEmpty && !present.some((process) => taking.has(process)))) return [];
    return [
      {name: nameOf(place[0] as Process), pids: present.map(({pid}) => pid), spans, pieces, ends: present.flatMap(violence)},
    ];
  });
}

function nameOf({worker, role, started}: Process): string {
  if (worker !== null) return String(worker);
  return role === 'worker' ? '' : String(started?.fields['program'] ?? role);
}

function reloadMarks(reload: Reload, changes: readonly Change[]): readonly Mark[] {
  const {began, startedAt, repeated, reExecuted, ended, endedAt} = reload;
  return [
    {kind: 'trigger' as const, at: startedAt, event: began},
    ...repeated.map((event): Mark => ({kind: 'again', at: event.at, event})),
    ...changes.flatMap(({old}) => (old === null ? [] : violence(old))),
    ...(reExecuted === null ? [] : [{kind: 're-executed' as const, at: reExecuted.at, event: reExecuted}]),
    ...changes.flatMap(({next}) => (next === null || next.started === null ? [] : [spawn(next)])),
    ...(ended === null || endedAt === null ? [] : [{kind: 'complete' as const, at: endedAt, event: ended}]),
  ];
}

function spawn({started, startedAt}: Process): Mark {
  return {kind: 'spawn', at: startedAt, event: started as LogEvent};
}

function violence({forced, end, ended, endedAt}: Process): readonly Mark[] {
  if (forced !== null) return [{kind: 'kill', at: forced.at, event: forced.event}];
  if (ended === null) return [];
  if (end === 'killed' || end === 'forced') return [{kind: 'kill', at: endedAt, event: ended}];
  return end === 'crashed' ? [{kind: 'crash', at: endedAt, event: ended}] : [];
}

function inOrder(marks: readonly Mark[]): readonly Mark[] {
  return marks.toSorted((a, b) => a.event.place - b.event.place);
}
