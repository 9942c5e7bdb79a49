/**
 * What can hold a worker that was asked to leave and did not: every cause, with what the log says for it and against
 * it. One weighing for all rules that meet such a worker, so that no two findings of a report disagree.
 */
import type {LineRef, LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import type {Verdict} from './judgement.ts';
import {mercyOf} from './mercy.ts';
import type {Alternative, Fit} from './rule.ts';
import {loading, setting} from './settings.ts';
import {count, nameOf, seconds} from './wording.ts';
import {requestsOf} from './work.ts';

export type Cause =
  | 'inherited-thread'
  | 'own-thread'
  | 'executor'
  | 'exit-handler'
  | 'request'
  | 'importing'
  | 'lock'
  | 'extension'
  | 'event-loop'
  | 'stopped'
  | 'helper';

/** Who is held, and what is known of them. */
export interface Held {
  readonly timeline: Timeline;
  readonly instance: Instance;
  /** All of one verdict. */
  readonly processes: readonly [Process, ...Process[]];
  readonly verdict: Verdict;
  /** The log proves the verdict. */
  readonly proved: boolean;
  /** Others were asked at the same time and left by themselves. */
  readonly some: boolean;
  /** What speaks for or against a request, where a rule knows more of it. */
  readonly request?: string | null;
}

type Weighed = Omit<Required<Alternative>, 'hypothesis' | 'decides'>;

const NAMES: Readonly<Record<Cause, string>> = {
  request: 'request-blocks-shutdown',
  'inherited-thread': 'a thread of the application that was started before the workers were forked',
  'own-thread': 'a thread or timer that the application started in the worker',
  executor: 'an idle pool of threads (ThreadPoolExecutor)',
  'exit-handler': 'an exit handler (atexit, uwsgi.atexit) that blocks',
  importing: 'still loading the application',
  lock: 'a lock that nobody releases',
  extension: 'a C extension that hangs or crashes while it is torn down',
  'event-loop': 'a blocked event loop (gevent)',
  stopped: 'a stopped process, or one that waits for a disk or a network file system',
  helper: 'a mule or a spooler',
};

/** What would show it, during the next hang. */
const DECIDES: Readonly<Record<Cause, string>> = {
  request: "the proxy's log at that second (499, 502, 504), or a harakiri below the mercy, which names the request",
  'inherited-thread': 'py-spy dump: the main thread waits in threading._shutdown, and no other thread is there',
  'own-thread': 'py-spy dump: the main thread waits in threading._shutdown, and the thread it waits for is there',
  executor: 'py-spy dump: the main thread is in _python_exit of concurrent.futures',
  'exit-handler': 'py-spy dump: the main thread is in a function that atexit has called',
  importing: 'the line "WSGI app 0 … ready" of that pid: it comes after the request to leave',
  lock: 'py-spy dump --native: the main thread waits for a lock, outside of threading._shutdown',
  extension: 'py-spy dump --native: a C library at the top of the stack, below Py_FinalizeEx',
  'event-loop': 'py-spy dump: the main thread is in code of the application and not in the hub',
  stopped: 'ps -o stat,wchan: T is stopped, D waits for a device',
  helper: 'a line of NO MERCY that names a mule or a spooler',
};

const ORDER: readonly Fit[] = ['equally', 'less', 'excluded'];

/**
 * All causes but those that the finding itself is about, the best fitting first; causes that fit alike stand in the
 * order in which they are usually met.
 */
export function otherCauses(held: Held, ...subjects: readonly Cause[]): Alternative[] {
  return (Object.keys(NAMES) as Cause[])
    .filter((cause) => !subjects.includes(cause))
    .map((cause) => weigh(held, cause))
    .sort((a, b) => ORDER.indexOf(a.fits) - ORDER.indexOf(b.fits));
}

export function weigh(held: Held, cause: Cause, hypothesis = NAMES[cause]): Required<Alternative> {
  return {hypothesis, ...WEIGHTS[cause](held), decides: DECIDES[cause]};
}

/** The thread that fits best: one that every worker inherited, or one that it started itself. */
export function likelyThread(held: Held): Cause {
  return where(held) === 'prefork' && !held.some && !lateThread(held) ? 'inherited-thread' : 'own-thread';
}

const WEIGHTS: Readonly<Record<Cause, (held: Held) => Weighed>> = {
  'inherited-thread': (held) => {
    if (isDeaf(held)) return neverBegan(held);
    const load = loadLine(held);
    if (where(held) === 'lazy-apps')
      return weighed('excluded', null, 'the application is loaded in each worker, so there is no such thread', load);
    if (held.some) return weighed('less', null, 'every worker would have it, and others left', cleanLine(held));
    return weighed(
      'equally',
      where(held) === 'prefork' ? 'the application was loaded before the workers were forked' : null,
      UNSEEN,
      load,
    );
  },
  'own-thread': (held) => {
    if (isDeaf(held)) return neverBegan(held);
    const late = lateThread(held);
    if (late)
      return weighed('equally', 'Python complains of a thread that still worked while the worker shut down', UNSEEN, late);
    if (held.some)
      return weighed('equally', 'only workers that did certain work would have it, and others left', UNSEEN, cleanLine(held));
    return where(held) === 'prefork'
      ? weighed('less', null, 'all workers hang: each would have to start one after the fork', loadLine(held))
      : weighed('equally', where(held) === null ? null : 'the application is loaded in each worker', UNSEEN, loadLine(held));
  },
  executor: (held) => {
    if (isDeaf(held)) return neverBegan(held);
    return where(held) === 'lazy-apps'
      ? weighed(
          'less',
          null,
          'the threads of an idle pool end by themselves where they live; only one at work holds the worker',
          loadLine(held),
        )
      : weighed(
          held.some ? 'less' : 'equally',
          'made before the fork, it holds every worker as a thread does',
          held.some ? 'others left' : UNSEEN,
          null,
        );
  },
  'exit-handler': (held) => {
    if (isDeaf(held)) return neverBegan(held);
    if (held.some)
      return weighed('less', null, 'the same handlers are registered in every worker, and others left', cleanLine(held));
    return weighed('equally', null, `${UNSEEN}; threads are met more often`, null);
  },
  request: (held) => requestWeight(held),
  importing: (held) => {
    const [process] = held.processes;
    if (process.asked?.acknowledged)
      return weighed('excluded', null, 'it took note of being asked, which it does only when it is ready', process.asked.event);
    const served = process.segments[0]?.first ?? null;
    if (served) return weighed('excluded', null, 'it had answered requests before', served);
    if (process.appLoaded && process.asked && precedes(process.appLoaded, process.asked.event))
      return weighed('excluded', null, 'the application was ready before', process.appLoaded);
    return weighed(isDeaf(held) ? 'equally' : 'less', null, 'no line shows when it became ready', null);
  },
  lock: (held) => {
    if (isDeaf(held)) return neverBegan(held);
    return weighed(
      'less',
      where(held) === 'prefork' ? 'a lock that was held at the moment of the fork stays held in the worker' : null,
      `${UNSEEN}; it is rarer`,
      null,
    );
  },
  extension: (held) => {
    if (isDeaf(held)) return neverBegan(held);
    const crash = crashLine(held);
    return crash
      ? weighed('equally', 'another process of this log crashed', 'that one ended, and these hang', crash)
      : weighed('less', null, 'a crash leaves a line and ends the worker, and this log has none; a hang leaves none', null);
  },
  'event-loop': (held) => {
    const {instance} = held;
    const mode = setting(instance, 'operational-mode');
    const isLoop = /gevent|async|ugreen|asyncio|tornado/.test(String(mode?.value ?? ''));
    if (isLoop)
      return weighed(
        'equally',
        'the workers run an event loop, and code without a break in it hears nothing',
        UNSEEN,
        mode?.where ?? null,
      );
    return weighed(
      'excluded',
      null,
      mode ? `the workers run no event loop (${String(mode.value)})` : 'no line shows an event loop',
      mode?.where ?? null,
    );
  },
  stopped: (held) => {
    const [process] = held.processes;
    return process.asked?.acknowledged || process.asked?.by === 'itself'
      ? weighed('excluded', null, 'it took note of being asked', process.asked.event)
      : weighed(isDeaf(held) ? 'equally' : 'less', null, UNSEEN, null);
  },
  helper: ({processes: [process], instance}) => {
    const helpers = instance.processes.filter(({role}) => role === 'mule' || role === 'spooler').length;
    return weighed(
      'excluded',
      null,
      `the line of the kill names ${nameOf(process)}, which is neither${helpers === 0 ? '; no line shows any' : ''}`,
      process.forced?.event ?? null,
    );
  },
};

const UNSEEN = 'nothing in the log speaks against it';

function weighed(fits: Fit, speaksFor: string | null, because: string, at: LineRef | null): Weighed {
  return {fits, for: speaksFor, because, line: at?.line ?? null};
}

/** It never began to leave: what happens at the end of a worker had no part in it. */
function neverBegan({processes: [process]}: Held): Weighed {
  return weighed('excluded', null, 'the worker never began to leave', process.forced?.event ?? null);
}

function isDeaf({verdict}: Held): boolean {
  return verdict === 'deaf';
}

function where({instance, processes}: Held): ReturnType<typeof loading> {
  return loading(instance, processes.at(-1) ?? null);
}

function loadLine({instance}: Held): LogEvent | null {
  return instance.epochs.flatMap(({appLoads}) => appLoads).find(({inWorker}) => inWorker !== null)?.event ?? null;
}

function cleanLine({instance}: Held): LogEvent | null {
  return (
    instance.processes.find((process) => process.role === 'worker' && process.end === 'clean' && process.asked && process.ended)
      ?.ended ?? null
  );
}

/** Written by an application whose threads go on while Python shuts down. */
export function lateThread({timeline, processes}: Held): LogEvent | null {
  const [first] = processes;
  const since = first.asked?.event ?? first.forced?.event ?? null;
  return (
    timeline.events.find(
      (event) => event.message === 'application/thread-at-exit' && (since === null || precedes(since, event)),
    ) ?? null
  );
}

function crashLine({instance}: Held): LogEvent | null {
  return instance.processes.flatMap(({remarks}) => remarks).find(({meaning}) => meaning.kind === 'crash') ?? null;
}

function requestWeight(held: Held): Weighed {
  const {instance, processes, verdict, proved, request} = held;
  const [process] = processes;
  const requests = requestsOf(instance);
  const last = processes.flatMap(({segments}) => segments).at(-1)?.last ?? null;
  if (isDeaf(held))
    return weighed(
      'less',
      null,
      'a worker that is busy with a request takes note of being asked all the same',
      process.forced?.event ?? null,
    );
  if (verdict === 'recycle') {
    return proved
      ? weighed('excluded', null, 'a worker says that its work is done when its request has ended', process.asked?.event ?? null)
      : weighed(
          'equally',
          null,
          'nothing rules it out: it gets its line when it ends, and a request that is killed gets none',
          null,
        );
  }
  if (verdict === 'undecided') {
    const harakiri = setting(instance, 'harakiri');
    return weighed(
      'equally',
      request ?? null,
      requests.count === 0
        ? 'the log has no request lines, and nothing that speaks against it'
        : harakiri
          ? 'harakiri is set, and it ends slow requests if it is shorter than the mercy; but it did not strike here'
          : 'nothing rules it out: a request that is killed has no line',
      harakiri?.where ?? last,
    );
  }
  if (proved) return weighed('excluded', null, 'the log shows that no request was running in them', last);
  const mercy = mercyOf(instance).seconds;
  return requests.count === 0
    ? weighed(
        'less',
        null,
        `it would need a request in every worker at once, each longer than ${mercy} s; request lines would decide it (leave out disable-logging)`,
        null,
      )
    : weighed(
        'less',
        null,
        `it would need a long request in every worker at the same moment, and the longest of ${count(requests.count, 'request')} here took ${seconds(requests.longest)}`,
        last,
      );
}
