import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import {type Finding, type Fix, NO_SETTING, type Rule} from './rule.ts';
import {survivalsIn} from './survivors.ts';
import {type UnitLines, unitFix, unitsWith} from './unit-lines.ts';
import {count, evidence, list, proof, sentences, unique} from './wording.ts';

/** `late`: they ignored SIGTERM. `cut`: killed at once when the main process had gone. `left`: nobody killed them. */
type Kind = 'late' | 'cut' | 'left';

const LEFT = ['systemd/process-remains', 'systemd/left-over-process', 'systemd/still-around'];

const rule: Rule = {
  id: 'stop-left-processes',
  title: 'Processes of a unit outlived its main process at a stop',
  severity: 'error',
  docs: {
    sees:
      'A stop of a unit at which the main process ended and others did not: systemd waited for them until TimeoutStopSec ' +
      '(final-sigterm), killed them at once (KillMode=mixed), or left them alone (KillMode=process, none).',
    why:
      'Those are workers with requests in hand, spoolers, or children of the application. Killed, they lose their work; left ' +
      'alone, they hold the port and run old code beside the next start.',
    remedy: 'Let the master wait for its workers before it goes. KillMode=mixed or control-group ends what is left.',
    limits: 'Among the processes that it kills, systemd lists threads. What they were doing, only their own log tells.',
    references: ['https://www.freedesktop.org/software/systemd/man/latest/systemd.kill.html'],
  },
  restsOnOwners: true,
  needs: {
    messages: ['systemd/stopping', 'systemd/stopped', 'systemd/killing-process', ...LEFT],
    otherwise: 'no line of systemd about a stop is in this log',
  },
  *check(timeline) {
    // A start that found the port held says more of what was left.
    const isTold = survivalsIn(timeline).length > 0;
    for (const unit of unitsWith(timeline, ['systemd/killing-process', 'systemd/stop-timeout', ...LEFT])) {
      for (const kind of ['late', 'cut', 'left'] as const) {
        if (!(kind === 'left' && isTold)) yield describe(unit, kind);
      }
    }
  },
};

export default rule;

function proofsOf({events}: UnitLines, kind: Kind): readonly LogEvent[] {
  if (kind === 'left') return events.filter(({message}) => LEFT.includes(message));
  const late = events.filter(({message, fields}) => message === 'systemd/stop-timeout' && fields.afterMain !== undefined);
  if (kind === 'late') return late;
  // Killed without that any patience had run out since the stop began, and the unit ended in good order.
  return events.filter(({message, fields, ...event}, n) => {
    if (message !== 'systemd/killing-process' || fields.signal !== 'SIGKILL') return false;
    const since = events.slice(0, n).findLastIndex((other) => ['systemd/stopping', 'systemd/started'].includes(other.message));
    if (since < 0 || events[since]?.message !== 'systemd/stopping') return false;
    const isTimeout = events
      .slice(since, n)
      .some((other) => other.meaning.kind === 'process-forced' && other.message !== 'systemd/killing-process');
    const down = events.slice(n).find((other) => ['systemd/deactivated', 'systemd/failed'].includes(other.message));
    return !isTimeout && down?.message === 'systemd/deactivated' && event.pid !== null;
  });
}

function describe(unit: UnitLines, kind: Kind): Finding | null {
  const proofs = proofsOf(unit, kind);
  const [first] = proofs;
  if (first === undefined) return null;
  const stop = unit.events.findLast(({message}, n) => message === 'systemd/stopping' && n < unit.events.indexOf(first));
  const kills =
    kind === 'late'
      ? unit.events.filter((event) => event.message === 'systemd/killing-process' && precedes(first, event))
      : proofs;
  const names = unique(kills.map(({fields}) => String(fields.process ?? '')).filter((name) => name !== ''));
  const pids = unique(kills.map(({pid}) => pid)).filter((pid) => pid !== null);
  const lines = evidence([
    ...(stop ? [proof(stop, 'the unit is told to stop')] : []),
    ...proofs.slice(0, 4).map((event) => proof(event, SHOWS[kind])),
    ...(kind === 'late' ? kills.slice(0, 3).map((event) => proof(event, 'it is killed')) : []),
  ]);
  if (!lines) return null;
  const who =
    pids.length === 0
      ? 'processes'
      : `${count(pids.length, 'process', 'processes')}${names.length > 0 ? ` (${list(names, 3)})` : ''}`;
  return {
    title: TITLES[kind].replace('UNIT', unit.unit),
    message: sentences(
      `At a stop of ${unit.unit} ${who} outlived the main process. That is proved.`,
      kind === 'late' && 'They did not end at SIGTERM within TimeoutStopSec, and systemd killed them: the stop took that long.',
      kind === 'cut' &&
        'With KillMode=mixed systemd kills what is left as soon as the main process has gone: what they were doing is cut, and the unit still counts as stopped in good order.',
      kind === 'left' &&
        'systemd left them running (KillMode=process or none, or they could not be killed): they may hold the port, and go on with the old code beside the next start.',
      'A master that leaves before its workers, and children of the application, are the usual ones.',
    ),
    confidence: 'certain',
    instance: unit.instance?.id ?? null,
    reload: null,
    pids,
    workers: [],
    evidence: lines,
    against: [],
    cannotSee: ['what they were doing: requests and tasks that were cut have no line here'],
    fixes: FIXES[kind],
    next: [
      `systemctl show ${unit.unit} -p KillMode -p TimeoutStopUSec -p KillSignal`,
      kind === 'left'
        ? `systemd-cgls -u ${unit.unit}   # who is there now; kill those with an old start time`
        : `read what ${unit.unit} itself logged between the stop and this kill`,
    ],
    identity: [unit.unit, kind],
  };
}

const SHOWS: Readonly<Record<Kind, string>> = {
  late: 'the main process has gone, and what is left has not ended in time',
  cut: 'it was still there when the main process had gone, and is killed at once',
  left: 'it runs on after the stop',
};

const TITLES: Readonly<Record<Kind, string>> = {
  late: 'Processes of UNIT did not end at its stop, and systemd killed them',
  cut: 'Processes of UNIT were cut at its stop: the main process left before them',
  left: 'Processes of UNIT run on after its stop',
};

const FIXES: Readonly<Record<Kind, readonly Fix[]>> = {
  late: [
    unitFix(
      'KillMode',
      'mixed',
      'what outlives the main process is killed at once: the stop no longer takes TimeoutStopSec',
      'The main process has gone by then: nothing that is asked nicely is left to ask. Work in those processes is cut.',
      'may-cut-requests',
    ),
  ],
  cut: [
    {
      ...NO_SETTING,
      effect: 'workers end before their master does',
      safety: 'safe',
      why: 'Stop the server by the signal at which the master waits for its workers (gunicorn: TERM; uWSGI: SIGINT, SIGQUIT, or TERM with die-on-term).',
    },
  ],
  left: [
    unitFix(
      'KillMode',
      'mixed',
      'nothing is left behind',
      'control-group is the default and does so too; process and none do not.',
      'may-cut-requests',
    ),
  ],
};
