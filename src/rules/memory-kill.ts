import type {LogEvent} from '../timeline/event.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {processName, processNames} from './deaths.ts';
import {type Holder, type MemoryKill, memoryKillsIn, type Tie, type Victim} from './memory.ts';
import {serverOf} from './outer.ts';
import type {Evidence, Finding, Fix, Rule} from './rule.ts';
import {unitFix} from './unit-lines.ts';
import {capital, count, evidence, instanceName, list, numbers, proof, sentences, unique, was} from './wording.ts';

/** Seconds between the kernel's line and systemd's of one kill, where both tell a time. */
const NEAR = 5;

/** Seconds that the stop of a unit may take until systemd calls it failed. */
const UNTIL_FAILED = 120;

const rule: Rule = {
  id: 'memory-kill',
  title: 'A process was killed because memory ran out',
  severity: 'error',
  docs: {
    sees: 'Lines of the kernel or of systemd that say that a process was killed for want of memory, and which process of this log that was.',
    why:
      'When the machine, or the cgroup of a container or unit, has no memory left, the kernel ends a process with signal 9: the ' +
      'request it served is cut, and the supervisor sees nothing but "killed by signal 9".',
    remedy: 'Fewer workers or a higher limit now; then find what grows, and recycle workers before they reach the limit.',
    limits:
      'The kernel names pids of the host. For a process in a container only the name and the time can be compared, and the ' +
      'finding is likely, not certain.',
    references: ['https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files', 'benoitc/gunicorn#2215'],
  },
  needs: {
    // systemd tells of its units' kills itself, since 243.
    messages: ['kernel/oom', 'kernel/oom-constraint', 'kernel/oomd-killed', 'systemd/oom-kill', 'systemd/started'],
    otherwise: 'no line of the kernel about memory is in this log: add those of journalctl -k or dmesg -T, of the same time',
  },
  *check(timeline) {
    const kills = memoryKillsIn(timeline);
    for (const instance of timeline.instances) {
      for (const tie of ['pid-and-time', 'pid', 'time'] as const) {
        const hits = kills.flatMap((kill) => {
          const victims = kill.victims.filter((victim) => homeOf(timeline, victim) === instance && victim.tie === tie);
          return victims.length > 0 ? [{kill, victims}] : [];
        });
        if (hits.length > 0) yield workersLost(timeline, instance, hits, tie);
      }
    }
    yield othersKilled(kills.filter((kill) => kill.victims.length === 0 && !isToldElsewhere(kill, kills)));
  },
};

export default rule;

/** The server that was hit: a program of systemd and the server in it are one. */
function homeOf(timeline: Timeline, {instance, process}: Victim): Instance {
  return (process.role === 'program' ? serverOf(timeline, process) : null) ?? instance;
}

/** systemd says of its unit, perhaps in another log, what the kernel says of the unit's cgroup. */
function isToldElsewhere(kill: MemoryKill, all: readonly MemoryKill[]): boolean {
  const [{message, at}] = kill.lines;
  const unit = unitOf(kill.lines[0]);
  return (
    message === 'systemd/oom-kill' &&
    all.some(
      ({lines}) =>
        lines[0].message.startsWith('kernel/') &&
        lines.some((line) => unitOf(line) === unit) &&
        Math.abs(between(at, lines[0].at).min) <= NEAR,
    )
  );
}

interface Hit {
  readonly kill: MemoryKill;
  /** Those of its victims that are told of together. */
  readonly victims: readonly Victim[];
}

/** Processes of one server that were killed for want of memory, and what the kernel tells of it. */
interface Scene {
  readonly hits: readonly Hit[];
  readonly tie: Tie;
  readonly victims: readonly Process[];
  readonly growth: Growth | null;
  /** The limit of a cgroup was reached. */
  readonly inGroup: boolean;
  /** Each time the memory of the whole machine ran out. */
  readonly ofMachine: boolean;
  /** The line by which the whole unit ended for it. */
  readonly unitEnded: LogEvent | null;
  /** The main process of the unit is among the victims. */
  readonly hasMain: boolean;
}

