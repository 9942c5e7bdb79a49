/** Requests that nginx, or Apache in front of mod_wsgi, could not get answered by the server behind it. Told by the rule platform-errors. */
import type {LogEvent} from '../timeline/event.ts';
import type {Instance, Process, Reload, Timeline} from '../timeline/timeline.ts';
import {type Cut, cutsIn, hasLeft, isAccess, isComparable, isElsewhere, nginxEvents} from './proxy-cuts.ts';
import {type Evidence, type Finding, type Fix, NO_SETTING} from './rule.ts';
import {count, evidence, list, nameOf, only, proof, sentences, unique} from './wording.ts';
import {isRunningRequest} from './work.ts';

interface Kind {
  readonly of: (event: LogEvent) => boolean;
  /** Behind "12 requests: ". */
  readonly what: string;
  readonly why: string;
}

const failedWith =
  (...numbers: readonly number[]) =>
  ({message, fields}: LogEvent) =>
    message === 'nginx/connect-failed' && numbers.includes(Number(fields['errno']));

const answered =
  (status: number) =>
  ({message, fields}: LogEvent) =>
    message === 'nginx/unanswered' && Number(fields['status']) === status;

const CLOSED: Kind = {
  of: ({message}) => message === 'nginx/closed',
  what: 'the connection was closed in the middle',
  why:
    'Most often the worker that had the request was ended: by a time limit of the server (harakiri, WORKER TIMEOUT), a reload, a kill or ' +
    'a crash. A server also hangs up on a request larger than its buffer (uWSGI buffer-size), on one in another protocol than its own, and on a ' +
    'connection that nginx keeps open (keepalive in its upstream) for longer than the server does.',
};
const REFUSED: Kind = {
  of: failedWith(111),
  what: 'the connection was refused',
  why: 'Nobody listened on the address: the server was down, between its stop and its start, or listens elsewhere.',
};
const NO_SOCKET: Kind = {
  of: failedWith(2),
  what: 'the socket file was not there',
  why: 'A server that ends removes its socket (uWSGI with vacuum); one that has not started has made none yet; or it is another path.',
};
const BAD_GATEWAY: Kind = {
  of: answered(502),
  what: 'answered with 502',
  why: 'The server closed the connection, refused it or was not there, or the application answered so itself: the error log of the proxy tells.',
};

const KINDS: readonly Kind[] = [
  {
    of: ({message, fields}) => message === 'nginx/timed-out' && fields['phase'] !== 'connecting to upstream',
    what: 'no answer within the time of nginx (proxy_read_timeout, uwsgi_read_timeout: 60 s unless set)',
    why: 'The request took longer, or waited in the queue of the server. The server goes on working at it, for nobody.',
  },
  CLOSED,
  REFUSED,
  NO_SOCKET,
  {
    of: failedWith(11),
    what: 'the listen queue of the socket was full',
    why: 'All workers were busy or gone, and more connections waited than listen (uWSGI) or backlog (gunicorn) allow.',
  },
  {
    of: failedWith(13),
    what: 'nginx may not open the socket file',
    why:
      'Its user has no right to write to the socket, or to enter a folder above it (uWSGI: chmod-socket, chown-socket; gunicorn: umask, ' +
      'user and group; systemd: SocketUser, SocketMode).',
  },
  {
    of: ({message}) => message === 'nginx/no-live-upstreams',
    what: 'nginx had set all servers aside',
    why: 'After max_fails errors it asks a server no more for fail_timeout (10 s unless set): the errors before these tell why.',
  },
  {
    of: ({message}) => message === 'nginx/header-too-big',
    what: 'the head of the answer did not fit into the buffer of nginx',
    why: 'The server did its work. Raise proxy_buffer_size (uwsgi_buffer_size), or send less in headers and cookies.',
  },
  {
    of: ({message}) => message === 'nginx/header-invalid',
    what: 'the answer was not in the protocol that nginx speaks here',
    why: 'uwsgi_pass goes to a "socket" of uWSGI and proxy_pass to an "http-socket" or to gunicorn: the two do not fit otherwise.',
  },
  BAD_GATEWAY,
  {
    of: answered(504),
    what: 'answered with 504',
    why:
      'There was no answer within the time of the proxy (nginx: 60 s unless set): the request took longer, or waited in the queue of the server, ' +
      'which goes on working at it for nobody.',
  },
  {
    of: answered(499),
    what: 'the client left before its answer (499)',
    why: 'A person who left the page, or a client whose own time limit was over.',
  },
  {
    of: ({message}) => message === 'apache/truncated',
    what: 'the daemon process closed the connection before it had answered',
    why: 'Most often it was ended in the middle: by a restart of Apache, a time limit of mod_wsgi, a kill or a crash. An answer with more than 32 kB of headers looks the same.',
  },
  {
    of: ({message}) => message === 'apache/timed-out',
    what: 'no answer of the daemon process within socket-timeout (60 s unless set)',
    why: 'The request took longer. The daemon process goes on working at it, for nobody.',
  },
  {
    of: ({message}) => message === 'apache/queue-timed-out',
    what: 'no thread of a daemon process was free within queue-timeout',
    why: 'All were busy: more processes or threads in WSGIDaemonProcess, or faster requests.',
  },
  {
    of: ({message}) => message === 'apache/unreachable',
    what: 'the daemon process could not be reached through its socket',
    why: 'All its threads were busy and listen-backlog (100) was full, it was between its end and its start, or Apache is restarting: a child of the last generation asks for a socket that is gone already.',
  },
];

