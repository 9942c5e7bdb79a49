/** Requests that hold up an ASGI server that is to leave, or that it cuts: told by the rule request-blocks-shutdown. */
import type {LogEvent} from '../timeline/event.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Process, Reload, Timeline} from '../timeline/timeline.ts';
import {leftBehindIn} from './arbiter-request-hang.ts';
import {linesOf} from './line-owners.ts';
import {outerOf} from './outer.ts';
import {type Finding, type Fix, NO_SETTING} from './rule.ts';
import {capital, count, evidence, instanceName, kindOf, list, nameOf, proof, seconds, sentences, unique} from './wording.ts';

export function* asgiRequests(timeline: Timeline): Iterable<Finding | null> {
  for (const instance of timeline.instances) {
    if (instance.supervisor === 'uvicorn') {
      yield waiting(timeline, instance) ?? waitingUnnamed(timeline, instance) ?? waitingForChild(timeline, instance);
      yield cancelled(instance);
    } else if (instance.supervisor === 'daphne') {
      yield killedAtStop(timeline, instance);
      yield tookTooLong(timeline, instance);
    }
  }
  yield cancelledUnnamed(timeline);
}

/** The log begins later than the process that says so, and no line before tells its number. */
function cancelledUnnamed(timeline: Timeline): Finding | null {
  const known = new Set(timeline.instances.flatMap(({processes}) => processes.flatMap(({remarks}) => remarks)));
  const told = timeline.events.filter((event) => event.message === 'uvicorn/cancelling-tasks' && !known.has(event));
  const lines = evidence(
    told
      .slice(0, 5)
      .map((event) => proof(event, `it cancels ${event.fields['count'] ?? 'what is left'}: timeout_graceful_shutdown is over`)),
  );
  return lines === null ? null : cutAtStop(told, lines, {instance: null, reload: null, pids: [], workers: []}, 'unnamed');
}

/** uvicorn says what it waits for, and by default waits for ever. */
function waiting(timeline: Timeline, instance: Instance): Finding | null {
  const held = instance.processes.flatMap((process) => {
    const told = process.remarks.findLast(({meaning}) => meaning.kind === 'requests-pending');
    return told && process.role === 'worker' && process.leaving === null && process.ended === null ? [{process, told}] : [];
  });
  const [first] = held;
  if (!first) return null;
  const reload = instance.reloads.findLast(({outcome}) => outcome === 'unfinished') ?? null;
  const lines = evidence([
    ...(reload ? [proof(reload.began, `the ${kindOf(reload)} begins`)] : []),
    ...held.flatMap(({process, told}) => [
      ...(process.asked ? [proof(process.asked.event, `${nameOf(process)} is told to leave`)] : []),
      proof(told, `it waits: ${waitsFor(told)}`),
    ]),
  ]);
  if (!lines) return null;
  const since = timeline.to === null ? 0 : between(first.told.at, {earliest: timeline.to, latest: timeline.to}).min;
  return {
    ...about(instance, held, reload),
    title: `A ${reload ? kindOf(reload) : 'stop'} waits for requests or connections that do not end`,
    severity: 'warning',
    message: sentences(
      `${capital(held.map(({process, told}) => `${nameOf(process)} was told to leave and says that it waits for ${waitsFor(told)}`).join('; '))}.`,
      `The log ends without its end${since > 0 ? `, at least ${seconds(since)} later` : ''}. That is proved.`,
      since === 0 &&
        (first.told.at.earliest === null
          ? 'Its lines carry no time: how long it has waited they do not tell.'
          : 'No line with a later time follows: how long it waited the log does not tell.'),
      'By default uvicorn sets no limit to that: event streams, web sockets and connections that are kept open can hold it for ever,',
      'until whoever asked loses patience and kills it.',
      reload?.kind === 'hup' &&
        'Meanwhile the parent restarts no other worker and takes note of no other signal: the others run the old code.',
    ),
    // That it waited is proved; that what it waits for does not end is only where the log goes on.
    confidence: since > 0 ? 'certain' : 'possible',
    evidence: lines,
    against: [
      {
        hypothesis: 'the log simply ends first',
        because:
          since > 0
            ? `it goes on for at least ${seconds(since)}`
            : 'nothing speaks against it: what it waits for may end a moment later',
        line: first.told.line,
      },
    ],
    cannotSee: ['which client or request it is', 'how it went on'],
    fixes: [timeLimit(), closeStreams()],
    next: [
      `ss -tnp | grep pid=${first.process.pid}   # the connections that it still has`,
      `py-spy dump --pid ${first.process.pid}`,
    ],
    identity: [instanceName(instance), 'waits', reload?.kind ?? 'stop'],
  };
}

