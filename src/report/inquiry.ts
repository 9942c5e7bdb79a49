import {envelopeNames, PLAIN, supervisorNames} from '../formats/index.ts';
import {counted, thousands} from '../number.ts';
import type {Closest} from '../recorder/closest.ts';
import type {InputInquiry, MissedLine, StreamInquiry} from '../recorder/inquiry.ts';
import type {InputSummary} from '../timeline/timeline.ts';
import {printable} from './escape.ts';
import type {Paint} from './paint.ts';
import {inputName} from './place.ts';
import {wrap} from './wrap.ts';

/** An input, why it was read the way it was, and how far each of the missed lines agrees with something known. */
interface ExplainedInput {
  readonly summary: InputSummary;
  readonly inquiry: InputInquiry | undefined;
  readonly closest: readonly (Closest | null)[];
}

/** What was forced; undefined where nothing was. */
interface ForcedChoice {
  readonly supervisors: readonly string[] | undefined;
  readonly envelopes: readonly string[] | undefined;
}

interface InquiryOptions {
  readonly width: number;
  readonly paint: Paint;
}

const MOST_STREAMS = 12;
const COLUMN = 14;

/** Why inputs were read the way they were, for people. */
export function inquiryText(inputs: readonly ExplainedInput[], forced: ForcedChoice, options: InquiryOptions): string {
  return `${inputs.map((input) => explained(input, forced, options)).join('\n\n')}\n`;
}

/** The same for programs. */
export function inquiryJson(inputs: readonly ExplainedInput[], forced: ForcedChoice) {
  return {
    forced: {supervisors: forced.supervisors ?? null, envelopes: forced.envelopes ?? null},
    inputs: inputs.map(({summary, inquiry, closest}) => ({
      name: inputName(summary.name),
      compression: summary.compression,
      lines: summary.lines,
      counts: summary.counts,
      envelopes: Object.fromEntries(inquiry?.envelopes ?? []),
      supervisors: Object.fromEntries(inquiry?.programs ?? []),
      streams: [...(inquiry?.streams ?? [])].map(([name, stream]) => ({
        name,
        firstLine: stream.firstLine,
        lines: stream.lines,
        recognised: stream.recognised,
        envelopes: Object.fromEntries(stream.routes),
        supervisors: Object.fromEntries(stream.programs),
      })),
      unmatched: (inquiry?.missed ?? []).map(({line, text, looksKnown, names}, at) => {
        const near = closest[at] ?? null;
        return {
          line,
          text: utf8(text),
          envelopes: names,
          looksKnown,
          closest: near === null ? null : {message: named(near), column: columnOf(text, near.offset), expected: near.expected},
        };
      }),
    })),
  };
}

