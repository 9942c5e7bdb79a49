import {greatest} from '../extremes.ts';
import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import {signalName} from '../timeline/signals.ts';
import {between} from '../timeline/time.ts';
import {type Instance, type Process, type Timeline, UNKNOWN_PID} from '../timeline/timeline.ts';
import {containersKilled} from './containers-killed.ts';
import {atOnce, counted, loneDeaths, processName, processNames} from './deaths.ts';
import {memoryKillsIn} from './memory.ts';
import {outerOf, stopsTakenAsReload} from './outer.ts';
import {type Finding, NO_SETTING, type Rule} from './rule.ts';
import {capital, count, evidence, instanceName, list, numbers, proof, sentences, unique} from './wording.ts';

/** Seconds between a kill that an outer supervisor tells of and the death that it explains. */
const NEAR = 10;

const rule: Rule = {
  id: 'killed-from-outside',
  title: 'A worker was killed by signal 9, and nobody in this log did it',
  severity: 'error',
  docs: {
    sees:
      'A worker (or mule, gateway, program) that died of signal 9 without a line that owns up to it: no HARAKIRI, no NO ' +
      'MERCY, no EVIL RELOAD, no timeout, and no kill by an outer supervisor.',
    why:
      'Signal 9 is sent by somebody and cannot be caught: the process writes nothing, and its requests are cut. Most often ' +
      'it is the memory limit, of the container or the machine; but "killed by signal 9" does not mean out of memory: a ' +
      'person, a script and the platform look the same.',
    remedy:
      'Ask the kernel first: it logs every kill for memory. If it was memory, give fewer workers or more memory, and recycle ' +
      'workers before they grow (reload-on-rss). If not, look for who may send signals there.',
    limits:
      'The log of uWSGI alone cannot tell who sent the signal. Lines that would own up to it may lie before the beginning of ' +
      'this log or in the log of the outer supervisor.',
    references: [
      'unbit/uwsgi#1779',
      'unbit/uwsgi#2286',
      'benoitc/gunicorn#2215',
      'https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files',
    ],
  },
  needs: {
    messages: [
      'uwsgi/worker-died',
      'uwsgi/mule-died',
      'uwsgi/worker-spawned',
      'uwsgi/worker-respawned',
      'gunicorn/worker-sigkill-hint',
      'gunicorn/worker-terminated-by-signal',
      'gunicorn/booting-worker',
      'supervisord/exited',
      'systemd/main-process-exited',
      'celery/process-exited',
      'container/exited',
      'apache/process-starting',
      'apache/child-signalled',
      'apache/terminated-by-signal',
      'nginx-unit/application-started',
      'nginx-unit/exited-on-signal',
    ],
    otherwise: 'no line of this log tells of the start or the end of a worker',
  },
  *check(timeline) {
    const owners = timeline.events.filter(({meaning}) => meaning.kind === 'process-forced');
    const starved = new Set(memoryKillsIn(timeline).flatMap(({victims}) => victims.map(({process}) => process.ended)));
    const asked = timeline.events.filter(isAskedKill);
    const taken = new Set(stopsTakenAsReload(timeline).map(({end}) => end));
    for (const instance of timeline.instances) {
      const killed = loneDeaths(timeline, instance, 'killed').filter(
        (process) => isSignal9(process) && !starved.has(process.ended) && !isOwned(owners, instance, process),
      );
      if (instance.supervisor === 'container') {
        yield containersKilled(
          timeline,
          instance,
          killed.filter(({ended}) => !taken.has(ended)),
        );
        continue;
      }
      const onRequest = killed.filter((process) => asked.some((event) => isNear(event, process)));
      const others = killed.filter((process) => !onRequest.includes(process));
      if (others.length > 0) yield describe(timeline, instance, others);
      if (onRequest.length > 0) yield askedFor(instance, onRequest, asked);
    }
  },
};

export default rule;

function isSignal9({signal}: Process): boolean {
  return signal === '9' || signal === 'KILL' || signal === 'SIGKILL';
}