/** The log begins later than the process, whose number no line tells; what uvicorn waits for is the last that it says. */
function waitingUnnamed(timeline: Timeline, instance: Instance): Finding | null {
  const last = linesOf(timeline, instance).at(-1);
  // Whoever runs it tells how it went on: the kill is the trouble then (outer-timeout-too-short).
  const isOver = (outerOf(timeline, instance)?.life.ended ?? null) !== null;
  const lines =
    last?.meaning.kind === 'requests-pending' && last.pid === null && !isOver
      ? evidence([proof(last, `it waits: ${waitsFor(last)}`)])
      : null;
  if (!last || !lines) return null;
  return {
    ...about(instance, [], null),
    title: 'A stop waits for requests or connections that do not end',
    severity: 'warning',
    message: sentences(
      `uvicorn was told to leave and says that it waits for ${waitsFor(last)}. It says nothing more, up to the end of the log.`,
      'By default uvicorn sets no limit to that: it can wait for ever.',
    ),
    confidence: 'possible',
    evidence: lines,
    against: [
      {
        hypothesis: 'the log simply ends first',
        because: 'nothing speaks against it: what it waits for may end a moment later',
        line: last.line,
      },
    ],
    cannotSee: ['which client, request or task it is', 'how it went on', 'who told it to leave: the line is not in this log'],
    fixes: [timeLimit(), closeStreams()],
    next: [
      'ss -tnp   # the connections that the process still has',
      'py-spy dump --pid <pid of uvicorn>   # what its tasks wait for',
    ],
    identity: [instanceName(instance), 'waits', 'stop'],
  };
}

/** A rolling restart goes on with the next process when this one is gone; of what holds it, the parent knows nothing. */
function waitingForChild(timeline: Timeline, instance: Instance): Finding | null {
  const last = linesOf(timeline, instance).at(-1);
  const reload = instance.reloads.findLast(({outcome, kind}) => outcome === 'unfinished' && kind === 'hup') ?? null;
  const lines =
    reload !== null && last?.message === 'uvicorn/waiting-for-child'
      ? evidence([
          proof(reload.began, `the ${kindOf(reload)} begins`),
          proof(last, 'the parent waits for this process, and says nothing more'),
        ])
      : null;
  if (!last || !lines) return null;
  return {
    ...about(instance, [], reload),
    pids: last.pid === null ? [] : [last.pid],
    title: 'A rolling restart waits for one process',
    severity: 'warning',
    message: sentences(
      `uvicorn has told the process with pid ${last.pid} to leave and waits for its end. The log ends there. That is proved.`,
      'It sets no limit to that by default: an open connection or a request holds it for as long as it likes, and meanwhile the others run the old code.',
    ),
    confidence: 'possible',
    evidence: lines,
    against: [
      {
        hypothesis: 'the log simply ends first',
        because: 'nothing speaks against it: the process may end a moment later',
        line: last.line,
      },
    ],
    cannotSee: ['what holds the process: its own lines would tell ("Waiting for connections to close")', 'how it went on'],
    fixes: [timeLimit(), closeStreams()],
    next: [`ss -tnp | grep pid=${last.pid}   # the connections that it still has`, `py-spy dump --pid ${last.pid}`],
    identity: [instanceName(instance), 'waits', 'child'],
  };
}

/** What uvicorn says that it waits for, behind "it waits for". */
export function waitsFor({message}: LogEvent): string {
  return message === 'uvicorn/waiting-for-background-tasks'
    ? 'requests or background tasks of the application to end'
    : 'connections to close';
}

/** timeout_graceful_shutdown was over. */
function cancelled(instance: Instance): Finding | null {
  const cut = leftBehindIn(instance);
  const lines = evidence([
    ...cut.flatMap(({process, told}) => [
      ...(process.asked ? [proof(process.asked.event, `${nameOf(process)} is told to leave`)] : []),
      proof(told, `it cancels ${told.fields['count'] ?? 'what is left'}: timeout_graceful_shutdown is over`),
    ]),
  ]);
  if (!lines) return null;
  const reload = instance.reloads.find(({id}) => id === cut[0]?.process.asked?.reload) ?? null;
  return cutAtStop(
    cut.map(({told}) => told),
    lines,
    about(instance, cut, reload),
    instanceName(instance),
  );
}

function cutAtStop(
  told: readonly LogEvent[],
  lines: Finding['evidence'],
  whose: Pick<Finding, 'instance' | 'reload' | 'pids' | 'workers'>,
  name: string,
): Finding {
  const tasks = told.reduce((sum, {fields}) => sum + Number(fields['count'] ?? 0), 0);
  return {
    ...whose,
    title: 'Requests were cancelled at a stop: they outlived timeout_graceful_shutdown',
    message: `${count(tasks, 'request or task', 'requests or tasks')} had not ended when timeout_graceful_shutdown was over, and uvicorn cancelled ${
      tasks === 1 ? 'it' : 'them'
    }: the clients got an error or half an answer. That is proved.`,
    confidence: 'certain',
    evidence: lines,
    against: [],
    cannotSee: ['which requests they were, unless the application prints a traceback or an access line with status 500'],
    fixes: [
      {
        setting: 'timeout_graceful_shutdown',
        section: null,
        value: null,
        since: null,
        safety: 'safe',
        effect: 'requests up to that length are answered; a stop can take as long',
        why: 'Set it above the longest request that is meant to succeed, and below the time that whoever stops uvicorn waits.',
      },
      closeStreams(),
    ],
    next: ["look for requests without an answer (499, 502, 504) in the proxy's access log at that moment"],
    identity: [name, 'cancelled'],
  };
}

