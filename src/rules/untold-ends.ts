import {least} from '../extremes.ts';
import {processesAskedBy} from '../timeline/lookup.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Process, Reload} from '../timeline/timeline.ts';
import {costOf, mercyOf, mercyText} from './mercy.ts';
import {whileItHangs} from './remedies.ts';
import type {Finding} from './rule.ts';
import {count, evidence, instanceName, list, nameOf, occasions, proof, seconds, sentences, unique, was} from './wording.ts';

/** Workers that were asked to leave and whose end no line tells, although the log goes on. */
interface Untold {
  readonly reload: Reload;
  readonly workers: readonly Process[];
  /** Seconds for which the master waited for the last of its workers, at least; null where the log does not tell. */
  readonly waited: number | null;
}

/**
 * What cannot be said about reloads and stops of uWSGI that went by: lines around the restart of the master get lost where
 * syslog or a file logger takes them, those of the kills among them. At most one finding for each answer.
 *
 * @param reloads Those whose end is not judged elsewhere.
 */
export function* untoldEnds(instance: Instance, reloads: readonly Reload[]): Iterable<Finding | null> {
  if (instance.supervisor !== 'uwsgi') return;
  const untold = reloads
    .map((reload) => ({reload, workers: untoldOf(instance, reload)}))
    .filter(({workers}) => workers.length > 0)
    .map((each): Untold => ({...each, waited: waitedFor(instance, each.reload)}));
  const tookMercy = untold.filter(
    ({reload, waited}) => waited !== null && waited >= costOf(mercyOf(instance, reload.began).seconds),
  );
  for (const group of [tookMercy, untold.filter((each) => !tookMercy.includes(each))]) {
    yield describe(instance, group, group === tookMercy);
  }
}

/** Workers that it asked to leave, but for those that run on. */
function untoldOf(instance: Instance, reload: Reload): Process[] {
  return processesAskedBy(instance, reload).filter(
    ({role, end, pid, worker}) =>
      role === 'worker' &&
      end !== 'running' &&
      reload.workers.find(({oldPid, worker: n}) => oldPid === pid && n === worker)?.end === 'unknown',
  );
}

/** The next generation starts, and a stop ends, as soon as the last worker is gone. */
function waitedFor(instance: Instance, reload: Reload): number | null {
  if (reload.outcome !== 'completed') return null;
  if (reload.kind === 'stop') return reload.duration.min;
  const next = instance.epochs.find(({master}) => master !== null && master === reload.reExecuted)?.banner;
  return next ? between(reload.startedAt, next.at).min : null;
}

function describe(instance: Instance, untold: readonly Untold[], tookMercy: boolean): Finding | null {
  const [first] = untold;
  if (!first) return null;
  const workers = untold.flatMap((each) => each.workers);
  const reloads = untold.map(({reload}) => reload);
  const mercy = mercyOf(instance, first.reload.began);
  const waits = untold.map(({waited}) => waited).filter((waited) => waited !== null);
  const lines = evidence(
    untold.flatMap(({reload, workers: open}) => [
      proof(reload.began, `${count(open.length, 'worker')} asked here ${open.length === 1 ? 'has' : 'have'} no end in the log`),
      ...[reload.ended ?? reload.overBy?.line].flatMap((line) => (line ? [proof(line, 'the log goes on: this is over')] : [])),
    ]),
  );
  if (!lines) return null;
  const what = `The log does not tell how ${count(workers.length, 'worker')} ended`;
  return {
    title: tookMercy ? `${what}; it took as long as the mercy` : what,
    severity: tookMercy ? 'warning' : 'info',
    message: sentences(
      `In ${occasions(reloads)}, ${count(workers.length, 'worker')} ${was(workers.length)} asked to leave`,
      `(${list(workers.map(nameOf), 4)}), and no line tells that ${
        workers.length === 1 ? 'it left or that it was' : 'they left or that they were'
      } killed. That is proved.`,
      tookMercy
        ? `The master waited at least ${seconds(least(waits))} before it went on. The mercy is ${mercyText(mercy)}, and a master ` +
            'kills at the end of it what has not left: so at least one worker was likely killed, and the line that says so ' +
            '("NO MERCY") is lost.'
        : `${workers.length === 1 ? 'It' : 'They'} may have left in peace or have been killed: take it for undecided, not for healthy.`,
      'Lines around the restart of the master get lost where syslog, a socket or a file logger takes the log.',
    ),
    confidence: tookMercy ? 'likely' : 'certain',
    instance: instance.id,
    reload: first.reload.id,
    pids: unique(workers.map(({pid}) => pid)),
    workers: unique(workers.map(({worker}) => worker).filter((worker) => worker !== null)),
    evidence: lines,
    against: tookMercy
      ? [
          {
            hypothesis: 'something else held the master for that long, such as an attached daemon that did not stop',
            because: 'no line of this log speaks of it; but lines are missing here',
            line: null,
            fits: 'less',
          },
        ]
      : [],
    cannotSee: ['whether these workers were killed, and what they still worked on'],
    fixes: [],
    next: [
      'look into the other place where the master writes: its standard error, journalctl -u <unit>, the file before rotation',
      ...(tookMercy ? whileItHangs(instance).slice(0, 1) : []),
    ],
    identity: [instanceName(instance), 'ends not told', tookMercy ? 'as long as the mercy' : 'short'],
  };
}
