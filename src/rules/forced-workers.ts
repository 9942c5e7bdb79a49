/**
 * Workers that were killed because the master's patience ran out ("mercy"): what the log shows them to have been
 * doing. Several rules share this one judgement, so that each worker is the subject of one of them.
 *
 * The first test that applies decides. What is left over is undecided, and says why.
 */

import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {precedes, processesAskedBy, processesWithPid} from '../timeline/lookup.ts';
import {oncePer} from '../timeline/once.ts';
import {between} from '../timeline/time.ts';
import type {Forced, Instance, Process, Reload, Timeline} from '../timeline/timeline.ts';
import type {Held} from './causes.ts';
import {isKnown, mercyOf, mercyText} from './mercy.ts';
import {cutWith} from './proxy-cuts.ts';
import type {Evidence, Needs} from './rule.ts';
import {coresOf, numberOf} from './settings.ts';
import {capital, count, proof, seconds} from './wording.ts';
import {isNormal, requestsOf} from './work.ts';

/**
 * `idle`: no request held it, its exit did. `request`: a request was running. `late`: a request was answered so late that no
 * time to leave was left. `recycle`: it left by itself and did not get there. `deaf`: it never took note of being asked.
 * `hasty`: the master had no patience, so the kill says nothing of it. `undecided`: a request and a blocked exit fit alike.
 */
export type Verdict = 'idle' | 'request' | 'late' | 'recycle' | 'deaf' | 'hasty' | 'undecided';

