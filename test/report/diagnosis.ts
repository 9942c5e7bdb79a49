import type {Diagnosis} from '../../src/analyze.ts';
import type {RuleFinding} from '../../src/rules/rule.ts';
import type {LogEvent, Meaning} from '../../src/timeline/event.ts';
import {between, exactly, type Instant, UNKNOWN_INSTANT} from '../../src/timeline/time.ts';
import type {InputSummary, Instance, Process, Reload, Timeline} from '../../src/timeline/timeline.ts';

/** Diagnoses made by hand, to try reporters on. */

export function at(clock: string, day = '2019-07-31'): Instant {
  return exactly(Date.parse(`${day}T${clock}Z`));
}

export function event(
  line: number,
  text: string,
  when: Instant = UNKNOWN_INSTANT,
  meaning: Meaning = {kind: 'remark'},
): LogEvent {
  return {
    input: 0,
    line,
    place: line,
    text,
    message: 'uwsgi/something',
    meaning,
    fields: {},
    pid: null,
    worker: null,
    at: when,
    served: 0,
    stream: null,
    sink: 'plain',
    writer: null,
    mark: '',
  };
}

export const input: InputSummary = {
  name: 'uwsgi.log',
  bytes: 4711,
  lines: 1204,
  compression: 'none',
  envelopes: ['plain'],
  supervisors: ['uwsgi'],
  counts: {events: 40, requests: 1150, noise: 8, application: 4, unknown: 2},
  from: at('20:10:00').earliest,
  to: at('20:14:11').earliest,
  zone: null,
  isDateless: false,
  truncated: false,
  oddities: [],
  unknownExamples: [],
  continues: false,
};

export function forcedWorker(worker: number, oldPid: number, asked: Instant, killed: Instant): Process {
  const kill = event(40 + worker, `worker ${worker} (pid: ${oldPid}) is taking too much time to die...NO MERCY !!!`, killed);
  return {
    pid: oldPid,
    role: 'worker',
    worker,
    instance: 'uwsgi-1',
    startedAt: UNKNOWN_INSTANT,
    started: null,
    appLoaded: null,
    asked: {
      at: asked,
      event: event(30 + worker, `Gracefully killing worker ${worker} (pid: ${oldPid})...`, asked),
      acknowledged: true,
      by: 'reload',
      reload: 'reload-1',
      wait: between(asked, killed),
      requestsAfter: 0,
    },
    leaving: null,
    forced: {at: killed, event: kill, deadline: 'mercy', tries: 1, inferred: false, patience: between(asked, killed)},
    endedAt: killed,
    ended: kill,
    end: 'forced',
    cause: 'reload',
    killedBy: 'master',
    program: null,
    ownedBy: null,
    signal: '9',
    requests: 12,
    segments: [],
    predecessorPid: null,
    successorPid: oldPid + 1000,
    successor: null,
    remarks: [],
  };
}

export function leftByItself(worker: number, oldPid: number, asked: Instant, gone: Instant): Process {
  const {forced, ...process} = forcedWorker(worker, oldPid, asked, gone);
  return {...process, forced: null, end: 'clean', killedBy: null, signal: null};
}

export function reloadOf(processes: readonly Process[], startedAt: Instant, endedAt: Instant | null): Reload {
  return {
    id: 'reload-1',
    instance: 'uwsgi-1',
    kind: 'graceful',
    trigger: 'signal',
    startedAt,
    endedAt,
    duration: endedAt === null ? {min: 61, max: null} : between(startedAt, endedAt),
    outcome: endedAt === null ? 'unfinished' : 'completed',
    began: event(30, '...gracefully killing workers...', startedAt),
    headless: false,
    ended: null,
    workers: processes.map((process) => ({
      worker: process.worker,
      oldPid: process.pid,
      newPid: process.successorPid,
      wait: process.asked?.wait ?? {min: 0, max: null},
      end: process.end === 'clean' || process.end === 'forced' ? process.end : 'unknown',
      comeback: null,
    })),
    reExecuted: null,
    repeated: [],
    silence: {min: 0, max: 0},
    overBy: null,
    rivals: [],
  };
}

