import type {Capacity} from '../../measures/capacity.ts';
import type {State} from '../../measures/life.ts';
import type {Piece} from '../../measures/piece.ts';
import {counted} from '../../number.ts';
import {capital} from '../../rules/wording.ts';
import type {LineRef} from '../../timeline/event.ts';
import {groupBy} from '../../timeline/group.ts';
import type {Timeline} from '../../timeline/timeline.ts';
import {clip, printable} from '../escape.ts';
import {type Page, pageFor} from '../text/page.ts';
import {wrap} from '../wrap.ts';
import {ticksOf} from './axis.ts';
import {type Columns, columnsOf, shownIn} from './columns.ts';
import {ASCII, type Glyphs, UNICODE} from './glyphs.ts';
import type {Album, Mark, MarkKind, Picture, Row} from './picture.ts';
import {
  billOf,
  headingOf,
  linksInWords,
  MARKS,
  markInWords,
  moreReloads,
  NOTHING,
  outageInWords,
  rowNames,
  STATES,
  shortRowName,
  worthTelling,
} from './words.ts';

export interface TerminalOptions {
  readonly width: number;
  readonly color: boolean;
  readonly ascii: boolean;
}

interface Sheet extends Page {
  readonly glyphs: Glyphs;
  readonly prose: (text: string, first?: string, rest?: string) => string;
  readonly manyInstances: boolean;
}

/** Longer lines of prose are hard to read, however wide a picture may be. */
const WIDEST_PROSE = 120;
const MOST_LINKS = 12;
/** Of the width, for what stands before the rows. */
const GUTTER_SHARE = 0.36;
const MIN_GUTTER = 10;
const MOST_IN_ORDER = 60;

/** The pictures in characters. No line is longer than `options.width`. */
export function terminal(timeline: Timeline, album: Album, options: TerminalOptions): string {
  const sheet = sheetFor(timeline, options);
  const parts = album.pictures.map((picture) => draw(picture, sheet));
  if (parts.length === 0) parts.push(sheet.prose(NOTHING));
  if (album.more > 0) parts.push(sheet.prose(moreReloads(album.more)));
  const legend = legendOf(album, sheet);
  return `${[...parts, ...(legend === '' ? [] : [legend])].join('\n\n')}\n`;
}

function sheetFor(timeline: Timeline, {width, color, ascii}: TerminalOptions): Sheet {
  const glyphs = ascii ? ASCII : UNICODE;
  const prose = (text: string, first = '', rest?: string) =>
    folded(wrap(glyphs.write(text), Math.min(width, WIDEST_PROSE), first, rest), width).replace(/ +$/gm, '');
  const page = pageFor(timeline, {width, color});
  const place = timeline.inputs.length === 1 ? ({line}: LineRef) => `line ${line}` : page.place;
  return {...page, place, glyphs, prose, manyInstances: timeline.instances.length > 1};
}

/** Words that are longer than a line are broken: a path, a name of the log. */
function folded(text: string, width: number): string {
  return text
    .split('\n')
    .flatMap((line) => {
      const characters = Array.from(line);
      return Array.from({length: Math.max(1, Math.ceil(characters.length / width))}, (_, n) =>
        characters.slice(n * width, (n + 1) * width).join(''),
      );
    })
    .join('\n');
}

function draw(picture: Picture, sheet: Sheet): string {
  const {reload, frame} = picture;
  const name = reload === null ? '' : `${reload.id}  `;
  const heading = sheet.prose(headingOf(picture, sheet.clock, sheet.place, sheet.manyInstances), name, name === '' ? '' : '  ');
  const title = sheet.paint.bold(heading.slice(0, name.length)) + heading.slice(name.length);
  const body = frame === null ? inOrder(picture, sheet) : [...rowsAndAxis(picture, sheet), ...outages(picture, sheet)];
  return [title, ...body, ...bill(picture, sheet)].join('\n');
}

/** Without any time: what came after what. */
function inOrder({order}: Picture, sheet: Sheet): readonly string[] {
  const shown = order.slice(0, MOST_IN_ORDER);
  const more = order.length - shown.length;
  return [
    sheet.prose('The log carries no time for this: only the order of the lines is known.', '  ', '  '),
    ...shown.map(({event, kind}) => {
      const head = `  ${sheet.place(event)}  ${MARKS[kind]}: `;
      return clip(sheet.glyphs.write(`${head}${printable(event.text)}`), sheet.width).replace('…', sheet.glyphs.cut);
    }),
    ...(more > 0 ? [sheet.prose(`… and ${counted(more, 'more event')}`, '  ')] : []),
  ];
}