function explained({summary, inquiry, closest}: ExplainedInput, forced: ForcedChoice, options: InquiryOptions): string {
  const {bold} = options.paint;
  const packed = summary.compression === 'none' ? '' : ` (${summary.compression})`;
  const {events, requests, noise, application, unknown} = summary.counts;
  const counts =
    `${counted(events, 'event')}, ${counted(requests, 'request')}, ${thousands(noise)} of no interest, ` +
    `${thousands(application)} of the application, ${thousands(unknown)} unknown`;
  const head = wrap(
    `${bold(printable(inputName(summary.name)))}${packed}, ${counted(summary.lines, 'line')}: ${counts}`,
    options.width,
  );
  if (inquiry === undefined) return `${head}\n  No line holds anything to be told apart.`;
  return [
    head,
    section('Choice', choices(inquiry, forced, options), options),
    section('Envelopes', tried(inquiry.envelopes, [...envelopeNames, PLAIN], forced.envelopes, options), options),
    section('Supervisors', supervisors(inquiry, forced, options), options),
    section('Where lines stop matching', misses(inquiry.missed, closest, options), options),
    section('To force another choice', remedies(inquiry, options), options),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function section(title: string, lines: readonly string[], {paint}: InquiryOptions): string {
  return lines.length === 0 ? '' : [paint.bold(title), ...lines].join('\n');
}

/** Per stream: what it was read as and on the strength of how many lines. */
function choices({streams}: InputInquiry, forced: ForcedChoice, {width}: InquiryOptions): string[] {
  const shown = [...streams].sort(([, a], [, b]) => b.lines - a.lines).slice(0, MOST_STREAMS);
  const lines = shown.map(([name, stream]) => {
    const who = name === null ? 'Lines that name no source' : `Source ${printable(name)}`;
    return wrap(`${who}, from line ${stream.firstLine}: ${reason(stream, forced)}`, width, '  ', '    ');
  });
  return streams.size > shown.length ? [...lines, `  … and ${counted(streams.size - shown.length, 'more source')}`] : lines;
}

function reason({lines, recognised, programs, routes}: StreamInquiry, {supervisors, envelopes}: ForcedChoice): string {
  const routesByUse = byUse(routes);
  const around = routesByUse
    .slice(0, 3)
    .map(([route, count]) => `${route === PLAIN ? 'in no envelope' : `inside ${route}`} (${counted(count, 'line')})`)
    .join(', ');
  const more = routesByUse.length > 3 ? ` and ${counted(routesByUse.length - 3, 'other way')}` : '';
  const found = byUse(programs);
  const who = found.length === 0 ? 'as nothing known' : `as ${found.map(([id]) => id).join(', ')}`;
  const why =
    found.length === 0
      ? `no known message stands in ${lines === 1 ? 'it' : `its ${counted(lines, 'line')}`}`
      : `${thousands(recognised)} of its ${counted(lines, 'line')} ${recognised === 1 ? 'holds' : 'hold'} a message (${found.map(([id, count]) => `${id} ${thousands(count)}`).join(', ')})`;
  const by = [
    ...(supervisors === undefined ? [] : [`--supervisor ${supervisors.join(', ')}`]),
    ...(envelopes === undefined ? [] : [`--envelope ${envelopes.join(', ')}`]),
  ];
  return `read ${who}, ${around}${more}, because ${why}${by.length === 0 ? '' : `; forced by ${by.join(' and ')}`}`;
}

function tried(
  found: ReadonlyMap<string, number>,
  all: readonly string[],
  forced: readonly string[] | undefined,
  {width}: InquiryOptions,
): string[] {
  const asked = forced === undefined ? all : all.filter((name) => forced.includes(name));
  const none = asked.filter((name) => !found.has(name) && name !== PLAIN);
  return [
    ...byUse(found).map(([name, count]) => `  ${name.padEnd(COLUMN)}${counted(count, 'line')}`),
    ...(none.length === 0 ? [] : [wrap(`tried, on no line: ${none.join(', ')}`, width, '  ', '    ')]),
  ];
}

function supervisors({programs}: InputInquiry, forced: ForcedChoice, {width}: InquiryOptions): string[] {
  const asked = forced.supervisors ?? supervisorNames;
  const found = [...programs].sort(([, a], [, b]) => b.taken - a.taken || b.possible - a.possible);
  const none = asked.filter((name) => !programs.has(name));
  return [
    ...found.map(([name, {taken, possible}]) => {
      const also = possible === 0 ? '' : `, and could have written ${thousands(possible)} that another was preferred for`;
      return wrap(`${counted(taken, 'line')}${also}`, width, `  ${name.padEnd(COLUMN)}`);
    }),
    ...(none.length === 0 ? [] : [wrap(`tried, on no line: ${none.join(', ')}`, width, '  ', '    ')]),
  ];
}

function misses(missed: readonly MissedLine[], closest: readonly (Closest | null)[], options: InquiryOptions): string[] {
  return missed
    .map((line, at) => ({line, near: closest[at] ?? null}))
    .sort((a, b) => Number(b.line.looksKnown) - Number(a.line.looksKnown) || a.line.line - b.line.line)
    .flatMap(({line, near}) => miss(line, near, options));
}

function miss({line, text, looksKnown, names}: MissedLine, near: Closest | null, {width, paint}: InquiryOptions): string[] {
  const inside = names.length === 0 ? '' : `, inside ${names.join(' > ')}`;
  const kind = looksKnown ? 'looks like a supervisor’s' : 'taken for the application’s';
  const room = width - 4;
  const head = `  ${paint.dim(`line ${line}, ${kind}${inside}`)}`;
  if (near === null)
    return [
      head,
      `    ${Array.from(printable(utf8(text)))
        .slice(0, room)
        .join('')}`,
      `    ^ nothing that is known begins like this`,
    ];
  const before = Array.from(printable(utf8(text.slice(0, near.offset))));
  const after = Array.from(printable(utf8(text.slice(near.offset))));
  // What stands before the caret gives way where the line is long.
  const kept = before.length > room * 0.7 ? ['…', ...before.slice(-Math.floor(room * 0.7))] : before;
  return [
    head,
    `    ${[...kept, ...after].slice(0, room).join('')}`,
    `    ${' '.repeat(kept.length)}^`,
    wrap(`${named(near)} goes on here with ${printable(near.expected)}`, width, '    '),
  ];
}

function named({program, message}: Closest): string {
  return program === null ? `the envelope ${message}` : `${program}/${message}`;
}

function remedies({programs, envelopes}: InputInquiry, {width}: InquiryOptions): string[] {
  const others = [...programs].filter(([id, {possible}]) => possible > 0 && supervisorNames.includes(id)).map(([id]) => id);
  const peeled = [...envelopes.keys()].filter((name) => name !== PLAIN);
  return [
    wrap(
      `--supervisor NAME reads the words of one supervisor only${others.length === 0 ? '' : `; here ${others.join(' or ')} is possible as well`}`,
      width,
      '  ',
      '    ',
    ),
    wrap(
      `--envelope NAME peels one envelope only, --envelope ${PLAIN} none${peeled.length < 2 ? '' : `; each may be given several times, so ${peeled.map((name) => `--envelope ${name}`).join(' ')} is what was done here`}`,
      width,
      '  ',
      '    ',
    ),
  ];
}

function byUse(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(([, a], [, b]) => b - a);
}

/** Text that was kept byte by byte. */
function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** From 1, in characters. */
function columnOf(bytes: string, offset: number): number {
  return Array.from(utf8(bytes.slice(0, offset))).length + 1;
}
