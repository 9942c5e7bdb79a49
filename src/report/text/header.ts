import type {InputNote} from '../../analyze.ts';
import {counted, thousands} from '../../number.ts';
import {stampAt} from '../../timeline/time.ts';
import type {InputSummary, Instance, Timeline} from '../../timeline/timeline.ts';
import {seconds} from '../duration.ts';
import {clip, printable} from '../escape.ts';
import {datedClockOf, day, timeOfDay} from '../instant.ts';
import {inputName} from '../place.ts';
import {recognised} from '../understood.ts';
import {wrap} from '../wrap.ts';
import type {Page} from './page.ts';

const LABEL_WIDTH = 10;
/** Inputs and instances that get a line of their own. */
const MOST_NAMED = 12;

/** What was read, who wrote it, and when: what a reader checks before believing the rest. */
export function header(timeline: Timeline, notes: readonly InputNote[], page: Page): string {
  const lines = [
    ...timeline.inputs.slice(0, MOST_NAMED).flatMap((input) => about(input, page)),
    ...andMore(timeline.inputs.length, 'input'),
    ...notes.map(({input, text}) => labelled('Note', `${printable(inputName(input))}: ${printable(text)}`, page)),
    ...timeline.instances.slice(0, MOST_NAMED).map((instance) => labelled('Server', who(instance), page)),
    ...andMore(timeline.instances.length, 'instance'),
    ...unproved(timeline, page),
    ...configured(timeline, page),
    ...when(timeline, page),
    ...asked(timeline, page),
  ];
  return lines.join('\n');
}

function andMore(count: number, what: string): readonly string[] {
  return count > MOST_NAMED ? [`${label('')}… and ${counted(count - MOST_NAMED, `more ${what}`)} (--json has all)`] : [];
}

function about(input: InputSummary, page: Page): readonly string[] {
  const {counts} = input;
  const packed = input.compression === 'none' ? '' : ` (${input.compression})`;
  const kinds = [
    counted(counts.events, 'event'),
    counted(counts.requests, 'request'),
    ...(counts.noise === 0 ? [] : [`${thousands(counts.noise)} of no interest`]),
    ...(counts.application === 0 ? [] : [`${thousands(counts.application)} of the application`]),
    `${thousands(counts.unknown)} unknown`,
  ];
  const wrapped = input.envelopes.filter((envelope) => envelope !== 'plain');
  const unknown = input.unknownExamples.slice(0, 3);
  return [
    labelled('Read', `${printable(inputName(input.name))}${packed}, ${counted(input.lines, 'line')}: ${kinds.join(', ')}`, page),
    ...(wrapped.length === 0 ? [] : [labelled('Through', printable(wrapped.join(', ')), page)]),
    ...input.oddities.map(({what, count, firstLine}) =>
      labelled('Odd', `${printable(what)}${count > 1 ? `, ${thousands(count)} times` : ''}, first in line ${firstLine}`, page),
    ),
    ...unknown.map((line, i) => {
      const place = `${page.place(line)}  `;
      return `${label(i === 0 ? 'Unknown' : '')}${page.paint.dim(place)}${clip(printable(line.text), page.width - LABEL_WIDTH - place.length)}`;
    }),
  ];
}

function who({id, supervisor, version, name, masterPid, processes, runsAs}: Instance): string {
  const workers = processes.filter(({role}) => role === 'worker');
  const numbered = new Set(workers.flatMap(({worker}) => worker ?? [])).size;
  const others = workers.filter(({worker}) => worker === null).length;
  return [
    `${spelled(supervisor)}${version === null ? '' : ` ${printable(version)}`}${name === null ? '' : ` "${printable(name)}"`} (${id})`,
    ...(masterPid === null ? [] : [`master pid ${masterPid}`]),
    ...(numbered === 0 ? [] : [counted(numbered, 'worker')]),
    ...(others === 0
      ? []
      : [
          counted(
            others,
            `worker process${numbered === 0 ? '' : ' without a number'}`,
            `worker processes${numbered === 0 ? '' : ' without a number'}`,
          ),
        ]),
    ...(runsAs === null
      ? []
      : [`${runsAs.inferred ? 'probably ' : ''}runs as ${printable(runsAs.name)} under ${runsAs.instance}`]),
  ].join(', ');
}

