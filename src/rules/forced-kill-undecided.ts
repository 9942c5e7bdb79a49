import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {type ArbiterKill, countsConnections, killsBy, waitOf} from './arbiter-kills.ts';
import {whileItExits} from './arbiter-remedies.ts';
import {likelyThread, otherCauses, weigh} from './causes.ts';
import {
  byInstance,
  type ForcedWorker,
  forcedWorkers,
  heldOf,
  onlySome,
  reasons,
  reloadsOf,
  SHOWS_FORCED_WORKERS,
} from './forced-workers.ts';
import {mercyOf, mercyText} from './mercy.ts';
import {cutByMercy} from './mercy-too-short.ts';
import {exitBug, whileItHangs} from './remedies.ts';
import type {Finding, Rule} from './rule.ts';
import {numberOf, setting} from './settings.ts';
import {troubleText} from './upstream-troubles.ts';
import {
  concerning,
  count,
  duration,
  evidence,
  instanceName,
  isBounded,
  nameOf,
  occasions,
  only,
  proof,
  seconds,
  sentences,
  span,
  unique,
} from './wording.ts';
import {requestsOf} from './work.ts';

const rule: Rule = {
  id: 'forced-kill-undecided',
  title: 'A worker was killed at the deadline, and the log does not tell what held it',
  severity: 'error',
  docs: {
    sees:
      'Workers that were asked to stop and had to be killed ("NO MERCY"), where a request that ran too long and an exit ' +
      'that is blocked by a thread fit equally well, or where the worker never took note of being asked.',
    why:
      'A worker that is asked to leave finishes its request and then shuts Python down. Either can take for ever. From ' +
      'outside both look the same: asked, then killed. ' +
      'A request that is killed never gets a line in the log.',
    remedy:
      'Find out first: during the next hang, ask the worker what it does (py-spy, SIGUSR2). A harakiri that is shorter ' +
      'than the mercy ends a slow request before the master kills the worker, and names it.',
    limits: 'It says no more than that a kill happened. It is silent where the log decides.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/articles/TheArtOfGracefulReloading.html',
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#harakiri',
      'unbit/uwsgi#1097',
    ],
  },
  restsOnOwners: true,
  needs: SHOWS_FORCED_WORKERS,
  *check(timeline) {
    const explained = new Set(
      timeline.instances.flatMap((instance) => cutByMercy(timeline, instance).map(({process}) => process)),
    );
    const open = forcedWorkers(timeline).filter(({process}) => !explained.has(process));
    for (const [instance, workers] of byInstance(open.filter(({verdict}) => verdict === 'undecided'))) {
      yield undecided(timeline, instance, workers);
    }
    for (const [instance, workers] of byInstance(open.filter(({verdict}) => verdict === 'deaf'))) {
      yield deaf(timeline, instance, workers);
    }
    for (const [instance, kills] of killsBy(timeline, 'undecided')) {
      yield undecidedPool(instance, kills);
    }
    for (const [instance, kills] of killsBy(timeline, 'starting')) {
      yield maybeStarting(instance, kills);
    }
  },
};

export default rule;

function undecided(timeline: Timeline, instance: Instance, workers: readonly [ForcedWorker, ...ForcedWorker[]]): Finding | null {
  const bug = exitBug(instance, workers[0]?.process ?? null);
  const lines = evidence(linesOf(instance, workers));
  if (!lines) return null;
  const requests = requestsOf(instance);
  const harakiri = setting(instance, 'harakiri');
  const fellSilent = workers.map(({process}) => silenceOf(instance, process)).find((each) => each !== null) ?? null;
  const held = {...heldOf(timeline, workers, false, onlySome(workers)), request: fellSilent};
  const thread = likelyThread(held);
  return {
    ...subject(instance, workers),
    title: rule.title,
    message:
      `${killed(instance, workers)} What held ${workers.length === 1 ? 'it' : 'them'} is not in the log. ${reasons(workers)} ` +
      'Two things are possible: a request that ran longer than the mercy and was cut, or an exit that a thread of the ' +
      'application (or an exit handler, or a lock) blocked.',
    confidence: 'possible',
    evidence: lines,
    against: [
      ...(bug
        ? [
            {
              hypothesis: 'a fault of this version of uWSGI',
              because: `nothing speaks against it: ${troubleText(bug, instance, workers[0].forced.event)}`,
              line: null,
            },
          ]
        : []),
      weigh(held, 'request'),
      weigh(held, thread, 'app-threads-block-shutdown'),
      ...otherCauses(held, 'request', thread),
    ],
    cannotSee: [
      'requests killed at the deadline: they never get a line in this log',
      'what the worker waited for while it shut down',
    ],
    fixes: [],
    next: [
      "the proxy's access log at the second of the kill decides it for this time: a request without an answer (499, 502, " +
        '504) that was sent to this server means that a request held the worker; none, that its exit did',
      ...whileItHangs(instance),
      ...(harakiri
        ? []
        : [
            'set harakiri below worker-reload-mercy and above the longest request that is meant to succeed: then a slow ' +
              'request is ended and named in the log, and NO MERCY means a blocked exit',
          ]),
      ...(requests.count === 0 ? ['leave out disable-logging: request lines show which workers were idle'] : []),
    ],
    identity: [instanceName(instance), 'undecided'],
  };
}

