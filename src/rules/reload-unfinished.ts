import {greatest} from '../extremes.ts';
import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import {between, exactly} from '../timeline/time.ts';
import {type Instance, type Reload, type Timeline, UNKNOWN_PID} from '../timeline/timeline.ts';
import {costOf, mercyOf, mercyText} from './mercy.ts';
import {whileItHangs} from './remedies.ts';
import {type Evidence, type Finding, type Fix, NO_SETTING, type Rule} from './rule.ts';
import {numberOf} from './settings.ts';
import {stillStopping} from './still-stopping.ts';
import {untoldEnds} from './untold-ends.ts';
import {troubleText, type UpstreamTrouble, upstreamTrouble} from './upstream-troubles.ts';
import {capital, count, evidence, instanceName, kindOf, list, nameOf, proof, seconds, sentences, was} from './wording.ts';

/** Seconds beyond the deadline that a master may need. */
const MARGIN = 10;
/** A replacement that needs this many times longer than the slowest start-up of the log is not just slow. */
const FAR_SLOWER = 3;
/** Where no start is in the log, only that much is called too long. */
const UNKNOWN_START = 120;

const rule: Rule = {
  id: 'reload-unfinished',
  title: 'A reload or stop began and never came to its end',
  severity: 'error',
  docs: {
    sees:
      'A reload or stop that began and whose end the log never shows, although the log goes on for longer than the master ' +
      'would wait; or a chain reload that waits for a replacement far longer than starts take here. Also workers that were ' +
      'asked to leave and whose end no line tells, although the reload went by: that is said to be undecided.',
    why:
      'Until the reload ends, part of the workers or all of them do not serve, and new reloads are ignored. A chain waits ' +
      'without limit for a replacement that does not come up.',
    remedy:
      'Look at the process it waits for while it hangs. A replacement that does not come up is often blocked in the import ' +
      'of the application, or by a lock that was held when it was forked.',
    limits:
      'If the log ends first, it says so as a note: that is not a hang. Lines around the restart of the master can be ' +
      'missing where a socket or syslog takes the log. Celery writes no line when it is gone: only while it still says ' +
      'something is its stop known to go on.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/articles/TheArtOfGracefulReloading.html',
      'unbit/uwsgi#1052',
      'unbit/uwsgi#2681',
    ],
  },
  restsOnOwners: true,
  needs: {
    messages: [
      'uwsgi/graceful-reload',
      'uwsgi/brutal-reload',
      'uwsgi/touch-reload',
      'uwsgi/touch-chain-reload',
      'uwsgi/touch-workers-reload',
      'uwsgi/chain-reload',
      'uwsgi/chain-victim',
      'uwsgi/gracefully-killing',
      'uwsgi/stop-signal',
      'uwsgi/graceful-shutdown',
      'gunicorn/handling-signal',
      'supervisord/exit-request',
      'supervisord/waiting-to-stop',
      'supervisord/waiting-to-die',
      'systemd/stopping',
      'heroku/stopping',
      'celery/warm-shutdown',
      'celery/cold-shutdown',
      'celery/restarting',
      'puma/stopping',
      'puma/phased-restart',
      'unicorn/reloading',
      'php-fpm/stopping',
      'php-fpm/reloading',
      'apache/graceful-restart',
      'apache/restart',
      'apache/stop',
    ],
    otherwise: 'the log shows no reload and no stop',
  },
  *check(timeline) {
    for (const instance of timeline.instances.filter(({supervisor}) => supervisor in PATIENCE)) {
      for (const reload of instance.reloads) {
        if (reload.outcome !== 'unfinished' || reload.kind === 'hup' || reload.kind === 'usr2') continue;
        yield judge(timeline, instance, reload);
      }
      yield* untoldEnds(
        instance,
        // Where nobody knows whose stop it was, nobody knows whom it asked.
        instance.reloads.filter(
          (reload) => reload.rivals.length === 0 && (reload.outcome === 'completed' || isOver(instance, reload)),
        ),
      );
    }
    yield* stillStopping(timeline);
  },
};

export default rule;

/** gunicorn's graceful_timeout in seconds where nothing sets it (gunicorn/config.py). */
const DEFAULT_GRACEFUL_TIMEOUT = 30;

interface Patience {
  readonly seconds: number;
  readonly text: string;
  /** The setting that decides it and that neither the log nor a configuration shows. */
  readonly untold: string | null;
}

