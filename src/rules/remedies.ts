/**
 * What ends the hang of a worker that will not leave, and what does not. One table for all rules that meet such a
 * worker, so that their advice agrees: it differs by where the application was loaded and by version.
 */
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {costOf, lowerMercy, mercyOf, raiseMercy} from './mercy.ts';
import {hasDeadline} from './recycling.ts';
import {type Finding, type Fix, NO_SETTING} from './rule.ts';
import {loading, mayHave} from './settings.ts';
import {type UpstreamTrouble, upstreamTrouble} from './upstream-troubles.ts';
import {nameOf, seconds} from './wording.ts';

/** Seconds that a worker takes to leave when nothing holds it: the master looks once a second. */
const AT_ONCE = 1;

interface Remedies {
  readonly fixes: readonly Fix[];
  /** What later versions would offer. */
  readonly upgrades: readonly string[];
}

/**
 * @param gain What a fix changes, in figures of the log: `61 s -> about 1 s per worker`.
 * @param some Others of the same kind left by themselves: it is not what all have from the start.
 */
export function exitHangRemedies(
  timeline: Timeline,
  instance: Instance,
  stuck: readonly Process[],
  gain: string,
  some = false,
): Remedies {
  const where = some ? 'some' : loading(instance, stuck.at(-1) ?? null);
  const bug = exitBug(instance, stuck[0] ?? null);
  const atRisk = stuck.some((process) => timeline.tasks.orphaned.some((task) => task.pid === process.pid));
  if (bug) return {fixes: upgradeFixes(bug, instance, stuck, gain, [lowerMercy(timeline, instance, stuck)]), upgrades: []};
  const all: (Fix | null)[] = [
    // A daemon thread is not waited for: what it still does would be lost.
    atRisk ? null : threadFix(where, gain),
    atRisk || some || where === 'lazy-apps' || needsLazyApps(instance)
      ? null
      : {
          setting: 'py-call-uwsgi-fork-hooks',
          section: 'uwsgi',
          value: 'true',
          effect: gain,
          remaining: AT_ONCE,
          since: '2.0.21',
          safety: 'safe',
          why:
            'It lets Python forget, in each worker, the threads that exist in the master only. It helps where the ' +
            'application is loaded before the workers are forked, ' +
            'which is the default. py-call-osafterfork is the older way and ends every worker under Python 3.13.',
        },
    atRisk
      ? null
      : {
          setting: 'skip-atexit-teardown',
          section: 'uwsgi',
          value: 'true',
          effect: gain,
          remaining: AT_ONCE,
          since: '2.0.15',
          safety: 'safe',
          why:
            "The worker leaves without waiting for Python threads. Python's atexit handlers no longer run, so what they " +
            'would flush is lost; uwsgi.atexit still runs. ' +
            'skip-atexit is another option and does not help here.',
        },
    ...(!stuck.some(hasDeadline)
      ? [recycleByRequests(instance)]
      : [atRisk ? raiseMercy(timeline, instance) : lowerMercy(timeline, instance, stuck)]),
  ];
  const fixes = all.filter((fix) => fix !== null);
  const missing = fixes.filter((fix) => !mayHave(instance, fix.since));
  return {
    fixes: fixes.filter((fix) => mayHave(instance, fix.since)),
    upgrades: missing.map(
      ({since, setting: name}) => `uWSGI ${since} or later has ${name}, which would end this wait; here ${instance.version} runs`,
    ),
  };
}

/** max-worker-lifetime alone has no deadline that could be moved. */
function recycleByRequests(instance: Instance): Fix {
  return {
    setting: 'max-requests',
    section: 'uwsgi',
    value: null,
    since: null,
    safety: 'safe',
    effect: `a worker that hangs is killed and replaced after ${seconds(costOf(mercyOf(instance).seconds))}, in place of never`,
    why: 'Recycle by max-requests in place of max-worker-lifetime: it arms worker-reload-mercy. It bounds the loss and leaves the hang in place.',
  };
}

