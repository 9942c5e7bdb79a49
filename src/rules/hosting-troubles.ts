/** What hosts of containers (Fly.io, Render, Google) say of the program that they run: told by the rule platform-errors. */
import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {between} from '../timeline/time.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {type Finding, type Fix, NO_PROCESS, NO_SETTING} from './rule.ts';
import {count, duration, evidence, proof, sentences, unique} from './wording.ts';

const HOSTS: Readonly<Record<string, string>> = {fly: 'Fly.io', render: 'Render', google: 'Google'};

const FEWER: Fix = {
  ...NO_SETTING,
  effect: 'the limit is not reached',
  safety: 'safe',
  why: 'Run fewer workers, recycle them (max_requests, reload-on-rss), or raise the memory of the machine or instance.',
};

const LISTEN: Fix = {
  ...NO_SETTING,
  effect: 'the platform reaches the server',
  safety: 'safe',
  why: 'Let the server listen on 0.0.0.0 and on the port that the platform expects ($PORT, internal_port), and load less before it listens.',
};

export function* hostingTroubles(timeline: Timeline): Iterable<Finding> {
  const own = timeline.events.filter(({message}) => message.startsWith('hosting/'));
  for (const [kind, events] of groupBy(own, kindOf)) {
    const [first] = events;
    const host = HOSTS[(first?.message ?? '').slice('hosting/'.length).split('-')[0] ?? ''] ?? 'The platform';
    if (kind === 'memory') yield* memory(host, events);
    else if (kind === 'refused') yield* refused(host, events);
    else if (kind === 'failed') yield* failed(host, events);
    else if (kind === 'stopping') yield* overdue(timeline, host, events);
  }
}

function kindOf({message, fields}: LogEvent): string | null {
  if (message.endsWith('-memory')) return 'memory';
  if (message === 'hosting/fly-refused' || message === 'hosting/render-no-port') return 'refused';
  if (message === 'hosting/fly-signalled') return 'stopping';
  return fields.status !== undefined && Number(fields.status) !== 0 ? 'failed' : null;
}

type Events = readonly [LogEvent, ...LogEvent[]];

function* memory(host: string, events: Events): Iterable<Finding> {
  const lines = evidence(events.slice(0, 4).map((event) => proof(event, `${host} says that memory ran out`)));
  if (!lines) return;
  const limits = unique(events.flatMap(({fields}) => (fields.limit === undefined ? [] : [String(fields.limit)])));
  yield {
    ...NO_PROCESS,
    title: `Memory ran out, as ${host} says`,
    severity: 'error',
    message: sentences(
      `${host} says ${count(events.length, 'time')} that memory ran out${limits.length === 1 ? ` (${limits[0]})` : ''}.`,
      'That is proved. What was ended for it lost the requests that it had in hand.',
    ),
    confidence: 'certain',
    instance: null,
    evidence: lines,
    against: [],
    cannotSee: ['which process held the memory, and for which request'],
    fixes: [FEWER],
    next: ['the last requests before the first of these lines'],
    identity: ['hosting', host, 'memory'],
  };
}

function* refused(host: string, events: Events): Iterable<Finding> {
  const lines = evidence(events.slice(0, 4).map((event) => proof(event, `${host} finds nobody who listens`)));
  const address = events.find(({fields}) => fields.limit !== undefined)?.fields.limit;
  if (!lines) return;
  yield {
    ...NO_PROCESS,
    title: `${host} found nobody listening`,
    message: sentences(
      `${host} tried to connect${address === undefined ? '' : ` to ${address}`} and nobody listened there. That is proved.`,
      'Either the server listens on another port, or only on 127.0.0.1, or it is not up: still loading, or gone.',
    ),
    confidence: 'certain',
    instance: null,
    evidence: lines,
    against: [],
    cannotSee: ['whether the server was still starting'],
    fixes: [LISTEN],
    next: ["the server's own lines tell where it listens: Listening at (gunicorn), Uvicorn running on"],
    identity: ['hosting', host, 'refused'],
  };
}

function* failed(host: string, events: Events): Iterable<Finding> {
  const lines = evidence(events.slice(0, 4).map((event) => proof(event, `${host} finds that the program has ended`)));
  const statuses = unique(events.map(({fields}) => String(fields.status)));
  if (!lines) return;
  yield {
    ...NO_PROCESS,
    title: `The program ended with status ${statuses.join(' and ')}, as ${host} says`,
    severity: 'error',
    message: sentences(
      `${host} says ${count(events.length, 'time')} that the program has ended with status ${statuses.join(' and ')}. That is proved.`,
      statuses.includes('137')
        ? '137 is 128 + 9: SIGKILL ended it, most often for want of memory.'
        : 'Why, its own last lines tell.',
    ),
    confidence: 'certain',
    instance: null,
    evidence: lines,
    against: [],
    cannotSee: ['why it ended, unless its own lines are in this log'],
    fixes: [],
    next: ["the program's own lines before the first of these"],
    identity: ['hosting', host, 'ended', ...statuses],
  };
}

/** Fly.io sends another signal when kill_timeout is over. */
function* overdue(timeline: Timeline, host: string, events: Events): Iterable<Finding> {
  for (const [n, second] of events.entries()) {
    const first = events[n - 1];
    if (!first || first.pid !== second.pid || first.fields.signal === second.fields.signal) continue;
    const lines = evidence([
      proof(first, `${host} asks the program to stop`),
      proof(second, 'it is still there, and is signalled again'),
    ]);
    if (!lines) continue;
    const waited = between(first.at, second.at);
    yield {
      ...NO_PROCESS,
      title: `The program had not stopped when ${host}'s kill_timeout was over`,
      message: sentences(
        `${host} sent ${first.fields.signal} to the program, and ${second.fields.signal} ${duration(waited)} later, because it was still there. That is proved.`,
        'What it still had in hand was cut, unless it ended in time after all.',
      ),
      confidence: 'certain',
      instance: timeline.instances.find(({masterPid}) => masterPid === first.pid)?.id ?? null,
      evidence: lines,
      against: [],
      cannotSee: ['what it waited for'],
      fixes: [
        {
          setting: 'kill_timeout',
          section: 'fly.toml',
          value: null,
          since: null,
          effect: 'the program comes to the end of its own stop',
          safety: 'safe',
          why: 'It is 5 s unless it is set. kill_signal is SIGINT unless it is set: gunicorn and uWSGI stop at once at that; give SIGTERM to gunicorn, and SIGTERM with die-on-term to uWSGI.',
        },
      ],
      next: ['the lines of the server from the first signal on'],
      identity: ['hosting', host, 'kill_timeout'],
    };
    return;
  }
}
