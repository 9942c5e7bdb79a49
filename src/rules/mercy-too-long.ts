import {greatest, least} from '../extremes.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {isSlow} from './chain-reload-slow.ts';
import {forcedWorkers} from './forced-workers.ts';
import {enoughMercy, isKnown, lowerMercy, mercyOf, mercyText} from './mercy.ts';
import type {Finding, Rule} from './rule.ts';
import {uwsgiOf} from './settings.ts';
import {
  concerning,
  count,
  duration,
  evidence,
  instanceName,
  itself,
  nameOf,
  only,
  proof,
  seconds,
  sentences,
  span,
  unique,
  was,
} from './wording.ts';

/** A wait worth complaining about, in seconds. */
const LONG = 10;
/** "Far less": a worker that left by itself needed at most this share of the time. */
const FAR_LESS = 0.34;
/** A shorter mercy must save a good part of the wait. */
const WORTHWHILE = 0.7;

const rule: Rule = {
  id: 'mercy-too-long',
  title: 'The master waits far longer for a stuck worker than the others need to leave',
  severity: 'warning',
  docs: {
    sees:
      'Workers killed at the deadline after 10 s or more each, in an instance whose other workers left by themselves in a ' +
      'fraction of that time.',
    why:
      'The mercy is how long the master waits for a worker that was asked to leave. A full reload serves nobody until the ' +
      'last worker is gone, so one worker that hangs costs all of them the whole wait.',
    remedy:
      'Set worker-reload-mercy a little above what workers need to finish their work. Find the cause of the hang as well: ' +
      'this only bounds it.',
    limits:
      'It compares with workers that left by themselves in this log. Requests longer than any here could be cut by a ' +
      'shorter mercy.',
    references: ['https://uwsgi-docs.readthedocs.io/en/latest/Options.html#worker-reload-mercy'],
  },
  settings: ['worker-reload-mercy'],
  restsOnOwners: true,
  needs: {
    messages: ['uwsgi/no-mercy', 'uwsgi/worker-buried', 'uwsgi/worker-killed', 'uwsgi/gracefully-killing', 'uwsgi/goodbye'],
    otherwise: 'the log shows no worker that was asked to leave',
  },
  *check(timeline) {
    // A worker that had a request to finish was waited for with good reason.
    const busy = new Set(
      forcedWorkers(timeline)
        .filter(({verdict}) => verdict === 'request')
        .map(({process}) => process),
    );
    for (const instance of uwsgiOf(timeline)) {
      // The waits of a slow chain are the subject of its own rule.
      const chains = new Set(instance.reloads.filter(isSlow).map(({id}) => id));
      const workers = instance.processes.filter(({role}) => role === 'worker');
      const forced = workers.filter(
        (process) =>
          process.forced?.deadline === 'mercy' &&
          // A process that its first kill did not end is not gone any sooner by an earlier one.
          process.forced.tries === 1 &&
          process.end === 'forced' &&
          !busy.has(process) &&
          !chains.has(process.asked?.reload ?? '') &&
          waited(process, instance) >= LONG,
      );
      if (forced.length === 0) continue;
      const clean = workers.filter(
        (process) => process.end === 'clean' && process.asked && !process.forced && neededAtMost(process) !== null,
      );
      if (clean.length === 0) continue;
      yield describe(timeline, instance, forced, clean);
    }
  },
};

export default rule;

/** Seconds that the kill took at least. The mercy itself is a bound: nothing is killed earlier, unless the clock of the log is wrong. */
function waited({forced}: Process, instance: Instance): number {
  const mercy = mercyOf(instance, forced?.event ?? null);
  const {min, max} = forced?.patience ?? {min: 0, max: null};
  return isKnown(mercy) && (max === null || max >= mercy.seconds) ? Math.max(min, mercy.seconds) : min;
}

/** Seconds; null where the log bounds nothing. */
function neededAtMost({asked, ended}: Process): number | null {
  // "buried after N seconds" counts whole seconds since it was asked, for a worker that nobody had to force.
  const told = ended?.meaning.ending === 'collected' ? Number(ended.fields.seconds ?? Number.NaN) : Number.NaN;
  const bounds = [asked?.wait.max ?? Number.NaN, told + 1].filter(Number.isFinite);
  return bounds.length === 0 ? null : least(bounds);
}

function describe(timeline: Timeline, instance: Instance, forced: readonly Process[], clean: readonly Process[]): Finding | null {
  const wait = least(forced.map((process) => waited(process, instance)));
  const needed = greatest(clean.map((process) => neededAtMost(process) ?? 0));
  const enough = enoughMercy(timeline, instance);
  const mercy = mercyOf(instance);
  const lower = lowerMercy(timeline, instance, forced);
  if (needed > wait * FAR_LESS || enough === null || enough > mercy.seconds * WORTHWHILE || !lower) return null;
  const reloads = unique(forced.map(({asked}) => asked?.reload ?? null).filter((id) => id !== null));
  const patience = span(forced.map((process) => process.forced?.patience ?? null).filter((each) => each !== null));
  const lines = evidence([
    ...(mercy.where ? [proof(mercy.where, `the mercy is ${mercyText(mercy)}`)] : []),
    ...forced
      .slice(0, 6)
      .flatMap((process) =>
        process.forced ? [proof(process.forced.event, `${nameOf(process)} was waited for until the mercy ran out`)] : [],
      ),
    ...clean.slice(0, 3).flatMap((process) => (process.ended ? [proof(process.ended, `${nameOf(process)} left by itself`)] : [])),
  ]);
  if (!lines) return null;
  const took = patience && patience.min >= LONG ? duration(patience) : `more than ${seconds(wait)}`;
  return {
    title: rule.title,
    message: sentences(
      `${count(forced.length, 'worker')} ${was(forced.length)} killed only after ${took}:`,
      `the mercy, the time that the master waits for a worker, is ${mercyText(mercy)}.`,
      `${count(clean.length, 'other worker')} left by ${itself(clean.length)} within ${seconds(needed)}. Both are proved.`,
      'A shorter mercy would end the wait sooner; it would not cure what kept the worker, which is a matter of its own.',
    ),
    confidence: 'certain',
    instance: instance.id,
    reload: only(reloads),
    ...concerning(forced),
    evidence: lines,
    against: [],
    cannotSee: ['requests longer than any that ended in this log'],
    fixes: [lower],
    next: [],
    identity: [instanceName(instance)],
  };
}
