/** Workers of uWSGI that an exception of the application ended, because they were told so: told by the rule worker-crashed. */
import type {Instance, Process} from '../timeline/timeline.ts';
import {processName, processNames} from './deaths.ts';
import type {Finding} from './rule.ts';
import {capital, concerning, evidence, instanceName, proof, sentences} from './wording.ts';

export function describeExceptionEnds(instance: Instance, ended: readonly Process[]): Finding | null {
  const lines = evidence(
    ended.slice(0, 6).flatMap((process) => (process.ended ? [proof(process.ended, `${processName(process)} is replaced`)] : [])),
  );
  if (!lines) return null;
  const several = ended.length > 1;
  return {
    title: several
      ? `${ended.length} workers ended at an exception of the application`
      : 'A worker ended at an exception of the application',
    severity: 'warning',
    message: sentences(
      `${capital(processNames(ended))} left with exit code 5, and the master started ${several ? 'others' : 'another'}. That is proved.`,
      'uWSGI does so where reload-on-exception (or -type, -value, -repr) is set and a request raised what it watches: the whole worker goes,',
      'with its threads, its background work and, where it has several threads, the other requests it was serving.',
    ),
    confidence: 'likely',
    instance: instance.id,
    reload: null,
    ...concerning(ended),
    evidence: lines,
    against: [
      {
        hypothesis: 'the application left with this exit code itself (sys.exit(5), os._exit(5))',
        because: 'uWSGI words it the same way; a traceback right above the line speaks against it',
        line: lines[0].at.line,
      },
    ],
    cannotSee: ['the request that raised it: it has no request line', 'other requests of the same worker'],
    fixes: [
      {
        setting: 'reload-on-exception',
        section: 'uwsgi',
        value: null,
        since: null,
        safety: 'safe',
        effect: 'an exception ends its request alone, and no longer the worker',
        why: 'Take it out, or narrow it to what really spoils a worker: reload-on-exception-type or reload-on-exception-value.',
      },
    ],
    next: ['read the traceback right above the line: it names the exception and the code'],
    identity: [instanceName(instance), 'exception'],
  };
}
