import type {Duration} from '../timeline/time.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {killsBy} from './arbiter-kills.ts';
import {describeRecycleHang} from './arbiter-recycle-hang.ts';
import {type Held, likelyThread, otherCauses} from './causes.ts';
import {mercyOf, mercyText, waitText} from './mercy.ts';
import {hasDeadline, killedWhileRecycling, reasonOf, recycled} from './recycling.ts';
import {EXIT_HANG_REFERENCES, exitHangRemedies, whileItHangs} from './remedies.ts';
import {type Alternative, type Evidence, type Finding, type Fix, NO_SETTING, type Rule} from './rule.ts';
import {coresOf, uwsgiOf} from './settings.ts';
import {
  concerning,
  count,
  duration,
  evidence,
  instanceName,
  isBounded,
  list,
  nameOf,
  proof,
  sentences,
  span,
  unique,
  was,
} from './wording.ts';
import {lostSlots, neverLeft} from './worker-never-came-back.ts';

const rule: Rule = {
  id: 'recycle-blocked',
  title: 'Workers that were being recycled could not leave',
  severity: 'error',
  docs: {
    sees:
      'Workers that said their work was done (max-requests, a lifetime, a memory limit) and then had to be killed when the ' +
      "master's patience ran out, or never ended; under gunicorn, that were aborted by timeout on their way out.",
    why:
      'A worker is recycled to be replaced by a fresh one. Between "the work of process N is done" and its replacement it ' +
      'serves nobody. If something blocks its exit (a thread or pool of the application, an exit handler), ' +
      'that takes the whole mercy, 60 s by default, each time; and what still ran in it is lost when it is killed.',
    remedy:
      'Let the exit succeed: stop or daemonise the thread, or see the options below. Where the worker was busy with tasks ' +
      'in the background, move them out of the workers; a shorter mercy would lose more of them.',
    limits:
      'The log does not show what the worker waited for. Without a line in which the worker itself says that it is done, ' +
      'recycling is concluded from the others.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#max-requests',
      ...EXIT_HANG_REFERENCES,
      'unbit/uwsgi#1221',
    ],
  },
  needs: {
    messages: ['uwsgi/work-done', 'uwsgi/lifetime-reached', 'uwsgi/no-mercy', 'gunicorn/autorestart'],
    otherwise: 'no worker was recycled in this log (max-requests, max-worker-lifetime, reload-on-rss)',
  },
  *check(timeline) {
    for (const instance of uwsgiOf(timeline)) {
      const killed = killedWhileRecycling(timeline, instance);
      const stuck = lostSlots(timeline, instance).length > 0 ? [] : neverLeft(instance);
      if (killed.length + stuck.length === 0) continue;
      yield describe(timeline, instance, killed, stuck);
    }
    for (const [instance, kills] of killsBy(timeline, 'recycle')) {
      yield describeRecycleHang(timeline, instance, kills);
    }
  },
};

export default rule;

/** Requests of its other threads ended after it had said that its work was done, and one more may have been running. */
function isServing(process: Process, instance: Instance): boolean {
  const after = process.asked?.requestsAfter ?? 0;
  return after > 0 && after < (coresOf(process, instance) ?? 1) - 1;
}

function evidenceOf(instance: Instance, processes: readonly Process[], isProved: boolean): Evidence[] {
  const [own] = recycled(instance);
  const clean = recycled(instance).find(({end}) => end === 'clean');
  return [
    ...(isProved || !own?.asked ? [] : [proof(own.asked.event, `another worker (pid ${own.pid}) says that its work is done`)]),
    ...processes
      .slice(0, 4)
      .flatMap((process) => [
        ...(process.asked?.by === 'itself' ? [proof(process.asked.event, `${nameOf(process)} says that it leaves`)] : []),
        ...(process.forced ? [proof(process.forced.event, `${nameOf(process)} was killed at the deadline`)] : []),
        ...(process.successor && process.forced
          ? [proof(process.successor, `only now it is replaced, by pid ${process.successorPid}`)]
          : []),
      ]),
    ...(clean?.ended ? [proof(clean.ended, `${nameOf(clean)} was recycled and left by itself`)] : []),
  ];
}

/** Workers of one server whose recycling did not come to its end. */
interface Scene {
  readonly instance: Instance;
  readonly killed: readonly Process[];
  /** Never ended, as far as the log goes. */
  readonly stuck: readonly Process[];
  /** All of them. */
  readonly processes: readonly Process[];
  /** A line tells that one of them was being recycled. */
  readonly proved: boolean;
  /** Each said itself that its work was done; that its lifetime is over is said by the master, whatever the worker does. */
  readonly isDone: boolean;
  /** They answered requests in other threads meanwhile. */
  readonly mayServe: boolean;
  /** Tasks in the background that were lost with them. */
  readonly orphans: number;
  /** From the recycling to the kills. */
  readonly wait: Duration | null;
}