function rowsAndAxis(picture: Picture, sheet: Sheet): readonly string[] {
  const {frame, rows, more, capacity, marks} = picture;
  if (frame === null) return [];
  const {glyphs, paint, width} = sheet;
  const full = rowNames(rows, glyphs.arrow).map((name) => glyphs.write(name.replaceAll('\u2007', ' ')));
  const room = Math.max(MIN_GUTTER, Math.floor(width * GUTTER_SHARE));
  const names = full.every(({length}) => length <= room) ? full : rows.map((row) => glyphs.write(shortRowName(row)));
  const gutter = Math.min(Math.max('can serve'.length, ...names.map(({length}) => length)), room) + 4;
  const columns = columnsOf(frame, Math.max(10, width - gutter));
  const label = (text: string) => `  ${clip(text, gutter - 4).replace('…', glyphs.cut)}`.padEnd(gutter);
  return [
    ...axis(frame, columns, gutter, sheet),
    ...rows.map((row, n) => label(names[n] ?? '') + life(row, columns, sheet)),
    ...(more > 0 ? [sheet.prose(`… and ${counted(more, 'more worker')}`, '  ')] : []),
    ...(rows.length > 0 ? [label('can serve') + capacityLine(capacity, columns, sheet)] : []),
    paint.dim(label('events')) + markLine(marks, columns, sheet),
    ...marksInWords(marks, sheet),
  ];
}

function axis(
  frame: NonNullable<Picture['frame']>,
  columns: Columns,
  gutter: number,
  {glyphs, paint, stamp}: Sheet,
): readonly string[] {
  const ticks = ticksOf(frame.from, frame.to, columns.count, stamp);
  const labels: string[] = new Array(columns.count).fill(' ');
  const line: string[] = new Array(columns.count).fill(glyphs.line);
  for (const {at, label} of ticks) {
    const column = columns.of(at);
    line[column] = glyphs.tick;
    // The last one may have room on the other side of its tick only.
    const start = column + label.length <= columns.count ? column : column - label.length + 1;
    if (start >= 0 && labels.slice(Math.max(0, start - 1), start + label.length).every((cell) => cell === ' '))
      labels.splice(start, label.length, ...label);
  }
  if (frame.isOpenBefore) line[0] = glyphs.openBefore;
  if (frame.isOpenAfter) line[columns.count - 1] = glyphs.openAfter;
  const margin = ' '.repeat(gutter);
  return [(`  worker`.padEnd(gutter) + labels.join('')).trimEnd(), margin + line.join('')].map(paint.dim);
}

function life({pieces, ends}: Row, columns: Columns, {glyphs, paint}: Sheet): string {
  const styles: Readonly<Record<State, (text: string) => string>> = {
    serving: paint.green,
    asked: paint.yellow,
    starting: paint.cyan,
    gone: paint.dim,
    unknown: paint.dim,
  };
  const cells = shownIn(pieces, columns).map((piece) => {
    const [state = 'unknown', ...others] = piece?.states ?? [];
    return others.length > 0 ? {text: glyphs.either, style: paint.dim} : {text: glyphs.states[state], style: styles[state]};
  });
  for (const end of ends) {
    const column = columnOf(end, columns);
    if (column !== null) cells[column] = {text: glyphs.marks[end.kind], style: paint.red};
  }
  return joined(cells);
}

interface Cell {
  readonly text: string;
  readonly style: (text: string) => string;
}

/** Neighbours of one style are painted together. */
function joined(cells: readonly Cell[]): string {
  let line = '';
  for (let n = 0; n < cells.length; ) {
    const {style} = cells[n] as Cell;
    let text = '';
    while (n < cells.length && cells[n]?.style === style) text += cells[n++]?.text ?? '';
    line += style(text);
  }
  return line;
}

/** The middle of what is known. */
function columnOf({at: {earliest, latest}}: Mark, columns: Columns): number | null {
  const [low, high] = [earliest ?? latest, latest ?? earliest];
  return low === null || high === null ? null : columns.of((low + high) / 2);
}

/** Each figure stands where it begins to hold, a doubt with both of its ends: `4──3──0–3░░0000`. */
function capacityLine(steps: readonly Capacity[], columns: Columns, {glyphs, paint}: Sheet): string {
  const shown = shownIn(steps, columns);
  let line = '';
  for (let n = 0; n < shown.length; ) {
    const step = shown[n] ?? null;
    let room = 0;
    while (n < shown.length && (shown[n] ?? null) === step) [n, room] = [n + 1, room + 1];
    if (step === null) line += ' '.repeat(room);
    else if (step.max === 0) line += paint.red('0'.repeat(room));
    else {
      const isSure = step.min === step.max;
      const figure = glyphs.write(isSure ? String(step.min) : `${step.min}–${step.max}`);
      const text = (figure.length <= room ? figure : isSure ? '' : glyphs.either).padEnd(
        room,
        isSure ? glyphs.level : glyphs.either,
      );
      line += isSure ? text : paint.dim(text);
    }
  }
  return line;
}

