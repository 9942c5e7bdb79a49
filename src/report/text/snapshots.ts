import {greatest} from '../../extremes.ts';
import {counted} from '../../number.ts';
import type {LogEvent} from '../../timeline/event.ts';
import type {SeenRow, Snapshot, Timeline} from '../../timeline/timeline.ts';
import {printable} from '../escape.ts';
import {day, timeOfDay} from '../instant.ts';
import {wrap} from '../wrap.ts';
import type {Page} from './page.ts';

const LABEL = 'Seen      ';
const MOST = 24;
/** Seconds within which workers are replaced together. */
const TOGETHER = 3;

/** What snapshots of the running processes show, and where the log tells otherwise. Of many, the last, and what contradicts. */
export function snapshots({snapshots: taken}: Timeline, page: Page): string {
  const all = taken.map((snapshot) => linesOf(snapshot, page));
  const count = all.flat().length;
  const doubtful = all.slice(0, -1).flatMap((lines) => lines.filter(({isContradicted}) => isContradicted));
  const shown = count <= MOST ? all.flat() : [...doubtful.slice(0, MOST / 2), ...(all.at(-1) ?? []).slice(0, MOST / 2)];
  const lines = shown.map(({text}) => text);
  const left = count - lines.length;
  if (left > 0)
    lines.push(`… and ${counted(left, 'more line')} of ${counted(taken.length, 'snapshot')} (logdoctor events has all)`);
  return lines
    .map((line, n) => wrap(line, page.width, n === 0 ? LABEL : ' '.repeat(LABEL.length), ' '.repeat(LABEL.length)))
    .join('\n');
}

function linesOf(snapshot: Snapshot, page: Page): {text: string; isContradicted: boolean}[] {
  return [
    ...(snapshot.head === null ? [] : [{text: head(snapshot.head, snapshot, page), isContradicted: false}]),
    ...once(snapshot.rows).map((row) => ({
      text: `${seen(row, snapshot.rows)} (${page.place(row.event)})${contradiction(row, page)}`,
      isContradicted: row.contradicts !== null,
    })),
  ];
}

/** A list of threads has a row for each thread, and a unit's tree shows its main process again. */
function once(rows: readonly SeenRow[]): readonly SeenRow[] {
  const said = new Set<string>();
  return rows.filter((row) => {
    const words = seen(row, rows);
    if (said.has(words)) return false;
    said.add(words);
    return true;
  });
}

function head(event: LogEvent, {rows}: Snapshot, page: Page): string {
  const {requests, queued, unit} = event.fields;
  if (unit !== undefined) return `unit ${printable(String(unit))} (${page.place(event)})`;
  const at = event.at.earliest;
  const taken = event.at.latest === at && at !== null ? ` taken ${page.datedClock(at)}` : notBefore(rows);
  const queue = queued === undefined ? '' : `, ${counted(Number(queued), 'connection')} in the listen queue`;
  return [
    `snapshot${taken}: ${counted(Number(requests ?? 0), 'request')} in all${queue} (${page.place(event)}).`,
    'Requests and spawns are counted from the start of the server on, over all processes that had the number of the worker.',
    ...inStep(rows.map((row) => row.event)),
  ].join(' ');
}

/** The stats server does not tell the time, but what it shows had begun. */
function notBefore(rows: readonly SeenRow[]): string {
  const begun = rows
    .flatMap(({event: {fields}}) => [fields['lastSpawn'], fields['since']])
    .filter((at) => typeof at === 'number');
  return begun.length === 0 ? '' : ` taken at ${when(greatest(begun))} or later`;
}

/** Workers that were all replaced at one moment. A snapshot does not tell why. */
function inStep(rows: readonly LogEvent[]): readonly string[] {
  const again = rows
    .filter(({fields}) => Number(fields['spawns'] ?? 1) > 1)
    .map(({worker, fields}) => ({worker, at: spawnedAt(fields)}));
  const groups = again.map(({at}) => again.filter((other) => other.at >= at && other.at <= at + TOGETHER));
  const most = groups.reduce((best, group) => (group.length > best.length ? group : best), []);
  if (most.length < 2 || most.length * 2 <= rows.filter(({worker}) => worker !== null).length) return [];
  const names = most.map(({worker}) => worker).sort((a, b) => Number(a) - Number(b));
  return [
    `Workers ${names.join(', ')} were last replaced within ${TOGETHER} s: that agrees with recycling in step (max-requests, a limit ` +
      'on memory) and with a reload of the workers.',
  ];
}

