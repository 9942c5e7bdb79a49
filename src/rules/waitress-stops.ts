/** Requests that waitress left behind when it stopped: told by the rule request-blocks-shutdown. */
import type {Timeline} from '../timeline/timeline.ts';
import {linesOf} from './line-owners.ts';
import {type Finding, NO_SETTING} from './rule.ts';
import {count, evidence, instanceName, proof, sentences} from './wording.ts';

export function* waitressStops(timeline: Timeline): Iterable<Finding> {
  for (const instance of timeline.instances.filter(({supervisor}) => supervisor === 'waitress')) {
    const own = linesOf(timeline, instance);
    const running = own.filter(({message}) => message === 'waitress/threads-running');
    const waiting = own.filter(({message}) => message === 'waitress/cancelling');
    const lines = evidence([
      ...running.map((event) => proof(event, `${event.fields['count']} were still at work after 5 s`)),
      ...waiting.map((event) => proof(event, `${event.fields['count']} had not begun, and were dropped`)),
    ]);
    if (!lines) continue;
    const sum = (events: typeof own) => events.reduce((total, {fields}) => total + Number(fields['count']), 0);
    yield {
      title: 'Requests were cut at a stop of waitress',
      severity: 'warning',
      message: sentences(
        running.length > 0 &&
          `${count(sum(running), 'request')} still ran 5 s after waitress had been told to stop, and ended with it.`,
        waiting.length > 0 &&
          `${count(sum(waiting), 'request')} that no thread had taken ${sum(waiting) === 1 ? 'was' : 'were'} dropped: their clients got no answer.`,
        'That is proved. It waits 5 s at SIGINT, which cannot be set; at SIGTERM it ends at once and writes nothing.',
      ),
      confidence: 'certain',
      instance: instance.id,
      reload:
        instance.reloads.find(({began, ended}) => [began, ended].some((event) => event === running[0] || event === waiting[0]))
          ?.id ?? null,
      pids: [],
      workers: [],
      evidence: lines,
      against: [],
      cannotSee: ['which requests they were'],
      fixes: [
        {
          ...NO_SETTING,
          safety: 'safe',
          effect: 'no request is in hand when waitress stops',
          why: 'Take the instance out of the load balancer and let it run dry, then stop it by SIGINT (systemd: KillSignal=SIGINT, supervisord: stopsignal=INT).',
        },
        {
          setting: 'threads',
          section: null,
          value: null,
          since: null,
          safety: 'safe',
          effect: 'fewer requests wait for a thread',
          why: '4 unless set. It helps only where requests wait for other systems and not for the processor.',
        },
      ],
      next: ["look for requests without an answer (499, 502, 504) in the proxy's access log at that moment"],
      identity: [instanceName(instance), 'waitress stop'],
    };
  }
}
