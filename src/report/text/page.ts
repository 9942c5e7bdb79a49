import type {LineRef} from '../../timeline/event.ts';
import {nameOfInput} from '../../timeline/lookup.ts';
import {stampAt} from '../../timeline/time.ts';
import type {Timeline} from '../../timeline/timeline.ts';
import {printable} from '../escape.ts';
import {type Clock, clockOf, datedClockOf} from '../instant.ts';
import {type Paint, paint} from '../paint.ts';
import {inputName} from '../place.ts';
import type {RenderOptions} from '../reporter.ts';

/** What every section of the text report needs to know. */
export interface Page {
  readonly width: number;
  readonly paint: Paint;
  readonly clock: Clock;
  /** What the log's stamps say at an instant. */
  readonly stamp: (at: number) => number;
  /** With the day on every moment. */
  readonly datedClock: Clock;
  /** `uwsgi.log:42`, safe to print */
  readonly place: (line: LineRef) => string;
  /** Makes a link to the line's input of what is shown, where the terminal can follow it. */
  readonly linked: (line: LineRef, shown: string) => string;
}

export function pageFor(timeline: Timeline, options: Pick<RenderOptions, 'width' | 'color' | 'linkTo'>): Page {
  const names = shortNames(timeline);
  const addresses = names.map((_, input) => options.linkTo?.(nameOfInput(timeline, {input})) ?? null);
  return {
    width: options.width,
    paint: paint(options.color),
    clock: clockOf(timeline),
    stamp: (at) => stampAt(at, timeline.clockSteps),
    datedClock: datedClockOf(timeline),
    place: ({input, line}) => `${names[input] ?? '?'}:${line}`,
    linked: ({input}, shown) => hyperlink(addresses[input] ?? null, shown),
  };
}

/** The terminal's escape sequence for a link (OSC 8). */
function hyperlink(address: string | null, shown: string): string {
  return address === null ? shown : `\x1b]8;;${address}\x1b\\${shown}\x1b]8;;\x1b\\`;
}

/** The last part of the path where that tells the inputs apart; the header has the whole. */
function shortNames(timeline: Timeline): readonly string[] {
  const count = timeline.inputs.length + timeline.configurations.length;
  const whole = Array.from({length: count}, (_, input) => printable(inputName(nameOfInput(timeline, {input}))));
  const last = whole.map((name) => name.slice(name.lastIndexOf('/') + 1));
  return new Set(last).size === last.length ? last : whole;
}
