import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import {namedPrograms} from '../timeline/named-programs.ts';
import {between} from '../timeline/time.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {instanceOfEvent} from './line-owners.ts';
import {type Finding, NO_PROCESS, NO_SETTING, type Rule} from './rule.ts';
import {programOf} from './starts.ts';
import {evidence, list, proof, sentences, unique} from './wording.ts';

/** Seconds between a request to systemd and the stops that belong to it. */
const NEAR = 60;

const rule: Rule = {
  id: 'restarted-from-above',
  title: 'Programs were stopped because something above them was restarted',
  severity: 'info',
  docs: {
    sees:
      'Stops of programs whose reason stands above them: supervisord itself was told to reload (SIGHUP, supervisorctl reload), a package upgrade ' +
      'made systemd run itself anew and restarted units, another unit was restarted on which it depends, or the whole machine went down.',
    why: 'Such a restart is no fault of the program, and the program cannot prevent it. supervisorctl reload restarts every program, not one.',
    remedy:
      'Use supervisorctl update, restart NAME or signal HUP NAME in place of reload; an override for needrestart; a window for upgrades.',
    limits:
      'That a stop belongs to a package upgrade is read from the time: it came within a minute. That two units were restarted ' +
      'together is read from their order, and needs the lines of both (journalctl without -u).',
    references: ['https://supervisord.org/running.html#signals'],
  },
  needs: {
    messages: [
      'supervisord/restart-request',
      'systemd/daemon-reload',
      'systemd/host-goes-down',
      'supervisord/spawned',
      'systemd/stopping',
    ],
    otherwise: 'no line of supervisord or systemd is in this log',
  },
  *check(timeline) {
    const down = timeline.events.find(({message}) => message === 'systemd/host-goes-down');
    yield hangUp(timeline);
    if (down) yield wholeMachine(timeline, down);
    yield upgrade(timeline, down ?? null);
    if (!down) yield* withAnother(timeline);
  },
};

export default rule;

/** One reload of supervisord as a whole. By XML-RPC (supervisorctl reload) it leaves no line of the request. */
interface WholeReload {
  readonly signal: LogEvent | null;
  readonly waiting: LogEvent | null;
  readonly again: LogEvent | null;
}

function wholeReloads(timeline: Timeline): WholeReload[] {
  const own = timeline.events.filter(({message}) => message.startsWith('supervisord/'));
  const found: WholeReload[] = [];
  let signal: LogEvent | null = null;
  let waiting: LogEvent | null = null;
  let isEnding = false;
  let pid: number | null = null;
  for (const event of own) {
    if (event.message === 'supervisord/exit-request') isEnding = true;
    else if (event.message === 'supervisord/restart-request') {
      if (signal !== null) found.push({signal, waiting, again: null});
      signal = event;
    } else if (event.message === 'supervisord/waiting-to-die') waiting ??= event;
    else if (event.message === 'supervisord/started') {
      const isSame = pid !== null && event.pid === pid;
      if (signal !== null || (waiting !== null && isSame && !isEnding))
        found.push({signal, waiting, again: isSame ? event : null});
      signal = null;
      waiting = null;
      isEnding = false;
      pid = event.pid;
    }
  }
  if (signal !== null) found.push({signal, waiting, again: null});
  return found;
}

function hangUp(timeline: Timeline): Finding | null {
  const reloads = wholeReloads(timeline);
  const [first] = reloads;
  const about = first?.signal ?? first?.waiting;
  if (first === undefined || about === undefined || about === null) return null;
  const programs = (first.waiting && namedPrograms(first.waiting)) ?? [];
  const times = reloads.length > 1 ? ` ${reloads.length} times` : '';
  const lines = unique([about, ...(first.waiting ? [first.waiting] : []), ...(first.again ? [first.again] : [])]);
  return finding(timeline, about, lines, {
    title: 'supervisord was told to reload: it restarted every program',
    message: sentences(
      first.signal
        ? `supervisord got SIGHUP${times} (systemctl reload supervisor, or kill -HUP): it stops every program and starts all of them anew. That is proved.`
        : `supervisord stopped every program${times}, and started anew with the same pid and without a signal: that is what supervisorctl reload does. That it started anew is proved.`,
      programs.length > 0 && `It concerned ${list(programs)}.`,
      'To make one program reload, signal that one.',
    ),
    why: 'supervisorctl signal HUP NAME (a graceful reload of the server), restart NAME, or update (only what changed in the configuration).',
    effect: 'the other programs stay up',
    identity: 'supervisord reload',
  });
}

function wholeMachine(timeline: Timeline, down: LogEvent): Finding | null {
  const stops = timeline.events.filter(
    ({message, at}) => message === 'systemd/stopping' && Math.abs(between(at, down.at).min) <= NEAR,
  );
  if (stops.length === 0) return null;
  return finding(timeline, down, [...stops.slice(0, 3), down], {
    title: 'The machine itself went down, and its units with it',
    message: sentences(
      `systemd stopped ${list(unique(stops.map(programOf)), 4)} because the whole machine was shut down or restarted. That is proved.`,
      'It is no fault of the programs; who asked for it, stands in the journal before.',
    ),
    why: 'See who asked for it: last -x, journalctl -u systemd-logind, unattended-upgrades.',
    effect: 'the next restart is planned',
    identity: 'machine',
  });
}

