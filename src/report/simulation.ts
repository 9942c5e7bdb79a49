import {counted, thousands} from '../number.ts';
import {mercyOf, mercyText} from '../rules/mercy.ts';
import {list, nameOf} from '../rules/wording.ts';
import type {SimulatedReload, Simulation} from '../simulation/simulate.ts';
import type {Duration} from '../timeline/time.ts';
import {type Process, type Timeline, UNKNOWN_PID} from '../timeline/timeline.ts';
import {longDuration} from './duration.ts';
import {printable, printableJson} from './escape.ts';
import type {RenderOptions} from './reporter.ts';
import {countedReloads} from './verdict.ts';
import {wrap} from './wrap.ts';

/** The simulation for people. */
export function simulationText(
  simulation: Simulation,
  timeline: Timeline,
  {width, quiet}: Pick<RenderOptions, 'width' | 'quiet'>,
): string {
  const {wishes, reloads, total, cannotTell} = simulation;
  const lines = [
    ...wishes.map(({name, value}) => wrap(`${name} = ${value}${before(name, timeline)}`, width, 'Try     ')),
    ...wishes.flatMap(({remark}) => (remark === null ? [] : [wrap(remark, width, 'Note    ')])),
    '',
  ];
  if (reloads.length === 0)
    return `${[...lines, 'There is no reload or stop in this log that these settings would change.'].join('\n')}\n`;
  if (!quiet) for (const reload of reloads) lines.push(...aboutReload(reload, width), '');
  lines.push(
    wrap(`${countedReloads(reloads)}: ${change(total.duration)}; ${killed(total.kills)}`, width, 'Total   '),
    ...cuts(simulation).map((text) => wrap(text, width, 'Cut     ')),
  );
  if (cannotTell.length > 0) lines.push('', 'Cannot be told', ...cannotTell.map((what) => wrap(what, width, '  - ', '    ')));
  return `${lines.join('\n')}\n`;
}

function before(name: string, {instances}: Timeline): string {
  if (name !== 'worker-reload-mercy') return '';
  const own = instances.filter(({supervisor}) => supervisor === 'uwsgi');
  const texts = [...new Set(own.map((instance) => mercyText(mercyOf(instance))))];
  return texts.length === 0 ? '' : ` (it was ${list(texts)})`;
}

function aboutReload({id, instance, kind, duration, kills, workers}: SimulatedReload, width: number): string[] {
  const changed = workers.filter(
    ({wait, kills: own}) => wait.now !== wait.after || own.after.min !== own.now || own.after.max !== own.now,
  );
  return [
    wrap(
      `${kind === 'stop' ? 'stop' : `${kind} reload`} of ${printable(instance)}: ${change(duration)}; ${killed(kills)}`,
      width,
      `${printable(id)} `.padEnd(8),
      '        ',
    ),
    ...changed
      .slice(0, 12)
      .map(({process, wait, kills: own}) =>
        wrap(`${subject(process)}: ${waited(wait)}${fate(own)}`, width, '        ', '          '),
      ),
    ...(changed.length > 12 ? [`        … and ${changed.length - 12} more (--json has all)`] : []),
  ];
}

function subject(process: Process): string {
  return process.role === 'program'
    ? `the program${process.pid === UNKNOWN_PID ? '' : ` (pid ${process.pid})`}`
    : nameOf(process);
}

interface Change {
  readonly now: Duration;
  readonly after: Duration;
}

function change({now, after}: Change): string {
  if (isUnknown(now) && isUnknown(after)) return 'how long is not known';
  return now === after ? `${longDuration(now)}, as it was` : `${longDuration(now)} -> ${longDuration(after)}`;
}

function waited(wait: Change): string {
  return isUnknown(wait.now) && isUnknown(wait.after) ? '' : `waited for ${change(wait)}; `;
}

function isUnknown({min, max}: Duration): boolean {
  return min === 0 && max === null;
}

/** What becomes of one worker. */
function fate({now, after}: Simulation['total']['kills']): string {
  if (after.min !== after.max) return now > 0 ? 'killed, and then perhaps not' : 'left by itself, and then perhaps killed';
  if (after.max > 0) return now > 0 ? 'killed all the same' : 'left by itself, and then would be killed';
  return now > 0 ? 'killed, and then would leave by itself' : 'left by itself all the same';
}

function killed({now, after}: Simulation['total']['kills']): string {
  const range = after.min === after.max ? String(after.min) : `${after.min} to ${after.max}`;
  return `killed ${now} -> ${range}`;
}

function cuts({requests, tasks}: Simulation): string[] {
  const {limit} = requests;
  if (limit === null) return [];
  return [
    ...(requests.count === 0
      ? []
      : [
          requests.longer === 0
            ? `none of ${counted(requests.count, 'request')} of this log took longer than ${limit} s`
            : `${thousands(requests.longer)} of ${counted(requests.count, 'request')} of this log took longer than ${limit} s: such a request is cut when a reload begins more than ${limit} s before its end`,
        ]),
    ...(tasks.longer === 0
      ? []
      : [`${thousands(tasks.longer)} of ${counted(tasks.count, 'background task')} took longer than ${limit} s`]),
  ];
}

/** The simulation for programs. */
export function simulationJson({wishes, reloads, total, requests, tasks, cannotTell}: Simulation): string {
  const document = {
    schemaVersion: 1,
    settings: wishes.map(({name, value, takes, remark}) => ({name, value: takes === 'seconds' ? Number(value) : value, remark})),
    reloads: reloads.map(({id, instance, kind, duration, kills, workers}) => ({
      id,
      instance,
      kind,
      duration,
      kills,
      workers: workers.map(({process, wait, kills: own}) => ({
        worker: process.worker,
        pid: process.pid === UNKNOWN_PID ? null : process.pid,
        wait,
        kills: own,
      })),
    })),
    total,
    requests,
    tasks,
    cannotTell,
  };
  return `${printableJson(JSON.stringify(document, null, 2))}\n`;
}
