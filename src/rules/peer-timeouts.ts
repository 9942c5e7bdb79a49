/** Workers that servers other than gunicorn ended at a time limit of theirs: told by the rule worker-timeout. */
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import type {Finding, Fix} from './rule.ts';
import {count, evidence, instanceName, list, nameOf, proof, sentences, unique} from './wording.ts';

interface Server {
  readonly title: string;
  /** What the time limit is about, and what else can make it strike. */
  readonly why: string;
  readonly fixes: readonly Fix[];
  readonly next: readonly string[];
}

const fix = (setting: string | null, effect: string, why: string, safety: Fix['safety'] = 'safe'): Fix => ({
  setting,
  section: null,
  value: null,
  effect,
  since: null,
  safety,
  why,
});

const FASTER = fix(
  null,
  'requests end before the limit',
  'Give the calls that a request makes (database, HTTP) a time limit below it, or move the work to a queue.',
  'needs-code',
);

const SERVERS: Readonly<Record<string, Server>> = {
  puma: {
    title: 'Workers that did not report to puma in time were killed',
    why:
      'A worker reports from a thread of its own, so a slow request alone does not silence it: the whole process stood still ' +
      '(native code that keeps the lock of the interpreter, swapping, no processor time), or it did not boot within worker_boot_timeout.',
    fixes: [
      fix(
        'worker_boot_timeout',
        'a start that is slow can come to its end',
        'Where they were still booting. 60 s unless it is set.',
      ),
      fix(
        'worker_timeout',
        'a process that stands still for a while is left alone',
        'Above 5 s, the interval of the checks; below that puma kills healthy workers (puma#1714). 60 s unless it is set.',
      ),
    ],
    next: [
      'look at memory and processor of the machine at that time: swapping and throttling silence a worker',
      'rbspy dump --pid <pid of a worker that hangs>',
    ],
  },
  unicorn: {
    title: 'Workers whose request took longer than timeout were killed by unicorn',
    why: 'A worker of unicorn handles one request at a time and is killed when that takes longer than timeout: its client got no answer.',
    fixes: [
      FASTER,
      fix('timeout', 'requests up to that length are answered', 'Above the longest request that is meant to succeed.'),
    ],
    next: ["look for requests without an answer (499, 502, 504) in the proxy's access log at that moment"],
  },
  'php-fpm': {
    title: 'Requests that took longer than request_terminate_timeout were killed by php-fpm',
    why: 'php-fpm kills the child that handles such a request: its client got no answer.',
    fixes: [
      FASTER,
      fix(
        'request_terminate_timeout',
        'requests up to that length are answered',
        'Above the longest request that is meant to succeed.',
      ),
    ],
    next: ['set request_slowlog_timeout and slowlog: the stack of whatever takes long is written before the kill'],
  },
};

export function* peerTimeouts(timeline: Timeline): Iterable<Finding | null> {
  for (const instance of timeline.instances) {
    const server = SERVERS[instance.supervisor];
    const killed = instance.processes.filter(({role, forced}) => role === 'worker' && forced?.deadline === 'timeout');
    if (server && killed.length > 0) yield describe(instance, killed, server);
  }
}

function describe(instance: Instance, killed: readonly Process[], {title, why, fixes, next}: Server): Finding | null {
  const lines = evidence(
    killed
      .slice(0, 5)
      .flatMap((process) => (process.forced ? [proof(process.forced.event, `${nameOf(process)} is killed`)] : [])),
  );
  if (!lines) return null;
  const scripts = unique(
    killed.flatMap(({forced}) => (forced?.event.fields.script === undefined ? [] : [String(forced.event.fields.script)])),
  );
  return {
    title,
    message: sentences(
      `${count(killed.length, 'worker was', 'workers were')} killed at a time limit.`,
      scripts.length > 0 && `They were running ${list(scripts, 4)}.`,
      why,
      'That they were killed for it is proved.',
    ),
    confidence: 'certain',
    instance: instance.id,
    reload: null,
    pids: unique(killed.map(({pid}) => pid)),
    workers: unique(killed.map(({worker}) => worker).filter((worker) => worker !== null)),
    evidence: lines,
    against: [],
    cannotSee:
      scripts.length > 0 ? ['what they were waiting for'] : ['which requests they had in hand, and what they were waiting for'],
    fixes,
    next,
    identity: [instanceName(instance), 'time limit'],
  };
}
