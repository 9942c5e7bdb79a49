/**
 * Daemon processes of mod_wsgi that were ended because their time was over: by themselves at shutdown-timeout ("Aborting process"), or by Apache,
 * which waits 3 s at its own restart and kills in silence. Told by app-threads-block-shutdown, request-blocks-shutdown and worker-timeout.
 */
import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {cutWith} from './proxy-cuts.ts';
import {type Alternative, type Finding, type Fix, NO_SETTING} from './rule.ts';
import {
  count,
  duration,
  evidence,
  instanceName,
  isBounded,
  nameOf,
  only,
  proof,
  sentences,
  span,
  unique,
  was,
} from './wording.ts';

/**
 * `exit`: it had said "Stopping process", which comes when its request threads are done. `request`: it never did. `lock`, `request-limit`,
 * `start`: it had told the time limit that it stopped for.
 */
type DaemonVerdict = 'exit' | 'request' | 'lock' | 'request-limit' | 'start';

const LIMITS: Readonly<Record<string, DaemonVerdict>> = {
  'apache/deadlock': 'lock',
  'apache/request-limit': 'request-limit',
  'apache/start-up-limit': 'start',
};

export function* daemonProcessKills(timeline: Timeline, ...verdicts: readonly DaemonVerdict[]): Iterable<Finding | null> {
  for (const instance of timeline.instances.filter(({supervisor}) => supervisor === 'apache')) {
    const killed = instance.processes.filter(({role, end, forced}) => role === 'worker' && end === 'forced' && forced !== null);
    for (const [verdict, processes] of groupBy(killed, verdictOf)) {
      if (verdicts.includes(verdict)) yield describe(timeline, instance, verdict, processes);
    }
  }
}

function verdictOf({asked, leaving}: Process): DaemonVerdict {
  return LIMITS[asked?.event.message ?? ''] ?? (leaving === null ? 'request' : 'exit');
}

interface Telling {
  readonly title: string;
  readonly why: string;
  readonly confidence: Finding['confidence'];
  readonly against: readonly Alternative[];
  readonly fixes: readonly Fix[];
  readonly next: readonly string[];
}

const SHUTDOWN_TIMEOUT: Fix = {
  setting: 'shutdown-timeout',
  section: null,
  value: null,
  since: null,
  safety: 'safe',
  effect: 'requests up to that length are answered where a process leaves by itself (maximum-requests, a touched script)',
  why: 'In WSGIDaemonProcess, 5 s by default; graceful-timeout (15 s) comes before it. At a restart or stop of Apache itself neither counts: that waits for 3 s.',
};

const TELLINGS: Readonly<Record<DaemonVerdict, Telling>> = {
  exit: {
    title: 'Processes of mod_wsgi did not leave and were ended; a thread of the application likely held them',
    why:
      'Each had said "Stopping process", which it does when the threads for requests are done, and then did not come to "Exiting process": Python was shutting ' +
      'down. A thread of the application that is no daemon thread, or an exit handler, holds it there.',
    confidence: 'likely',
    against: [
      {
        hypothesis: 'request-blocks-shutdown',
        because: 'the threads for requests had ended before "Stopping process"',
        line: null,
        fits: 'excluded',
      },
      {
        hypothesis: 'an exit handler (atexit) or a C extension that blocks while Python shuts down',
        because: 'nothing in the log speaks against it; threads are met more often',
        line: null,
        fits: 'equally',
      },
    ],
    fixes: [
      {
        ...NO_SETTING,
        safety: 'needs-code',
        effect: 'the process leaves at once',
        why: 'Make the thread a daemon thread (daemon=True), or stop it when mod_wsgi says that it shuts down: mod_wsgi.subscribe_shutdown(…).',
      },
    ],
    next: [
      'py-spy dump --pid <pid of a daemon process that has said "Stopping process">   # during the next hang: shows which thread is waited for',
    ],
  },
  request: {
    title: 'A running request kept a process of mod_wsgi from leaving until it was ended',
    why:
      'It was told to leave and never said "Stopping process", which comes when the threads for requests are done: most likely one was still at work, and its ' +
      'request was cut.',
    confidence: 'likely',
    against: [
      {
        hypothesis: 'app-threads-block-shutdown',
        because: 'a process whose exit is held has said "Stopping process" before',
        line: null,
        fits: 'less',
      },
      {
        hypothesis: 'a process that was still loading the application',
        because: 'nothing in the log speaks against it; it would look the same',
        line: null,
        fits: 'less',
      },
    ],
    fixes: [
      {
        ...NO_SETTING,
        safety: 'needs-code',
        effect: 'the process leaves as soon as its requests end',
        why: 'Give the calls that requests make a time limit, or move long work to a queue.',
      },
      SHUTDOWN_TIMEOUT,
    ],
    next: ["look for requests answered with 500 or 502 in Apache's access log at that second"],
  },
  lock: {
    title: "A process of mod_wsgi was ended because nobody could get Python's lock",
    why:
      "deadlock-timeout (300 s by default) was over: no Python code could run in the process for so long. Code in C that keeps the interpreter's lock, or a deadlock, does that; " +
      'slow Python code does not.',
    confidence: 'certain',
    against: [],
    fixes: [
      {
        ...NO_SETTING,
        safety: 'needs-code',
        effect: 'other requests of the process go on meanwhile',
        why: 'Find the call into C (a driver, a library for images or numbers) that never gives the lock back. A C extension that does not know sub-interpreters needs application-group=%{GLOBAL}.',
      },
    ],
    next: ['gdb -p <pid> -batch -ex "thread apply all bt"   # within deadlock-timeout: which C function holds the lock'],
  },
  'request-limit': {
    title: 'A process of mod_wsgi was ended because requests took longer than request-timeout',
    why: 'request-timeout was over: the time that the running requests have taken, divided by the number of threads. All requests of the process were cut, the quick ones too.',
    confidence: 'certain',
    against: [],
    fixes: [
      {
        ...NO_SETTING,
        safety: 'needs-code',
        effect: 'the request ends, with an answer, before the limit',
        why: 'Give the calls that requests make a time limit, or move long work to a queue.',
      },
    ],
    next: [
      'mod_wsgi writes the Python stacks at that moment ("Dumping stack trace for active Python threads"): the lines after it',
    ],
  },
  start: {
    title: 'A process of mod_wsgi was ended because it did not get the application loaded in time',
    why: 'startup-timeout was over before the script had been loaded.',
    confidence: 'certain',
    against: [],
    fixes: [],
    next: ['the lines of the same process before it: "Failed to exec Python script file" or a traceback'],
  },
};

