import {greatest} from '../extremes.ts';
import {thousands} from '../number.ts';
import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {precedes} from '../timeline/lookup.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Reload, Timeline} from '../timeline/timeline.ts';
import {answeringDuring, TOO_SHORT} from './answering.ts';
import {pausesIn} from './instance-paused.ts';
import {instanceOfEvent} from './line-owners.ts';
import type {Alternative, Evidence, Finding, Fix, Rule} from './rule.ts';
import {loading, numberOf} from './settings.ts';
import {count, evidence, instanceName, kindOf, list, occasions, only, proof, seconds, sentences, unique} from './wording.ts';

/** Seconds without an overflow line after which the next one is another episode: uWSGI prints one a second. */
const GAP = 30;
/** Seconds without any answer that make an overflow an outage. */
const OUTAGE = 30;
/** A queue cannot hold many times its limit: such numbers are read wrongly from the system. */
const BOGUS = 10;

/**
 * `loading`: all workers were still loading the application. `stall`: nothing was answered, or for most of the time nothing.
 * `burst`: requests were answered all the time. `open`: the log does not tell.
 */
type Kind = 'loading' | 'stall' | 'burst' | 'open';

interface Episode {
  readonly lines: readonly LogEvent[];
  readonly kind: Kind;
  /** Seconds from its first to its last line. */
  readonly least: number;
  /** The longest time in seconds in which no request was answered, at least. */
  readonly silent: number;
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
    const paused = new Set(pausesIn(timeline).flatMap(({overflows}) => overflows));
    const full = timeline.events.filter(
      (event) => event.meaning.kind === 'listen-queue-full' && !isBogus(event) && !paused.has(event),
    );
    const ownerOf = (event: LogEvent) => instanceOfEvent(timeline, event)?.id ?? `${event.input} ${event.stream ?? ''}`;
    for (const events of groupBy(full, ownerOf).values()) {
      yield describe(timeline, events);
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
    const {served, least, silent, isHeld} = answeringDuring([first, ...lines.slice(1)]);
    const kind = isLoading(instance, first, last)
      ? 'loading'
      : !logsRequests || lines.length < 2 || (served === 0 && least < TOO_SHORT)
        ? 'open'
        : isHeld
          ? 'stall'
          : 'burst';
    const reload = timeline.reloads.find(
      (each) =>
        (instance === null || each.instance === instance.id) &&
        precedes(each.began, last) &&
        (each.ended === null ? each.outcome === 'unfinished' : precedes(first, each.ended)),
    );
    return {lines, kind, least, silent, served, reload: reload ?? null};
  });
}

/** lazy-apps: each worker that was there loaded the application only later. */
function isLoading(instance: Instance | null, first: LogEvent, last: LogEvent): boolean {
  const workers = (instance?.processes ?? []).filter(
    ({role, started, ended}) =>
      role === 'worker' && (started === null || precedes(started, first)) && (ended === null || precedes(first, ended)),
  );
  return (
    instance !== null &&
    workers.length > 0 &&
    loading(instance) === 'lazy-apps' &&
    workers.every(
      ({started, appLoaded, requests}) => started !== null && (appLoaded ? precedes(last, appLoaded) : requests === 0),
    )
  );
}

/** In which all workers leave before the next are there. */
const EMPTYING: ReadonlySet<Reload['kind']> = new Set(['graceful', 'brutal', 'stop']);

/** Every overflow of one queue. */
interface Scene {
  readonly instance: Instance | null;
  readonly events: readonly [LogEvent, ...LogEvent[]];
  readonly episodes: readonly Episode[];
  /** What is said of the queue as a whole: of its worst episodes. */
  readonly kind: Kind;
  readonly reloads: readonly Reload[];
  /** Seconds without any answer, in the longest of them. */
  readonly longest: number;
  /** Some requests were answered before or after a stall, while the queue was still full. */
  readonly isMixed: boolean;
  /** Each fell into a reload that leaves no worker to take requests. */
  readonly byReload: boolean;
}

function describe(timeline: Timeline, events: readonly [LogEvent, ...LogEvent[]]): Finding | null {
  const scene = sceneOf(timeline, events);
  const {instance, episodes, kind, reloads, longest, isMixed, byReload} = scene;
  const lines = evidence(proofs(scene));
  if (!lines) return null;
  // Workers that have been told to leave take no request: that is enough to explain it.
  const isSure = kind === 'loading' || (kind === 'stall' && !isMixed);
  const isTold = kind === 'burst' || kind === 'loading';
  const stalls = of(episodes, 'stall');
  return {
    title: byReload ? 'The listen queue was full while a reload left no worker to take requests' : titleOf(kind, isMixed),
    message: messageOf(scene),
    severity: longest >= OUTAGE ? 'error' : 'warning',
    confidence: isSure ? 'certain' : kind === 'open' && !byReload ? 'possible' : 'likely',
    instance: instance?.id ?? null,
    reload: only(reloads)?.id ?? null,
    pids: [],
    workers: [],
    evidence: lines,
    against: AGAINST[kind](byReload),
    cannotSee: [
      'how many clients were refused or gave up: the proxy counts them (502, 504, "connect() failed")',
      ...(isTold ? [] : ['what the workers were waiting for']),
    ],
    fixes: fixesFor(instance, kind, reloads.length > 0, stalls.length > 0 && stalls.every(isEmptied)),
    next: [
      ...(isTold ? [] : ['py-spy dump --pid <worker>   # while it happens: shows what the workers wait for']),
      'ss -ltn   # Recv-Q of the socket: what waits now, Send-Q: the limit',
      ...(kind === 'open'
        ? ['switch the request lines on (no disable-logging), or ask the proxy how many requests it got answered']
        : []),
    ],
    identity: [instance ? instanceName(instance) : 'uwsgi', 'queue'],
  };
}

