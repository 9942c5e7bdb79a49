/** Workers of gunicorn that had a request to finish when their time was over: told by the rule request-blocks-shutdown. */
import type {LogEvent} from '../timeline/event.ts';
import type {Duration} from '../timeline/time.ts';
import type {Instance, Process, Reload, Timeline} from '../timeline/timeline.ts';
import {type ArbiterKill, countsConnections, countsIdle, waitOf} from './arbiter-kills.ts';
import {reasons, reloadsOf} from './forced-workers.ts';
import {cutWith} from './proxy-cuts.ts';
import {type Alternative, type Evidence, type Finding, type Fix, NO_SETTING} from './rule.ts';
import {numberOf} from './settings.ts';
import {
  count,
  duration,
  evidence,
  instanceName,
  isBounded,
  list,
  nameOf,
  occasions,
  only,
  proof,
  sentences,
  span,
  unique,
  was,
} from './wording.ts';
import {requestOf} from './work.ts';

/** A worker that went without its requests, by its own words: the event loop of gevent, eventlet or asgi. */
interface LeftBehind {
  readonly process: Process;
  readonly told: LogEvent;
}

const GAVE_UP: ReadonlySet<string> = new Set([
  'gunicorn/worker-graceful-timeout',
  'gunicorn/forcing-close',
  'uvicorn/cancelling-tasks',
]);

export function leftBehindIn({processes}: Instance): LeftBehind[] {
  return processes.flatMap((process) => {
    const told = process.end === 'forced' ? undefined : process.remarks.find(({message}) => GAVE_UP.has(message));
    return told ? [{process, told}] : [];
  });
}

const IDLE_CONNECTIONS: Alternative = {
  hypothesis: 'connections that were idle, and no request at all',
  because:
    'it would look the same: a worker of gevent or eventlet waits for each open connection, and an idle one stays open for ' +
    'keepalive, unless that is shorter than graceful_timeout',
  line: null,
};

const STILL_STARTING: Alternative = {
  hypothesis: 'a worker that was still starting, or a hook that blocks',
  because: 'nothing in the log speaks against it; it would look the same',
  line: null,
};

/** Workers of one server whose requests outlived its patience. */
interface Scene {
  readonly instance: Instance;
  readonly kills: readonly ArbiterKill[];
  readonly leftBehind: readonly LeftBehind[];
  readonly reloads: readonly Reload[];
  /** From the asking to the kills. */
  readonly wait: Duration | null;
  /** A kill of which no line tells. */
  readonly silent: boolean;
  /** Each is known to have been busy. */
  readonly proved: boolean;
  /** An event loop that left, and counts connections without a request too. */
  readonly byLoop: boolean;
  /** Requests that the log names. */
  readonly named: readonly string[];
  /** What nginx lost with each. */
  readonly lost: ReadonlyMap<Process, readonly LogEvent[]>;
  readonly lostAll: readonly LogEvent[];
  /** A worker that left when these did not. */
  readonly other: Process | null;
}

export function describeRequestHang(
  timeline: Timeline,
  instance: Instance,
  kills: readonly ArbiterKill[],
  leftBehind: readonly LeftBehind[],
): Finding | null {
  const scene = sceneOf(timeline, instance, kills, leftBehind);
  const {reloads, silent, proved, byLoop, named, lostAll, other} = scene;
  const lines = evidence(proofs(scene));
  if (!lines) return null;
  const byTimeout = kills.some(({forced}) => forced.deadline === 'timeout');
  const mayBeIdle = (byLoop || countsConnections(instance)) && named.length === 0;
  const isProved = named.length > 0 || (kills.length > 0 ? proved : !byLoop);
  return {
    title:
      kills.length > 0
        ? 'A running request kept a worker from leaving until it was killed'
        : 'Requests were cut off: they outlived graceful_timeout',
    message: messageOf(scene),
    confidence: isProved ? 'certain' : 'likely',
    instance: instance.id,
    reload: only(reloads)?.id ?? null,
    pids: unique([...kills, ...leftBehind].map(({process}) => process.pid)),
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: 'app-threads-block-shutdown',
        because: proved
          ? 'the worker was still busy, so it had not begun to shut down'
          : 'a worker that a thread holds at its exit has said "Worker exiting" before, at once after it was asked',
        line: other?.leaving?.line ?? null,
      },
      ...(mayBeIdle ? [IDLE_CONNECTIONS] : []),
      ...(silent && lostAll.length === 0 ? [STILL_STARTING] : []),
    ],
    cannotSee: [
      ...(named.length + lostAll.length > 0 ? [] : ['which request it was: gunicorn writes its access line when a request ends']),
      ...(silent ? ['the kill itself'] : []),
    ],
    // A worker with threads gives up at graceful_timeout; an event loop that waits for its requests is ended by timeout.
    fixes: fixesFor(byTimeout && proved ? 'timeout' : 'graceful_timeout'),
    next: [
      ...(lostAll.length > 0
        ? []
        : ["look for requests without an answer (499, 502, 504) in the proxy's access log at that moment"]),
      ...(mayBeIdle ? ['if there are none, idle connections were waited for: set keepalive lower than graceful_timeout'] : []),
    ],
    identity: [instanceName(instance), 'request'],
  };
}

