/** What both renderers say in the same words. Text of the log is escaped here. */

import type {Outage} from '../../measures/capacity.ts';
import type {State} from '../../measures/life.ts';
import {counted} from '../../number.ts';
import type {LineRef, Trigger} from '../../timeline/event.ts';
import {groupBy} from '../../timeline/group.ts';
import type {Duration, Instant} from '../../timeline/time.ts';
import type {Instance, Process, Reload} from '../../timeline/timeline.ts';
import {longDuration, shortDuration} from '../duration.ts';
import {printable} from '../escape.ts';
import {type Clock, showInstant} from '../instant.ts';
import {ranges} from '../ranges.ts';
import {unfinished} from '../unfinished.ts';
import type {Account, Link, Path, Phase} from './path.ts';
import type {MarkKind, Picture, Row} from './picture.ts';

export const STATES: Readonly<Record<State, string>> = {
  serving: 'can serve',
  asked: 'told to stop or leaving, still there',
  starting: 'starting, application not loaded yet',
  gone: 'no process',
  unknown: 'the log does not tell',
};

export const MARKS: Readonly<Record<MarkKind, string>> = {
  trigger: 'begins',
  again: 'asked for again',
  kill: 'killed',
  crash: 'crashed',
  're-executed': 'master starts anew',
  spawn: 'new process',
  complete: 'complete',
};

const KINDS: Readonly<Record<Reload['kind'], string>> = {
  graceful: 'Graceful reload',
  brutal: 'Brutal reload',
  chain: 'Chain reload',
  workers: 'Reload of the workers alone',
  hup: 'Reload by HUP',
  usr2: 'Replacement of the master (USR2)',
  stop: 'Stop',
};

const TRIGGERS: Readonly<Record<Trigger, string>> = {
  touch: 'asked for by a touched file',
  signal: 'asked for by a signal',
  fifo: 'asked for through the master FIFO',
  autoreload: 'asked for by the autoreloader',
  unknown: '',
};

/** Kind, trigger, begin, duration with its bounds, outcome. */
export function headingOf(
  {reload, instance}: Picture,
  clock: Clock,
  place: (line: LineRef) => string,
  manyInstances: boolean,
): string {
  const whose = manyInstances ? [`of ${server(instance)}`] : [];
  if (reload === null) return [`Workers of ${server(instance)}, the whole log: it shows no reload and no stop`].join(', ');
  const {kind, trigger, startedAt, endedAt, duration, outcome, headless, began} = reload;
  const begun =
    startedAt.earliest === null && startedAt.latest === null
      ? []
      : [`${headless ? 'first seen' : 'begun'} ${showInstant(startedAt, clock)}`];
  const over =
    endedAt === null || (endedAt.earliest === null && endedAt.latest === null) ? '' : ` ${showInstant(endedAt, clock)}`;
  const took = {
    completed: `took ${longDuration(duration)}, completed${over}`,
    unfinished: unfinished(reload, clock, place),
    failed: `failed${over}${duration.max === null && duration.min === 0 ? '' : ` after ${longDuration(duration)}`}`,
  }[outcome];
  const about = [KINDS[kind], ...whose, ...(trigger === 'unknown' ? [] : [TRIGGERS[trigger]]), ...begun].join(', ');
  return `${about} (${place(began)}): ${took}`;
}

export function server({supervisor, name, id}: Instance): string {
  return `${supervisor === 'uwsgi' ? 'uWSGI' : printable(supervisor)}${name === null ? '' : ` "${printable(name)}"`} (${printable(id)})`;
}

/** "3  4711 → 4720": the number of the place, and who held it first and last. */
export function rowNames(rows: readonly Row[], arrow: string): readonly string[] {
  // Figures one below the other: a figure space is as wide as a digit also where letters are of different widths.
  const widest = Math.max(...rows.map(({name}) => (NUMBER.test(name) ? name.length : 0)));
  return rows.map(({name, pids}) => {
    const [first, last] = [pids[0], pids.at(-1)];
    const between = pids.length > 2 ? ` (${pids.length - 2} more)` : '';
    const who = first === last ? `${first ?? ''}` : `${first}${arrow}${last}${between}`;
    const number = NUMBER.test(name) ? name.padStart(widest, FIGURE_SPACE) : printable(name);
    return name === '' ? `pid ${who}` : `${number}  ${who}`;
  });
}

const NUMBER = /^\d+$/;
const FIGURE_SPACE = '\u2007';

/** Where there is no room for the pids. */
export function shortRowName({name, pids}: Row): string {
  return name === '' ? String(pids.at(-1) ?? '') : printable(name);
}

/** "nobody served for 3 to 8 s, from 16:49:11 …" */
export function outageInWords({from, duration, isCertain, to}: Outage, clock: Clock): string {
  const since = from.earliest === null && from.latest !== null ? `${clock(from.latest)} at the latest` : showInstant(from, clock);
  if (!isCertain)
    return `it may be that nobody could serve for ${longDuration({min: 0, max: duration.max})} around ${clock(from.earliest ?? 0)}`;
  if (to.latest === null) return `nobody could serve from ${since} on: no worker is back within this picture`;
  return `nobody could serve for ${longDuration(duration)}, from ${since}`;
}

/** "61 s mercy, 0–1 s restart, 1–2 s load" */
function phasesInWords({phases}: Link): string {
  return phases.map((phase) => `${known(phase.duration)}${spending(phase)}`).join(', ');
}

function known(duration: Duration): string {
  return duration.min === 0 && duration.max === null ? '' : `${shortDuration(duration)} `;
}

