import {least} from '../extremes.ts';
import {thousands} from '../number.ts';
import type {RequestSegment} from '../timeline/event.ts';
import {between, exactly} from '../timeline/time.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {type Finding, NO_SETTING, type Rule} from './rule.ts';
import {loading, uwsgiOf} from './settings.ts';
import {count, evidence, instanceName, list, nameOf, numbers, proof, seconds, sentences, unique} from './wording.ts';
import {lostSlots} from './worker-never-came-back.ts';

/** Requests that each of the others answered in the same time: fewer, and it may be chance. */
const BUSY = 50;
/** Seconds for which it has been there at least. */
const LONG = 60;

const rule: Rule = {
  id: 'worker-never-served',
  title: 'A worker was started and never answered a request',
  severity: 'warning',
  docs: {
    sees:
      'A worker that was started, is there for a minute or more and has no request line, while every other worker of the instance ' +
      'answered many in the same time; with lazy-apps also one whose application never became ready, while others did.',
    why:
      'A child that is forked while a thread of the master holds a lock (or the interpreter) inherits the lock and waits for it for ever, ' +
      'at its first import or its first request. It counts as running and takes a place; a chain reload waits for it without end.',
    remedy:
      'Look at what it waits for (py-spy dump). Start no threads while the application is imported; py-call-uwsgi-fork-hooks or lazy-apps ' +
      'keep the locks of the master out of the workers.',
    limits:
      'With little traffic the kernel may hand all requests to a few workers, so it asks for many requests in each of the others. With ' +
      'disable-logging it sees nothing.',
    references: ['unbit/uwsgi#2387', 'unbit/uwsgi#1149'],
  },
  needs: {
    messages: ['uwsgi/worker-spawned', 'uwsgi/worker-respawned'],
    otherwise: 'the log shows no start of a worker',
  },
  *check(timeline) {
    for (const instance of uwsgiOf(timeline)) {
      const silent = silentIn(timeline, instance);
      if (silent.length > 0) yield describe(timeline, instance, silent as [Silent, ...Silent[]]);
    }
  },
};

export default rule;

interface Silent {
  readonly process: Process;
  /** Seconds, at least. */
  readonly since: number;
  /** The fewest requests that another worker answered meanwhile, at least. */
  readonly fewest: number;
  readonly others: readonly Process[];
  readonly notLoaded: boolean;
}

function silentIn(timeline: Timeline, instance: Instance): Silent[] {
  if (timeline.to === null) return [];
  const end = exactly(timeline.to);
  const lost = new Set(lostSlots(timeline, instance));
  const workers = instance.processes.filter(({role}) => role === 'worker');
  const there = workers.filter((process) => process.end === 'running' && process.asked === null && !lost.has(process));
  return there.flatMap((process): Silent[] => {
    const from = process.startedAt.latest;
    if (process.started === null || process.requests > 0 || from === null) return [];
    const since = between(process.startedAt, end).min;
    if (since < LONG) return [];
    const others = there.filter((other) => other !== process && other.requests > 0);
    const answered = others.map((other) => answeredSince(other.segments, from));
    const fewest = least(answered);
    const idle = there.filter((other) => other !== process && other.requests === 0 && isOlder(other, process));
    // A second one without requests is what little traffic looks like.
    if (others.length < 2 || idle.length > 0 || fewest < BUSY) return [];
    const notLoaded =
      loading(instance) === 'lazy-apps' && process.appLoaded === null && others.some(({appLoaded}) => appLoaded !== null);
    return [{process, since, fewest, others, notLoaded}];
  });
}

function isOlder(a: Process, b: Process): boolean {
  return (a.startedAt.latest ?? 0) <= (b.startedAt.latest ?? 0);
}

