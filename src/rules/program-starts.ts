/** Programs of supervisord and units of systemd that did not come up, as far as these tell why. */
import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {KILLED_INSIDE, TERMINATED_INSIDE} from './exit-status.ts';
import {instanceOfEvent} from './line-owners.ts';
import {stopsTakenAsReload} from './outer.ts';
import {type Finding, type Fix, NO_PROCESS, NO_SETTING} from './rule.ts';
import {programOf} from './starts.ts';
import {unitJobsFailed} from './unit-jobs.ts';
import {count, evidence, proof, sentences, unique} from './wording.ts';

/** What systemd's own exit codes say of a program that it could not run (systemd.exec(5), 247). */
const NOT_RUN: Readonly<Record<string, string>> = {
  CHDIR: 'WorkingDirectory cannot be entered',
  EXEC: 'the command of ExecStart cannot be executed: a wrong path, no permission, or a first line that names no interpreter',
  USER: 'User does not exist',
  GROUP: 'Group does not exist',
  NAMESPACE: 'a directory that the unit wants mounted or protected is missing',
  STATE_DIRECTORY: 'StateDirectory cannot be made',
  RUNTIME_DIRECTORY: 'RuntimeDirectory cannot be made',
  LOGS_DIRECTORY: 'LogsDirectory cannot be made',
  CREDENTIALS: 'a credential cannot be set up',
  STDOUT: 'the file or socket for its output cannot be opened',
  STDERR: 'the file or socket for its errors cannot be opened',
};

/** Exit codes that mean the same whatever the program: of the shell, of systemd before it runs anything. */
const STATUSES: Readonly<Record<string, string>> = {
  126: 'the shell cannot execute the command: no permission, or no program',
  127: 'the shell does not find the command: a wrong path, or a PATH without it',
  200: NOT_RUN.CHDIR as string,
  203: NOT_RUN.EXEC as string,
  209: NOT_RUN.STDOUT as string,
  216: NOT_RUN.GROUP as string,
  217: NOT_RUN.USER as string,
  226: NOT_RUN.NAMESPACE as string,
};

/** systemd's own exit codes begin here. */
const FIRST_OF_SYSTEMD = 200;

/** Exit codes of the servers, by a part of the program's name (gunicorn/arbiter.py, core/uwsgi.c, sapi/fpm). */
const OWN_STATUSES: readonly (readonly [name: RegExp, status: number, reason: string])[] = [
  [/gunicorn/i, 3, 'no worker of gunicorn could boot: the application raised an error, which its own log has'],
  [/gunicorn/i, 4, 'gunicorn could not load the application, or its configuration: its own log tells'],
  [/uwsgi/i, 22, 'uWSGI found no application and has need-app: the traceback is in its own log'],
  [/fpm/i, 78, 'php-fpm does not accept its configuration: php-fpm -t shows where'],
];

/** What the exit code of a program says, going by the name it has in its supervisor; null where any may mean anything by it. */
export function ownMeaningOf(program: string, status: string): string | null {
  const [, , reason] = OWN_STATUSES.find(([part, code]) => part.test(program) && code === Number(status)) ?? [];
  return reason === undefined ? null : `${reason} (status ${status})`;
}

/** What an exit code says whatever the program is, or going by the program; null where any may mean anything by it. */
export function meaningOfStatus(program: string, status: string): string | null {
  const ofShell = Number(status) < FIRST_OF_SYSTEMD ? STATUSES[status] : undefined;
  return ofShell === undefined ? ownMeaningOf(program, status) : `${ofShell} (status ${status})`;
}

/** Why a program did not come up, as far as its supervisor's line tells. */
interface ReasonNotRun {
  /** In words. */
  readonly reason: string;
  readonly line: LogEvent;
  /** It is the program's own exit code: it was run, and left. */
  readonly ran: boolean;
}

