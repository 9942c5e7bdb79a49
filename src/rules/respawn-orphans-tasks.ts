import type {Cause, LogEvent} from '../timeline/event.ts';
import type {Instance, OrphanedTask, Process, Timeline} from '../timeline/timeline.ts';
import {mercyOf, mercyText, raiseMercy} from './mercy.ts';
import {reasonOf} from './recycling.ts';
import type {Finding, Fix, Rule, Undecided} from './rule.ts';
import {count, evidence, figure, instanceName, list, proof, sentences, unique} from './wording.ts';

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

const HOW = "The application's own lines are needed that tell when a task begins and ends, with the pid.";

const rule: Rule = {
  id: 'respawn-orphans-tasks',
  title: 'Background tasks were lost because their process was replaced',
  severity: 'error',
  docs: {
    sees:
      'Tasks that the application says it began in a process, whose end never appears, and whose process is gone ' +
      '(recycled, reloaded, killed).',
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
    if (!timeline.events.some(isTaskOfWorker)) {
      yield* withoutTasks(timeline);
      return;
    }
    const orphans = timeline.tasks.orphaned.filter((task) => isTaskOfWorker(task.started));
    const owners = ownersOf(timeline);
    for (const [owner, tasks] of grouped(orphans, owners)) {
      const finding = describe(timeline, owner, tasks);
      if (finding) yield finding;
    }
  },
};

export default rule;

/** A spooler keeps its tasks and runs them again; a cron job is a process of its own. */
function isTaskOfWorker({meaning}: LogEvent): boolean {
  return meaning.kind === 'task-began' && (meaning.role === undefined || meaning.role === 'worker');
}

function* withoutTasks(timeline: Timeline): Iterable<Undecided> {
  const gone = timeline.instances.flatMap(({processes}) => processes).filter(isCutShort);
  if (gone.length === 0) return;
  yield {
    undecided:
      'work in the background of the workers that were recycled or killed (pid ' +
      `${list(unique(gone.map(({pid}) => pid)), 5)}) was at risk, and no line tells whether there was any. ${HOW}`,
  };
}

/** Gone while it might still have had something to do. */
function isCutShort(process: Process): boolean {
  return process.role === 'worker' && process.end !== 'running' && (process.asked?.by === 'itself' || process.forced !== null);
}

function ownersOf(timeline: Timeline): Map<number, Instance> {
  const owners = new Map<number, Instance>();
  for (const instance of timeline.instances) for (const {pid} of instance.processes) owners.set(pid, instance);
  return owners;
}

function grouped(orphans: readonly OrphanedTask[], owners: ReadonlyMap<number, Instance>): Map<Instance | null, OrphanedTask[]> {
  const groups = new Map<Instance | null, OrphanedTask[]>();
  for (const task of orphans) {
    const owner = owners.get(task.pid) ?? null;
    groups.set(owner, [...(groups.get(owner) ?? []), task]);
  }
  return groups;
}

function describe(timeline: Timeline, instance: Instance | null, tasks: readonly OrphanedTask[]): Finding | null {
  const proved = tasks.every(({gone}) => gone !== null);
  const silent = tasks.every(({replacedBy}) => replacedBy !== null);
  const causes = unique(tasks.map((task) => causeOf(instance, task)));
  const named = tasks.map(({id, pid}) => (id === null ? `one in pid ${pid}` : `${id} (pid ${pid})`));
  const began = timeline.events.filter(isTaskOfWorker).length;
  const lines = evidence(
    tasks
      .slice(0, 5)
      .flatMap((task) => [
        proof(task.started, `${task.id === null ? 'a task' : `task ${task.id}`} begins in pid ${task.pid}`),
        ...(task.gone ? [proof(task.gone, `pid ${task.pid} is gone, and no end of the task was written`)] : []),
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
      `${count(tasks.length, 'task')} of ${figure(began)} began and never ended: ${list(named, 6)}.`,
      proved && `Their processes are gone, ended by ${list(causes)}. That is proved.`,
      silent && 'The log has no line for the end of the process; that it was replaced is inferred, because it fell silent',
      silent && 'and another pid goes on with the same work. Thread ids repeat over processes: the pids tell.',
      !proved &&
        !silent &&
        'The log does not show how all of their processes ended; that they are gone is inferred from what follows.',
      mercy && `${count(forced, 'of these processes was', 'of these processes were')} killed when the mercy`,
      mercy && `(${mercyText(mercy)}) ran out: the tasks were still running then. A shorter mercy would lose more.`,
    ),
    confidence: proved ? 'certain' : 'likely',
    instance: instance?.id ?? null,
    reload: null,
    pids: unique(tasks.map(({pid}) => pid)),
    workers: unique(tasks.map(({worker}) => worker).filter((worker) => worker !== null)),
    evidence: lines,
    against: [
      {
        hypothesis: 'the task ended and the line is missing',
        because: 'other tasks of this log do have their last line',
        line: lastEnd(timeline),
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

/** What took the process away; a worker that left by itself was recycled, even if it does not say by which limit. */
function causeOf(instance: Instance | null, {pid, lostTo}: OrphanedTask): string {
  const process = instance?.processes.find((each) => each.pid === pid && each.asked?.by === 'itself');
  return lostTo === 'unknown' && process ? reasonOf(process) : LOST_TO[lostTo];
}

function lastEnd(timeline: Timeline): number | null {
  return timeline.events.findLast(({meaning}) => meaning.kind === 'task-ended')?.line ?? null;
}

function fixesFor(timeline: Timeline, instance: Instance | null, forced: boolean): Fix[] {
  const raise = instance && forced ? raiseMercy(timeline, instance) : null;
  return [
    {
      setting: null,
      section: null,
      value: null,
      since: null,
      safety: 'needs-code',
      effect: 'no task is lost when a worker is replaced',
      why: `Give the work to a queue outside the workers (a task queue${
        instance?.supervisor === 'uwsgi' || instance === null ? ", uWSGI's spooler or a mule" : ''
      }).`,
    },
    ...(raise ? [raise] : []),
  ];
}
