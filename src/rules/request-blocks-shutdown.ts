import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import type {Forced, Instance, Process, Timeline} from '../timeline/timeline.ts';
import {gunicornOf, killsBy} from './arbiter-kills.ts';
import {describeRequestHang, leftBehindIn} from './arbiter-request-hang.ts';
import {asgiRequests} from './asgi-requests.ts';
import {daemonProcessKills} from './daemon-process-kills.ts';
import {forcedWorkers} from './forced-workers.ts';
import {mercyOf, mercyText} from './mercy.ts';
import {phasedKills} from './phased-kills.ts';
import {cutWith} from './proxy-cuts.ts';
import {type Finding, type Fix, NO_SETTING, type Rule} from './rule.ts';
import {mayHave, uwsgiOf} from './settings.ts';
import {waitressStops} from './waitress-stops.ts';
import {
  concerning,
  count,
  duration,
  evidence,
  instanceName,
  isBounded,
  list,
  nameOf,
  only,
  proof,
  sentences,
  span,
  unique,
  was,
} from './wording.ts';
import {isRunningRequest, requestOf} from './work.ts';

/** A worker that could not leave because of a request which the log names. */
interface Held {
  readonly process: Process;
  readonly forced: Forced;
  readonly requests: readonly LogEvent[];
  /** The log itself names them; otherwise nginx lost them in the moment of the kill. */
  readonly byLog: boolean;
}

const rule: Rule = {
  id: 'request-blocks-shutdown',
  title: 'A running request kept a worker from leaving until it was killed',
  severity: 'error',
  docs: {
    sees:
      'A worker that was asked to stop, had a request in hand which the log names (HARAKIRI or SIGUSR2 lines, or an event ' +
      'loop that counts its requests), or that nginx lost in the moment of the kill, and was then killed. Under gunicorn also a worker that never said "Worker exiting" ' +
      'until graceful_timeout was over, and an event loop that says that it goes without its requests. uvicorn that waits for ' +
      'connections or background tasks when the log ends, or cancels them; daphne that kills what is still running; puma that says ' +
      '"KILL sent" in a phased restart; a process of mod_wsgi that was told to leave, never said "Stopping process" and was ended; waitress that says what it leaves behind.',
    why:
      'A worker that is asked to leave finishes its request first. A request that takes longer than the master waits (the ' +
      'mercy) or longer than a request may take (harakiri) is cut: ' +
      'its client gets no answer, or half of one.',
    remedy:
      'Make the request shorter, give the calls it makes a time limit, or move the work into a queue. A harakiri shorter ' +
      'than the mercy ends the request in a way that names it in the log.',
    limits:
      'A request that was killed has no request line. Only what names it while it runs proves it; a line of nginx in the same ' +
      'second makes it likely; without these the rule ' +
      'forced-kill-undecided speaks.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/articles/TheArtOfGracefulReloading.html',
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#harakiri',
    ],
  },
  restsOnOwners: true,
  needs: {
    messages: [
      'uwsgi/harakiri-core',
      'uwsgi/is-managing',
      'uwsgi/harakiri-was',
      'uwsgi/request-holds',
      'uwsgi/requests-pending',
      'gunicorn/handling-signal',
      'gunicorn/worker-timeout',
      'gunicorn/worker-graceful-timeout',
      'gunicorn/forcing-close',
      'uvicorn/shutting-down',
      'uvicorn/waiting-for-connections',
      'uvicorn/waiting-for-background-tasks',
      'uvicorn/waiting-for-child',
      'daphne/killed-pending',
      'daphne/took-too-long',
      'puma/kill-sent',
      'puma/phased-restart',
      'nginx/closed',
      'nginx/unanswered',
      'apache/shutdown-requested',
      'waitress/threads-running',
      'waitress/cancelling',
      'waitress/serving',
    ],
    otherwise:
      'nothing in this log names a request that is running: set harakiri (shorter than worker-reload-mercy), or send ' +
      'SIGUSR2 to the worker while it does not leave',
  },
  *check(timeline) {
    for (const instance of uwsgiOf(timeline)) {
      const held = heldIn(timeline, instance);
      if (held.length === 0) continue;
      yield describe(instance, held);
    }
    yield* asgiRequests(timeline);
    yield* daemonProcessKills(timeline, 'request');
    yield* waitressStops(timeline);
    for (const instance of timeline.instances) {
      yield phasedKills(instance);
    }
    const killed = new Map(killsBy(timeline, 'request'));
    for (const instance of gunicornOf(timeline)) {
      const kills = killed.get(instance) ?? [];
      const leftBehind = leftBehindIn(instance);
      if (kills.length + leftBehind.length > 0) yield describeRequestHang(timeline, instance, kills, leftBehind);
    }
  },
};

export default rule;

export function heldIn(timeline: Timeline, instance: Instance): Held[] {
  const atMercy = new Set(
    forcedWorkers(timeline)
      .filter(({verdict}) => verdict === 'request')
      .map(({process}) => process),
  );
  const held: Held[] = [];
  for (const process of instance.processes) {
    const {forced, asked} = process;
    if (!forced || !asked || asked.by === 'unknown') continue;
    if (!atMercy.has(process) && (forced.deadline !== 'harakiri' || asked.by === 'itself')) continue;
    const requests = process.remarks.filter(
      (event) => isRunningRequest(event) && !precedes(event, asked.event) && !wasAnswered(process, event),
    );
    if (requests.length > 0) held.push({process, forced, requests, byLog: true});
    else if (atMercy.has(process)) held.push({process, forced, requests: cutWith(timeline, process), byLog: false});
  }
  return held;
}

