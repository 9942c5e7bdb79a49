import type {LogEvent} from '../timeline/event.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {type Finding, NO_SETTING, type Rule} from './rule.ts';
import {count, evidence, list, proof, sentences, unique, was} from './wording.ts';

const rule: Rule = {
  id: 'fork-unsafe-library',
  title: 'Processes were ended by macOS that were forked while their parent used Objective-C',
  severity: 'error',
  docs: {
    sees: 'The line "may have been in progress in another thread when fork() was called … Crashing instead" of the Objective-C runtime of macOS.',
    why:
      'A library of the application (proxies of urllib and requests, database drivers, machine learning) uses frameworks of macOS, which do not ' +
      'survive fork. The runtime ends the child as soon as it touches them. Every replacement ends in the same way. gunicorn words that as ' +
      'SIGKILL or SIGABRT, "Perhaps out of memory?": it is no want of memory.',
    remedy:
      'On a machine for development: OBJC_DISABLE_INITIALIZE_FORK_SAFETY=YES in the environment of the server, before Python starts. Else load ' +
      'the application after the fork (no preload_app; lazy-apps), so that nothing of the framework is there when it forks.',
    limits: 'Which library it is the line does not tell, only the class. Linux knows nothing of the kind.',
    references: ['benoitc/gunicorn#1701', 'https://docs.python.org/3/library/multiprocessing.html'],
  },
  needs: {
    messages: ['kernel/fork-unsafe'],
    otherwise: 'no line of the runtime of macOS is in this log',
  },
  *check(timeline) {
    const told = timeline.events.filter(({message}) => message === 'kernel/fork-unsafe');
    if (told.length > 0) yield describe(timeline, told);
  },
};

export default rule;

function describe({instances}: Timeline, told: readonly LogEvent[]): Finding | null {
  const pids = unique(told.flatMap(({pid}) => pid ?? []));
  const ends = instances.flatMap(({processes}) =>
    processes.flatMap(({pid, ended}) => (ended !== null && pids.includes(pid) ? [ended] : [])),
  );
  const lines = evidence([
    ...told.slice(0, 3).map((event) => proof(event, `pid ${event.pid} ends itself`)),
    ...ends.slice(0, 2).map((event) => proof(event, 'what the server makes of it')),
  ]);
  if (!lines) return null;
  return {
    title: rule.title,
    message: sentences(
      `${count(pids.length, 'process', 'processes')} (pid ${list(pids, 6)}) ${was(pids.length)} ended by the Objective-C runtime of macOS, right after fork. That is proved.`,
      'What replaces it touches the same library and ends likewise, so nobody may be serving.',
      ends.length > 0 && 'The line of the server about a signal means this, and no want of memory.',
    ),
    confidence: 'certain',
    instance: null,
    reload: null,
    pids,
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: 'memory-kill',
        because: 'the runtime says itself that it ends the process',
        line: lines[0].at.line,
        fits: 'excluded',
      },
    ],
    cannotSee: ['which library of the application it is: the line names the class only'],
    fixes: [
      {
        setting: 'OBJC_DISABLE_INITIALIZE_FORK_SAFETY',
        section: 'environment',
        value: 'YES',
        since: null,
        safety: 'safe',
        effect: 'the check is off, and the workers run',
        why: 'For development on macOS only; export it before Python starts.',
      },
      {
        ...NO_SETTING,
        safety: 'needs-code',
        effect: 'nothing of the framework is there when the server forks',
        why: 'Load the application in the workers (no preload_app, lazy-apps), and import the library inside of functions where it is imported at start.',
      },
    ],
    next: ['env no_proxy="*" in place of it, where the class belongs to the look-up of proxies (urllib, requests)'],
    identity: ['macos', 'fork'],
  };
}
