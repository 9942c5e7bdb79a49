import type {State} from '../../measures/life.ts';
import {element} from '../xml.ts';

/**
 * Plain rules and one media query: viewers that know no custom properties or no colour schemes show the light picture. States differ
 * by their pattern as well as by their colour.
 */
export const STYLE = `
text { font: 13px system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: #1f2328; }
.background { fill: #ffffff; }
.heading { font-weight: 600; font-size: 15px; }
.strong { font-weight: 600; }
.quiet { fill: #59636e; font-size: 12px; }
.figure { font-variant-numeric: tabular-nums; }
.alarm { fill: #c11c27; font-weight: 600; }
.grid { stroke: #d8dee4; stroke-width: 1; }
.axis { fill: none; stroke: #8b949e; stroke-width: 1.5; }
.moment { stroke: #59636e; stroke-width: 1; stroke-dasharray: 3 3; }
.edge { stroke: #ffffff; stroke-width: 1; }
.serving { fill: #40a35d; }
.asked-ground { fill: #f3d27a; }
.asked-line { stroke: #8a6200; stroke-width: 2; }
.starting-ground { fill: #b6d7ff; }
.starting-dot { fill: #0b57b0; }
.gone { fill: none; }
.gone-line { stroke: #a9b2bb; stroke-width: 1; stroke-dasharray: 1 4; }
.unknown-ground { fill: #e6eaee; }
.unknown-line { stroke: #8b949e; stroke-width: 1; }
.doubt { fill: none; stroke: #59636e; stroke-width: 1; stroke-dasharray: 2 2; }
.kill { stroke: #c11c27; stroke-width: 3; stroke-linecap: round; }
.halo { stroke: #ffffff; stroke-width: 6; stroke-linecap: round; }
.capacity { fill: #40a35d; }
.capacity-doubt { fill: #40a35d; fill-opacity: 0.3; }
.outage { fill: #c11c27; fill-opacity: 0.16; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.background { fill: #0d1117; }
.quiet { fill: #a3acb6; }
.alarm { fill: #ff8078; }
.grid { stroke: #2a313a; }
.axis { stroke: #6e7681; }
.moment { stroke: #a3acb6; }
.edge { stroke: #0d1117; }
.serving, .capacity { fill: #2f8f4b; }
.capacity-doubt { fill: #2f8f4b; fill-opacity: 0.4; }
.asked-ground { fill: #5a4510; }
.asked-line { stroke: #e0b13c; }
.starting-ground { fill: #12345c; }
.starting-dot { fill: #79b8ff; }
.gone-line { stroke: #5a636e; }
.unknown-ground { fill: #21262d; }
.unknown-line { stroke: #6e7681; }
.doubt { stroke: #a3acb6; }
.kill { stroke: #ff6a61; }
.halo { stroke: #0d1117; }
.outage { fill: #ff6a61; fill-opacity: 0.22; }
}
`;

/** The patterns that the fills below name. */
export const PATTERNS: readonly string[] = [
  pattern('asked-pattern', 8, [
    element('rect', {class: 'asked-ground', width: 8, height: 8}),
    element('path', {class: 'asked-line', d: 'M-2 2 L2 -2 M0 8 L8 0 M6 10 L10 6'}),
  ]),
  pattern('starting-pattern', 6, [
    element('rect', {class: 'starting-ground', width: 6, height: 6}),
    element('circle', {class: 'starting-dot', cx: 3, cy: 3, r: 1.4}),
  ]),
  pattern('unknown-pattern', 6, [
    element('rect', {class: 'unknown-ground', width: 6, height: 6}),
    element('path', {class: 'unknown-line', d: 'M0 3 L6 3'}),
  ]),
];

/** How a state is filled: by its class where the value is empty. */
export const FILLS: Readonly<Record<State, string | undefined>> = {
  serving: undefined,
  asked: 'url(#asked-pattern)',
  starting: 'url(#starting-pattern)',
  gone: undefined,
  unknown: 'url(#unknown-pattern)',
};

/** Patterned states take their colours from the pattern: a class with a fill would win over the attribute. */
export const CLASSES: Readonly<Record<State, string | undefined>> = {
  serving: 'serving',
  asked: undefined,
  starting: undefined,
  gone: 'gone',
  unknown: undefined,
};

function pattern(id: string, size: number, children: readonly string[]): string {
  return element('pattern', {id, width: size, height: size, patternUnits: 'userSpaceOnUse'}, children);
}
