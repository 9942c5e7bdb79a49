/**
 * Workers that were killed because the master's patience ran out ("mercy"): what the log shows them to have been
 * doing. Several rules share this one judgement, so that each worker is the subject of one of them.
 *
 * The first test that applies decides. What is left over is undecided, and says why.
 */

import {greatest} from '../extremes.ts';
import {groupBy} from '../timeline/group.ts';
import {precedes} from '../timeline/lookup.ts';
import {oncePer} from '../timeline/once.ts';
import type {Forced, Instance, Process, Reload, Timeline} from '../timeline/timeline.ts';
import type {Held} from './causes.ts';
import {isDeaf, isLoadedAfter, judgedDeaf, LOADING, mayBeLoading} from './deaf-workers.ts';
import {type Scene, sceneOf} from './forced-scene.ts';
import {behindDaemon, cutByProxy, exitShown, type Judgement, requestNamed, withoutMercy} from './judgement.ts';
import {isKnown, mercyOf} from './mercy.ts';
import type {Needs} from './rule.ts';
import {coresOf, numberOf} from './settings.ts';
import {capital, proof} from './wording.ts';

/** A worker that was killed at the deadline, and how it is judged. */
export interface ForcedWorker extends Judgement {
  readonly process: Process;
  readonly forced: Forced;
  readonly instance: Instance;
  /** Null where it left by itself, and where the log does not show who asked it. */
  readonly reload: Reload | null;
}

/** What lets a rule see that workers had to be killed, or that none had to be. */
export const SHOWS_FORCED_WORKERS: Needs = {
  messages: [
    'uwsgi/no-mercy',
    'uwsgi/gracefully-killing',
    'uwsgi/graceful-reload',
    'uwsgi/brutal-reload',
    'uwsgi/chain-victim',
    'uwsgi/worker-buried',
    'uwsgi/stop-signal',
    'uwsgi/graceful-shutdown',
    'gunicorn/handling-signal',
  ],
  otherwise: 'the log shows no reload and no stop: take it from a time in which the server was reloaded or stopped',
};

/** The master looks once a second, for overdue workers before it looks for those that have left (core/master.c). */
const ENOUGH_TO_LEAVE = 1000;

/** In the order in which they were killed. */
export const forcedWorkers = oncePer((timeline: Timeline): readonly ForcedWorker[] => {
  const found = timeline.instances.flatMap((instance) => inInstance(timeline, instance));
  found.sort((a, b) => (precedes(a.forced.event, b.forced.event) ? -1 : 1));
  return found;
});

function inInstance(timeline: Timeline, instance: Instance): ForcedWorker[] {
  const found: ForcedWorker[] = [];
  const killed = instance.processes.filter(isKilledAtMercy);
  if (killed.length === 0) return found;
  const recycles = instance.processes.some((process) => process.asked?.by === 'itself');
  const reloads = new Map<string | number, Reload>();
  for (const reload of instance.reloads) {
    reloads.set(reload.id, reload);
    for (const {oldPid} of reload.workers) if (oldPid !== null) reloads.set(oldPid, reload);
  }
  const scenes = new Map<Reload, Scene>();
  const overflows = timeline.events.filter((event) => event.meaning.kind === 'listen-queue-full');
  for (const process of killed) {
    const {forced} = process;
    if (!forced) continue;
    const own = process.asked?.by === 'itself';
    const reload = own ? null : (reloads.get(process.asked?.reload ?? process.pid) ?? null);
    if (reload && !scenes.has(reload)) scenes.set(reload, sceneOf(overflows, instance, reload));
    const scene = reload && scenes.get(reload);
    const judgement =
      requestNamed(process, forced) ??
      exitShown(timeline, process, forced) ??
      withoutMercy(instance, forced) ??
      behindDaemon(timeline, process, forced) ??
      cutByProxy(timeline, process, scene ? judge(process, forced, instance, scene) : unasked(process, instance, own, recycles));
    found.push({process, forced, instance, reload, ...judgement});
  }
  return found;
}

/**
 * A worker that a later line shows to have left by itself was only named, not killed. One that is killed again and again is
 * another trouble (kill-without-effect).
 */
function isKilledAtMercy({role, forced, end}: Process): boolean {
  return role === 'worker' && forced?.deadline === 'mercy' && end !== 'clean' && forced.tries === 1;
}

