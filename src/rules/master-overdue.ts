/** Masters that should have been gone when an outer supervisor killed them. Told by the rule outer-timeout-too-short. */
import type {LogEvent} from '../timeline/event.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Process, Reload} from '../timeline/timeline.ts';
import {outerName} from './outer.ts';
import {type Finding, NO_SETTING} from './rule.ts';
import {count, duration, evidence, instanceName, list, proof, seconds, sentences} from './wording.ts';

interface Killed {
  readonly supervisor: Instance;
  /** The program that the outer supervisor killed. */
  readonly life: Process;
  readonly server: Instance;
  readonly stop: Reload | null;
}

/** Seconds that a process may take to be gone when it has said goodbye. */
const TEARDOWN = 2;

/** The line by which a server had said that its stop was over before it was killed; null where it had not, or was gone soon after. */
export function goodbyeBefore({life, stop}: Pick<Killed, 'life' | 'stop'>): LogEvent | null {
  const goodbye = stop?.ended ?? null;
  if (goodbye === null || life.forced === null) return null;
  // uvicorn has one process, which says so of itself.
  const isGoodbye =
    goodbye.meaning.kind === 'stop-ended' || (goodbye.meaning.kind === 'process-leaving' && goodbye.pid === life.pid);
  if (!isGoodbye) return null;
  const {max} = between(goodbye.at, life.forced.event.at);
  return max === null || max > TEARDOWN ? goodbye : null;
}

/**
 * A server had said goodbye and was still there. What a process does after that is its exit: hooks (gunicorn's on_exit comes after
 * "Shutting down: Master", gunicorn/arbiter.py, halt), exit handlers, and the wait for threads that are no daemons.
 */
export function heldAfterGoodbye({supervisor, life, server}: Omit<Killed, 'stop'>, goodbye: LogEvent): Finding | null {
  const {forced, program, pid} = life;
  if (forced === null) return null;
  const lines = evidence([
    proof(goodbye, 'the server says that its stop is over'),
    proof(forced.event, `its process is still there, and ${outerName(supervisor)} kills it`),
  ]);
  if (!lines) return null;
  const isSame = pid > 0 && (server.masterPid === pid || goodbye.pid === pid);
  const apart = between(goodbye.at, forced.event.at);
  const isLong = apart.min > TEARDOWN;
  const isArbiter = server.supervisor === 'gunicorn';
  return {
    title: `${outerName(supervisor)} killed ${program ?? 'the program'} after it had said goodbye: something held its exit`,
    message: sentences(
      `The ${isArbiter ? 'arbiter' : 'server'} said that its stop was over, and ${outerName(supervisor)} had to kill it ${isLong ? `${duration(apart)} later` : 'all the same'}.`,
      !isLong && 'How long after, no line tells: its last line may have come just before.',
      isSame
        ? 'Both lines are about the same process. That is proved.'
        : 'That the two lines are about the same process is likely: a wrapper around the server (a shell) would be killed alike.',
      'By then it waits for no worker and no request, so no limit for workers has to do with it.',
      isArbiter
        ? 'What it still runs is the hook on_exit of the configuration, exit handlers, and threads that are no daemons: those of the configuration file, and with preload_app those of the application.'
        : 'What it still runs are exit handlers and threads of the process.',
      'Which of them held it, no line tells.',
    ),
    confidence: isSame && isLong ? 'certain' : 'likely',
    instance: server.id,
    // The server's own stop was over, and how long it took is beside the point.
    reload: null,
    pids: [pid],
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: 'workers that did not leave',
        because: 'the server waits for its workers before it says goodbye',
        line: goodbye.line,
      },
      ...(isLong
        ? []
        : [
            {
              hypothesis: 'requests or connections that it waited for, until just before it was killed',
              because: 'its lines carry no time, so this is not ruled out',
              line: goodbye.line,
            },
          ]),
    ],
    cannotSee: ['what the process did after its last line'],
    fixes: [
      {
        ...NO_SETTING,
        safety: 'needs-code',
        effect: 'the stop is over when the server says so',
        why: `Give what runs at the exit of the ${isArbiter ? 'arbiter (on_exit, atexit)' : 'process (atexit)'} a time limit of its own, and make threads that are started there daemon threads. A longer limit outside helps only if it ends by itself.`,
      },
    ],
    next: [
      `py-spy dump --pid ${pid > 0 ? pid : '<pid>'} # during the next stop, after its goodbye: the hook, the handler, or threading._shutdown`,
    ],
    identity: [instanceName(server), program ?? '', 'after goodbye'],
  };
}

