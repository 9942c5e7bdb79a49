import type {Severity} from '../severity.ts';
import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {containerStates} from './container-states.ts';
import {hostingTroubles} from './hosting-troubles.ts';
import {kubernetesTroubles} from './kubernetes-troubles.ts';
import {instanceOfEvent} from './line-owners.ts';
import {proxyErrors} from './proxy-errors.ts';
import {type Finding, NO_PROCESS, NO_SETTING, type Rule} from './rule.ts';
import {count, evidence, list, proof, sentences, unique} from './wording.ts';

interface Trouble {
  /** In a sentence behind "Heroku says so n times: ". */
  readonly what: string;
  readonly remedy: string;
  /** Where it is no warning. */
  readonly severity?: Severity;
}

const LESS_MEMORY = 'Run fewer workers (WEB_CONCURRENCY), recycle them (max_requests), or take a larger dyno.';

/** Heroku's codes (devcenter.heroku.com/articles/error-codes). What is told by other rules (R10, R12) is not among them. */
const TROUBLES: Readonly<Record<string, Trouble>> = {
  H10: {
    what: 'the dyno had crashed, so requests were refused',
    remedy: 'The lines of app[…] before the first of these have the traceback, or "State changed … to crashed".',
  },
  H11: {what: 'too many requests waited for the dynos', remedy: 'Make requests faster, or run more dynos.'},
  H12: {
    what: 'a request took longer than 30 s, so the client got an error while the dyno went on working',
    remedy:
      "Set the server's own time limit (gunicorn timeout, harakiri) below 30 s, so that the worker is free again, and move long work to a queue.",
  },
  H13: {
    what: 'the server closed the connection without an answer',
    remedy: 'A worker was killed or recycled in the middle: look at its lines at that second.',
  },
  H14: {what: 'no web dyno is running', remedy: 'heroku ps:scale web=1'},
  H18: {
    what: 'the server closed the connection in the middle of an answer',
    remedy: 'A worker was killed or recycled in the middle: look at its lines at that second.',
  },
  H19: {
    what: 'the dyno did not accept the connection in time',
    remedy: 'All workers are busy and the queue is full: more workers or dynos, or faster requests.',
  },
  H20: {what: 'the dyno did not boot within 75 s', remedy: 'Load less at the start, or bind to $PORT before loading.'},
  H21: {what: 'the dyno refused the connection', remedy: 'It is restarting, or the queue of the server is full.'},
  H27: {what: 'the client hung up before the answer', remedy: 'A few are normal; many point to slow answers.'},
  R14: {what: 'the dyno uses more memory than it has, and swaps', remedy: LESS_MEMORY},
  R15: {what: 'the dyno used far more memory than it has, and Heroku killed it', remedy: LESS_MEMORY, severity: 'error'},
};