/** What hides what, where two marks fall into one column. */
const WEIGHT: Readonly<Record<MarkKind, number>> = {
  trigger: 7,
  complete: 6,
  kill: 5,
  crash: 5,
  again: 4,
  're-executed': 3,
  spawn: 2,
};

function markLine(marks: readonly Mark[], columns: Columns, {glyphs, paint}: Sheet): string {
  const cells: (MarkKind | null)[] = new Array(columns.count).fill(null);
  for (const mark of marks.toSorted((a, b) => WEIGHT[b.kind] - WEIGHT[a.kind])) {
    const column = columnOf(mark, columns);
    if (column === null) continue;
    const free = [column, column + 1, column - 1].find(
      (n) => n >= 0 && n < columns.count && (cells[n] === null || cells[n] === mark.kind),
    );
    if (free !== undefined) cells[free] = mark.kind;
  }
  const line = cells.map((kind) =>
    kind === null ? ' ' : kind === 'kill' || kind === 'crash' ? paint.red(glyphs.marks[kind]) : glyphs.marks[kind],
  );
  return line.join('').trimEnd();
}

function marksInWords(marks: readonly Mark[], sheet: Sheet): readonly string[] {
  const kinds = [...groupBy(marks, ({kind}) => kind)];
  if (kinds.length === 0) return [];
  const words = kinds.map(([kind, [first, ...rest]]) => {
    const {event, at} = first;
    return `${sheet.glyphs.marks[kind]}\u00a0${markInWords(kind, at, rest.length + 1, sheet.clock)} (${sheet.place(event)})`;
  });
  return [sheet.paint.dim(sheet.prose(apart(words), '  ', '  '))];
}

function outages({outages, reload}: Picture, {prose, paint, clock}: Sheet): readonly string[] {
  if (reload?.kind === 'stop') return [];
  return outages.filter(worthTelling).map((outage) => {
    const text = prose(`${capital(outageInWords(outage, clock))}.`, '  ', '  ');
    return outage.isCertain ? paint.red(text) : text;
  });
}

/** Where the seconds went. */
function bill({path, reload}: Picture, sheet: Sheet): readonly string[] {
  if (path === null || reload === null) return [];
  const lines = billOf(path, reload);
  if (lines.length === 0) return [];
  const {glyphs, prose, paint} = sheet;
  const costs = aligned(lines.map((line) => glyphs.write(line.cost)));
  const shares = aligned(lines.map((line) => glyphs.write(line.share)));
  const links = reload.kind === 'chain' ? linksInWords(path) : [];
  return [
    paint.bold('  Where the time went'),
    ...lines.map(({what}, n) => prose(what, `    ${costs[n]}  ${shares[n]}${shares[n] === '' ? '' : '  '}`)),
    ...links.slice(0, MOST_LINKS).map((link) => prose(link, '    ', '      ')),
    ...(links.length > MOST_LINKS ? [prose(`… and ${counted(links.length - MOST_LINKS, 'more line')}`, '    ')] : []),
  ];
}

function aligned(texts: readonly string[]): readonly string[] {
  const width = Math.max(...texts.map(({length}) => length));
  return texts.map((text) => text.padStart(width));
}

/** The characters that occur, and what they stand for. */
function legendOf({pictures}: Album, {glyphs, prose, paint}: Sheet): string {
  const pieces = pictures.flatMap(({rows}) => rows.flatMap((row): readonly Piece[] => row.pieces));
  if (pieces.length === 0) return '';
  const certain = new Set(pieces.flatMap(({states}) => (states.length === 1 ? states : [])));
  const states = (Object.keys(glyphs.states) as State[]).filter((state) => certain.has(state));
  const isDoubtful = pieces.some(({states}) => states.length > 1);
  const words = [
    ...states.map((state) => `${glyphs.states[state]}\u00a0${STATES[state]}`),
    ...(isDoubtful ? [`${glyphs.either}\u00a0changes somewhere here, the log does not tell when`] : []),
  ];
  return paint.dim(prose(apart(words)));
}

/** With a gap between them that outlives being wrapped. */
function apart(words: readonly string[]): string {
  return words.join('\u00a0\u00a0 ');
}
