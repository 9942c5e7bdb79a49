import type {Span, State} from '../../measures/life.ts';
import type {LineRef} from '../../timeline/event.ts';
import type {Timeline} from '../../timeline/timeline.ts';
import {printable} from '../escape.ts';
import {inputName} from '../place.ts';
import {type Page, pageFor} from '../text/page.ts';
import {characters, element} from '../xml.ts';
import type {Album, Picture} from './picture.ts';
import {figure, type Sheet, sketch} from './svg-picture.ts';
import {CLASSES, FILLS, PATTERNS, STYLE} from './svg-style.ts';
import {billOf, headingOf, moreReloads, NOTHING, outageInWords, STATES, worthTelling} from './words.ts';

const WIDTH = 1000;
const MARGIN = 24;
const GAP = 36;

/** The pictures as one SVG file that needs nothing else: no font, no script, no address. Light or dark as the viewer prefers. */
export function svg(timeline: Timeline, album: Album): string {
  const page = pageFor(timeline, {width: 100, color: false});
  const place = timeline.inputs.length === 1 ? ({line}: LineRef) => `line ${line}` : page.place;
  const sheet: Sheet = {
    clock: page.clock,
    stamp: page.stamp,
    place,
    manyInstances: timeline.instances.length > 1,
    left: MARGIN,
    right: WIDTH - MARGIN,
  };
  const parts: string[] = [];
  let y = MARGIN;
  const add = (drawn: {readonly height: number; readonly elements: readonly string[]}, gap: number) => {
    parts.push(element('g', {transform: `translate(0 ${figure(y)})`}, drawn.elements));
    y += drawn.height + gap;
  };
  for (const [n, picture] of album.pictures.entries()) add(sketch(picture, sheet, `plot-${n + 1}`), GAP);
  const remark = (words: string) => add({height: 16, elements: [element('text', {x: MARGIN, y: 12}, [characters(words)])]}, GAP);
  if (album.pictures.length === 0) remark(NOTHING);
  if (album.more > 0) remark(moreReloads(album.more));
  add(legend(album), MARGIN - 8);
  const title = `Timeline of ${timeline.inputs.map(({name}) => printable(inputName(name))).join(', ')}`;
  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    element(
      'svg',
      {
        xmlns: 'http://www.w3.org/2000/svg',
        viewBox: `0 0 ${WIDTH} ${Math.ceil(y)}`,
        width: WIDTH,
        height: Math.ceil(y),
        role: 'img',
        'aria-labelledby': 'title description',
      },
      [
        element('title', {id: 'title'}, [characters(title)]),
        element('desc', {id: 'description'}, [
          characters(album.pictures.map((picture) => inWords(picture, page, sheet)).join('\n')),
        ]),
        element('style', {}, [characters(STYLE).replaceAll('&quot;', '"')]),
        element('defs', {}, PATTERNS),
        element('rect', {class: 'background', width: '100%', height: '100%'}),
        ...parts,
      ],
    ),
  ].join('\n')}\n`;
}

/** The picture for those who do not see it. */
function inWords(picture: Picture, {clock}: Page, sheet: Sheet): string {
  const {reload, outages, path} = picture;
  const name = reload === null ? '' : `${reload.id}: `;
  const silent = reload?.kind === 'stop' ? [] : outages.filter(worthTelling).map((outage) => outageInWords(outage, clock));
  const bill = path === null || reload === null ? [] : billOf(path, reload).map(({cost, what}) => `${cost} ${what}`);
  return [name + headingOf(picture, clock, sheet.place, sheet.manyInstances), ...silent, ...bill].join('. ');
}

function legend({pictures}: Album): {readonly height: number; readonly elements: readonly string[]} {
  const pieces = pictures.flatMap(({rows}) => rows.flatMap((row) => row.pieces));
  const spans = pictures.flatMap(({rows}) => rows.flatMap((row) => row.spans));
  const seen = new Set(spans.filter(hasLength).map(({state}) => state));
  const states = (Object.keys(STATES) as State[]).filter((state) => seen.has(state));
  const isDoubtful = pieces.some((piece) => piece.states.length > 1);
  const elements: string[] = [];
  let [x, y] = [MARGIN, 0];
  const add = (words: string, swatch: readonly string[]) => {
    const width = 34 + words.length * 6.2 + 14;
    if (x + width > WIDTH - MARGIN) [x, y] = [MARGIN, y + 22];
    elements.push(
      element('g', {transform: `translate(${figure(x)} ${y})`}, [
        ...swatch,
        element('text', {class: 'quiet', x: 32, y: 12}, [characters(words)]),
      ]),
    );
    x += width;
  };
  for (const state of states) {
    add(STATES[state], [
      element('rect', {class: CLASSES[state], fill: FILLS[state], x: 0, y: 1, width: 26, height: 14, rx: 2}),
      ...(state === 'gone' ? [element('path', {class: 'gone-line', d: 'M0 8 H26'})] : []),
    ]);
  }
  if (pictures.some(({rows}) => rows.some(({ends}) => ends.length > 0))) {
    const d = 'M8 3 L18 13 M8 13 L18 3';
    add('killed or crashed', [element('path', {class: 'halo', d}), element('path', {class: 'kill', d})]);
  }
  if (isDoubtful) {
    add('a slanted edge: it changes somewhere between its two ends, the log does not tell when', [
      element('path', {class: 'serving', d: 'M0 1 H22 L4 15 H0 Z'}),
      element('path', {class: 'doubt', d: 'M4 15 L22 1'}),
    ]);
  }
  return {height: elements.length === 0 ? 0 : y + 18, elements};
}

function hasLength({from, to}: Span): boolean {
  return from.earliest === null || to.latest === null || from.earliest !== to.earliest || from.latest !== to.latest;
}
