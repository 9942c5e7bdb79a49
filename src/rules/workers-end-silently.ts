import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {firstFrom, precedes} from '../timeline/lookup.ts';
import {oncePer} from '../timeline/once.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {type Alternative, type Finding, type Fix, NO_PROCESS, NO_SETTING, type Rule} from './rule.ts';
import {compareVersions, numberOf} from './settings.ts';
import {count, evidence, instanceName, nameOf, proof, seconds, sentences} from './wording.ts';

/** Seconds from the first worker of a start to the last of n: the arbiter waits for up to 0.1 s after each (gunicorn/arbiter.py). */
const BURST = 3;
const EACH = 0.2;
/** From so many on it is a loop and no single event. */
const LOOP = 3;
/** Since then the arbiter names the signal that a worker died of. */
const TELLS = '20.1.0';

const rule: Rule = {
  id: 'workers-end-silently',
  title: 'Workers are started anew, and no line tells how those before them ended',
  severity: 'error',
  docs: {
    sees:
      'Workers that gunicorn boots after its start, where no line of the log tells of an end, a timeout, a reload or a signal that would ' +
      'call for one.',
    why:
      'The arbiter boots a worker only where one is missing. Before 20.1 it says nothing of a worker that a signal ended: one that was ' +
      'killed for want of memory shows in its replacement alone. What it had in hand was cut.',
    remedy: 'Look for kills in the log of the kernel of the host. Run a gunicorn of 20.1 or later: it names the signal.',
    limits:
      'Which worker it was, and when it ended, is not known. Where a filter or another file has taken the lines of the workers themselves, ' +
      'those that recycled themselves look the same.',
    references: ['benoitc/gunicorn#1663', 'benoitc/gunicorn#2215', 'benoitc/gunicorn#2475'],
  },
  needs: {
    messages: ['gunicorn/booting-worker'],
    otherwise: 'no line of gunicorn tells of the start of a worker',
  },
  *check(timeline) {
    for (const instance of timeline.instances) {
      if (instance.supervisor === 'gunicorn') yield describe(timeline, instance);
    }
  },
};

export default rule;

interface Replacements {
  /** The last worker that belongs to the start. */
  readonly complete: Process;
  readonly crew: number;
  /** Workers whose start no line of the log accounts for. */
  readonly unexplained: readonly Process[];
}

/** Lines after which workers come and go for a reason, until the log ends. */
const REASONS: ReadonlySet<LogEvent['meaning']['kind']> = new Set([
  'reload-began',
  'reload-asked',
  'stop-began',
  'scaling',
  'app-load-failed',
  're-executing',
]);

/** By input and stream, in the order of the lines: what calls for a worker to be replaced. */
const reasonsIn = oncePer(
  ({events}: Timeline): ReadonlyMap<string, readonly LogEvent[]> =>
    groupBy(
      events.filter(({meaning}) => REASONS.has(meaning.kind)).sort((a, b) => a.place - b.place),
      sourceOf,
    ),
);

function sourceOf({input, stream}: LogEvent): string {
  return `${input} ${stream ?? ''}`;
}

function replacementsIn(timeline: Timeline, instance: Instance): Replacements | null {
  const begin = instance.epochs[0]?.master ?? null;
  if (begin === null) return null;
  const reasons = reasonsIn(timeline).get(sourceOf(begin)) ?? [];
  const end = reasons[firstFrom(reasons, begin)];
  const starts = instance.processes.filter(
    ({role, started}) => role === 'worker' && started !== null && precedes(begin, started) && (!end || precedes(started, end)),
  );
  const told = numberOf(instance, 'workers') ?? 0;
  const first = starts[0];
  if (!first) return null;
  const isLate = (process: Process, n: number) => n >= told && between(first.startedAt, process.startedAt).min > BURST + EACH * n;
  const crew = starts.findIndex(isLate);
  const complete = starts[crew - 1];
  if (crew < 1 || !complete) return null;
  const ends = instance.processes
    .flatMap(({role, ended, leaving, forced, asked, remarks}) =>
      role !== 'worker'
        ? []
        : ([ended, leaving, forced?.event ?? null, asked?.event ?? null, ...remarks].find((event) => event !== null) ?? []),
    )
    .sort((a, b) => a.place - b.place);
  let spent = 0;
  const unexplained = starts.slice(crew).filter(({started}) => {
    const known = started === null ? 0 : firstFrom(ends, started);
    if (known <= spent) return true;
    spent++;
    return false;
  });
  return {complete, crew, unexplained};
}

