import type {LogEvent} from '../timeline/event.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {processName, processNames} from './deaths.ts';
import {type MemoryKill, memoryKillsIn, type Tie, type Victim} from './memory.ts';
import type {Finding, Rule} from './rule.ts';
import {count, evidence, instanceName, list, numbers, proof, sentences, unique, was} from './wording.ts';

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
    messages: ['kernel/oom', 'kernel/oom-constraint', 'kernel/oomd-killed', 'systemd/oom-kill'],
    otherwise: 'no line of the kernel about memory is in this log: add those of journalctl -k or dmesg -T, of the same time',
  },
  *check(timeline) {
    const kills = memoryKillsIn(timeline);
    for (const instance of timeline.instances) {
      for (const tie of ['pid-and-time', 'pid', 'time'] as const) {
        const hits = kills.flatMap((kill) => {
          const victims = kill.victims.filter((victim) => victim.instance === instance && victim.tie === tie);
          return victims.length > 0 ? [{kill, victims}] : [];
        });
        const finding = hits.length > 0 ? workersLost(timeline, hits, tie) : null;
        if (finding) yield finding;
      }
    }
    const others = kills.filter(({victims}) => victims.length === 0);
    const finding = others.length > 0 ? othersKilled(others) : null;
    if (finding) yield finding;
  },
};

export default rule;

function workersLost(
  timeline: Timeline,
  hits: readonly {kill: MemoryKill; victims: readonly Victim[]}[],
  tie: Tie,
): Finding | null {
  const isNamed = tie === 'pid-and-time';
  const victims = unique(hits.flatMap((hit) => hit.victims.map(({process}) => process)));
  const instance = hits[0]?.victims[0]?.instance;
  const lines = evidence(
    hits.flatMap(({kill, victims}) => [
      proof(kill.lines[0], 'the kill for want of memory'),
      ...victims.flatMap(({process}) => (process.ended ? [proof(process.ended, `the death of ${processName(process)}`)] : [])),
    ]),
    8,
  );
  if (!lines || !instance) return null;
  const several = victims.length > 1;
  const rss = unique(
    hits.flatMap(({kill}) => kill.lines.flatMap(({fields}) => (Number(fields.rss) > 0 ? [Number(fields.rss)] : []))),
  );
  const group = unique(
    hits.flatMap(({kill}) => kill.lines.flatMap(({fields}) => (fields.cgroup === undefined ? [] : [String(fields.cgroup)]))),
  );
  const has = (line: LogEvent, constraint: string) => line.fields.constraint === constraint;
  const inGroup = hits.some(({kill}) =>
    kill.lines.some((line) => has(line, 'CONSTRAINT_MEMCG') || line.fields.limit === 'cgroup'),
  );
  const ofMachine = hits.every(({kill}) => kill.lines.some((line) => has(line, 'CONSTRAINT_NONE')));
  const uwsgi = instance.supervisor === 'uwsgi';
  const wholeUnit = hits.some(({kill}) => kill.lines.some((line) => isStoppedFor(timeline, line)));
  return {
    title: several ? `${count(victims.length, 'process', 'processes')} were killed because memory ran out` : rule.title,
    message: sentences(
      `${processNames(victims)} ${was(victims.length)} ended by signal 9 because memory ran out`.replace(/^./, (letter) =>
        letter.toUpperCase(),
      ) +
        (isNamed
          ? `: the kernel names the ${several ? 'pids' : 'pid'}.`
          : tie === 'pid'
            ? `, most likely: the kernel names the ${several ? 'pids' : 'pid'}. The clocks of the two logs cannot be compared (--tz tells the zone of each), so that it was the same moment is inferred.`
            : `, most likely: no pid ties the lines together, as with a container; the time fits${hits.every(({kill}) => kill.name !== null) ? ', and so does the name of the process' : ''}.`),
      rss.length > 0 && `It held ${list(rss.map((kilobytes) => `${Math.round(kilobytes / 1024)} MiB`))} of its own.`,
      inGroup
        ? `The limit of its cgroup${group.length > 0 ? ` (${list(group)})` : ''} was reached, not that of the machine.`
        : ofMachine && 'The memory of the whole machine ran out: another program may be the one that grew.',
      'What it was doing was cut.',
      wholeUnit &&
        'systemd then stopped the whole unit (result oom-kill): OOMPolicy=stop, the default, does so for any of its processes.',
    ),
    confidence: isNamed ? 'certain' : 'likely',
    instance: instance.id,
    reload: null,
    pids: unique(victims.map(({pid}) => pid)),
    workers: numbers(victims.filter(({role}) => role === 'worker')),
    evidence: lines,
    against: isNamed
      ? []
      : [
          {
            hypothesis: 'killed-from-outside',
            because:
              'somebody else may have sent signal 9 in the same moment; the kill for want of memory is enough to explain it',
            line: lines[0].at.line,
          },
        ],
    cannotSee: ['which request or task used the memory', 'whether it leaked or the limit is simply too small'],
    fixes: [
      {
        setting: null,
        section: null,
        value: null,
        effect: 'the limit is not reached at this load',
        since: null,
        safety: 'safe',
        why: 'Run fewer workers, or raise the memory limit of the container or unit.',
      },
      ...(wholeUnit
        ? [
            {
              setting: 'OOMPolicy',
              section: 'Service',
              value: 'continue',
              effect: 'a worker that is killed does not take its master and the other workers along',
              since: null,
              safety: 'safe' as const,
              why: 'The master lives on and starts the worker anew. It does not help where the master itself is the one that is killed.',
            },
          ]
        : []),
      ...(uwsgi
        ? [
            {
              setting: 'reload-on-rss',
              section: 'uwsgi',
              value: null,
              effect: 'workers are replaced after a request, before the limit strikes in the middle of one',
              since: null,
              safety: 'safe' as const,
              why: 'Choose (limit / number of workers), less a reserve, in megabytes.',
            },
          ]
        : []),
    ],
    next: [
      'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory.peak   # in the container or the cgroup of the unit: the limit and the peak',
      ...(uwsgi
        ? ['set memory-report = true: each request line tells the memory of its worker, and growth becomes visible']
        : []),
    ],
    identity: [instanceName(instance), 'memory', tie === 'time' ? 'unnamed' : 'named'],
  };
}