/** Null where no line of its supervisor tells. */
export function reasonNotRun(timeline: Timeline, program: string): ReasonNotRun | null {
  let shown: string | null = null;
  for (const event of timeline.events) {
    const {step, file, reason, name, status, unit} = event.fields;
    if (event.message === 'systemctl/unit-status') shown = String(unit);
    if ((event.message.startsWith('systemctl/') ? shown : programOf(event)) !== program) continue;
    if (event.message === 'systemd/exec-failed') {
      const told = NOT_RUN[String(step ?? 'EXEC')];
      // What fails before the program is run is not the file, although systemd names it.
      const what = told === undefined || (step ?? 'EXEC') === 'EXEC' ? `${file}: ${reason}` : `${reason}; before ${file} was run`;
      return {reason: told === undefined ? what : `${told} (${what})`, line: event, ran: false};
    }
    const isEnd = event.meaning.kind === 'process-ended' || event.message === 'systemctl/main-pid-gone';
    if (!isEnd || status === undefined) continue;
    const ownReason = OWN_STATUSES.find(([part, code]) => part.test(program) && code === Number(status))?.[2];
    const foreign = NOT_RUN[String(name ?? '')] ?? STATUSES[String(status)];
    const told = foreign ?? ownReason;
    if (told !== undefined) return {reason: `${told} (exit status ${status})`, line: event, ran: foreign === undefined};
  }
  return null;
}

/** Ends with status 0 that supervisord did not expect so soon: what a program does that goes into the background. */
export function inBackground(timeline: Timeline, program: string): LogEvent[] {
  const ends = endsOf(timeline, program);
  return ends.every(isTooSoon) ? ends : [];
}

function endsOf({events}: Timeline, program: string): LogEvent[] {
  return events.filter((event) => event.message === 'supervisord/exited' && programOf(event) === program);
}

/** It left with status 0, before startsecs was over: supervisord takes that for a start that failed. */
function isTooSoon({fields}: LogEvent): boolean {
  return fields.status === 0 && fields.expected === false;
}

/** Programs that supervisord cannot even start, and has not given up yet. */
export function* programsNotSpawned(timeline: Timeline, isTold: (program: string) => boolean): Iterable<Finding> {
  const errors = timeline.events.filter(
    ({message, fields}) => message === 'supervisord/spawn-failed' && fields.tooQuick === undefined && fields.reason !== undefined,
  );
  for (const reason of unique(errors.map(({fields}) => String(fields.reason)))) {
    const own = errors.filter(({fields}) => fields.reason === reason);
    const [first] = own;
    const program = first?.fields.program === undefined ? null : programOf(first);
    const lines = evidence(own.slice(0, 3).map((event) => proof(event, 'supervisord cannot start it')));
    if (!first || !lines || (program === null ? false : isTold(program))) continue;
    yield {
      title: `supervisord cannot start ${program ?? 'a program'}`,
      message: sentences(
        `supervisord tried ${count(own.length, 'time')} to start ${program ?? 'a program'} and could not: ${reason}.`,
        'That is proved: the program itself never ran. After startretries (3 by default) supervisord gives up (FATAL), and nobody tries again.',
      ),
      confidence: 'certain',
      instance: instanceOfEvent(timeline, first)?.id ?? null,
      ...NO_PROCESS,
      evidence: lines,
      against: [],
      cannotSee: program === null ? ['which program it is: the line names the reason only'] : [],
      fixes: [
        first.fields.tooManyFiles !== undefined
          ? MORE_FILES
          : {
              ...NO_SETTING,
              effect: 'the program is started',
              safety: 'safe',
              why: 'Mend the command, the directory or the user in its section, then: supervisorctl reread, supervisorctl update.',
            },
      ],
      next: [
        first.fields.tooManyFiles !== undefined
          ? 'ls /proc/$(pgrep -o supervisord)/fd | wc -l; grep "open files" /proc/$(pgrep -o supervisord)/limits'
          : 'run the command by hand as the same user, in the same directory, with the same PATH',
      ],
      identity: ['supervisord', program ?? reason, 'not spawned'],
    };
  }
}

