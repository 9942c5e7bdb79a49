import {least} from '../extremes.ts';
import type {LogEvent} from '../timeline/event.ts';
import {between, type Duration} from '../timeline/time.ts';
import type {Instance, Process} from '../timeline/timeline.ts';
import {type ArbiterKill, killsBy, ownKill, workerClass} from './arbiter-kills.ts';
import {DEFAULT_TIMEOUT} from './arbiter-remedies.ts';
import {daemonProcessKills} from './daemon-process-kills.ts';
import {reloadsOf} from './forced-workers.ts';
import {peerTimeouts} from './peer-timeouts.ts';
import {type Evidence, type Finding, type Fix, NO_SETTING, type Rule} from './rule.ts';
import {isOn, numberOf} from './settings.ts';
import {
  capital,
  count,
  duration,
  evidence,
  instanceName,
  list,
  nameOf,
  occasions,
  only,
  proof,
  seconds,
  sentences,
  span,
  unique,
  was,
} from './wording.ts';
import {requestOf} from './work.ts';

/** Seconds by which lives may differ and still be the same wait: whole seconds, a round of the arbiter, a busy machine. */
const SLACK = 3;
/** Seconds within which all workers falling silent points to the machine. */
const MOMENT = 2;

const rule: Rule = {
  id: 'worker-timeout',
  title: "Workers that gave no sign of life were ended by gunicorn's timeout",
  severity: 'error',
  docs: {
    sees:
      'Workers that gunicorn aborted with WORKER TIMEOUT while they served or started; whether they ever served, and ' +
      "whether the SIGKILL that may follow is gunicorn's own. Workers that puma, unicorn and php-fpm killed at such a limit; " +
      'processes of mod_wsgi that ended at deadlock-timeout, request-timeout or startup-timeout.',
    why:
      'Each worker shows its arbiter that it lives. A sync worker cannot while it handles a request, and no worker can while ' +
      'it imports the application. After timeout (30 s by default) the arbiter sends SIGABRT, and about a second later ' +
      'SIGKILL if the worker is still there: the request is cut, its client gets no answer.',
    remedy:
      'Make the request faster, give the calls it makes a time limit, or use a worker class that shows signs of life while ' +
      'requests run (gthread, gevent, asgi). A start that takes longer than timeout needs a higher timeout or preload_app.',
    limits:
      'Only gunicorn 22 and later write which request was broken off by a sync worker; before that the log does not say what ' +
      'the worker did. A worker that had said "Worker exiting" before is not meant: there its exit is held.',
    references: [
      'https://docs.gunicorn.org/en/stable/settings.html#timeout',
      'https://docs.gunicorn.org/en/stable/faq.html#how-do-i-avoid-gunicorn-excessively-blocking-in-os-fchmod',
    ],
  },
  needs: {
    messages: [
      'gunicorn/worker-timeout',
      'gunicorn/booting-worker',
      'gunicorn/handling-signal',
      'puma/worker-timeout',
      'unicorn/worker-timeout',
      'php-fpm/execution-timed-out',
      'apache/deadlock',
      'apache/request-limit',
      'apache/start-up-limit',
    ],
    otherwise: 'no line of gunicorn tells of a worker, and none of puma, unicorn, php-fpm or mod_wsgi of a time limit',
  },
  *check(timeline) {
    for (const [instance, kills] of killsBy(timeline, 'timeout')) {
      const timeout = timeoutOf(instance, kills);
      const stages = stagesOf(instance, kills, timeout);
      const starting = kills.filter((kill) => stages.get(kill) === 'starting');
      const others = kills.filter((kill) => stages.get(kill) !== 'starting');
      if (starting.length > 0) yield whileStarting(instance, starting, timeout);
      if (others.length > 0) yield whileServing(instance, others, stages, timeout);
    }
    yield* peerTimeouts(timeline);
    yield* daemonProcessKills(timeline, 'lock', 'request-limit', 'start');
  },
};

export default rule;

interface Timeout {
  /** Null where neither the log nor the configuration tells it. */
  readonly seconds: number | null;
  /** `3 s`, `30 s, the default` */
  readonly text: string;
}

