import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {precedes} from '../timeline/lookup.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {dynosNotStarted} from './dynos-not-started.ts';
import {instanceOfEvent} from './line-owners.ts';
import {loadErrors, mayHoldTraceback, reasonOf, tracebackAt} from './load-errors.ts';
import {serverOf} from './outer.ts';
import {
  inBackground,
  MORE_FILES,
  programsLeftAtOnce,
  programsNotSpawned,
  reasonNotRun,
  unitsNotStarted,
} from './program-starts.ts';
import {type Finding, type Fix, NO_PROCESS, NO_SETTING, type Rule} from './rule.ts';
import {numberOf} from './settings.ts';
import {type FailedStart, failedStarts, givenUp, type Obstacle, programOf, unansweredIn} from './starts.ts';
import {givenUpAfter, survivalsIn} from './survivors.ts';
import {addressOf, count, evidence, instanceName, list, proof, sentences, unique, was} from './wording.ts';
import {requestsOf} from './work.ts';

const rule: Rule = {
  id: 'boot-failure',
  title: 'The server or its application failed to start',
  severity: 'error',
  docs: {
    sees:
      'A start that did not get through: the application cannot be loaded, the address is in use or refused, the queue that was asked ' +
      'for is longer than the system allows, the configuration file is not there, a hook of the configuration failed, a worker failed to boot, a supervisor of programs gave up, a unit was not up in time ' +
      'or could not be run, a dyno of Heroku crashed at its start or did not listen in time, or a program went into the background where its supervisor cannot see it.',
    why:
      'Nothing is served until the cause is gone. An outer supervisor tries again and again and repeats the same error; the ' +
      'first one tells the cause. uWSGI without need-app starts without the application and answers every request with an error.',
    remedy:
      'Read the traceback above the first failure. For an address in use, find who holds it before starting again. For the ' +
      'queue, raise net.core.somaxconn or lower listen.',
    limits:
      'An instance that is meant to load its applications later (virtual hosting, dynamic mode) also says that it has none: ' +
      'without a failed load or an unanswered request it is not counted. Failures after a reload belong to reload-lost-app.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#need-app',
      'https://docs.kernel.org/networking/ip-sysctl.html',
      'benoitc/gunicorn#2393',
      'unbit/uwsgi#557',
    ],
  },
  needs: {
    messages: [
      'uwsgi/starting',
      'uwsgi/app-import-failed',
      'uwsgi/callable-missing',
      'uwsgi/app-load-failed',
      'uwsgi/need-app',
      'uwsgi/no-app-game-over',
      'uwsgi/no-app-dynamic',
      'uwsgi/no-python-app',
      'uwsgi/address-in-use',
      'uwsgi/path-not-found',
      'uwsgi/hook-fatal',
      'uwsgi/listen-above-somaxconn',
      'gunicorn/starting',
      'gunicorn/worker-failed-to-boot',
      'gunicorn/app-failed-to-load',
      'gunicorn/app-missing',
      'gunicorn/halt-server',
      'gunicorn/connection-in-use',
      'gunicorn/cannot-connect',
      'gunicorn/bind-refused',
      'uvicorn/app-load-failed',
      'uvicorn/import-raised',
      'uvicorn/startup-failed',
      'uvicorn/address-in-use',
      'uvicorn/address-refused',
      'uvicorn/started-server-process',
      'daphne/listen-failure',
      'daphne/listen-refused',
      'daphne/starting',
      'nginx-unit/application-started',
      'nginx-unit/python-not-loaded',
      'nginx-unit/application-not-started',
      'nginx-unit/address-in-use',
      'supervisord/spawned',
      'supervisord/fatal',
      'supervisord/program-status',
      'systemd/starting',
      'systemd/start-limit-hit',
      'systemd/start-timeout',
      'systemd/exec-failed',
      'systemd/main-process-exited',
      'systemd/failed',
      'systemd/control-process-exited',
      'systemctl/job-failed',
      'systemctl/refused',
      'supervisord/spawn-failed',
      'systemctl/unit-active',
      'supervisord/exited',
      'heroku/boot-timeout',
      'heroku/state-changed',
    ],
    otherwise: 'no start is in this log: give the lines from the start-up banner on',
  },
  *check(timeline) {
    const survivals = survivalsIn(timeline);
    const held = new Set(survivals.flatMap(({refused}) => refused));
    const starts = failedStarts(timeline).starts.filter(({proofs}) => !proofs.every((event) => held.has(event)));
    const groups = groupBy(starts, ({generation, obstacles}) => `${generation.source} ${obstacles.join(' ')}`);
    for (const group of groups.values()) {
      yield describe(timeline, group);
    }
    const told = new Set(survivals.flatMap((survival) => givenUpAfter(timeline, survival) ?? []));
    if (groups.size === 0) yield* abandoned(timeline, told);
    const gaveUp = new Set(givenUp(timeline).map(programOf));
    yield* unitsNotStarted(timeline, (unit) => gaveUp.has(unit));
    yield* programsLeftAtOnce(timeline, (program) => gaveUp.has(program));
    if (gaveUp.size === 0) yield* programsNotSpawned(timeline, (program) => gaveUp.has(program));
    if (groups.size > 0) return;
    yield* dynosNotStarted(timeline);
    const {unanswered, interrupted} = unansweredIn(timeline);
    if (unanswered.length > 0 && failedStarts(timeline).reloads.length === 0) yield withoutApp(timeline, unanswered);
    else if (interrupted.length > 0) yield stoppedWhileLoading(timeline, interrupted);
  },
};