/** How long a supervisor waits for its workers before it kills them. */
const PATIENCE: Readonly<Record<'uwsgi' | 'gunicorn', (instance: Instance, reload: Reload) => Patience>> = {
  uwsgi: (instance, {began}) => {
    const mercy = mercyOf(instance, began);
    return {seconds: costOf(mercy.seconds), text: `the mercy, ${mercyText(mercy)}, and a second`, untold: null};
  },
  gunicorn: (instance) => {
    const told = numberOf(instance, 'graceful_timeout');
    const timeout = told ?? DEFAULT_GRACEFUL_TIMEOUT;
    return {
      seconds: timeout + 1,
      text: told === null ? `graceful_timeout (not shown in the log; ${timeout} s by default)` : `graceful_timeout, ${timeout} s`,
      untold: told === null ? 'graceful_timeout' : null,
    };
  },
};

interface Stuck {
  /** Seconds for which nothing went on, at least. */
  readonly since: number;
  /** The log says again and again that it waits. Otherwise only lines that should be there are missing. */
  readonly told: boolean;
  readonly limit: string;
  /** See {@link Patience.untold}. */
  readonly untold: string | null;
  readonly lines: readonly Evidence[];
  readonly waitsFor: string;
  readonly pid: number | null;
}

function judge(timeline: Timeline, instance: Instance, reload: Reload): Finding | null {
  const waiting = reload.kind === 'chain' ? waitingChain(timeline, instance, reload) : null;
  if (waiting) return hangs(instance, reload, waiting);
  // The end of this one is lost, or was made to come.
  if (isOver(instance, reload)) return null;
  const next = timeline.instances.find(({epochs}) =>
    epochs.some(({master, reExecuted}) => master && !reExecuted && precedes(reload.began, master)),
  );
  if (next) return ended(instance, reload, next);
  const stuck = silent(timeline, instance, reload);
  return stuck ? hangs(instance, reload, stuck) : cut(instance, reload);
}

/** A later reload, or an answer of the next generation, shows that the master went on. */
function isOver({reloads, stopped}: Instance, reload: Reload): boolean {
  return reloads.at(-1) !== reload || (reload.overBy !== null && reload.overBy.line !== stopped);
}

/** The chain says once a second that it still waits for a replacement. */
function waitingChain(timeline: Timeline, instance: Instance, reload: Reload): Stuck | null {
  const current = reload.workers.at(-1);
  if (!current) return null;
  const next = instance.reloads[instance.reloads.indexOf(reload) + 1]?.began;
  const waiting = timeline.events.filter(
    (event) =>
      event.meaning.kind === 'chain-waiting' &&
      event.worker === current.worker &&
      precedes(reload.began, event) &&
      (!next || precedes(event, next)),
  );
  const since = waiting[0];
  const last = waiting.at(-1);
  if (!since || !last) return null;
  const waited = between(since.at, last.at).min;
  const usual = usualStart(instance);
  if (waited <= patienceForStart(usual)) return null;
  return {
    since: waited,
    told: true,
    pid: current.newPid,
    untold: null,
    limit: usual === null ? 'no start of the application in this log tells how long it usually takes' : startText(usual),
    waitsFor: `the replacement of worker ${current.worker}${current.newPid === null ? '' : ` (pid ${current.newPid})`} to accept`,
    lines: [proof(since, `it waits for the replacement of worker ${current.worker}`), proof(last, 'it still waits')],
  };
}

/** The longest start of the application that the log shows, in seconds; null where it shows none. */
function usualStart(instance: Instance): number | null {
  const loads = instance.epochs.flatMap(({appLoads}) => appLoads.map((load) => load.seconds)).filter((each) => each !== null);
  const comebacks = instance.reloads.flatMap(({workers}) => workers.map(({comeback}) => comeback?.max ?? null));
  const known = [...loads, ...comebacks.filter((each) => each !== null)];
  return known.length === 0 ? null : greatest(known);
}

function patienceForStart(usual: number | null): number {
  return usual === null ? UNKNOWN_START : Math.max(MARGIN, usual * FAR_SLOWER);
}

function startText(usual: number): string {
  return `starts of the application in this log took at most ${seconds(Math.max(1, usual))}`;
}