/** systemd stopped the unit because one of its processes was killed, and not its main process. */
function isStoppedFor(timeline: Timeline, {message, fields}: LogEvent): boolean {
  if (message !== 'systemd/oom-kill') return false;
  const own = timeline.events.filter((event) => event.fields.unit === fields.unit);
  const isMain = own.some((event) => event.message === 'systemd/main-process-exited' && event.fields.name === 'KILL');
  return !isMain && own.some((event) => event.message === 'systemd/failed' && event.fields.result === 'oom-kill');
}

/** Processes that are application servers by their name. */
const SERVER = /^(uwsgi|gunicorn|uvicorn|hypercorn|daphne|celery|puma|unicorn|php-fpm)/;

/** Processes that this log knows nothing else of: true, and perhaps the reason for something that it does not show. */
function othersKilled(kills: readonly MemoryKill[]): Finding | null {
  const names = unique(kills.flatMap(({name}) => name ?? []));
  const servers = names.filter((name) => SERVER.test(name));
  const lines = evidence(
    kills.map(({lines: [first]}) => proof(first, 'a kill for want of memory')),
    5,
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
    fixes:
      servers.length > 0
        ? [
            {
              setting: null,
              section: null,
              value: null,
              effect: 'the limit is not reached at this load',
              since: null,
              safety: 'safe',
              why: 'Run fewer workers, recycle them (max-requests, reload-on-rss), or raise the memory limit of the container, unit or machine.',
            },
          ]
        : [],
    next: ['compare the pids and times with the log of the application server'],
    identity: ['others', 'memory'],
  };
}
