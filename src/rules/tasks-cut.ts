/** Tasks of Celery that a line calls cut and that this log does not show from their beginning: told by respawn-orphans-tasks. */
import type {LogEvent} from '../timeline/event.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {instanceOfEvent} from './line-owners.ts';
import {type Finding, NO_PROCESS} from './rule.ts';
import {count, evidence, list, proof, sentences, unique} from './wording.ts';

export function cutWithoutBeginning(timeline: Timeline): Finding | null {
  const {events} = timeline;
  const began = new Set(events.flatMap(({meaning, fields}) => (meaning.kind === 'task-began' ? [fields['task']] : [])));
  const cuts = events.filter(
    ({message, meaning, fields}) =>
      meaning.kind === 'task-cut' &&
      message.startsWith('celery/') &&
      // Since 4.0 no line names the task that was lost: where the log shows tasks, the one that never ended tells which.
      (fields['task'] === undefined ? message === 'celery/task-lost' && began.size === 0 : !began.has(fields['task'])),
  );
  const [first] = cuts;
  const lines = evidence(cuts.slice(0, 5).map((event) => proof(event, whatOf(event))));
  if (!first || !lines) return null;
  const byLimit = cuts.filter(({meaning}) => meaning.cause === 'timeout');
  const terminated = cuts.filter(({fields}) => fields['terminated'] !== undefined);
  const left = cuts.filter(({fields}) => fields['code'] !== undefined);
  const names = unique(cuts.map(({fields}) => String(fields['name'] ?? '')).filter((name) => name !== ''));
  return {
    title: `${count(cuts.length, 'task was', 'tasks were')} cut with the process that ran ${cuts.length === 1 ? 'it' : 'them'}`,
    message: sentences(
      `Celery says of ${count(cuts.length, 'task')}${names.length > 0 ? ` (${list(names, 4)})` : ''} that the process that ran ${cuts.length === 1 ? 'it' : 'them'} is gone. That is proved.`,
      byLimit.length > 0 &&
        `${count(byLimit.length, 'of them', 'of them')} ran into the hard time limit: Celery kills the process then.`,
      terminated.length > 0 &&
        'Signal 15 reached the processes of the pool themselves: whoever stopped the worker signalled the whole group (a container, stopasgroup, pkill), so that a warm shutdown, which waits for its tasks, became a cut.',
      left.length > 0 &&
        `${count(left.length, 'process', 'processes')} left by an exit code (${list(unique(left.map(({fields}) => String(fields['code']))))}): no signal ended it, but code that it ran, or its own end at a stop, which Celery can also notice after the task was done.`,
      byLimit.length + terminated.length + left.length < cuts.length &&
        'A process that was ended by signal 15 or 9 was told so by somebody: a stop of the whole group, a time limit, a want of memory. Who, this log does not tell.',
      'Such a task is not given out again, unless it has acks_late.',
    ),
    confidence: 'certain',
    instance: instanceOfEvent(timeline, first)?.id ?? null,
    ...NO_PROCESS,
    evidence: lines,
    against: [],
    cannotSee: ['what the task had done by then'],
    fixes: [
      {
        setting: 'task_acks_late',
        section: null,
        value: 'True',
        since: null,
        safety: 'needs-code',
        effect: 'a task whose process is gone is given out again',
        why: 'With task_reject_on_worker_lost = True, and only for tasks that may run twice. Before 4.0: CELERY_ACKS_LATE, for a killed worker only.',
      },
    ],
    next: [
      ...(terminated.length > 0
        ? [
            'look how the worker is stopped: TERM has to go to its main process alone (dumb-init --single-child, supervisord without stopasgroup, KillMode=mixed)',
          ]
        : []),
      "dmesg -T | grep -i 'killed process'   # whether it was the kernel, for want of memory",
    ],
    identity: ['celery', 'cut'],
  };
}

function whatOf({meaning}: LogEvent): string {
  return meaning.cause === 'timeout' ? 'its hard time limit was over' : 'the process that ran it is gone';
}
