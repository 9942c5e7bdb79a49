import {greatest} from '../extremes.ts';
import {thousands} from '../number.ts';
import type {Instance, Timeline} from '../timeline/timeline.ts';
import {byInstance, type ForcedWorker, forcedWorkers, reloadsOf} from './forced-workers.ts';
import {isKnown, mercyOf, mercyText, raiseMercy} from './mercy.ts';
import {whileItHangs} from './remedies.ts';
import {type Finding, NO_SETTING, type Rule} from './rule.ts';
import {uwsgiOf} from './settings.ts';
import {concerning, count, evidence, instanceName, list, nameOf, only, proof, seconds} from './wording.ts';
import {isNormal, longerThan, requestsOf, type Task, tasksOf} from './work.ts';

const rule: Rule = {
  id: 'mercy-too-short',
  title: 'Workers are killed before work of the usual length can end',
  severity: 'warning',
  docs: {
    sees:
      'Workers killed at the deadline ("NO MERCY"), where the deadline is shorter than requests, or tasks in the ' +
      'background, that this log shows to be normal; or where it is 0, so that every worker gets that line.',
    why:
      'A worker that is asked to leave may finish what it has begun, for as long as the mercy lasts. Where usual work ' +
      'takes longer, each reload and each recycling cuts some of it.',
    remedy:
      'Set worker-reload-mercy above the longest work that is meant to succeed, and the time limit of the outer supervisor ' +
      'above that. Or take the long work out of the workers.',
    limits:
      'That usual work is longer than the mercy is proved. That the workers which were killed were busy with such work is ' +
      'inferred: a request that is killed has no line. Without any mercy a hang cannot be told from an orderly stop.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#worker-reload-mercy',
      'https://uwsgi-docs.readthedocs.io/en/latest/articles/TheArtOfGracefulReloading.html',
    ],
  },
  settings: ['worker-reload-mercy'],
  restsOnOwners: true,
  needs: {
    messages: [
      'uwsgi/no-mercy',
      'uwsgi/worker-buried',
      'uwsgi/worker-killed',
      'uwsgi/gracefully-killing',
      'uwsgi/work-done',
      'uwsgi/goodbye',
    ],
    otherwise: 'the log shows no worker that was asked to leave',
  },
  *check(timeline) {
    for (const instance of uwsgiOf(timeline)) {
      const cut = cutByMercy(timeline, instance);
      if (cut.length === 0) continue;
      yield describe(timeline, instance, cut);
    }
    for (const [instance, workers] of byInstance(forcedWorkers(timeline).filter(({verdict}) => verdict === 'late'))) {
      yield describeLate(timeline, instance, workers);
    }
    for (const [instance, workers] of byInstance(forcedWorkers(timeline).filter(({verdict}) => verdict === 'hasty'))) {
      yield describeNone(instance, workers);
    }
  },
};

export default rule;

/** Requests that were answered, but only when the mercy was as good as over. */
function describeLate(
  timeline: Timeline,
  instance: Instance,
  workers: readonly [ForcedWorker, ...ForcedWorker[]],
): Finding | null {
  const mercy = mercyOf(instance, workers[0].forced.event);
  const processes = workers.map(({process}) => process);
  const reloads = reloadsOf(workers);
  const raise = raiseMercy(timeline, instance);
  const longest = greatest(processes.flatMap(({segments}) => segments.map((segment) => segment.longest)));
  const lines = evidence([
    ...(mercy.where ? [proof(mercy.where, `the mercy is ${mercyText(mercy)}`)] : []),
    ...reloads.slice(0, 1).map(({began}) => proof(began, 'it begins')),
    ...workers
      .slice(0, 5)
      .flatMap(({process, forced, shown}) => [...shown, proof(forced.event, `the mercy for ${nameOf(process)} is over`)]),
  ]);
  if (!lines) return null;
  const one = workers.length === 1;
  return {
    title: 'A request took as long as the mercy: its worker was given up when it had just answered',
    message:
      `NO MERCY names ${count(workers.length, 'worker')} that ${one ? 'was' : 'were'} busy with a request until the mercy of ` +
      `${mercyText(mercy)} was all but over. The longest request ${one ? 'of this worker' : 'of these workers'} took ` +
      `${seconds(longest / 1000)}. Both are proved. The request was answered, and nothing in the log says that anything else ` +
      'held the worker: there was no time left to show it. Had the request taken a little longer, it would have been cut.',
    confidence: 'likely',
    instance: instance.id,
    reload: only(reloads)?.id ?? null,
    ...concerning(processes),
    evidence: lines,
    against: [
      {
        hypothesis: 'app-threads-block-shutdown',
        line: null,
        because: 'a blocked exit shows only where a worker is still there a second or more after its last answer',
      },
    ],
    cannotSee: ['whether the worker was killed or had left by itself: NO MERCY names also one that left within the last second'],
    fixes: [
      ...(raise ? [raise] : []),
      {
        ...NO_SETTING,
        safety: 'needs-code',
        effect: 'the worker leaves as soon as the request ends',
        why: 'Make the request shorter: give the calls that it makes (database, HTTP) a time limit, or move the work to a queue.',
      },
    ],
    next: [],
    identity: [instanceName(instance), 'late'],
  };
}

