/** Tasks that a worker of a task queue (Celery) had taken and did not end: the queue itself may give them out again. */
import {thousands} from '../number.ts';
import type {LogEvent} from '../timeline/event.ts';
import type {Instance, OrphanedTask, Timeline} from '../timeline/timeline.ts';
import {type Finding, type Fix, NO_PROCESS, NO_SETTING} from './rule.ts';
import {setting} from './settings.ts';
import {count, evidence, instanceName, list, proof, sentences, unique} from './wording.ts';

/** Celery cut them by their time limit: the line names each. */
export function cutByTimeLimit(instance: Instance, tasks: readonly OrphanedTask[]): Finding | null {
  const lines = evidence(
    tasks
      .slice(0, 5)
      .flatMap(({started, gone, id}) => [
        proof(started, `task ${id} is received`),
        ...(gone ? [proof(gone, 'its time limit was over: Celery kills the process that runs it')] : []),
      ]),
  );
  if (!lines) return null;
  const names = unique(tasks.map(({started}) => String(started.fields['name'] ?? '')));
  return {
    ...about(instance, tasks),
    title: `${count(tasks.length, 'task was', 'tasks were')} killed at ${tasks.length === 1 ? 'its' : 'their'} hard time limit`,
    message: sentences(
      `Celery killed the process that ran ${list(
        tasks.map(({id}) => id ?? 'one'),
        6,
      )} (${list(names, 3)}) when the hard time limit was over. That is proved.`,
      'It is not given out again, unless task_acks_on_failure_or_timeout is off: what it had done stays, and the rest is missing.',
      'The line about a process that exited with signal 9 is this kill; it is no sign of a want of memory.',
    ),
    confidence: 'certain',
    evidence: lines,
    against: [],
    cannotSee: ['what the task was doing: faulthandler, or a handler of SoftTimeLimitExceeded that logs, would tell'],
    fixes: [
      {
        setting: 'task_time_limit',
        section: null,
        value: null,
        since: null,
        safety: 'safe',
        effect: 'tasks up to that length end by themselves',
        why: 'Raise it where the work is legitimately that long (time_limit= of the one task is enough), with task_soft_time_limit a few seconds below, so that the task can clean up.',
      },
      {
        ...NO_SETTING,
        safety: 'needs-code',
        effect: 'no task comes near its limit',
        why: 'Give calls to other systems a time limit of their own, and cut long work into several tasks.',
      },
    ],
    next: ['compare the length of the same task where it succeeded ("succeeded in … s") with the limit'],
    identity: [instanceName(instance), 'time limit'],
  };
}