const FROM_APACHE: ReadonlySet<string> = new Set([
  'apache/truncated',
  'apache/timed-out',
  'apache/queue-timed-out',
  'apache/unreachable',
]);

export function* proxyErrors(timeline: Timeline): Iterable<Finding> {
  yield* errorsOf(timeline, 'nginx', nginxEvents(timeline));
  yield* errorsOf(
    timeline,
    'Apache',
    timeline.events.filter(({message}) => FROM_APACHE.has(message)),
  );
}

/** What one proxy says in one log, and what else is known of it. */
interface Scene {
  readonly proxy: 'nginx' | 'Apache';
  readonly events: readonly LogEvent[];
  /** By what became of them. */
  readonly found: readonly (Kind & {readonly events: readonly LogEvent[]})[];
  /** Of no kind of their own. */
  readonly other: readonly LogEvent[];
  /** Those that an end of a process explains. */
  readonly cuts: readonly Cut[];
  /** Servers that were down when it was written. */
  readonly down: ReadonlyMap<LogEvent, Instance>;
  /** Those that nothing explains. */
  readonly unexplained: readonly LogEvent[];
  /** Reloads and stops into which some fell. */
  readonly hit: readonly Reload[];
  /** How many fell into them. */
  readonly inReloads: number;
  /** Only the access log tells of them. */
  readonly byAccess: boolean;
}

function* errorsOf(timeline: Timeline, proxy: Scene['proxy'], events: readonly LogEvent[]): Iterable<Finding> {
  const scene = sceneOf(timeline, proxy, events);
  const {unexplained, hit, inReloads, byAccess} = scene;
  const lines = evidence(proofs(scene));
  if (!lines) return;
  yield {
    title: byAccess
      ? `The access log has ${count(events.length, 'request')} without a proper answer`
      : `${proxy} could not get ${count(events.length, 'request')} answered by ${proxy === 'nginx' ? 'the server behind it' : 'mod_wsgi'}`,
    severity: events.every(hasLeft) ? 'info' : 'warning',
    message: messageOf(scene),
    confidence: byAccess ? 'likely' : 'certain',
    instance: null,
    reload: only(hit)?.id ?? null,
    pids: [],
    workers: [],
    evidence: lines,
    against: [],
    cannotSee:
      unexplained.length === 0
        ? []
        : [
            proxy === 'nginx'
              ? 'what the server was doing: its own lines of the same second tell'
              : 'what became of the daemon process, unless mod_wsgi says it: it does so at "LogLevel wsgi:info"',
          ],
    fixes: inReloads > 0 && proxy === 'nginx' ? [SERVE_ON] : [],
    next:
      unexplained.length > 0 && proxy === 'nginx'
        ? ["the server's own log in the second of the first of these: a reload, a time limit, a kill, a start?"]
        : [],
    identity: [proxy, 'upstream'],
  };
}