/** What helps against a thread of the application does nothing about a fault of the server. */
function upgradeFixes(
  {fixedIn, instead}: UpstreamTrouble,
  {version}: Instance,
  stuck: readonly Process[],
  gain: string,
  others: readonly (Fix | null)[],
): Fix[] {
  const fix = {...NO_SETTING, remaining: AT_ONCE, safety: 'safe'} as const;
  const where = stuck.length === 1 ? 'the worker' : 'the workers';
  return [
    ...(fixedIn === null ? [] : [{...fix, effect: gain, why: `Run uWSGI ${fixedIn}; ${where} here ran ${version}.`}]),
    ...(instead === null ? [] : [{...fix, effect: gain, why: `Until then: ${instead}.`}]),
    ...others.filter((each) => each !== null),
  ];
}

function threadFix(where: ReturnType<typeof loading> | 'some', gain: string): Fix {
  const fix = {
    ...NO_SETTING,
    effect: gain,
    remaining: AT_ONCE,
    safety: 'needs-code',
    tried: true,
  } as const;
  if (where === 'some') {
    return {
      ...fix,
      why:
        'Find the thread, timer or pool that the application starts while it serves: others left without trouble, so not ' +
        'every worker has it. Make it a daemon thread (daemon=True), ' +
        'or stop it in a function assigned to uwsgi.atexit.',
    };
  }
  if (where === 'prefork') {
    return {
      ...fix,
      why:
        'Find the thread, timer or pool that is started when the application is imported, and make it a daemon thread ' +
        '(daemon=True) or start it only where it is needed. ' +
        'Loaded before the fork, it runs in the master alone; each worker keeps a record of it and waits for it for ever ' +
        'when it leaves.',
    };
  }
  if (where === 'lazy-apps') {
    return {
      ...fix,
      why:
        'Find the thread, timer or pool that the application starts, and make it a daemon thread (daemon=True), or stop it ' +
        'in a function assigned to uwsgi.atexit. ' +
        "Python's own atexit comes too late: threads are waited for before it runs.",
    };
  }
  return {
    ...fix,
    why:
      'Find the thread, timer or pool that the application starts, and make it a daemon thread (daemon=True). If every ' +
      'worker needs it (lazy-apps), stop it in a function assigned to uwsgi.atexit.',
  };
}

/** Reloads of workers alone take new code only with lazy-apps: advice for the other way would contradict that. */
function needsLazyApps(instance: Instance): boolean {
  return instance.reloads.some((reload) => reload.kind === 'chain' || reload.kind === 'workers');
}

/** What to do during the next hang: only then can the cause be seen. */
export function whileItHangs(instance: Instance): string[] {
  const alive = instance.processes.findLast((process) => process.role === 'worker' && process.end === 'running');
  const pid = alive ? String(alive.pid) : '<pid of a worker that does not leave>';
  const who = alive ? ` (${nameOf(alive)} ran at the end of this log)` : '';
  return [
    `py-spy dump --pid ${pid}   # decides it; during the next hang, before NO MERCY${who}: the main thread waits in ` +
      'threading._shutdown for a thread or pool, in an atexit function for itself, in application code for a request',
    `kill -USR2 ${pid}   # the same moment, without py-spy: uWSGI prints a backtrace; Py_FinalizeEx in it means that the ` +
      'exit hangs, "is managing request" names a request',
    'set py-tracebacker=/tmp/tb to be able to ask each worker for its Python stack (uwsgi --connect-and-read /tmp/tb1)',
  ];
}

/** A fault of the version itself that looks just like a thread of the application. */
export function exitBug(instance: Instance, process: Process | null): UpstreamTrouble | null {
  return upstreamTrouble(instance, 'exit-hang', process?.forced?.event ?? null, process);
}

/** Explanations of a blocked exit that no log tells apart. */
export function otherBlockers(): Finding['against'] {
  return [
    {
      hypothesis: 'an exit handler (atexit, uwsgi.atexit) that blocks',
      because: 'nothing in the log speaks against it; only a stack taken during the hang tells',
      line: null,
    },
    {
      hypothesis: 'a lock that nobody releases, or a C extension that hangs while it is torn down',
      because: 'nothing in the log speaks against it either; both are rarer',
      line: null,
    },
  ];
}

export const EXIT_HANG_REFERENCES: readonly string[] = [
  'https://uwsgi-docs.readthedocs.io/en/latest/articles/TheArtOfGracefulReloading.html',
  'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#worker-reload-mercy',
  'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#skip-atexit-teardown',
  'unbit/uwsgi#2661',
  'elastic/apm-agent-python#2304',
];