/** Several servers in one log, and no line that tells which of them started a worker. */
function unproved({instances, reloads}: Timeline, page: Page): readonly string[] {
  const named = instances.filter(({unproved: pids}) => pids.length > 0);
  const stops = reloads
    .filter(({rivals}) => rivals.length > 0)
    .map(({id, kind, instance, rivals}) => {
      const did = kind === 'stop' ? 'stopped' : 'reloaded';
      const text = `which of ${[instance, ...rivals].join(', ')} ${did} no line tells; ${id} is taken to be of ${instance}`;
      return labelled('Unproved', text, page);
    });
  if (named.length === 0) return stops;
  const guesses = named.slice(0, MOST_NAMED).map(({id, unproved: pids}) => {
    const rest = pids.length > MOST_NAMED ? ` and ${pids.length - MOST_NAMED} more` : '';
    return `${id}: pid ${pids.slice(0, MOST_NAMED).join(', ')}${rest}`;
  });
  const text = `several servers were running when these workers started, and no line proves whose they are; taken to be of ${guesses.join('; ')}`;
  return [labelled('Unproved', text, page), ...stops];
}

/** Which files the settings of each instance were taken from. */
function configured({instances, configurations, inputs}: Timeline, page: Page): readonly string[] {
  if (configurations.length === 0) return [];
  const uses = instances.slice(0, MOST_NAMED).flatMap(({id, configured: places}) => {
    const names = [
      ...new Set(
        places.map(
          ({heading, section}) => `${configurations[heading.input - inputs.length]}${section === '' ? '' : ` [${section}]`}`,
        ),
      ),
    ];
    return names.length === 0 ? [] : [`${id} by ${names.map(printable).join(' and ')}`];
  });
  return [
    labelled(
      'Config',
      uses.length === 0 ? `${counted(configurations.length, 'file')}, of which none is used: see the notes` : uses.join('; '),
      page,
    ),
  ];
}

/** Of a log of which nothing was understood nobody knows whether it tells a time. */
function when(timeline: Timeline, page: Page): readonly string[] {
  const {from, to, inputs, clockSteps, window} = timeline;
  if (from === null || to === null) {
    if (!inputs.some((input) => recognised(input, timeline))) return [];
    const none =
      window?.until == null ? 'the log carries no time at all' : 'no line before the end that was asked for carries a time';
    return [labelled('Time', none, page)];
  }
  const zones = [...new Set(inputs.flatMap(({zone}) => zone ?? []))];
  const zone = zones.length === 0 ? 'the log does not tell its time zone' : zones.map(printable).join(', ');
  const [first, last] = [stampAt(from, clockSteps), stampAt(to, clockSteps)];
  if (inputs.some(({isDateless}) => isDateless)) {
    const until = from === to ? '' : ` to ${timeOfDay(last)}, ${seconds((to - from) / 1000)}`;
    return [labelled('Time', `${timeOfDay(first)}${until}`, page)];
  }
  const end = day(first) === day(last) ? timeOfDay(last) : `${day(last)} ${timeOfDay(last)}`;
  const span = from === to ? '' : ` to ${end}, ${seconds((to - from) / 1000)}`;
  return [labelled('Time', `${day(first)} ${timeOfDay(first)}${span} (${zone})`, page)];
}

/** What the report is limited to. */
function asked(timeline: Timeline, page: Page): readonly string[] {
  const {since = null, until = null} = timeline.window ?? {};
  const at = datedClockOf(timeline);
  const isTooLate = since !== null && timeline.to !== null && timeline.to < since;
  const parts = [
    ...(since === null
      ? []
      : [
          `from ${at(since)}: what was certainly over before is left out${isTooLate ? '; no line tells a time as late as that' : ''}`,
        ]),
    ...(until === null ? [] : [`until ${at(until)}: the log is read as if it ended there`]),
  ];
  return parts.length === 0 ? [] : [labelled('Asked for', parts.join('; '), page)];
}

function labelled(name: string, text: string, page: Page): string {
  return wrap(text, page.width, label(name), label(''));
}

function label(name: string): string {
  return name.padEnd(LABEL_WIDTH);
}

const SPELLED: Readonly<Record<string, string>> = {uwsgi: 'uWSGI', apache: 'Apache', procfile: 'foreman or honcho'};

function spelled(supervisor: string): string {
  return SPELLED[supervisor] ?? printable(supervisor);
}