/** No mercy at all: nobody can tell a worker that hangs from one that leaves in order. */
function describeNone(instance: Instance, workers: readonly [ForcedWorker, ...ForcedWorker[]]): Finding | null {
  const mercy = mercyOf(instance, workers[0].forced.event);
  const processes = workers.map(({process}) => process);
  const reloads = reloadsOf(workers);
  const lines = evidence([
    ...(mercy.where ? [proof(mercy.where, `the mercy is ${mercyText(mercy)}`)] : []),
    ...workers.slice(0, 5).map(({process, forced}) => proof(forced.event, `${nameOf(process)} gets no time to leave`)),
  ]);
  if (!lines) return null;
  return {
    title: 'The master has no mercy: workers are killed before they can leave',
    message:
      `NO MERCY names ${count(workers.length, 'worker')}, and the mercy is ${mercyText(mercy)}. With that the master kills at its ` +
      'first look, a second at most after it has asked, and names also a worker that has left in order by then. So these lines ' +
      'say nothing of a hang: a healthy server writes them at every reload and stop. A request that runs at that moment is cut.',
    confidence: mercy.known === 'shown' ? 'certain' : 'likely',
    instance: instance.id,
    reload: only(reloads)?.id ?? null,
    ...concerning(processes),
    evidence: lines,
    against: [
      {
        hypothesis: 'app-threads-block-shutdown',
        because: 'it cannot be seen with this mercy: with a few seconds of it, only a worker that is held gets NO MERCY',
        line: null,
      },
    ],
    cannotSee: [
      'which of them had left by themselves when they were named',
      'requests killed at the deadline: they never get a line in this log',
    ],
    fixes: [
      {
        setting: 'worker-reload-mercy',
        section: 'uwsgi',
        value: '10',
        since: null,
        safety: 'safe',
        effect: 'a worker leaves when its request has ended; only one that takes more than 10 s is killed',
        why: 'Choose it above the longest request that is meant to succeed. reload-mercy is another option and has no effect on workers.',
      },
    ],
    next: [],
    identity: [instanceName(instance), 'no mercy'],
  };
}

/** Forced workers for which work that is normal here, and longer than the mercy, is the likely reason. */
export function cutByMercy(timeline: Timeline, instance: Instance): ForcedWorker[] {
  const forced = forcedWorkers(timeline).filter((worker) => worker.instance === instance);
  if (forced.length === 0) return [];
  const mercy = mercyOf(instance);
  if (!isKnown(mercy)) return [];
  const longRequests = isNormal(requestsOf(instance), mercy.seconds);
  const longTasks = longTasksOf(timeline, instance, mercy.seconds).length > 0;
  const orphaned = new Set(timeline.tasks.orphaned.map((task) => task.pid));
  return forced.filter(
    ({verdict, process}) =>
      (longRequests && (verdict === 'undecided' || verdict === 'request')) || (longTasks && orphaned.has(process.pid)),
  );
}

function longTasksOf(timeline: Timeline, instance: Instance, mercy: number): Task[] {
  return tasksOf(timeline, instance).filter((task) => task.least > mercy);
}

function describe(timeline: Timeline, instance: Instance, cut: readonly ForcedWorker[]): Finding | null {
  const mercy = mercyOf(instance);
  const requests = requestsOf(instance);
  const tasks = longTasksOf(timeline, instance, mercy.seconds);
  const byRequests = isNormal(requests, mercy.seconds);
  const raise = raiseMercy(timeline, instance);
  const processes = cut.map(({process}) => process);
  const reloads = reloadsOf(cut);
  const lines = evidence([
    ...(mercy.where ? [proof(mercy.where, `the mercy is ${mercyText(mercy)}`)] : []),
    ...cut.slice(0, 5).map(({process, forced}) => proof(forced.event, `${nameOf(process)} was killed when the mercy ran out`)),
    ...(byRequests && requests.longestLine
      ? [proof(requests.longestLine, 'an answer of one of the workers with requests longer than that')]
      : []),
    ...tasks.slice(0, 2).map((task) => proof(task.ended, `task ${task.id} ended ${seconds(task.least)} after it had begun`)),
  ]);
  if (!lines) return null;
  const work = list([
    ...(byRequests
      ? [
          `${thousands(longerThan(requests, mercy.seconds))} of ${count(requests.count, 'request')} took ` +
            `longer (up to ${seconds(requests.longest)})`,
        ]
      : []),
    ...(tasks.length > 0
      ? [`${count(tasks.length, 'background task')} took longer (up to ${seconds(greatest(tasks.map((task) => task.least)))})`]
      : []),
  ]);
  return {
    title: rule.title,
    message:
      `${count(cut.length, 'worker')} ${cut.length === 1 ? 'was' : 'were'} killed when the master's patience, the mercy of ` +
      `${mercyText(mercy)}, ran out. ` +
      `In this log ${work}. Both are proved. That the workers were busy with such work when they were killed is inferred: ` +
      'it fits, and a request that is killed has no line of its own.',
    confidence: 'likely',
    instance: instance.id,
    reload: only(reloads)?.id ?? null,
    ...concerning(processes),
    evidence: lines,
    against: [
      {
        hypothesis: 'app-threads-block-shutdown',
        line: null,
        because: 'a blocked exit looks the same; if workers are still killed with a longer mercy, that is the cause',
      },
    ],
    cannotSee: [
      'requests killed at the deadline: they never get a line in this log',
      'tasks that were waiting and had logged nothing',
    ],
    fixes: [
      ...(raise ? [raise] : []),
      {
        ...NO_SETTING,
        safety: 'needs-code',
        effect: 'workers can leave at once, whatever the mercy is',
        why: "Give the work to a queue outside the workers (a task queue, uWSGI's spooler or a mule).",
      },
    ],
    next: [
      "look for requests without an answer (499, 502, 504) in the proxy's access log at the second of the kill",
      ...whileItHangs(instance).slice(0, 1),
    ],
    identity: [instanceName(instance), byRequests ? 'requests' : 'tasks'],
  };
}
