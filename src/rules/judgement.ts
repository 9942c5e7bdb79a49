/** What decides about one worker that was killed at the deadline, whatever the reload or stop looks like as a whole. */

import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import {oncePer} from '../timeline/once.ts';
import {between} from '../timeline/time.ts';
import type {Forced, Instance, Process, Timeline} from '../timeline/timeline.ts';
import {isKnown, mercyOf, mercyText} from './mercy.ts';
import {cutWith} from './proxy-cuts.ts';
import type {Evidence} from './rule.ts';
import {proof} from './wording.ts';
import {isRunningRequest, requestOf} from './work.ts';

/**
 * `idle`: no request held it, its exit did. `request`: a request was running. `late`: a request was answered so late that no
 * time to leave was left. `recycle`: it left by itself and did not get there. `deaf`: it never took note of being asked.
 * `hasty`: the master had no patience, so the kill says nothing of it. `undecided`: a request and a blocked exit fit alike.
 */
export type Verdict = 'idle' | 'request' | 'late' | 'recycle' | 'deaf' | 'hasty' | 'undecided';

export interface Judgement {
  readonly verdict: Verdict;
  /** The log proves the verdict; otherwise it is the reading that fits best. */
  readonly proved: boolean;
  /** Why, as a sentence. The same for all workers that were judged by the same test. */
  readonly because: string;
  readonly shown: readonly Evidence[];
}

/** A line names a request that the worker was busy with. */
export function requestNamed(process: Process, forced: Forced): Judgement | null {
  const line = process.remarks.find((event) => isRunningRequest(event) && near(event, process, forced));
  return line === undefined
    ? null
    : {
        verdict: 'request',
        proved: true,
        because: 'The log names a request that was running in it',
        shown: [proof(line, `names what was running: ${requestOf(line)}`)],
      };
}

/** The proxy's log decides what the server's own leaves open: a request was cut in the moment of the kill. */
export function cutByProxy(timeline: Timeline, process: Process, judgement: Judgement): Judgement {
  if (process.asked === null || process.asked.by === 'unknown') return judgement;
  const isOpen = judgement.verdict === 'undecided' || (judgement.verdict === 'idle' && !judgement.proved);
  const [cut] = isOpen ? cutWith(timeline, process) : [];
  return cut === undefined
    ? judgement
    : {
        verdict: 'request',
        proved: false,
        because: 'nginx lost a request in the moment of the kill, and no other worker was ended then that can have had it',
        shown: [proof(cut, `nginx loses ${requestOf(cut)} in the moment of the kill`)],
      };
}

/** Backtraces that show Python shutting down, by the pid that wrote them: what SIGUSR2 makes a worker print while it hangs. */
const exitFrames = oncePer((timeline: Timeline): ReadonlyMap<number, readonly LogEvent[]> => {
  const found = new Map<number, LogEvent[]>();
  const writer = new Map<string | null, number | null>();
  if (timeline.messages.has('uwsgi/exit-frame')) {
    for (const event of timeline.events) {
      if (event.message === 'uwsgi/backtrace') writer.set(event.stream, event.pid);
      const pid = event.message === 'uwsgi/exit-frame' ? (writer.get(event.stream) ?? null) : null;
      if (pid !== null) found.set(pid, [...(found.get(pid) ?? []), event]);
    }
  }
  return found;
});

/** It was asked what it does, and was shutting down. */
export function exitShown(timeline: Timeline, process: Process, forced: Forced): Judgement | null {
  const frame = exitFrames(timeline)
    .get(process.pid)
    ?.find((event) => near(event, process, forced));
  return frame === undefined
    ? null
    : {
        verdict: 'idle',
        proved: true,
        because:
          'The backtrace that it wrote while it did not leave shows Python shutting down: no request held it, its exit did',
        shown: [proof(frame, 'Python is shutting down, in the backtrace of this worker')],
      };
}

/**
 * uWSGI looks after its workers once a second. Without any mercy it kills at the first look, also what has left in order and was
 * not collected yet (core/master_checks.c, 2.0): every worker of every stop gets NO MERCY.
 */
export function withoutMercy(instance: Instance, forced: Forced): Judgement | null {
  const mercy = mercyOf(instance, forced.event);
  if (!isKnown(mercy) || mercy.seconds > 0) return null;
  return {
    verdict: 'hasty',
    proved: mercy.known === 'shown',
    because: 'The master has no mercy',
    shown: mercy.where ? [proof(mercy.where, `the mercy is ${mercyText(mercy)}`)] : [],
  };
}

/**
 * The master waits for an attached daemon that does not stop (reload-mercy, 3 s) before it looks after its workers again, and
 * a shorter mercy is then over for who left at once, too (core/daemons.c, core/master_checks.c).
 */
export function behindDaemon(timeline: Timeline, {asked}: Process, {event}: Forced): Judgement | null {
  if (!timeline.messages.has('uwsgi/daemon-forced') || asked === null) return null;
  const killed = timeline.events.findLast(
    ({message, ...other}) => message === 'uwsgi/daemon-forced' && precedes(other, event) && other.stream === event.stream,
  );
  if (killed === undefined || precedes(killed, asked.event) || between(killed.at, event.at).min > 1) return null;
  return {
    verdict: 'undecided',
    proved: false,
    because:
      'The master was waiting for an attached daemon until then and looked after no worker, so this one may have left long before',
    shown: [proof(killed, 'until now the master waited for this daemon')],
  };
}

/** After it was asked and not after it was gone. */
function near(event: LogEvent, process: Process, forced: Forced): boolean {
  const since = process.asked?.event ?? forced.event;
  return !precedes(event, since) && (process.ended === null || precedes(event, process.ended));
}
