import {thousands} from '../number.ts';
import type {Cause, LogEvent} from '../timeline/event.ts';
import {instanceWithId} from '../timeline/lookup.ts';
import {between} from '../timeline/time.ts';
import {type Instance, type OrphanedTask, type Process, type Timeline, UNKNOWN_PID} from '../timeline/timeline.ts';
import {mercyOf, mercyText, raiseMercy} from './mercy.ts';
import {cutByTimeLimit, cutInQueue, leftByWorker} from './queue-losses.ts';
import {leftAtRestart} from './queue-restarts.ts';
import {reasonOf} from './recycling.ts';
import {type Finding, type Fix, NO_SETTING, type Rule, type Undecided} from './rule.ts';
import {setting} from './settings.ts';
import {cutWithoutBeginning} from './tasks-cut.ts';
import {count, evidence, instanceName, list, nameOf, proof, seconds, sentences, unique} from './wording.ts';
import {longestTask} from './work.ts';

const LOST_TO: Readonly<Record<Cause, string>> = {
  reload: 'a reload',
  'chain-reload': 'a chain reload',
  stop: 'a stop',
  'max-requests': 'max-requests',
  'max-lifetime': 'max-worker-lifetime',
  rss: 'a memory limit',
  harakiri: 'harakiri',
  timeout: 'a timeout',
  cheaper: 'scaling down',
  signal: 'a signal',
  'exit-code': 'its own end',
  'master-gone': 'the loss of its master',
  unknown: 'something that the log does not name',
};

const HOW = 'It takes lines of the application that tell when a task begins and ends, with the pid (see --task-start).';

/** A task that was running for so many times the longest one that ended may have ended without a line long before. */
const OVERDUE = 3;
/** Seconds for which any task may run. */
const USUAL = 60;

const rule: Rule = {
  id: 'respawn-orphans-tasks',
  title: 'Background tasks were lost with the process that ran them',
  severity: 'error',
  docs: {
    sees:
      'Tasks that the application says it began in a process, whose end never appears, and whose process is gone ' +
      '(recycled, reloaded, killed), while nobody began them again. Lines such as "start task 17" and "task 17 done" with ' +
      'a pid are known, and those of Celery, RQ, APScheduler and Django Q; --task-start and --task-end tell others. Of a ' +
      'Celery worker also the tasks that it had only fetched, and those that it killed at their time limit.',
    why:
      'A task that runs in a thread or pool of a worker lives only as long as the worker. The answer to the request may ' +
      'have been sent long before; when the worker is recycled or reloaded, the task ends in the middle, without a word.',
    remedy:
      "Give work that must not be lost to a queue outside the workers: a task queue, uWSGI's spooler or a mule. Until " +
      'then, worker-reload-mercy above the longest task, with threads that are waited for, lets most of them end.',
    limits:
      'It needs lines of the application that tell when a task begins and ends, with the pid. Tasks that were waiting and ' +
      'had logged nothing are lost unseen. A task that ends after its worker said "Seeya" is none of them.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/Spooler.html',
      'https://uwsgi-docs.readthedocs.io/en/latest/Mules.html',
    ],
  },
  needs: {
    messages: [
      'application/task-began',
      'application/queued-task-began',
      'celery/task-received',
      'celery/task-lost',
      'celery/task-timed-out',
      'application/queued-task-cut',
      'uwsgi/work-done',
      'uwsgi/lifetime-reached',
      'uwsgi/no-mercy',
      'uwsgi/harakiri',
      'gunicorn/autorestart',
      'gunicorn/worker-timeout',
    ],
    otherwise: `no line of this log tells of a task in the background. ${HOW}`,
  },
  *check(timeline) {
    yield cutWithoutBeginning(timeline);
    if (!timeline.events.some(isTaskOfWorker)) {
      yield* withoutTasks(timeline);
      return;
    }
    const spoolers = new Set(processesOf(timeline).flatMap(({role, pid}) => (role === 'spooler' ? [pid] : [])));
    const orphans = timeline.tasks.orphaned.filter(
      ({started, pid}) => isTaskOfWorker(started) && !spoolers.has(pid ?? UNKNOWN_PID),
    );
    for (const [owner, tasks] of grouped(timeline, orphans)) {
      yield* findingsOf(timeline, owner, tasks);
    }
    yield leftAtRestart(timeline);
  },
};