/** The process that ran them, or the whole worker, is gone. */
export function leftByWorker(timeline: Timeline, instance: Instance, tasks: readonly OrphanedTask[]): Finding | null {
  const lines = evidence([
    ...tasks.slice(0, 5).map(({started, id}) => proof(started, `task ${id} is received`)),
    ...unique(tasks.map(({gone}) => gone))
      .filter((gone) => gone !== null)
      .map((gone) =>
        proof(
          gone,
          isCold(gone)
            ? 'it stops at once, and waits for no task'
            : gone.meaning.kind === 'starting'
              ? 'the same node starts anew: the worker that had them is gone'
              : 'a process of the pool is gone, with the task that it ran',
        ),
      ),
  ]);
  if (!lines) return null;
  const isWhole = tasks.every(({gone}) => gone !== null && (gone.meaning.kind === 'starting' || isCold(gone)));
  const isAtOnce = tasks.some(({gone}) => gone !== null && isCold(gone));
  const concurrency = Number(setting(instance, 'concurrency')?.value ?? Number.NaN);
  const waiting = isWhole && tasks.length > concurrency ? tasks.length - concurrency : 0;
  const isStop = tasks.some(({lostTo}) => lostTo === 'stop');
  const ended = timeline.events.findLast(({meaning}) => meaning.kind === 'task-ended');
  return {
    ...about(instance, tasks),
    title: isWhole ? 'A worker went and left tasks behind that it had taken' : 'Tasks were lost with the process that ran them',
    message: sentences(
      `${count(tasks.length, 'task')} of ${thousands(timeline.tasks.started)} ${tasks.length === 1 ? 'was' : 'were'} received and never ended: ${list(
        tasks.map(({id}) => id ?? 'one'),
        6,
      )}.`,
      isWhole &&
        (isAtOnce
          ? 'The worker was told to stop at once (cold shutdown): it waits for no task, and ends the processes that run them.'
          : isStop
            ? 'The worker was told to stop and is gone: the same node starts anew.'
            : 'The worker is gone without a word, killed most likely: the same node starts anew.'),
      waiting > 0 &&
        `A worker takes tasks before it runs them: with ${count(concurrency, 'process', 'processes')}, at least ${waiting} of these had not begun.`,
      'A task that ran is lost, unless it has acks_late. One that had only been fetched is given out again by the broker:',
      'RabbitMQ does so at once, Redis after visibility_timeout (an hour, unless set).',
      `Up to its end this log shows ${tasks.length === 1 ? 'it' : 'none of them'} received again${tasks.length === 1 ? ' nowhere' : ''}.`,
    ),
    confidence: 'likely',
    evidence: lines,
    against: [
      {
        hypothesis: 'the broker gives the tasks out again later, or to another worker',
        because: 'no line of this log says so; the log of the other workers, or a later one, would',
        line: null,
      },
      {
        hypothesis: 'the task ended and the line is missing',
        because: ended
          ? 'other tasks of this log do have their last line'
          : 'nothing here speaks against it: no task of this log has a last line, so they may be written elsewhere',
        line: ended?.line ?? null,
      },
    ],
    cannotSee: [
      'which of them were running: Celery logs that a task is received, and not that it begins',
      'tasks that other workers took',
    ],
    fixes: [lateAcknowledgement(), ...(isStop || isWhole ? [patientStop()] : [])],
    next: [
      "look for the ids in the logs of the other workers, in the result backend and in the application's own records",
      'redis-cli zcard unacked_index   # Redis: fetched and not acknowledged; they come back after visibility_timeout',
      "dmesg -T | grep -i 'killed process'   # whether it was the kernel, for want of memory",
    ],
    identity: [instanceName(instance), 'queue', ...unique(tasks.map(({lostTo}) => lostTo)).sort()],
  };
}

/** Another queue (RQ, Django Q) says that the process is gone which ran them. */
export function cutInQueue(timeline: Timeline, tasks: readonly OrphanedTask[]): Finding | null {
  const lines = evidence(
    tasks
      .slice(0, 5)
      .flatMap(({started, gone, id, lostTo}) => [
        proof(started, `task ${id} begins`),
        ...(gone
          ? [
              proof(
                gone,
                lostTo === 'timeout'
                  ? 'its time limit was over, and its process was replaced'
                  : 'the process that ran it is gone',
              ),
            ]
          : []),
      ]),
  );
  if (!lines) return null;
  const isCluster = tasks.every(({started}) => started.fields['process'] !== undefined);
  const again = tasks.filter(({id}) => id !== null && timesBegun(timeline, id) > 1).length;
  const [limited, stopped] = ['timeout', 'stop'].map((cause) => tasks.filter(({lostTo}) => lostTo === cause).length) as [
    number,
    number,
  ];
  return {
    instance: null,
    ...NO_PROCESS,
    title: 'Tasks of the queue were cut with the process that ran them',
    message: sentences(
      `${count(tasks.length, 'task')} of ${thousands(timeline.tasks.started)} began and never ended: ${list(
        tasks.map(({id}) => id ?? 'one'),
        6,
      )}. The queue itself says that ${tasks.length === 1 ? 'its process' : 'their processes'} went.`,
      limited > 0 &&
        `${limited === tasks.length ? 'A' : `For ${limited} of them, a`} time limit was over: the queue killed the process.`,
      stopped > 0 && 'A cold shutdown killed it: RQ was told to stop a second time before the job had ended.',
      limited + stopped < tasks.length &&
        (isCluster
          ? 'What else ends a process this log does not say: a signal (the kernel for want of memory, a person, the platform), a crash, or an exit in the task.'
          : 'Signal 9 may have come from anybody: the kernel for want of memory, a person, the platform.'),
      again > 0 &&
        `${again === 1 ? 'One' : again} of them had been given out before, and ${again === 1 ? 'was' : 'were'} cut then as well: what ends ${again === 1 ? 'it' : 'them'} comes back each time.`,
    ),
    confidence: 'likely',
    evidence: lines,
    against: [
      {
        hypothesis: 'the queue gives the tasks out again later, or to another worker',
        because: isCluster
          ? 'no later line of this log says so. Django Q does so once its option retry is over, except with the Redis broker, which has forgotten the task'
          : 'no line of this log says so. RQ keeps such a job in its FailedJobRegistry, and tries again only where it was enqueued with Retry',
        line: null,
      },
    ],
    cannotSee: ['what the task was doing when its process went', 'what other workers of the queue took'],
    fixes: isCluster ? clusterFixes(limited > 0) : [retryOfRq()],
    next: [
      isCluster
        ? "python3 manage.py shell -c 'from django_q.models import OrmQ; print(OrmQ.objects.count())'   # ORM broker: what waits to be given out again"
        : 'rq info; rq requeue --all   # what is in the FailedJobRegistry, and once more',
      ...(limited + stopped < tasks.length
        ? ["dmesg -T | grep -i 'killed process'   # whether it was the kernel, for want of memory"]
        : []),
    ],
    identity: ['queue', ...unique(tasks.map(({lostTo}) => lostTo)).sort()],
  };
}