function describe(timeline: Timeline, instance: Instance, verdict: DaemonVerdict, processes: readonly Process[]): Finding | null {
  const telling = TELLINGS[verdict];
  const silent = processes.filter(({forced}) => forced?.inferred);
  const wait = span(processes.flatMap(({forced}) => forced?.patience ?? []));
  const lost = processes.flatMap((process) => cutWith(timeline, process));
  const reloads = unique(processes.flatMap(({asked}) => asked?.reload ?? []));
  const lines = evidence([
    ...processes
      .slice(0, 4)
      .flatMap((process) => [
        ...(process.asked
          ? [proof(process.asked.event, ASKED[process.asked.event.message] ?? `${nameOf(process)} is to leave`)]
          : []),
        ...remarksOf(process).map((event) =>
          proof(event, `${nameOf(process)} has waited for its requests in vain (graceful-timeout)`),
        ),
        ...(process.leaving ? [proof(process.leaving, `${nameOf(process)} has no request in hand any more`)] : []),
        ...(process.forced
          ? [
              proof(
                process.forced.event,
                process.forced.inferred
                  ? `Apache is up again, and ${nameOf(process)} never said "Exiting process"`
                  : `${nameOf(process)} ends itself: its time is over`,
              ),
            ]
          : []),
      ]),
    ...lost.slice(0, 3).map((event) => proof(event, 'Apache gets no answer to a request')),
  ]);
  if (!lines) return null;
  return {
    title: telling.title,
    message: sentences(
      `${count(processes.length, 'daemon process', 'daemon processes')} of mod_wsgi ${was(processes.length)} to leave and ${was(processes.length)} ended`,
      silent.length === processes.length
        ? 'by Apache'
        : silent.length === 0
          ? 'when shutdown-timeout was over'
          : 'by Apache or when shutdown-timeout was over',
      isBounded(wait) ? `after ${duration(wait)}.` : '.',
      telling.why,
      silent.length > 0 &&
        'The kill by Apache is inferred: at a restart it waits 3 s for what its modules have started, kills it, and writes nothing.',
      lost.length > 0 && `In that moment Apache got no answer to ${count(lost.length, 'request')}.`,
    ).replace(' .', '.'),
    confidence: processes.every((process) => remarksOf(process).length > 0) ? 'certain' : telling.confidence,
    instance: instance.id,
    reload: only(reloads),
    pids: unique(processes.map(({pid}) => pid)),
    workers: [],
    evidence: lines,
    against: [...telling.against],
    cannotSee: [
      ...(verdict === 'exit'
        ? ['which thread it was']
        : ['which request it was: it gets its line in the access log when it ends']),
      ...(silent.length > 0 ? ['the kill itself'] : []),
    ],
    fixes: [...telling.fixes],
    next: [...telling.next],
    identity: [instanceName(instance), verdict],
  };
}

/** Its requests were waited for, and one of them went on. */
function remarksOf({remarks}: Process): readonly LogEvent[] {
  return remarks.filter(({message}) => message === 'apache/graceful-limit').slice(0, 1);
}

const ASKED: Readonly<Record<string, string>> = {
  'apache/deadlock': "nobody could get the interpreter's lock for deadlock-timeout",
  'apache/request-limit': 'its requests took too long',
  'apache/start-up-limit': 'the application was not loaded in time',
  'apache/maximum-requests': 'maximum-requests is reached',
  'apache/graceful-restart': 'Apache restarts',
};