/** Seconds, of the day or since 1970, of the last spawn; NaN where it is not told. */
function spawnedAt({lastSpawn}: LogEvent['fields']): number {
  if (typeof lastSpawn === 'number') return lastSpawn;
  const [hours, minutes, seconds] = String(lastSpawn).split(':').map(Number);
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

/** The stats server tells seconds since 1970, uwsgitop a time of day. */
function when(at: string | number | boolean): string {
  return typeof at === 'number' ? `${day(at * 1000)} ${timeOfDay(at * 1000)} UTC` : printable(String(at));
}

/** A worker whose parent is init; in a container that may be its master. */
function isOrphan({event, process}: SeenRow, rows: readonly SeenRow[]): boolean {
  return event.fields['parent'] === 1 && process?.role === 'worker' && !rows.some((row) => row.event.pid === 1);
}

function seen(row: SeenRow, rows: readonly SeenRow[]): string {
  const {event, process} = row;
  const {pid, worker, meaning, fields} = event;
  if (meaning.kind === 'program-seen') return program(event, process?.program ?? null);
  const {requests, spawns, lastSpawn, since, state, server, parent} = fields;
  const facts = [
    ...(state === undefined ? [] : [stateInWords(String(state))]),
    ...(since === undefined ? [] : [`its oldest running request began at ${when(since)}`]),
    ...(requests === undefined ? [] : [counted(Number(requests), 'request')]),
    ...(spawns === undefined ? [] : [`spawned ${Number(spawns) === 1 ? 'once' : counted(Number(spawns), 'time')}`]),
    ...(lastSpawn === undefined ? [] : [`${Number(spawns) === 1 ? 'at' : 'last at'} ${when(lastSpawn)}`]),
    ...(parent === undefined ? [] : [`its parent is pid ${parent}${isOrphan(row, rows) ? ': its master has ended' : ''}`]),
    ...(process === null && meaning.onHost ? ['no line of the log names it'] : []),
  ];
  const role = process?.role ?? meaning.role ?? (server === undefined ? 'process' : `process of ${printable(String(server))}`);
  const number = worker ?? process?.worker ?? null;
  const name = `${role === 'other' ? 'process' : role}${number === null ? '' : ` ${number}`} (pid ${pid})`;
  return facts.length === 0 ? `${name} is there` : `${name}: ${facts.join(', ')}`;
}

/** The letters that ps and the kernel have for the state of a process, where they matter; the words of others as they are. */
function stateInWords(state: string): string {
  if (state.startsWith('Z')) return 'ended, and its parent has not collected it (defunct)';
  if (state.startsWith('D')) return 'in an uninterruptible system call (D): no signal ends it until that returns';
  if (/^[Tt]/.test(state)) return 'stopped by a signal or a debugger (T)';
  return /^[A-Z]/.test(state) ? `there (${printable(state)})` : printable(state);
}

function program({pid, fields}: LogEvent, known: string | null): string {
  const {state, sub, result, reason, since, ago, uptime, code, status, signal} = fields;
  const name = fields['program'] ?? known ?? 'its main process';
  const told = [
    ...(state === undefined ? [] : [`${state}${sub === undefined ? '' : ` (${sub})`}`]),
    ...(result === undefined ? [] : [`result ${result}`]),
    ...(reason === undefined ? [] : [String(reason)]),
    ...(since === undefined || ago === undefined ? [] : [`for ${ago}, since ${since}`]),
    ...(since === undefined || ago !== undefined ? [] : [String(since)]),
    ...(uptime === undefined ? [] : [`up ${uptime}`]),
    ...(code === undefined ? [] : [signal === undefined ? `ended with status ${status}` : `ended by SIG${signal}`]),
  ];
  const who = `${name}${pid === null ? '' : ` (pid ${pid})`}`;
  const what = printable(told.join(', '));
  return state !== undefined && fields['program'] === undefined
    ? what
    : `${printable(who)}${what === '' ? ' is there' : `: ${what}`}`;
}

/** The log tells otherwise. */
function contradiction({contradicts}: SeenRow, page: Page): string {
  if (contradicts === null) return '';
  return `. That contradicts ${page.place(contradicts)}, by which this process had ended: another process with its pid, another server, or a line that is later than the snapshot`;
}
