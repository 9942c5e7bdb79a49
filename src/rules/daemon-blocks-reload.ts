import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {precedes} from '../timeline/lookup.ts';
import {between, type Duration} from '../timeline/time.ts';
import type {Instance, Reload, Timeline} from '../timeline/timeline.ts';
import {instanceOfEvent} from './line-owners.ts';
import {type Finding, NO_SETTING, type Rule} from './rule.ts';
import {configured, numberOf} from './settings.ts';
import {duration, evidence, instanceName, isBounded, kindOf, only, proof, seconds, sentences, span, unique} from './wording.ts';

/** Seconds that the master waits for an attached daemon where reload-mercy is not set (core/daemons.c). */
const DEFAULT = 3;

const rule: Rule = {
  id: 'daemon-blocks-reload',
  title: 'An attached daemon did not stop, and the reload waited for it',
  severity: 'warning',
  docs: {
    sees:
      'A daemon that uWSGI runs besides its workers (attach-daemon), that was told to stop at a reload or stop, and that the master ' +
      'had to kill: "daemon did not die in time, killing".',
    why:
      'The master stops its daemons before it tells any worker, one after the other, and does nothing else meanwhile. Each that does ' +
      'not leave holds the reload for reload-mercy (3 s unless set), and is then killed with whatever it had in hand.',
    remedy:
      'Give the daemon the signal it leaves on (attach-daemon2 with stopsignal and reloadsignal), or run it under a supervisor of ' +
      'its own. A longer reload-mercy lets it finish, and lets every reload wait for it.',
    limits:
      'What the daemon lost is in its own log. A daemon that leaves just before the deadline holds the reload as well and is not named.',
    references: ['https://uwsgi-docs.readthedocs.io/en/latest/AttachingDaemons.html'],
  },
  settings: ['attach-daemon', 'attach-daemon2', 'smart-attach-daemon'],
  restsOnOwners: true,
  needs: {
    messages: ['uwsgi/daemon-stopping', 'uwsgi/daemon-spawned', 'uwsgi/daemon-forced'],
    otherwise: 'no attached daemon is in this log',
  },
  *check(timeline) {
    for (const kills of groupBy(killsIn(timeline), ({instance, name}) => `${instance?.id ?? ''} ${name}`).values()) {
      yield describe(kills);
    }
  },
};

export default rule;

interface Kill {
  readonly instance: Instance | null;
  readonly name: string;
  readonly told: LogEvent | null;
  readonly killed: LogEvent;
  /** The line by which the master goes on. */
  readonly next: LogEvent | null;
  readonly wait: Duration | null;
}

function killsIn(timeline: Timeline): Kill[] {
  const told = new Map<string, LogEvent>();
  const kills: Kill[] = [];
  const open: {kill: Kill; stream: string | null}[] = [];
  for (const event of timeline.events) {
    const {kind, role, deadline} = event.meaning;
    const key = `${event.stream} ${event.pid}`;
    if (kind === 'helper-stopping' && role === 'daemon') told.set(key, event);
    else if (kind === 'process-forced' && role === 'daemon' && deadline === 'stop-timeout') {
      const since = told.get(key) ?? null;
      open.push({
        stream: event.stream,
        kill: {
          instance: instanceOfEvent(timeline, event),
          name: String(event.fields['daemon'] ?? event.pid),
          told: since,
          killed: event,
          next: null,
          wait: since && between(since.at, event.at),
        },
      });
    } else if (kind === 'reload-began' || kind === 'stop-began') {
      for (const {kill, stream} of open.splice(0)) kills.push(stream === event.stream ? {...kill, next: event} : kill);
    }
  }
  return [...kills, ...open.map(({kill}) => kill)];
}

