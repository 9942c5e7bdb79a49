/** What Kubernetes does to containers: failed probes, kills for memory, restarts. Told by the rule platform-errors. */
import type {LogEvent} from '../timeline/event.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {type Finding, type Fix, NO_PROCESS, NO_SETTING} from './rule.ts';
import {count, evidence, list, proof, sentences, unique} from './wording.ts';

const OUT_OF_MEMORY = 'OOMKilled';
/** 128 and SIGKILL. */
const KILLED = 137;

export function* kubernetesTroubles({events}: Timeline): Iterable<Finding | null> {
  const of = (...names: readonly string[]) =>
    events.filter(({message}) => names.some((name) => message === `kubernetes/${name}`));
  const probes = of('probe-failed', 'probe-logged');
  const inState = (state: string) => of('pod-failing').filter(({fields}) => fields['state'] === state);
  const memory = [...of('killed-for-memory'), ...inState(OUT_OF_MEMORY)];
  const killed = of('exit-code').filter(
    (event) =>
      event.fields['code'] === KILLED && !memory.some(({input, line}) => input === event.input && line === event.line - 1),
  );
  const kills = of('probe-kills');
  const isReadiness = ({fields}: LogEvent) => fields['probe'] === 'Readiness';
  yield restarted(
    probes.filter((event) => !isReadiness(event)),
    kills,
  );
  yield leftOut(probes.filter(isReadiness));
  yield overLimit(memory);
  yield endedBySignal(killed, kills);
  yield backedOff([...of('back-off'), ...inState('CrashLoopBackOff')]);
}

/** A liveness or startup probe failed, and where it did so too often the container is ended. */
function restarted(probes: readonly LogEvent[], kills: readonly LogEvent[]): Finding | null {
  const lines = evidence([
    ...probes.slice(0, 3).map((event) => proof(event, 'the probe fails')),
    ...kills.slice(0, 3).map((event) => proof(event, 'the kubelet ends the container for it')),
  ]);
  if (!lines) return null;
  const isStartup = probes.length > 0 && probes.every(({fields}) => fields['probe'] === 'Startup');
  const name = isStartup ? 'startup' : 'liveness';
  return {
    ...COMMON,
    title:
      kills.length > 0
        ? `Kubernetes restarted a container because its ${name} probe failed`
        : `The ${name} probe of a container fails`,
    severity: kills.length > 0 ? 'error' : 'warning',
    message: sentences(
      probes.length > 0 && `The ${name} probe failed ${count(timesOf(probes), 'time')}${namesIn(probes)}: ${reasonsOf(probes)}.`,
      kills.length > 0 && `The kubelet ended the container for it ${count(timesOf(kills), 'time')}, and started it anew.`,
      'That is proved.',
      ...meaningsOf(probes),
    ),
    evidence: lines,
    cannotSee: ['what the server was doing meanwhile: its own lines of that time tell'],
    fixes: [
      ...(probes.length === 0 || probes.some(isLate)
        ? [
            {
              ...SAFE,
              setting: 'timeoutSeconds',
              section: `${name}Probe`,
              effect: 'an answer that is late is no failure',
              why: 'It is 1 s unless it is set. Set it above what an answer takes while all workers are busy.',
            },
          ]
        : []),
      {
        ...SAFE,
        setting: 'failureThreshold',
        section: `${name}Probe`,
        effect: 'a reload or a busy minute passes without a restart',
        why: 'failureThreshold times periodSeconds (30 s unless they are set) should be above the longest reload or start of the server.',
      },
      ...(isStartup
        ? []
        : [
            {
              ...SAFE,
              effect: 'a server under load gets less traffic, and is not restarted',
              why: 'Leave overload to the readiness probe, and slow starts to a startupProbe; let the liveness probe ask only whether the process lives.',
            },
          ]),
    ],
    next: [
      'kubectl logs POD -c CONTAINER --previous   # the last words of the one that was ended: WORKER TIMEOUT, a reload, a slow start?',
      'kubectl get events --field-selector reason=Unhealthy --sort-by=.lastTimestamp',
    ],
    identity: ['kubernetes', name],
  };
}