export default rule;

/** A stop at once breaks off the import of an application; the worker still takes a request that waits. */
function stoppedWhileLoading(timeline: Timeline, lost: readonly LogEvent[]): Finding | null {
  const [first] = lost;
  const lines = evidence(lost.slice(0, 3).map((event) => proof(event, 'a request found no application')));
  if (!first || !lines) return null;
  return {
    title: 'Requests were answered with an error: a stop had interrupted the start of their workers',
    message: sentences(
      `${count(lost.length, 'request')} reached workers that a stop had interrupted while they loaded the application, and ${was(lost.length)} answered with an error. That is proved.`,
      'Nothing shows that the application itself failed.',
    ),
    severity: 'warning',
    confidence: 'certain',
    instance: instanceOfEvent(timeline, first)?.id ?? null,
    ...NO_PROCESS,
    evidence: lines,
    against: [],
    cannotSee: [],
    fixes: [],
    next: ['let the start come to its end before you stop the server, or take it out of the proxy first'],
    identity: ['uwsgi', 'stopped while loading'],
  };
}

/** Requests found no application, and the start that would tell why is not in the log. */
function withoutApp(timeline: Timeline, lost: readonly LogEvent[]): Finding | null {
  const [first] = lost;
  const lines = evidence(lost.slice(0, 3).map((event) => proof(event, 'a request found no application')));
  if (!first || !lines) return null;
  const requests = timeline.instances
    .filter(({supervisor}) => supervisor === 'uwsgi')
    .reduce((sum, instance) => sum + requestsOf(instance).count, 0);
  const others = requests > 2 * lost.length;
  return {
    title: 'Requests were answered with an error: there was no application for them',
    message: sentences(
      `${count(lost.length, 'request')} found no Python application and ${was(lost.length)} answered with an error. That is proved.`,
      others
        ? 'Many others were answered, so an application is there: these asked for a path or host that none is mounted at, or reached a worker that could not load it.'
        : 'Either it failed to load when the server was started (without need-app uWSGI runs on without it), or none is mounted at these paths. The start that would tell is not in this log.',
    ),
    ...(others ? {severity: 'warning' as const} : {}),
    confidence: 'certain',
    instance: instanceOfEvent(timeline, first)?.id ?? null,
    ...NO_PROCESS,
    evidence: lines,
    against: [],
    cannotSee: ['why there was none: the traceback stands below the start-up banner'],
    fixes: fixesFor('app', null, lost),
    next: ['look from the last start-up banner on ("*** Starting uWSGI") for a traceback and for "unable to load app"'],
    identity: ['uwsgi', 'no application'],
  };
}