function upgrade(timeline: Timeline, down: LogEvent | null): Finding | null {
  if (down !== null) return null;
  const asked = timeline.events.filter(
    ({message, fields}) => message === 'systemd/daemon-reload' && fields.packageTool !== undefined,
  );
  for (const event of asked) {
    const stops = timeline.events.filter(
      (other) => other.message === 'systemd/stopping' && precedes(event, other) && between(event.at, other.at).min <= NEAR,
    );
    if (stops.length === 0) continue;
    return finding(timeline, event, [event, ...stops.slice(0, 3)], {
      title: 'A package upgrade restarted units',
      message: sentences(
        `An upgrade of packages made systemd read its configuration anew, and within a minute ${list(unique(stops.map(programOf)), 4)} ${stops.length === 1 ? 'was' : 'were'} stopped: most likely the upgrade restarted ${stops.length === 1 ? 'it' : 'them'}.`,
      ),
      why: 'Let needrestart leave the unit alone ($nrconf{override_rc}), or give upgrades a window of their own.',
      effect: 'upgrades no longer restart it in the middle of work',
      identity: 'upgrade',
      confidence: 'likely',
    });
  }
  return null;
}

/** Seconds between the steps of one transaction of systemd. */
const AT_ONCE = 2;

/**
 * systemd stops what depends on a unit before that unit, and starts it after it (After=). Where one stop and start lies within the
 * other, step upon step, both were one transaction.
 */
function* withAnother(timeline: Timeline): Iterable<Finding> {
  const own = timeline.events.filter(({message}) => JOBS.has(message));
  const told = new Set<string>();
  for (const [n, stop] of own.entries()) {
    const unit = programOf(stop);
    if (stop.message !== 'systemd/stopping' || told.has(unit)) continue;
    const next = (messages: readonly string[], of: string | null, since: LogEvent) => {
      for (let i = n + 1; i < own.length; i++) {
        const event = own[i] as LogEvent;
        if (messages.includes(event.message) && (of === null || programOf(event) === of) && precedes(since, event)) return event;
      }
      return null;
    };
    const gone = next(['systemd/stopped'], unit, stop);
    const below = gone && next(['systemd/stopping'], null, gone);
    if (gone === null || below === null || programOf(below) === unit || !isAtOnce(gone, below)) continue;
    const base = programOf(below);
    const up = next(['systemd/started'], base, below);
    const again = next(['systemd/starting', 'systemd/started'], unit, gone);
    if (up === null || again === null || !precedes(up, again) || !isAtOnce(up, again)) continue;
    told.add(unit);
    const result = finding(timeline, below, [stop, below, up, again], {
      title: `${unit} was restarted together with ${base}`,
      message: sentences(
        `systemd stopped ${unit}, stopped and started ${base}, and started ${unit} again, step upon step: one transaction, in the order that After= asks for.`,
        `Most likely ${base} was restarted and ${unit} depends on it (Requires=, BindsTo= or PartOf=), so it had to go along. It is no fault of ${unit}.`,
      ),
      why: `Wants=${base} in place of Requires= or BindsTo=, and no PartOf=: ${unit} then serves on while ${base} restarts, if it can do without it for a moment.`,
      effect: `${unit} is not stopped when ${base} is`,
      identity: `with ${base}`,
      confidence: 'likely',
    });
    const lines = evidence([
      proof(stop, 'this one is stopped first'),
      proof(below, 'and at once the one that it depends on'),
      proof(up, 'which is started again'),
      proof(again, 'and then this one'),
    ]);
    if (result && lines)
      yield {
        ...result,
        evidence: lines,
        against: [
          {
            hypothesis: `somebody asked for both at once (systemctl restart ${unit} ${base})`,
            because: 'systemd keeps the same order then; the dependencies of the unit decide',
            line: null,
          },
        ],
        next: [`systemctl show ${unit} -p Requires -p BindsTo -p PartOf   # on what it depends so`],
      };
  }
}

const JOBS: ReadonlySet<string> = new Set(['systemd/stopping', 'systemd/stopped', 'systemd/starting', 'systemd/started']);

function isAtOnce(a: LogEvent, b: LogEvent): boolean {
  const {max} = between(a.at, b.at);
  return max !== null && max <= AT_ONCE;
}

function finding(
  timeline: Timeline,
  about: LogEvent,
  proofs: readonly LogEvent[],
  told: {title: string; message: string; why: string; effect: string; identity: string; confidence?: Finding['confidence']},
): Finding | null {
  const lines = evidence(proofs.map((event) => proof(event, event === about ? 'what it came from' : 'what it did')));
  if (!lines) return null;
  const {title, message, why, effect, identity, confidence = 'certain'} = told;
  return {
    title,
    message,
    confidence,
    instance: instanceOfEvent(timeline, about)?.id ?? null,
    ...NO_PROCESS,
    evidence: lines,
    against: [],
    cannotSee: ['who asked for it'],
    fixes: [{...NO_SETTING, effect, safety: 'safe', why}],
    next: [],
    identity: [identity],
  };
}