export const MORE_FILES: Fix = {
  setting: 'minfds',
  section: 'supervisord',
  value: null,
  effect: 'supervisord can open what it needs for each program',
  since: null,
  safety: 'safe',
  why: 'Each program takes some descriptors of supervisord. Raise minfds, and the limit of whoever starts supervisord with it (LimitNOFILE, ulimit -n).',
};

export function* programsLeftAtOnce(timeline: Timeline, isTold: (program: string) => boolean): Iterable<Finding> {
  const programs = unique(timeline.events.filter(({message}) => message === 'supervisord/exited').map(programOf));
  for (const program of programs) {
    const all = endsOf(timeline, program);
    // One that leaves in good order and stays away is told by program-left-by-itself.
    const ends = isTold(program) ? [] : all.slice(all.findLastIndex((event) => !isTooSoon(event)) + 1);
    const hadStayed = all.length > ends.length;
    const [first] = ends;
    const lines = evidence(ends.slice(0, 3).map((event) => proof(event, `${program} leaves with status 0`)));
    if (ends.length < 2 || !first || !lines) continue;
    yield {
      title: `${program} leaves as soon as it is started, with status 0`,
      message: sentences(
        `supervisord starts ${program}, which leaves with status 0 before startsecs is over, ${count(ends.length, 'time')} in this log. That is proved.`,
        hadStayed
          ? 'Before that it had ended otherwise, so it is hardly one that goes into the background: it finds nothing to do, or an error that its status hides.'
          : 'A program that goes into the background does that: supervisord can only watch what stays in the foreground, and starts it again while the first one may still be running.',
        'After startretries of it (3 by default) supervisord gives up (FATAL), and nobody starts it again.',
      ),
      confidence: hadStayed ? 'possible' : 'likely',
      instance: instanceOfEvent(timeline, first)?.id ?? null,
      ...NO_PROCESS,
      evidence: lines,
      against: [
        {
          hypothesis: 'a program that has nothing more to do',
          because: 'it fits as well for a script that is done: then startsecs = 0 and autorestart = false are meant',
          line: first.line,
        },
      ],
      cannotSee: ['what it printed', 'whether a process of it is still running in the background'],
      fixes: hadStayed
        ? []
        : [
            {
              ...NO_SETTING,
              effect: 'supervisord watches the program itself, and does not start a second one',
              safety: 'safe',
              why: 'Let it stay in the foreground: uWSGI without daemonize, gunicorn without --daemon, nginx with "daemon off;", php-fpm with -F.',
            },
          ],
      next: [
        ...(hadStayed ? [`supervisorctl tail ${program}   # what it printed before it left`] : []),
        'ps -eo pid,ppid,lstart,cmd --forest   # is it there all the same, with parent 1?',
      ],
      identity: [program, 'left at once'],
    };
  }
}

export function* unitsNotStarted(timeline: Timeline, isTold: (unit: string) => boolean): Iterable<Finding | null> {
  const late = timeline.events.filter((event) => event.message === 'systemd/start-timeout' || isLateStart(timeline, event));
  for (const unit of unique(late.map(programOf))) {
    const own = late.filter((event) => programOf(event) === unit);
    yield tooLate(timeline, unit, own);
  }
  const lateUnits = new Set(late.map(programOf));
  const failed = timeline.events.filter(
    ({message}) => message === 'systemd/exec-failed' || message === 'systemd/main-process-exited',
  );
  for (const unit of unique(failed.map(programOf))) {
    const cause = lateUnits.has(unit) || isTold(unit) ? null : reasonNotRun(timeline, unit);
    const finding = cause && notRun(timeline, unit, cause);
    yield finding;
    if (finding) lateUnits.add(unit);
  }
  for (const finding of failedUnits(timeline, (unit) => lateUnits.has(unit) || isTold(unit))) {
    lateUnits.add(String(finding.identity[1]));
    yield finding;
  }
  yield* unitJobsFailed(timeline, (unit) => lateUnits.has(unit) || isTold(unit));
}