const rule: Rule = {
  id: 'platform-errors',
  title: 'The platform (Heroku, Fly.io, Render, Cloud Run, Kubernetes, docker) or the proxy (nginx, Apache) reports errors',
  severity: 'warning',
  docs: {
    sees:
      "Heroku's error codes of requests (H10 to H27) and of memory (R14, R15), each counted. Of Kubernetes (the kubelet's log, kubectl get " +
      'events, describe pod, get pods): failed probes and the restarts for them, OOMKilled, exit code 137, CrashLoopBackOff. Of nginx (error.log, and the 499, 502 and 504 of access.log): requests that the server behind it did not answer, joined with the worker that was ended in that second. Of Apache: requests that mod_wsgi did not answer. Of Fly.io, Render, Cloud Run and App Engine: that memory ran out, that nobody listened, that the program ended with an error, that it was still there when kill_timeout was over. Of docker inspect: OOMKilled, and the exit code of a container.',
    why:
      'The router answers for the dyno where it cannot: the client got an error page, and the log of the application may hold nothing of ' +
      'it. Kubernetes ends a container that does not answer its probe, however healthy it is.',
    remedy: 'Each code has its own; it is named with it. Look at the lines of the same dyno in the same second.',
    limits: 'A code names what the router saw, not why the application was slow or gone.',
    references: [
      'https://devcenter.heroku.com/articles/error-codes',
      'https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/',
    ],
  },
  needs: {
    messages: [
      'heroku/request-timeout',
      'heroku/router-error',
      'heroku/memory-running',
      'heroku/memory-exceeded',
      'heroku/memory-vastly-exceeded',
      'heroku/platform-error',
      'heroku/state-changed',
      'kubernetes/probe-failed',
      'kubernetes/probe-logged',
      'kubernetes/probe-kills',
      'kubernetes/back-off',
      'kubernetes/killed-for-memory',
      'kubernetes/exit-code',
      'kubernetes/pod-failing',
      'nginx/timed-out',
      'nginx/closed',
      'nginx/connect-failed',
      'nginx/no-live-upstreams',
      'nginx/header-too-big',
      'nginx/header-invalid',
      'nginx/upstream-error',
      'nginx/unanswered',
      'apache/truncated',
      'apache/timed-out',
      'apache/queue-timed-out',
      'apache/unreachable',
      'hosting/fly-signalled',
      'hosting/fly-exited',
      'hosting/fly-memory',
      'hosting/fly-refused',
      'hosting/render-memory',
      'hosting/render-exited',
      'hosting/render-no-port',
      'hosting/google-memory',
      'hosting/google-exited',
      'container/inspected-memory',
    ],
    otherwise:
      "no line of Heroku's router or dynos or of another host, none of Kubernetes' kubelet or events or of docker inspect and no unanswered request of nginx or Apache is in this log",
  },
  *check(timeline) {
    const named = new Set(timeline.events.filter(({message}) => message in MEMORY).map(dynoOf));
    const codes = groupBy(timeline.events, (event) =>
      event.message === 'heroku/memory-running' ? (named.has(dynoOf(event)) ? null : 'R14') : codeOf(event),
    );
    for (const [code, events] of codes) {
      if (code !== null && code in TROUBLES) yield describe(timeline, code, events);
    }
    yield* kubernetesTroubles(timeline);
    yield* hostingTroubles(timeline);
    yield* containerStates(timeline);
    yield* proxyErrors(timeline);
  },
};

export default rule;

const MEMORY: Readonly<Record<string, string>> = {
  'heroku/memory-exceeded': 'R14',
  'heroku/memory-vastly-exceeded': 'R15',
};

function dynoOf({fields, stream}: LogEvent): string {
  return String(fields.dyno ?? stream);
}

function codeOf({message, fields}: LogEvent): string | null {
  if (message === 'heroku/request-timeout') return 'H12';
  if (message in MEMORY) return MEMORY[message] ?? null;
  return message === 'heroku/router-error' || message === 'heroku/platform-error' ? String(fields.code ?? '') : null;
}

function describe(timeline: Timeline, code: string, events: readonly [LogEvent, ...LogEvent[]]): Finding | null {
  const trouble = TROUBLES[code];
  const [first] = events;
  const lines = evidence(
    unique([...events.slice(0, 2), events.at(-1)])
      .filter((event) => event !== undefined)
      .map((event) => proof(event, `Heroku reports ${code}`)),
  );
  if (!trouble || !lines) return null;
  const paths = unique(events.flatMap(({fields}) => (fields.uri === undefined ? [] : [String(fields.uri).replace(/\?.*/, '')])));
  const dynos = unique(events.flatMap(({fields}) => (fields.dyno === undefined ? [] : [String(fields.dyno)])));
  return {
    title: `${code}: ${trouble.what}`,
    severity: code === 'H27' && events.length < 10 ? 'info' : (trouble.severity ?? 'warning'),
    message: sentences(
      `Heroku reports ${code} ${count(events.length, 'time')}: ${trouble.what}.`,
      paths.length > 0 && `The requests: ${list(paths, 4)}.`,
      dynos.length > 0 && `The dynos: ${list(dynos, 4)}.`,
      'That is proved; why the application was slow or gone, its own lines tell.',
    ),
    confidence: 'certain',
    instance: instanceOfEvent(timeline, first)?.id ?? null,
    ...NO_PROCESS,
    evidence: lines,
    against: [],
    cannotSee: ['what the application was doing'],
    fixes: [{...NO_SETTING, effect: `${code} goes away`, safety: 'safe', why: trouble.remedy}],
    next: ['the lines of the same dyno (app[…]) in the seconds before the first of these'],
    identity: ['heroku', code],
  };
}
