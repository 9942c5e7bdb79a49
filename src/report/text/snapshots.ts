import {counted} from '../../number.ts';
import type {LogEvent} from '../../timeline/event.ts';
import {isBefore} from '../../timeline/time.ts';
import type {Process, Timeline} from '../../timeline/timeline.ts';
import {printable} from '../escape.ts';
import {day, timeOfDay} from '../instant.ts';
import {wrap} from '../wrap.ts';
import type {Page} from './page.ts';

const LABEL = 'Seen      ';
const MOST = 24;
/** Seconds within which workers are replaced together. */
const TOGETHER = 3;

/** What snapshots of the running processes show, and where the log tells otherwise. */
export function snapshots(timeline: Timeline, page: Page): string {
  const shown = timeline.events.filter(({meaning}) => meaning.kind === 'snapshot' || meaning.kind === 'process-seen');
  const processes = timeline.instances.flatMap((instance) => instance.processes);
  const lines = shown.slice(0, MOST).map((event, n) => {
    if (event.meaning.kind === 'snapshot') return snapshot(event, rowsBehind(shown, n), page);
    const process = processes.find(({remarks}) => remarks.includes(event));
    return `${seen(event)} (${page.place(event)})${contradiction(event, process, page)}`;
  });
  if (shown.length > MOST) lines.push(`… and ${counted(shown.length - MOST, 'more line')} (logdoctor events has all)`);
  return lines
    .map((line, n) => wrap(line, page.width, n === 0 ? LABEL : ' '.repeat(LABEL.length), ' '.repeat(LABEL.length)))
    .join('\n');
}

function rowsBehind(shown: readonly LogEvent[], snapshot: number): readonly LogEvent[] {
  const next = shown.findIndex(({meaning}, n) => n > snapshot && meaning.kind === 'snapshot');
  return shown.slice(snapshot + 1, next < 0 ? undefined : next);
}

function snapshot(event: LogEvent, rows: readonly LogEvent[], page: Page): string {
  const {requests, queued} = event.fields;
  const taken = event.at.earliest === null ? '?' : `${day(event.at.earliest)} ${timeOfDay(event.at.earliest)}`;
  const queue = queued === undefined ? '' : `, ${counted(Number(queued), 'connection')} in the listen queue`;
  return [
    `snapshot taken ${taken}: ${counted(Number(requests ?? 0), 'request')} in all${queue} (${page.place(event)}).`,
    'Requests and spawns are counted from the start of the server on, over all processes that had the number of the worker.',
    ...inStep(rows),
  ].join(' ');
}

/** Workers that were all replaced at one moment. A snapshot does not tell why. */
function inStep(rows: readonly LogEvent[]): readonly string[] {
  const again = rows
    .filter(({fields}) => Number(fields['spawns'] ?? 1) > 1)
    .map(({worker, fields}) => ({worker, at: clockOf(fields)}));
  const groups = again.map(({at}) => again.filter((other) => other.at >= at && other.at <= at + TOGETHER));
  const most = groups.reduce((best, group) => (group.length > best.length ? group : best), []);
  if (most.length < 2 || most.length * 2 <= rows.length) return [];
  const names = most.map(({worker}) => worker).sort((a, b) => Number(a) - Number(b));
  return [
    `Workers ${names.join(', ')} were last replaced within ${TOGETHER} s: that agrees with recycling in step (max-requests, a limit ` +
      'on memory) and with a reload of the workers.',
  ];
}

/** Seconds since midnight of the last spawn; NaN where it is not told. */
function clockOf({lastSpawn}: LogEvent['fields']): number {
  const [hours, minutes, seconds] = String(lastSpawn).split(':').map(Number);
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

function seen({pid, worker, meaning, fields}: LogEvent): string {
  const {requests, spawns, lastSpawn, state} = fields;
  const facts = [
    ...(state === undefined ? [] : [printable(String(state))]),
    ...(requests === undefined ? [] : [counted(Number(requests), 'request')]),
    ...(spawns === undefined ? [] : [`spawned ${Number(spawns) === 1 ? 'once' : counted(Number(spawns), 'time')}`]),
    ...(lastSpawn === undefined ? [] : [`${Number(spawns) === 1 ? 'at' : 'last at'} ${printable(String(lastSpawn))}`]),
  ];
  const name = `${meaning.role ?? 'process'}${worker === null ? '' : ` ${worker}`} (pid ${pid})`;
  return facts.length === 0 ? `${name} is there` : `${name}: ${facts.join(', ')}`;
}

/** The process had ended, as the log has it. */
function contradiction(event: LogEvent, process: Process | undefined, page: Page): string {
  const {ended, end} = process ?? {ended: null, end: 'running'};
  if (ended === null || end === 'running' || end === 'lost' || !isBefore(ended.at, event.at)) return '';
  return `. That contradicts ${page.place(ended)}, by which this process had ended: another process with its pid, another server, or a line that is later than the snapshot`;
}
