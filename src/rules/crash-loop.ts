import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {diedLoading, exitCodeOf, type Loop, lifeOf, loopsIn, processName, SHORT_LIFE} from './deaths.ts';
import {type Alternative, type Evidence, type Finding, type Fix, NO_SETTING, type Rule} from './rule.ts';
import {capital, count, duration, evidence, instanceName, list, numbers, proof, sentences, span, unique} from './wording.ts';

const rule: Rule = {
  id: 'crash-loop',
  title: 'A process dies again and again soon after its start',
  severity: 'error',
  docs: {
    sees:
      'The same worker, gateway, mule, daemon or program that dies three times in a row or more, each time within ' +
      `${SHORT_LIFE} s of its start or without having served a request.`,
    why:
      'The supervisor starts it anew each time, so the process list looks busy while nothing is served from that place. uWSGI ' +
      'slows such a loop by putting its master to sleep ("worker respawning too fast"), and then everything else that the ' +
      'master does waits too: harakiri, reloads, the replacement of healthy workers.',
    remedy:
      'Read what the first of these lives says before it dies: a traceback, a fault handler, a missing file. All later ones ' +
      'repeat it. Start the application by hand with the same user, directory and environment.',
    limits:
      'Deaths are counted per place (worker number, program name). gunicorn does not number its workers, so there all workers ' +
      'of an instance are one place. An application that fails to load is told by boot-failure.',
    references: ['https://uwsgi-docs.readthedocs.io/en/latest/Options.html#forkbomb-delay', 'unbit/uwsgi#1052'],
  },
  needs: {
    messages: [
      'uwsgi/worker-died',
      'uwsgi/mule-died',
      'uwsgi/mule-spawned',
      'uwsgi/gateway-respawned',
      'uwsgi/worker-respawned',
      'uwsgi/worker-spawned',
      'uwsgi/respawning-too-fast',
      'gunicorn/booting-worker',
      'supervisord/exited',
      'supervisord/spawned',
      'systemd/main-process-exited',
    ],
    otherwise: 'no line of this log tells of the start or the end of a worker or program',
  },
  *check(timeline) {
    for (const instance of timeline.instances) {
      const loops = loopsIn(timeline).filter((loop) => loop.instance === instance);
      if (loops.length > 0) yield describe(timeline, loops);
    }
  },
};

export default rule;

/** The loops of one instance. */
interface Scene {
  readonly instance: Instance;
  /** Of all loops. */
  readonly lives: readonly Process[];
  readonly slots: readonly string[];
  /** The master slept to slow them down. */
  readonly throttled: readonly LogEvent[];
  /** Each time it died before it had loaded the application. */
  readonly inLoading: boolean;
  /** supervisord's startsecs, where it took each start for a success. */
  readonly undetected: {readonly startsecs: unknown} | null;
}

function describe(timeline: Timeline, loops: readonly Loop[]): Finding | null {
  const [first] = loops;
  if (!first) return null;
  const scene = sceneOf(timeline, first.instance, loops);
  const {instance, lives, slots, inLoading, undetected} = scene;
  const lines = evidence(proofs(scene));
  if (!lines) return null;
  return {
    title:
      slots.length === 1
        ? `${capital(slots[0] ?? 'a process')} dies again and again soon after its start`
        : `${count(slots.length, 'process', 'processes')} die again and again soon after their start`,
    message: messageOf(scene),
    confidence: 'certain',
    instance: instance.id,
    reload: null,
    pids: unique(lives.map(({pid}) => pid)),
    workers: numbers(lives.filter(({role}) => role === 'worker')),
    evidence: lines,
    against: [againstFor(lives, inLoading)],
    cannotSee: ['which code ended it, where no traceback or backtrace stands above the first death'],
    fixes: [
      {
        ...NO_SETTING,
        effect: 'the place is filled again',
        safety: 'needs-code',
        why: 'Mend what the first death reports, or go back to the last version of the application or library that ran.',
      },
      ...(undetected === null ? [] : [longerStartsecs(lives)]),
    ],
    next: [
      `read the lines between the start and the death of ${lives[0] === undefined ? 'the first' : processName(lives[0])}: the first error is the cause, the rest repeats it`,
      'start the application by hand as the same user, in the same directory, with the same environment',
      ...(lives.some(({end}) => end === 'killed')
        ? ["dmesg -T | grep -i 'killed process'   # memory", 'cat /sys/fs/cgroup/memory.events']
        : ['coredumpctl list   # where systemd keeps core dumps']),
    ],
    identity: [instanceName(instance), ...slots],
  };
}

