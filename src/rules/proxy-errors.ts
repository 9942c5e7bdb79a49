/** Requests that nginx could not get answered by the server behind it. Told by the rule platform-errors. */
import type {LogEvent} from '../timeline/event.ts';
import type {Reload, Timeline} from '../timeline/timeline.ts';
import type {Finding, Fix} from './rule.ts';
import {count, evidence, list, proof, sentences, unique} from './wording.ts';

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

const KINDS: readonly Kind[] = [
  {
    of: ({message, fields}) => message === 'nginx/timed-out' && fields['phase'] !== 'connecting to upstream',
    what: 'no answer within the time of nginx (proxy_read_timeout, uwsgi_read_timeout: 60 s unless set)',
    why: 'The request took longer, or waited in the queue of the server. The server goes on working at it, for nobody.',
  },
  {
    of: ({message}) => message === 'nginx/closed',
    what: 'the connection was closed in the middle',
    why:
      'Most often the worker that had the request was ended: by a time limit of the server (harakiri, WORKER TIMEOUT), a reload, a kill or ' +
      'a crash. A server also hangs up on a request larger than its buffer (uWSGI buffer-size) and on one in another protocol than its own.',
  },
  {
    of: failedWith(111),
    what: 'the connection was refused',
    why: 'Nobody listened on the address: the server was down, between its stop and its start, or listens elsewhere.',
  },
  {
    of: failedWith(2),
    what: 'the socket file was not there',
    why: 'A server that ends removes its socket (uWSGI with vacuum); one that has not started has made none yet; or it is another path.',
  },
  {
    of: failedWith(11),
    what: 'the listen queue of the socket was full',
    why: 'All workers were busy or gone, and more connections waited than listen (uWSGI) or backlog (gunicorn) allow.',
  },
  {
    of: ({message}) => message === 'nginx/no-live-upstreams',
    what: 'nginx had set all servers aside',
    why: 'After max_fails errors it asks a server no more for fail_timeout (10 s unless set): the errors before these tell why.',
  },
];

export function* proxyErrors(timeline: Timeline): Iterable<Finding> {
  const events = timeline.events.filter(({message}) => message.startsWith('nginx/'));
  const found = KINDS.map((kind) => ({...kind, events: events.filter(kind.of)})).filter((kind) => kind.events.length > 0);
  const other = events.filter((event) => !KINDS.some((kind) => kind.of(event)));
  const lines = evidence(
    [
      ...found.map((kind) => ({what: kind.what, events: kind.events})),
      {what: 'the server could not be reached', events: other},
    ].flatMap((kind) =>
      unique([kind.events[0], kind.events.at(-1)]).flatMap((event) => (event === undefined ? [] : [proof(event, kind.what)])),
    ),
  );
  if (!lines) return;
  const during = timeline.reloads.map((reload) => ({
    reload,
    within: events.filter((event) => isWithin(event, reload, timeline.inputs)),
  }));
  const hit = during.filter(({within}) => within.length > 0);
  const inReloads = unique(hit.flatMap(({within}) => within)).length;
  const paths = unique(
    events.flatMap(({fields}) => (fields['uri'] === undefined ? [] : [String(fields['uri']).replace(/\?.*/, '')])),
  );
  const [only] = hit;
  yield {
    title: `nginx could not get ${count(events.length, 'request')} answered by the server behind it`,
    severity: 'warning',
    message: sentences(
      ...found.map(({what, why, events: own}) => `${count(own.length, 'request')}: ${what}. ${why}`),
      other.length > 0 && `${count(other.length, 'request')}: the server could not be reached.`,
      paths.length > 0 && `The paths: ${list(paths, 4)}.`,
      'That their clients got an error (502 or 504), or that nginx asked another server, is proved.',
      inReloads > 0 &&
        `${inReloads === events.length ? 'All' : inReloads} of them fell into ${hit.length === 1 && only ? only.reload.id : `${hit.length} reloads and stops`}, by the times of both logs.`,
    ),
    confidence: 'certain',
    instance: null,
    reload: hit.length === 1 && only ? only.reload.id : null,
    pids: [],
    workers: [],
    evidence: lines,
    against: [],
    cannotSee: ['what the server was doing: its own lines of the same second tell'],
    fixes: inReloads > 0 ? [SERVE_ON] : [],
    next: ["the server's own log in the second of the first of these: a reload, a time limit, a kill, a start?"],
    identity: ['nginx', 'upstream'],
  };
}

const SERVE_ON: Fix = {
  setting: null,
  section: null,
  value: null,
  since: null,
  safety: 'safe',
  effect: 'somebody takes requests at any time of a reload',
  why: 'Reload so that old workers serve until new ones are ready (uWSGI: a chain reload with lazy-apps; gunicorn: USR2, then TERM to the old arbiter), and let nginx try another server (proxy_next_upstream) where there is one.',
};

/** Only clocks that are told in the same zone, or both in none, can be compared. */
function isWithin({at, input}: LogEvent, {began, ended}: Reload, inputs: Timeline['inputs']): boolean {
  if (input !== began.input && inputs[input]?.zone !== inputs[began.input]?.zone) return false;
  const from = began.at.earliest;
  const to = ended?.at.latest ?? ended?.at.earliest ?? null;
  return at.earliest !== null && at.latest !== null && from !== null && to !== null && at.earliest >= from && at.latest <= to;
}
