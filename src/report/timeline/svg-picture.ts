import type {Capacity} from '../../measures/capacity.ts';
import type {Span} from '../../measures/life.ts';
import {counted} from '../../number.ts';
import {capital} from '../../rules/wording.ts';
import type {LineRef} from '../../timeline/event.ts';
import {groupBy} from '../../timeline/group.ts';
import type {Instant} from '../../timeline/time.ts';
import {clip, printable} from '../escape.ts';
import {type Clock, showInstant} from '../instant.ts';
import {wrap} from '../wrap.ts';
import {characters, element} from '../xml.ts';
import {ticksOf} from './axis.ts';
import {coarse, columnsOf} from './columns.ts';
import type {Frame} from './frame.ts';
import type {Mark, MarkKind, Picture, Row} from './picture.ts';
import {CLASSES, FILLS} from './svg-style.ts';
import {billOf, headingOf, linksInWords, MARKS, markInWords, outageInWords, rowNames, STATES, worthTelling} from './words.ts';

export interface Sheet {
  readonly clock: Clock;
  readonly stamp: (at: number) => number;
  readonly place: (line: LineRef) => string;
  readonly manyInstances: boolean;
  readonly left: number;
  readonly right: number;
}

interface Sketch {
  readonly height: number;
  readonly elements: readonly string[];
}

const LINE = 18;
const ROW = 24;
const BAR = 16;
const CAPACITY = 40;
/** Of one character, on average, and of one in the axis' labels. */
const [CHARACTER, SMALL_CHARACTER, TICK_CHARACTER] = [7.8, 6.8, 8.5];
const MOST_LEVELS = 3;
const PROSE = 128;
const MOST_LINKS = 12;
const MOST_IN_ORDER = 60;
const LONGEST_TEXT = 160;
/** In one row. */
const MOST_SHAPES = 400;

/** One picture, from its own upper edge down. */
export function sketch(picture: Picture, sheet: Sheet, id: string): Sketch {
  const elements: string[] = [];
  let y = 0;
  const line = (text: string, className?: string, x = sheet.left) => {
    y += LINE;
    elements.push(element('text', {class: className, x, y: y - 5}, [characters(text)]));
  };
  const prose = (text: string, className?: string, x = sheet.left) => {
    for (const part of wrap(text, PROSE).split('\n')) line(part, className, x);
  };
  const {reload, frame} = picture;
  if (reload !== null) line(reload.id, 'heading');
  prose(headingOf(picture, sheet.clock, sheet.place, sheet.manyInstances), reload === null ? 'heading' : undefined);
  if (frame === null) {
    prose('The log carries no time for this: only the order of the lines is known.', 'quiet');
    for (const {event, kind} of picture.order.slice(0, MOST_IN_ORDER))
      line(clip(`${sheet.place(event)}  ${MARKS[kind]}: ${printable(event.text)}`, PROSE));
    if (picture.order.length > MOST_IN_ORDER)
      line(`… and ${counted(picture.order.length - MOST_IN_ORDER, 'more event')}`, 'quiet');
  } else {
    const plot = plotOf(picture, frame, sheet, id);
    elements.push(element('g', {transform: `translate(0 ${y + 6})`}, plot.elements));
    y += plot.height + 6;
    const silent = reload?.kind === 'stop' ? [] : picture.outages.filter(worthTelling);
    for (const outage of silent) prose(`${capital(outageInWords(outage, sheet.clock))}.`, outage.isCertain ? 'alarm' : undefined);
  }
  if (picture.path !== null && reload !== null) {
    const bill = billOf(picture.path, reload);
    if (bill.length > 0) {
      y += 4;
      line('Where the time went', 'strong');
      const words = sheet.left + (bill.some(({share}) => share !== '') ? 154 : 76);
      for (const {cost, share, what} of bill) {
        const parts = wrap(what, PROSE - 17).split('\n');
        elements.push(
          element('text', {class: 'figure', x: sheet.left + 62, y: y + LINE - 5, 'text-anchor': 'end'}, [characters(cost)]),
        );
        elements.push(
          element('text', {class: 'figure', x: sheet.left + 140, y: y + LINE - 5, 'text-anchor': 'end'}, [characters(share)]),
        );
        for (const part of parts) line(part, undefined, words);
      }
      const links = reload.kind === 'chain' ? linksInWords(picture.path) : [];
      for (const link of links.slice(0, MOST_LINKS)) prose(link, 'quiet');
      if (links.length > MOST_LINKS) line(`… and ${counted(links.length - MOST_LINKS, 'more line')}`, 'quiet');
    }
  }
  return {height: y, elements};
}