/** Somebody in the log says that it killed this process, or the whole of which it is a part. */
function isOwned(owners: readonly LogEvent[], instance: Instance, process: Process): boolean {
  // At a stop gunicorn's arbiter kills whoever is left, and does not always say so. At a reload it does not.
  if (instance.supervisor === 'gunicorn' && process.asked?.by === 'stop') return true;
  return owners.some((event) => {
    if (event.pid === process.pid) return process.started === null || !precedes(event, process.started);
    if (event.meaning.role !== 'program') return false;
    const distance = between(event.at, process.endedAt);
    return distance.max !== null && distance.max <= NEAR;
  });
}

/** systemd was asked by a client (systemctl kill) to send the signal. */
function isAskedKill({meaning, fields}: LogEvent): boolean {
  return meaning.kind === 'signal-passed-on' && signalName(String(fields.signal)) === 'KILL';
}

function isNear(event: LogEvent, process: Process): boolean {
  const distance = between(event.at, process.endedAt);
  const program = String(event.fields.unit ?? '');
  return distance.max !== null && distance.max <= NEAR && (process.program === null || process.program === program);
}

function askedFor(instance: Instance, killed: readonly Process[], asked: readonly LogEvent[]): Finding | null {
  const lines = evidence([
    ...asked.slice(0, 3).map((event) => proof(event, 'somebody asked systemd to send the signal')),
    ...killed
      .slice(0, 4)
      .flatMap((process) => (process.ended ? [proof(process.ended, `${processName(process)} died of it`)] : [])),
  ]);
  if (!lines) return null;
  return {
    title: `Somebody killed ${processNames(killed)} through systemd`,
    message: sentences(
      `${capital(processNames(killed))} died of signal 9 that a client had asked systemd to send (systemctl kill -s KILL): it was a person or a script, and no want of memory. That is proved.`,
      'What it had in hand was cut.',
    ),
    confidence: 'certain',
    instance: instance.id,
    reload: null,
    pids: unique(killed.map(({pid}) => pid)).filter((pid) => pid !== UNKNOWN_PID),
    workers: [],
    evidence: lines,
    against: [],
    cannotSee: ['who asked for it', 'requests that were running: they have no line'],
    fixes: [],
    next: [
      'journalctl _COMM=systemctl _COMM=sudo   # who ran systemctl at that moment',
      'grep -rn "systemctl kill" in deployment scripts and cron',
    ],
    identity: [instanceName(instance), 'client request'],
  };
}

function describe(timeline: Timeline, instance: Instance, killed: readonly Process[]): Finding | null {
  const bursts = atOnce(killed).filter((group) => group.length > 1);
  const burst = Math.max(0, greatest(bursts.map((group) => group.length)));
  const several = killed.length > 1;
  const shortage = shortageAround(timeline, instance, killed);
  const lines = evidence(
    [
      ...killed
        .flatMap((process) => (process.ended ? [proof(process.ended, `${processName(process)} died of signal 9`)] : []))
        .slice(0, 7),
      ...(shortage === null ? [] : [proof(shortage, 'the kernel has no memory left, and looks for a victim')]),
    ],
    8,
  );
  if (!lines) return null;
  const uwsgi = instance.supervisor === 'uwsgi';
  const isMute = hidesItsStops(instance);
  const unlike = shortage === null ? againstMemory(timeline, instance, killed) : null;
  const circumstances = {killed, uwsgi, burst, isMute, shortage, unlike};
  const noun = counted(killed);
  const deadlines = DEADLINES[instance.supervisor];
  return {
    title:
      (several ? `${noun} were killed by signal 9` : `A ${noun.slice(2)} was killed by signal 9`) +
      (shortage === null ? ', and nobody in this log did it' : ', likely for want of memory'),
    message: sentences(
      `${capital(processNames(killed))} died of signal 9. Nobody in this log owns up to it: no deadline` +
        `${deadlines === undefined ? '' : ` (${deadlines})`}${uwsgi ? ', no EVIL RELOAD' : ''} and no outer supervisor struck there.`,
      burst > 1 &&
        burst * 2 >= killed.length &&
        `${count(burst, 'process', 'processes')} died in the same moment: that points to one cause for all, such as a ` +
          'signal to the whole group, or a limit of the container or the machine.',
      shortage !== null &&
        `The kernel ran out of memory: it says that ${shortage.fields['process'] ?? 'a process'} asked for some, and looks for a victim then. Whom it chose is not in this log.`,
      shortage === null
        ? 'That somebody sent signal 9 is proved; who, this log cannot tell.'
        : 'That somebody sent signal 9 is proved; that it was the kernel is inferred.',
      `Candidates, the most frequent first: ${list(candidates(uwsgi, isMute, unlike !== null))}.`,
    ),
    confidence: shortage === null ? 'possible' : 'likely',
    instance: instance.id,
    reload: null,
    pids: unique(killed.map(({pid}) => pid)),
    workers: numbers(killed.filter(({role}) => role === 'worker')),
    evidence: lines,
    against: suspects(circumstances),
    cannotSee: [
      'who sent the signal',
      uwsgi
        ? 'how much memory the process had: memory-report would print it with each request'
        : 'how much memory the process had',
      'requests that were running: they have no line',
    ],
    fixes: unlike === null ? fixesForMemory(uwsgi) : [],
    next: nextSteps(circumstances),
    identity: [instanceName(instance), 'signal 9'],
  };
}

