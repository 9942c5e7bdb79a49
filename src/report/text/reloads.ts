import {stripVTControlCharacters} from 'node:util';
import Table from 'cli-table3';
import {counted} from '../../number.ts';
import {groupBy} from '../../timeline/group.ts';
import {instanceWithId, processesWithPid} from '../../timeline/lookup.ts';
import type {Reload, ReloadedWorker, Timeline} from '../../timeline/timeline.ts';
import {longDuration, shortDuration} from '../duration.ts';
import {type Clock, showInstant} from '../instant.ts';
import {ranges} from '../ranges.ts';
import {unfinished} from '../unfinished.ts';
import {wrap} from '../wrap.ts';
import {howItEnded} from './endings.ts';
import type {Page} from './page.ts';

/** Reloads told at all; the trouble first. */
const MOST_STORIES = 20;
/** Reloads told worker by worker; further ones are told in a sentence. */
const MOST_TABLES = 5;
/** Workers from which on rows that say the same are put together. */
const MOST_ROWS = 8;
const MOST_GROUPS = 24;

/** The story of each reload and stop. */
export function reloads(timeline: Timeline, page: Page): readonly string[] {
  const byTrouble = [...timeline.reloads.filter(worthATable), ...timeline.reloads.filter((reload) => !worthATable(reload))];
  const told = new Set(byTrouble.slice(0, MOST_STORIES));
  const withTable = new Set(byTrouble.filter(worthATable).slice(0, MOST_TABLES));
  const stories = timeline.reloads
    .filter((reload) => told.has(reload))
    .map((reload) => summary(reload, page) + (withTable.has(reload) ? `\n${table(reload, timeline, page)}` : ''));
  const more = timeline.reloads.length - stories.length;
  return more === 0
    ? stories
    : [...stories, `… and ${counted(more, 'more reload or stop', 'more reloads and stops')} (--json has all)`];
}

/** A reload in which all left by themselves is told in a sentence. */
function worthATable({workers, outcome}: Reload): boolean {
  const old = workers.filter((worker) => !isOnlyNew(worker));
  return old.length > 0 && (outcome !== 'completed' || old.some(({end}) => end !== 'clean'));
}

/** Where workers have no numbers, old and new ones stand for themselves. */
function isOnlyNew({worker, oldPid}: ReloadedWorker): boolean {
  return worker === null && oldPid === null;
}

function summary(reload: Reload, page: Page): string {
  const name = `${reload.id}  `;
  const text = wrap(story(reload, page), page.width, name);
  return page.paint.bold(name) + text.slice(name.length);
}

/** What cut it short. */
function causeOf({ended}: Reload): string {
  const kind = ended?.meaning.kind;
  if (kind === 'path-missing') return 'the configuration was not found';
  return kind === 'no-app' || kind === 'app-load-failed' ? 'the application did not load' : 'its master was gone';
}

/** A reload or stop in a sentence, safe to print. */
export function story(reload: Reload, page: Pick<Page, 'clock' | 'place'>): string {
  const {startedAt, endedAt, duration, outcome, workers, trigger, repeated} = reload;
  const asked = trigger === 'unknown' ? '' : `, asked for by ${TRIGGERS[trigger]}`;
  const end = {
    completed: completed(reload, page.clock),
    unfinished: unfinished(reload, page.clock, page.place),
    failed: `cut short${duration.min > 0 ? ` after ${longDuration(duration)}` : ''}${endedAt === null ? '' : ` (${showInstant(endedAt, page.clock)})`}: ${causeOf(reload)}`,
  }[outcome];
  const old = workers.filter((worker) => !isOnlyNew(worker));
  const ends = (['clean', 'forced', 'crashed', 'killed', 'unknown'] as const).flatMap((how) => {
    const count = old.filter((worker) => worker.end === how).length;
    return count === 0 ? [] : [`${counted(count, 'worker')} ${ENDS[how][count === 1 ? 0 : 1]}`];
  });
  const fresh = workers.length - old.length;
  const again = repeated.length === 0 ? [] : [`asked for again ${counted(repeated.length, 'time')} meanwhile`];
  return [
    `${nameOf(reload)}${asked}, ${reload.headless ? 'first seen' : 'begun'} ${showInstant(startedAt, page.clock)} (${page.place(reload.began)}): ${end}`,
    ...ends,
    ...(fresh === 0 ? [] : [`${counted(fresh, 'new worker')} started`]),
    ...again,
  ].join('; ');
}

function completed({endedAt, duration}: Reload, clock: Clock): string {
  const at = endedAt === null || (endedAt.earliest === null && endedAt.latest === null) ? null : showInstant(endedAt, clock);
  // gunicorn tells that a worker leaves, and not when its process has ended.
  if (duration.min === 0 && duration.max === null && endedAt !== null && endedAt.latest === null && endedAt.earliest !== null)
    return `completed at ${clock(endedAt.earliest)} or later`;
  return `completed after ${longDuration(duration)}${at === null ? '' : ` (${at})`}`;
}

