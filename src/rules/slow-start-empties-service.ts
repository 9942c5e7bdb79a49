import {greatest, least} from '../extremes.ts';
import type {LineRef, LogEvent} from '../timeline/event.ts';
import {precedes, startFrom} from '../timeline/lookup.ts';
import {between} from '../timeline/time.ts';
import type {AppLoad, Instance, Reload, Timeline} from '../timeline/timeline.ts';
import {slowArbiterStart} from './arbiter-slow-start.ts';
import {linesOf} from './line-owners.ts';
import {type Evidence, type Finding, NO_PROCESS, NO_SETTING, type Rule} from './rule.ts';
import {loading, setting, uwsgiOf} from './settings.ts';
import {count, evidence, instanceName, list, occasions, proof, seconds, sentences, unique} from './wording.ts';

/** Seconds in which nobody serves that are worth a word. */
const LONG = 10;
/** From here on it is more than a note. */
const VERY_LONG = 30;
/** Seconds that the master may need to tell its workers, and to notice that all are gone. */
const ROUND = 2;
/** Descriptors that a master closes one by one before it starts anew, from which on that takes seconds. */
const MANY_DESCRIPTORS = 1_000_000;

const rule: Rule = {
  id: 'slow-start-empties-service',
  title: 'After each reload nobody serves until the application has been loaded',
  severity: 'warning',
  docs: {
    sees:
      'A full reload whose new generation needed ten seconds or more to load the application ("WSGI app 0 ... ready in N seconds"), or ' +
      'whose master needed as long to start anew after "closing all non-uwsgi socket fds" with a very high max_fd. For gunicorn a HUP ' +
      'whose old workers had left ten seconds or more before the first new one said that it was ready (uvicorn workers say so). For puma a phased restart that was asked for and is not available.',
    why:
      'A full reload ends all workers before it starts the next. While the application is imported connections wait in the listen ' +
      'queue, and fail where it is full. uWSGI also closes every descriptor up to the limit one by one, which takes seconds where the ' +
      'limit is a billion.',
    remedy:
      'Replace one worker after the other: lazy-apps with a chain reload keeps the rest serving. Make the import faster; lower the limit ' +
      'on open files (ulimit -n, LimitNOFILE, --ulimits of the container).',
    limits: 'Seconds of loading are told in whole seconds. A proxy that holds requests back for that long hides it from clients.',
    references: ['https://uwsgi-docs.readthedocs.io/en/latest/articles/TheArtOfGracefulReloading.html'],
  },
  settings: ['lazy-apps'],
  restsOnOwners: true,
  needs: {
    messages: [
      'uwsgi/app-ready',
      'uwsgi/binary-reload',
      'uwsgi/closing-sockets',
      'uvicorn/startup-complete',
      'puma/phased-restart-unavailable',
    ],
    otherwise: 'the log shows no load of an application and no restart of a master',
  },
  *check(timeline) {
    for (const instance of uwsgiOf(timeline)) {
      const slow = instance.reloads.flatMap((reload) => slowStart(instance, reload) ?? []);
      if (slow.length > 0) yield describe(instance, slow as [Slow, ...Slow[]]);
    }
    for (const instance of timeline.instances) {
      if (instance.supervisor === 'gunicorn') yield slowArbiterStart(timeline, instance);
      if (instance.supervisor === 'puma') yield notPhased(timeline, instance);
    }
  },
};

export default rule;

interface Slow {
  readonly reload: Reload;
  /** Whole seconds in which the new generation loaded the application. */
  readonly loading: number;
  readonly load: AppLoad | null;
  /** Seconds from the re-execution to the banner, at least. */
  readonly closing: number;
  readonly limit: {readonly value: number; readonly where: LineRef} | null;
}

function slowStart(instance: Instance, reload: Reload): Slow | null {
  const {reExecuted, ended, kind, outcome} = reload;
  if (reExecuted === null || outcome !== 'completed' || (kind !== 'graceful' && kind !== 'brutal')) return null;
  const start = startFrom(instance, reExecuted);
  if (start === null || (ended !== null && precedes(ended, start.line))) return null;
  const {epoch} = start;
  const loads = epoch.appLoads.filter(({seconds: told}) => told !== null);
  const load = loads.reduce<AppLoad | null>((a, b) => (a === null || (b.seconds ?? 0) > (a.seconds ?? 0) ? b : a), null);
  // Loaded before the fork one after the other; in the workers all at once.
  const isEach = load?.inWorker === true;
  const took = isEach ? least(loads.map((each) => each.seconds ?? 0)) : loads.reduce((sum, each) => sum + (each.seconds ?? 0), 0);
  const descriptors = setting(instance, 'max-fd', epoch.banner ?? epoch.master);
  const many = descriptors?.where && Number(descriptors.value) >= MANY_DESCRIPTORS ? Number(descriptors.value) : null;
  const closing = many !== null && epoch.banner ? betweenGenerations(reload, epoch.banner) : 0;
  if (took < LONG && closing < LONG / 2) return null;
  return {
    reload,
    loading: took,
    load,
    closing,
    limit: many !== null && descriptors?.where ? {value: many, where: descriptors.where} : null,
  };
}

/** Seconds from the end of the old generation to the banner of the next, at least. */
function betweenGenerations({startedAt, reExecuted, workers}: Reload, banner: LogEvent): number {
  const told = reExecuted === null ? 0 : between(reExecuted.at, banner.at).min;
  const waits = workers.map(({wait}) => wait.max);
  const longest = waits.some((wait) => wait === null) ? null : Math.max(0, greatest(waits.filter((wait) => wait !== null)));
  // The line of the re-execution often has no time; what the workers needed is known nevertheless.
  return longest === null ? told : Math.max(told, between(startedAt, banner.at).min - longest - ROUND);
}