function sceneOf(timeline: Timeline, events: Scene['events']): Scene {
  const instance = instanceOfEvent(timeline, events[0]);
  const episodes = episodesOf(timeline, instance, events);
  const kind = WORST_FIRST.find((each) => of(episodes, each).length > 0) ?? 'open';
  const stalls = of(episodes, 'stall');
  return {
    instance,
    events,
    episodes,
    kind,
    reloads: unique(episodes.map(({reload}) => reload).filter((reload) => reload !== null)),
    longest: Math.max(0, greatest([...of(episodes, 'loading'), ...stalls].map(({silent}) => silent))),
    isMixed: stalls.some(({served}) => served > 0),
    byReload: kind === 'open' && episodes.every(isEmptied),
  };
}

const WORST_FIRST: readonly Kind[] = ['stall', 'loading', 'burst'];

function of(episodes: readonly Episode[], kind: Kind): readonly Episode[] {
  return episodes.filter((episode) => episode.kind === kind);
}

function isEmptied({reload}: Episode): boolean {
  return reload !== null && EMPTYING.has(reload.kind);
}

function titleOf(kind: Kind, isMixed: boolean): string {
  return {
    loading: 'The listen queue was full while all workers were loading the application',
    stall: `The listen queue was full while ${isMixed ? 'hardly any' : 'no'} request was answered`,
    burst: 'The listen queue was full under load',
    open: rule.title,
  }[kind];
}

function proofs({episodes, reloads: [during]}: Scene): Evidence[] {
  const ordered = [...episodes].sort((a, b) => b.least - a.least);
  return [
    ...ordered
      .slice(0, 4)
      .flatMap(({lines: own}) => [
        proof(own[0] as LogEvent, `the queue is full: ${figures(own[0] as LogEvent)}`),
        ...(own.length > 1
          ? [proof(own.at(-1) as LogEvent, `the last line of this overflow: ${figures(own.at(-1) as LogEvent)}`)]
          : []),
      ]),
    ...(during ? [proof(during.began, `a ${kindOf(during)} was under way`)] : []),
  ];
}

function messageOf({events, episodes, reloads, longest, isMixed}: Scene): string {
  const [loads, stalls, bursts, open] = [
    of(episodes, 'loading'),
    of(episodes, 'stall'),
    of(episodes, 'burst'),
    of(episodes, 'open'),
  ];
  const most = events.reduce((max, event) => (Number(event.fields.queued) > Number(max.fields.queued) ? event : max));
  const during = (some: readonly Episode[]) => (some.length === episodes.length ? 'Meanwhile' : `In ${some.length} of them`);
  return sentences(
    `The listen queue overflowed ${episodes.length === 1 ? 'once' : `${episodes.length} times`} (${count(events.length, 'line')}; ` +
      `at most ${figures(most)}).`,
    loads.length > 0 && `${during(loads)} no worker had loaded the application yet (lazy-apps), so none took a request.`,
    stalls.length > 0 &&
      `${during(stalls)} not one request was answered${longest > 0 ? `, for at least ${seconds(longest)}` : ''}: the workers had ` +
        'stopped taking requests. More traffic is not the cause.',
    isMixed && 'Before that or after it some were, while the queue was still full.',
    bursts.length > 0 &&
      `${during(bursts)} requests were answered all the time (${thousands(bursts.reduce((sum, {served}) => sum + served, 0))}): more ` +
        'came in than the workers could take.',
    open.length > 0 &&
      (open.every(({least}) => least < TOO_SHORT)
        ? `${open.length === episodes.length ? 'It was' : `${open.length} of them were`} too short to tell whether requests were answered meanwhile.`
        : 'No request line of this log tells a stall (workers blocked) from a burst (too much traffic).'),
    reloads.length > 0 &&
      `It fell into ${list(reloads.slice(0, 1).map((reload) => `a ${kindOf(reload)}`))}${
        reloads.length > 1 ? ` (of ${occasions(reloads)} in all)` : ''
      }: ${meanwhile(reloads)}.`,
    'That the queue was full is proved.',
  );
}

/** Who takes requests while a reload goes on; of several reloads, in the first. */
function meanwhile([first]: readonly Reload[]): string {
  if (first?.kind === 'stop') return 'no worker takes requests from then on';
  return first !== undefined && EMPTYING.has(first.kind)
    ? 'no worker takes requests between the end of the old ones and the start of the new ones'
    : 'a worker that is being replaced takes none, and the others have more to do';
}

const blocked = (because: string): Alternative => ({hypothesis: 'workers that are blocked', because, line: null});
const burst = (because: string): Alternative => ({hypothesis: 'a burst of traffic', because, line: null});
const notABurst = () => [burst('a burst is answered, if late; here nothing was answered meanwhile')];

const AGAINST: Readonly<Record<Kind, (byReload: boolean) => Alternative[]>> = {
  stall: notABurst,
  loading: notABurst,
  burst: () => [blocked('requests were answered all the time; some workers may still have been blocked, and the rest too few')],
  open: (byReload) => [
    blocked(
      byReload
        ? 'they may have been before; the reload is enough to explain it'
        : 'the more frequent cause; nothing here speaks against it',
    ),
    burst(byReload ? 'it fell into the reload' : 'nothing here speaks against it either'),
  ],
};

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
  if (kind === 'loading') return [chain, longer];
  if (kind === 'burst') return [workers, ...(inReload ? [chain] : []), longer];
  return [...(inReload ? [chain] : []), ...(isExplained ? [] : [unblock]), ...(kind === 'open' ? [workers] : []), longer];
}
