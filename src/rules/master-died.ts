import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import type {Instance, Timeline} from '../timeline/timeline.ts';
import {instanceOfEvent} from './line-owners.ts';
import {stopsTakenAsReload} from './outer.ts';
import {type Finding, NO_SETTING, type Rule} from './rule.ts';
import {survivalsIn} from './survivors.ts';
import {count, evidence, instanceName, proof, sentences, unique} from './wording.ts';

const rule: Rule = {
  id: 'master-died',
  title: 'The master died and left its workers behind',
  severity: 'error',
  docs: {
    sees:
      'Workers that say that their master is gone ("UAAAAAAH my master disconnected", "the master disconnected from this ' +
      'worker", gunicorn\'s "Parent changed, shutting down"), although no stop of the instance had come to its end.',
    why:
      'A master that stops in order ends its workers first. Workers that are left behind show that it was killed (signal 9) or ' +
      'crashed: by an outer supervisor whose time limit is shorter than the stop takes, by the kernel for want of memory, or by ' +
      'a person. Until the workers notice, they hold the port, and a worker that hangs in its exit never notices.',
    remedy:
      'See who ended the master: the log of supervisord, systemd or the container platform, and journalctl -k for memory. Make ' +
      'the outer time limit longer than the mercy and a few seconds.',
    limits: 'It proves that the master is gone; who did it stands in another log.',
    references: ['https://uwsgi-docs.readthedocs.io/en/latest/Options.html#no-orphans', 'benoitc/gunicorn#1814'],
  },
  needs: {
    messages: [
      'uwsgi/master-disconnected',
      'uwsgi/worker-spawned',
      'uwsgi/master-spawned',
      'gunicorn/parent-changed',
      'gunicorn/main-loop-exception',
      'gunicorn/booting-worker',
      'gunicorn/starting',
    ],
    otherwise: 'no line of this log tells of a master or a worker',
  },
  *check(timeline) {
    const failed = timeline.events.filter(({message}) => message === 'gunicorn/main-loop-exception');
    const groups = new Map<Instance | null, LogEvent[]>();
    for (const event of timeline.events) {
      if (event.meaning.kind !== 'master-lost') continue;
      const instance = ownerOf(timeline, event);
      const group = groups.get(instance);
      if (group) group.push(event);
      else groups.set(instance, [event]);
    }
    for (const event of failed) {
      const instance = instanceOfEvent(timeline, event);
      const left = (groups.get(instance) ?? []).filter((lost) => precedes(event, lost));
      if (left.length > 0) groups.delete(instance);
      yield failedLoop(instance, event, left);
    }
    for (const [instance, events] of groups) {
      if (!isOwned(timeline, instance, events)) yield describe(timeline, instance, events);
    }
  },
};

export default rule;

function ownerOf(timeline: Timeline, event: LogEvent): Instance | null {
  const byPid = timeline.instances.find(({processes}) => processes.some(({pid}) => pid === event.pid && event.pid !== null));
  const bySpeaker = timeline.instances.find(({processes}) => processes.some(({remarks}) => remarks.includes(event)));
  const instance = byPid ?? bySpeaker ?? instanceOfEvent(timeline, event);
  // Several servers may have started it.
  if (event.pid !== null && instance?.unproved.includes(event.pid)) return null;
  // A master that has said goodbye had no workers left: these are those of another, which the log does not introduce.
  const goodbye = instance?.stopped?.meaning.kind === 'stop-ended' ? instance.stopped : null;
  return (goodbye !== null && precedes(goodbye, event)) || mayHaveStopped(timeline, instance, event) ? null : instance;
}

/** A stop before it was of this instance or of another one, and no line tells of which: so is what remains. */
function mayHaveStopped({reloads}: Timeline, instance: Instance | null, event: LogEvent): boolean {
  return (
    event.pid === null &&
    instance !== null &&
    reloads.some(({instance: taken, rivals, began}) => {
      return rivals.length > 0 && [taken, ...rivals].includes(instance.id) && precedes(began, event);
    })
  );
}

/** Told by other rules: who killed the master, that the next start finds the port held, or that a stop was taken as a reload. */
function isOwned(timeline: Timeline, instance: Instance | null, [first]: readonly LogEvent[]): boolean {
  if (first === undefined) return true;
  if (timeline.events.some((event) => event.meaning.kind === 'address-in-use' && precedes(first, event))) return true;
  if (instance === null) return timeline.events.some(({meaning}) => meaning.kind === 'process-forced');
  if (survivalsIn(timeline).some((survival) => survival.instance === instance)) return true;
  const master = instance.processes.findLast(({role}) => role === 'master');
  return (
    (master !== undefined && master.killedBy !== null) ||
    stopsTakenAsReload(timeline).some((taken) => taken.instance === instance) ||
    instance.reloads.findLast(({began}) => precedes(began, first))?.kind === 'brutal'
  );
}

