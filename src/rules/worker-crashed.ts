import type {LogEvent} from '../timeline/event.ts';
import {signalName} from '../timeline/signals.ts';
import type {Instance, Process} from '../timeline/timeline.ts';
import {describeDeadChildren} from './child-died.ts';
import {counted, diedLoading, exitCodeOf, loneDeaths, processName, processNames} from './deaths.ts';
import {describeExceptionEnds} from './exception-ends.ts';
import {meaningOfStatus} from './exit-status.ts';
import {gatewaysDied} from './gateway-died.ts';
import {ownMeaningOf} from './program-starts.ts';
import {type Evidence, type Finding, type Fix, NO_SETTING, type Rule} from './rule.ts';
import {isOn, loading, mayHave, versionWithin} from './settings.ts';
import {failedToStart} from './starts.ts';
import {troubleText, upstreamTrouble} from './upstream-troubles.ts';
import {capital, count, evidence, instanceName, list, numbers, proof, sentences, unique, was} from './wording.ts';

/**
 * What is known of a crash. `fault`: a signal that the system sends for a fault, or a fault handler's report. `code`: it
 * ended with an exit code, and no line tells why.
 */
type Kind = 'fault' | 'code';

const MEANINGS: Readonly<Record<string, string>> = {
  ILL: 'an instruction that this processor does not have',
  TRAP: 'a trap',
  ABRT: 'it aborted itself: a fatal error of Python, or a failed check in a library',
  BUS: 'a page that could not be read: a file that was cut while mapped, or a disk',
  FPE: 'a division by zero in native code',
  SEGV: 'native code touched memory that is not its own',
};

const rule: Rule = {
  id: 'worker-crashed',
  title: 'A worker crashed',
  severity: 'error',
  docs: {
    sees:
      'A worker (mule, gateway, program) that died by its own fault: a signal such as SIGSEGV or SIGABRT, the report of a ' +
      'fault handler ("got Segmentation Fault", "Fatal Python error"), or an exit while it was serving. As a warning: one that reload-on-exception ended.',
    why:
      'A crash cuts every request of that process and everything it had in memory. Python code alone does not segfault: it is ' +
      'nearly always a compiled extension, a library that does not survive fork, or an order of teardown at exit. uWSGI words ' +
      'a crash without a signal ("died :(") in two cases: its own fault handler ran and ended in exit code 1, or the ' +
      'application left by an exit code (sys.exit, os._exit).',
    remedy:
      'Read the backtrace or the Python stack above the death, find the extension in it and update it. Where only an exit ' +
      'code is known, look for sys.exit and os._exit, and for a signal to the worker.',
    limits:
      'A stray SIGTERM or SIGINT to one worker also gives "died :(" without a signal. Deaths around a stop of the whole ' +
      'instance are left out: there the signal reached the group.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#reload-on-exception',
      'unbit/uwsgi#1585',
      'unbit/uwsgi#2508',
      'https://docs.python.org/3/library/faulthandler.html',
    ],
  },
  needs: {
    messages: [
      'uwsgi/worker-died',
      'uwsgi/exception-respawn',
      'uwsgi/segmentation-fault',
      'uwsgi/floating-point-exception',
      'uwsgi/python-fatal-error',
      'uwsgi/worker-respawned',
      'uwsgi/worker-spawned',
      'uwsgi/mule-died',
      'uwsgi/gateway-respawned',
      'gunicorn/worker-terminated-by-signal',
      'gunicorn/worker-exited-with-code',
      'gunicorn/worker-exception',
      'gunicorn/booting-worker',
      'uvicorn/started-parent',
      'uvicorn/child-died',
      'supervisord/exited',
      'systemd/main-process-exited',
      'container/exited',
      'apache/process-starting',
      'apache/child-signalled',
      'apache/terminated-by-signal',
      'nginx-unit/application-started',
      'nginx-unit/exited-on-signal',
      'nginx-unit/exited-with-code',
    ],
    otherwise: 'no line of this log tells of the start or the end of a worker',
  },
  *check(timeline) {
    for (const instance of timeline.instances) {
      const dead = loneDeaths(timeline, instance, 'crashed');
      // reload-on-exception replaces a worker because it was told to.
      const raised = dead.filter(({ended}) => ended?.message === 'uwsgi/exception-respawn');
      const crashed = dead.filter(({ended}) => ended?.message !== 'uwsgi/exception-respawn');
      if (raised.length > 0) yield describeExceptionEnds(instance, raised);
      for (const kind of ['fault', 'code'] as const) {
        const own = crashed.filter((process) => kindOf(process) === kind);
        if (own.length > 0) yield describe(instance, own, kind);
      }
      const died = instance.processes.filter(
        (process) =>
          process.end === 'lost' &&
          process.ended?.message === 'uvicorn/child-died' &&
          !failedToStart(timeline, instance, process),
      );
      if (died.length > 0) yield describeDeadChildren(instance, died);
      yield gatewaysDied(instance);
    }
  },
};