function describe(timeline: Timeline, instance: Instance): Finding | null {
  const found = replacementsIn(timeline, instance);
  if (found === null || found.unexplained.length === 0) return null;
  const {complete, crew, unexplained} = found;
  const lines = evidence([
    ...(complete.started ? [proof(complete.started, `${nameOf(complete)} completes the start`)] : []),
    ...unexplained
      .slice(0, 4)
      .flatMap((process) =>
        process.started ? [proof(process.started, 'a worker takes the place of one whose end no line tells')] : [],
      ),
  ]);
  if (!lines) return null;
  const namesSignals = instance.version !== null && compareVersions(instance.version, TELLS) >= 0;
  const last = unexplained.at(-1)?.startedAt ?? complete.startedAt;
  return {
    title: rule.title,
    severity: unexplained.length >= LOOP ? 'error' : 'warning',
    message: sentences(
      `After the start with ${count(crew, 'worker')} the arbiter booted ${unexplained.length} more, the last at least ${seconds(between(complete.startedAt, last).min)} later, and no line`,
      'tells of an end, a timeout, a reload or a signal that called for it. That is proved; so as many workers had ended before.',
      versionText(instance, namesSignals),
      'Whatever they had in hand was cut.',
    ),
    confidence: 'possible',
    instance: instance.id,
    ...NO_PROCESS,
    evidence: lines,
    against: alternatives(namesSignals),
    cannotSee: ['which workers ended, when, and of what', 'requests that were running: they have no line'],
    fixes: [...(namesSignals ? [] : [NAME_SIGNALS]), MORE_MEMORY],
    next: [
      "dmesg -T | grep -i 'killed process\\|out of memory\\|segfault'   # on the host, not in the container",
      'cat /sys/fs/cgroup/memory.events   # in the container: oom_kill above 0 proves the limit of the container',
      'PYTHONFAULTHANDLER=1 in the environment of the server: a fault in native code then prints its stack',
    ],
    identity: [instanceName(instance), 'silent'],
  };
}

function versionText({version}: Instance, namesSignals: boolean): string {
  if (namesSignals)
    return `This version (${version}) names the signal that a worker dies of, so they rather left by themselves, or lines are missing here.`;
  return `${version === null ? 'Before 20.1 gunicorn' : `This version (${version})`} says nothing of a worker that a signal ended: most often the memory limit of a container does that (SIGKILL), or a fault in native code (SIGSEGV).`;
}

/** `namesSignals`: the version would have told what is sent by a signal. */
function alternatives(namesSignals: boolean): Alternative[] {
  const bySignal = (hypothesis: string, because: string): Alternative => ({
    hypothesis,
    because: namesSignals ? 'this version would name the signal' : because,
    line: null,
    fits: namesSignals ? 'less' : 'equally',
  });
  return [
    bySignal(
      'the memory limit of the container or the machine',
      'it is the most frequent reason; the kernel logs each such kill, and that log decides',
    ),
    bySignal('a fault in native code', 'nothing in the log speaks against it; dmesg names the library'),
    bySignal('a person or a script that kills them', 'nothing in the log speaks against it; it is seldom done again and again'),
    {
      hypothesis: 'workers that recycle themselves (max_requests), in a log without the lines of workers',
      because: 'each says "Autorestarting worker" and "Worker exiting", and this log has no such line before these starts',
      line: null,
      fits: namesSignals ? 'equally' : 'less',
    },
  ];
}

const NAME_SIGNALS: Fix = {
  ...NO_SETTING,
  safety: 'safe',
  effect: 'the log names the signal of each worker that dies of one',
  why: 'Run gunicorn 20.1 or later.',
};

const MORE_MEMORY: Fix = {
  ...NO_SETTING,
  safety: 'safe',
  effect: 'if it is memory: the limit is not reached',
  why: 'Run fewer workers, or raise the memory limit of the container or unit.',
};