export default rule;

/** A spooler keeps its tasks and runs them again; a cron job is a process of its own. */
function isTaskOfWorker({meaning}: LogEvent): boolean {
  return meaning.kind === 'task-began' && (meaning.role === undefined || meaning.role === 'worker');
}

function* findingsOf(timeline: Timeline, owner: Instance | null, tasks: readonly OrphanedTask[]): Iterable<Finding | null> {
  // Its lines name no process where a task is received.
  const isQueue = owner?.supervisor === 'celery' && tasks.every(({pid}) => pid === null);
  if (isQueue) {
    const limited = tasks.filter(({gone, lostTo}) => gone?.meaning.kind === 'task-cut' && lostTo === 'timeout');
    const left = tasks.filter((task) => !limited.includes(task));
    if (limited.length > 0) yield cutByTimeLimit(owner, limited);
    if (left.length > 0) yield leftByWorker(timeline, owner, left);
  } else if (owner === null && tasks.every(({gone}) => gone?.meaning.kind === 'task-cut')) yield cutInQueue(timeline, tasks);
  else yield describe(timeline, owner, tasks);
}

function* withoutTasks(timeline: Timeline): Iterable<Undecided> {
  const gone = processesOf(timeline).filter(isCutShort);
  if (gone.length === 0) return;
  yield {
    undecided:
      `work in the background of the workers that were recycled or killed (${whichOf(gone)}) was at risk, and no line tells ` +
      `whether there was any. ${HOW}`,
  };
}

function whichOf(gone: readonly Process[]): string {
  const isKnown = gone.every(({pid}) => pid !== UNKNOWN_PID);
  return isKnown ? `pid ${list(unique(gone.map(({pid}) => pid)), 5)}` : list(unique(gone.map(nameOf)), 5);
}

function processesOf({instances}: Timeline): Process[] {
  return instances.flatMap(({processes}) => processes);
}

/** Gone while it might still have had something to do. */
function isCutShort(process: Process): boolean {
  return process.role === 'worker' && process.end !== 'running' && (process.asked?.by === 'itself' || process.forced !== null);
}

function grouped(timeline: Timeline, orphans: readonly OrphanedTask[]): Map<Instance | null, OrphanedTask[]> {
  const groups = new Map<Instance | null, OrphanedTask[]>();
  for (const task of orphans) {
    const owner = instanceWithId(timeline.instances, task.instance);
    const group = groups.get(owner);
    if (group) group.push(task);
    else groups.set(owner, [task]);
  }
  return groups;
}

/** It was at work for much longer than any task that ended: it may have ended long before, without a line. */
function isOverdue({startedAt, gone}: OrphanedTask, longest: number): boolean {
  return gone !== null && between(startedAt, gone.at).min > Math.max(USUAL, OVERDUE * longest);
}

