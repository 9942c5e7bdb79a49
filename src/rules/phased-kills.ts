/** Workers that puma killed in a phased restart because they had not left in time: told by the rule request-blocks-shutdown. */
import type {Instance} from '../timeline/timeline.ts';
import {type Finding, NO_SETTING} from './rule.ts';
import {concerning, evidence, instanceName, list, nameOf, proof, sentences} from './wording.ts';

export function phasedKills(instance: Instance): Finding | null {
  const killed = instance.processes.filter(({role, forced}) => role === 'worker' && forced?.event.message === 'puma/kill-sent');
  const lines = evidence(
    killed
      .slice(0, 4)
      .flatMap((process) => [
        ...(process.asked ? [proof(process.asked.event, `${nameOf(process)} is asked to leave`)] : []),
        ...(process.forced ? [proof(process.forced.event, `${nameOf(process)} had not left in time, and puma kills it`)] : []),
      ]),
  );
  if (!lines) return null;
  return {
    message: sentences(
      `${list(killed.map(nameOf), 4)} had been asked to leave and was still there when worker_shutdown_timeout (30 s by default) was over, so puma killed ${killed.length === 1 ? 'it' : 'them'}. That is proved.`,
      'A worker that is asked finishes its requests first, so most likely one took longer, and was cut.',
    ),
    confidence: 'likely',
    instance: instance.id,
    reload: killed[0]?.asked?.reload ?? null,
    ...concerning(killed),
    evidence: lines,
    against: [
      {
        hypothesis: 'a thread or an at_exit handler of the application that holds the exit',
        because: 'it fits as well where no request was running; requests in hand are the usual reason',
        line: null,
        fits: 'less',
      },
    ],
    cannotSee: ['which request it was: puma writes none'],
    fixes: [
      {
        setting: 'worker_shutdown_timeout',
        section: null,
        value: null,
        since: null,
        safety: 'safe',
        effect: 'requests up to that length are answered; each worker may take as long to leave',
        why: 'Set it in config/puma.rb above the longest request that is meant to succeed.',
      },
      {
        ...NO_SETTING,
        safety: 'needs-code',
        effect: 'the worker leaves as soon as its requests end',
        why: 'Give the calls that requests make a time limit, or move long work to a queue.',
      },
    ],
    next: [
      `look for requests without an answer (499, 502, 504) in the proxy's access log at the second of ${killed.length === 1 ? 'the kill' : 'each kill'}`,
    ],
    identity: [instanceName(instance), 'phased restart'],
    title:
      killed.length === 1
        ? 'A worker of puma did not leave in time and was killed'
        : 'Workers of puma did not leave in time and were killed',
  };
}