/** Axis, rows, capacity and marks. */
function plotOf(picture: Picture, frame: Frame, sheet: Sheet, id: string): Sketch {
  const {rows, more, capacity, marks, outages, reload} = picture;
  const names = rowNames(rows, ' → ').map((name) => clip(name, 40).replaceAll('  ', '\u2003'));
  const left = sheet.left + Math.max(80, ...names.map(({length}) => length * CHARACTER + 18));
  const across = (at: number) =>
    left + ((Math.min(frame.to, Math.max(frame.from, at)) - frame.from) / (frame.to - frame.from)) * (sheet.right - left);
  const top = 22;
  const bottom = top + rows.length * ROW + (more > 0 ? LINE : 0);
  const floor = rows.length > 0 ? bottom + 10 + CAPACITY : bottom;
  const elements: string[] = [];

  elements.push(element('clipPath', {id}, [element('rect', {x: left, y: 0, width: sheet.right - left, height: floor + 30})]));
  const ticks = ticksOf(frame.from, frame.to, (sheet.right - left) / TICK_CHARACTER, sheet.stamp);
  for (const {at, label} of ticks) {
    elements.push(element('line', {class: 'grid', x1: figure(across(at)), x2: figure(across(at)), y1: top - 4, y2: floor}));
    const hasRoom = across(at) + label.length * 6.6 <= sheet.right + 8;
    if (hasRoom) elements.push(element('text', {class: 'quiet figure', x: figure(across(at)), y: top - 8}, [characters(label)]));
  }
  elements.push(axisLine(left, sheet.right, top - 4, frame));
  for (const outage of reload?.kind === 'stop' ? [] : outages.filter(({isCertain}) => isCertain)) {
    const [from, to] = [across(outage.from.latest ?? frame.from), across(outage.to.earliest ?? frame.to)];
    elements.push(element('rect', {class: 'outage', x: figure(from), y: top, width: figure(to - from), height: floor - top}));
  }
  rows.forEach((row, n) => {
    const y = top + n * ROW;
    elements.push(element('text', {class: 'figure', x: sheet.left, y: y + ROW / 2 + 4}, [characters(names[n] ?? '')]));
    elements.push(
      element(
        'g',
        {'clip-path': `url(#${id})`},
        (row.spans.length > MOST_SHAPES ? coarseBarsOf : barsOf)(row, y + (ROW - BAR) / 2, across, frame, sheet),
      ),
    );
  });
  if (more > 0)
    elements.push(element('text', {class: 'quiet', x: sheet.left, y: bottom - 5}, [`… and ${counted(more, 'more worker')}`]));
  if (rows.length > 0) {
    elements.push(element('text', {x: sheet.left, y: bottom + 10 + CAPACITY / 2 + 4}, ['can serve']));
    elements.push(...capacityOf(coarse(capacity, columnsOf(frame, MOST_SHAPES)), bottom + 10, across));
  }
  const words = marksOf(marks, top, floor, across, sheet);
  return {height: floor + words.height, elements: [...elements, ...words.elements]};
}

type Across = (at: number) => number;

