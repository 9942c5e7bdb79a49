import type {Voice} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {type Finding, type Fix, NO_PROCESS, NO_SETTING, type Rule} from './rule.ts';
import {isOn, isUnknown, loading, numberOf, setting} from './settings.ts';
import {count, evidence, instanceName, nameOf, proof, sentences, unique} from './wording.ts';

/** So often something has to be said without anything else having happened before it is taken for a thread's own doing. */
const BY_ITSELF = 2;

const rule: Rule = {
  id: 'threads-lost-on-fork',
  title: 'A thread that is started when the application is loaded runs in the master only',
  severity: 'warning',
  docs: {
    sees:
      'Lines that the application writes again and again from the process that loaded it (the master, the arbiter) and never ' +
      'from a worker. With only a configuration: settings by which the application is loaded before the workers are forked.',
    why:
      'A fork copies memory and one thread. A thread that was started before it (a cache that refreshes itself, a client that ' +
      'polls, a sender of metrics) goes on in the master alone; each worker has what the thread had made until then and never ' +
      'gets anything newer. Nothing fails, it is only stale.',
    remedy:
      'Load the application in each worker (uWSGI lazy-apps = true; gunicorn without preload_app), or start the thread behind ' +
      'the fork: uwsgidecorators.postfork, or the server hook post_fork of gunicorn.conf.py.',
    limits:
      'It needs lines of the application that name their process (%(process)d in the format of its logger). A thread that is ' +
      'meant to run in the master only looks the same. Under uWSGI such a thread runs at all only with enable-threads.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/ThingsToKnow.html',
      'https://uwsgi-docs.readthedocs.io/en/latest/PythonDecorators.html',
      'https://docs.gunicorn.org/en/stable/settings.html#preload-app',
    ],
  },
  needs: {
    messages: [],
    or: ({voices, instances}) => voices.length > 0 || instances.some(isConfiguredSo),
    otherwise:
      'no line of the application names the process that writes it: put %(process)d into the format of its logger, and the ' +
      'log shows which process a thread runs in',
  },
  *check(timeline) {
    for (const instance of timeline.instances.filter(forks)) {
      yield heardIn(timeline, instance) ?? (isConfiguredSo(instance) ? note(timeline, instance) : null);
    }
  },
};

export default rule;

/** Servers whose master may load the application and then forks its workers. */
function forks({supervisor}: Instance): boolean {
  return supervisor === 'uwsgi' || supervisor === 'gunicorn';
}

/** The configuration, and no line of the log, says that the application is loaded before the fork and has threads. */
function isConfiguredSo(instance: Instance): boolean {
  if (instance.supervisor === 'gunicorn')
    return setting(instance, 'preload_app')?.from === 'config' && isOn(instance, 'preload_app');
  return (
    setting(instance, 'enable-threads')?.from === 'config' &&
    isOn(instance, 'enable-threads') &&
    isOn(instance, 'master') &&
    (numberOf(instance, 'processes') ?? numberOf(instance, 'workers') ?? 1) > 1 &&
    loading(instance) !== 'lazy-apps' &&
    !isUnknown(instance, 'lazy-apps')
  );
}

interface Heard {
  readonly voice: Voice;
  readonly master: Process;
  /** Workers that were there while it spoke. */
  readonly workers: readonly Process[];
}

function heardIn(timeline: Timeline, instance: Instance): Finding | null {
  const masters = instance.processes.filter(({role}) => role === 'master');
  const workers = instance.processes.filter(({role}) => role === 'worker');
  const isOf = (process: Process) => (voice: Voice) => voice.pid === process.pid && voice.stream === streamOf(process, instance);
  const workersSay = new Set(workers.flatMap((worker) => timeline.voices.filter(isOf(worker)).map(({words}) => words)));
  const heard = masters.flatMap((master) =>
    timeline.voices
      .filter(isOf(master))
      .filter(({words, repeats}) => repeats >= BY_ITSELF && !workersSay.has(words))
      .map((voice): Heard => ({voice, master, workers: workers.filter((worker) => isThere(worker, voice))})),
  );
  const found = heard.filter((each) => each.workers.length > 0);
  return found.length === 0 ? null : describe(timeline, instance, found);
}

function streamOf({started}: Process, {name}: Instance): string | null {
  return started === null ? name : started.stream;
}

/** It was forked before the last of these lines and not gone before the first. */
function isThere({started, ended}: Process, {first, last}: Voice): boolean {
  return (started === null || precedes(started, last)) && (ended === null || precedes(first, ended));
}