function workersLost(timeline: Timeline, instance: Instance, hits: readonly Hit[], tie: Tie): Finding | null {
  const scene = sceneOf(timeline, hits, tie);
  const {victims, growth, inGroup, ofMachine, unitEnded, hasMain} = scene;
  const lines = evidence(
    hits.flatMap((hit) => proofsOf(timeline, hit)),
    10,
  );
  if (!lines) return null;
  const several = victims.length > 1;
  const unit = unique(linesOf(hits).flatMap((line) => unitOf(line) ?? []))[0] ?? null;
  return {
    title: several ? `${count(victims.length, 'process', 'processes')} were killed because memory ran out` : rule.title,
    message: messageOf(scene),
    confidence: tie === 'pid-and-time' ? 'certain' : 'likely',
    instance: instance.id,
    reload: null,
    pids: unique(victims.map(({pid}) => pid)),
    workers: numbers(victims.filter(({role}) => role === 'worker')),
    evidence: lines,
    against:
      tie === 'pid-and-time'
        ? []
        : [
            {
              hypothesis: 'killed-from-outside',
              because:
                'somebody else may have sent signal 9 in the same moment; the kill for want of memory is enough to explain it',
              line: hits[0] ? mainLine(hits[0].kill).line : null,
            },
          ],
    cannotSee: [
      'which request or task used the memory',
      growth === null ? 'whether it leaked or the limit is simply too small' : 'whether it grew slowly or at once',
    ],
    fixes: [...(unitEnded === null || (hasMain && !several) ? [] : [GO_ON]), ...fixesFor(growth, instance.supervisor)],
    next: [
      inGroup && unit !== null
        ? `systemctl show ${unit} -p MemoryMax -p MemoryPeak   # the limit and the peak`
        : inGroup || !ofMachine
          ? 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory.peak   # in the container or the cgroup of the unit: the limit and the peak'
          : 'ps -eo pid,rss,lstart,cmd --sort=-rss | head   # who holds most of the memory of the machine now',
      ...(growth?.kind === 'one'
        ? [
            "the proxy's access log at the second of the kill: the request without an answer is the one that took the memory, if one did",
          ]
        : []),
      ...(instance.supervisor === 'uwsgi'
        ? ['set memory-report = true: each request line tells the memory of its worker, and growth becomes visible']
        : []),
    ],
    identity: [instanceName(instance), 'memory', tie === 'time' ? 'unnamed' : 'named'],
  };
}

function sceneOf(timeline: Timeline, hits: readonly Hit[], tie: Tie): Scene {
  const victims = unique(hits.flatMap((hit) => hit.victims.map(({process}) => process)));
  const has = (line: LogEvent, constraint: string) => line.fields.constraint === constraint;
  return {
    hits,
    tie,
    victims,
    growth: hits.map(({kill}) => growthIn(kill)).find((each) => each !== null) ?? null,
    inGroup: linesOf(hits).some((line) => has(line, 'CONSTRAINT_MEMCG') || line.fields.limit === 'cgroup'),
    ofMachine: hits.every(({kill}) => kill.lines.some((line) => has(line, 'CONSTRAINT_NONE'))),
    unitEnded: hits.map(({kill}) => endOfUnit(timeline, kill)).find((each) => each !== null) ?? null,
    hasMain: victims.some(({role}) => role === 'program' || role === 'master'),
  };
}

function linesOf(hits: readonly Hit[]): LogEvent[] {
  return hits.flatMap(({kill}) => kill.lines);
}

function proofsOf(timeline: Timeline, {kill, victims}: Hit): Evidence[] {
  const unitEnded = endOfUnit(timeline, kill);
  return [
    proof(mainLine(kill), 'the kill for want of memory'),
    ...shownHolders(kill),
    ...victims.flatMap(({process}) => (process.ended ? [proof(process.ended, `the death of ${processName(process)}`)] : [])),
    ...(unitEnded ? [proof(unitEnded, 'the whole unit ends for it')] : []),
  ];
}

function messageOf(scene: Scene): string {
  const {hits, victims, growth, inGroup, ofMachine} = scene;
  const several = victims.length > 1;
  const rss = unique(linesOf(hits).flatMap(({fields}) => (Number(fields.rss) > 0 ? [Number(fields.rss)] : [])));
  const group = unique(linesOf(hits).flatMap(({fields}) => (fields.cgroup === undefined ? [] : [String(fields.cgroup)])));
  const limit = hits.find(({kill}) => kill.limit !== null)?.kill.limit?.mebibytes ?? null;
  return sentences(
    `${capital(processNames(victims))} ${was(victims.length)} ended by signal 9 because memory ran out${tieText(scene)}`,
    rss.length > 0 &&
      growth === null &&
      `${several ? 'They held' : 'It held'} ${list(rss.map((kilobytes) => `${Math.round(kilobytes / 1024)} MiB`))} of ${several ? 'their' : 'its'} own.`,
    inGroup
      ? `The limit of ${several ? 'their' : 'its'} cgroup${group.length > 0 ? ` (${list(group)})` : ''}${limit === null ? '' : `, ${limit} MiB,`} was reached, not that of the machine.`
      : ofMachine &&
          `The memory of the whole machine ran out${growth === null ? ': another program may be the one that grew' : ''}.`,
    growth && explained(growth),
    unitText(scene),
    `What ${several ? 'they were' : 'it was'} doing was cut.`,
  );
}