function about(instance: Instance, tasks: readonly OrphanedTask[]): Pick<Finding, 'instance' | 'reload' | 'pids' | 'workers'> {
  return {
    instance: instance.id,
    reload: null,
    pids: unique(tasks.map(({pid}) => pid)).filter((pid) => pid !== null),
    workers: [],
  };
}

function lateAcknowledgement(): Fix {
  return {
    setting: 'task_acks_late',
    section: null,
    value: 'True',
    since: null,
    safety: 'needs-code',
    effect: 'a task that is cut is given out again, and runs from its beginning',
    why: 'Together with task_reject_on_worker_lost = True, and only for tasks that may run twice.',
  };
}

function patientStop(): Fix {
  return {
    ...NO_SETTING,
    safety: 'safe',
    effect: 'running tasks end before the worker does, and those that were fetched are given back',
    why: 'Stop it with TERM, once, and let whoever stops it (supervisord stopwaitsecs, systemd TimeoutStopSec, the container platform) wait longer than the longest task: a warm shutdown waits without a limit.',
  };
}

function timesBegun({events}: Timeline, id: string): number {
  return events.filter(({meaning, fields}) => meaning.kind === 'task-began' && String(fields['task']) === id).length;
}

function retryOfRq(): Fix {
  return {
    ...NO_SETTING,
    safety: 'needs-code',
    effect: 'a task that is cut runs again from its beginning',
    why: 'Enqueue it with Retry(max=…). Only for tasks that may run twice.',
  };
}

function clusterFixes(isLimited: boolean): Fix[] {
  const limit: Fix = {
    setting: 'timeout',
    section: 'Q_CLUSTER',
    value: null,
    since: null,
    safety: 'safe',
    effect: 'tasks up to that length end by themselves',
    why: 'Where the time limit struck legitimate work, raise it, and keep retry above it: else a task is given out again while it runs.',
  };
  const attempts: Fix = {
    setting: 'max_attempts',
    section: 'Q_CLUSTER',
    value: null,
    since: null,
    safety: 'safe',
    effect: 'a task that ends its process each time is given up',
    why: 'Without it (0) such a task comes back for ever, once in retry seconds.',
  };
  const broker: Fix = {
    ...NO_SETTING,
    safety: 'needs-code',
    effect: 'a task that is cut is given out again, and runs from its beginning',
    why: 'Where the broker is Redis, take one that waits for an acknowledgement (the ORM, SQS), with retry above timeout. Only for tasks that may run twice.',
  };
  return [...(isLimited ? [limit] : []), attempts, broker];
}

function isCold({message}: LogEvent): boolean {
  return message === 'celery/cold-shutdown';
}