function describe(timeline: Timeline, instance: Instance, heard: readonly Heard[]): Finding | null {
  const [main] = [...heard].sort((a, b) => b.voice.count - a.voice.count);
  const worker = timeline.voices.find(({pid}) => main?.workers.some((each) => each.pid === pid));
  const lines = evidence([
    ...heard
      .slice(0, 3)
      .flatMap(({voice, master}) => [
        proof(voice.first, `written by pid ${master.pid}, the ${wordFor(instance)}`),
        proof(voice.last, `the same again, by the same process: ${count(voice.count, 'time')} in all`),
      ]),
    ...(worker ? [proof(worker.first, `pid ${worker.pid}, a worker, writes other lines`)] : []),
    ...(main?.workers.slice(0, 2).flatMap(({started, pid}) => (started ? [proof(started, `worker pid ${pid} is forked`)] : [])) ??
      []),
  ]);
  if (!lines || !main) return null;
  const word = wordFor(instance);
  const workers = unique(heard.flatMap((each) => each.workers));
  return {
    title: rule.title.replace('master', word),
    message: sentences(
      `The application writes ${count(heard.length, 'kind')} of line again and again from pid ${main.master.pid}, the ${word}`,
      `(${count(main.voice.count, 'time')}, by itself), and from none of the ${count(workers.length, 'worker')} that ${workers.length === 1 ? 'was' : 'were'} there meanwhile. That is proved.`,
      'That a thread writes them which was started when the application was loaded, before the workers were forked, is inferred:',
      `the ${word} itself handles no requests. A fork takes no threads along: what this thread keeps fresh is stale in every worker.`,
      worker === undefined &&
        'No worker writes any line that names its process, so that it is only the silence of the workers that speaks.',
    ),
    confidence: worker === undefined ? 'possible' : 'likely',
    instance: instance.id,
    reload: null,
    pids: unique(heard.map(({master}) => master.pid)),
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: `a thread that is meant to run in the ${word} only, or a server hook that writes there`,
        because: 'nothing in the log speaks against it; then all is well',
        line: null,
      },
    ],
    cannotSee: ['what the workers miss: a stale value makes no line'],
    fixes: fixesFor(instance),
    next: [
      workers[0]
        ? `py-spy dump --pid ${main.master.pid}, and the same for ${nameOf(workers[0])}: the thread is in the first list only`
        : `py-spy dump --pid ${main.master.pid}   # lists its threads`,
    ],
    identity: [instanceName(instance), 'heard'],
  };
}

/** Nothing but a setting: worth knowing, and no trouble by itself. */
function note(timeline: Timeline, instance: Instance): Finding | null {
  const names = instance.supervisor === 'gunicorn' ? ['preload_app'] : ['enable-threads', 'processes', 'workers', 'lazy-apps'];
  const settings = names.map((name) => setting(instance, name)).filter((each) => each?.from === 'config');
  const lines = evidence(settings.flatMap((each) => (each?.where ? [proof(each.where, `${each.name} = ${each.value}`)] : [])));
  if (!lines) return null;
  const isHeard = timeline.voices.some(({pid}) => instance.processes.some((process) => process.pid === pid));
  return {
    title: 'Threads that are started when the application is loaded do not reach the workers',
    severity: 'info',
    message: sentences(
      `By its configuration the application is loaded once, in the ${wordFor(instance)}, and the workers are forked from it`,
      `(${instance.supervisor === 'gunicorn' ? 'preload_app' : 'no lazy-apps'}). A fork takes no threads along: a thread that is started at import`,
      `runs in the ${wordFor(instance)} alone. That follows from the settings; whether the application has such a thread they do not tell.`,
      isHeard && 'Its lines that name their process show none so far.',
    ),
    confidence: 'possible',
    instance: instance.id,
    ...NO_PROCESS,
    evidence: lines,
    against: [{hypothesis: 'no thread is started at import', because: 'no line tells; then all is well', line: null}],
    cannotSee: ['whether the application starts a thread when it is imported'],
    fixes: fixesFor(instance),
    next: ["put %(process)d into the format of the application's logger: the log then shows which process a thread runs in"],
    identity: [instanceName(instance), 'configuration'],
  };
}

function wordFor({supervisor}: Instance): string {
  return supervisor === 'gunicorn' ? 'arbiter' : 'master';
}

function fixesFor({supervisor}: Instance): Fix[] {
  const effect = 'each worker has the thread';
  const hook = (what: string): Fix => ({
    ...NO_SETTING,
    safety: 'needs-code',
    effect,
    why: `Start the thread behind the fork: ${what}. Make it a daemon thread, or it will hold the worker when it leaves.`,
  });
  const load = {since: null, safety: 'safe' as const, effect};
  if (supervisor === 'gunicorn') {
    return [
      {
        ...load,
        setting: 'preload_app',
        section: null,
        value: 'False',
        why: 'Each worker then loads the application itself: it starts more slowly and shares less memory. A thread that is no daemon thread then holds it when it leaves.',
      },
      hook('in the server hook post_fork of gunicorn.conf.py'),
    ];
  }
  return [
    {
      ...load,
      setting: 'lazy-apps',
      section: 'uwsgi',
      value: 'true',
      why: 'Each worker then loads the application itself: it starts more slowly and shares less memory. A thread that is no daemon thread then holds it when it leaves.',
    },
    hook('in a function decorated with uwsgidecorators.postfork'),
  ];
}