/** A worker that answered steadily, and then not, while others did: that points to a request. Null where it does not. */
function silenceOf(instance: Instance, process: Process): string | null {
  const last = process.segments.at(-1);
  const asked = process.asked?.at.earliest ?? null;
  if (!last || asked === null || last.count < 3) return null;
  const until = process.asked?.at.latest ?? asked;
  const usual = (last.lastStart - last.firstStart) / last.count;
  const silent = asked - last.lastEnd;
  const othersWentOn = instance.processes.some(
    (other) =>
      other !== process &&
      other.segments.some(({lastEnd, count: answered}) => answered > 0 && lastEnd > last.lastEnd && lastEnd <= until),
  );
  if (silent < Math.max(1000, usual * 4) || !othersWentOn) return null;
  return (
    `${nameOf(process)} had answered a request every ${seconds(usual / 1000)} and then none for at least ` +
    `${seconds(silent / 1000)} before it was asked, while others went on: that points to a request`
  );
}

function deaf(timeline: Timeline, instance: Instance, workers: readonly [ForcedWorker, ...ForcedWorker[]]): Finding | null {
  const importing = workers.filter(({shown}) => shown.length > 0);
  const lines = evidence(linesOf(instance, workers));
  if (!lines) return null;
  const loading = importing.length === workers.length;
  const isUnproved = workers.every(({proved}) => !proved);
  return {
    ...subject(instance, workers),
    title: loading
      ? 'A worker was killed because it was still loading the application when it was told to leave'
      : isUnproved
        ? 'A worker was killed at the deadline, and may have been loading the application still'
        : 'A worker never took note of being asked to leave, and was killed',
    // At a stop nobody writes it.
    message:
      isUnproved || workers.some(({reload}) => reload?.kind === 'stop' || reload?.kind === 'brutal')
        ? `${killed(instance, workers)} ${reasons(workers)}`
        : `${killed(instance, workers)} A worker that is asked writes "Gracefully killing worker"; ` +
          `${workers.length === 1 ? 'this one' : 'these'} did not. ${reasons(workers)}`,
    confidence: loading ? 'certain' : 'possible',
    evidence: lines,
    against: loading
      ? [{hypothesis: 'app-threads-block-shutdown', because: 'the worker never began to leave', line: lines[0].at.line}]
      : otherCauses(heldOf(timeline, workers, false, onlySome(workers))),
    cannotSee: ['what the worker did when the signal came'],
    fixes: [],
    next: loading
      ? ['reload only when the previous reload is complete; see how long the application takes to load ("ready in N seconds")']
      : [
          'ps -o pid,stat,wchan:30 -p <pid of a worker that does not leave>   # T is stopped, D waits for a device',
          ...whileItHangs(instance).slice(0, 1),
        ],
    identity: [instanceName(instance), 'never took note'],
  };
}

/** gunicorn's gthread: a request that outlived graceful_timeout, or one that ended and then a thread. */
function undecidedPool(instance: Instance, kills: readonly ArbiterKill[]): Finding | null {
  const processes = kills.map(({process}) => process);
  const reloads = reloadsOf(kills);
  const lines = evidence([
    ...reloads.slice(0, 1).map(({began}) => proof(began, 'it begins')),
    ...kills
      .slice(0, 4)
      .flatMap(({process, forced, shown}) => [
        ...shown,
        proof(
          forced.event,
          `${forced.inferred ? 'the arbiter leaves: by then it had ended' : 'the arbiter ends'} ${nameOf(process)}`,
        ),
      ]),
  ]);
  if (!lines) return null;
  return {
    title: rule.title,
    message: sentences(
      killedByArbiter(kills),
      howKnown(kills),
      reasons(kills),
      'Two things are possible: a request that outlived graceful_timeout, or one that ended in time and then a thread of the application.',
    ),
    confidence: 'possible',
    instance: instance.id,
    reload: only(reloads)?.id ?? null,
    pids: unique(processes.map(({pid}) => pid)),
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: 'request-blocks-shutdown',
        because: `nothing rules it out${numberOf(instance, 'graceful_timeout') === null ? ': graceful_timeout is not in the log' : ''}`,
        line: null,
      },
      {hypothesis: 'app-threads-block-shutdown', because: 'nothing rules it out either', line: null},
    ],
    cannotSee: ['which request it was', 'what the worker waited for while it shut down'],
    fixes: [],
    next: [
      ...(numberOf(instance, 'graceful_timeout') === null
        ? ['give the configuration along: with graceful_timeout the two can be told apart']
        : []),
      ...whileItExits(instance),
    ],
    identity: [instanceName(instance), 'undecided'],
  };
}

