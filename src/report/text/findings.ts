import {counted} from '../../number.ts';
import type {Alternative, Evidence, Fix, RuleFinding} from '../../rules/rule.ts';
import {clip, printable} from '../escape.ts';
import {CONFIDENCE, concerned, riskOf, settingLine} from '../finding-words.ts';
import {ranges} from '../ranges.ts';
import {wrap} from '../wrap.ts';
import type {Page} from './page.ts';

/** Lines of evidence shown; how many more there are is said. */
const MOST_LINES = 8;
const LONGEST_PLACE = 24;
/** Other explanations shown; how many more were weighed is said. */
const MOST_ALTERNATIVES = 3;

export function finding(finding: RuleFinding, page: Page): string {
  return [
    title(finding, page),
    ...finding.message.split(/\n+/).map((paragraph) => wrap(printable(paragraph), page.width, '  ')),
    section('Evidence', evidence(finding.evidence, page), page),
    section('Other explanations, and what speaks against them', alternatives(finding.against, page), page),
    section(
      'Cannot be seen in this log',
      finding.cannotSee.map((what) => item(what, page)),
      page,
    ),
    section(
      'What to do',
      finding.fixes.map((fix, i) => advice(fix, i + 1, page)),
      page,
    ),
    section(
      'To decide it',
      finding.next.map((what) => item(what, page)),
      page,
    ),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** One line per finding, for `--quiet`. */
export function title(finding: RuleFinding, page: Page): string {
  const {paint} = page;
  const {severity, confidence, rule, title} = finding;
  const color = {error: paint.red, warning: paint.yellow, info: paint.cyan}[severity];
  const word = severity.toUpperCase();
  const about = printable(concerned(finding));
  const text = wrap(printable(title), page.width, `${word}  `);
  const tags = wrap(
    [`${rule}`, CONFIDENCE[confidence], ...(about === '' ? [] : [about])].join(' · '),
    page.width,
    ' '.repeat(word.length + 2),
  );
  return `${paint.bold(color(word))}${paint.bold(text.slice(word.length))}\n${paint.dim(tags)}`;
}

/** Those that were weighed and fit worst are left to the JSON report: nobody reads ten. */
function alternatives(all: readonly Alternative[], page: Page): readonly string[] {
  const shown = all.filter(({fits}) => fits !== 'excluded').slice(0, MOST_ALTERNATIVES);
  const told = shown.length === 0 ? all.slice(0, 1) : shown;
  const more = all.length - told.length;
  return [
    ...told.map(({hypothesis, because, line, decides, fits, for: speaksFor}) => {
      const reasons = speaksFor == null ? because : `${speaksFor}; ${because}`;
      const observation = decides == null || fits !== 'equally' ? '' : `; to decide: ${decides}`;
      return item(`${hypothesis}: ${reasons}${line === null ? '' : ` (line ${line})`}${observation}`, page);
    }),
    ...(more > 0
      ? [item(`${counted(more, 'other explanation')} that ${more === 1 ? 'fits' : 'fit'} worse (--json has all)`, page)]
      : []),
  ];
}

function section(name: string, lines: readonly string[], {paint}: Page): string {
  return lines.length === 0 ? '' : [`\n  ${paint.bold(name)}`, ...lines].join('\n');
}

function evidence(lines: readonly Evidence[], page: Page): readonly string[] {
  const shown = lines.slice(0, lines.length === MOST_LINES + 1 ? lines.length : MOST_LINES);
  const hidden = lines.slice(shown.length);
  const places = placesOf(shown, page);
  const column = Math.max(...places.map(({length}) => length));
  const indent = ' '.repeat(4 + column + 2);
  return [
    ...shown.flatMap(({at, shows}, i) => {
      const place = places[i] ?? '';
      const before = ' '.repeat(4 + column - place.length);
      const text = clip(printable(at.text), Math.max(20, page.width - indent.length));
      const said =
        shows === '' || shows === shown[i + 1]?.shows ? [] : [wrap(printable(shows), page.width, `${indent}-> `, `${indent}   `)];
      return [`${before}${page.linked(at, page.paint.dim(place))}  ${text}`, ...said];
    }),
    ...(hidden.length === 0
      ? []
      : [
          wrap(
            `… and ${counted(hidden.length, 'more line')} like these: ${ranges(hidden.map(({at}) => at.line))}`,
            page.width,
            '    ',
          ),
        ]),
  ];
}

/** With the name of the file, unless it would take the room of the line itself and is the same for all. */
function placesOf(lines: readonly Evidence[], page: Page): readonly string[] {
  const places = lines.map(({at}) => page.place(at));
  const isOneInput = new Set(lines.map(({at}) => at.input)).size === 1;
  return isOneInput && places.some(({length}) => length > LONGEST_PLACE) ? lines.map(({at}) => `line ${at.line}`) : places;
}

function advice(fix: Fix, number: number, page: Page): string {
  const {effect, why} = fix;
  const number_ = `    ${number}. `;
  const indent = ' '.repeat(number_.length);
  const line = settingLine(fix);
  return [
    page.paint.bold(wrap(printable(line ?? why), page.width, number_)),
    wrap(`Effect: ${printable(effect)}`, page.width, indent),
    wrap(`Risk: ${riskOf(fix)}`, page.width, indent),
    ...(why === '' || line === null ? [] : [wrap(printable(why), page.width, indent)]),
  ].join('\n');
}

function item(text: string, page: Page): string {
  return wrap(printable(text), page.width, '    - ', '      ');
}