/** What no line calls by its name is known by what it did alone. */
function nameOf({kind, headless, workers}: Reload): string {
  if (headless && kind === 'graceful') return 'Full reload';
  if (headless && kind === 'workers' && workers.length === 1)
    return 'Reload of the workers alone, or a signal to this one worker';
  return KINDS[kind];
}

const KINDS: Readonly<Record<Reload['kind'], string>> = {
  graceful: 'Graceful reload',
  brutal: 'Brutal reload',
  chain: 'Chain reload, one worker after another',
  workers: 'Reload of the workers alone',
  hup: 'Reload by HUP',
  usr2: 'Replacement of the master (USR2)',
  stop: 'Stop',
};

const TRIGGERS: Readonly<Record<Exclude<Reload['trigger'], 'unknown'>, string>> = {
  touch: 'a touched file',
  signal: 'a signal',
  fifo: 'the master FIFO',
  autoreload: 'the autoreloader: a source file changed',
};

/** Of one worker, of several. */
const ENDS = {
  clean: ['left by itself', 'left by themselves'],
  forced: ['was killed', 'were killed'],
  crashed: ['crashed', 'crashed'],
  killed: ['was killed, the log does not tell by whom', 'were killed, the log does not tell by whom'],
  unknown: ['has no end in the log', 'have no end in the log'],
} as const;

interface Row {
  readonly worker: ReloadedWorker;
  readonly asked: string;
  readonly waited: string;
  readonly how: string;
}

function table(reload: Reload, timeline: Timeline, page: Page): string {
  const instance = instanceWithId(timeline.instances, reload.instance);
  const rows = reload.workers.map((worker): Row => {
    const process =
      instance === null ? undefined : processesWithPid(instance, worker.oldPid).find(({worker: n}) => n === worker.worker);
    return {
      worker,
      asked: process?.asked ? showInstant(process.asked.at, page.clock) : isOnlyNew(worker) ? '' : '?',
      waited: isOnlyNew(worker) ? '' : shortDuration(worker.wait),
      how: isOnlyNew(worker) ? 'new' : process === undefined ? HOW[worker.end] : howItEnded(process),
    };
  });
  if (new Set(rows.map(({asked}) => asked)).size === 1) rows.sort((a, b) => (a.worker.worker ?? 0) - (b.worker.worker ?? 0));
  const cells = (rows.length > MOST_ROWS ? alike(rows) : rows.map((row) => [row])).map(cellsOf);
  const more = cells.length - MOST_GROUPS;
  const head = ['worker', 'old pid', 'asked', 'waited', 'how it ended', 'new pid'];
  return (
    fitted(head, cells.slice(0, MOST_GROUPS), page) + (more > 0 ? `\n  … and ${counted(more, 'more row')} (--json has all)` : '')
  );
}

const HOW = {
  clean: 'left by itself',
  forced: 'killed',
  crashed: 'crashed',
  killed: 'killed, the log does not tell by whom',
  unknown: 'not shown in the log',
} as const;

/** Rows that differ in worker and pid only. */
function alike(rows: readonly Row[]): readonly (readonly [Row, ...Row[]])[] {
  const looks = ({asked, waited, how, worker}: Row) => [asked, waited, how, worker.newPid === null].join('\n');
  return [...groupBy(rows, looks).values()];
}

function cellsOf(group: readonly Row[]): string[] {
  const numbers = group.flatMap(({worker}) => worker.worker ?? []);
  const pids = (of: 'oldPid' | 'newPid') => {
    const known = group.flatMap(({worker}) => worker[of] ?? []);
    if (known.length === 0) return group.some(({worker: {worker}}) => worker !== null) ? 'none seen' : '';
    const text = ranges(known);
    return text.length <= 24 ? text : counted(known.length, 'pid');
  };
  const {asked, waited, how} = group[0] as Row;
  return [numbers.length === 0 ? '-' : ranges(numbers), pids('oldPid'), asked, waited, how, pids('newPid')];
}

function fitted(head: string[], rows: string[][], {width, paint}: Page): string {
  const table = new Table({
    head: head.map((title) => paint.dim(title)),
    style: {head: [], border: [], 'padding-left': 1, 'padding-right': 1},
    chars: BORDERS,
  });
  table.push(...rows);
  const drawn = table.toString().replace(/ +$/gm, '');
  if (widthOf(drawn.split('\n')[0] ?? '') <= width) return drawn;
  return rows.map((cells) => wrap(inWords(cells), width, '  - ', '    ')).join('\n');
}

function inWords([worker, oldPid, asked, waited, how, newPid]: readonly string[]): string {
  const name = `worker${worker === '-' ? '' : ` ${worker}`}`;
  if (oldPid === '') return `${how} ${name} (pid ${newPid})`;
  return `${name} (pid ${oldPid}): asked ${asked}, waited ${waited}, ${how}${newPid === '' ? '' : `; new pid ${newPid}`}`;
}

/** Rules between head and body only: quiet on the eye, and easy to read aloud. */
const BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: ' ',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' ',
};

function widthOf(line: string): number {
  return Array.from(stripVTControlCharacters(line)).length;
}