/** With an arrow head where what is shown began earlier or goes on. */
function axisLine(left: number, right: number, y: number, {isOpenBefore, isOpenAfter}: Frame): string {
  const head = (x: number, inwards: number) =>
    ` M${figure(x + inwards)} ${y - 4} L${figure(x)} ${y} L${figure(x + inwards)} ${y + 4}`;
  const d = `M${figure(left)} ${y} H${figure(right)}${isOpenBefore ? head(left, 6) : ''}${isOpenAfter ? head(right, -6) : ''}`;
  return element('path', {class: 'axis', d});
}

/** Each span as a shape whose upper edge shows how late and whose lower edge shows how early it may begin and end. */
function barsOf({spans, ends}: Row, y: number, across: Across, frame: Frame, sheet: Sheet): readonly string[] {
  const early = ({earliest}: Instant, fallback: number) => figure(across(earliest ?? fallback));
  const late = ({latest}: Instant, fallback: number) => figure(across(latest ?? fallback));
  const shapes = spans.map((span, n) => {
    const isFirst = n === 0;
    const isLast = n === spans.length - 1;
    const upperLeft = isFirst ? figure(across(frame.from)) : late(span.from, frame.to);
    const lowerLeft = early(span.from, frame.from);
    const upperRight = late(span.to, frame.to);
    const lowerRight = isLast ? figure(across(frame.to)) : early(span.to, frame.from);
    const d = `M${upperLeft} ${y} H${upperRight} L${lowerRight} ${y + BAR} H${lowerLeft} Z`;
    if (span.state === 'gone') {
      return element('path', {
        class: 'gone-line',
        d: `M${(upperLeft + lowerLeft) / 2} ${y + BAR / 2} H${(upperRight + lowerRight) / 2}`,
      });
    }
    return element('path', {class: CLASSES[span.state], fill: FILLS[span.state], d}, [
      element('title', {}, [characters(aboutSpan(span, sheet))]),
    ]);
  });
  const edges = spans.slice(0, -1).flatMap(({to}): string[] => {
    const [x1, x2] = [early(to, frame.from), late(to, frame.to)];
    return x2 - x1 < 1.5
      ? [element('path', {class: 'edge', d: `M${x1} ${y} V${y + BAR}`})]
      : [element('path', {class: 'doubt', d: `M${x1} ${y + BAR} L${x2} ${y}`})];
  });
  return [...shapes, ...edges, ...ends.flatMap((end) => cross(end, y + BAR / 2, across, sheet))];
}

/** More lives than can be told apart: what fills most of each stretch. */
function coarseBarsOf({pieces, ends}: Row, y: number, across: Across, frame: Frame, sheet: Sheet): readonly string[] {
  const columns = columnsOf(frame, MOST_SHAPES);
  const bars = coarse(pieces, columns).flatMap(({from, to, states}): string[] => {
    const [state = 'unknown', ...others] = states;
    if (state === 'gone' && others.length === 0) return [];
    const shape = {x: figure(across(from)), y, width: figure(across(to) - across(from)), height: BAR};
    return [
      others.length > 0
        ? element('rect', {class: 'capacity-doubt', ...shape})
        : element('rect', {class: CLASSES[state], fill: FILLS[state], ...shape}),
    ];
  });
  const seen = groupBy(ends, ({at}) => columns.of(at.latest ?? at.earliest ?? frame.from));
  return [...bars, ...[...seen.values()].flatMap(([end]) => cross(end, y + BAR / 2, across, sheet))];
}

function aboutSpan({state, from, to, process, because}: Span, {clock, place}: Sheet): string {
  const who = process === null ? '' : `pid ${process.pid}: `;
  const line = because === null ? '' : `; ${place(because)}: ${clip(printable(because.text), LONGEST_TEXT)}`;
  return `${who}${STATES[state]}, from ${showInstant(from, clock)} to ${showInstant(to, clock)}${line}`;
}