function spending({spent, isOver}: Phase): string {
  return {
    mercy: 'waiting for mercy to run out',
    leaving: isOver ? 'until it had left' : 'waiting for it to leave when the log ends',
    restart: isOver ? 'to the new process' : 'without a new process when the log ends',
    load: isOver ? 'until that one was ready' : 'waiting for that one to be ready when the log ends',
    end: 'to the end of the master',
  }[spent];
}

/** One line of the bill: what it cost, its share, what for. */
interface BillLine {
  readonly cost: string;
  readonly share: string;
  readonly what: string;
}

export function billOf(path: Path, {kind}: Reload): readonly BillLine[] {
  const lines = path.accounts
    .filter(({sum, isOver}) => sum.max !== 0 && !(isOver && sum.min === 0 && sum.max === null))
    .map((account) => ({
      cost: shortDuration(account.sum),
      share: account.share === null ? '' : percentage(account.share),
      what: kind === 'chain' ? chainedWhat(account, path) : togetherWhat(account, path),
    }));
  const {after} = path;
  if (after === null || after.max === 0) return lines;
  return [
    ...lines,
    {
      cost: shortDuration(after),
      share: '',
      what: 'after it counted as complete, until the last new worker had loaded the application',
    },
  ];
}

/** "4 × 61 s: workers 1-4 were waited for until they were killed" */
function chainedWhat({spent, count, each, isOver}: Account, {links}: Path): string {
  const times = count === 1 ? '' : `${count} × ${shortDuration(each)} `;
  const phases = links.flatMap((link) => link.phases.map((phase) => ({link, phase})));
  const who = workersOf(phases.filter(({phase}) => phase.spent === spent).map(({link}) => link));
  switch (spent) {
    case 'mercy':
      return `${times}waiting for mercy to run out: ${who} did not leave and ${count === 1 ? 'was' : 'were'} killed`;
    case 'leaving':
      return isOver
        ? `${times}waiting for ${who} to leave`
        : `${times}waiting for ${who} to leave, and not over when the log ends`;
    case 'start':
      return `${times}start of the ${count === 1 ? 'replacement' : 'replacements'}${isOver ? ', until the chain went on' : ': not ready when the log ends'}`;
    case 'end':
      return `${times}end`;
  }
}

function togetherWhat({spent, isOver}: Account, {links, others}: Path): string {
  const [link] = links;
  const who = link?.process == null ? 'the last worker' : workerOf(link.process);
  const rest =
    others === null || (others.wait.min === 0 && others.wait.max === null)
      ? ''
      : `; ${others.count === 1 ? 'the other one' : `the other ${others.count}`} took ${longDuration(others.wait)}`;
  const phases = link?.phases ?? [];
  switch (spent) {
    case 'mercy':
      return `waiting for ${who}, which did not leave and was killed${why(link?.process ?? null)}${rest}`;
    case 'leaving':
      if (link?.process?.end === 'lost') return `until all workers were gone; how ${who} ended is not in the log${rest}`;
      return isOver
        ? `until the last worker had left by itself: ${who}${rest}`
        : `waiting for ${who}, which had not left when the log ends`;
    case 'start':
      return `start of the new generation${phases.some((phase) => phase.spent === 'load') ? `: ${startParts(phases)}` : ''}`;
    case 'end':
      return 'from its end to the end of the master';
  }
}

function startParts(phases: readonly Phase[]): string {
  return phases
    .filter(({spent}) => spent === 'restart' || spent === 'load')
    .map(
      ({spent, duration}) =>
        `${shortDuration(duration)} ${spent === 'load' ? 'loading the application' : 'for the new master and its workers'}`,
    )
    .join(', ');
}

function why(process: Process | null): string {
  const deadline = process?.forced?.deadline;
  return deadline === 'mercy' ? ' when mercy ran out' : deadline === undefined ? '' : ` (${deadline})`;
}

function workerOf({worker, pid}: Process): string {
  return worker === null ? `pid ${pid}` : `worker ${worker} (pid ${pid})`;
}

function workersOf(links: readonly Link[]): string {
  const numbers = links.flatMap(({worker}) => worker ?? []);
  if (numbers.length < links.length) return counted(links.length, 'worker');
  return `${numbers.length === 1 ? 'worker' : 'workers'} ${ranges(numbers)}`;
}

/** The links of a chain, those that fared alike on one line: "workers 1-4, 63 s each: …". */
export function linksInWords({links}: Path): readonly string[] {
  return [...groupBy(links, (link) => `${shortDuration(link.duration)}: ${phasesInWords(link)}`).values()].map((alike) => {
    const [first] = alike;
    const cost = known(first.duration).trimEnd();
    return `${workersOf(alike)}${cost === '' ? '' : `, ${cost}`}${alike.length > 1 ? ' each' : ''}: ${phasesInWords(first)}`;
  });
}

function percentage({min, max}: Duration): string {
  const [low, high] = [Math.round(min * 100), Math.round((max ?? 1) * 100)];
  return low === high ? `${low} %` : `${low}–${high} %`;
}

/** "killed 08:20:01 ×3" */
export function markInWords(kind: MarkKind, at: Instant, count: number, clock: Clock): string {
  const when = at.earliest === null && at.latest === null ? '' : ` ${showInstant(at, clock)}`;
  return count === 1 ? `${MARKS[kind]}${when}` : `${MARKS[kind]} × ${count}, first${when}`;
}

/** A moment without anybody that may not have been is mentioned only where it may have been felt. */
export function worthTelling({isCertain, duration}: Outage): boolean {
  return isCertain || (duration.max !== null && duration.max >= 1);
}

export const NOTHING = 'Nothing to draw: the log tells of no worker, no reload and no stop.';

export function moreReloads(count: number): string {
  return (
    `… and ${counted(count, 'more reload or stop', 'more reloads and stops')}: drawn are the last and those that took longest; ` +
    '--reload N shows any'
  );
}