function sceneOf(
  timeline: Timeline,
  instance: Instance,
  kills: readonly ArbiterKill[],
  leftBehind: readonly LeftBehind[],
): Scene {
  const processes = [...kills, ...leftBehind].map(({process}) => process);
  const reloads = reloadsOf(kills);
  const lost = new Map(kills.map(({process}) => [process, cutWith(timeline, process)]));
  const hasLeft = ({end, leaving, asked}: Process) =>
    (end === 'clean' || end === 'lost') && leaving !== null && asked !== null && reloads.some(({id}) => id === asked.reload);
  return {
    instance,
    kills,
    leftBehind,
    reloads,
    wait: span(kills.map(waitOf).filter((each) => each !== null)),
    silent: kills.some(({forced}) => forced.inferred),
    proved: kills.every((kill) => kill.proved),
    byLoop: leftBehind.some(({told}) => countsIdle(told)),
    named: unique(processes.flatMap((process) => process.remarks.filter(namesRequest).map(requestOf))),
    lost,
    lostAll: unique([...lost.values()].flat()),
    other: instance.processes.find(hasLeft) ?? null,
  };
}

function proofs({kills, leftBehind, reloads, lost, other}: Scene): Evidence[] {
  return [
    ...reloads.slice(0, 1).map(({began}) => proof(began, 'it begins')),
    ...kills
      .slice(0, 4)
      .flatMap(({process, forced, shown}) => [
        ...shown,
        ...process.remarks.filter(namesRequest).map((event) => proof(event, `what ${nameOf(process)} was doing`)),
        ...(lost.get(process) ?? []).slice(0, 1).map((event) => proof(event, `nginx loses ${requestOf(event)} in that moment`)),
        proof(
          forced.event,
          forced.inferred
            ? `the arbiter leaves, and ${nameOf(process)} never said that it was exiting`
            : `${nameOf(process)} is ended by the arbiter`,
        ),
      ]),
    ...leftBehind.slice(0, 4).map(({process, told}) => proof(told, `${nameOf(process)} goes without what it still had in hand`)),
    ...(other?.leaving ? [proof(other.leaving, `${nameOf(other)} has left its loop: not every worker was busy`)] : []),
  ];
}

function messageOf({instance, kills, leftBehind, reloads, wait, silent, byLoop, named, lostAll}: Scene): string {
  const isToldNowhere = numberOf(instance, 'graceful_timeout') === null;
  return sentences(
    kills.length > 0 &&
      `${count(kills.length, 'worker')} had been asked to leave${reloads.length > 0 ? ` by ${occasions(reloads)}` : ''} ` +
        `and ${was(kills.length)} ended by the arbiter${isBounded(wait) ? ` ${duration(wait)} later` : ''}.`,
    reasons(kills),
    named.length > 0 && `The log names it: ${list(named, 4)}.`,
    named.length === 0 &&
      lostAll.length > 0 &&
      `In that moment nginx lost ${list(unique(lostAll.map(requestOf)), 4)}, and no other worker was ended then that can have had it.`,
    silent &&
      'The kill is inferred: at graceful_timeout gunicorn kills without a line, and the arbiter waited until then.' +
        (isToldNowhere && isBounded(wait)
          ? ` Going by that wait, graceful_timeout is about ${Math.round(wait.min)} s here.`
          : ''),
    leftBehind.length > 0 &&
      `${count(leftBehind.length, 'worker')} gave up waiting after graceful_timeout and went without the connections still open` +
        (byLoop ? ': requests in hand there were cut.' : ': these were cut.'),
  );
}

function namesRequest({meaning, fields}: LogEvent): boolean {
  return meaning.kind === 'request-error' && fields['uri'] !== undefined;
}

function fixesFor(setting: 'timeout' | 'graceful_timeout'): Fix[] {
  return [
    {
      ...NO_SETTING,
      safety: 'needs-code',
      effect: 'the worker leaves as soon as the request ends',
      why:
        'Give the calls that the request makes (database, HTTP) a time limit, close streams and web sockets when the worker ' +
        'shuts down, or move the work to a queue and answer at once.',
    },
    {
      setting,
      section: null,
      value: null,
      since: null,
      safety: 'safe',
      effect: 'requests up to that length are answered; a stop or reload can take as long',
      why:
        'Set it above the longest request that is meant to succeed, and below the time that whoever stops gunicorn waits ' +
        '(supervisord stopwaitsecs, systemd TimeoutStopSec, the container platform).',
    },
  ];
}
