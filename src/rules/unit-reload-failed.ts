import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import {between} from '../timeline/time.ts';
import {type Finding, NO_PROCESS, type Rule} from './rule.ts';
import {FAILED_RELOAD, isJob, type UnitLines, unitFix, unitsWith} from './unit-lines.ts';
import {count, evidence, proof, seconds, sentences, unique} from './wording.ts';

const FAILURES = ['systemd/reload-timeout', 'systemd/reload-failed'];

const rule: Rule = {
  id: 'unit-reload-failed',
  title: 'A reload of a unit failed',
  severity: 'error',
  docs: {
    sees: 'A unit whose reload systemd reports as failed, or whose ExecReload it killed when TimeoutStartSec was over.',
    why:
      'The command of ExecReload ended with an error, was never there, or waited for the reload to finish. Whether the server ' +
      'reloaded at all, its own log tells; a deployment that asked for the reload runs on with the old code.',
    remedy:
      'Let ExecReload send the signal to $MAINPID and return at once (kill -HUP $MAINPID), and look into the own log of the ' +
      'server for the end of the reload.',
    limits: 'What ExecReload printed stands in the journal under its own name and not under systemd.',
    references: ['https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html'],
  },
  needs: {
    messages: ['systemd/reloading', 'systemd/reloaded', 'systemd/described-job', 'systemctl/refused', ...FAILURES],
    otherwise: 'no line of systemd about a reload is in this log',
  },
  *check(timeline) {
    for (const unit of unitsWith(timeline, FAILURES, FAILED_RELOAD)) {
      yield describe(unit);
    }
    const refused = timeline.events.filter(
      ({message, fields}) => message === 'systemctl/refused' && fields.noReload !== undefined,
    );
    for (const unit of unique(refused.map(({fields}) => String(fields.unit)))) {
      yield describeRefused(
        unit,
        refused.filter(({fields}) => fields.unit === unit),
      );
    }
  },
};

export default rule;

function describe({unit, instance, events}: UnitLines): Finding | null {
  const failed = events.filter((event) => isJob(event, 'systemd/reload-failed', FAILED_RELOAD));
  const timeouts = events.filter(({message}) => message === 'systemd/reload-timeout');
  const [first] = timeouts.length > 0 ? timeouts : failed;
  if (first === undefined) return null;
  const asked = events.findLast((event) => isJob(event, 'systemd/reloading', 'Reloading') && precedes(event, first)) ?? null;
  const control = events.find(
    (event) => event.message === 'systemd/control-process-exited' && (asked === null || precedes(asked, event)),
  );
  const status = timeouts.length > 0 ? undefined : control?.fields.status;
  const took = asked === null ? null : between(asked.at, first.at).min;
  const lines = evidence([
    ...(asked ? [proof(asked, 'the reload is asked for')] : []),
    ...timeouts.slice(0, 2).map((event) => proof(event, 'ExecReload had not come back in time')),
    ...(control ? [proof(control, 'how the command of ExecReload ended')] : []),
    ...failed.slice(0, 2).map((event) => proof(event, 'systemd gives the reload up')),
  ]);
  if (!lines) return null;
  const times = Math.max(failed.length, timeouts.length);
  return {
    title: `The reload of ${unit} failed${times > 1 ? ` ${times} times` : ''}`,
    message: sentences(
      `systemd was asked to reload ${unit}${times > 1 ? ` ${count(times, 'time')}` : ''}, and the reload failed. That is proved.`,
      timeouts.length > 0 &&
        `The command of ExecReload had not come back${took === null ? '' : ` after ${seconds(took)}`} and was killed (TimeoutStartSec, 90 s by default): it waits for something, such as the end of the reload itself.`,
      timeouts.length > 0 && 'With Type=notify-reload the server may have failed to say READY=1 again.',
      timeouts.length === 0 &&
        (status === undefined
          ? 'The command of ExecReload ended with an error.'
          : `The command of ExecReload ended with status ${status}.`),
      timeouts.length === 0 && 'Often $MAINPID is empty, or a pid file is stale, so that kill finds nobody.',
      'Whether the server itself reloaded, its own lines tell: nothing here proves that new code runs.',
    ),
    confidence: 'certain',
    instance: instance?.id ?? null,
    ...NO_PROCESS,
    evidence: lines,
    against: [],
    cannotSee: ['what the command of ExecReload printed', 'whether the signal reached the server'],
    fixes: [
      unitFix(
        'ExecReload',
        null,
        'the reload is asked for, and systemd goes on at once',
        'ExecReload=/bin/kill -HUP $MAINPID suits gunicorn and uWSGI. systemd then says "Reloaded" while the reload still runs: look for its end in the own log of the server.',
      ),
    ],
    next: [`systemctl cat ${unit}   # what ExecReload and PIDFile say`, `journalctl -u ${unit} -b   # what the command printed`],
    identity: [unit, timeouts.length > 0 ? 'reload timed out' : 'reload failed'],
  };
}

/** systemctl does not even ask the unit. */
function describeRefused(unit: string, events: readonly LogEvent[]): Finding | null {
  const lines = evidence(events.slice(0, 3).map((event) => proof(event, 'systemctl refuses')));
  if (!lines) return null;
  return {
    title: `${unit} has no way to be reloaded`,
    message: sentences(
      `systemctl refused to reload ${unit}: the unit has no ExecReload. That is proved. Nothing was reloaded, and the old code runs on.`,
    ),
    confidence: 'certain',
    instance: null,
    ...NO_PROCESS,
    evidence: lines,
    against: [],
    cannotSee: [],
    fixes: [
      unitFix(
        'ExecReload',
        '/bin/kill -HUP $MAINPID',
        'systemctl reload works',
        'It suits gunicorn and uWSGI. Then systemctl daemon-reload; systemctl try-reload-or-restart does without it, and restarts.',
      ),
    ],
    next: [`systemctl cat ${unit}   # what the unit has, drop-ins included`],
    identity: [unit, 'no ExecReload'],
  };
}