/** A pasted status may have lost the line that names it. */
const NAMELESS = 'a unit';

const RESULTS: Readonly<Record<string, string>> = {
  timeout: 'its time for a start or a stop was over, and systemd ended it; which of the two, no line here tells',
  'exit-code': 'a process of it left with an error',
  signal: 'a process of it died of a signal',
  'core-dump': 'a process of it crashed',
  watchdog: 'it did not report itself within WatchdogSec',
  'oom-kill': 'memory ran out',
  protocol: 'it did not report itself in the way that its Type asks for (a PID file, READY=1)',
  resources: 'systemd could not get what it needs to start it (a directory, a PID file, a limit)',
};

/** Units that systemd calls failed, where nothing else in the log tells more of it. */
function* failedUnits(timeline: Timeline, isTold: (unit: string) => boolean): Iterable<Finding> {
  const results = new Map<string, LogEvent[]>();
  let shown: string | null = null;
  for (const event of timeline.events) {
    if (event.message === 'systemctl/unit-status') shown = String(event.fields.unit);
    const isShown = event.message === 'systemctl/unit-active';
    const isFailed =
      event.message === 'systemd/failed' || (isShown && (event.fields.state === 'failed' || isToBeRestarted(event)));
    const unit = isShown ? (shown ?? (isToBeRestarted(event) ? NAMELESS : null)) : String(event.fields.unit);
    if (isFailed && unit !== null && resultOf(event) !== null) results.set(unit, [...(results.get(unit) ?? []), event]);
  }
  const violent = new Set(
    timeline.instances.flatMap(({processes}) =>
      processes.flatMap(({role, program, end}) =>
        role === 'program' && (end === 'forced' || end === 'crashed' || end === 'killed') ? [program] : [],
      ),
    ),
  );
  const starved = new Set(timeline.events.flatMap(({message, fields}) => (message === 'systemd/oom-kill' ? [fields.unit] : [])));
  // What did not end at a stop is told by stop-left-processes.
  const stopped = new Set(
    timeline.events.flatMap(({message, fields}) => (message === 'systemd/stop-timeout' ? [String(fields.unit)] : [])),
  );
  // It was killed because its stop had become a reload.
  const reloaded = new Set(
    stopsTakenAsReload(timeline).flatMap(({outer, end}) => (end === null ? [] : [outer?.life.program ?? null])),
  );
  for (const [unit, own] of results) {
    const [first] = own;
    if (!first) continue;
    const result = String(resultOf(first));
    const isStop = result === 'exit-code' && own.every((event) => followsStop(timeline, event));
    const status = isStop ? statusBefore(timeline, first) : null;
    const isKilled = status !== null && Number(status.fields['status']) === KILLED_INSIDE;
    const lines = evidence([
      ...(status === null ? [] : [proof(status, `the status with which ${unit} ended`)]),
      ...own
        .slice(0, 3)
        .map((event) =>
          proof(event, isToBeRestarted(event) ? `systemd waits to start ${unit} again` : `systemd calls ${unit} failed`),
        ),
    ]);
    if (!lines || isTold(unit) || violent.has(unit) || starved.has(unit) || stopped.has(unit) || reloaded.has(unit)) continue;
    const isAgain = isToBeRestarted(first);
    const unitOrBlank = unit === NAMELESS ? '<unit>' : unit;
    yield {
      ...(isStop && !isKilled ? {severity: 'info' as const} : {}),
      title: isStop
        ? isKilled
          ? `${unit} was killed at its stop`
          : `${unit} ended its stop with an error status`
        : `${unit === NAMELESS ? 'A unit' : unit} failed (systemd's result: ${result})${isAgain ? ', and is to be started again' : ''}`,
      message: sentences(
        `systemd ${isAgain ? `waits to start ${unit} again, which ended` : `calls ${unit} failed`} with the result ${result}${RESULTS[result] === undefined ? '' : `: ${RESULTS[result]}`}.`,
        isStop ? stopText(status) : 'That is proved; the lines that led to it are not in this log.',
      ),
      confidence: isKilled ? 'likely' : 'certain',
      instance: instanceOfEvent(timeline, first)?.id ?? null,
      ...NO_PROCESS,
      evidence: lines,
      against: [],
      cannotSee: ['how it came to it'],
      fixes: [],
      next: [
        ...(isKilled
          ? ["docker inspect -f '{{.State.OOMKilled}}' CONTAINER   # where the unit runs a container; true: its memory limit"]
          : []),
        `journalctl -u ${unitOrBlank} -b   # the lines before: systemd's own and the program's`,
        `systemctl show -p Type,Result,ExecMainStatus,TimeoutStartUSec,TimeoutStopUSec ${unitOrBlank}`,
      ],
      identity: ['systemd', unit, 'failed', result],
    };
  }
}

