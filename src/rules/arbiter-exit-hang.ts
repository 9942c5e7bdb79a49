/** Workers of gunicorn that said they were exiting and then did not end: told by the rule app-threads-block-shutdown. */
import type {Instance} from '../timeline/timeline.ts';
import {type ArbiterKill, ownKill, waitOf} from './arbiter-kills.ts';
import {endTheThread, lowerDeadline, otherHolders, whileItExits} from './arbiter-remedies.ts';
import {reloadsOf} from './forced-workers.ts';
import type {Finding} from './rule.ts';
import {
  count,
  duration,
  evidence,
  instanceName,
  isBounded,
  nameOf,
  occasions,
  only,
  proof,
  sentences,
  span,
  unique,
  was,
} from './wording.ts';

export function describeExitHang(instance: Instance, kills: readonly ArbiterKill[]): Finding | null {
  const processes = kills.map(({process}) => process);
  const reloads = reloadsOf(kills);
  const wait = span(kills.map(waitOf).filter((each) => each !== null));
  const silent = kills.filter(({forced}) => forced.inferred);
  const byTimeout = kills.filter(({forced}) => forced.deadline === 'timeout').length;
  const told = processes.flatMap(({remarks}) => remarks).find(({meaning}) => meaning.kind === 'threads-awaited');
  // A worker class with threads runs requests in a pool of its own, for which Python waits as well.
  const awaited = kills.every(({proved}) => proved) ? told : undefined;
  const signal9 = processes.map(ownKill).find((event) => event !== null && byTimeout > 0) ?? null;
  const lines = evidence([
    ...reloads.slice(0, 1).map(({began}) => proof(began, 'it begins')),
    ...kills.slice(0, 4).flatMap(({shown}) => shown),
    ...kills
      .filter(({forced}) => !forced.inferred)
      .slice(0, 4)
      .map(({process, forced}) => proof(forced.event, `${nameOf(process)} is ended by the arbiter`)),
    ...(silent[0] ? [proof(silent[0].forced.event, 'only now the arbiter leaves: until then it waited for a worker')] : []),
    ...(signal9 ? [proof(signal9, "the arbiter's own SIGKILL, after its abort: memory has nothing to do with it")] : []),
  ]);
  if (!lines) return null;
  const gain = `wait ${isBounded(wait) ? duration(wait) : 'until the deadline'} -> about 1 s for each worker, and nothing is killed`;
  return {
    title: awaited
      ? 'Workers had left their loop and did not end: a thread of the application held them'
      : 'Workers had left their loop and did not end; a thread of the application likely held them',
    message: sentences(
      `${count(kills.length, 'worker')}${reloads.length > 0 ? ` in ${occasions(reloads)}` : ''} said "Worker exiting" and`,
      `${was(kills.length)} still there when the arbiter lost patience${isBounded(wait) ? `, ${duration(wait)} after ${kills.length === 1 ? 'it was' : 'they were'} asked` : ''}.`,
      'A worker says so when it has left its loop: its requests are done, and what is left is the end of its process.',
      byTimeout > 0 && 'timeout ended the wait, because a worker on its way out gives no sign of life any more.',
      silent.length > 0 && silence(kills, silent),
      awaited
        ? 'Python itself says that it was waiting for threads: one that the application started and that is no daemon thread.'
        : othersLeft(kills)
          ? 'Others of the same reload or stop left, so not every worker has what kept these. That is inferred: most often it is a ' +
            'thread, timer or pool that the application starts while it serves; a lock that a thread held at the moment of the fork ' +
            '(preload_app) hits only some workers as well.'
          : 'What kept them is inferred: most often it is a thread, timer or pool that the application starts in each worker and never ends.',
    ),
    confidence: awaited ? 'certain' : 'likely',
    instance: instance.id,
    reload: only(reloads)?.id ?? null,
    pids: unique(processes.map(({pid}) => pid)),
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: 'worker-timeout',
        because: 'the worker had left its loop before: it was not slow at its work, its exit was held',
        line: kills[0]?.process.leaving?.line ?? null,
      },
      {
        hypothesis: 'request-blocks-shutdown',
        because: 'a worker says that it is exiting when it has finished its request',
        line: kills[0]?.process.leaving?.line ?? null,
      },
      ...(awaited ? [] : otherHolders()),
    ],
    cannotSee: [
      'which thread was waited for: gunicorn prints nothing while Python shuts down',
      ...(silent.length > 0 ? ['the kill itself: at graceful_timeout gunicorn kills without a line'] : []),
    ],
    fixes: [endTheThread(gain), lowerDeadline(instance, byTimeout > 0 ? 'timeout' : 'graceful_timeout')],
    next: whileItExits(instance),
    identity: [instanceName(instance), 'exit hang'],
  };
}