function describe(kills: readonly [Kill, ...Kill[]]): Finding | null {
  const [{instance, name}] = kills;
  const reloads =
    instance?.reloads.filter(({began}) => kills.some(({next, killed}) => next === began || isShortlyBefore(began, killed))) ?? [];
  // A stop tells the workers first.
  const isStop = reloads.length > 0 && reloads.every(({kind, began}) => kind === 'stop' && precedes(began, kills[0].killed));
  const mercy = (instance && numberOf(instance, 'reload-mercy')) ?? null;
  const wait = span(kills.map((kill) => kill.wait).filter((each) => each !== null));
  const lines = evidence(
    kills
      .slice(0, 4)
      .flatMap(({told, killed, next}) => [
        ...(told ? [proof(told, 'the daemon is told to stop')] : []),
        proof(killed, 'it did not, and was killed'),
        ...(next ? [proof(next, 'only then the master goes on')] : []),
      ]),
  );
  if (!lines) return null;
  const usual = mercy === null ? `${seconds(DEFAULT)} unless reload-mercy says otherwise` : `${seconds(mercy)} (reload-mercy)`;
  const times = kills.length === 1 ? 'once' : `${kills.length} times`;
  const attached = instance && (configured(instance, 'attach-daemon') ?? configured(instance, 'smart-attach-daemon'));
  return {
    title: rule.title,
    message: sentences(
      `The daemon ${name} was told to stop and had to be killed, ${times}. That is proved.`,
      isStop
        ? 'The master looks after nobody else while it waits for it: workers that have left are found, and NO MERCY is said, only after that. It took'
        : 'The master waits for it before it tells the workers, so',
      !isStop && `${kills.length === 1 ? `the ${kindsOf(reloads)}` : `each ${kindsOf(reloads)}`} began later by what that took:`,
      wait !== null && isClose(wait)
        ? `${duration(wait)}.`
        : `${usual}${wait !== null && isBounded(wait) ? `; the log proves ${duration(wait)}` : ''}.`,
    ),
    confidence: 'certain',
    instance: instance?.id ?? null,
    reload: only(reloads)?.id ?? null,
    pids: unique(kills.map(({killed}) => killed.pid).filter((pid) => pid !== null)),
    workers: [],
    evidence: attached?.where ? [proof(attached.where, 'the daemon is attached here'), ...lines] : lines,
    against: [
      {
        hypothesis: 'app-threads-block-shutdown',
        because: isStop
          ? 'no line tells whether workers were still there while the daemon was waited for'
          : 'the workers had not been told yet when the daemon was waited for',
        line: kills[0].killed.line,
      },
    ],
    cannotSee: ['what the daemon was doing, and what it lost: look into its own log'],
    fixes: [
      {
        ...NO_SETTING,
        safety: 'safe',
        effect: 'reloads no longer wait for it, and it is not killed by them',
        why: 'Run it under a supervisor of its own (a systemd unit, a program of supervisord): it then lives through reloads of the server.',
      },
      {
        ...NO_SETTING,
        safety: 'safe',
        effect: 'it leaves when it is told, if it knows a signal for that',
        why: 'attach-daemon2 = cmd=…,stopsignal=N,reloadsignal=N sends the signal on which it stops in order (15 is the default).',
      },
      {
        setting: 'reload-mercy',
        section: 'uwsgi',
        value: null,
        since: null,
        safety: 'safe',
        effect: `it has more than ${seconds(mercy ?? DEFAULT)} to finish; every reload waits for it that long`,
        why:
          'Choose it above the time that the daemon needs to stop; it gets the signal again each second until then, and so does every ' +
          'process of its group. It has no effect on workers.',
      },
    ],
    next: [`send SIGTERM to ${name} by hand, and see how long it takes to leave`],
    identity: [instance ? instanceName(instance) : 'unknown', 'daemon', name],
  };
}

function kindsOf(reloads: readonly Reload[]): string {
  const [kind, ...others] = unique(reloads.map(kindOf));
  return kind !== undefined && others.length === 0 ? kind : 'reload or stop';
}

function isClose({min, max}: Duration): boolean {
  return max !== null && max - min <= 2;
}

/** Of a touched file the reload counts from the touch. */
function isShortlyBefore(began: LogEvent, killed: LogEvent): boolean {
  return precedes(began, killed) && killed.place - began.place < 20;
}
