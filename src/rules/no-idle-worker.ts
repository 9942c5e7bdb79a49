import {type LogEvent, speakerOf} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {type Answering, answeringDuring, TOO_SHORT} from './answering.ts';
import {instanceOfEvent} from './line-owners.ts';
import {type Finding, type Fix, NO_PROCESS, type Rule} from './rule.ts';
import {count, evidence, list, proof, seconds, sentences, unique, was} from './wording.ts';

const SHOWS: Readonly<Record<string, string>> = {
  'php-fpm/max-children': 'no further child may be started',
  'php-fpm/pool-busy': 'no child is idle',
  'apache/max-workers': 'no further child may be started, or ending ones hold the places',
  'waitress/queue-depth': 'requests wait for a thread',
  'uwsgi/busyness-exhausted': 'no further worker may be started',
  'uwsgi/busyness-emergency': 'requests wait in the queue',
};

const FULL: ReadonlySet<string> = new Set(['php-fpm/max-children', 'uwsgi/busyness-exhausted', 'apache/max-workers']);

const rule: Rule = {
  id: 'no-idle-worker',
  title: 'All workers that are allowed were busy: requests had to wait',
  severity: 'warning',
  docs: {
    sees:
      "Lines of php-fpm about pm.max_children and a busy pool; those of uWSGI's busyness algorithm that no more workers may be " +
      'started, or that requests wait in the queue; those of Apache about MaxRequestWorkers and a full scoreboard; those of waitress about its queue.',
    why:
      'A server that scales starts workers up to a limit. Once all are busy, requests wait in the queue of the socket, and beyond ' +
      'a certain length they are refused: the proxy answers 502 or 504.',
    remedy:
      'Find out first whether the workers are busy or held: a slow database or a call without a time limit fills any number of ' +
      'them. Then raise the limit, as far as memory allows.',
    limits:
      'How many requests waited, and for how long, the lines do not tell. Without request lines (disable-logging, php-fpm) busy ' +
      'workers and held ones look alike.',
    references: [
      'https://www.php.net/manual/en/install.fpm.configuration.php#pm.max-children',
      'https://uwsgi-docs.readthedocs.io/en/latest/Cheaper.html',
    ],
  },
  needs: {
    messages: Object.keys(SHOWS),
    otherwise: 'no line tells of workers that were all busy',
  },
  *check(timeline) {
    const told = timeline.events.filter(({message}) => message in SHOWS);
    const poolOf = ({message, stream, fields}: LogEvent) => `${speakerOf(message)} ${stream ?? ''} ${fields.pool ?? ''}`;
    for (const group of groupBy(told, poolOf).values()) {
      yield describe(timeline, group);
    }
  },
};

export default rule;

/** What the workers did from the first line to the last: they answered, none did for most of the time, or no line tells. */
type Doing = 'answering' | 'held' | 'open';

function doingOf(timeline: Timeline, lines: readonly [LogEvent, ...LogEvent[]]): {readonly doing: Doing} & Answering {
  const answering = answeringDuring(lines);
  const logsRequests = timeline.instances.some(({processes}) => processes.some(({requests}) => requests > 0));
  const isOpen =
    !logsRequests ||
    !lines[0].message.startsWith('uwsgi/') ||
    lines.length < 2 ||
    (answering.served === 0 && answering.least < TOO_SHORT);
  return {doing: isOpen ? 'open' : answering.isHeld ? 'held' : 'answering', ...answering};
}

function describe(timeline: Timeline, group: readonly [LogEvent, ...LogEvent[]]): Finding | null {
  const [first] = group;
  const full = group.filter(({message}) => FULL.has(message));
  const shown = unique([first, full[0], group.at(-1)]).filter((event) => event !== undefined);
  const lines = evidence(shown.map((event) => proof(event, SHOWS[event.message] ?? 'no worker is idle')));
  if (!lines) return null;
  const server = SERVERS[speakerOf(first.message)] ?? UWSGI;
  const limits = unique(full.map(({fields}) => fields.value ?? fields.limit).filter((value) => value !== undefined)).map(String);
  const pool = first.fields.pool === undefined ? '' : ` of the pool ${first.fields.pool}`;
  const {doing, served, least, silent} = doingOf(timeline, [first, ...group.slice(1)]);
  return {
    title:
      full.length > 0
        ? rule.title
        : server.id === 'waitress'
          ? 'Requests waited for a thread'
          : `No ${server.worker}${pool} was idle: more were started in haste`,
    severity: full.length > 0 ? 'warning' : 'info',
    message: sentences(
      `${server.name} says ${count(group.length, 'time')} that no ${server.worker}${pool} was idle` +
        `${full.length > 0 ? `, and ${full.length === group.length ? 'each time' : `${full.length} times`} that ${server.limit}${limits.length > 0 ? ` (${list(limits)})` : ''} was reached` : ''}.`,
      'That is proved.',
      {
        answering: `Meanwhile ${count(served, 'request')} ${was(served)} answered${least > 0 ? ` in at least ${seconds(least)}` : ''}: more came in than the workers could take.`,
        held: `For at least ${seconds(silent)} of it not one request was answered: the workers were held by something, or their requests take that long.`,
        open: 'Whether they were busy with more requests than usual or held by something slow, no line tells.',
      }[doing],
    ),
    confidence: doing === 'open' ? 'possible' : 'likely',
    instance: instanceOfEvent(timeline, first)?.id ?? null,
    ...NO_PROCESS,
    evidence: lines,
    against: [
      ...(doing === 'held'
        ? []
        : [
            {
              hypothesis: 'workers that are held (a slow database, a call without a time limit)',
              because:
                doing === 'answering'
                  ? 'requests were answered all the time; each may still have been slower than usual'
                  : 'nothing here speaks against it',
              line: null,
            },
          ]),
      ...(doing === 'answering'
        ? []
        : [
            {
              hypothesis: 'more requests than usual',
              because: doing === 'held' ? 'they would be answered, if late' : 'nothing here speaks against it either',
              line: null,
            },
          ]),
    ],
    cannotSee: ['how many requests waited, and for how long', ...(doing === 'answering' ? [] : ['what the workers were doing'])],
    fixes: doing === 'answering' ? server.fixes.toReversed() : server.fixes,
    next: server.next,
    identity: [server.id, String(first.fields.pool ?? ''), 'no idle worker'],
  };
}