function silent(timeline: Timeline, instance: Instance, reload: Reload): Stuck | null {
  const patience = (PATIENCE[instance.supervisor as keyof typeof PATIENCE] ?? PATIENCE.uwsgi)(instance, reload);
  const open = reload.workers.filter(({end}) => end === 'unknown');
  const usual = usualStart(instance);
  // A stop starts nobody.
  const isStop = reload.kind === 'stop';
  const limit = Math.max(patience.seconds + MARGIN, open.length > 0 || isStop ? 0 : patienceForStart(usual));
  // All workers were told at once, so each that is still there has had the whole time to leave.
  const isOverdue = open.length > 0 && reload.kind !== 'chain' && reload.kind !== 'workers';
  if (timeline.to === null) return null;
  const since = isOverdue ? between(reload.startedAt, exactly(timeline.to)).min : reload.silence.min;
  if (since <= limit) return null;
  const last = lastSign(timeline, instance, reload);
  return {
    since,
    told: false,
    pid: open[0]?.oldPid ?? null,
    untold: open.length > 0 ? patience.untold : null,
    limit:
      open.length === 0 && isStop
        ? 'a master whose workers have gone leaves within a moment'
        : open.length === 0 && usual !== null
          ? startText(usual)
          : `a master that works kills a worker that does not leave after ${patience.text}`,
    waitsFor:
      open.length > 0
        ? `${list(open.map(({worker, oldPid}) => nameOf({worker, pid: oldPid ?? UNKNOWN_PID})))} to leave`
        : isStop
          ? 'something else than its workers, which have gone,'
          : 'the new generation',
    lines: last ? [proof(last, 'the last sign of it')] : [],
  };
}

function lastSign(timeline: Timeline, instance: Instance, reload: Reload): LogEvent | null {
  const pids = new Set(instance.processes.map(({pid}) => pid));
  return (
    timeline.events.findLast(
      (event) =>
        precedes(reload.began, event) &&
        event.pid !== null &&
        pids.has(event.pid) &&
        (event.meaning.kind === 'process-asked' ||
          event.meaning.kind === 'process-ended' ||
          event.meaning.kind === 'process-forced'),
    ) ?? null
  );
}

function hangs(instance: Instance, reload: Reload, stuck: Stuck): Finding | null {
  const lines = evidence([proof(reload.began, `the ${kindOf(reload)} begins`), ...stuck.lines]);
  if (!lines) return null;
  const fault = knownFault(instance, reload);
  const pid = stuck.pid ?? instance.masterPid ?? '<pid it waits for>';
  return {
    title: `A ${kindOf(reload)} began and never came to its end`,
    message:
      (stuck.told
        ? `The ${kindOf(reload)} waits for ${stuck.waitsFor}. It has done so for at least ${seconds(stuck.since)}, up to the end ` +
          `of this log; ${stuck.limit}. That is proved. `
        : `The log goes on for at least ${seconds(stuck.since)} and shows no end of the ${kindOf(reload)}. That is proved. ` +
          `${capital(stuck.limit)}. That it still waits for ${stuck.waitsFor} is inferred: no line says that it has ended. `) +
      `${fault ? `The likely reason is a fault of this version: ${troubleText(fault, instance, reload.began)}.` : 'What it hangs on is not in the log.'}`,
    confidence: stuck.told && !fault ? 'certain' : 'likely',
    instance: instance.id,
    reload: reload.id,
    pids: stuck.pid === null ? [] : [stuck.pid],
    workers: reload.workers
      .filter(({newPid, oldPid}) => newPid === stuck.pid || oldPid === stuck.pid)
      .map(({worker}) => worker)
      .filter((worker) => worker !== null),
    evidence: lines,
    against: [
      {
        hypothesis: 'the log simply ends first',
        because: `it goes on for at least ${seconds(stuck.since)}`,
        line: lines.at(-1)?.at.line ?? null,
      },
      ...(stuck.told
        ? []
        : [
            {
              hypothesis: 'it ended, and the lines that say so are missing',
              because:
                reload.kind === 'stop'
                  ? 'a master that leaves says its goodbye, and this log has none'
                  : 'a restart would show in new workers, and this log names none and has no answer of one',
              line: null,
            },
          ]),
      ...(stuck.untold === null
        ? []
        : [
            {
              hypothesis: `${stuck.untold} is set to more than that`,
              because: 'nothing in the log speaks against it; the configuration tells (--config)',
              line: null,
            },
          ]),
    ],
    cannotSee: ['what the process does: no line of the server tells'],
    fixes: fault ? [upgrade(fault)] : [],
    next: [
      `py-spy dump --pid ${pid}   # what does it do? ${suspects(instance, reload)}`,
      `ps -o pid,stat,etime,wchan:30 -p ${pid}`,
      ...(reload.kind === 'chain'
        ? ['a full reload (SIGHUP to the master) gets the instance out of a chain that is stuck']
        : instance.supervisor === 'uwsgi'
          ? whileItHangs(instance).slice(1, 2)
          : []),
    ],
    identity: [instanceName(instance), reload.kind],
  };
}