const HOW: Readonly<Record<Obstacle, string>> = {
  app: 'the application did not load',
  address: 'another process holds the address',
  bind: 'the server could not listen on its address',
  backlog: 'the queue that was asked for (listen) is longer than the system allows (net.core.somaxconn)',
  configuration: 'its configuration file was not found',
  hook: 'a command or function that the configuration runs at the start (hook-…, exec-…, call-…) failed, and uWSGI gave the start up for it',
};

const TITLES: Readonly<Record<Obstacle, string>> = {
  app: 'The application failed to load',
  address: 'The start failed: the address is in use',
  bind: 'The start failed: the server could not listen on its address',
  backlog: 'The start failed: listen is above net.core.somaxconn',
  configuration: 'The start failed: the configuration file was not found',
  hook: 'The start failed: what is run at the start (a hook) failed',
};

function describe(timeline: Timeline, group: readonly [FailedStart, ...FailedStart[]]): Finding | null {
  const [first] = group;
  const {obstacles, generation} = first;
  const proofs = group.flatMap((start) => start.proofs);
  const instance = proofs[0] ? instanceOfEvent(timeline, proofs[0]) : null;
  const fatal = proofs.some(({meaning}) => meaning.fatal === true);
  const unanswered = group.reduce((sum, start) => sum + start.generation.unanswered.length, 0);
  const programs = unique(givenUp(timeline).map(programOf));
  const workers = unique(proofs.map(({worker}) => worker).filter((worker) => worker !== null)).sort((a, b) => a - b);
  const starts = group.length;
  const [main = 'app'] = obstacles;
  const errors = loadErrors(timeline, proofs);
  const isHere = mayHoldTraceback(timeline, proofs);
  const holder = main === 'address' ? holderOf(timeline, proofs) : null;
  const hook = main === 'hook' ? failedHook(timeline, proofs[0]) : null;
  const lines = evidence([
    ...(hook === null ? [] : [proof(hook, 'what failed')]),
    ...errors
      .filter((event) => !proofs.includes(event))
      .slice(0, 2)
      .map((event) => proof(event, 'the end of the traceback')),
    ...group
      .slice(0, 3)
      .flatMap((start) => [
        ...start.proofs.slice(0, 3).map((event) => proof(event, shownBy(event))),
        ...(start.generation.start ? [proof(start.generation.start, 'the start that failed')] : []),
      ]),
    ...(holder?.instance.epochs[0]?.master
      ? [proof(holder.instance.epochs[0].master, 'a former start that got the address, and has no end in this log')]
      : []),
    ...givenUp(timeline)
      .slice(0, 1)
      .map((event) => proof(event, `${programOf(event)} was given up in the end`)),
  ]);
  if (!lines) return null;
  const partly = main === 'app' && !fatal && generation.loaded.length > 0;
  return {
    title: `${TITLES[main]}${starts > 1 ? ` in ${starts} starts` : ''}`,
    message: sentences(
      `${starts > 1 ? `${starts} starts` : 'A start'} failed: ${list(obstacles.map((obstacle) => HOW[obstacle]))}.`,
      starts > 1 && 'Each fails in the same way, so the first tells all.',
      workers.length > 0 && `It failed in worker${workers.length > 1 ? 's' : ''} ${list(workers)}.`,
      partly && `Another load did succeed in the same start, so a part of the service may work.`,
      main === 'app' &&
        (fatal
          ? 'The server gave up for want of an application: nothing is served.'
          : workers.length > 0
            ? 'Such a worker ends at once and is started anew, to fail again.'
            : generation.supervisor === 'uwsgi' && !partly
              ? 'The server runs on without it and answers requests with an error.'
              : null),
      unanswered > 0 && `${count(unanswered, 'request')} found no application.`,
      programs.length > 0 && `${list(programs)} was given up: nobody tries again until a person does.`,
      generation.reload !== null &&
        main === 'configuration' &&
        'It was the start of a new image at a reload: the old one had gone by then, so nothing is served until the server is started again.',
      main === 'app'
        ? errors.length > 0
          ? `That it failed is proved. The reason told: ${list(errors.map(reasonOf), 2)}.`
          : isHere
            ? 'That it failed is proved; why is in the traceback above, which the application prints without a pid.'
            : 'That it failed is proved; why, the traceback tells, and it is not in this log.'
        : 'That is proved by the line itself.',
      main === 'bind' && whyRefused(proofs),
      hook !== null &&
        `It was: ${hook.fields['command']}${hook.fields['code'] === undefined ? '' : ` (exit code ${hook.fields['code']})`}.`,
      holder &&
        `Who may hold it: ${instanceName(holder.instance)} got that address before and has no end in this log. Either it still runs, and this ` +
          'was a second start beside it, or its master is gone and its workers are not. That is inferred.',
      proofs.some(({message}) => message === 'daphne/listen-failure' || message === 'daphne/listen-refused') &&
        'daphne leaves with status 0 all the same: a supervisor takes that for a good end (Restart=on-failure does not start it again).',
    ),
    confidence: 'certain',
    instance: instance?.id ?? null,
    reload: null,
    pids: unique(proofs.map(({pid}) => pid).filter((pid) => pid !== null)),
    workers,
    evidence: lines,
    against: [],
    cannotSee: obstacles.flatMap((obstacle) => (obstacle === 'app' && errors.length > 0 ? [] : UNSEEN[obstacle])),
    fixes: obstacles.flatMap((obstacle) => fixesFor(obstacle, instance, proofs)),
    next: obstacles.flatMap((obstacle) => nextFor(obstacle, proofs, errors.length > 0 ? null : tracebackAt(isHere), holder)),
    identity: [instance ? instanceName(instance) : generation.source, ...obstacles],
  };
}