/** The arbiter ends its workers and itself where its own loop fails. */
function failedLoop(instance: Instance | null, event: LogEvent, left: readonly LogEvent[]): Finding | null {
  const lines = evidence([
    proof(event, 'the arbiter says that its own loop failed'),
    ...left.slice(0, 3).map((lost) => proof(lost, 'a worker notices that its arbiter is gone')),
  ]);
  if (!lines) return null;
  return {
    title: "gunicorn's arbiter failed in its own main loop and gave up",
    message: sentences(
      'An exception ended the main loop of the arbiter. That is proved; which exception, the traceback below that line tells.',
      left.length > 0 ? 'Its workers were left behind and noticed it themselves.' : 'It stops its workers then and leaves.',
      'RuntimeError: reentrant call inside … is a known one of versions before 24: the arbiter logged while it was already logging, when a worker ended.',
      'An error in a hook of the configuration (on_reload, child_exit, pre_fork …) ends it in the same way.',
    ),
    confidence: 'certain',
    instance: instance?.id ?? null,
    reload: null,
    pids: event.pid === null ? [] : [event.pid],
    workers: [],
    evidence: lines,
    against: [],
    cannotSee: ['the traceback, where it went to another log'],
    fixes: [
      {
        ...NO_SETTING,
        effect: 'this exception is gone, where it is the reentrant call',
        safety: 'safe',
        why: 'Where the traceback says "reentrant call", run gunicorn 24 or later; for any other exception mend what it names.',
      },
    ],
    next: ['read the traceback below that line: its last frame tells whether it is a hook of the configuration'],
    identity: [instance ? instanceName(instance) : 'gunicorn', 'main loop'],
  };
}

function describe(timeline: Timeline, instance: Instance | null, events: readonly LogEvent[]): Finding | null {
  const [first] = events;
  if (!first) return null;
  const word = first.message.startsWith('gunicorn/') ? 'arbiter' : 'master';
  const stop = instance?.reloads.findLast(({kind, began}) => kind === 'stop' && precedes(began, first)) ?? null;
  const isStopTold = instance === null && timeline.reloads.some(({kind, began}) => kind === 'stop' && precedes(began, first));
  const next = timeline.instances.find(
    (other) => other !== instance && other.epochs.some(({master}) => master !== null && precedes(first, master)),
  );
  const start = next?.epochs.find(({master}) => master !== null && precedes(first, master))?.master ?? null;
  const lines = evidence([
    ...(stop ? [proof(stop.began, 'a stop had begun before')] : []),
    ...events.slice(0, 4).map((event) => proof(event, `a worker notices that its ${word} is gone`)),
    ...(start ? [proof(start, `another ${word} starts`)] : []),
  ]);
  if (!lines) return null;
  const master = instance?.masterPid == null ? `The ${word}` : `The ${word} (pid ${instance.masterPid})`;
  const isOneOfSeveral = instance === null && timeline.instances.filter(({masterPid}) => masterPid !== null).length > 1;
  return {
    title: `The ${word} died and left its workers behind`,
    message: sentences(
      `${master} was gone while its workers still ran: ${count(events.length, 'line')} of workers say so. That is proved.`,
      isOneOfSeveral && `Which ${word} of those in this log it was, no line tells.`,
      stop
        ? `A stop had begun and had not come to its end, so most likely somebody lost patience with it and killed the ${word}; who,`
        : isStopTold
          ? 'A stop had been asked for before, and no line tells of which server; who ended this one, or why,'
          : 'No stop had been asked for in this log, so it was killed or crashed; who did it, or why,',
      'is not in this log.',
    ),
    confidence: 'certain',
    instance: instance?.id ?? null,
    reload: stop?.id ?? null,
    pids: unique([instance?.masterPid ?? null, ...events.map(({pid}) => pid)]).filter((pid) => pid !== null),
    workers: unique(events.map(({worker}) => worker)).filter((worker) => worker !== null),
    evidence: lines,
    against: [
      {
        hypothesis: 'an ordinary stop',
        because: 'one that stops in order ends its workers before it goes',
        line: first.line,
      },
    ],
    cannotSee: [
      `who ended the ${word}`,
      'whether the workers are gone: one that is held at its exit stays, says no more than this or nothing at all, and holds the port',
    ],
    fixes: [],
    next: [
      'journalctl -k, or dmesg -T, at that time: a kill for want of memory names the pid',
      'the log of whoever starts this server (supervisord, systemd, the container platform): a kill after its own time limit?',
      'ss -ltnp   # who holds the port now',
    ],
    identity: [instance ? instanceName(instance) : 'unknown', 'master died'],
  };
}
