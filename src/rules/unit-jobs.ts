/** Commands and jobs of units that failed, where nothing else in the log tells more of it: told by the rule boot-failure. */
import type {LogEvent} from '../timeline/event.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {instanceOfEvent} from './line-owners.ts';
import {type Finding, NO_PROCESS} from './rule.ts';
import {programOf} from './starts.ts';
import {FAILED_RELOAD, isJob} from './unit-lines.ts';
import {evidence, proof, sentences, unique} from './wording.ts';

/** Of these tells the rule unit-reload-failed: messages, and what systemd calls the job where it names no unit. */
const RELOADS = [
  ['systemd/reloading', 'Reloading'],
  ['systemd/reload-failed', FAILED_RELOAD],
] as const;

/** systemctl says that a job failed or refuses it, or systemd that a command of the unit ended with an error. */
export function* unitJobsFailed(timeline: Timeline, isTold: (unit: string) => boolean): Iterable<Finding> {
  const failures = timeline.events.filter((event) => reasonOf(event) !== null);
  for (const unit of unique(failures.map(programOf))) {
    const own = failures.filter((event) => programOf(event) === unit);
    const [first] = own;
    const lines = evidence(own.slice(0, 3).map((event) => proof(event, `${shownBy(event)} ${unit}`)));
    if (!first || !lines || isTold(unit) || isReload(timeline, unit)) continue;
    const reasons = unique(own.map(reasonOf));
    yield {
      title: `A start, stop or reload of ${unit} failed`,
      message: sentences(
        `What systemd says of ${unit}: ${reasons.join('; ')}.`,
        'That is proved. Whether it was a start, a stop or a reload, and what the command itself had to say, is not in these lines.',
      ),
      confidence: 'certain',
      instance: instanceOfEvent(timeline, first)?.id ?? null,
      ...NO_PROCESS,
      evidence: lines,
      against: [],
      cannotSee: ['what the command printed'],
      fixes: [],
      next: [
        `journalctl -u ${unit} -n 50   # the lines before: systemd's own and the program's`,
        `systemctl cat ${unit}   # the commands it runs`,
        'run the failing command by hand, as the same user; the log of the server itself may have the reason',
      ],
      identity: ['systemd', unit, 'job failed'],
    };
  }
}

/** In words; null where the line tells of no failure. */
function reasonOf({message, fields}: LogEvent): string | null {
  if (message === 'systemctl/job-failed' && fields.result !== undefined) return String(fields.result);
  if (message === 'systemctl/refused' && fields.noReload === undefined) return String(fields.result);
  if (message === 'systemd/control-process-exited' && fields.status !== undefined && Number(fields.status) !== 0)
    return `a command of it ended with status ${fields.status}`;
  return null;
}

function shownBy({message}: LogEvent): string {
  return message.startsWith('systemctl/') ? 'systemctl gives up on' : 'a command fails that belongs to';
}

function isReload({events}: Timeline, unit: string): boolean {
  return events.some((event) => programOf(event) === unit && RELOADS.some(([message, job]) => isJob(event, message, job)));
}