/** A pod whose readiness probe fails gets no traffic. */
function leftOut(probes: readonly LogEvent[]): Finding | null {
  const lines = evidence(probes.slice(0, 3).map((event) => proof(event, 'the probe fails')));
  if (!lines) return null;
  return {
    ...COMMON,
    title: 'A pod was not ready: its readiness probe failed',
    severity: 'warning',
    message: sentences(
      `The readiness probe failed ${count(timesOf(probes), 'time')}${namesIn(probes)}: ${reasonsOf(probes)}.`,
      'Such a pod gets no requests from its service, and is not restarted. That is proved. At a start it is normal.',
      ...meaningsOf(probes),
    ),
    evidence: lines,
    cannotSee: ['whether other pods served meanwhile'],
    fixes: [],
    next: [
      'kubectl get pods -o wide   # how many of them are ready',
      'kubectl logs POD -c CONTAINER   # what the server did at that time',
    ],
    identity: ['kubernetes', 'readiness'],
  };
}

function overLimit(memory: readonly LogEvent[]): Finding | null {
  const lines = evidence(memory.slice(0, 3).map((event) => proof(event, 'Kubernetes names the reason')));
  if (!lines) return null;
  return {
    ...COMMON,
    title: 'A container was killed for want of memory (OOMKilled)',
    severity: 'error',
    message: sentences(
      `Kubernetes says OOMKilled${namesIn(memory)}: the kernel killed in the container because its memory limit, or the memory of the node, was used up.`,
      'That is proved. Which process grew, the kernel log of the node tells.',
    ),
    evidence: lines,
    cannotSee: [
      'what was running: it was cut without a line',
      'kills of single workers that the first process of the container survived',
    ],
    fixes: [
      {
        ...SAFE,
        effect: 'the limit is not reached at this load',
        why: 'Run fewer workers, or raise limits.memory of the container.',
      },
      {
        ...SAFE,
        effect: 'what grows slowly starts anew in time',
        why: 'Recycle workers before that (uWSGI reload-on-rss or max-requests, gunicorn max_requests), below the limit divided by their number.',
      },
    ],
    next: [
      'kubectl describe pod POD   # Limits, Last State, Restart Count',
      "dmesg -T | grep -i 'killed process'   # on the node: which process, and how large it was",
    ],
    identity: ['kubernetes', 'memory'],
  };
}

/** 137, and Kubernetes gives another reason than memory. */
function endedBySignal(killed: readonly LogEvent[], kills: readonly LogEvent[]): Finding | null {
  const lines = evidence([
    ...killed.slice(0, 2).map((event) => proof(event, '128 + 9: SIGKILL ended its first process')),
    ...kills.slice(0, 1).map((event) => proof(event, 'the kubelet ends the container')),
  ]);
  if (!lines || killed.length === 0) return null;
  return {
    ...COMMON,
    title: 'A container was ended by signal 9, and Kubernetes does not give memory as the reason',
    severity: 'error',
    confidence: kills.length > 0 ? 'likely' : 'possible',
    message: sentences(
      'Its exit code is 137 (128 + 9), and the reason that Kubernetes gives is not OOMKilled.',
      kills.length > 0
        ? 'The kubelet had begun to end it: most likely the server was still there when terminationGracePeriodSeconds (30 s unless it is set) was over.'
        : 'Most often the server had not stopped when terminationGracePeriodSeconds (30 s unless it is set) was over: at a rollout, a drain, or after a failed probe.',
    ),
    evidence: lines,
    against: [
      {hypothesis: 'somebody inside or on the node sent the signal', because: 'it gives the same code', line: null},
      {
        hypothesis: 'a want of memory that Kubernetes did not see',
        because:
          'where a worker and not the first process is killed, the reason is not OOMKilled; the kernel log of the node decides',
        line: null,
      },
    ],
    cannotSee: ['who sent the signal'],
    fixes: [
      {
        ...SAFE,
        setting: 'terminationGracePeriodSeconds',
        effect: 'the server comes to the end of its own stop',
        why: 'Above the own patience of the server (worker-reload-mercy, graceful_timeout), by 5 s and what preStop takes.',
      },
      {
        ...SAFE,
        effect: 'the server gets SIGTERM itself and stops at once',
        why: 'Let the command be the first process (exec at the end of the entrypoint). uWSGI stops at SIGTERM only with die-on-term.',
      },
    ],
    next: ['kubectl logs POD -c CONTAINER --previous   # had the server taken note of a stop, and what did it wait for?'],
    identity: ['kubernetes', 'signal 9'],
  };
}