/** What says that it was these processes. */
function tieText({hits, tie, victims}: Scene): string {
  const pids = victims.length > 1 ? 'pids' : 'pid';
  switch (tie) {
    case 'pid-and-time':
      return `: the kernel names the ${pids}.`;
    case 'pid':
      return `, most likely: the kernel names the ${pids}. The clocks of the two logs cannot be compared (--tz tells the zone of each), so that it was the same moment is inferred.`;
    case 'time':
      return `, most likely: no pid ties the lines together, as with a container; the time fits${hits.every(({kill}) => kill.name !== null) ? ', and so does the name of the process' : ''}.`;
  }
}

function unitText({victims, unitEnded, hasMain}: Scene): string | null {
  if (unitEnded === null) return null;
  if (!hasMain)
    return 'systemd then ended the whole unit (result oom-kill): OOMPolicy=stop, the default, does so for any of its processes.';
  return victims.length > 1
    ? 'The main process is among them, so the whole unit ended (result oom-kill): OOMPolicy=kill kills all processes of a unit together.'
    : 'It was the main process, so the whole unit ended (result oom-kill).';
}

/** The kernel's own sentence about the kill says more to a reader than its table does. */
function mainLine({lines}: MemoryKill): LogEvent {
  return lines.find(({message}) => message === 'kernel/oom') ?? lines[0];
}

/** systemd ended the unit for it (OOMPolicy=stop or kill). Null where the unit went on. */
function endOfUnit(timeline: Timeline, kill: MemoryKill): LogEvent | null {
  const [first] = kill.lines;
  const units = unique(kill.lines.flatMap((line) => unitOf(line) ?? []));
  return (
    timeline.events.find(
      ({message, fields, at}) =>
        message === 'systemd/failed' &&
        fields.result === 'oom-kill' &&
        units.includes(String(fields.unit)) &&
        between(first.at, at).min <= UNTIL_FAILED &&
        between(at, first.at).min <= NEAR,
    ) ?? null
  );
}

const GO_ON = unitFix(
  'OOMPolicy',
  'continue',
  'a worker that is killed does not take its master and the other workers along',
  'The master lives on and starts the worker anew. It does not help where the master itself is the one that is killed.',
);

/** The unit that a cgroup is, by the cgroup's name or systemd's own line. */
function unitOf({fields}: LogEvent): string | null {
  const {unit, service} = fields;
  return unit === undefined && service === undefined ? null : String(unit ?? service);
}

/**
 * What the kernel's table says of the want. `one`: the victim had grown far beyond the next. `other`: somebody else had, and was
 * spared. `many`: several of the victim's name were about as large.
 */
interface Growth {
  readonly kind: 'one' | 'other' | 'many';
  readonly victim: Holder;
  readonly largest: Holder;
  readonly next: Holder | null;
  /** Of the victim's name and at least half its size, the victim among them. */
  readonly alike: readonly Holder[];
}

function growthIn({holders, lines}: MemoryKill): Growth | null {
  const victim = holders.find(({pid}) => pid === lines[0].pid);
  const [largest] = holders;
  if (victim === undefined || largest === undefined || victim.mebibytes === 0) return null;
  const next = holders.find((holder) => holder !== victim) ?? null;
  const alike = holders.filter(({name, mebibytes}) => name === victim.name && mebibytes * 2 >= victim.mebibytes);
  const kind = largest.mebibytes >= 2 * victim.mebibytes ? 'other' : alike.length > 1 ? 'many' : 'one';
  return {kind, victim, largest, next, alike};
}

function held({name, pid, mebibytes}: Holder): string {
  return `${name} (pid ${pid}) ${mebibytes} MiB`;
}

function explained({kind, victim, largest, next, alike}: Growth): string {
  switch (kind) {
    case 'other':
      return `Another process held far more at that moment: ${held(largest)}, against ${victim.mebibytes} MiB of the victim. That one used the memory up; the kernel spared it (OOMScoreAdjust).`;
    case 'many':
      return `${count(alike.length, 'process', 'processes')} of that name held about as much each (${list(alike.map(({mebibytes}) => `${mebibytes} MiB`))}): no single one of them stands out.`;
    case 'one':
      return next === null ? '' : `One process alone had grown: ${held(victim)}; the next one, ${held(next)}.`;
  }
}

