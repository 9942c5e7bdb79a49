import type {LogEvent} from './event.ts';
import {firstFrom} from './lookup.ts';
import {oncePer} from './once.ts';
import type {Constraint} from './solve.ts';
import type {ForcedDraft, InstanceDraft, ProcessDraft, ReloadDraft, Story} from './story/draft.ts';
import {sharesClock} from './story/nesting.ts';
import {mercyAt} from './story/settings.ts';
import type {Duration} from './time.ts';

/**
 * uWSGI looks at a deadline once per round of its master and counts in whole seconds: the kill comes mercy + 1
 * after the signal, seldom + 2 (core/master.c); a stamp adds a second.
 */
const PATIENCE = {min: 0, max: 3};
/** A killed process is gone at once; its master notices within a round or two. */
const REAPED = {min: 0, max: 3};

/** gunicorn asks a worker to abort itself and kills it later: on a machine that hardly gets on, much later. */
const ABORTED = {min: 0, max: null};

const BY_MERCY = 'the mercy and one round of the master';

/** A stamp stands for its whole second. */
const STAMP = -1;
/** supervisord tells of a stop up to two seconds after its signal (supervisor/process.py, stop_report). */
const TOLD_LATE = -3;

/** What the supervisors are known to do in time, for everything that happened. */
export function constraintsOf({instances, reloads}: Story): Constraint[] {
  return [
    ...instances.flatMap((instance) => instance.processes.flatMap((process) => constraintsOfProcess(process, instance))),
    ...instances.flatMap((instance) => constraintsOfNesting(instance, reloads)),
  ];
}

/** Two logs of one program on one clock: the outer one tells of its beginning, its stop and its end. */
function constraintsOfNesting(instance: InstanceDraft, reloads: readonly ReloadDraft[]): Constraint[] {
  const {runsAs: life, epochs, stopped} = instance;
  if (life === null || !sharesClock(life, instance)) return [];
  const all: Constraint[] = [];
  const add = (before: LogEvent | null | undefined, after: LogEvent | null | undefined, min: number) => {
    if (!before || !after || before === after) return;
    all.push({before, after, min: min * 1000, max: null, because: 'the outer supervisor tells of it too'});
  };
  const stop = reloads.findLast((reload) => reload.instance === instance && reload.kind === 'stop');
  add(life.started, epochs[0]?.master, STAMP);
  if (stop !== undefined) {
    add(life.asked?.told, stop.began, TOLD_LATE);
    add(stop.began, life.ended, STAMP);
  }
  add(stopped, life.ended, STAMP);
  return all;
}

function constraintsOfProcess({started, asked, recycling, forced, ended}: ProcessDraft, instance: InstanceDraft): Constraint[] {
  const all: Constraint[] = [];
  const add = (before: LogEvent, after: LogEvent, {min, max}: Duration, because: string) => {
    if (before !== after) all.push({before, after, min: min * 1000, max: max === null ? null : max * 1000, because});
  };
  if (asked !== null && forced?.event.meaning.deadline === 'mercy' && forced.tries === 1) {
    const patience = patienceBefore(forced.event, instance);
    const {told, again} = asked;
    if (patience !== null && again !== null) add(told, forced.event, {min: patience.min, max: null}, BY_MERCY);
    if (patience !== null) add(again ?? told, forced.event, again === null ? patience : {min: 0, max: patience.max}, BY_MERCY);
  }
  if (forced !== null && ended !== null)
    add(forced.event, ended, isKill(forced) ? REAPED : ABORTED, 'a killed process is noticed within a round of the master');
  if (asked !== null && forced === null && ended !== null) {
    const waited = waitedSeconds(ended);
    if (waited !== null) add(asked.again ?? asked.told, ended, {min: 0, max: waited + 1}, 'the burial says how long it took');
  }
  const lived = recycling?.event.fields['seconds'];
  if (started !== null && recycling !== null && typeof lived === 'number') {
    add(started, recycling.event, {min: lived - 1, max: lived + 1}, 'the supervisor says how long the worker had been running');
  }
  return all;
}

function isKill({event: {message}}: ForcedDraft): boolean {
  return message !== 'gunicorn/worker-timeout';
}

/** The epochs whose master has said its pid, in the order of these lines. Asked once the story has been told. */
const begunEpochsOf = oncePer((instance: InstanceDraft) => {
  const begun = instance.epochs
    .flatMap(({banner, since, master}) => (master === null ? [] : [{banner, since, master}]))
    .sort((a, b) => a.master.place - b.master.place);
  return {epochs: begun, masters: begun.map(({master}) => master)};
});

/** How long after the signal the kill comes where mercy governs it; null where the log does not show the mercy. */
export function patienceBefore(kill: LogEvent, instance: InstanceDraft): Duration | null {
  const {epochs, masters} = begunEpochsOf(instance);
  const epoch = epochs[firstFrom(masters, kill) - 1];
  // Starts that were told at once: the settings may be another's.
  if (epoch !== undefined && epoch.since !== epoch.banner) return null;
  const mercy = mercyAt(instance, kill);
  return mercy === null ? null : {min: mercy + PATIENCE.min, max: mercy + PATIENCE.max};
}

/** From the kill to the master's taking note. */
export function withReaping({min, max}: Duration): Duration {
  return {min, max: max === null ? null : max + REAPED.max};
}

/**
 * `worker N buried after S seconds`: from the signal to the master's taking note, in whole seconds. Only for
 * a worker that left by itself: a kill sets the count back (uWSGI, core/master.c).
 */
export function waitedSeconds(ended: LogEvent): number | null {
  const {seconds} = ended.fields;
  return ended.meaning.ending === 'collected' && typeof seconds === 'number' ? seconds : null;
}