const PHP_FIXES: readonly Fix[] = [
  {
    setting: 'request_terminate_timeout',
    section: null,
    value: null,
    effect: 'a request that hangs no longer keeps its child',
    since: null,
    safety: 'may-cut-requests',
    why: 'Above the longest request that is meant to succeed. Time limits on calls to other systems come before it.',
  },
  {
    setting: 'pm.max_children',
    section: null,
    value: null,
    effect: 'more requests at the same time',
    since: null,
    safety: 'safe',
    why: 'At most (memory for PHP / memory of one child): ps -o rss= -C php-fpm shows the latter.',
  },
];

const UWSGI_FIXES: readonly Fix[] = [
  {
    setting: 'harakiri',
    section: 'uwsgi',
    value: null,
    effect: 'a request that hangs no longer keeps its worker, and the log names it',
    since: null,
    safety: 'may-cut-requests',
    why: 'Above the longest request that is meant to succeed. Time limits on calls to other systems come before it.',
  },
  {
    setting: 'processes',
    section: 'uwsgi',
    value: null,
    effect: 'more requests at the same time',
    since: null,
    safety: 'safe',
    why: 'Where processor and memory have room; a memory limit of cheaper (cheaper-rss-limit-soft) may be what stops it.',
  },
];

const APACHE_FIXES: readonly Fix[] = [
  {
    setting: 'MaxRequestWorkers',
    section: null,
    value: null,
    effect: 'more connections at the same time',
    since: null,
    safety: 'safe',
    why: 'With ServerLimit, as far as memory allows. It helps only where the application behind has threads to spare: else the queue moves there.',
  },
];

const WAITRESS_FIXES: readonly Fix[] = [
  {
    setting: 'threads',
    section: null,
    value: null,
    effect: 'more requests at the same time',
    since: null,
    safety: 'safe',
    why: '4 unless set. It helps only where requests wait for other systems and not for the processor.',
  },
];

interface Server {
  readonly id: string;
  readonly name: string;
  readonly worker: string;
  /** What was reached. */
  readonly limit: string;
  readonly fixes: readonly Fix[];
  readonly next: readonly string[];
}

const UWSGI: Server = {
  id: 'uwsgi',
  name: 'uWSGI',
  worker: 'worker',
  limit: 'workers (processes)',
  fixes: UWSGI_FIXES,
  next: ['py-spy dump --pid <worker>   # while it happens: what the workers wait for'],
};

const SERVERS: Readonly<Record<string, Server>> = {
  'php-fpm': {
    id: 'php-fpm',
    name: 'php-fpm',
    worker: 'child',
    limit: 'pm.max_children',
    fixes: PHP_FIXES,
    next: [
      'pm.status_path: active processes, listen queue and max children reached, while it happens',
      'request_slowlog_timeout and slowlog: the stack of whatever takes long',
    ],
  },
  waitress: {
    id: 'waitress',
    name: 'waitress',
    worker: 'thread',
    limit: 'threads',
    fixes: WAITRESS_FIXES,
    next: ['py-spy dump --pid <waitress>   # while it happens: what the threads wait for'],
  },
  apache: {
    id: 'apache',
    name: 'Apache',
    worker: 'worker',
    limit: 'MaxRequestWorkers or the scoreboard',
    fixes: APACHE_FIXES,
    next: [
      'mod_status (/server-status) while it happens: W is a request at work, G a child that ends and holds its place (after graceful restarts)',
    ],
  },
};