/** No worker is aborted earlier than timeout after its start: a life that is shorter than the default shows another value. */
function timeoutOf(instance: Instance, kills: readonly ArbiterKill[]): Timeout {
  const told = numberOf(instance, 'timeout');
  if (told !== null) return {seconds: told, text: seconds(told)};
  const shortest = least(kills.map(({process}) => lifeOf(process).max ?? Number.POSITIVE_INFINITY));
  if (shortest < DEFAULT_TIMEOUT - 1)
    return {seconds: null, text: `not shown, and at most ${seconds(shortest)} going by the shortest life`};
  return {seconds: null, text: `${DEFAULT_TIMEOUT} s, the default, unless it is set`};
}

type Stage = 'starting' | 'serving' | 'unknown';

/**
 * A worker shows a first sign of life when it is forked and the next when it has loaded the application. One that was
 * aborted timeout after its start never gave a second sign; one that lived for longer did.
 */
function stagesOf(instance: Instance, kills: readonly ArbiterKill[], timeout: Timeout): ReadonlyMap<ArbiterKill, Stage> {
  const shortest = least(kills.map(({process}) => lifeOf(process).max ?? Number.POSITIVE_INFINITY));
  const killed = new Set(kills.map(({process}) => process));
  // One after the other, each as long after its start as the last, and nobody who fared better: a start that never ends.
  const fared = instance.processes.filter(
    ({role, started, startedAt, end}) => role === 'worker' && started !== null && (end !== 'running' || !isNew(startedAt, kills)),
  );
  const isLoop =
    kills.length > 1 &&
    (shortest <= (timeout.seconds ?? DEFAULT_TIMEOUT) + SLACK || spansGenerations(kills)) &&
    fared.length === kills.length &&
    fared.every((worker) => killed.has(worker) && lifeOf(worker).min <= shortest + SLACK);
  const stageOf = ({process}: ArbiterKill): Stage => {
    if (process.appLoaded || requestsBrokenOff(process).length > 0 || process.requests > 0) return 'serving';
    if (process.started === null) return 'unknown';
    if (lifeOf(process).min > (timeout.seconds ?? shortest) + SLACK) return 'serving';
    return isLoop ? 'starting' : 'unknown';
  };
  return new Map(kills.map((kill) => [kill, stageOf(kill)]));
}

/** Where all were aborted in one moment, something stopped all of them then. */
function spansGenerations(kills: readonly ArbiterKill[]): boolean {
  const first = kills[0]?.forced.at.latest ?? null;
  return kills.some(({process}) => first !== null && process.startedAt.earliest !== null && process.startedAt.earliest >= first);
}

/** Started after the last abort: what becomes of it the log does not tell. */
function isNew(startedAt: Process['startedAt'], kills: readonly ArbiterKill[]): boolean {
  const last = kills.at(-1)?.forced.at.earliest ?? null;
  return last !== null && startedAt.latest !== null && startedAt.latest >= last;
}

function lifeOf({startedAt, forced}: Process): Duration {
  return forced ? between(startedAt, forced.at) : {min: 0, max: null};
}

function requestsBrokenOff(process: Process): LogEvent[] {
  return process.remarks.filter(({meaning, fields}) => meaning.kind === 'request-error' && fields['uri'] !== undefined);
}

function whileStarting(instance: Instance, kills: readonly ArbiterKill[], timeout: Timeout): Finding | null {
  const life = span(kills.map(({process}) => lifeOf(process)));
  const lines = evidence(linesOf(kills));
  if (!lines) return null;
  return {
    ...subject(instance, kills),
    title: "Workers were ended by gunicorn's timeout before they had got through their start",
    message: sentences(
      `${count(kills.length, 'worker')} ${was(kills.length)} aborted by the arbiter (WORKER TIMEOUT). That is proved.`,
      life && `Each had lived for ${duration(life)}; timeout is ${timeout.text}.`,
      'None had given a sign of life since it was started, their replacements fare the same, and no worker of this log fared better:',
      'that the import of the application takes longer than timeout, or hangs, is inferred. Nobody serves meanwhile.',
    ),
    confidence: 'likely',
    evidence: lines,
    against: [
      {
        hypothesis: 'a slow request',
        because: 'it would have to reach each new worker at once; the workers die one generation after the other, equally old',
        line: kills[0]?.process.started?.line ?? null,
      },
      ...machine(instance, kills),
      ...memory(kills),
    ],
    cannotSee: ['what the import waits for'],
    fixes: [
      {
        setting: 'timeout',
        section: null,
        value: null,
        since: null,
        safety: 'safe',
        effect: 'the worker gets the time that its start needs',
        why: 'Set it above the time that the import takes; time it with: python -X importtime -c "import <module>".',
      },
      ...(isOn(instance, 'preload_app')
        ? []
        : [
            {
              setting: 'preload_app',
              section: null,
              value: null,
              since: null,
              safety: 'needs-code' as const,
              effect: 'the import happens once, in the arbiter, where no timeout counts',
              why: 'Threads and connections that are opened at import then exist in the arbiter only, and HUP does not load new code.',
            },
          ]),
    ],
    next: [
      'py-spy dump --pid <pid of a worker that has just been booted>   # shows where the import stands',
      'gunicorn --check-config <module>:<app>   # loads the application without a timeout',
    ],
    identity: [instanceName(instance), 'starting'],
  };
}