function backedOff(events: readonly LogEvent[]): Finding | null {
  const lines = evidence(events.slice(0, 3).map((event) => proof(event, 'Kubernetes waits before the next start')));
  if (!lines) return null;
  return {
    ...COMMON,
    title: 'A container ends again and again (CrashLoopBackOff)',
    severity: 'error',
    message: sentences(
      `A container${namesIn(events)} ended so often that Kubernetes waits longer and longer before it starts it again, up to five minutes.`,
      'That is proved. Why it ends, its own last lines tell; a probe that kills it counts as well.',
    ),
    evidence: lines,
    cannotSee: ['why it ends: no line of the container itself is among these'],
    fixes: [{...SAFE, safety: 'needs-code', effect: 'the container stays up', why: 'Mend what its last lines report.'}],
    next: [
      'kubectl logs POD -c CONTAINER --previous   # the last words of the one that ended',
      'kubectl describe pod POD   # Last State: its exit code and reason',
    ],
    identity: ['kubernetes', 'back-off'],
  };
}

const COMMON = {
  confidence: 'certain',
  instance: null,
  ...NO_PROCESS,
  against: [],
} as const;

const SAFE: Omit<Fix, 'effect' | 'why'> = {...NO_SETTING, safety: 'safe'};

/** kubectl folds equal events: "(x12 over 20m)". */
function timesOf(events: readonly LogEvent[]): number {
  return events.reduce((sum, {fields}) => sum + Number(fields['times'] ?? 1), 0);
}

function namesIn(events: readonly LogEvent[]): string {
  const names = unique(events.flatMap(({fields}) => fields['program'] ?? fields['pod'] ?? []).map(String));
  return names.length === 0 ? '' : ` (${list(names, 4)})`;
}

function reasonsOf(events: readonly LogEvent[]): string {
  return list(unique(events.map(({fields}) => String(fields['reason']).replaceAll('\\"', '"'))), 3);
}

const LATE: ReadonlySet<unknown> = new Set(['deadline exceeded', 'i/o timeout']);

function isLate({fields}: LogEvent): boolean {
  return LATE.has(fields['answer']);
}

const NO_ANSWER =
  'No answer came in time: the probe is a request like any other, and waits where all workers are busy, held at a reload or still loading.';
const NOBODY = 'Nobody listened: the server was still starting, had stopped, or listens on another port or address.';

/** By the words of the probe. */
const MEANINGS: Readonly<Record<string, string>> = {
  'deadline exceeded': NO_ANSWER,
  'i/o timeout': NO_ANSWER,
  'connection refused': NOBODY,
  'no such file': NOBODY,
  'statuscode: 5': 'The server answered with an error of its own: its log, or that of the application, names it.',
  'statuscode: 4':
    'The server answered that the path or the host of the probe is wrong (404; 400 where the Host is not allowed).',
};

function meaningsOf(probes: readonly LogEvent[]): string[] {
  return unique(probes.flatMap(({fields}) => MEANINGS[String(fields['answer'])] ?? []));
}