function describe(timeline: Timeline, instance: Instance | null, tasks: readonly OrphanedTask[]): Finding | null {
  const longest = longestTask(timeline);
  const isGone = tasks.every(({gone}) => gone !== null);
  const overdue = tasks.filter((task) => isOverdue(task, longest));
  const end = lastEnd(timeline);
  const proved = isGone && overdue.length === 0 && end !== null && tasks.every(({pid}) => pid !== null);
  const isThreadless = instance !== null && hasNoThreads(instance);
  const silent = tasks.every(({replacedBy}) => replacedBy !== null);
  const causes = unique(tasks.map((task) => lostTo(instance, task)));
  const named = tasks.map(({id, pid}) =>
    pid === null ? `${id ?? 'one'}` : id === null ? `one in pid ${pid}` : `${id} (pid ${pid})`,
  );
  const began = timeline.tasks.started;
  const lines = evidence(
    tasks
      .slice(0, 5)
      .flatMap((task) => [
        proof(
          task.started,
          `${task.id === null ? 'a task' : `task ${task.id}`} begins${task.pid === null ? '' : ` in pid ${task.pid}`}`,
        ),
        ...(task.gone ? [proof(task.gone, `${processOf(task)} gone, and no end of the task was written`)] : []),
        ...(task.replacedBy
          ? [proof(task.replacedBy, `from now on pid ${task.replacedBy.pid} does this work; pid ${task.pid} writes no more`)]
          : []),
      ]),
  );
  if (!lines) return null;
  const forced =
    instance?.processes.filter(({pid, forced: kill}) => kill?.deadline === 'mercy' && tasks.some((task) => task.pid === pid))
      .length ?? 0;
  const mercy = instance && forced > 0 ? mercyOf(instance) : null;
  return {
    title: rule.title,
    message: sentences(
      `${count(tasks.length, 'task')} of ${thousands(began)} began and never ended: ${list(named, 6)}.`,
      isGone && `Their processes are gone, ended by ${list(causes)}.${proved ? ' That is proved.' : ''}`,
      isThreadless &&
        'Threads of Python are off in this server (enable-threads): a thread of the application runs only while its',
      isThreadless && 'worker handles a request, so a task in a thread stands still in between, takes long, and is easily cut.',
      overdue.length > 0 && `${overdue.length === tasks.length ? 'They' : `${overdue.length} of them`} had begun long before,`,
      overdue.length > 0 &&
        `while the longest task that ended took ${seconds(longest)}: an error may have ended them without a line.`,
      silent && 'The log has no line for the end of the process; that it was replaced is inferred, because it fell silent',
      silent && 'and another pid goes on with the same work. Thread ids repeat over processes: the pids tell.',
      !isGone &&
        !silent &&
        'The log does not show how all of their processes ended; that they are gone is inferred from what follows.',
      mercy && `${count(forced, 'of these processes was', 'of these processes were')} killed when the mercy`,
      mercy && `(${mercyText(mercy)}) ran out: the tasks were still running then. A shorter mercy would lose more.`,
    ),
    confidence: proved ? 'certain' : 'likely',
    instance: instance?.id ?? null,
    reload: null,
    pids: unique(tasks.map(({pid}) => pid)).filter((pid) => pid !== null),
    workers: unique(tasks.map(({worker}) => worker).filter((worker) => worker !== null)),
    evidence: lines,
    against: [
      {
        hypothesis: 'the task ended and the line is missing',
        because:
          end === null
            ? 'nothing in the log speaks against it: no task of it has a line for its end'
            : 'other tasks of this log do have their last line',
        line: end,
      },
    ],
    cannotSee: [
      'tasks that were waiting in the process and had logged nothing',
      'whether a task was started again under another name',
    ],
    fixes: fixesFor(timeline, instance, forced > 0),
    next: ["look the lost tasks up in the application's own records, and run them again where that is safe"],
    identity: [instance ? instanceName(instance) : 'application', ...unique(tasks.map(({lostTo}) => lostTo)).sort()],
  };
}

function processOf({pid}: OrphanedTask): string {
  return pid === null ? 'every process that can have run it is' : `pid ${pid} is`;
}

/** What took the process away; a worker that left by itself was recycled, even if it does not say by which limit. */
export function lostTo(instance: Instance | null, {pid, lostTo: cause}: OrphanedTask): string {
  const process = instance?.processes.find((each) => each.pid === pid && each.asked?.by === 'itself');
  return cause === 'unknown' && process ? reasonOf(process) : LOST_TO[cause];
}

function lastEnd(timeline: Timeline): number | null {
  return timeline.events.findLast(({meaning}) => meaning.kind === 'task-ended')?.line ?? null;
}

/** The server says so at its start; without the line nobody knows. */
function hasNoThreads(instance: Instance): boolean {
  return instance.supervisor === 'uwsgi' && setting(instance, 'enable-threads')?.value === false;
}

const ENABLE_THREADS: Fix = {
  setting: 'enable-threads',
  section: 'uwsgi',
  value: 'true',
  since: null,
  safety: 'safe',
  effect: 'a task in a thread goes on between requests, and ends in its own time',
  why: 'It keeps no recycling or reload from cutting a task: it makes the time shorter in which one can.',
};

function fixesFor(timeline: Timeline, instance: Instance | null, forced: boolean): Fix[] {
  const raise = instance && forced ? raiseMercy(timeline, instance) : null;
  return [
    ...(instance !== null && hasNoThreads(instance) ? [ENABLE_THREADS] : []),
    {
      ...NO_SETTING,
      safety: 'needs-code',
      effect: 'no task is lost when a worker is replaced',
      why: `Give the work to a queue outside the workers (a task queue${
        instance?.supervisor === 'uwsgi' || instance === null ? ", uWSGI's spooler or a mule" : ''
      }).`,
    },
    ...(raise ? [raise] : []),
  ];
}