/** Requests of segments that began after that, which is fewer than there were. */
function answeredSince(segments: readonly RequestSegment[], from: number): number {
  return segments.reduce((sum, {firstStart, lastStart, count: all}) => {
    if (firstStart >= from) return sum + all;
    if (lastStart <= from) return sum;
    return sum + Math.floor((all * (lastStart - from)) / (lastStart - firstStart));
  }, 0);
}

function describe(timeline: Timeline, instance: Instance, silent: readonly [Silent, ...Silent[]]): Finding | null {
  const processes = silent.map(({process}) => process);
  const [first] = silent;
  const [busiest] = first.others.toSorted((a, b) => b.requests - a.requests);
  const answer = busiest?.segments.at(-1)?.last;
  const lines = evidence([
    ...silent
      .slice(0, 4)
      .flatMap(({process}) =>
        process.started ? [proof(process.started, `${nameOf(process)} is started, and nothing is heard of it again`)] : [],
      ),
    ...(busiest && answer ? [proof(answer, `${nameOf(busiest)} answers meanwhile`)] : []),
  ]);
  if (!lines) return null;
  const notLoaded = silent.filter((each) => each.notLoaded);
  const pids = unique(processes.map(({pid}) => pid));
  const isPrefork = loading(instance) === 'prefork';
  const paused = timeline.events.some(({meaning}) => meaning.kind === 'paused' && meaning.role === 'worker');
  return {
    title: silent.length === 1 ? rule.title : `${count(silent.length, 'worker')} were started and never answered a request`,
    message: sentences(
      `${list(processes.map(nameOf), 4)} ${silent.length === 1 ? 'has' : 'have'} been there for at least ${seconds(first.since)} without a request line;`,
      `each of the other ${first.others.length} answered ${thousands(first.fewest)} or more in that time. That is proved.`,
      notLoaded.length > 0
        ? `The application never became ready in ${notLoaded.length === silent.length ? (silent.length === 1 ? 'it' : 'them') : count(notLoaded.length, 'of them', 'of them')}, and it did in others: it likely hangs in the import.`
        : 'It most likely waits for a lock that was held when it was forked: that is inferred.',
    ),
    confidence: notLoaded.length === silent.length ? 'likely' : 'possible',
    instance: instance.id,
    reload: null,
    pids,
    workers: numbers(processes),
    evidence: lines,
    against: [
      {
        hypothesis: 'a lock that was held at the moment of the fork, by a thread that the application started in the master',
        because: isPrefork ? 'nothing in the log speaks against it' : 'the application is loaded in each worker, after the fork',
        line: null,
        fits: isPrefork ? 'equally' : 'less',
      },
      {
        hypothesis: 'a first request that has never ended',
        because: 'it would get its line when it ends; harakiri would end it',
        line: null,
        fits: notLoaded.length === silent.length ? 'less' : 'equally',
      },
      {
        hypothesis: 'no request was ever handed to it',
        because: `each of the others got ${thousands(first.fewest)} or more`,
        line: answer?.line ?? null,
        fits: 'less',
      },
      {
        hypothesis: 'a worker that was paused',
        because: paused ? 'a line speaks of a worker that was suspended' : 'no line of this log says so',
        line: null,
        fits: paused ? 'equally' : 'less',
      },
    ],
    cannotSee: ['what the worker does: uWSGI prints nothing while it waits'],
    fixes: [
      {
        ...NO_SETTING,
        safety: 'needs-code',
        effect: 'no lock is held at the moment of a fork',
        why: 'Start threads (metrics, APM agents, schedulers) in a function under @postfork, and not while the application is imported.',
      },
    ],
    next: [
      `py-spy dump --pid ${pids[0]}   # decides it: an import or a lock under it, or a request`,
      `ps -o pid,stat,etime,wchan:30 -p ${list(pids).replaceAll(', ', ',').replace(' and ', ',')}`,
      `kill -TERM ${pids[0]}   # the master starts another one in its place, if it still hears signals; kill -KILL if not`,
    ],
    identity: [instanceName(instance), 'never served'],
  };
}
