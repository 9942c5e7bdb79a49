/** Workers of gunicorn that were to be replaced after max_requests and did not end: told by the rule recycle-blocked. */
import type {Instance, Timeline} from '../timeline/timeline.ts';
import type {ArbiterKill} from './arbiter-kills.ts';
import {endTheThread, otherHolders, whileItExits} from './arbiter-remedies.ts';
import {type Finding, NO_SETTING} from './rule.ts';
import {count, duration, evidence, instanceName, isBounded, nameOf, proof, sentences, span, unique, was} from './wording.ts';

export function describeRecycleHang(timeline: Timeline, instance: Instance, kills: readonly ArbiterKill[]): Finding | null {
  const processes = kills.map(({process}) => process);
  const wait = span(kills.flatMap(({forced}) => forced.patience ?? []));
  const orphans = timeline.tasks.orphaned.filter((task) => processes.some(({pid}) => pid === task.pid)).length;
  const awaited = processes.flatMap(({remarks}) => remarks).find(({meaning}) => meaning.kind === 'threads-awaited');
  const lines = evidence([
    ...kills
      .slice(0, 4)
      .flatMap(({process, forced, shown}) => [
        ...(process.asked ? [proof(process.asked.event, `${nameOf(process)} is to be replaced`)] : []),
        ...shown,
        proof(forced.event, `${nameOf(process)} is ended by the arbiter`),
      ]),
    ...(awaited ? [proof(awaited, 'the interpreter was waiting for threads when it was interrupted')] : []),
  ]);
  if (!lines) return null;
  return {
    title: 'Workers that were being recycled could not leave',
    message: sentences(
      `${count(kills.length, 'worker')} ${was(kills.length)} to be replaced after max_requests, left the loop, and did not end:`,
      `the arbiter's timeout ended ${kills.length === 1 ? 'it' : 'them'}${isBounded(wait) ? ` after ${duration(wait)}` : ''}. That is proved.`,
      'gunicorn starts the replacement only when the old worker is gone: in between, nobody serves in its place.',
      orphans > 0 &&
        `${count(orphans, 'background task')} had begun in them and never ended: Python waits for the threads of a pool, and timeout cut that short.`,
      orphans === 0 &&
        awaited !== undefined &&
        'Python itself says that it was waiting for threads that the application had started.',
      orphans === 0 && !awaited && 'What held the exit is inferred: most often it is a thread, timer or pool of the application.',
    ),
    confidence: 'likely',
    instance: instance.id,
    reload: null,
    pids: unique(processes.map(({pid}) => pid)),
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: 'worker-timeout',
        because: 'the worker had left its loop before: it was not slow at its work, its exit was held',
        line: kills[0]?.process.leaving?.line ?? null,
      },
      ...(awaited ? [] : otherHolders()),
    ],
    cannotSee: ['tasks that were waiting in it and had logged nothing'],
    fixes: [
      ...(orphans > 0
        ? [
            {
              ...NO_SETTING,
              safety: 'needs-code' as const,
              effect: 'nothing is lost when a worker is replaced',
              why: 'Give long work to a task queue outside the workers.',
            },
          ]
        : [{...endTheThread('the replacement starts within about 1 s'), tried: false}]),
    ],
    next: whileItExits(instance),
    identity: [instanceName(instance), 'recycling'],
  };
}