export default rule;

function kindOf(process: Process): Kind {
  return signalOf(process) !== null || reportsOf(process).length > 0 ? 'fault' : 'code';
}

/** `SEGV`, where the log names the signal. */
function signalOf({signal}: Process): string | null {
  return signal === null ? null : signalName(signal);
}

/** Somebody else than the process itself tells of its end. */
function isFound({ended}: Process): boolean {
  return ended !== null && ended.meaning.kind !== 'crash';
}

function reportsOf({remarks}: Process): LogEvent[] {
  return remarks.filter(({meaning}) => meaning.kind === 'crash');
}

function describe(instance: Instance, crashed: readonly Process[], kind: Kind): Finding | null {
  const atExit = crashed.filter(({asked}) => asked !== null);
  const lines = evidence(crashed.slice(0, 6).flatMap(linesOf));
  if (!lines) return null;
  const signals = unique(crashed.map(signalOf).filter((signal) => signal !== null));
  const reported = crashed.filter((process) => reportsOf(process).length > 0);
  const codes = unique(crashed.map(exitCodeOf).filter((code) => code !== null));
  const own = crashed.map((process) => ownMeaningOf(process.program ?? '', exitCodeOf(process) ?? ''));
  const meanings = unique([...codes.map(meaningOfStatus), ...own].filter((meaning) => meaning !== null));
  const several = crashed.length > 1;
  const [first] = crashed;
  // One program that fails again and again is one program.
  const only = several && crashed.every(({program}) => program === first?.program) ? (first?.program ?? null) : null;
  const exiting = atExit.length === crashed.length;
  const noun = counted(crashed);
  return {
    title:
      (only ? `Program ${only} crashed` : several ? `${noun} crashed` : `A ${noun.slice(2)} crashed`) +
      (exiting ? ' while exiting on request' : kind === 'code' ? ' or left with an exit code' : '') +
      (only ? ` ${count(crashed.length, 'time')}` : ''),
    message: sentences(
      kind === 'fault'
        ? `${capital(processNames(crashed))} crashed.`
        : `${capital(processNames(crashed))} ended. No line shows that anybody had asked ${several ? 'them' : 'it'} to, and none names a signal.`,
      signals.length > 0 && `By signal: ${list(signals.map((signal) => `SIG${signal}${meaningOf(signal)}`))}.`,
      reported.length > 0 &&
        `${reported.length === 1 ? 'A fault handler reported it' : `Fault handlers reported ${reported.length} of them`}` +
          (reported.some(isFound)
            ? ' before the end; the handler of uWSGI ends in an exit code, so its "died" line names no signal.'
            : `; the line with which the master finds ${several ? 'them' : 'it'} is not in this log${
                crashed.some(({role}) => role === 'other') ? `, and so not what ${several ? 'they were' : 'it was'}` : ''
              }.`),
      kind === 'code' &&
        (codes.length > 0
          ? `The exit ${codes.length > 1 ? 'codes were' : 'code was'} ${list(codes)}.`
          : 'The line tells neither a signal nor the exit code, and no fault handler spoke: it left by an exit code.'),
      kind === 'code' && meanings.length > 0 && `What that says: ${list(meanings)}.`,
      isLoading(instance, crashed) &&
        `${several ? 'They' : 'It'} had not loaded the application yet: loading it ended ${several ? 'them' : 'it'}, and no request was cut.`,
      atExit.length > 0 &&
        `${exiting ? (several ? 'All of them' : 'It') : count(atExit.length, 'of them', 'of them')} had been asked to leave ` +
          'and crashed on the way out: requests were finished, exit handlers were perhaps not.',
      kind === 'fault'
        ? `The crash is proved; which code did it, only ${hasBacktrace(instance, crashed) ? 'the backtrace' : 'a backtrace or a core dump'} tells.`
        : meanings.length > 0
          ? 'That it ended is proved.'
          : 'That it ended is proved; why, is not in this log.',
    ),
    confidence: kind === 'fault' ? 'certain' : 'likely',
    instance: instance.id,
    reload: null,
    pids: unique(crashed.map(({pid}) => pid)),
    workers: numbers(crashed.filter(({role}) => role === 'worker')),
    evidence: lines,
    ...(kind === 'fault' ? aboutFault(instance, crashed) : aboutExitCode(instance, crashed)),
    fixes: fixesFor(instance, crashed, kind, exiting),
    identity: [instanceName(instance), kind, ...(exiting ? ['at exit'] : [])],
  };
}