function killedAtStop(timeline: Timeline, instance: Instance): Finding | null {
  const told = linesOf(timeline, instance).filter(
    ({message, fields}) => message === 'daphne/killed-pending' && Number(fields['count']) > 0,
  );
  const lines = evidence(told.map((event) => proof(event, `${event.fields['count']} were running when daphne stopped`)));
  if (!lines) return null;
  const killed = told.reduce((sum, event) => sum + Number(event.fields['count']), 0);
  return {
    ...about(instance, [], instance.reloads.find(({began}) => began === told[0]) ?? null),
    title: 'Requests were cut at a stop: daphne does not wait for them',
    severity: 'warning',
    message:
      `daphne killed ${count(killed, 'application instance')} (requests or web sockets) that had not ended when it was told to stop. That is proved. ` +
      'It does so at once, at every stop: it has no graceful shutdown. Web sockets that are open are always among them.',
    confidence: 'certain',
    evidence: lines,
    against: [],
    cannotSee: ['which of them were requests that a client waited for, and which were open web sockets'],
    fixes: [
      {
        ...NO_SETTING,
        safety: 'safe',
        effect: 'no request is in hand when daphne stops',
        why: 'Take the instance out of the load balancer and let it run dry before it is stopped, or serve HTTP by a server that waits for its requests (uvicorn, hypercorn).',
      },
    ],
    next: ["look for requests without an answer (499, 502, 504) in the proxy's access log at that moment"],
    identity: [instanceName(instance), 'killed at stop'],
  };
}

function connectionOf({fields}: LogEvent): string {
  if (fields.uri !== undefined) return `${fields.method} ${fields.uri}`;
  return fields.path === undefined ? String(fields.connection ?? '') : `the WebSocket of ${fields.path}`;
}

/** The client had gone; the application did not take note within application-close-timeout. */
function tookTooLong(timeline: Timeline, instance: Instance): Finding | null {
  const own = linesOf(timeline, instance).filter(({message}) => message === 'daphne/took-too-long');
  const lines = evidence(
    own.slice(0, 5).map((event) => proof(event, 'its client had gone, it did not end, and daphne killed it')),
  );
  if (!lines) return null;
  const connections = unique(own.map(connectionOf));
  return {
    ...about(instance, [], null),
    title: 'The application went on after its clients had gone, until daphne killed it',
    severity: 'warning',
    message: sentences(
      `${count(own.length, 'application instance')} did not end within application-close-timeout (10 s by default) after the client had gone, and daphne killed ${own.length === 1 ? 'it' : 'them'}. That is proved.`,
      `It concerns ${list(connections, 3)}.`,
      'What they still did is lost in the middle; until then they hold memory, database connections and threads. Often a consumer does not handle',
      'the disconnect, or waits in a thread that cannot be cancelled.',
    ),
    confidence: 'certain',
    evidence: lines,
    against: [],
    cannotSee: ['what the application waited for'],
    fixes: [
      {
        ...NO_SETTING,
        safety: 'needs-code',
        effect: 'the instance ends with its client',
        why: 'End the work when the disconnect comes (http.disconnect, websocket.disconnect), and give the calls that it makes a time limit. Work that has to be finished belongs into a task queue.',
      },
      {
        setting: '--application-close-timeout',
        section: null,
        value: null,
        since: null,
        safety: 'safe',
        effect: 'instances get that much time to end',
        why: 'It hides the wait and leaves its cause.',
      },
    ],
    next: ['the task that the line names tells the coroutine and the line of code where it waits'],
    identity: [instanceName(instance), 'took too long'],
  };
}

function about(
  instance: Instance,
  held: readonly {readonly process: Process}[],
  reload: Reload | null,
): Pick<Finding, 'instance' | 'reload' | 'pids' | 'workers'> {
  return {instance: instance.id, reload: reload?.id ?? null, pids: unique(held.map(({process}) => process.pid)), workers: []};
}

function timeLimit(): Fix {
  return {
    setting: 'timeout_graceful_shutdown',
    section: null,
    value: null,
    since: '0.22',
    safety: 'may-cut-requests',
    effect: 'a stop or restart ends at that time at the latest; what still runs is cancelled and counted in the log',
    why:
      'Set it above the longest request that is meant to succeed, and below the time that whoever stops uvicorn waits ' +
      '(supervisord stopwaitsecs, systemd TimeoutStopSec, the container platform).',
  };
}

function closeStreams(): Fix {
  return {
    ...NO_SETTING,
    safety: 'needs-code',
    effect: 'the server leaves at once',
    why: 'End event streams and web sockets when the server shuts down, give calls a time limit, and move long work to a task queue.',
  };
}