function shownHolders(kill: MemoryKill): Evidence[] {
  const growth = growthIn(kill);
  const {limit} = kill;
  return [
    ...(limit ? [proof(limit.line, `the limit of the cgroup: ${limit.mebibytes} MiB`)] : []),
    ...(growth === null
      ? []
      : unique([growth.largest, growth.victim, ...(growth.next ? [growth.next] : [])])
          .slice(0, 3)
          .map((holder) => proof(holder.row, `the kernel counts: ${held(holder)}`))),
  ];
}

function fixesFor(growth: Growth | null, supervisor: string): Fix[] {
  const fix = (effect: string, why: string, setting: string | null = null): Fix => ({
    setting,
    section: setting === null ? null : supervisor,
    value: null,
    effect,
    since: null,
    safety: 'safe',
    why,
  });
  if (growth?.kind === 'other') {
    return [
      fix(
        'the other program ends at its own limit, and no longer at the cost of this one',
        `Give ${growth.largest.name} a limit of its own (MemoryMax= of its unit, the limit of its container), or a machine of its own.`,
      ),
    ];
  }
  const room = fix(
    'the limit is not reached at this load',
    'Run fewer workers, or raise the memory limit of the container or unit.',
  );
  const recycle =
    supervisor === 'uwsgi'
      ? fix(
          'workers are replaced after a request, before the limit strikes in the middle of one',
          'Choose (limit / number of workers), less a reserve, in megabytes. It looks after each request: one that takes everything at once it does not stop.',
          'reload-on-rss',
        )
      : supervisor === 'gunicorn'
        ? fix(
            'workers are replaced after so many requests: what grows slowly starts anew in time',
            'With max_requests_jitter, so that they do not all go at once. One request that takes everything at once it does not stop.',
            'max_requests',
          )
        : null;
  return [...(growth?.kind === 'one' ? [recycle, room] : [room, recycle])].filter((each) => each !== null);
}

/** Processes that are application servers by their name. */
const SERVER = /^(uwsgi|gunicorn|uvicorn|hypercorn|daphne|celery|puma|unicorn|php-fpm)/;

/** `uwsgi` where uWSGI was killed: its settings can be advised. */
function serverNamed(names: readonly string[]): string {
  return ['uwsgi', 'gunicorn'].find((server) => names.every((name) => name.startsWith(server))) ?? '';
}

/** Processes that this log knows nothing else of: true, and perhaps the reason for something that it does not show. */
function othersKilled(kills: readonly MemoryKill[]): Finding | null {
  if (kills.length === 0) return null;
  const names = unique(kills.flatMap(({name}) => name ?? []));
  const servers = names.filter((name) => SERVER.test(name));
  const told = kills.find((kill) => growthIn(kill) !== null) ?? null;
  const growth = told && growthIn(told);
  const lines = evidence(
    [...kills.slice(0, 5).map((kill) => proof(mainLine(kill), 'a kill for want of memory')), ...(told ? shownHolders(told) : [])],
    8,
  );
  if (!lines) return null;
  // systemd's own line tells of which unit it was.
  const units = unique(
    kills.flatMap(({lines: own}) =>
      own.flatMap(({message, fields}) => (message === 'systemd/oom-kill' ? [String(fields.unit ?? '')] : [])),
    ),
  );
  const named = units.filter((unit) => unit !== '');
  return {
    title:
      servers.length > 0
        ? `The kernel killed ${list(servers)} because memory ran out${kills.length > 1 ? `, ${count(kills.length, 'time')}` : ''}`
        : named.length > 0
          ? `Memory ran out, and a process of ${list(named)} was killed`
          : 'Memory ran out, and something was killed that this log does not follow',
    message: sentences(
      `${count(kills.length, 'kill')} for want of memory${names.length > 0 ? ` (${list(names)})` : ''} ${was(kills.length)} logged, and no death in this ` +
        'log belongs to it. That memory ran out is proved.',
      told !== null &&
        told.limit !== null &&
        `The limit of its cgroup, ${told.limit.mebibytes} MiB, was reached, not that of the machine.`,
      growth && explained(growth),
      named.length > 0 &&
        'With OOMPolicy=stop, the default, systemd then stops the whole unit for one process; OOMPolicy=continue leaves that to the server.',
      'A worker that was killed so has a line "killed by signal 9" in the log of its supervisor.',
    ),
    severity: servers.length > 0 ? 'error' : 'warning',
    confidence: 'certain',
    instance: null,
    reload: null,
    pids: unique(kills.flatMap(({lines: [first]}) => first.pid ?? [])),
    workers: [],
    evidence: lines,
    against: [],
    cannotSee: ['whether the processes belong to the application server: only their names are here'],
    fixes: servers.length > 0 ? fixesFor(growth, serverNamed(servers)) : [],
    next: ['compare the pids and times with the log of the application server'],
    identity: ['others', 'memory'],
  };
}
