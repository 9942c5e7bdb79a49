import {thousands} from '../number.ts';
import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Reload, Timeline} from '../timeline/timeline.ts';
import {instanceOfEvent} from './deaths.ts';
import type {Finding, Fix, Rule, Severity} from './rule.ts';
import {numberOf} from './settings.ts';
import {count, evidence, instanceName, kindOf, list, occasions, proof, seconds, sentences, unique} from './wording.ts';

/** Seconds without an overflow line after which the next one is another episode: uWSGI prints one a second. */
const GAP = 30;
/** Seconds without any answer that make an overflow an outage. */
const OUTAGE = 30;
/** Seconds below which it is no wonder that no request ended. */
const TOO_SHORT = 3;
/** A queue cannot hold many times its limit: such numbers are read wrongly from the system. */
const BOGUS = 10;

/** `stall`: nothing was answered meanwhile. `burst`: requests were answered all the time. `open`: the log does not tell. */
type Kind = 'stall' | 'burst' | 'open';

interface Episode {
  readonly lines: readonly LogEvent[];
  readonly kind: Kind;
  /** Seconds from its first to its last line. */
  readonly least: number;
  readonly served: number;
  readonly reload: Reload | null;
}

const rule: Rule = {
  id: 'listen-queue-full',
  title: 'The listen queue was full: connections were refused or kept waiting',
  severity: 'warning',
  docs: {
    sees:
      'Lines that say that the listen queue of a socket is full, grouped into episodes, and whether requests were answered ' +
      'between the first and the last line of each.',
    why:
      'New connections wait in a queue of the kernel until a worker takes them. When it is full, clients hang or are refused. ' +
      'Far more often than by traffic it fills because the workers stopped taking anything: they wait for a database, or are ' +
      'being replaced. A longer queue only helps a burst; before a stall it only makes the waiting longer.',
    remedy:
      'Stall: find what the workers wait for (py-spy dump, harakiri, time limits on calls), or shorten the reload that ' +
      'emptied them. Burst: more workers or threads, then a longer queue (listen and net.core.somaxconn).',
    limits:
      'The master looks once a second and only at TCP sockets on Linux: shorter overflows leave no line. Without request lines ' +
      '(disable-logging) a stall and a burst look alike.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#listen',
      'unbit/uwsgi#2250',
      'getsentry/self-hosted#1573',
    ],
  },
  settings: ['listen'],
  needs: {
    messages: [
      'uwsgi/listen-queue-full',
      'uwsgi/starting',
      'uwsgi/worker-spawned',
      'uwsgi/master-spawned',
      'uwsgi/worker-respawned',
    ],
    otherwise: 'no line of a uWSGI master is in this log: only the master tells of a full queue',
  },
  *check(timeline) {
    const sockets = new Map<string, LogEvent[]>();
    for (const event of timeline.events) {
      if (event.meaning.kind !== 'listen-queue-full' || isBogus(event)) continue;
      const instance = instanceOfEvent(timeline, event);
      const key = instance?.id ?? `${event.input} ${event.stream ?? ''}`;
      const same = sockets.get(key);
      if (same) same.push(event);
      else sockets.set(key, [event]);
    }
    for (const events of sockets.values()) {
      const finding = describe(timeline, events);
      if (finding) yield finding;
    }
  },
};

export default rule;

/** Under emulation the numbers are read from the wrong place: 74256320/64. */
function isBogus({fields}: LogEvent): boolean {
  const [queued, limit] = [Number(fields.queued), Number(fields.limit)];
  return limit === 0 || queued > limit * BOGUS;
}

