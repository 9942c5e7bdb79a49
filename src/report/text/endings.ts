import {counted} from '../../number.ts';
import type {Process, Timeline} from '../../timeline/timeline.ts';
import {UNKNOWN_PID} from '../../timeline/timeline.ts';
import {seconds} from '../duration.ts';
import {printable} from '../escape.ts';
import {showInstant} from '../instant.ts';
import {wrap} from '../wrap.ts';
import type {Page} from './page.ts';

const LABEL = 'Ended     ';
const MOST = 12;

/** Who ended the processes that did not leave by themselves, as far as no reload's table tells. */
export function endings(timeline: Timeline, page: Page): string {
  const told = new Set(timeline.reloads.flatMap(({instance, workers}) => workers.map(({oldPid}) => `${instance} ${oldPid}`)));
  const inner = new Set(
    timeline.instances.flatMap(({runsAs, processes}) => (runsAs === null ? [] : processes.map(({pid}) => pid))),
  );
  const ended = timeline.instances.flatMap(({id, supervisor, processes}) =>
    processes
      .filter(
        ({end, pid, role}) =>
          (end === 'forced' || end === 'crashed' || end === 'killed') &&
          !told.has(`${id} ${pid}`) &&
          // The program of an outer supervisor is the master of its own log.
          !(role === 'program' && pid !== UNKNOWN_PID && inner.has(pid)),
      )
      .map((process) => ({process, of: timeline.instances.length > 1 ? ` of ${id}` : '', supervisor})),
  );
  const lines = ended.slice(0, MOST).map(({process, of}) => {
    const owner = process.ownedBy ?? process.ended;
    const at =
      process.endedAt.earliest === null && process.endedAt.latest === null ? '' : `, ${showInstant(process.endedAt, page.clock)}`;
    return `${nameOf(process)}${of}${at}: ${howItEnded(process)}${owner === null ? '' : ` (${page.place(owner)})`}`;
  });
  if (ended.length > MOST) lines.push(`… and ${counted(ended.length - MOST, 'more', 'more')} (--json has all)`);
  return lines
    .map((line, n) => wrap(line, page.width, n === 0 ? LABEL : ' '.repeat(LABEL.length), ' '.repeat(LABEL.length)))
    .join('\n');
}

function nameOf({role, worker, pid, program}: Process): string {
  const mark = worker ?? program;
  const known = role === 'other' ? 'process' : role;
  return `${known}${mark === null ? '' : ` ${printable(String(mark))}`}${pid === UNKNOWN_PID ? '' : ` (pid ${pid})`}`;
}

/** In words, without the supervisor's jargon; the jargon follows where it helps to find the line. */
export function howItEnded({end, ended, forced, killedBy, ownedBy, leaving, signal, role, remarks}: Process): string {
  const bySignal = signal === null ? '' : `, signal ${printable(signal)}`;
  switch (end) {
    case 'clean':
      return 'left by itself';
    case 'forced':
      // Its line tells of the strike and not of the end: since 2.0.22 the first may be a gentle one.
      if (forced?.deadline === 'harakiri' && ended === null)
        return 'struck by harakiri: a request took too long; no line tells its end';
      if (killedBy === 'kernel') return 'killed by the kernel: memory ran out';
      return `${forced?.inferred ? 'probably ' : ''}killed${isOuter(killedBy) ? ` by ${killedBy === 'platform' ? 'the platform' : killedBy}` : ''}${
        forced === null
          ? ''
          : `: ${isOuter(killedBy) ? `${OUTER_DEADLINES[forced.deadline] ?? DEADLINES[forced.deadline]}${after(forced)}` : DEADLINES[forced.deadline]}`
      }`;
    case 'crashed':
      return role === 'program' && signal === null ? 'ended with an error' : `crashed${bySignal}`;
    case 'killed':
      if (ownedBy !== null) return `killed${bySignal}: its supervisor passed the signal on, to have the log opened anew`;
      return `killed${bySignal}: ${isByClient(remarks) ? 'through systemd, at the request of a client (systemctl kill)' : 'nobody in the log owns up to it'}`;
    case 'lost':
      return leaving === null ? 'not shown in the log' : 'said that it leaves; its end is not shown';
    case 'running':
      return 'still there when the log ends';
  }
}

function isOuter(killedBy: Process['killedBy']): boolean {
  return killedBy === 'supervisord' || killedBy === 'systemd' || killedBy === 'platform';
}

function after({patience}: NonNullable<Process['forced']>): string {
  return patience === null || patience.max === null ? '' : ` after ${seconds(patience.max)}`;
}

function isByClient(remarks: Process['remarks']): boolean {
  return remarks.some(({meaning}) => meaning.kind === 'signal-passed-on');
}

const DEADLINES: Readonly<Record<NonNullable<Process['forced']>['deadline'], string>> = {
  mercy: 'mercy ran out (NO MERCY)',
  harakiri: 'a request took too long (harakiri)',
  'evil-reload': 'too much memory (evil reload)',
  brutal: 'no patience asked for (brutal)',
  timeout: 'worker timeout',
  'stop-timeout': 'stop timeout',
  watchdog: 'no sign of life in time (watchdog)',
  memory: 'memory ran out',
};

/** The same of a supervisor that runs whole programs. */
const OUTER_DEADLINES: Partial<typeof DEADLINES> = {
  timeout: 'its time was over',
  brutal: 'left behind by the main process',
};
