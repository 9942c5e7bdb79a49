import {precedes} from '../timeline/lookup.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Process, Reload} from '../timeline/timeline.ts';
import type {Finding, Rule} from './rule.ts';
import {uwsgiOf} from './settings.ts';
import {count, evidence, instanceName, kindOf, occasions, only, proof, sentences} from './wording.ts';

const rule: Rule = {
  id: 'router-cuts-clients',
  title: "A reload ended uWSGI's own router, and with it the connections of its clients",
  severity: 'info',
  docs: {
    sees: 'A gateway ("uWSGI http 1") that is buried at the beginning of a reload, and a request line or a reload that follows.',
    why:
      'The built-in router (http, https, fastrouter) is a process of the instance. A full reload kills it first, whatever its ' +
      'clients wait for, and starts it again last: "graceful" holds for the workers only.',
    remedy:
      'Put a proxy of its own in front (nginx, haproxy) and give uWSGI a socket or http-socket, or reload the workers alone with ' +
      'a chain reload (and lazy-apps, for new code).',
    limits: 'Which clients were cut is not in this log. With no client connected nothing is lost.',
    references: ['unbit/uwsgi#1795', 'https://uwsgi-docs.readthedocs.io/en/latest/HTTP.html'],
  },
  needs: {
    messages: ['uwsgi/gateway-buried', 'uwsgi/gateway-spawned', 'uwsgi/gateway-respawned'],
    otherwise: "no router of uWSGI's own is in this log",
  },
  *check(timeline) {
    for (const instance of uwsgiOf(timeline)) {
      const hits = instance.reloads.flatMap((reload) => {
        const gateway = instance.processes.find((process) => isBuriedFor(process, reload));
        return gateway ? [{reload, gateway}] : [];
      });
      if (hits.length > 0) yield describe(instance, hits);
    }
  },
};

export default rule;

/** Seconds between the request for a reload and the burial of the router. */
const NEAR = 10;
/** Lines between them, where no time tells. */
const BESIDE = 6;

function isBuriedFor({role, ended}: Process, {kind, began, ended: end}: Reload): boolean {
  if (role !== 'gateway' || ended?.message !== 'uwsgi/gateway-buried' || (kind !== 'graceful' && kind !== 'brutal')) return false;
  if (ended.input !== began.input || ended.stream !== began.stream || (end !== null && precedes(end, ended))) return false;
  const [first, second] = precedes(ended, began) ? [ended, began] : [began, ended];
  const distance = between(first.at, second.at);
  return second.line - first.line <= BESIDE || (distance.max !== null && distance.max <= NEAR);
}

function describe(instance: Instance, hits: readonly {reload: Reload; gateway: Process}[]): Finding | null {
  const reloads = hits.map(({reload}) => reload);
  const lines = evidence(
    hits
      .slice(0, 3)
      .flatMap(({reload, gateway}) => [
        proof(reload.began, `the ${kindOf(reload)} begins`),
        ...(gateway.ended ? [proof(gateway.ended, 'the router is ended first, with the connections it held')] : []),
      ]),
  );
  if (!lines) return null;
  const served = instance.processes.some(({requests}) => requests > 0);
  return {
    title: rule.title,
    message: sentences(
      `In ${occasions(reloads)} the master ended its own router before the workers had finished. That is proved.`,
      'Clients that were connected then got half an answer or none, and new ones none until the router was started again.',
      !served && 'No request line of this log shows that there were any.',
    ),
    confidence: served ? 'likely' : 'possible',
    instance: instance.id,
    reload: only(reloads)?.id ?? null,
    pids: hits.map(({gateway}) => gateway.pid),
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: 'no client was connected',
        because: served
          ? `the instance answered requests: ${count(total(instance), 'line')} of this log`
          : 'nothing speaks against it',
        line: null,
      },
    ],
    cannotSee: ['which clients were connected: the router logs nothing of them'],
    fixes: [
      {
        setting: 'touch-chain-reload',
        section: 'uwsgi',
        value: null,
        effect: 'router and clients stay: only the workers are replaced, one after the other',
        since: null,
        safety: 'safe',
        why: 'With lazy-apps, for new code. A change of the router itself still takes a full reload.',
      },
      {
        setting: 'http-socket',
        section: 'uwsgi',
        value: null,
        effect: 'a worker that has begun a request finishes it, and its client gets the answer',
        since: null,
        safety: 'safe',
        why: 'In place of http, with a proxy (nginx, haproxy) in front, which keeps the connections of clients while nobody serves.',
      },
    ],
    next: ["count the errors of the clients (or of the proxy in front) in the second of the router's end"],
    identity: [instanceName(instance), 'router'],
  };
}

function total(instance: Instance): number {
  return instance.processes.reduce((sum, {requests}) => sum + requests, 0);
}
