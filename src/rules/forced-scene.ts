/** What a reload or stop looks like as a whole in which workers had to be killed: whether requests can account for that. */

import {greatest, least} from '../extremes.ts';
import type {LogEvent} from '../timeline/event.ts';
import {precedes, processesAskedBy, processesWithPid} from '../timeline/lookup.ts';
import {oncePer} from '../timeline/once.ts';
import type {Instance, Process, Reload} from '../timeline/timeline.ts';
import {mercyOf} from './mercy.ts';
import {count, seconds} from './wording.ts';
import {isNormal, requestsOf} from './work.ts';

/** A worker without a request for this long before it was asked is idle, if all others are in the same state. */
const QUIET = 60;

export interface Scene {
  readonly reload: Reload;
  /** A worker of it took note of being asked, or all would have said so. */
  readonly acknowledged: boolean;
  /** The wording shows that busy workers die at once (immediate stop, brutal reload). */
  readonly immediate: boolean;
  /** All forced, and requests do not explain it: why. Null where they may. */
  readonly allIdle: string | null;
  /** Why a request and a blocked exit fit alike. */
  readonly doubt: string;
}

export function sceneOf(overflows: readonly LogEvent[], instance: Instance, reload: Reload): Scene {
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
  const asked = least(
    workers.map((process) => process.asked?.at.earliest ?? reload.startedAt.earliest ?? Number.POSITIVE_INFINITY),
  );
  const last = Math.max(Number.NEGATIVE_INFINITY, greatest(starts), greatest(segments.map((segment) => segment.lastEnd)));
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