function sceneOf(timeline: Timeline, instance: Instance, loops: readonly Loop[]): Scene {
  const lives = loops.flatMap((loop) => loop.lives);
  const died = lives.find(({ended}) => ended !== null)?.ended;
  const isThrottling = (event: LogEvent) =>
    event.meaning.kind === 'respawn-throttled' &&
    died != null &&
    died.input === event.input &&
    died.stream === event.stream &&
    precedes(died, event);
  const runs = instance.supervisor === 'supervisord' ? timeline.events.filter((event) => isRunOf(event, lives)) : [];
  return {
    instance,
    lives,
    slots: unique(loops.map(({slot}) => slot)),
    throttled: timeline.events.filter(isThrottling),
    inLoading: lives.every((process) => diedLoading(instance, process)),
    undetected: runs.length >= lives.length - 1 && runs.length > 1 ? {startsecs: runs[0]?.fields.seconds ?? null} : null,
  };
}

function proofs({lives, throttled}: Scene): Evidence[] {
  const reports = lives.flatMap(({remarks}) => remarks.filter(({meaning}) => meaning.kind === 'crash'));
  return [
    ...reports.slice(0, 1).map((event) => proof(event, 'the first report of a crash: read what follows it')),
    ...[lives[0], lives[1], lives.at(-1)].flatMap((process) =>
      process?.ended ? [proof(process.ended, `${processName(process)} died: ${endingOf(process)}`)] : [],
    ),
    ...throttled.slice(0, 1).map((event) => proof(event, 'the master slows the loop down: it sleeps, and so does all it does')),
  ];
}

function messageOf(scene: Scene): string {
  const {lives, slots, throttled, undetected} = scene;
  const one = slots.length === 1;
  const lasted = span(lives.map(lifeOf));
  return sentences(
    `${capital(list(slots))} ${one ? 'was' : 'were'} started and died ${count(lives.length, 'time')}${
      one ? ' in a row' : ' in all'
    }, ${lasted && lasted.max !== null ? `after ${duration(lasted)}` : 'soon after the start'}.`,
    `How they ended: ${list(unique(lives.map(endingOf)))}.`,
    servedText(scene),
    throttled.length > 0 &&
      `The master slowed the loop down ${count(throttled.length, 'time')}; while it sleeps, reloads, harakiri and the ` +
        'replacement of other workers wait too.',
    undetected !== null &&
      `Each time it lived longer than startsecs${undetected.startsecs === null ? '' : ` (${undetected.startsecs} s)`}, so supervisord counts every start as a success, begins to count anew and never gives up.`,
    hasRecovered(scene) && 'A later process of that place served again.',
    'The loop is proved; its cause is in what the process itself printed before it died.',
  );
}

function servedText({lives, inLoading}: Scene): string | null {
  if (!lives.some(({role}) => role === 'worker')) return null;
  if (inLoading) return 'None of them had loaded the application by then: loading it is what ends them.';
  const served = lives.reduce((sum, {requests}) => sum + requests, 0);
  return served === 0
    ? 'None of them answered a request that this log shows.'
    : `Between them they answered ${count(served, 'request')}.`;
}

function hasRecovered({instance, lives}: Scene): boolean {
  const next = lives.at(-1)?.successor;
  const back = next ? instance.processes.find(({started}) => started === next) : undefined;
  return back !== undefined && !lives.includes(back) && back.end !== 'crashed' && back.end !== 'killed' && back.requests > 0;
}

function againstFor(lives: readonly Process[], inLoading: boolean): Alternative {
  const killed = lives.find(({end}) => end === 'killed');
  if (killed !== undefined)
    return {
      hypothesis: 'something outside kills it each time (a memory limit, a watchdog script)',
      because: 'the deaths by signal 9 fit that; dmesg -T and memory.events decide',
      line: killed.ended?.line ?? null,
    };
  return {
    hypothesis: 'one request that crashes whoever takes it',
    because: inLoading
      ? 'a worker takes requests only when the application is loaded'
      : lives.every(({requests}) => requests === 0)
        ? 'no request was answered there, but one that crashes its worker has no line'
        : 'requests were answered before some of the deaths, so this fits as well',
    line: null,
  };
}

function longerStartsecs(lives: readonly Process[]): Fix {
  const lasted = span(lives.map(lifeOf));
  return {
    setting: 'startsecs',
    section: `program:${lives[0]?.program ?? ''}`,
    value: null,
    effect: 'supervisord notices the loop and gives the program up (FATAL), which monitoring sees',
    since: null,
    safety: 'safe',
    why: `Set it longer than the program lives now${lasted?.max == null ? '' : ` (${duration(lasted)})`}. It mends nothing, and it ends the loop.`,
  };
}

/** supervisord counted the start of one of them as a success. */
function isRunOf({message, ...event}: LogEvent, lives: readonly Process[]): boolean {
  const [first] = lives;
  return (
    message === 'supervisord/running' &&
    lives.some(({program}) => program === event.fields.program) &&
    (first?.started == null || precedes(first.started, event))
  );
}

function endingOf(process: Process): string {
  const {signal, end} = process;
  if (signal !== null) return `${end === 'killed' ? 'killed by' : 'crashed by'} signal ${signal}`;
  const code = exitCodeOf(process);
  if (code !== null) return `exit code ${code}`;
  return process.remarks.some(({meaning}) => meaning.kind === 'crash')
    ? 'a fault that its handler reported'
    : 'an exit, no signal named';
}
