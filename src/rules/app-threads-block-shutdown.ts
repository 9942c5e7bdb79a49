import type {Duration} from '../timeline/time.ts';
import type {Instance, Timeline} from '../timeline/timeline.ts';
import {describeExitHang, describeLateExit} from './arbiter-exit-hang.ts';
import {killsBy} from './arbiter-kills.ts';
import {GUNICORN_EXIT_REFERENCES} from './arbiter-remedies.ts';
import {lateThread, likelyThread, otherCauses} from './causes.ts';
import {daemonProcessKills} from './daemon-process-kills.ts';
import {
  byInstance,
  type ForcedWorker,
  forcedWorkers,
  heldOf,
  onlySome,
  reasons,
  reloadsOf,
  SHOWS_FORCED_WORKERS,
} from './forced-workers.ts';
import {costOf, mercyOf, mercyText, waitText} from './mercy.ts';
import {EXIT_HANG_REFERENCES, exitBug, exitHangRemedies, whileItHangs} from './remedies.ts';
import type {Evidence, Finding, Rule} from './rule.ts';
import {loading, setting} from './settings.ts';
import {troubleText} from './upstream-troubles.ts';
import {
  concerning,
  count,
  duration,
  evidence,
  instanceName,
  isBounded,
  list,
  nameOf,
  occasions,
  only,
  proof,
  seconds,
  sentences,
  span,
} from './wording.ts';

const rule: Rule = {
  id: 'app-threads-block-shutdown',
  title: 'Workers did not leave and were killed at the deadline; a thread of the application likely held them',
  severity: 'error',
  docs: {
    sees:
      'Workers that were asked to stop, had no request to finish, and still had to be killed with "NO MERCY" when the ' +
      'patience of the master ran out; under gunicorn, workers that said "Worker exiting" and were then aborted by WORKER ' +
      'TIMEOUT, or that held up a stop until graceful_timeout; processes of mod_wsgi that said ' +
      '"Stopping process" and were ended before "Exiting process".',
    why:
      'A worker that leaves shuts Python down, and Python first waits for every thread that is not a daemon thread. A ' +
      'thread, timer or pool that the application started ' +
      'and never ends makes this wait endless. Loaded before the workers are forked, the thread itself runs in the master ' +
      'only; each worker keeps a copy of its record and waits all the same. ' +
      'The master waits for the time called mercy (worker-reload-mercy, 60 s by default) and then kills. Until then nobody ' +
      "serves. gunicorn's arbiter waits for timeout after a HUP, and for graceful_timeout at a stop (30 s each by default).",
    remedy:
      'Make the thread a daemon thread or stop it when the worker leaves. py-call-uwsgi-fork-hooks (prefork, 2.0.21 and ' +
      'later) and skip-atexit-teardown (2.0.15 and later) end the wait without a change of code. ' +
      'skip-atexit, reload-mercy, enable-threads and lazy-apps alone do not. A lower worker-reload-mercy shortens the wait ' +
      'and leaves the cause. Under gunicorn, stop the thread in the server hook worker_exit.',
    limits:
      'The log proves the kill, and often that no request was running; it does not show what the worker waited for. An ' +
      'exit handler, a lock or a C extension look the same. ' +
      'Without request lines it cannot prove that the workers were idle.',
    references: [...EXIT_HANG_REFERENCES, ...GUNICORN_EXIT_REFERENCES],
  },
  needs: {
    ...SHOWS_FORCED_WORKERS,
    messages: [...SHOWS_FORCED_WORKERS.messages, 'gunicorn/worker-timeout', 'apache/stopping'],
  },
  *check(timeline) {
    const forced = forcedWorkers(timeline);
    const idle = forced.filter(({verdict}) => verdict === 'idle');
    const open = forced.filter(({verdict}) => verdict === 'undecided').length;
    if (open > 0)
      yield {
        undecided:
          `${count(open, 'worker was', 'workers were')} killed at the deadline, and a request explains it as well as a ` +
          'thread',
      };
    for (const [instance, workers] of byInstance(idle)) {
      yield describe(timeline, instance, workers);
    }
    for (const [instance, kills] of killsBy(timeline, 'exit')) {
      const ended = kills.filter(({isEndKnown}) => isEndKnown);
      yield describeExitHang(instance, ended);
      yield describeLateExit(
        instance,
        kills.filter((kill) => !ended.includes(kill)),
      );
    }
    yield* daemonProcessKills(timeline, 'exit');
  },
};

export default rule;