export function finding(changes: Partial<RuleFinding> = {}): RuleFinding {
  return {
    rule: 'app-threads-block-shutdown',
    severity: 'error',
    fingerprint: 'app-threads-block-shutdown:uwsgi-1',
    title: 'Idle workers do not stop and are killed when mercy runs out',
    message: 'All 4 workers were idle when they were asked to stop, and all 4 had to be killed after 61 s.',
    confidence: 'likely',
    instance: 'uwsgi-1',
    reload: 'reload-1',
    pids: [390128],
    workers: [1, 2, 3, 4],
    evidence: [
      {
        at: event(41, 'worker 1 (pid: 390128) is taking too much time to die...NO MERCY !!!'),
        shows: 'worker 1 was killed at the deadline',
      },
    ],
    against: [{hypothesis: 'request-blocks-shutdown', because: 'no request was running', line: 29}],
    cannotSee: ['which thread it was'],
    fixes: [
      {
        setting: 'worker-reload-mercy',
        section: 'uwsgi',
        value: '5',
        effect: 'wait 61 s -> 6 s',
        since: null,
        safety: 'may-cut-requests',
        why: 'The longest request took 0.4 s.',
      },
    ],
    next: ['py-spy dump --pid 390128 while it hangs'],
    identity: ['uwsgi-1'],
    ...changes,
  };
}

export function timelineOf(processes: readonly Process[], reloads: readonly Reload[], changes: Partial<Timeline> = {}): Timeline {
  const instance: Instance = {
    id: 'uwsgi-1',
    supervisor: 'uwsgi',
    version: '2.0.21',
    name: null,
    masterPid: 390100,
    predecessor: null,
    configured: [],
    unproved: [],
    settings: [
      {
        name: 'worker-reload-mercy',
        value: 60,
        from: 'inferred',
        where: event(3, 'your mercy for graceful operations on workers is 60 seconds'),
      },
    ],
    processes,
    reloads,
    epochs: [],
    stopped: null,
    runsAs: null,
  };
  return {
    disagreements: [],
    inputs: [input],
    configurations: [],
    instances: [instance],
    reloads,
    tasks: {started: 0, finished: 0, retried: 0, orphaned: []},
    events: [],
    voices: [],
    snapshots: [],
    doubled: [],
    clockSteps: [],
    messages: new Set(['uwsgi/something']),
    from: input.from,
    to: input.to,
    ...changes,
  };
}

const rules: Diagnosis['rules'] = [
  {id: 'app-threads-block-shutdown', result: 'fired', reason: ''},
  {id: 'harakiri-kills', result: 'passed', reason: 'no harakiri struck'},
  {id: 'worker-timeout', result: 'skipped', reason: 'no line of gunicorn'},
];

/** Four idle workers that were killed after 61 s. */
export function hungReload(changes: Partial<RuleFinding> = {}): Diagnosis {
  const [asked, killed] = [at('20:12:13'), at('20:13:14')];
  const processes = [1, 2, 3, 4].map((worker) => forcedWorker(worker, 390127 + worker, asked, killed));
  const timeline = timelineOf(processes, [reloadOf(processes, asked, at('20:13:16'))]);
  return {timeline, configuration: null, findings: [finding(changes)], rules, errors: [], notes: []};
}

/** Two workers that left at once. */
export function healthyReload(): Diagnosis {
  const [asked, gone] = [at('20:12:13'), at('20:12:14')];
  const processes = [1, 2].map((worker) => leftByItself(worker, 390127 + worker, asked, gone));
  const timeline = timelineOf(processes, [reloadOf(processes, asked, at('20:12:15'))]);
  return {
    timeline,
    configuration: null,
    findings: [],
    rules: rules.map((rule) => ({...rule, result: rule.result === 'fired' ? 'passed' : rule.result})),
    errors: [],
    notes: [],
  };
}

/** A text of 35 lines that nothing is known about. */
export function notUnderstood(): Diagnosis {
  const counts = {events: 0, requests: 0, noise: 0, application: 0, unknown: 35};
  const inputs = [{...input, lines: 35, counts, supervisors: [], from: null, to: null}];
  return {
    configuration: null,
    timeline: timelineOf([], [], {inputs, instances: [], messages: new Set(), from: null, to: null}),
    findings: [],
    rules: rules.map((rule) => ({...rule, result: 'skipped' as const})),
    errors: [],
    notes: [],
  };
}