/** uWSGI prints one itself; for other servers Python's fault handler does, where it is on. */
function hasBacktrace({supervisor}: Instance, crashed: readonly Process[]): boolean {
  return supervisor === 'uwsgi' || crashed.some((process) => reportsOf(process).length > 0);
}

function isLoading(instance: Instance, crashed: readonly Process[]): boolean {
  return crashed.every((process) => diedLoading(instance, process));
}

function aboutFault(instance: Instance, crashed: readonly Process[]): Pick<Finding, 'against' | 'cannotSee' | 'next'> {
  const leaver = crashed.find(({asked}) => asked !== null);
  const known = leaver ? upstreamTrouble(instance, 'crash-at-exit', leaver.ended, leaver) : null;
  return {
    against: [
      ...(known
        ? [
            {
              hypothesis: 'a fault of this version of uWSGI',
              because: `nothing speaks against it: ${troubleText(known, instance, leaver?.ended ?? null)}; it ends with ${known.fixedIn}`,
              line: null,
            },
          ]
        : []),
      {
        hypothesis: 'killed-from-outside',
        because: 'a kill from outside or by the memory limit is signal 9, and no fault handler sees it',
        line: null,
      },
    ],
    cannotSee: [
      ...(isLoading(instance, crashed) ? [] : ['which request was running: a crash leaves no request line']),
      'the Python line, unless faulthandler is on',
    ],
    next: [
      hasBacktrace(instance, crashed)
        ? 'read the frames between "*** backtrace of" and "*** end of backtrace ***": the first .so that is not libc, ' +
          'libpython or uwsgi is the suspect'
        : 'start the server with PYTHONFAULTHANDLER=1 in its environment: the next crash prints the Python line that led to it',
      'coredumpctl list; coredumpctl debug <pid>   # where systemd keeps core dumps',
      'dmesg -T | grep -i segfault   # names the library and the address',
    ],
  };
}

function aboutExitCode(instance: Instance, crashed: readonly Process[]): Pick<Finding, 'against' | 'cannotSee' | 'next'> {
  const arePrograms = crashed.every(({role}) => role === 'program');
  return {
    against:
      instance.supervisor === 'uwsgi'
        ? [
            {
              hypothesis: 'a signal to the worker alone (SIGTERM or SIGINT from a person or a script)',
              because: 'uWSGI words it the same way; nothing here speaks against it but that it is rare',
              line: null,
            },
            {
              hypothesis: 'a fault in native code',
              because: 'its handler would have printed a backtrace with the pid, and this log has none for it',
              line: null,
            },
          ]
        : [
            {
              hypothesis: 'boot-failure',
              because: 'a process that cannot start leaves with an exit code as well; the last lines of its own log decide',
              line: null,
            },
          ],
    cannotSee: [
      ...(crashed.some((process) => exitCodeOf(process) !== null) ? [] : ['the exit code']),
      ...(arePrograms ? ['what it printed'] : []),
      ...(arePrograms || isLoading(instance, crashed) ? [] : ['which request was running when it left']),
    ],
    next: [
      ...(crashed.some(({role}) => role === 'program')
        ? ['read the last lines of its own log: an exit code has its reason there']
        : []),
      ...(arePrograms
        ? []
        : [
            "grep -rn 'sys.exit\\|os._exit' in the application and its tasks",
            'look right above the line for a Python traceback of the application',
          ]),
      'look for a kill in cron jobs, deployment scripts and the logs of the outer supervisor at that time',
    ],
  };
}