/** What the log tells of the moment in which they were killed. */
interface Circumstances {
  readonly killed: readonly Process[];
  readonly uwsgi: boolean;
  /** The most that died in one moment. */
  readonly burst: number;
  readonly isMute: boolean;
  readonly shortage: LogEvent | null;
  readonly unlike: ReturnType<typeof againstMemory>;
}

function suspects({killed, uwsgi, burst, isMute, shortage, unlike}: Circumstances): Finding['against'] {
  return [
    ...(isMute
      ? [
          {
            hypothesis: "gunicorn's own arbiter, at the end of graceful_timeout",
            because:
              'a stop kills whoever is left by then; gunicorn tells of stops at the level info, and this log has no line of it ' +
              'at that level',
            line: null,
          },
        ]
      : []),
    {
      hypothesis: 'the memory limit of the container or the machine',
      because:
        unlike?.because ??
        (shortage !== null ? 'the kernel says that it ran out of memory; journalctl -k has the pid of its victim' : null) ??
        'it is the most frequent sender of signal 9; the kernel logs each such kill, and that log decides',
      line: unlike?.line ?? shortage?.line ?? null,
    },
    ...(uwsgi
      ? [
          {
            hypothesis: 'evil-reload-on-rss or evil-reload-on-as',
            because: 'the master prints *** EVIL RELOAD ON WORKER before it, and this log has no such line there',
            line: null,
          },
        ]
      : []),
    {
      hypothesis: 'a person or a script (kill -9)',
      because: burst > 1 ? 'several at once fit pkill or a script' : 'it fits one worker as well; shell history and cron tell',
      line: null,
    },
    {
      hypothesis: 'the platform or an outer supervisor',
      because: killed.every(({role}) => role === 'program')
        ? 'the supervisor of the program says so where it kills, and this log has no such line there'
        : 'it would usually end the master as well, and the master lives on to report the death',
      line: killed.find(({successor}) => successor !== null)?.successor?.line ?? null,
    },
  ];
}

function fixesForMemory(uwsgi: boolean): Finding['fixes'] {
  return [
    ...(uwsgi
      ? [
          {
            setting: 'reload-on-rss',
            section: 'uwsgi',
            value: null,
            effect: 'if it is memory: workers are replaced after a request, before the limit strikes in the middle of one',
            since: null,
            safety: 'safe' as const,
            why:
              'Choose (limit of the container / number of workers), less a reserve, in megabytes. Only after the kernel log ' +
              'has shown that it is memory.',
          },
          {
            setting: 'memory-report',
            section: 'uwsgi',
            value: 'true',
            effect: 'each request line tells the memory of its worker: growth becomes visible',
            since: null,
            safety: 'safe' as const,
            why: 'It tells a leak from a limit that is too small.',
          },
        ]
      : []),
    {
      ...NO_SETTING,
      effect: 'if it is memory: the limit is not reached',
      safety: 'safe',
      why: 'Run fewer workers, or raise the memory limit of the container or unit.',
    },
  ];
}

