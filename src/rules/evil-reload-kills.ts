import type {Instance, Process} from '../timeline/timeline.ts';
import type {Finding, Rule} from './rule.ts';
import {uwsgiOf} from './settings.ts';
import {concerning, count, evidence, instanceName, nameOf, proof, sentences, was} from './wording.ts';

const rule: Rule = {
  id: 'evil-reload-kills',
  title: 'Workers were killed in the middle of their work for using too much memory',
  severity: 'error',
  docs: {
    sees: 'Lines "EVIL RELOAD ON WORKER": the master found a worker above evil-reload-on-rss or evil-reload-on-as and killed it.',
    why:
      'The master looks once a second and sends signal 9 at once, whatever the worker is doing: the request is cut, its client ' +
      'gets no answer, and background tasks of the worker are lost. reload-on-rss and reload-on-as wait for the request to end.',
    remedy: 'Use reload-on-rss in place of evil-reload-on-rss, with a lower limit, and find what makes the workers grow.',
    limits: 'Whether a request was running is not in the log: a request that is killed has no line.',
    references: ['https://uwsgi-docs.readthedocs.io/en/latest/Options.html#evil-reload-on-rss'],
  },
  needs: {
    messages: ['uwsgi/evil-reload', 'uwsgi/worker-spawned', 'uwsgi/worker-respawned', 'uwsgi/worker-died'],
    otherwise: 'no line of this log tells of the start or the end of a worker',
  },
  *check(timeline) {
    for (const instance of uwsgiOf(timeline)) {
      const killed = instance.processes.filter(({forced}) => forced?.deadline === 'evil-reload');
      if (killed.length > 0) yield describe(instance, killed);
    }
  },
};

export default rule;

function describe(instance: Instance, killed: readonly Process[]): Finding | null {
  const lines = evidence(
    killed
      .slice(0, 4)
      .flatMap((process) => [
        ...(process.forced ? [proof(process.forced.event, `${nameOf(process)} is above the limit`)] : []),
        ...(process.ended ? [proof(process.ended, `${nameOf(process)} is dead: signal 9 is the master's own here`)] : []),
      ]),
  );
  if (!lines) return null;
  return {
    title: rule.title,
    message: sentences(
      `${count(killed.length, 'worker')} ${was(killed.length)} killed by the master (signal 9) for using more memory than the`,
      'configuration allows (evil-reload-on-rss or evil-reload-on-as). That is proved. It does not wait: a request that was',
      'running was cut.',
    ),
    confidence: 'certain',
    instance: instance.id,
    reload: null,
    ...concerning(killed),
    evidence: lines,
    against: [
      {
        hypothesis: 'memory-kill',
        because: 'the kernel did not do it: the master says that it did',
        line: killed[0]?.forced?.event.line ?? null,
      },
    ],
    cannotSee: ['which requests and tasks were cut', 'what used the memory'],
    fixes: [
      {
        setting: 'reload-on-rss',
        section: 'uwsgi',
        value: null,
        effect: 'the worker ends its request before it is replaced: nothing is cut',
        since: null,
        safety: 'safe',
        why: 'Set it (MiB) below the limit of now, and take out evil-reload-on-rss or keep it far above as a last resort.',
      },
    ],
    next: ['memory-report = true writes the memory of the worker behind each request: shows which requests make it grow'],
    identity: [instanceName(instance), 'evil reload'],
  };
}
