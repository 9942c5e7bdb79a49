import {precedes, successorOf} from '../timeline/lookup.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Reload, Timeline} from '../timeline/timeline.ts';
import {type Finding, NO_SETTING, type Rule} from './rule.ts';
import {duration, evidence, instanceName, proof, sentences} from './wording.ts';

/** Seconds in which a new arbiter has written its first line. */
const STARTS_WITHIN = 10;
/** Seconds for which two arbiters side by side are an upgrade that somebody watches. */
const WATCHED = 300;

const rule: Rule = {
  id: 'upgrade-stuck',
  title: 'An upgrade of gunicorn or unicorn (USR2) did not come to its end',
  severity: 'warning',
  docs: {
    sees: 'USR2 after which no new arbiter starts, or after which the old arbiter stays on beside the new one.',
    why:
      'USR2 starts a second arbiter beside the first; the upgrade is done once the old one gets TERM. Until then both serve: ' +
      'old code and new, with twice the workers and memory. Where the new one does not start, the old code simply runs on.',
    remedy: 'TERM to the old arbiter once the new one serves. Where none starts, see what became of the path of gunicorn.',
    limits: 'A new arbiter that logs into another file looks like none.',
    references: [
      'https://yhbt.net/unicorn/SIGNALS.html',
      'https://docs.gunicorn.org/en/stable/signals.html#upgrading-to-a-new-binary-on-the-fly',
    ],
  },
  needs: {
    messages: ['gunicorn/handling-signal', 'gunicorn/starting', 'unicorn/executing', 'unicorn/master-ready'],
    otherwise: 'no line of gunicorn or unicorn about a signal is in this log',
  },
  *check(timeline) {
    for (const instance of timeline.instances.filter(({supervisor}) => supervisor === 'gunicorn' || supervisor === 'unicorn')) {
      for (const reload of instance.reloads.filter(({kind}) => kind === 'usr2')) {
        const next = successorOf(timeline.instances, instance);
        if (next !== null) yield sideBySide(timeline, instance, reload, next);
        else if (reload.endedAt === null && instance.supervisor === 'gunicorn') yield notStarted(timeline, instance, reload);
      }
    }
  },
};

export default rule;

function notStarted(timeline: Timeline, instance: Instance, reload: Reload): Finding | null {
  const later = timeline.events.filter((event) => precedes(reload.began, event) && event.input === reload.began.input);
  const refused = later.find(({message}) => message === 'gunicorn/configuration-error') ?? null;
  const last = later.at(-1) ?? null;
  const goesOn = last && between(reload.began.at, last.at);
  const isLong = goesOn !== null && goesOn.min >= STARTS_WITHIN;
  if (!isLong && refused === null) return null;
  const lines = evidence([
    proof(reload.began, 'the upgrade is asked for'),
    ...(refused ? [proof(refused, 'what the new gunicorn said, most likely')] : []),
    ...(last && last !== refused ? [proof(last, 'the log goes on, and no new arbiter has started')] : []),
  ]);
  if (!lines) return null;
  return {
    ...about(instance, reload),
    title: 'USR2 did not start a new arbiter: the old code runs on',
    message: sentences(
      `gunicorn was asked to upgrade itself (USR2), and no new arbiter wrote a line ${isLong ? `in the ${duration(goesOn)} that the log goes on` : 'after that'}.`,
      refused
        ? 'Most likely it started and refused its configuration: the line that says so follows the request.'
        : 'Most likely the new program could not be run: a virtualenv or directory that is gone, a relative path, or an older child that is still there ("Child exists").',
    ),
    confidence: 'likely',
    evidence: lines,
    against: [
      {
        hypothesis: 'the new arbiter logs to another file',
        because: 'its configuration may name another one; the list of processes decides',
        line: null,
      },
    ],
    cannotSee: ['why the new program did not start: the error may go to standard error'],
    fixes: [
      {
        ...NO_SETTING,
        effect: 'the upgrade starts the new code',
        safety: 'safe',
        why: 'Start gunicorn by an absolute path that the deployment keeps, or restart it instead of upgrading it.',
      },
    ],
    next: ['ps -eo pid,ppid,lstart,cmd | grep gunicorn   # one arbiter or two, and of which age'],
    identity: [instanceName(instance), 'not started'],
  };
}

function sideBySide(timeline: Timeline, instance: Instance, reload: Reload, next: Instance): Finding | null {
  const started = next.epochs[0]?.banner ?? next.epochs[0]?.master ?? null;
  const last = timeline.events.findLast(({input}) => input === reload.began.input);
  if (instance.stopped !== null || started === null || last === undefined) return null;
  const since = between(started.at, last.at);
  const isUnicorn = instance.supervisor === 'unicorn';
  const word = isUnicorn ? 'master' : 'arbiter';
  const signal = isUnicorn ? 'QUIT' : 'TERM';
  const isPromoted = timeline.events.some(
    ({message, input}) => message === 'gunicorn/master-promoted' && input === reload.began.input,
  );
  if (since.min < WATCHED || isPromoted) return null;
  const lines = evidence([
    proof(reload.began, 'the upgrade is asked for'),
    proof(started, `the new ${word} starts`),
    proof(last, 'up to here the old one has not been told to stop'),
  ]);
  if (!lines) return null;
  return {
    ...about(instance, reload),
    title: `Two ${word}s run side by side since an upgrade`,
    message: sentences(
      `The new ${word} (pid ${next.masterPid ?? 'not told'}) serves beside the old one (pid ${instance.masterPid ?? 'not told'}) for ${duration(since)}: ${isUnicorn ? 'the old one does not say that it ends' : 'no TERM to the old one is in this log, and the new one was never promoted'}.`,
      'Both accept connections on the same address: old code and new answer in turn, with twice the workers.',
    ),
    confidence: 'likely',
    evidence: lines,
    against: [
      {
        hypothesis: `the old ${word} was killed, or logs to another file`,
        because: isUnicorn
          ? 'a kill leaves no line of its own'
          : 'a kill leaves no line of its own; the new one says "Master has been promoted" when it notices, and has not',
        line: null,
      },
    ],
    cannotSee: ['which of the two answered a request'],
    fixes: [
      {
        ...NO_SETTING,
        effect: 'only the new code answers',
        safety: 'safe',
        why: `End the old ${word} once the new one serves: kill -${signal} ${instance.masterPid ?? '<pid of the old one>'}.`,
      },
    ],
    next: [`ps -eo pid,ppid,lstart,cmd | grep ${instance.supervisor}   # two ${word}s?`],
    identity: [instanceName(instance), 'side by side'],
  };
}

function about(instance: Instance, reload: Reload): Pick<Finding, 'instance' | 'reload' | 'pids' | 'workers'> {
  return {instance: instance.id, reload: reload.id, pids: instance.masterPid === null ? [] : [instance.masterPid], workers: []};
}