interface Overdue extends Killed {
  /** The line by which the server took up the stop. */
  readonly noted: LogEvent;
  /** Seconds after which the outer supervisor killed it. */
  readonly waited: number;
  /** graceful_timeout in words, and whether the log or a configuration tells it. */
  readonly patience: string;
  readonly isKnown: boolean;
}

/**
 * An outer supervisor killed gunicorn long after graceful_timeout, when its arbiter has killed whoever is left and goes itself
 * (gunicorn/arbiter.py, stop). Either that time is set longer than the outer one, or the arbiter itself was held.
 */
export function overdueArbiter({supervisor, life, server, stop, noted, waited, patience, isKnown}: Overdue): Finding | null {
  const {forced, program, pid} = life;
  const others = supervisor.processes.filter((each) => each.role === 'other' && each.program === program && each.forced !== null);
  const lines = evidence([
    proof(noted, 'the arbiter takes up the stop'),
    ...(forced ? [proof(forced.event, `the time of ${outerName(supervisor)} is over`)] : []),
    ...others
      .slice(0, 3)
      .flatMap((each) => (each.forced ? [proof(each.forced.event, `pid ${each.pid} was still there as well`)] : [])),
  ]);
  if (!lines) return null;
  return {
    title: `${outerName(supervisor)} killed gunicorn, whose own patience should have ended the stop before`,
    message: sentences(
      `gunicorn had taken up the stop, and ${outerName(supervisor)} killed it ${seconds(waited)} after it had asked. That is proved.`,
      `After graceful_timeout (${patience}) the arbiter kills the workers that are left and ends itself, and it had not.`,
      others.length > 0
        ? `${count(others.length, 'other process', 'other processes')} of ${program ?? 'the program'} (pid ${list(others.map((each) => each.pid))}) had to be killed with it: ` +
            'if these were workers, the arbiter had not come to kill them.'
        : 'No other process had to be killed with it: what was left was the arbiter alone.',
      'Why, no line tells.',
    ),
    confidence: 'possible',
    instance: server.id,
    reload: stop?.id ?? null,
    pids: [pid],
    workers: [],
    evidence: lines,
    against: [
      ...(isKnown
        ? []
        : [
            {
              hypothesis: `graceful_timeout is set to more than ${seconds(waited)}, and workers were waited for`,
              because:
                others.length > 0
                  ? 'it fits: the log does not show the setting, and processes were left'
                  : 'no worker had to be killed, so none was waited for',
              line: null,
              decides: 'the configuration (--config, or gunicorn --print-config): graceful_timeout',
            },
          ]),
      {
        hypothesis:
          'the arbiter itself is held: an on_exit hook, or with preload_app a thread or exit handler of the application',
        because:
          others.length > 0 ? 'it comes after the workers are gone, and processes were left' : 'it fits: the arbiter was alone',
        line: null,
        decides: 'py-spy dump of the arbiter during the stop: where it is',
      },
      {
        hypothesis: 'a process that waits inside the kernel (a dead disk or network file system), which SIGKILL does not end',
        because: 'nothing in the log speaks against it',
        line: null,
        decides: 'ps -o pid,stat,wchan of the unit during the stop: D in the column STAT',
      },
    ],
    cannotSee: ['what the arbiter did after it had taken up the stop', 'requests that were cut: they have no line'],
    fixes: [],
    next: [
      `py-spy dump --pid ${pid > 0 ? pid : '<pid of the arbiter>'} # during the next stop, when graceful_timeout is over: what the arbiter waits for`,
      'give the configuration as well (--config gunicorn.conf.py): graceful_timeout, preload_app and on_exit decide between these causes',
    ],
    identity: [instanceName(server), program ?? '', 'overdue'],
  };
}