function sceneOf(timeline: Timeline, proxy: Scene['proxy'], events: readonly LogEvent[]): Scene {
  const cuts = cutsIn(timeline).filter(({event, processes}) => processes.length > 0 && events.includes(event));
  const down = downtimes(timeline, events);
  const during = timeline.reloads
    .map((reload) => ({reload, within: events.filter((event) => isWithin(timeline, event, reload))}))
    .filter(({within}) => within.length > 0);
  return {
    proxy,
    events,
    found: KINDS.map((kind) => ({...kind, events: events.filter(kind.of)})).filter((each) => each.events.length > 0),
    other: events.filter((event) => !KINDS.some((kind) => kind.of(event))),
    cuts,
    down,
    unexplained: events.filter((event) => !cuts.some((cut) => cut.event === event) && !down.has(event)),
    hit: during.map(({reload}) => reload),
    inReloads: unique(during.flatMap(({within}) => within)).length,
    byAccess: events.every(isAccess),
  };
}

function proofs({found, other, cuts}: Scene): Evidence[] {
  const kinds = [...found, {what: UNREACHED, events: other}];
  return kinds.flatMap(({what, events}) => [
    ...unique([events[0], events.at(-1)]).flatMap((event) => (event === undefined ? [] : [proof(event, what)])),
    ...cuts
      .filter(({event}) => events.includes(event))
      .slice(0, 2)
      .flatMap(({event, processes}) => [proof(event, what), ...processes.slice(0, 2).flatMap((process) => endOf(process))]),
  ]);
}

const UNREACHED = 'the server could not be reached';

function messageOf(scene: Scene): string {
  const {proxy, events, found, other, hit, inReloads, byAccess} = scene;
  const paths = pathsOf(events);
  const into = only(hit)?.id ?? `${hit.length} reloads and stops`;
  return sentences(
    ...found.map((kind) => kindText(scene, kind)),
    other.length > 0 && `${count(other.length, 'request')}: ${UNREACHED}.`,
    found.length + Math.sign(other.length) === 1 && paths.length > 0 && `The paths: ${list(paths, 4)}.`,
    !byAccess &&
      (proxy === 'nginx'
        ? 'That their clients got an error (502 or 504), or that nginx asked another server, is proved.'
        : 'That their clients got an error is proved.'),
    inReloads > 0 && `${inReloads === events.length ? 'All' : inReloads} of them fell into ${into}, by the times of both logs.`,
  );
}

function kindText({found, cuts, down, unexplained}: Scene, {what, why, events}: Scene['found'][number]): string {
  const whoEnded = told(cuts.filter(({event}) => events.includes(event)));
  const isAll = events.every((event) => !unexplained.includes(event));
  const paths = pathsOf(events);
  const named = found.length > 1 && paths.length > 0 ? ` (${list(paths, 4)})` : '';
  return sentences(`${count(events.length, 'request')}${named}: ${what}.`, whoEnded, downText(events, down), !isAll && why);
}

function pathsOf(events: readonly LogEvent[]): string[] {
  return unique(events.flatMap(({fields}) => (fields['uri'] === undefined ? [] : [String(fields['uri']).replace(/\?.*/, '')])));
}

/** Whose requests these were, as far as the moment tells. */
function told(cuts: readonly Cut[]): string | null {
  if (cuts.length === 0) return null;
  const sole = cuts.filter(({isEach}) => isEach);
  const workers = unique(sole.flatMap(({processes}) => processes));
  const named = workers.filter((process) => sole.some(({event}) => namesIt(process, event)));
  const open = cuts.filter(({isEach}) => !isEach);
  return sentences(
    workers.length > 0 &&
      `In that second ${list(
        workers.map((process) => `${nameOf(process)} ${howOf(process)}`),
        3,
      )}, and no other worker was ended then: ` +
        (named.length === workers.length
          ? 'both logs name the request.'
          : `most likely ${workers.length === 1 ? 'it' : 'they'} had ${sole.length === 1 ? 'the request' : 'these requests'}.`),
    open.length > 0 &&
      `${list(unique(open.flatMap(({processes}) => processes)).map(nameOf), 4)} were ended ` +
        `in the second of ${open.length === 1 ? 'one' : open.length} of these: which of them had the request is not told.`,
  );
}