function whileServing(
  instance: Instance,
  kills: readonly ArbiterKill[],
  stages: ReadonlyMap<ArbiterKill, Stage>,
  timeout: Timeout,
): Finding | null {
  const reloads = reloadsOf(kills);
  const broken = kills.flatMap(({process}) => requestsBrokenOff(process));
  const named = unique(broken.map(requestOf));
  const served = kills.filter((kill) => stages.get(kill) === 'serving');
  const open = kills.filter((kill) => stages.get(kill) !== 'serving');
  const worker = workerClass(instance);
  const isTogether = machine(instance, kills).length > 0;
  const lines = evidence([
    ...linesOf(kills),
    ...broken.slice(0, 4).map((event) => proof(event, 'the request that was broken off')),
  ]);
  if (!lines) return null;
  return {
    ...subject(instance, kills),
    title: rule.title,
    message: sentences(
      `${count(kills.length, 'worker')} ${was(kills.length)} aborted by the arbiter (WORKER TIMEOUT): no sign of life for longer`,
      `than timeout (${timeout.text}). That is proved.`,
      served.length > 0 &&
        named.length === 0 &&
        `${capital(names(served))} had got through the start: the life was longer than timeout.`,
      named.length > 0 && `The log names what was broken off: ${list(named, 4)}.`,
      open.length > 0 &&
        `Whether ${names(open)} ever served, or had not finished loading the application, this log does not tell: no line of gunicorn ties a request to a worker.`,
      reloads.length > 0 &&
        `It happened during ${occasions(reloads)}: the worker had been asked to leave and could not finish what it did.`,
      named.length === 0 && whatHeld(worker),
      named.length === 0 &&
        isTogether &&
        'All fell silent in the same moment: one cause for all of them fits better than a request in each, such as a pause of the machine.',
    ),
    confidence: 'certain',
    evidence: lines,
    against: [
      ...(named.length > 0
        ? []
        : [
            {
              hypothesis: 'a start that takes longer than timeout',
              because: againstSlowStart(instance, kills, open.length),
              line: kills[0]?.process.started?.line ?? null,
            },
          ]),
      ...machine(instance, kills),
      ...memory(kills),
    ],
    cannotSee: [
      ...(named.length > 0 ? [] : ['which request it was: gunicorn writes its access line when a request ends']),
      'what the request waited for',
    ],
    fixes: isTogether && named.length === 0 ? [HEARTBEAT, ...servingFixes(worker)] : servingFixes(worker),
    next: [
      'py-spy dump --pid <pid of a worker that hangs>   # shows what it waits for',
      "look for requests without an answer (499, 502, 504) in the proxy's access log at that moment",
      ...(isTogether
        ? [
            'journalctl --since … --until …   # was the whole machine still at that moment? Other programs are late in the same second then',
          ]
        : []),
    ],
    identity: [instanceName(instance), 'serving'],
  };
}

/** `open`: how many of the workers may never have got through their start. */
function againstSlowStart(instance: Instance, kills: readonly ArbiterKill[], open: number): string {
  if (open === 0) return 'the worker lived for longer than timeout, so it had given signs of life since its start';
  if (open < kills.length || kills.length === 1)
    return 'it would end every worker in the same way; here it did not, or too few were seen to tell';
  if (machine(instance, kills).length > 0)
    return 'nothing speaks against it: workers that are started together fall silent together';
  const killed = new Set(kills.map(({process}) => process));
  const faredBetter = instance.processes.some(
    (process) => process.role === 'worker' && process.end !== 'running' && !killed.has(process),
  );
  return faredBetter
    ? 'it would end every worker in the same way; here it did not, or too few were seen to tell'
    : 'nothing speaks against it: every worker whose end is in this log was aborted, and none is shown to have served';
}