export interface ForcedWorker {
  readonly process: Process;
  readonly forced: Forced;
  readonly instance: Instance;
  /** Null where it left by itself, and where the log does not show who asked it. */
  readonly reload: Reload | null;
  readonly verdict: Verdict;
  /** The log proves the verdict; otherwise it is the reading that fits best. */
  readonly proved: boolean;
  /** Why, as a sentence. The same for all workers that were judged by the same test. */
  readonly because: string;
  readonly shown: readonly Evidence[];
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

type Judgement = Pick<ForcedWorker, 'verdict' | 'proved' | 'because' | 'shown'>;

/** A worker without a request for this long before it was asked is idle, if all others are in the same state. */
const QUIET = 60;

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
      named(process, forced) ??
      inExit(timeline, process, forced) ??
      hasty(instance, forced) ??
      blind(timeline, process, forced) ??
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

/** What one reload or stop looks like as a whole. */
interface Scene {
  readonly reload: Reload;
  /** How many workers of it are known to have ended, and how many of these were forced. */
  readonly ended: number;
  readonly forced: number;
  readonly acknowledged: boolean;
  /** The wording shows that busy workers die at once (immediate stop, brutal reload). */
  readonly immediate: boolean;
  /** All forced, and requests do not explain it: why. Null where they may. */
  readonly allIdle: string | null;
  readonly doubt: string;
}

function sceneOf(overflows: readonly LogEvent[], instance: Instance, reload: Reload): Scene {
  const old = reload.workers.flatMap(({oldPid}) => processesWithPid(instance, oldPid));
  const workers = [...new Set([...old, ...processesAskedBy(instance, reload)])];
  const ended = reload.workers.filter((worker) => worker.end !== 'unknown').length;
  const forced = reload.workers.filter((worker) => worker.end === 'forced').length;
  const acknowledged = workers.some((process) => process.asked?.acknowledged) || isAlwaysAcknowledged(instance, reload);
  const immediate =
    reload.kind === 'brutal' || (reload.kind === 'stop' && !acknowledged && reload.began.message !== 'uwsgi/graceful-shutdown');
  const doubt = requestsExplain(overflows, instance, reload, workers, forced);
  const every = forced === ended && forced > 0;
  return {
    reload,
    ended,
    forced,
    acknowledged,
    immediate,
    allIdle: every && doubt.idle ? doubt.why : null,
    doubt:
      every || forced === 0
        ? doubt.why
        : `${count(ended - forced, 'other worker')} of the same ${reload.kind === 'stop' ? 'stop' : 'reload'} left by ${
            ended - forced === 1 ? 'itself' : 'themselves'
          }: both a request that ran too long and a thread that only some workers have fit that`,
  };
}

/** uWSGI's workers say in every graceful reload that they take note, as long as such lines get into this log. */
function isAlwaysAcknowledged({processes}: Instance, {kind, headless}: Reload): boolean {
  return kind === 'graceful' && !headless && processes.some(({asked}) => asked?.acknowledged === true && asked.by !== 'itself');
}

/** So many workers are seldom all held by requests; nor is any for so many seconds. */
const FEW = 3;
const LONG = 5;

/** Workers that had to be killed, where no worker of any reload left by itself. */
const killedInEachReload = oncePer((instance: Instance): number => {
  const ends = instance.reloads.flatMap(({workers}) => workers.map(({end}) => end));
  return ends.includes('clean') ? 0 : ends.filter((end) => end === 'forced').length;
});

/** Whether requests can account for it that every worker of a reload had to be killed. */
function requestsExplain(
  overflows: readonly LogEvent[],
  instance: Instance,
  reload: Reload,
  workers: readonly Process[],
  forced: number,
): {idle: boolean; why: string} {
  const several = forced > 1;
  const all = forced === workers.length ? `All ${forced} workers` : `All ${forced} workers that the log shows to have ended`;
  const requests = requestsOf(instance);
  if (requests.count === 0) {
    return several && (forced >= FEW || killedInEachReload(instance) >= FEW || mercyOf(instance).seconds >= LONG)
      ? {
          idle: true,
          why:
            `${all} failed to leave, which a single slow request does not explain; but this log has no request lines, so ` +
            'it cannot show that they were idle',
        }
      : {
          idle: false,
          why: several
            ? 'this log has no request lines, and slow requests can well have held so few workers for so short a mercy'
            : 'this log has no request lines, and one worker alone shows no pattern',
        };
  }
  const segments = workers.flatMap((process) => process.segments);
  const starts = workers.flatMap(({started, startedAt}) =>
    started === null ? [] : [startedAt.latest ?? startedAt.earliest ?? 0],
  );
  const asked = Math.min(
    ...workers.map((process) => process.asked?.at.earliest ?? reload.startedAt.earliest ?? Number.POSITIVE_INFINITY),
  );
  const last = Math.max(Number.NEGATIVE_INFINITY, ...starts, ...segments.map((segment) => segment.lastEnd));
  const quiet = Number.isFinite(asked) ? (asked - last) / 1000 : Number.NaN;
  const mercy = mercyOf(instance).seconds;
  if (overflowed(overflows, reload, last)) {
    return {
      idle: false,
      why: 'requests were queueing up when it happened, so the workers may all have been held by slow requests',
    };
  }
  if (quiet >= Math.max(QUIET, 2 * requests.longest)) {
    const silence =
      segments.length === 0 ? 'None of them had answered a request' : `None of them had answered a request for ${seconds(quiet)}`;
    return {idle: true, why: `${silence} when they were asked to leave`};
  }
  if (!several) {
    return {
      idle: false,
      why:
        segments.length === 0
          ? 'the worker had not been there for long, and no request line tells what it did'
          : 'the worker had answered requests shortly before it was asked to leave',
    };
  }
  if (isNormal(requests, mercy) || requests.longest >= mercy * 0.8) {
    return {idle: false, why: `requests here take up to ${seconds(requests.longest)}, and the mercy is ${mercy} s`};
  }
  return {
    idle: true,
    why:
      `${all} failed to leave. A request could have held them only if each had just begun one of more than ${mercy} s; ` +
      `the longest of ${count(requests.count, 'request')} in this log took ${seconds(requests.longest)}`,
  };
}

/** Connections were piling up between the last answer and the beginning of the reload: something held the workers before. */
function overflowed(overflows: readonly LogEvent[], reload: Reload, lastAnswer: number): boolean {
  return overflows.some(
    (event) => precedes(event, reload.began) && event.at.earliest !== null && event.at.earliest >= lastAnswer,
  );
}

function named(process: Process, forced: Forced): Judgement | null {
  const line = process.remarks.find((event) => isRunningRequest(event) && near(event, process, forced));
  return line === undefined
    ? null
    : {
        verdict: 'request',
        proved: true,
        because: 'The log names a request that was running in it',
        shown: [proof(line, `names what was running: ${requestOf(line)}`)],
      };
}

/** The proxy's log decides what the server's own leaves open: a request was cut in the moment of the kill. */
function cutByProxy(timeline: Timeline, process: Process, judgement: Judgement): Judgement {
  if (process.asked === null || process.asked.by === 'unknown') return judgement;
  const isOpen = judgement.verdict === 'undecided' || (judgement.verdict === 'idle' && !judgement.proved);
  const [cut] = isOpen ? cutWith(timeline, process) : [];
  return cut === undefined
    ? judgement
    : {
        verdict: 'request',
        proved: false,
        because: 'nginx lost a request in the moment of the kill, and no other worker was ended then that can have had it',
        shown: [proof(cut, `nginx loses ${requestOf(cut)} in the moment of the kill`)],
      };
}

/** Backtraces that show Python shutting down, by the pid that wrote them: what SIGUSR2 makes a worker print while it hangs. */
const exitFrames = oncePer((timeline: Timeline): ReadonlyMap<number, readonly LogEvent[]> => {
  const found = new Map<number, LogEvent[]>();
  const writer = new Map<string | null, number | null>();
  if (timeline.messages.has('uwsgi/exit-frame')) {
    for (const event of timeline.events) {
      if (event.message === 'uwsgi/backtrace') writer.set(event.stream, event.pid);
      const pid = event.message === 'uwsgi/exit-frame' ? (writer.get(event.stream) ?? null) : null;
      if (pid !== null) found.set(pid, [...(found.get(pid) ?? []), event]);
    }
  }
  return found;
});

function inExit(timeline: Timeline, process: Process, forced: Forced): Judgement | null {
  const frame = exitFrames(timeline)
    .get(process.pid)
    ?.find((event) => near(event, process, forced));
  return frame === undefined
    ? null
    : {
        verdict: 'idle',
        proved: true,
        because:
          'The backtrace that it wrote while it did not leave shows Python shutting down: no request held it, its exit did',
        shown: [proof(frame, 'Python is shutting down, in the backtrace of this worker')],
      };
}

/**
 * uWSGI looks after its workers once a second. Without any mercy it kills at the first look, also what has left in order and was
 * not collected yet (core/master_checks.c, 2.0): every worker of every stop gets NO MERCY.
 */
function hasty(instance: Instance, forced: Forced): Judgement | null {
  const mercy = mercyOf(instance, forced.event);
  if (!isKnown(mercy) || mercy.seconds > 0) return null;
  return {
    verdict: 'hasty',
    proved: mercy.known === 'shown',
    because: 'The master has no mercy',
    shown: mercy.where ? [proof(mercy.where, `the mercy is ${mercyText(mercy)}`)] : [],
  };
}

/**
 * The master waits for an attached daemon that does not stop (reload-mercy, 3 s) before it looks after its workers again, and
 * a shorter mercy is then over for who left at once, too (core/daemons.c, core/master_checks.c).
 */
function blind(timeline: Timeline, {asked}: Process, {event}: Forced): Judgement | null {
  if (!timeline.messages.has('uwsgi/daemon-forced') || asked === null) return null;
  const killed = timeline.events.findLast(
    ({message, ...other}) => message === 'uwsgi/daemon-forced' && precedes(other, event) && other.stream === event.stream,
  );
  if (killed === undefined || precedes(killed, asked.event) || between(killed.at, event.at).min > 1) return null;
  return {
    verdict: 'undecided',
    proved: false,
    because:
      'The master was waiting for an attached daemon until then and looked after no worker, so this one may have left long before',
    shown: [proof(killed, 'until now the master waited for this daemon')],
  };
}

function judge(process: Process, forced: Forced, instance: Instance, scene: Scene): Judgement {
  const {reload, immediate, acknowledged} = scene;
  if (immediate && (isLoadedAfter(process) || (process.asked?.requestsAfter ?? 0) > (coresOf(process, instance) ?? 1)))
    return deaf(process);
  if (immediate && mayBeLoading(process, instance)) return LOADING;
  if (immediate) {
    return {
      verdict: 'idle',
      proved: true,
      shown: [proof(reload.began, 'a stop at once: a worker with a request dies, an idle one leaves in order')],
      because: 'On this kind of stop a worker that is busy with a request dies at once; one that hangs was idle',
    };
  }
  if (isDeaf(process, reload, acknowledged)) return deaf(process);
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

const LOADING: Judgement = {
  verdict: 'deaf',
  proved: false,
  because: 'No line of this log says that an application was loaded: it may have been loading it still',
  shown: [],
};

/** It was loading the application when it was asked: Python breaks off the import at most, and the worker goes on (end_me, SIGINT). */
function isLoadedAfter({asked, appLoaded}: Process): boolean {
  return asked !== null && appLoaded !== null && precedes(asked.event, appLoaded);
}

/** Its start is in the log, it has answered nothing, and neither it nor its master has said that an application is ready. */
function mayBeLoading({started, appLoaded, segments}: Process, {epochs}: Instance): boolean {
  if (started === null || appLoaded !== null || segments.length > 0) return false;
  const epoch = epochs.findLast(({master}) => master !== null && precedes(master, started));
  return epoch !== undefined && epoch.banner !== null && epoch.appLoads.length === 0;
}

/**
 * Milliseconds that a worker had at least between its last answer and the kill. Where no stamp tells it, its longest request
 * does: it began before the worker was asked.
 */
function timeToLeave({segments}: Process, {event}: Forced, instance: Instance): number {
  const mercy = mercyOf(instance, event);
  const longest = Math.max(0, ...segments.map((segment) => segment.longest));
  const byLength = isKnown(mercy) ? mercy.seconds * 1000 - longest : Number.NEGATIVE_INFINITY;
  const lastEnd = Math.max(...segments.map((segment) => segment.lastEnd));
  // Request lines tell the second in which a request began.
  const byStamps = event.at.earliest === null ? Number.NEGATIVE_INFINITY : event.at.earliest - lastEnd - 1000;
  return Math.max(byLength, byStamps);
}

/**
 * A worker that takes note says so, and stops serving: the master then calls it "killed successfully" in a chain, and
 * "died" if it still served.
 */
function isDeaf(process: Process, {kind, headless}: Reload, othersAcknowledged: boolean): boolean {
  const {asked, ended} = process;
  if (!asked || asked.acknowledged || headless || ended?.meaning.ending === 'replaced') return false;
  if (isLoadedAfter(process)) return true;
  return othersAcknowledged || ((kind === 'chain' || kind === 'workers') && ended?.meaning.ending === 'died');
}

function deaf(process: Process): Judgement {
  const importing = isLoadedAfter(process) ? process.appLoaded : null;
  const answer = (process.asked?.requestsAfter ?? 0) > 0 ? process.segments.at(-1)?.last : undefined;
  return importing
    ? {
        verdict: 'deaf',
        proved: true,
        because: 'It was still loading the application when it was asked to leave, and never took note of it',
        shown: [proof(importing, 'the application became ready only after the worker had been asked to leave')],
      }
    : {
        verdict: 'deaf',
        proved: true,
        because: `It never took note of being asked to leave${answer ? ': it went on answering requests' : ''}`,
        shown: [],
      };
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

/** Answers of a worker that was asked what it does (SIGUSR2). */
const ANSWERS: ReadonlySet<string> = new Set(['uwsgi/is-managing', 'uwsgi/harakiri-was']);

export function isRunningRequest(event: LogEvent): boolean {
  return event.meaning.kind === 'request-running' || event.meaning.kind === 'requests-pending' || ANSWERS.has(event.message);
}

/** After it was asked and not after it was gone. */
function near(event: LogEvent, process: Process, forced: Forced): boolean {
  const since = process.asked?.event ?? forced.event;
  return !precedes(event, since) && (process.ended === null || precedes(event, process.ended));
}

/** `GET /export`, as far as the line tells. */
export function requestOf(event: LogEvent): string {
  const {method, uri} = event.fields;
  return [method, uri].filter((part) => part !== undefined).join(' ') || 'a request';
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