/** Clocks of different zones are whole quarters of an hour apart. */
const ZONE_STEP_SECONDS = 900;

/** A request that began in the same second was answered before the line that names it: until its worker is found gone, its time limit runs on. */
function wasAnswered({segments, asked}: Process, event: LogEvent): boolean {
  const {since} = event.fields;
  if (asked === null || typeof since !== 'number') return false;
  return segments.some(
    ({last, lastStart}) =>
      precedes(asked.event, last) && precedes(last, event) && Math.abs(lastStart / 1000 - since) % ZONE_STEP_SECONDS === 0,
  );
}

function describe(instance: Instance, held: readonly Held[]): Finding | null {
  const processes = held.map(({process}) => process);
  const reloads = unique(processes.map(({asked}) => asked?.reload ?? null).filter((id) => id !== null));
  const requests = held.flatMap((each) => each.requests);
  // Some lines say how many are running, some which.
  const withUri = requests.filter(({fields}) => fields['uri'] !== undefined);
  const named = unique((withUri.length > 0 ? withUri : requests).map(requestOf));
  const isNamed = withUri.length > 0;
  const isProved = held.every(({byLog}) => byLog);
  const byHarakiri = held.filter(({forced}) => forced.deadline === 'harakiri').length;
  const wait = span(processes.map(({asked}) => asked?.wait).filter((each) => each !== undefined));
  const lines = evidence([
    ...instance.reloads
      .filter(({id}) => reloads.includes(id))
      .slice(0, 1)
      .map(({began}) => proof(began, 'it begins')),
    ...held
      .slice(0, 5)
      .flatMap(({process, forced, requests, byLog}) => [
        ...requests
          .slice(0, 1)
          .map((event) =>
            proof(
              event,
              byLog
                ? `${requestOf(event)} was running in ${nameOf(process)}`
                : `nginx loses ${requestOf(event)} in the moment of the kill`,
            ),
          ),
        proof(forced.event, `${nameOf(process)} was killed`),
      ]),
  ]);
  if (!lines) return null;
  const how =
    byHarakiri === held.length
      ? 'by harakiri, the time limit for one request'
      : byHarakiri === 0
        ? 'when the mercy ran out'
        : 'by harakiri or when the mercy ran out';
  return {
    title: rule.title,
    message: sentences(
      `${count(held.length, 'worker')} had been asked to leave, had a request to finish, and ${was(held.length)} killed ${how}.`,
      !isProved
        ? `nginx lost ${list(unique(held.flatMap((each) => (each.byLog ? [] : each.requests.map(requestOf)))), 4)} in the moment of the kill, and no other worker was ended then that can have had it.`
        : isNamed
          ? `The log names what was running: ${list(named, 4)}.`
          : 'The log says that requests were running, and not which.',
      isBounded(wait) && `From being asked to the end it took ${duration(wait)}.`,
      isProved
        ? 'That a request was running is proved. That it alone kept the worker is inferred: nothing else is known to.'
        : 'That the request was lost is proved. That this worker had it is inferred of the time, by the clocks of both logs.',
    ),
    confidence: isProved ? 'certain' : 'likely',
    instance: instance.id,
    reload: only(reloads),
    ...concerning(processes),
    evidence: lines,
    against: [
      {
        hypothesis: 'app-threads-block-shutdown',
        because: isProved
          ? 'the worker was still busy with a request, so it had not begun to shut down'
          : 'an exit that hangs has no request in hand that nginx could lose',
        line: held[0]?.requests[0]?.line ?? null,
      },
    ],
    cannotSee: [
      "whether the client got a part of the answer: the proxy's log shows it at the same second",
      'what the request itself was waiting for',
    ],
    fixes: fixesFor(instance, byHarakiri > 0),
    next: [
      ...(isProved
        ? [
            isNamed
              ? `look for ${list(named, 4)} in the proxy's access log at that moment`
              : "look for requests without an answer (499, 502, 504) in the proxy's access log at that moment",
          ]
        : []),
      'set py-tracebacker=/tmp/tb: harakiri then prints the Python stack of the request it ends',
    ],
    identity: [instanceName(instance), 'request'],
  };
}

function fixesFor(instance: Instance, harakiri: boolean): Fix[] {
  const mercy = mercyOf(instance);
  const fixes: Fix[] = [
    {
      ...NO_SETTING,
      safety: 'needs-code',
      effect: 'the worker leaves as soon as the request ends',
      why: 'Give the calls that the request makes (database, HTTP) a time limit, or move the work to a queue and answer at once.',
    },
  ];
  if (!harakiri) {
    fixes.push({
      setting: 'harakiri',
      section: 'uwsgi',
      value: null,
      since: null,
      safety: 'may-cut-requests',
      effect: `a request that takes too long ends, named in the log, before the mercy (${mercyText(mercy)}) runs out`,
      why:
        'Choose it below worker-reload-mercy and above the longest request that is meant to succeed. It applies to every ' +
        'request at all times, not only at a reload.',
    });
  }
  return fixes.filter(({since}) => mayHave(instance, since));
}