function cross(end: Mark, y: number, across: Across, sheet: Sheet): readonly string[] {
  const x = middle(end.at, across);
  if (x === null) return [];
  const d = `M${figure(x - 5)} ${y - 5} L${figure(x + 5)} ${y + 5} M${figure(x - 5)} ${y + 5} L${figure(x + 5)} ${y - 5}`;
  const {at, event, kind} = end;
  const title = `${MARKS[kind]} ${showInstant(at, sheet.clock)}; ${sheet.place(event)}: ${clip(printable(event.text), LONGEST_TEXT)}`;
  return [element('path', {class: 'halo', d}), element('path', {class: 'kill', d}, [element('title', {}, [characters(title)])])];
}

function middle({earliest, latest}: Instant, across: Across): number | null {
  const [low, high] = [earliest ?? latest, latest ?? earliest];
  return low === null || high === null ? null : (across(low) + across(high)) / 2;
}

/** Steps: the full shade for who surely can serve, the light one for who may. */
function capacityOf(steps: readonly Capacity[], y: number, across: Across): readonly string[] {
  const most = Math.max(1, ...steps.map(({max}) => max));
  const height = (count: number) => figure((count / most) * (CAPACITY - 14));
  return steps.flatMap(({from, to, min, max}) => {
    const [x, width] = [figure(across(from)), figure(across(to) - across(from))];
    const base = y + CAPACITY;
    const words = min === max ? String(min) : `${min}–${max}`;
    const hasRoom = width > words.length * 8 + 2;
    return [
      ...(max > min ? [element('rect', {class: 'capacity-doubt', x, y: base - height(max), width, height: height(max)})] : []),
      ...(min > 0 ? [element('rect', {class: 'capacity', x, y: base - height(min), width, height: height(min)})] : []),
      ...(hasRoom
        ? [element('text', {class: max === 0 ? 'alarm' : 'quiet figure', x: x + 3, y: base - height(max) - 3}, [words])]
        : []),
    ];
  });
}

const MOMENTS: ReadonlySet<MarkKind> = new Set(['trigger', 'again', 're-executed', 'complete']);

/** Moments of the whole instance as lines from top to bottom, and all kinds of marks in words below. */
function marksOf(marks: readonly Mark[], top: number, floor: number, across: Across, sheet: Sheet): Sketch {
  const elements: string[] = [];
  // Words that would touch each other stand below one another.
  const ends: number[] = [];
  const moments = marks.flatMap((mark) => {
    const x = MOMENTS.has(mark.kind) ? middle(mark.at, across) : null;
    return x === null ? [] : [{x, words: MARKS[mark.kind]}];
  });
  for (const {x, words} of moments.toSorted((a, b) => a.x - b.x)) {
    elements.push(element('line', {class: 'moment', x1: figure(x), x2: figure(x), y1: top, y2: floor + 4}));
    const length = words.length * SMALL_CHARACTER;
    const start = Math.min(x, sheet.right - length);
    const free = ends.findIndex((end) => end < start);
    const level = free === -1 ? ends.length : free;
    if (level >= MOST_LEVELS) continue;
    ends[level] = start + length + 8;
    elements.push(element('text', {class: 'quiet', x: figure(start), y: floor + 16 + level * 14}, [characters(words)]));
  }
  const levels = ends.length;
  let y = floor + levels * 14 + 8;
  const words = [...groupBy(marks, ({kind}) => kind)].map(([kind, [first, ...rest]]) => {
    const {event, at} = first;
    return `${markInWords(kind, at, rest.length + 1, sheet.clock)} (${sheet.place(event)})`;
  });
  for (const part of words.length === 0 ? [] : wrap(words.join('; '), PROSE + 14).split('\n')) {
    y += LINE - 2;
    elements.push(element('text', {class: 'quiet', x: sheet.left, y: y - 4}, [characters(part)]));
  }
  return {height: y - floor + 2, elements};
}

/** Hundredths of a pixel are enough. */
export function figure(value: number): number {
  return Math.round(value * 100) / 100;
}