function episodesOf(timeline: Timeline, instance: Instance | null, events: readonly LogEvent[]): Episode[] {
  const groups: LogEvent[][] = [];
  for (const event of events) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    if (last && last.input === event.input && between(last.at, event.at).min <= GAP) group?.push(event);
    else groups.push([event]);
  }
  const logsRequests = timeline.instances.some(({processes}) => processes.some(({requests}) => requests > 0));
  return groups.map((lines): Episode => {
    const [first, last] = [lines[0] as LogEvent, lines.at(-1) as LogEvent];
    const served = last.served - first.served;
    const least = between(first.at, last.at).min;
    const kind = !logsRequests || lines.length < 2 ? 'open' : served > 0 ? 'burst' : least < TOO_SHORT ? 'open' : 'stall';
    const reload = timeline.reloads.find(
      (each) =>
        (instance === null || each.instance === instance.id) &&
        precedes(each.began, last) &&
        (each.ended === null ? each.outcome === 'unfinished' : precedes(first, each.ended)),
    );
    return {lines, kind, least, served, reload: reload ?? null};
  });
}

/** In which all workers leave before the next are there. */
const EMPTYING: ReadonlySet<Reload['kind']> = new Set(['graceful', 'brutal', 'stop']);

function describe(timeline: Timeline, events: readonly LogEvent[]): Finding | null {
  const [first] = events;
  if (!first) return null;
  const instance = instanceOfEvent(timeline, first);
  const episodes = episodesOf(timeline, instance, events);
  const of = (kind: Kind) => episodes.filter((episode) => episode.kind === kind);
  const [stalls, bursts, open] = [of('stall'), of('burst'), of('open')];
  const longest = Math.max(0, ...stalls.map(({least}) => least));
  const severity: Severity = longest >= OUTAGE ? 'error' : 'warning';
  const reloads = unique(episodes.map(({reload}) => reload).filter((reload) => reload !== null));
  const most = events.reduce((max, event) => (Number(event.fields.queued) > Number(max.fields.queued) ? event : max), first);
  const [only] = reloads;
  const ordered = [...episodes].sort((a, b) => b.least - a.least);
  const lines = evidence([
    ...ordered
      .slice(0, 4)
      .flatMap(({lines: own}) => [
        proof(own[0] as LogEvent, `the queue is full: ${figures(own[0] as LogEvent)}`),
        ...(own.length > 1
          ? [proof(own.at(-1) as LogEvent, `the last line of this overflow: ${figures(own.at(-1) as LogEvent)}`)]
          : []),
      ]),
    ...(only ? [proof(only.began, `a ${kindOf(only)} was under way`)] : []),
  ]);
  if (!lines) return null;
  const kind: Kind = stalls.length > 0 ? 'stall' : bursts.length > 0 ? 'burst' : 'open';
  // Workers that have been told to leave take no request: that is enough to explain it.
  const byReload = kind === 'open' && episodes.every(({reload}) => reload !== null && EMPTYING.has(reload.kind));
  return {
    title: byReload
      ? 'The listen queue was full while a reload left no worker to take requests'
      : {
          stall: 'The listen queue was full while no request was answered',
          burst: 'The listen queue was full under load',
          open: rule.title,
        }[kind],
    message: sentences(
      `The listen queue overflowed ${episodes.length === 1 ? 'once' : `${episodes.length} times`} (${count(events.length, 'line')}; ` +
        `at most ${figures(most)}).`,
      stalls.length > 0 &&
        `${stalls.length === episodes.length ? 'Meanwhile' : `In ${stalls.length} of them`} not one request was answered` +
          `${longest > 0 ? `, for at least ${seconds(longest)}` : ''}: the workers had stopped taking requests. More traffic is not the cause.`,
      bursts.length > 0 &&
        `${bursts.length === episodes.length ? 'Meanwhile' : `In ${bursts.length} of them`} requests were answered all the time ` +
          `(${thousands(bursts.reduce((sum, {served}) => sum + served, 0))}): more came in than the workers could take.`,
      open.length > 0 &&
        (open.every(({least}) => least < TOO_SHORT)
          ? `${open.length === episodes.length ? 'It was' : `${open.length} of them were`} too short to tell whether requests were answered meanwhile.`
          : 'This log has no request lines that would tell a stall (workers blocked) from a burst (too much traffic).'),
      reloads.length > 0 &&
        `It fell into ${list(reloads.slice(0, 1).map((reload) => `a ${kindOf(reload)}`))}${
          reloads.length > 1 ? ` (of ${occasions(reloads)} in all)` : ''
        }: no worker takes requests between the end of the old ones and the start of the new ones.`,
      'That the queue was full is proved.',
    ),
    severity,
    confidence: kind === 'stall' ? 'certain' : kind === 'burst' || byReload ? 'likely' : 'possible',
    instance: instance?.id ?? null,
    reload: reloads.length === 1 && only ? only.id : null,
    pids: [],
    workers: [],
    evidence: lines,
    against:
      kind === 'stall'
        ? [
            {
              hypothesis: 'a burst of traffic',
              because: 'a burst is answered, if late; here nothing was answered meanwhile',
              line: null,
            },
          ]
        : kind === 'burst'
          ? [
              {
                hypothesis: 'workers that are blocked',
                because: 'requests were answered all the time; some workers may still have been blocked, and the rest too few',
                line: null,
              },
            ]
          : [
              {
                hypothesis: 'workers that are blocked',
                because: byReload
                  ? 'they may have been before; the reload is enough to explain it'
                  : 'the more frequent cause; nothing here speaks against it',
                line: null,
              },
              {
                hypothesis: 'a burst of traffic',
                because: byReload ? 'it fell into the reload' : 'nothing here speaks against it either',
                line: null,
              },
            ],
    cannotSee: [
      'how many clients were refused or gave up: the proxy counts them (502, 504, "connect() failed")',
      ...(kind === 'burst' ? [] : ['what the workers were waiting for']),
    ],
    fixes: fixesFor(
      instance,
      kind,
      reloads.length > 0,
      stalls.length > 0 && stalls.every(({reload}) => reload !== null && EMPTYING.has(reload.kind)),
    ),
    next: [
      ...(kind === 'burst' ? [] : ['py-spy dump --pid <worker>   # while it happens: shows what the workers wait for']),
      'ss -ltn   # Recv-Q of the socket: what waits now, Send-Q: the limit',
      ...(kind === 'open'
        ? ['switch the request lines on (no disable-logging), or ask the proxy how many requests it got answered']
        : []),
    ],
    identity: [instance ? instanceName(instance) : 'uwsgi', 'queue'],
  };
}