function meaningOf(signal: string): string {
  const meaning = MEANINGS[signal];
  return meaning === undefined ? '' : ` (${meaning})`;
}

function linesOf(process: Process): Evidence[] {
  const name = processName(process);
  return [
    ...reportsOf(process)
      .slice(0, 1)
      .map((event) => proof(event, `a fault handler reports a crash of ${name}`)),
    ...(process.ended && isFound(process)
      ? [proof(process.ended, `${name} ${was(1)} found dead${process.asked ? ' after it had been asked to leave' : ''}`)]
      : []),
    ...(process.asked ? [proof(process.asked.event, `${name} had been asked to leave`)] : []),
  ];
}

function fixesFor(instance: Instance, crashed: readonly Process[], kind: Kind, exiting: boolean): Fix[] {
  if (kind === 'code') {
    if (crashed.every(({role}) => role !== 'worker')) return [];
    return [
      {
        ...NO_SETTING,
        effect: 'the worker stays and answers with an error instead',
        safety: 'needs-code',
        why: 'Do not leave the process from a request or a thread: raise an exception in place of sys.exit or os._exit.',
      },
    ];
  }
  const aborted = crashed.some((process) => signalOf(process) === 'ABRT');
  const fixes: (Fix | null)[] = [
    exiting && loading(instance) === 'lazy-apps' && versionWithin(instance, '2.0.0', '2.0.29', crashed[0]?.ended ?? null)
      ? {
          ...NO_SETTING,
          effect: 'workers leave without the crash',
          safety: 'safe',
          why: 'Run uWSGI 2.0.30 or later: it mends the order of teardown at exit with lazy-apps.',
        }
      : null,
    aborted && (isOn(instance, 'py-call-osafterfork') || crashed.length > 1)
      ? {
          setting: 'py-call-uwsgi-fork-hooks',
          section: 'uwsgi',
          value: 'true',
          effect: 'workers do not abort right after their start',
          since: '2.0.21',
          safety: 'safe',
          why: 'Only where the configuration has py-call-osafterfork: under Python 3.13 that option aborts every worker. Take it out.',
        }
      : null,
    {
      ...NO_SETTING,
      effect: 'no crash, where a later version has it mended',
      safety: 'needs-code',
      why: 'Update the compiled extension that crashed (a backtrace names it), and build it for this Python and this system.',
    },
    {
      setting: 'env',
      section: 'uwsgi',
      value: 'PYTHONFAULTHANDLER=1',
      effect: 'the next crash prints the Python line of every thread',
      since: null,
      safety: 'safe',
      why: 'It turns a bare signal into a place in the code.',
    },
    {
      setting: 'lazy-apps',
      section: 'uwsgi',
      value: 'true',
      effect: 'libraries that do not survive fork are started in each worker; more memory, slower start',
      since: null,
      safety: 'safe',
      why: 'Connections, threads and native libraries (gRPC, database drivers) that were opened before the fork crash in the workers.',
    },
  ];
  const uwsgi = instance.supervisor === 'uwsgi';
  return fixes
    .filter((fix) => fix !== null)
    .filter(({setting, since}) => mayHave(instance, since) && (uwsgi || setting === null))
    .filter(({setting}) => setting !== 'lazy-apps' || loading(instance) !== 'lazy-apps');
}