function describe(timeline: Timeline, instance: Instance, workers: readonly [ForcedWorker, ...ForcedWorker[]]): Finding | null {
  const processes = workers.map(({process}) => process);
  const reloads = reloadsOf(workers);
  const bug = exitBug(instance, processes[0] ?? null);
  const proved = workers.filter((worker) => worker.proved);
  const isProved = proved.length === workers.length;
  const some = onlySome(workers);
  const held = heldOf(timeline, workers, isProved, some);
  const late = lateThread(held);
  const lines = evidence([
    ...evidenceOf(instance, workers),
    ...(late ? [proof(late, 'Python complains: a thread of the application still works while the worker shuts down')] : []),
  ]);
  if (!lines) return null;
  const remedies = exitHangRemedies(timeline, instance, processes, gainOf(instance, workers), some);
  return {
    title: bug
      ? 'Workers did not leave and were killed at the deadline; this version of uWSGI has a fault that does that'
      : rule.title,
    message: [
      killed(instance, workers),
      reasons(workers),
      ...(late ? ['Python itself complains that a thread was still at work while the worker shut down.'] : []),
      cause(instance, workers, bug && troubleText(bug, instance, processes[0]?.forced?.event ?? null)),
    ].join(' '),
    confidence: 'likely',
    instance: instance.id,
    reload: only(reloads)?.id ?? null,
    ...concerning(processes),
    evidence: lines,
    against: [
      ...(bug
        ? [
            {
              hypothesis: 'a thread of the application',
              because:
                'the fault of this version is enough to explain it; whether a thread holds them as well shows after the upgrade',
              line: null,
              fits: 'less' as const,
            },
          ]
        : []),
      ...otherCauses(held, likelyThread(held)),
      ...ownThreads(instance, bug !== null),
    ],
    cannotSee: [
      'what the workers waited for: uWSGI prints nothing while Python shuts down',
      ...(isProved ? [] : ['requests killed at the deadline: they never get a line in this log']),
    ],
    fixes: remedies.fixes,
    next: [...whileItHangs(instance), ...remedies.upgrades],
    identity: [instanceName(instance), bug ? 'known fault' : 'exit hang'],
  };
}

function killed(instance: Instance, workers: readonly ForcedWorker[]): string {
  const reloads = reloadsOf(workers);
  const wait = patienceOf(workers);
  const mercy = mercyOf(instance);
  const where = reloads.length > 0 ? ` in ${occasions(reloads)}` : '';
  return sentences(
    `${count(workers.length, 'worker')} had to be killed${where}:`,
    `${workers.length === 1 ? 'it was' : 'they were'} asked to stop, did not, and the master lost patience. That is proved.`,
    `Its patience is called mercy: ${mercyText(mercy)}, and a second more.`,
    isBounded(wait)
      ? `Each kill came ${duration(wait)} after the worker had been asked.`
      : `No line tells when they were asked: going by the mercy, about ${seconds(costOf(mercy.seconds))} before the kill.`,
  );
}

function cause(instance: Instance, workers: readonly ForcedWorker[], bug: string | null): string {
  if (bug !== null)
    return `What kept them is inferred: a fault of this version. ${bug}. That strikes every idle worker, with or without a thread of the application.`;
  const where = onlySome(workers) ? 'some' : loading(instance, workers.at(-1)?.process ?? null);
  return {
    prefork:
      'What kept them is inferred: most often it is a thread, timer or pool that the application starts when it is ' +
      'imported. It was loaded before the workers were forked, so the thread runs in the master only, ' +
      'but each worker has a copy of its record and waits for it.',
    'lazy-apps':
      'What kept them is inferred: most often it is a thread, timer or pool that the application starts in each worker and ' +
      'never ends.',
    some:
      'What kept them is inferred: most often it is a thread, timer or pool that the application starts while it serves. ' +
      'Others left at the same time, so not every worker has it.',
    unknown: 'What kept them is inferred: most often it is a thread, timer or pool that the application started and never ends.',
  }[where ?? 'unknown'];
}

function gainOf(instance: Instance, workers: readonly ForcedWorker[]): string {
  return `wait ${waitText(instance, patienceOf(workers))} -> about 1 s for each worker, and nothing is killed`;
}

function patienceOf(workers: readonly ForcedWorker[]): Duration | null {
  return span(workers.map(({forced}) => forced.patience).filter((patience) => patience !== null));
}

function evidenceOf(instance: Instance, workers: readonly ForcedWorker[]): Evidence[] {
  const [first] = reloadsOf(workers);
  const mercy = mercyOf(instance);
  const shown = workers.flatMap((worker) => worker.shown);
  const clean = instance.processes.find(
    (process) =>
      process.role === 'worker' && process.end === 'clean' && process.ended && process.asked && process.asked.by !== 'itself',
  );
  const load = instance.epochs.flatMap((epoch) => epoch.appLoads).at(0);
  const where =
    load?.inWorker === null
      ? null
      : load?.inWorker
        ? 'the application is loaded in each worker'
        : 'the application was loaded before the workers were forked';
  return [
    ...(first ? [proof(first.began, first.headless ? 'the first sign of the reload or stop' : 'it begins')] : []),
    ...workers.slice(0, 6).map(({process, forced}) => proof(forced.event, `${nameOf(process)} was killed at the deadline`)),
    ...shown.slice(0, 2),
    ...(load && where ? [proof(load.event, where)] : []),
    ...(clean?.ended ? [proof(clean.ended, `${nameOf(clean)} left by itself: not every stop hangs`)] : []),
    ...(mercy.known === 'shown' && mercy.where ? [proof(mercy.where, `the mercy is ${mercyText(mercy)}`)] : []),
  ];
}

/** uWSGI's own threads are often suspected. */
function ownThreads(instance: Instance, isBug: boolean): Finding['against'] {
  const threads = Number(setting(instance, 'threads')?.value ?? 1);
  const switched = setting(instance, 'enable-threads');
  if (isBug || (threads <= 1 && !switched)) return [];
  const names = list([...(threads > 1 ? ['threads'] : []), ...(switched ? ['enable-threads'] : [])]);
  return [
    {
      hypothesis: `the setting ${names}`,
      because: "uWSGI's own threads end when they are asked to; these settings neither cause nor cure a hang at exit",
      line: switched?.where?.line ?? null,
    },
  ];
}