function othersLeft(kills: readonly ArbiterKill[]): boolean {
  return reloadsOf(kills).some(({workers}) => workers.some(({end}) => end === 'clean'));
}

/** Seconds that an exit may take by itself: what libraries do at the end (an agent that sends off what it has gathered) has a limit. */
const BRIEF = 10;

/** A stop that lasted: one of its workers took long to be gone, and may have been killed or have left at last. */
export function describeLateExit(instance: Instance, kills: readonly ArbiterKill[]): Finding | null {
  const reloads = reloadsOf(kills);
  const wait = span(kills.map(waitOf).filter((each) => each !== null));
  const lines = evidence([
    ...reloads.slice(0, 2).map(({began}) => proof(began, 'it begins')),
    ...kills.slice(0, 4).flatMap(({shown}) => shown),
    ...unique(kills.map(({forced}) => forced.event)).map((event) => proof(event, 'only now the arbiter leaves')),
  ]);
  if (!lines) return null;
  const isBrief = isBounded(wait) && wait.max !== null && wait.max <= BRIEF;
  return {
    title: isBrief
      ? 'A stop had to wait some seconds for workers that had left their loop'
      : 'A stop had to wait for workers that had left their loop; a thread of the application likely held them',
    severity: 'warning',
    message: sentences(
      `All workers (${kills.length}) said "Worker exiting" at once, and the arbiter left only ${isBounded(wait) ? `${duration(wait)} after it had been asked` : 'later'}.`,
      'It leaves as soon as the last worker is gone, so the exit of at least one of them took that long. That is proved.',
      'Whether it ended by itself then or was killed at graceful_timeout, for which gunicorn writes no line, this log does not tell.',
      isBrief
        ? 'What held it, no line tells. For so short a time a thread or pool of the application fits no better than what libraries do at the exit: those that report errors, traces or figures wait some seconds until they have sent the last of them.'
        : 'What held it is inferred: most often it is a thread, timer or pool that the application starts in each worker.',
    ),
    confidence: isBrief ? 'possible' : 'likely',
    instance: instance.id,
    reload: only(reloads)?.id ?? null,
    pids: unique(kills.map(({process}) => process.pid)),
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: 'request-blocks-shutdown',
        because: 'a worker says that it is exiting when it has finished its request',
        line: kills[0]?.process.leaving?.line ?? null,
      },
      ...otherHolders(),
    ],
    cannotSee: [
      'which of the workers it was',
      'whether it was killed: give the configuration along, which tells graceful_timeout',
    ],
    fixes: [endTheThread(`the stop takes about 1 s in place of ${isBounded(wait) ? duration(wait) : 'this'}`)],
    next: whileItExits(instance),
    identity: [instanceName(instance), 'late exit'],
  };
}

function silence(kills: readonly ArbiterKill[], silent: readonly ArbiterKill[]): string {
  const [one, many] = [
    'The kill of one of them',
    `The kill of ${silent.length === kills.length ? 'all of them' : `${silent.length} of them`}`,
  ];
  return (
    `${kills.length === 1 ? 'Its kill' : silent.length === 1 ? one : many} is inferred: gunicorn writes none at graceful_timeout, ` +
    `but the arbiter waited for a worker until then${silent.length > 1 ? ', for one of these at least' : ''}.`
  );
}