function judge(process: Process, forced: Forced, instance: Instance, scene: Scene): Judgement {
  const {reload, immediate, acknowledged} = scene;
  if (immediate && (isLoadedAfter(process) || (process.asked?.requestsAfter ?? 0) > (coresOf(process, instance) ?? 1)))
    return judgedDeaf(process);
  if (immediate && mayBeLoading(process, instance)) return LOADING;
  if (immediate) {
    return {
      verdict: 'idle',
      proved: true,
      shown: [proof(reload.began, 'a stop at once: a worker with a request dies, an idle one leaves in order')],
      because: 'On this kind of stop a worker that is busy with a request dies at once; one that hangs was idle',
    };
  }
  if (isDeaf(process, reload, acknowledged)) return judgedDeaf(process);
  const after = process.asked?.requestsAfter ?? 0;
  const cores = coresOf(process, instance);
  if (after > 0 && cores !== null && after >= cores) {
    const line = process.segments.at(-1)?.last;
    if (timeToLeave(process, forced, instance) < ENOUGH_TO_LEAVE) {
      return {
        verdict: 'late',
        proved: true,
        because: 'It was busy with a request until the mercy was all but over',
        shown: line ? [proof(line, 'the request that it was busy with, answered after it was asked')] : [],
      };
    }
    return {
      verdict: 'idle',
      proved: true,
      because: 'It finished its last request after it had been asked to leave, and then did not leave',
      shown: line ? [proof(line, 'its last request, which ended after it was asked')] : [],
    };
  }
  const limit = numberOf(instance, 'harakiri');
  const mercy = mercyOf(instance).seconds;
  if (limit !== null && limit > 1 && limit < mercy) {
    return {
      verdict: 'idle',
      proved: false,
      because: `A request would have been ended by harakiri (${limit} s) before the mercy (${mercy} s) ran out`,
      shown: [],
    };
  }
  if (scene.allIdle !== null) return {verdict: 'idle', proved: false, because: scene.allIdle, shown: []};
  return {verdict: 'undecided', proved: false, because: capital(scene.doubt), shown: []};
}

/**
 * Milliseconds that a worker had at least between its last answer and the kill. Where no stamp tells it, its longest request
 * does: it began before the worker was asked.
 */
function timeToLeave({segments}: Process, {event}: Forced, instance: Instance): number {
  const mercy = mercyOf(instance, event);
  const longest = Math.max(0, greatest(segments.map((segment) => segment.longest)));
  const byLength = isKnown(mercy) ? mercy.seconds * 1000 - longest : Number.NEGATIVE_INFINITY;
  const lastEnd = greatest(segments.map((segment) => segment.lastEnd));
  // Request lines tell the second in which a request began.
  const byStamps = event.at.earliest === null ? Number.NEGATIVE_INFINITY : event.at.earliest - lastEnd - 1000;
  return Math.max(byLength, byStamps);
}

function unasked(process: Process, instance: Instance, own: boolean, recycles: boolean): Judgement {
  if (own) return {verdict: 'recycle', proved: true, because: 'It had said that its work was done', shown: []};
  if (mayBeLoading(process, instance)) return LOADING;
  if (recycles && process.successorPid !== null) {
    return {
      verdict: 'recycle',
      proved: false,
      because: 'No reload is under way in this log, and other workers say that their work is done',
      shown: [],
    };
  }
  return {verdict: 'undecided', proved: false, because: 'The log does not show who asked it to leave', shown: []};
}

/** Findings are told per instance: a hundred hung reloads of one instance are one trouble. */
export function byInstance(
  workers: readonly ForcedWorker[],
): Iterable<readonly [Instance, readonly [ForcedWorker, ...ForcedWorker[]]]> {
  return groupBy(workers, ({instance}) => instance);
}

/** Why they were judged so, in sentences. Of many that differ in their figures alone, the first tell enough. */
export function reasons(workers: readonly Pick<ForcedWorker, 'because'>[]): string {
  return [...new Set(workers.map(({because}) => because))]
    .slice(0, 2)
    .map((because) => `${because}.`)
    .join(' ');
}

/** Others were asked at the same time and left: what holds these is not in every worker from the start. */
export function onlySome(workers: readonly ForcedWorker[]): boolean {
  const reloads = reloadsOf(workers);
  return reloads.length > 0 && reloads.every((reload) => reload.workers.some(({end}) => end === 'clean'));
}

/** What the weighing of causes needs to know of workers of one verdict. */
export function heldOf(
  timeline: Timeline,
  workers: readonly [ForcedWorker, ...ForcedWorker[]],
  proved: boolean,
  some: boolean,
): Held {
  const [{process, instance, verdict}, ...others] = workers;
  return {timeline, instance, processes: [process, ...others.map((worker) => worker.process)], verdict, proved, some};
}

export function reloadsOf(workers: readonly Pick<ForcedWorker, 'reload'>[]): Reload[] {
  return [...new Set(workers.map((worker) => worker.reload))].filter((reload) => reload !== null);
}