function whyRefused(proofs: readonly LogEvent[]): string {
  const reasons = unique(proofs.filter(({fields}) => fields.reason !== undefined).map(reasonOf));
  if (reasons.length > 0) return `The reason told: ${list(reasons, 2)}.`;
  if (proofs.some(({meaning}) => meaning.kind === 'address-refused'))
    return 'This machine, or this container, does not have that address.';
  return 'Why, gunicorn tells at loglevel debug alone: another process may hold it (then "Connection in use" stands above), or the user may not take it (a port below 1024, the directory of a socket).';
}

/** Lines between what failed and the end of the start for it. */
const HOOK_NEAR = 5;

function failedHook({events}: Timeline, fatal: LogEvent | undefined): LogEvent | null {
  const hook = events.findLast(
    (event) =>
      event.message === 'uwsgi/hook-failed' &&
      fatal !== undefined &&
      event.input === fatal.input &&
      precedes(event, fatal) &&
      fatal.line - event.line <= HOOK_NEAR,
  );
  return hook ?? null;
}

interface Holder {
  readonly instance: Instance;
  /** Its processes that have no end by then. */
  readonly pids: readonly number[];
}

/** Settings that tell the address which a server got. */
const ADDRESSES: ReadonlySet<string> = new Set(['socket', 'http', 'bind']);

/** A former start of this log that got the same address and has no end before the refusal. */
function holderOf(timeline: Timeline, proofs: readonly LogEvent[]): Holder | null {
  const refused = proofs.find(({meaning}) => meaning.kind === 'address-in-use');
  const address = refused?.fields.address;
  if (!refused || address === undefined) return null;
  for (const instance of timeline.instances.toReversed()) {
    const [master] = instance.epochs.flatMap((epoch) => epoch.master ?? []);
    const got = instance.settings.some(({name, value}) => ADDRESSES.has(name) && sameAddress(String(value), String(address)));
    if (!got || !master || !precedes(master, refused)) continue;
    if (instance.stopped !== null && precedes(instance.stopped, refused)) return null;
    const alive = instance.processes.filter(({ended, role}) => role !== 'daemon' && (ended === null || precedes(refused, ended)));
    return {instance, pids: unique(alive.map(({pid}) => pid))};
  }
  return null;
}

