/** Dynos of Heroku that did not get through their start: told by the rule boot-failure. */
import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {precedes} from '../timeline/lookup.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {instanceOfEvent} from './line-owners.ts';
import {meaningOfStatus} from './program-starts.ts';
import {type Finding, NO_PROCESS, NO_SETTING} from './rule.ts';
import {count, evidence, proof, sentences} from './wording.ts';

/** One start of a dyno, and what ended it. */
interface Attempt {
  /** Heroku waited in vain for it to listen on $PORT (R10). */
  readonly timedOut: LogEvent | null;
  /** Its process left: the status tells why where it is one of the shell's or the server's own. */
  readonly left: LogEvent | null;
  readonly killed: LogEvent | null;
  readonly crashed: LogEvent | null;
  readonly command: string;
}

export function* dynosNotStarted(timeline: Timeline): Iterable<Finding> {
  const lines = timeline.events.filter(({message}) => message.startsWith('heroku/'));
  for (const [dyno, events] of groupBy(lines, ({fields, stream}) => String(fields.dyno ?? stream))) {
    const attempts = attemptsIn(events);
    const [first] = attempts;
    if (first) yield* describe(timeline, dyno.slice(dyno.lastIndexOf('/') + 1), first, attempts.length);
  }
}

/** What ended for want of memory (R15) is none: that is told as such. */
function attemptsIn(events: readonly LogEvent[]): Attempt[] {
  const ends = events.filter(
    ({message, fields}) =>
      message === 'heroku/boot-timeout' ||
      (message === 'heroku/state-changed' && fields.from === 'starting' && fields.to === 'crashed'),
  );
  const attempts: Attempt[] = [];
  let since: LogEvent | null = null;
  for (const crashed of [...ends.filter(({message}) => message === 'heroku/state-changed'), null]) {
    const own = events.filter(
      (event) => (since === null || precedes(since, event)) && (crashed === null || precedes(event, crashed)),
    );
    const last = (message: string) => own.findLast((event) => event.message === `heroku/${message}`) ?? null;
    const timedOut = last('boot-timeout');
    since = crashed;
    if ((crashed === null && timedOut === null) || last('memory-vastly-exceeded') !== null) continue;
    const command = String(last('starting-process')?.fields.command ?? '');
    attempts.push({timedOut, left: last('process-exited'), killed: last('killing'), crashed, command});
  }
  return attempts;
}

function* describe(
  timeline: Timeline,
  dyno: string,
  {timedOut, left, killed, crashed, command}: Attempt,
  times: number,
): Iterable<Finding> {
  const status = left?.fields.status === undefined ? null : String(left.fields.status);
  const meaning = status === null ? null : meaningOfStatus(command, status);
  const lines = evidence([
    ...(timedOut ? [proof(timedOut, `Heroku had waited in vain for ${dyno} to listen`)] : []),
    ...(left && !timedOut ? [proof(left, `the process of ${dyno} is gone`)] : []),
    ...(crashed ? [proof(crashed, `${dyno} had not got through its start`)] : []),
  ]);
  const main = timedOut ?? crashed;
  if (!lines || !main) return;
  yield {
    title: `The dyno ${dyno} did not start${times > 1 ? `, ${count(times, 'time')}` : ''}`,
    message: sentences(
      timedOut
        ? `Heroku waited for ${dyno} to listen on $PORT (60 s, unless it says otherwise), and killed it when it did not (R10). That is proved.`
        : `${dyno} ended before it was up. That is proved.`,
      timedOut &&
        'Either the start takes longer, or the server listens on another port, or only on 127.0.0.1: Heroku sees all alike.',
      !timedOut &&
        killed !== null &&
        'Heroku killed it; why, the line before tells, which is not in this log: most often a start that took too long (R10), or memory (R15).',
      !timedOut &&
        killed === null &&
        (meaning === null ? status !== null && `Its process left with status ${status}.` : `The reason told: ${meaning}.`),
      dyno.startsWith('web.') && 'No request reaches it.',
    ),
    confidence: 'certain',
    instance: instanceOfEvent(timeline, main)?.id ?? null,
    ...NO_PROCESS,
    evidence: lines,
    against: [],
    cannotSee: [timedOut ? 'how far its start had come' : 'what it printed, unless its lines (app[…]) are given as well'],
    fixes: timedOut
      ? [
          {
            ...NO_SETTING,
            effect: 'Heroku sees that the dyno is up',
            safety: 'safe',
            why: 'Let the server listen on 0.0.0.0:$PORT (gunicorn does so by itself where PORT is set), and load less before it listens.',
          },
        ]
      : [],
    next: [`heroku logs --dyno ${dyno} -n 500   # its own lines before the first of these`],
    identity: ['heroku', dyno, timedOut ? 'boot timeout' : 'crashed at its start'],
  };
}
