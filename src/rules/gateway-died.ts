import type {Instance} from '../timeline/timeline.ts';
import type {Finding} from './rule.ts';
import {count, evidence, instanceName, list, proof, sentences, unique} from './wording.ts';

/** uWSGI starts a router again that has died, and says no more than that (core/gateway.c): at a reload it is buried instead. */
export function gatewaysDied(instance: Instance): Finding | null {
  const anew = instance.processes.filter(
    ({role, started}) => role === 'gateway' && started?.message === 'uwsgi/gateway-respawned',
  );
  const lines = evidence(
    anew
      .slice(0, 5)
      .flatMap(({started}) => (started ? [proof(started, 'the router is started again: the one before had died')] : [])),
  );
  if (!lines) return null;
  const names = unique(
    anew.flatMap(({started}) => (started?.fields.gateway === undefined ? [] : [String(started.fields.gateway)])),
  );
  const name = names.length > 0 ? `router (${list(names)})` : 'router';
  return {
    title: `The ${name} of uWSGI died${anew.length > 1 ? ` ${count(anew.length, 'time')}` : ''}`,
    message: sentences(
      `uWSGI started its ${name} again ${count(anew.length, 'time')}. It does that only when the process has died: at a reload it has another line.`,
      'That is proved. With the router went all connections that it held; why it died no line tells.',
    ),
    confidence: 'certain',
    instance: instance.id,
    reload: null,
    pids: unique(anew.map(({pid}) => pid)),
    workers: [],
    evidence: lines,
    against: [],
    cannotSee: ['why it died: a crash, a kill from outside, a limit on memory or files'],
    fixes: [
      {
        setting: 'http-socket',
        section: 'uwsgi',
        value: null,
        effect: 'behind a proxy there is no router that could die',
        since: null,
        safety: 'safe',
        why: 'A proxy (nginx) can talk to the workers directly, over socket or http-socket, in place of http.',
      },
    ],
    next: [
      "dmesg -T | grep -i 'uwsgi'   # a segfault or a kill for want of memory names the pid",
      'the lines right before: an error of the router (a port below 1024, too many open files) stands there',
    ],
    identity: [instanceName(instance), 'router died'],
  };
}