/** What a stack would show, of what is known to hold such a process. */
function suspects({supervisor}: Instance, {kind}: Reload): string {
  return supervisor === 'gunicorn' && kind === 'stop'
    ? 'A server hook of the configuration (child_exit, on_exit) holds the arbiter, and its limits with it'
    : 'A blocked import, a lock that was held at the fork';
}

/** Versions that are known to get stuck here. */
function knownFault(instance: Instance, {kind, began}: Reload): UpstreamTrouble | null {
  if (kind === 'stop' && began.message === 'uwsgi/graceful-shutdown') return upstreamTrouble(instance, 'stop-blocks', began);
  return kind === 'graceful' ? upstreamTrouble(instance, 'reload-blocks', began) : null;
}

function upgrade({fixedIn, instead}: UpstreamTrouble): Fix {
  return {
    ...NO_SETTING,
    safety: 'safe',
    effect: 'this kind of hang is gone',
    why: `Run uWSGI ${fixedIn}. Until then: ${instead}.`,
  };
}

/** A new master stands where the old one should have come to an end: somebody else ended it. */
function ended(instance: Instance, reload: Reload, next: Instance): Finding | null {
  const master = next.epochs.find((epoch) => epoch.master && precedes(reload.began, epoch.master))?.master;
  const lines = evidence([
    proof(reload.began, `the ${kindOf(reload)} begins`),
    ...(master ? [proof(master, 'a new master starts; nothing tells of the end of the old one')] : []),
  ]);
  if (!lines) return null;
  const fault = knownFault(instance, reload);
  return {
    title: `A ${kindOf(reload)} began and never came to its end`,
    message: sentences(
      `The log shows no end of the ${kindOf(reload)}, and later another master starts. That is proved. That the old one`,
      'was ended from outside (an outer supervisor, the kernel, a person) is inferred: it did not say goodbye.',
      fault && `It may have hung for a fault of this version: ${troubleText(fault, instance, reload.began)}.`,
    ),
    confidence: 'likely',
    instance: instance.id,
    reload: reload.id,
    pids: instance.masterPid === null ? [] : [instance.masterPid],
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: 'the lines of its end are missing',
        because: 'lines around a restart get lost where a socket or syslog takes the log',
        line: null,
      },
    ],
    cannotSee: ['who ended the old master, and when'],
    fixes: fault ? [upgrade(fault)] : [],
    next: [
      'look at the log of whoever starts this server (systemd, supervisord, the container platform) at that time: a kill ' +
        'after its own time limit?',
    ],
    identity: [instanceName(instance), 'ended from outside', reload.kind],
  };
}

/** Only the end of the log keeps it from being told: a note, lest it be taken for a hang. */
function cut(instance: Instance, reload: Reload): Finding | null {
  const lines = evidence([proof(reload.began, `the ${kindOf(reload)} begins`)]);
  if (!lines) return null;
  const done = reload.workers.filter(({end}) => end !== 'unknown').length;
  const asked = reload.workers.length;
  const open = asked - done;
  const fault = knownFault(instance, reload);
  return {
    title: fault
      ? `The log ends during a ${kindOf(reload)}, and this version of uWSGI is known to hang there`
      : `The log ends during a ${kindOf(reload)}`,
    severity: fault ? 'warning' : 'info',
    message: sentences(
      `The log ends before the ${kindOf(reload)} does, and not long enough after its last sign to call it a hang.`,
      fault &&
        `If it goes on like that, the likely reason is a fault of this version: ${troubleText(fault, instance, reload.began)}.`,
      asked > 0 && `Of ${count(asked, 'worker')} that ${was(asked)} asked, ${done} had left or been killed.`,
      open > 0 && `About ${open === 1 ? 'the other one' : `the other ${open}`} this log says nothing.`,
    ),
    confidence: 'certain',
    instance: instance.id,
    reload: reload.id,
    pids: [],
    workers: [],
    evidence: lines,
    against: [],
    cannotSee: ['how it went on'],
    fixes: fault ? [upgrade(fault)] : [],
    next: [
      ...(fault ? whileItHangs(instance).slice(0, 1) : []),
      'take the log from a later time, so that it holds the whole of it',
    ],
    identity: [instanceName(instance), 'cut', reload.kind],
  };
}
