import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Reload, Timeline} from '../timeline/timeline.ts';
import {type Finding, NO_SETTING} from './rule.ts';
import {evidence, instanceName, occasions, proof, seconds, sentences} from './wording.ts';

/** Seconds in which nobody serves that are worth a word. */
const LONG = 10;

interface Gap {
  readonly reload: Reload;
  /** The last of the old workers that stopped taking requests, and the first of the new that takes them. */
  readonly left: LogEvent;
  readonly loaded: LogEvent;
  /** Seconds between them, at least. */
  readonly seconds: number;
  /** Most of them passed after the import, in what the application does at its start (ASGI's lifespan). */
  readonly inStartup: boolean;
}

/**
 * gunicorn asks the old workers to leave as soon as it has forked the new ones, whether or not these have loaded the
 * application (gunicorn/arbiter.py, reload). Only workers that say when they are ready show it.
 */
export function slowArbiterStart(timeline: Timeline, instance: Instance): Finding | null {
  const gaps = instance.reloads.flatMap((reload) => gapIn(timeline, instance, reload) ?? []);
  const worst = gaps.reduce<Gap | null>((a, b) => (a === null || b.seconds > a.seconds ? b : a), null);
  if (worst === null) return null;
  const lines = evidence(
    gaps
      .slice(0, 3)
      .flatMap(({left, loaded}) => [
        proof(left, 'the last of the old workers stops here'),
        proof(loaded, 'the first of the new workers is ready only here'),
      ]),
  );
  if (!lines) return null;
  return {
    title: 'After a HUP nobody serves until the new workers have loaded the application',
    severity: worst.seconds >= 3 * LONG ? 'warning' : 'info',
    message: sentences(
      `In ${occasions(gaps.map(({reload}) => reload))} the old workers had stopped ${seconds(worst.seconds)}${gaps.length > 1 ? ' (at most)' : ''} before the first new one was ready. That is proved.`,
      'At a HUP gunicorn asks the old workers to leave at once, and does not wait until the new ones have loaded the application.',
      worst.inStartup &&
        'It was not the import that took most of it but what the application does at its start (lifespan): that is proved, too.',
      'Until then no worker answered: connections waited in the listen queue, or were refused where it was full.',
    ),
    confidence: 'certain',
    instance: instance.id,
    reload: gaps.length === 1 ? worst.reload.id : null,
    pids: [],
    workers: [],
    evidence: lines,
    against: [],
    cannotSee: ['requests that were refused meanwhile: they never reached a worker'],
    fixes: [
      {
        ...NO_SETTING,
        safety: 'safe',
        effect: 'the old workers serve until the new ones are ready',
        why: 'Reload with USR2, wait until the new arbiter answers, then send TERM to the old one. Both need the memory at the same time.',
      },
      ...(worst.inStartup
        ? [
            {
              ...NO_SETTING,
              safety: 'needs-code' as const,
              effect: 'workers are ready sooner',
              why: 'Do less before lifespan.startup.complete: connect and load when first needed, or in a task beside it. preload_app does not help: each worker starts up by itself.',
            },
          ]
        : [
            {
              setting: 'preload_app',
              section: 'gunicorn',
              value: null,
              since: null,
              safety: 'needs-code' as const,
              effect: 'new workers are ready at once',
              why: 'The arbiter loads the application once. A HUP then keeps the old code: deploy with USR2 or a restart. Threads and connections that are opened at import do not survive the fork.',
            },
          ]),
    ],
    next: worst.inStartup
      ? ['log the steps of the startup handler, with times: the longest of them is the wait']
      : ['python3 -X importtime -c "import <module>" 2>&1 | sort -t"|" -k2 -n | tail   # what is slow to import'],
    identity: [instanceName(instance), 'load'],
  };
}

function gapIn(timeline: Timeline, instance: Instance, reload: Reload): Gap | null {
  if (reload.kind !== 'hup') return null;
  const of = (pid: number | null) => instance.processes.findLast((process) => process.role === 'worker' && process.pid === pid);
  const old = reload.workers.flatMap(({oldPid}) => (oldPid === null ? [] : [of(oldPid)]));
  const lefts = old.map((process) => process?.leaving ?? process?.ended ?? null);
  const left = lefts.reduce<LogEvent | null>((a, b) => (a !== null && b !== null && precedes(a, b) ? b : a), lefts[0] ?? null);
  const loads = instance.processes.flatMap(({role, appLoaded}) => (role === 'worker' && appLoaded ? [appLoaded] : []));
  const loaded = loads.find((event) => precedes(reload.began, event));
  if (!left || !loaded || lefts.includes(null) || !precedes(left, loaded)) return null;
  const gap = between(left.at, loaded.at).min;
  // uvicorn says it when it has imported the application.
  const imported = timeline.events.findLast(
    (event) =>
      event.message === 'uvicorn/started-server-process' &&
      event.pid === loaded.pid &&
      event.stream === loaded.stream &&
      precedes(event, loaded),
  );
  const inStartup = imported !== undefined && between(imported.at, loaded.at).min * 2 >= gap;
  return gap < LONG ? null : {reload, left, loaded, seconds: gap, inStartup};
}
