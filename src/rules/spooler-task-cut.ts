import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {precedes} from '../timeline/lookup.ts';
import {between, type Duration} from '../timeline/time.ts';
import type {Instance, Timeline} from '../timeline/timeline.ts';
import {instanceOfEvent} from './line-owners.ts';
import {type Finding, NO_SETTING, type Rule} from './rule.ts';
import {count, duration, evidence, instanceName, isBounded, list, only, proof, sentences, span, unique} from './wording.ts';

const rule: Rule = {
  id: 'spooler-task-cut',
  title: 'A reload or stop killed the spooler in the middle of a task',
  severity: 'warning',
  docs: {
    sees:
      'A spooler that said "managing request" of a task, did not say "done with task", and was then killed ("killing the spooler") ' +
      'for a reload or stop, or was found dead.',
    why:
      'The master ends its spoolers with SIGKILL at every full reload and stop, before it tells the workers. They get no mercy and no ' +
      'signal that the task could catch. The file of the task stays in the spool directory, so the task runs again from its beginning.',
    remedy:
      'Make tasks of the spooler safe to run twice, and short. Reload the workers alone (chain reload, touch-workers-reload), which ' +
      'leaves spoolers in peace; or move long tasks to a queue of its own.',
    limits: 'What the task had done by then is not in the log. Tasks of other queues are not seen here.',
    references: ['https://uwsgi-docs.readthedocs.io/en/latest/Spooler.html'],
  },
  settings: ['spooler'],
  needs: {
    messages: ['uwsgi/spooler-task-began', 'uwsgi/spooler-task-ended'],
    otherwise: 'no task of a spooler is in this log',
  },
  *check(timeline) {
    for (const [instance, cuts] of groupBy(cutsIn(timeline), (cut) => cut.instance)) {
      yield describe(instance, cuts);
    }
  },
};

export default rule;

interface Cut {
  readonly instance: Instance | null;
  readonly task: string;
  readonly began: LogEvent;
  readonly killed: LogEvent;
  /** It began once more, in another spooler. */
  readonly again: LogEvent | null;
  readonly worked: Duration;
}

const ENDS: ReadonlySet<LogEvent['message']> = new Set(['uwsgi/spooler-killed', 'uwsgi/spooler-gone']);

function cutsIn(timeline: Timeline): Cut[] {
  const open = new Map<string, LogEvent>();
  const cuts: {cut: Cut; key: string}[] = [];
  for (const event of timeline.events) {
    const key = `${event.stream} ${event.pid}`;
    const task = String(event.fields['task']);
    if (event.message === 'uwsgi/spooler-task-began') {
      open.set(key, event);
      const index = cuts.findIndex(({cut}) => cut.task === task && cut.again === null && cut.began.stream === event.stream);
      const earlier = cuts[index];
      if (earlier) cuts[index] = {...earlier, cut: {...earlier.cut, again: event}};
    } else if (event.message === 'uwsgi/spooler-task-ended') open.delete(key);
    else if (ENDS.has(event.message)) {
      const began = open.get(key);
      open.delete(key);
      if (began === undefined) continue;
      cuts.push({
        key,
        cut: {
          instance: instanceOfEvent(timeline, event),
          task: String(began.fields['task']),
          began,
          killed: event,
          again: null,
          worked: between(began.at, event.at),
        },
      });
    }
  }
  return cuts.map(({cut}) => cut);
}

function describe(instance: Instance | null, cuts: readonly Cut[]): Finding | null {
  const again = cuts.filter((cut) => cut.again !== null);
  const worked = span(cuts.map((cut) => cut.worked));
  const lines = evidence(
    cuts
      .slice(0, 4)
      .flatMap((cut) => [
        proof(cut.began, `the spooler (pid ${cut.began.pid}) begins with the task`),
        proof(cut.killed, 'it is killed before the task is done'),
        ...(cut.again ? [proof(cut.again, 'the task begins once more')] : []),
      ]),
  );
  if (!lines) return null;
  const tasks = unique(cuts.map(({task}) => task));
  const reloads = instance?.reloads.filter((reload) => cuts.some(({killed}) => isOf(reload.began, killed))) ?? [];
  return {
    title: rule.title,
    message: sentences(
      `${count(tasks.length, 'task')} of the spooler (${list(tasks, 3)}) ${tasks.length === 1 ? 'was' : 'were'} under way when the spooler was killed.`,
      isBounded(worked) && `By then ${cuts.length === 1 ? 'it' : 'they'} had run for ${duration(worked)}.`,
      'That is proved.',
      again.length > 0
        ? `${again.length === cuts.length ? (cuts.length === 1 ? 'It' : 'All') : count(again.length, 'of them', 'of them')} began again from the start later: what had been done by then was done twice, or half.`
        : 'Its file stays in the spool directory, so it will begin again from the start when a spooler runs.',
    ),
    confidence: 'certain',
    instance: instance?.id ?? null,
    reload: only(reloads)?.id ?? null,
    pids: unique(cuts.map(({began}) => began.pid).filter((pid) => pid !== null)),
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: 'the task was done, and the line that says so is missing',
        because: again.length > 0 ? 'a task that is done does not begin again' : 'the spooler writes it before it takes the next',
        line: again[0]?.again?.line ?? null,
      },
    ],
    cannotSee: ['what the task had already done when it was cut'],
    fixes: [
      {
        ...NO_SETTING,
        safety: 'needs-code',
        effect: 'a task that begins again does no harm',
        why: 'Make the task safe to run twice (write to a temporary place and rename, or mark what is done), and split long ones.',
      },
      {
        ...NO_SETTING,
        safety: 'safe',
        effect: 'deploys leave the spooler in peace',
        why: 'Reload the workers alone: touch-workers-reload or touch-chain-reload, with lazy-apps for new code. The spooler then runs the old code on.',
      },
    ],
    next: ['ls -l the spool directory: a file that has stood there since the kill is a task that waits'],
    identity: [instance ? instanceName(instance) : 'unknown', 'spooler task'],
  };
}

/** The spooler is killed just before the line that begins the reload, or between the touch and it. */
function isOf(began: LogEvent, killed: LogEvent): boolean {
  const [first, second] = precedes(began, killed) ? [began, killed] : [killed, began];
  return second.place - first.place < 20;
}