const BETWEEN_TRIES: ReadonlySet<string> = new Set(['auto-restart', 'auto-restart-queued']);

/** Between its end and the next try, as systemctl status shows it: no start is under way. */
function isToBeRestarted({fields}: LogEvent): boolean {
  return fields.state === 'activating' && BETWEEN_TRIES.has(String(fields.sub)) && fields.reason !== undefined;
}

/** What a snapshot tells, in brackets or in place of the state. */
function resultOf({fields}: LogEvent): string | null {
  const {result, reason} = fields;
  return result === undefined && reason === undefined ? null : String(result ?? reason);
}

/** Its last word before was that the unit stops. */
function followsStop({events}: Timeline, failed: LogEvent): boolean {
  const before = events.findLast(
    (event) =>
      ['program-stopping', 'program-up', 'program-starting'].includes(event.meaning.kind) &&
      event.fields.unit === failed.fields.unit &&
      precedes(event, failed),
  );
  return before?.meaning.kind === 'program-stopping';
}

/** With what the main process of the unit ended in the stop that failed; null where no line tells. */
function statusBefore({events}: Timeline, failed: LogEvent): LogEvent | null {
  const told = events.findLast(
    (event) =>
      ['program-stopping', 'process-ended'].includes(event.meaning.kind) &&
      event.fields['unit'] === failed.fields['unit'] &&
      precedes(event, failed),
  );
  return told?.message === 'systemd/main-process-exited' ? told : null;
}

function stopText(status: LogEvent | null): string {
  const code = status === null ? TERMINATED_INSIDE : Number(status.fields['status']);
  if (code === TERMINATED_INSIDE)
    return 'It had been told to stop and did: a program that ends by SIGTERM often leaves with status 143. SuccessExitStatus=143 lets systemd take that for a good end.';
  if (code === KILLED_INSIDE)
    return 'It had been told to stop and left with status 137: 128 + 9, a SIGKILL inside, which systemd did not send. Most often the tool that runs its container had waited long enough (docker stop: 10 s unless --time says otherwise); a want of memory or a person gives the same status.';
  return sentences(
    `It had been told to stop and left with status ${code}, which systemd takes for an error.`,
    'What its program means by that, its own lines tell.',
  );
}

/** systemd says the result in one line and what has failed in another. */
function isLateStart(timeline: Timeline, {message, fields}: LogEvent): boolean {
  return (
    message === 'systemd/failed' &&
    fields.result === 'timeout' &&
    timeline.events.some(
      (event) =>
        event.fields.unit === fields.unit &&
        (event.message === 'systemd/failed-to-start' ||
          (event.message === 'systemd/described-job' && event.fields.job === 'Failed to start')),
    )
  );
}

