import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {isAbortAtFork, mutexErrors, processName, processNames} from './deaths.ts';
import {type Finding, NO_SETTING, type Rule} from './rule.ts';
import {setting} from './settings.ts';
import {troubleText, type UpstreamTrouble, upstreamTrouble, upstreamTroubles} from './upstream-troubles.ts';
import {concerning, count, evidence, instanceName, proof, sentences, unique} from './wording.ts';

const rule: Rule = {
  id: 'known-upstream-trouble',
  title: 'Workers die of a known trouble of the server itself',
  severity: 'error',
  docs: {
    sees:
      'Workers that abort in the interpreter right after each fork ("Fatal Python error" about a mutex, signal 6), with a ' +
      'Python under which a hook of uWSGI does just that.',
    why:
      'It looks like a fault of the application, and no change of the application ends it. Troubles of the server that show ' +
      'as a hang are told by the rules that meet the hang (app-threads-block-shutdown, reload-unfinished), which ask first ' +
      'whether the version is known for it.',
    remedy: 'Take py-call-osafterfork out of the configuration; py-call-uwsgi-fork-hooks (2.0.21 and later) does its work.',
    limits:
      'The option itself is seen only where the configuration is printed or given. The same abort can come from a C extension ' +
      'that registers such a hook of its own.',
    references: unique(upstreamTroubles.map(({reference}) => reference)),
  },
  needs: {
    messages: ['uwsgi/python-fatal-error'],
    otherwise: 'no fatal error of Python is in this log (they go to standard error)',
  },
  *check(timeline) {
    for (const instance of timeline.instances) {
      const aborted = instance.processes.filter((process) => isAbortAtFork(timeline, instance, process));
      const [first] = aborted;
      const trouble = first ? upstreamTrouble(instance, 'abort-at-fork', first.ended, first) : null;
      yield trouble && describe(timeline, instance, aborted, trouble);
    }
  },
};

export default rule;

function describe(timeline: Timeline, instance: Instance, aborted: readonly Process[], trouble: UpstreamTrouble): Finding | null {
  const python = setting(instance, 'python-version');
  const hook = setting(instance, 'py-call-osafterfork');
  const [error] = mutexErrors(timeline);
  const lines = evidence([
    ...(python?.where ? [proof(python.where, 'the version of Python')] : []),
    ...(hook?.where ? [proof(hook.where, 'the option that does it')] : []),
    ...(error ? [proof(error, 'what Python says as it ends the process')] : []),
    ...aborted.slice(0, 4).flatMap((process) => (process.ended ? [proof(process.ended, `${processName(process)} aborted`)] : [])),
  ]);
  if (!lines) return null;
  return {
    title: `${rule.title}: py-call-osafterfork with Python 3.13 or later`,
    message: sentences(
      `${count(aborted.length, 'worker')} aborted (signal 6) before the first request: ${processNames(aborted)}. That is proved.`,
      `${troubleText(trouble, instance, lines[0].at)}.`,
      hook ? 'The option is set here.' : 'That the option is set is inferred: no line of this log shows it.',
    ),
    confidence: hook ? 'certain' : 'likely',
    instance: instance.id,
    reload: null,
    ...concerning(aborted),
    evidence: lines,
    against: [
      {
        hypothesis: 'worker-crashed',
        because: 'a crash of the application comes with its requests or its import, and not with the same words in every worker',
        line: error?.line ?? null,
      },
    ],
    cannotSee: hook ? [] : ['the option py-call-osafterfork: only the configuration shows it'],
    fixes: [
      {
        ...NO_SETTING,
        effect: 'workers start',
        safety: 'safe',
        why: `Take py-call-osafterfork out of the configuration: ${trouble.instead}.`,
      },
    ],
    next: ['grep -rn osafterfork in the configuration of uWSGI: the line there decides it'],
    identity: [instanceName(instance), trouble.signature],
  };
}