function describe(
  timeline: Timeline,
  instance: Instance,
  killed: readonly {process: Process; proved: boolean}[],
  stuck: readonly Process[],
): Finding | null {
  const [first, ...further] = [...killed.map(({process}) => process), ...stuck];
  if (!first) return null;
  const scene = sceneOf(timeline, instance, killed, stuck);
  const {processes, proved, isDone, mayServe, orphans, wait} = scene;
  const lines = evidence(evidenceOf(instance, processes, proved));
  if (!lines) return null;
  const some = recycled(instance).some(({end}) => end === 'clean');
  const held: Held = {
    timeline,
    instance,
    processes: [first, ...further],
    verdict: 'recycle',
    proved: isDone && proved,
    some,
  };
  const gain =
    killed.length > 0
      ? `wait ${waitText(instance, wait)} -> about 1 s for each recycling`
      : 'the place is filled again within about 1 s';
  const remedies = exitHangRemedies(timeline, instance, processes, gain, some);
  return {
    title: rule.title,
    message: messageOf(scene),
    confidence: mayServe && orphans === 0 ? 'possible' : 'likely',
    instance: instance.id,
    reload: null,
    ...concerning(processes),
    evidence: lines,
    against: [againstReload(scene), ...otherCauses(held, likelyThread(held))],
    cannotSee: [
      ...(killed.length > 0
        ? ['whether a worker left by itself in the very second in which the master lost patience: NO MERCY names it all the same']
        : []),
      'what the worker waited for: uWSGI prints nothing while Python shuts down',
      'tasks that were waiting in it and had logged nothing',
    ],
    fixes: [...(orphans > 0 ? [WORK_ELSEWHERE] : []), ...remedies.fixes],
    next: [
      ...(stuck[0]
        ? [
            `py-spy dump --pid ${stuck[0].pid}   # if it is still there: shows what it waits for`,
            `kill -KILL ${stuck[0].pid}   # after that: the master starts another one in its place`,
          ]
        : whileItHangs(instance)),
      ...remedies.upgrades,
    ],
    identity: [instanceName(instance), 'recycling'],
  };
}

function sceneOf(
  {tasks}: Timeline,
  instance: Instance,
  killed: readonly {process: Process; proved: boolean}[],
  stuck: readonly Process[],
): Scene {
  const processes = [...killed.map(({process}) => process), ...stuck];
  return {
    instance,
    killed: killed.map(({process}) => process),
    stuck,
    processes,
    proved: killed.some((each) => each.proved) || stuck.length > 0,
    isDone: processes.every((process) => (coresOf(process, instance) ?? 1) === 1 && process.cause !== 'max-lifetime'),
    mayServe: processes.every((process) => isServing(process, instance)),
    orphans: tasks.orphaned.filter((task) => processes.some(({pid}) => pid === task.pid)).length,
    wait: span(killed.map(({process}) => process.forced?.patience ?? null).filter((each) => each !== null)),
  };
}

function messageOf({instance, killed, stuck, processes, proved, isDone, mayServe, orphans, wait}: Scene): string {
  const after = isBounded(wait) ? `, after ${duration(wait)}` : '';
  return sentences(
    killed.length > 0 &&
      `${count(killed.length, 'worker')} ${was(killed.length)} to be replaced, did not leave, and ${was(killed.length)} killed ` +
        `when the mercy (${mercyText(mercyOf(instance))}) ran out${after}.`,
    stuck.length > 0 &&
      `${count(stuck.length, 'worker')} ${was(stuck.length)} to be replaced and never ended, as far as this log goes.`,
    'In between, such a worker serves nobody.',
    !processes.some(hasDeadline) && 'This kind of recycling has no deadline: the master waits for ever and does not kill.',
    proved
      ? `The recycling is in the log: ${list(unique(recycled(instance).map(reasonOf)))}.`
      : 'That they were being recycled is inferred: another worker says that its work is done, and no reload is under way in this log.',
    orphans > 0 &&
      `${count(orphans, 'background task')} had begun in them and never ended. It is inferred that their exit waited for these: ` +
        'Python waits for the threads of a pool.',
    orphans === 0 &&
      (mayServe
        ? 'What blocked their exit is not in the log: they went on to answer requests in other threads, so one more request is as ' +
          'possible as a thread, timer or pool of the application.'
        : 'What blocked their exit is inferred: most often it is a thread, timer or pool of the application.'),
    orphans === 0 && isDone && proved && 'It was not a request: a worker says that it is done when its request has ended.',
  );
}

function againstReload({instance, proved}: Scene): Alternative {
  const line = recycled(instance)[0]?.asked?.event.line ?? null;
  return proved
    ? {hypothesis: 'a reload', because: 'the worker itself said that its work was done, and no reload had begun', line}
    : {
        hypothesis: 'a reload whose beginning is not in this log',
        because: 'no line of one is left, and a worker says that its work is done',
        line,
      };
}

const WORK_ELSEWHERE: Fix = {
  ...NO_SETTING,
  safety: 'needs-code',
  effect: 'nothing is lost when a worker is replaced',
  why: "Give long work to a queue outside the workers (a task queue, uWSGI's spooler or a mule).",
};