function tooLate(timeline: Timeline, unit: string, own: readonly LogEvent[]): Finding | null {
  const lines = evidence(own.slice(0, 3).map((event) => proof(event, `its time for a start is over: ${unit} is ended`)));
  const [first] = own;
  if (!lines || !first) return null;
  return {
    title: `systemd gave up waiting for ${unit} to start`,
    message: sentences(
      `${unit} had not come up when TimeoutStartSec (90 s by default) was over, and systemd ended it.`,
      'That is proved. A program that serves and is ended all the same was started with the wrong Type: with Type=notify it has to',
      'report itself, and from a process that NotifyAccess allows; with Type=forking it has to go into the background.',
      'Otherwise the start is really that slow.',
    ),
    confidence: 'certain',
    instance: instanceOfEvent(timeline, first)?.id ?? null,
    ...NO_PROCESS,
    evidence: lines,
    against: [],
    cannotSee: ["what the program was doing meanwhile, unless its own log is given as well: if it serves, it is the unit's Type"],
    fixes: [
      {
        setting: 'Type',
        section: 'Service',
        value: null,
        effect: 'systemd takes note that the program is up',
        since: null,
        safety: 'safe',
        why:
          'uWSGI and gunicorn report themselves (Type=notify, NotifyAccess=all where a shell or wrapper starts them); a program ' +
          'that only runs in the foreground is Type=exec or simple; Type=forking needs daemonize and PIDFile.',
      },
      {
        setting: 'TimeoutStartSec',
        section: 'Service',
        value: null,
        effect: 'a start that is slow can come to its end',
        since: null,
        safety: 'safe',
        why: 'Only where its own log shows that it was still loading.',
      },
    ],
    next: [
      `systemctl show -p Type,NotifyAccess,PIDFile,TimeoutStartUSec ${unit}`,
      `journalctl -u ${unit}   # with the program's own lines: was it serving when it was ended?`,
    ],
    identity: ['systemd', unit, 'start timeout'],
  };
}

function notRun(timeline: Timeline, unit: string, why: ReasonNotRun): Finding | null {
  const {reason, line} = why;
  if (why.ran) return leftWithOwnStatus(timeline, unit, why);
  const lines = evidence([proof(line, `systemd cannot run ${unit}`)]);
  if (!lines) return null;
  return {
    title: `systemd could not run ${unit}`,
    message: sentences(
      `systemd could not run the program of ${unit}: ${reason}.`,
      'That is proved: the program itself never ran.',
    ),
    confidence: 'certain',
    instance: instanceOfEvent(timeline, line)?.id ?? null,
    ...NO_PROCESS,
    evidence: lines,
    against: [],
    cannotSee: [],
    fixes: [
      {
        ...NO_SETTING,
        effect: 'the program is started',
        safety: 'safe',
        why: `Mend the unit: systemctl cat ${unit} shows it with its drop-ins; then systemctl daemon-reload and start it again.`,
      },
    ],
    next: [`systemctl cat ${unit}`, 'run the command of ExecStart by hand, as the User of the unit and in its WorkingDirectory'],
    identity: ['systemd', unit, 'not run'],
  };
}

/** The program was run, and its exit code is one of those that its documentation names. */
function leftWithOwnStatus(timeline: Timeline, unit: string, {reason, line}: ReasonNotRun): Finding | null {
  const lines = evidence([proof(line, `${unit} leaves with an exit code of its own`)]);
  if (!lines) return null;
  return {
    title: `${unit} could not start`,
    message: sentences(
      `The program of ${unit} was run and left by itself: ${reason}.`,
      'The exit code is proved; what it means is inferred: it is what this server leaves with for that reason, and an application can leave with it too.',
    ),
    confidence: 'likely',
    instance: instanceOfEvent(timeline, line)?.id ?? null,
    ...NO_PROCESS,
    evidence: lines,
    against: [],
    cannotSee: ['the error itself: it stands in the own log of the program'],
    fixes: [],
    next: [`journalctl -u ${unit} -n 100   # the traceback above its last lines`],
    identity: ['systemd', unit, 'left at its start'],
  };
}