/** What keeps a worker from showing that it lives depends on its class. */
function whatHeld(worker: string | null): string {
  if (worker === null || worker === 'sync')
    return `That a request held it is inferred${worker === null ? '' : ': a sync worker shows no sign of life while it handles one'}.`;
  return (
    `A worker of the class ${worker} shows signs of life while requests run. That its loop itself could not run is inferred: code that ` +
    'blocks it (a call that does not yield, a C extension that holds the interpreter), or a machine without time for it.'
  );
}

function names(kills: readonly ArbiterKill[]): string {
  return list(
    kills.map(({process}) => nameOf(process)),
    3,
  );
}

function subject(instance: Instance, kills: readonly ArbiterKill[]): Pick<Finding, 'instance' | 'reload' | 'pids' | 'workers'> {
  const reloads = reloadsOf(kills);
  return {
    instance: instance.id,
    reload: only(reloads)?.id ?? null,
    pids: unique(kills.map(({process}) => process.pid)),
    workers: [],
  };
}

function linesOf(kills: readonly ArbiterKill[]): Evidence[] {
  return kills.slice(0, 3).flatMap(({process, forced}) => {
    const kill = ownKill(process);
    return [
      ...(process.started ? [proof(process.started, `${nameOf(process)} starts`)] : []),
      proof(forced.event, `the arbiter aborts ${nameOf(process)}`),
      ...(kill ? [proof(kill, "the arbiter's own SIGKILL, because the abort did not end it")] : []),
    ];
  });
}

/** All at once: the workers have only the machine in common. */
function machine(instance: Instance, kills: readonly ArbiterKill[]): Finding['against'] {
  const [first, last] = [kills[0]?.forced.at, kills.at(-1)?.forced.at];
  const apart = first && last ? between(first, last) : null;
  const all = instance.processes.filter(({role, end}) => role === 'worker' && end !== 'running').length === kills.length;
  if (kills.length < 2 || !all || apart === null || apart.max === null || apart.max > MOMENT) return [];
  return [
    {
      hypothesis: 'a pause of the machine (suspended, starved of CPU), or a heartbeat file on a slow disk',
      because: 'nothing speaks against it: all fell silent at the same moment; worker_tmp_dir = "/dev/shm" rules out the disk',
      line: null,
    },
  ];
}

function memory(kills: readonly ArbiterKill[]): Finding['against'] {
  const kill = kills.map(({process}) => ownKill(process)).find((event) => event !== null);
  if (!kill) return [];
  return [
    {
      hypothesis: 'out of memory, as the line about SIGKILL may suggest',
      because: 'the arbiter had aborted the same pid just before: the SIGKILL is its own',
      line: kill.line,
    },
  ];
}

const HEARTBEAT: Fix = {
  setting: 'worker_tmp_dir',
  section: null,
  value: null,
  since: null,
  safety: 'safe',
  effect: 'where a disk held the signs of life, workers are no longer ended for it',
  why: 'worker_tmp_dir = "/dev/shm": workers show that they live by touching a file there, and a container\'s disk can block that.',
};

function servingFixes(worker: string | null): Fix[] {
  const fixes: Fix[] = [
    {
      ...NO_SETTING,
      safety: 'needs-code',
      effect: 'the request ends before timeout',
      why: 'Give the calls that the request makes (database, HTTP) a time limit below timeout, or move the work to a queue.',
    },
    {
      setting: 'timeout',
      section: null,
      value: null,
      since: null,
      safety: 'safe',
      effect: 'requests up to that length are answered',
      why: 'Set it above the longest request that is meant to succeed; a worker that truly hangs then stays for longer.',
    },
  ];
  if (worker === null || worker === 'sync') {
    fixes.splice(1, 0, {
      setting: 'worker_class',
      section: null,
      value: null,
      since: null,
      safety: 'needs-code',
      effect: 'a slow request no longer silences its worker',
      why: 'worker_class = "gthread" with threads above 1; the application must be safe for threads.',
    });
  }
  return fixes;
}