function howKnown(kills: readonly ArbiterKill[]): string {
  return kills.some(({forced}) => forced.inferred)
    ? 'The kill is inferred: at graceful_timeout gunicorn kills without a line, and the arbiter waited until then.'
    : 'That is proved.';
}

/** gunicorn's arbiter killed them before anything showed that they had loaded the application. */
function maybeStarting(instance: Instance, kills: readonly ArbiterKill[]): Finding | null {
  const finding = undecidedPool(instance, kills);
  if (!finding) return null;
  return {
    ...finding,
    title: 'A worker was killed at the deadline, and may have been loading the application still',
    message: sentences(
      killedByArbiter(kills),
      howKnown(kills),
      reasons(kills),
      'Two things are possible: it was still loading the application, and takes note of the signal only when that is done; or it had a request' +
        `${countsConnections(instance) ? ', or an open connection,' : ''} that outlived graceful_timeout.`,
    ),
    against: [
      {
        hypothesis: 'a start that takes longer than that',
        because: 'nothing rules it out: no worker is shown to have been ready as early',
        line: null,
      },
      {hypothesis: 'request-blocks-shutdown', because: 'nothing rules it out either', line: null},
    ],
    cannotSee: ['when a worker has loaded the application: gunicorn does not say so', 'which request it was, if any'],
    next: [
      "log a line at the end of the application's start-up: it tells how long a worker needs until it can serve, and leave",
      "look for requests without an answer (499, 502, 504) in the proxy's access log at that moment",
    ],
    identity: [instanceName(instance), 'starting'],
  };
}

function killedByArbiter(kills: readonly ArbiterKill[]): string {
  const wait = span(kills.map(waitOf).filter((each) => each !== null));
  return `${count(kills.length, 'worker')} had been asked to leave and had to be ended by the arbiter${isBounded(wait) ? `, ${duration(wait)} later` : ''}.`;
}

function subject(
  instance: Instance,
  workers: readonly ForcedWorker[],
): Pick<Finding, 'instance' | 'reload' | 'pids' | 'workers'> {
  const reloads = reloadsOf(workers);
  const processes = workers.map(({process}) => process);
  return {
    instance: instance.id,
    reload: only(reloads)?.id ?? null,
    ...concerning(processes),
  };
}

function killed(instance: Instance, workers: readonly ForcedWorker[]): string {
  const reloads = reloadsOf(workers);
  const wait = span(workers.map(({forced}) => forced.patience).filter((patience) => patience !== null));
  const asked = workers.filter(({reload}) => reload !== null).length;
  const isAll = asked === workers.length;
  const where = asked === 0 ? '' : isAll ? ` in ${occasions(reloads)}` : `, ${asked} of them in ${occasions(reloads)},`;
  const when = isAll && isBounded(wait) ? `, ${duration(wait)} after ${workers.length === 1 ? 'it was' : 'they were'} asked` : '';
  return sentences(
    `${count(workers.length, 'worker')} had to be killed${where} because the master's patience, called mercy`,
    `(${mercyText(mercyOf(instance))}), ran out${when}. That is proved.`,
  );
}

function cleanOne(instance: Instance) {
  return instance.processes.find(
    (process) => process.role === 'worker' && process.end === 'clean' && process.ended && process.asked,
  );
}

function linesOf(instance: Instance, workers: readonly ForcedWorker[]) {
  const clean = cleanOne(instance);
  const [first] = reloadsOf(workers);
  return [
    ...(first ? [proof(first.began, first.headless ? 'the first sign of the reload or stop' : 'it begins')] : []),
    ...workers.slice(0, 6).map(({process, forced}) => proof(forced.event, `${nameOf(process)} was killed at the deadline`)),
    ...workers.flatMap(({shown}) => shown).slice(0, 3),
    ...workers.slice(0, 2).flatMap(({process}) => {
      const line = process.segments.at(-1)?.last;
      return line ? [proof(line, `the last answer of ${nameOf(process)}`)] : [];
    }),
    ...(clean?.ended ? [proof(clean.ended, `${nameOf(clean)} left by itself`)] : []),
  ];
}