function namesIt({remarks}: Process, {fields}: LogEvent): boolean {
  if (fields['uri'] === undefined) return false;
  return remarks.some(
    (remark) => (isRunningRequest(remark) || remark.meaning.kind === 'request-error') && remark.fields['uri'] === fields['uri'],
  );
}

function howOf({forced, end, signal}: Process): string {
  switch (end === 'forced' ? forced?.deadline : null) {
    case 'harakiri':
      return 'was ended by harakiri';
    case 'mercy':
      return 'was killed at the end of the mercy';
    case 'timeout':
      return 'was ended by timeout';
    case 'stop-timeout':
      return forced?.event.message.startsWith('gunicorn/')
        ? 'was ended at the end of graceful_timeout'
        : 'was ended because its time to leave was over';
    default:
      return end === 'crashed' ? 'crashed' : signal === null ? 'was killed' : `was killed by signal ${signal}`;
  }
}

function endOf(process: Process) {
  const line = process.forced?.event ?? process.ended;
  return line ? [proof(line, `${nameOf(process)} ${howOf(process)}`)] : [];
}

/** Who was down when nginx found nobody: it had been stopped before, and no later start stands in between. */
function downtimes(timeline: Timeline, events: readonly LogEvent[]): ReadonlyMap<LogEvent, Instance> {
  const found = new Map<LogEvent, Instance>();
  for (const event of events.filter((each) => REFUSED.of(each) || NO_SOCKET.of(each) || BAD_GATEWAY.of(each))) {
    const instance = timeline.instances.findLast((each) => {
      const {stopped} = each;
      return stopped !== null && !isElsewhere(event, each) && isComparable(event, stopped, timeline) && isBy(stopped, event);
    });
    if (instance && !timeline.instances.some((other) => startsBetween(timeline, other, instance, event)))
      found.set(event, instance);
  }
  return found;
}

function isBy(stopped: LogEvent, event: LogEvent): boolean {
  return stopped.at.earliest !== null && event.at.latest !== null && stopped.at.earliest <= event.at.latest;
}

function startsBetween(timeline: Timeline, other: Instance, stopped: Instance, event: LogEvent): boolean {
  if (other === stopped || other.supervisor !== stopped.supervisor) return false;
  const begins = other.epochs.flatMap(({banner, master}) => banner ?? master ?? []);
  return begins.some((start) => isComparable(event, start, timeline) && (start.at.earliest === null || isBy(start, event)));
}

function downText(own: readonly LogEvent[], down: ReadonlyMap<LogEvent, Instance>): string | null {
  const hit = own.flatMap((event) => down.get(event) ?? []);
  const names = unique(hit).map(({id}) => id);
  if (names.length === 0) return null;
  const subject = hit.length === own.length ? (own.length === 1 ? 'It' : 'They') : `${hit.length} of them`;
  return `${subject} came when ${list(names)} had been stopped and nobody had taken its place.`;
}

const SERVE_ON: Fix = {
  ...NO_SETTING,
  safety: 'safe',
  effect: 'somebody takes requests at any time of a reload',
  why: 'Reload so that old workers serve until new ones are ready (uWSGI: a chain reload with lazy-apps; gunicorn: USR2, then TERM to the old arbiter), and let nginx try another server (proxy_next_upstream) where there is one.',
};

/** Only clocks that are told in the same zone, or both in none, can be compared. */
function isWithin(timeline: Timeline, event: LogEvent, {began, ended}: Reload): boolean {
  if (!isComparable(event, began, timeline)) return false;
  const {at} = event;
  const from = began.at.earliest;
  const to = ended?.at.latest ?? ended?.at.earliest ?? null;
  return at.earliest !== null && at.latest !== null && from !== null && to !== null && at.earliest >= from && at.latest <= to;
}