function figures({fields}: LogEvent): string {
  return `${fields.queued} of ${fields.limit}`;
}

/** `isExplained`: each stall fell into a reload, so that no request need have held the workers. */
function fixesFor(instance: Instance | null, kind: Kind, inReload: boolean, isExplained: boolean): Fix[] {
  const limit = instance === null ? null : numberOf(instance, 'listen');
  const longer: Fix = {
    setting: 'listen',
    section: 'uwsgi',
    value: null,
    effect: `more connections wait in place of being refused${limit === null ? '' : ` (now ${limit})`}; none is answered sooner`,
    since: null,
    safety: 'safe',
    why: 'Raise net.core.somaxconn first, in the same container: uWSGI does not start with a listen above it.',
  };
  const unblock: Fix = {
    setting: 'harakiri',
    section: 'uwsgi',
    value: null,
    effect: 'a worker that hangs in a request is replaced after that time, and the log names the request',
    since: null,
    safety: 'may-cut-requests',
    why: 'Choose it above the longest request that is meant to succeed. Time limits on database and HTTP calls come before it.',
  };
  const workers: Fix = {
    setting: 'processes',
    section: 'uwsgi',
    value: null,
    effect: 'more requests at the same time',
    since: null,
    safety: 'safe',
    why: 'Where processor and memory have room. threads does the same for work that waits.',
  };
  const chain: Fix = {
    setting: 'touch-chain-reload',
    section: 'uwsgi',
    value: null,
    effect: 'with lazy-apps, the other workers take requests while one is replaced',
    since: null,
    safety: 'safe',
    why: 'A full reload leaves nobody to take requests until the new generation has loaded the application.',
  };
  if (kind === 'burst') return [workers, ...(inReload ? [chain] : []), longer];
  return [...(inReload ? [chain] : []), ...(isExplained ? [] : [unblock]), ...(kind === 'open' ? [workers] : []), longer];
}