function nextSteps({isMute, unlike}: Circumstances): Finding['next'] {
  return [
    ...(isMute
      ? ['set loglevel = "info" (gunicorn.conf.py): then stops and reloads are in the log, and who was asked to leave']
      : []),
    ...(unlike === null
      ? []
      : ['ask who can send signals there first: shell history, cron, deployment, monitoring that restarts what is slow']),
    "dmesg -T | grep -i 'killed process\\|out of memory'   # on the host, not in the container",
    "journalctl -k | grep -i 'oom'   # the same, with older boots",
    'cat /sys/fs/cgroup/memory.events   # in the container: oom_kill above 0 proves the limit of the container',
    'if none of them names the pid, it was no memory kill: ask who can send signals there (shell history, cron, deployment)',
  ];
}

/** gunicorn says that it starts, stops and reloads at the level info; here it may have been told to write warnings only. */
function hidesItsStops({supervisor, processes, reloads, epochs}: Instance): boolean {
  return (
    supervisor === 'gunicorn' &&
    reloads.length === 0 &&
    epochs.every(({master}) => master === null) &&
    processes.every(({role, started, leaving}) => role !== 'worker' || (started === null && leaving === null))
  );
}

/** Seconds around a death in which a want of memory explains it. */
const SHORTAGE = 60;

/** The kernel's line that it ran out of memory on account of a process of that name, where no line names the victim. */
function shortageAround(timeline: Timeline, {supervisor}: Instance, killed: readonly Process[]): LogEvent | null {
  return (
    timeline.events.find(
      (event) =>
        event.message === 'kernel/oom-invoked' &&
        mayBeOf(event, supervisor) &&
        killed.some(({endedAt}) => {
          const apart = [between(event.at, endedAt), between(endedAt, event.at)];
          return apart.every(({min}) => min <= SHORTAGE);
        }),
    ) ?? null
  );
}

/** The process that wanted memory bears the server's name, or that of the interpreter, as a worker may. */
function mayBeOf({fields}: LogEvent, supervisor: string): boolean {
  const name = String(fields['process'] ?? '');
  return name.startsWith(supervisor) || name.startsWith('python');
}

/** Who would have told of a kill for want of memory, and did not; null where nobody in the log would. */
function againstMemory(
  timeline: Timeline,
  instance: Instance,
  killed: readonly Process[],
): {because: string; line: number | null} | null {
  const files = new Set(killed.map(({ended}) => ended?.input));
  const another = timeline.events.find(
    ({message, meaning, input}) => meaning.kind === 'out-of-memory' && message.startsWith('kernel/') && files.has(input),
  );
  if (another)
    return {
      because: "the kernel's kills are in this log, and none is of this process: that speaks against it",
      line: another.line,
    };
  const outer = instance.supervisor === 'systemd' ? instance : (outerOf(timeline, instance)?.supervisor ?? null);
  if (outer?.supervisor !== 'systemd') return null;
  return {
    because:
      'systemd says so where a process of its unit is killed for memory (since 243, with control groups of version 2), and has no ' +
      'such line here: that speaks against it',
    line: null,
  };
}

/** What ends processes at a time limit. */
const DEADLINES: Readonly<Record<string, string>> = {
  uwsgi: 'harakiri, mercy',
  gunicorn: 'timeout, graceful_timeout',
  celery: 'the time limit of a task',
  apache: 'shutdown-timeout, the 3 s of a restart',
};

function candidates(uwsgi: boolean, isMute: boolean, isHardlyMemory: boolean): string[] {
  const memory = 'the memory limit of the container or the kernel';
  const mute = isMute ? ['gunicorn itself, at a stop of which this log does not tell if its loglevel leaves out info'] : [];
  const evil = uwsgi ? ['evil-reload-on-rss or evil-reload-on-as, if its line is missing'] : [];
  const others = ['a person or a script with kill -9', 'the platform'];
  return isHardlyMemory ? [...mute, ...others, ...evil, `${memory} (hardly, see below)`] : [...mute, memory, ...evil, ...others];
}
