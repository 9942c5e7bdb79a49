/** Jobs of RQ that have no end, before a worker that was started later: told by the rule respawn-orphans-tasks. */
import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {type Finding, NO_PROCESS, NO_SETTING} from './rule.ts';
import {count, evidence, list, proof, sentences, unique} from './wording.ts';

const STARTED = 'application/queue-worker-started';
const BEGAN = 'application/queued-task-began';

export function leftAtRestart({events, tasks}: Timeline): Finding | null {
  const starts = events.filter(({message}) => message === STARTED);
  if (starts.length === 0) return null;
  const known = new Set(tasks.orphaned.map(({started}) => started));
  const open = withoutEnd(events).filter((event) => !known.has(event));
  const found = open.flatMap((began) => {
    const next = starts.find((start) => start.input === began.input && isOneWriter(start, began) && precedes(began, start));
    return next === undefined ? [] : [{began, next}];
  });
  // A worker does one job at a time: what a later job of the same log shows is that somebody works on, not who.
  const lines = evidence(
    found
      .slice(0, 4)
      .flatMap(({began, next}) => [
        proof(began, `job ${began.fields['task']} begins, and has no end in this log`),
        proof(next, 'a worker is started, and no line tells that one had stopped'),
      ]),
  );
  if (!lines) return null;
  const ids = unique(found.map(({began}) => String(began.fields['task'])));
  return {
    title: `${count(ids.length, 'job has', 'jobs have')} no end, and a worker of the queue was started after ${ids.length === 1 ? 'it' : 'them'}`,
    severity: 'warning',
    message: sentences(
      `${list(ids, 6)} began and has no end in this log, and later a worker of RQ was started. That is proved.`,
      'Where it took the place of the first, that one was killed together with the job: a worker that is killed writes no line. Where both run side by side, the job may still be at work.',
    ),
    confidence: 'possible',
    instance: null,
    ...NO_PROCESS,
    evidence: lines,
    against: [{hypothesis: 'two workers that write into one log', because: 'nothing in the log speaks against it', line: null}],
    cannotSee: ['which worker ran the job: RQ does not write it', 'the end of a worker that was killed'],
    fixes: [
      {
        ...NO_SETTING,
        safety: 'safe',
        effect: 'a stop waits for the job',
        why: 'Stop it with TERM, once, and let whoever stops it (supervisord stopwaitsecs, the container platform) wait longer than a job takes.',
      },
    ],
    next: [
      'rq info   # which workers are there',
      'see the job in StartedJobRegistry: RQ moves abandoned ones to FailedJobRegistry at the next cleaning',
    ],
    identity: ['rq', 'left at a restart'],
  };
}

/** Jobs that the log says no more of, the last time that each begins. A cut without an id may be of any job before it. */
function withoutEnd(events: readonly LogEvent[]): LogEvent[] {
  const open = new Map<unknown, LogEvent>();
  for (const event of events) {
    const {task} = event.fields;
    if (event.message === BEGAN) open.set(task, event);
    else if (task !== undefined) open.delete(task);
    else if (event.meaning.kind === 'task-cut') open.clear();
  }
  return [...open.values()];
}

/** RQ puts the name of the queue in front of a job, where it is taken for that of a program. */
function isOneWriter(a: LogEvent, b: LogEvent): boolean {
  return a.stream === b.stream || a.stream === null || b.stream === null;
}
