import type {LogEvent} from '../timeline/event.ts';
import {between} from '../timeline/time.ts';
import type {Finding, Rule} from './rule.ts';
import {lastBefore, type UnitLines, unitFix, unitsWith} from './unit-lines.ts';
import {count, evidence, proof, sentences} from './wording.ts';

const rule: Rule = {
  id: 'watchdog-kill',
  title: 'The watchdog of systemd ended a program that gave no sign of life',
  severity: 'error',
  docs: {
    sees: 'A unit with WatchdogSec whose watchdog ran out: systemd sends SIGABRT, and SIGKILL where that does not help.',
    why:
      'The program promises to say WATCHDOG=1 in time. One whose main loop is blocked (an event loop held by a long call, a ' +
      'master that waits) does not, and is ended with everything that it was doing.',
    remedy:
      'Find what blocked the loop: SIGABRT leaves a core, and with faulthandler a stack. Raise WatchdogSec only above what is normal.',
    limits: 'A machine that stood still (suspended, starved of CPU) looks the same: then other units stop answering too.',
    references: ['https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html#WatchdogSec='],
  },
  needs: {
    messages: ['systemd/watchdog-timeout', 'systemd/started', 'systemd/main-process-exited'],
    otherwise: 'no line of systemd about a unit is in this log',
  },
  *check(timeline) {
    for (const unit of unitsWith(timeline, ['systemd/watchdog-timeout'])) {
      yield describe(unit);
    }
  },
};

export default rule;

/** A busy machine comes late to its own deadline. */
const SLACK = 1.25;

function describe({unit, instance, events}: UnitLines): Finding | null {
  const struck = events.filter(({message}) => message === 'systemd/watchdog-timeout');
  const limit = struck.find(({fields}) => fields.limit !== undefined)?.fields.limit;
  const silent = neverAnswered(events, struck);
  const kills = events.filter(({message, fields}) => message === 'systemd/killing-process' && fields.signal === 'SIGABRT');
  const lines = evidence([
    ...silent.slice(0, 2).map((event) => proof(event, 'it is up: the watchdog begins to wait')),
    ...struck.slice(0, 3).map((event) => proof(event, 'no sign of life in time')),
    ...kills.slice(0, 2).map((event) => proof(event, 'systemd ends it')),
  ]);
  if (!lines) return null;
  return {
    title: `The watchdog of systemd ended ${unit}${struck.length > 1 ? ` ${struck.length} times` : ''}`,
    message: sentences(
      `${unit} gave no sign of life within its WatchdogSec${limit === undefined ? '' : ` (${limit})`}${struck.length > 1 ? `, ${count(struck.length, 'time')}` : ''}, and systemd ended it with SIGABRT. That is proved.`,
      'That it died by signal 6 is this kill, and no crash of its own.',
      silent.length > 0
        ? `It struck as soon as that time was over after ${silent.length > 1 ? 'each of the starts' : 'the start'}: most likely the program never says WATCHDOG=1. gunicorn, uWSGI, uvicorn, daphne and supervisord do not.`
        : 'What blocked it, the log does not tell: a call that does not return, or a machine that stood still.',
    ),
    confidence: 'certain',
    instance: instance?.id ?? null,
    reload: null,
    pids: kills.map(({pid}) => pid).filter((pid) => pid !== null),
    workers: [],
    evidence: lines,
    against: [
      ...(silent.length > 0
        ? [
            {
              hypothesis: 'a program that is blocked right from its start',
              because: 'its own lines tell whether it worked until then',
              line: null,
            },
          ]
        : []),
      {
        hypothesis: 'the machine stood still (suspended, starved of CPU or disk)',
        because: 'then other units miss their deadlines in the same second; the journal of the whole machine decides',
        line: null,
      },
    ],
    cannotSee: ['what the program was doing'],
    fixes: [
      silent.length > 0
        ? unitFix(
            'WatchdogSec',
            '0',
            'systemd no longer ends a program that serves',
            'A watchdog is for programs that say WATCHDOG=1 (sd_notify). To see whether this one answers, let something ask it over HTTP.',
          )
        : unitFix(
            'WatchdogSec',
            null,
            'a longer silence is tolerated',
            'Only where the silence is normal, such as a slow start: otherwise the program stays blocked for longer.',
          ),
    ],
    next: [
      ...(silent.length > 0 ? [`systemctl cat ${unit} | grep -E 'Type|Watchdog|NotifyAccess'   # who asked for a watchdog`] : []),
      'coredumpctl info   # where cores are kept: the stack at the moment of SIGABRT',
      `journalctl --since … -p warning   # whether the whole machine stood still`,
    ],
    identity: [unit, 'watchdog'],
  };
}

/**
 * The starts after which the watchdog struck as soon as it could: all of them, or none where it once struck later. A program
 * that says WATCHDOG=1 at all lives longer than that.
 */
function neverAnswered(events: readonly LogEvent[], struck: readonly LogEvent[]): readonly LogEvent[] {
  const starts = struck.map((event) => {
    const {limitMinutes = 0, limitSeconds = 0} = event.fields;
    const limit = Number(limitMinutes) * 60 + Number(limitSeconds);
    const start = lastBefore(events, event, ['systemd/started']);
    const lived = start && between(start.at, event.at);
    return limit > 0 && lived && lived.max !== null && lived.max <= limit * SLACK + 1 ? start : null;
  });
  const all = starts.filter((start) => start !== null);
  return all.length === starts.length ? all : [];
}
