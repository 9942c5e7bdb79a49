/** Stops and reloads that are under way when the log ends, of servers whose patience with their workers is not known. */
import {precedes} from '../timeline/lookup.ts';
import {namedPrograms} from '../timeline/named-programs.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Process, Reload, Timeline} from '../timeline/timeline.ts';
import {linesOf} from './line-owners.ts';
import {outerName, patienceOf, serverOf} from './outer.ts';
import type {Evidence, Finding} from './rule.ts';
import {programOf} from './starts.ts';
import {evidence, instanceName, kindOf, list, proof, seconds, sentences} from './wording.ts';

/** They write nothing when they are gone: their silence is no sign of a hang (celery/apps/worker.py, hypercorn/run.py, server/mpm/event/event.c). */
const WITHOUT_FAREWELL: ReadonlySet<string> = new Set(['celery', 'hypercorn', 'apache', 'waitress']);
/** Seconds after which a stop that still goes on is worth a warning: the time most platforms wait at the longest. */
const LONG = 60;

/** Of servers that this rule judges by their patience nothing is said here, nor of uvicorn, which says what it waits for. */
const JUDGED: ReadonlySet<string> = new Set(['uwsgi', 'gunicorn', 'uvicorn']);

export function* stillStopping(timeline: Timeline): Iterable<Finding | null> {
  for (const instance of timeline.instances) {
    const reload = JUDGED.has(instance.supervisor) ? undefined : instance.reloads.at(-1);
    const finding = reload?.outcome === 'unfinished' ? ofServer(timeline, instance, reload) : null;
    yield finding;
    // The stop of the whole tells of each.
    if (finding) continue;
    for (const life of instance.processes) {
      if (life.role !== 'program' || life.end !== 'running' || !life.asked) continue;
      // The server's own stop or reload, which has no end either, tells more.
      if (serverOf(timeline, life)?.reloads.at(-1)?.outcome !== 'unfinished') yield ofProgram(timeline, instance, life);
    }
  }
}

function ofServer(timeline: Timeline, instance: Instance, reload: Reload): Finding | null {
  const isFollowed = timeline.instances.some(
    (other) =>
      other !== instance &&
      other.supervisor === instance.supervisor &&
      other.epochs.some(({banner, master}) => [banner, master].some((line) => line !== null && precedes(reload.began, line))),
  );
  const last = linesOf(timeline, instance).at(-1);
  const hasGoneOn = last !== undefined && last !== reload.began;
  if (isFollowed || (WITHOUT_FAREWELL.has(instance.supervisor) && !hasGoneOn)) return null;
  const programs = instance.processes.flatMap(({role, end, asked, program}) =>
    role === 'program' && end === 'running' && asked !== null && program !== null ? [program] : [],
  );
  const since = last === undefined ? 0 : Math.floor(between(reload.began.at, last.at).min);
  return finding(instance, reload, {
    what: kindOf(reload),
    since,
    lines: [
      proof(reload.began, `the ${kindOf(reload)} begins`),
      ...(last !== undefined && hasGoneOn ? [proof(last, `the last that ${instance.supervisor} says`)] : []),
    ],
    more: WITHOUT_FAREWELL.has(instance.supervisor)
      ? `${instance.supervisor} writes no line when it is gone, so it may have left right after its last one.`
      : '',
    waiting:
      instance.supervisor === 'celery'
        ? reload.began.message === 'celery/cold-shutdown'
          ? 'A cold shutdown waits for no task: those that were running are cut.'
          : reload.began.message === 'celery/soft-shutdown'
            ? 'A soft shutdown waits for the tasks that are running as long as worker_soft_shutdown_timeout says, and cuts them then.'
            : 'A warm shutdown waits for the tasks that are running, without a limit of its own.'
        : instance.supervisor === 'apache'
          ? 'Apache waits 3 s for the processes of mod_wsgi, kills those that have not said "Exiting process" by then, and writes nothing of it.'
          : programs.length > 0
            ? `It waits for ${list(programs)}.`
            : 'What it waits for, no line tells.',
  });
}

function ofProgram(timeline: Timeline, supervisor: Instance, life: Process): Finding | null {
  const {asked} = life;
  if (!asked) return null;
  const last = timeline.events.findLast(
    (event) =>
      event.meaning.kind === 'program-stopping' && (namedPrograms(event) ?? [programOf(event)]).includes(life.program ?? ''),
  );
  const lines = [
    proof(asked.event, `${life.program} is asked to stop`),
    ...(last && last !== asked.event ? [proof(last, 'it is still waited for')] : []),
  ];
  const limit = patienceOf(supervisor.supervisor, life.program);
  return finding(supervisor, null, {
    what: `stop of ${life.program}`,
    since: Math.floor(between(asked.at, (last ?? asked.event).at).min),
    lines,
    more: '',
    waiting: `${outerName(supervisor)} kills it when ${limit.name} is over; its own log tells what it is doing.`,
    pid: life.pid,
  });
}

interface Story {
  readonly what: string;
  /** Seconds for which it had gone on, at least. */
  readonly since: number;
  readonly lines: readonly Evidence[];
  readonly more: string;
  readonly waiting: string;
  readonly pid?: number;
}

function finding(instance: Instance, reload: Reload | null, {what, since, lines, more, waiting, pid}: Story): Finding | null {
  const found = evidence(lines);
  if (!found) return null;
  const isLong = since >= LONG;
  const process = pid !== undefined && pid > 0 ? pid : instance.masterPid;
  return {
    title: isLong ? `A ${what} went on for ${seconds(since)} and had no end when the log ends` : `The log ends during a ${what}`,
    severity: isLong ? 'warning' : 'info',
    message: sentences(
      `The ${what} has no end in this log${since > 0 ? `; it had gone on for at least ${seconds(since)} by the last line about it` : ''}. That is proved.`,
      waiting,
      more,
    ),
    confidence: 'certain',
    instance: instance.id,
    reload: reload?.id ?? null,
    pids: process === null ? [] : [process],
    workers: [],
    evidence: found,
    against: [],
    cannotSee: ['what it waits for, and how it went on'],
    fixes: [],
    next: [
      'take the log from a later time, so that it holds the whole of it',
      ...(process === null ? [] : [`py-spy dump --pid ${process}   # while it is there: what it does`]),
    ],
    identity: [instanceName(instance), 'still stopping', reload?.kind ?? what],
  };
}