function sameAddress(a: string, b: string): boolean {
  const bare = (text: string) => text.replace(/^https?:\/\//, '').replace(/^\('(.*)', (\d+)\)$/, '$1:$2');
  return bare(a) === bare(b);
}

const UNSEEN: Readonly<Record<Obstacle, readonly string[]>> = {
  app: ['the reason, where the traceback went to another log or was swallowed'],
  address: ['who holds the address'],
  bind: [],
  backlog: [],
  configuration: ['who moved or removed the file, and when'],
  hook: ['what the command itself printed, where that went to another log'],
};

function shownBy({message, meaning, worker, fields}: LogEvent): string {
  const {kind, fatal} = meaning;
  if (message === 'gunicorn/cannot-connect')
    return `gunicorn gives up: it could not listen on ${fields.address ?? 'its address'}`;
  if (kind === 'address-in-use') return `the address ${fields.address ?? ''} is held by another process`.replace('  ', ' ');
  if (kind === 'address-refused') return `the address ${fields.address ?? ''} was refused`.replace('  ', ' ');
  if (kind === 'start-aborted') return 'the hook failed, and the instance ends itself';
  if (kind === 'path-missing') return `${fields.file ?? 'the file'} was not found`;
  if (kind === 'listen-above-limit') return `the system allows ${fields.limit ?? 'less'}`;
  if (kind === 'no-app')
    return fatal ? 'the server gives up for want of an application' : 'the server runs without any application';
  if (kind === 'request-error') return 'a request found no application';
  return worker === null ? 'the application did not load' : `the application did not load in worker ${worker}`;
}

function fixesFor(obstacle: Obstacle, instance: Instance | null, proofs: readonly LogEvent[]): Fix[] {
  if (obstacle === 'app') {
    // Who gives up for want of an application has need-app already.
    const isUwsgi =
      proofs.some(({message}) => message.startsWith('uwsgi/')) && !proofs.some(({meaning}) => meaning.fatal === true);
    return [
      {
        ...NO_SETTING,
        effect: 'the application loads',
        safety: 'needs-code',
        why:
          'Mend what the traceback names: a missing package, a wrong path or virtualenv, a wrong name of the module or ' +
          'callable, a database that cannot be reached while loading.',
      },
      ...(isUwsgi
        ? [
            {
              setting: 'need-app',
              section: 'uwsgi',
              value: 'true',
              effect: 'a start without the application fails at once, in place of answering with errors',
              since: null,
              safety: 'safe' as const,
              why: 'The outer supervisor and the deployment then notice it.',
            },
          ]
        : []),
    ];
  }
  if (obstacle === 'address') {
    return [
      {
        ...NO_SETTING,
        effect: 'the next start gets the address',
        safety: 'may-cut-requests',
        why:
          'Find who holds it and end that one: a former instance whose workers outlived their master, or a second one that ' +
          'another unit or program starts.',
      },
    ];
  }
  if (obstacle === 'bind') {
    return [
      {
        ...NO_SETTING,
        effect: 'the next start gets its address',
        safety: 'safe',
        why:
          'Listen on an address of this machine (0.0.0.0 for all of them) and on a port above 1023, or let the service manager give the ' +
          'right: AmbientCapabilities=CAP_NET_BIND_SERVICE in [Service]; for a socket file, on a directory that its user may write to.',
      },
    ];
  }
  if (obstacle === 'hook') {
    return [
      {
        ...NO_SETTING,
        effect: 'the start gets through',
        safety: 'needs-code',
        why: 'Mend what the command reports: often a migration or a check that needs a database which is not up yet. Run it before the server (an init container, ExecStartPre=), or let it wait and try again.',
      },
    ];
  }
  if (obstacle === 'configuration') {
    return [
      {
        ...NO_SETTING,
        effect: 'the next start finds its configuration',
        safety: 'safe',
        why: 'Put the file back where it was, or name the new place in the command that starts the server, and start it by hand: a path that is not absolute is looked for in the directory in which the server was started.',
      },
    ];
  }
  const limit = Number(proofs.find(({meaning}) => meaning.kind === 'listen-above-limit')?.fields.limit);
  const wanted = instance === null ? null : numberOf(instance, 'listen');
  return [
    {
      setting: 'net.core.somaxconn',
      section: 'sysctl',
      value: null,
      effect: 'the start gets through with the queue that was asked for',
      since: null,
      safety: 'safe',
      why:
        'Raise it to the value of listen or more. In a container it belongs to the network namespace: set it with --sysctl ' +
        `net.core.somaxconn=${wanted !== null && wanted > limit ? wanted : 'N'} or in the pod.`,
    },
    {
      setting: 'listen',
      section: 'uwsgi',
      value: Number.isFinite(limit) ? String(limit) : null,
      effect: 'the start gets through with the queue that the system allows',
      since: null,
      safety: 'safe',
      why: 'A queue only helps short bursts; workers that do not answer fill any queue.',
    },
  ];
}

/** `untold`: where to look for the reason; null where the log tells it. */
function nextFor(obstacle: Obstacle, proofs: readonly LogEvent[], untold: string | null, holder: Holder | null): string[] {
  if (obstacle === 'app')
    return [
      ...(untold === null ? [] : [untold]),
      'load the module by hand: the same user, directory, virtualenv and environment',
    ];
  if (obstacle === 'address') {
    const address = proofs.find(({meaning}) => meaning.kind === 'address-in-use')?.fields.address;
    return [
      `ss -ltnxp${address === undefined ? '' : `   # who listens on ${addressOf(String(address))}`}`,
      holder && holder.pids.length > 0
        ? `ps -o pid,ppid,lstart,cmd -p ${holder.pids.slice(0, 12).join(',')}   # master there: it still runs; workers alone: end them`
        : 'ps -eo pid,ppid,lstart,cmd --forest   # workers with parent 1 have lost their master',
    ];
  }
  if (obstacle === 'bind')
    return [
      'ip -br address; ss -ltnxp   # which addresses there are, and who listens where',
      ...(proofs.some(({message}) => message === 'gunicorn/cannot-connect')
        ? ['gunicorn --log-level debug: it then names the reason']
        : []),
    ];
  if (obstacle === 'configuration')
    return [
      `ls -l ${proofs.find(({meaning}) => meaning.kind === 'path-missing')?.fields.file ?? ''}   # as the user and in the directory of the server`,
      'systemctl cat, or the program of supervisord: which file is named there',
    ];
  if (obstacle === 'hook') return ['run the command of the hook by hand, as the same user and with the same environment'];
  return ['sysctl net.core.somaxconn   # inside the same container'];
}

/** Programs that are down for good, and whose own lines do not tell why. `told`: of which another finding tells it. */
function* abandoned(timeline: Timeline, told: ReadonlySet<LogEvent>): Generator<Finding | null> {
  const byProgram = groupBy(
    givenUp(timeline).filter((event) => !told.has(event)),
    programOf,
  );
  for (const [program, events] of byProgram) yield givenUpFor(timeline, program, events);
}

function givenUpFor(timeline: Timeline, program: string, events: readonly LogEvent[]): Finding | null {
  const [first] = events;
  if (!first) return null;
  const instance = instanceOfEvent(timeline, first);
  const isOf = ({ended, started}: Process) => [ended, started].some((event) => event && programOf(event) === program);
  const lives = instance?.processes.filter(isOf) ?? [];
  // One that was told to stop did not fail.
  const deaths = lives.filter(({asked}) => asked === null);
  const isHeard = lives.some((life) => serverOf(timeline, life) !== null);
  const cause = reasonNotRun(timeline, program);
  const telling = [...events, ...spawnErrorsOf(timeline, program)].find(
    ({fields}) => fields.reason !== undefined && fields.tooQuick === undefined,
  );
  const said = telling?.fields.reason;
  const reason = said ?? cause?.reason;
  const daemonized = reason === undefined && inBackground(timeline, program).length > 0;
  const missing = telling?.fields.unrunnable !== undefined;
  const lines = evidence([
    ...events.slice(0, 2).map((event) => proof(event, `${program} was given up`)),
    ...(telling && !events.includes(telling) ? [proof(telling, `why ${program} did not start`)] : []),
    ...(said === undefined && cause ? [proof(cause.line, `why ${program} did not run`)] : []),
    ...deaths.slice(-3).flatMap(({ended}) => (ended ? [proof(ended, `${program} ended here`)] : [])),
  ]);
  if (!lines) return null;
  return {
    title: 'A program failed to start and was given up',
    message: sentences(
      `${program} did not come up, and its supervisor gave up: nobody tries again until a person does.`,
      deaths.length > 0 && `The log shows ${count(deaths.length, 'process', 'processes')} of it that ended before.`,
      reason !== undefined && `The reason told: ${reason}.`,
      daemonized &&
        'It left with status 0 each time, as a program does that goes into the background: it may well be running, where its ' +
          'supervisor cannot see it.',
      daemonized ? 'That it was given up is proved.' : 'That it is down is proved.',
      reason === undefined &&
        !daemonized &&
        (isHeard ? 'Why, no line of it that is here tells.' : "Why, the program's own log tells: nothing of it is here."),
    ),
    confidence: 'certain',
    instance: instance?.id ?? null,
    reload: null,
    pids: unique(deaths.map(({pid}) => pid)),
    workers: [],
    evidence: lines,
    against: [],
    cannotSee: ['what the program itself printed, unless its own log is given as well'],
    fixes: [
      missing
        ? fullPath(program)
        : telling?.fields.tooManyFiles !== undefined
          ? MORE_FILES
          : daemonized
            ? startByHand(
                'Let it stay in the foreground (no daemonize, no --daemon, nginx "daemon off;"), then start it by hand.',
              )
            : startByHand('Mend what its own log says, then start it by hand: the supervisor will not.'),
    ],
    next: [
      missing
        ? `ls -l the command of ${program}, as the user that runs it`
        : first.message.startsWith('systemd/')
          ? `journalctl -u ${program}   # what it printed`
          : `supervisorctl tail ${program} stderr   # what it printed`,
      'start the command by hand as the same user, in the same directory, with the same environment',
    ],
    identity: [program, 'given up'],
  };
}

function fullPath(program: string): Fix {
  return {
    setting: 'command',
    section: `program:${program}`,
    value: null,
    effect: 'the program is found and started',
    since: null,
    safety: 'safe',
    why: 'Give the full path of a file that exists and may be executed by the user of the program.',
  };
}

function startByHand(why: string): Fix {
  return {...NO_SETTING, effect: 'the program comes up', safety: 'needs-code', why};
}

/** supervisord names no program in them: they count where they all say the same since the program last ran. */
function spawnErrorsOf(timeline: Timeline, program: string): LogEvent[] {
  const end = givenUp(timeline).find((event) => programOf(event) === program);
  const since = timeline.events.findLast(
    (event) => event.message === 'supervisord/spawned' && programOf(event) === program && end && precedes(event, end),
  );
  const errors = timeline.events.filter(
    (event) =>
      event.message === 'supervisord/spawn-failed' &&
      event.fields.tooQuick === undefined &&
      end?.input === event.input &&
      precedes(event, end) &&
      (since === undefined || precedes(since, event)),
  );
  return unique(errors.map(({fields}) => fields.reason)).length === 1 ? errors.slice(-1) : [];
}