function describe(instance: Instance, slow: readonly [Slow, ...Slow[]]): Finding | null {
  const worst = slow.reduce((a, b) => (b.loading + b.closing > a.loading + a.closing ? b : a));
  const byClosing = worst.closing > worst.loading;
  const gap = worst.loading + worst.closing;
  const isLazy = loading(instance) === 'lazy-apps';
  const lines = evidence(
    slow
      .slice(0, 3)
      .flatMap(({reload, load, limit}): Evidence[] => [
        ...(reload.reExecuted ? [proof(reload.reExecuted, 'the old generation is gone, and the master starts anew')] : []),
        ...(limit && byClosing ? [proof(limit.where, `it closes up to ${limit.value} descriptors one by one`)] : []),
        ...(load ? [proof(load.event, `the application is loaded after ${load.seconds} s: now requests are answered`)] : []),
      ]),
  );
  if (!lines) return null;
  return {
    title: byClosing ? 'After each reload the master needs long to start anew, and nobody serves meanwhile' : rule.title,
    severity: gap >= VERY_LONG ? 'warning' : 'info',
    message: sentences(
      `In ${occasions(slow.map(({reload}) => reload))} all workers were ended before the next were there, and`,
      byClosing
        ? `the master took at least ${seconds(worst.closing)} from "binary reloading" to its banner, with a limit of ${worst.limit?.value} open files. Those seconds are proved; that closing the descriptors takes them is inferred.`
        : `loading the application took ${seconds(worst.loading)}${slow.length > 1 ? ' in the worst case' : ''}. That is proved.`,
      'Until then no worker answered: connections waited in the listen queue, or were refused where it was full.',
    ),
    confidence: byClosing ? 'likely' : 'certain',
    instance: instance.id,
    reload: slow.length === 1 ? worst.reload.id : null,
    pids: unique(slow.flatMap(({load}) => (load?.inWorker ? [load.pid] : []))),
    workers: [],
    evidence: lines,
    against: byClosing
      ? [
          {
            hypothesis: 'an attached daemon, a hook or a disk that held the master',
            because: 'no line of this log speaks of one',
            line: null,
            fits: 'less',
          },
        ]
      : [],
    cannotSee: ['requests that were refused meanwhile: they never reached a worker'],
    fixes: byClosing
      ? [
          {
            ...NO_SETTING,
            safety: 'safe',
            effect: `about ${seconds(worst.closing)} less at each reload`,
            why: 'Lower the limit on open files for the server to what it needs, 65536 say: LimitNOFILE= in the unit, ulimit -n, --ulimit nofile= for a container.',
          },
        ]
      : [
          {
            ...NO_SETTING,
            safety: 'safe',
            effect: 'at any time only one worker is loading; the others serve',
            tried: true,
            why: isLazy
              ? 'lazy-apps is in use: reload with a chain reload (touch-chain-reload, or c to the master FIFO) in place of a full one.'
              : 'Set lazy-apps and reload with a chain reload (touch-chain-reload, or c to the master FIFO). Each worker then loads the application itself: more memory, and one start for each.',
          },
          {
            ...NO_SETTING,
            safety: 'needs-code',
            effect: `less than ${seconds(worst.loading)} without a worker`,
            why: 'Make the import faster: python -X importtime shows what takes the time; load data and models when they are first needed.',
          },
        ],
    next: [
      byClosing
        ? `grep -i "open files" /proc/${instance.masterPid ?? '<pid of the master>'}/limits`
        : 'python3 -X importtime -c "import <module>" 2>&1 | sort -t"|" -k2 -n | tail   # what is slow to import',
      `see the proxy's log for errors ${list(['in the seconds after "binary reloading uWSGI..."'])}; ${count(slow.length, 'reload')} of this log ${slow.length === 1 ? 'has' : 'have'} such a gap`,
    ],
    identity: [instanceName(instance), byClosing ? 'descriptors' : 'load'],
  };
}

/** A phased restart keeps workers serving; under preload_app! puma restarts as a whole instead (puma/launcher.rb). */
function notPhased(timeline: Timeline, instance: Instance): Finding | null {
  const refused = linesOf(timeline, instance).filter(({message}) => message === 'puma/phased-restart-unavailable');
  const preload = setting(instance, 'preload_app')?.where ?? null;
  const lines = evidence([
    ...refused.slice(0, 3).map((event) => proof(event, 'puma restarts as a whole')),
    ...(preload ? [proof(preload, 'the application is loaded once, before the workers are forked')] : []),
  ]);
  if (!lines || refused.length === 0) return null;
  return {
    title: 'A phased restart was asked for, and puma restarted as a whole',
    severity: 'info',
    message: sentences(
      `puma was asked for a phased restart ${count(refused.length, 'time')}, has none, and ended all workers before it started the next. That is proved.`,
      'Until the application is loaded again nobody serves.',
      preload !== null && 'preload_app! is the usual reason: it excludes phased restarts.',
    ),
    confidence: 'certain',
    instance: instance.id,
    ...NO_PROCESS,
    evidence: lines,
    against: [],
    cannotSee: ['for how long nobody served, where the lines carry no time'],
    fixes: [
      {
        setting: 'preload_app!',
        section: null,
        value: null,
        since: null,
        safety: 'safe',
        effect: 'phased restarts replace one worker after the other',
        why: 'Remove it from config/puma.rb: each worker then loads the application itself, which takes more memory. It has to be restarted once for that.',
      },
    ],
    next: [],
    identity: [instanceName(instance), 'not phased'],
  };
}
