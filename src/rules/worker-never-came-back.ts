import {greatest, least} from '../extremes.ts';
import {precedes} from '../timeline/lookup.ts';
import {between} from '../timeline/time.ts';
import {type Instance, type Process, type Timeline, UNKNOWN_PID} from '../timeline/timeline.ts';
import {costOf, mercyOf} from './mercy.ts';
import {hasDeadline, reasonOf} from './recycling.ts';
import {exitHangRemedies, otherBlockers} from './remedies.ts';
import type {Alternative, Evidence, Finding, Rule} from './rule.ts';
import {mayHave, uwsgiOf} from './settings.ts';
import {
  capital,
  concerning,
  count,
  evidence,
  instanceName,
  list,
  nameOf,
  numbers,
  proof,
  seconds,
  sentences,
  unique,
  workersNamed,
} from './wording.ts';
import {requestsOf} from './work.ts';

/** Seconds beyond the usual delay before a missing replacement is called missing. */
const MARGIN = 10;

const rule: Rule = {
  id: 'worker-never-came-back',
  title: 'A worker left its place, and nothing took it',
  severity: 'error',
  docs: {
    sees:
      'A worker that ended, or that said that it leaves, and whose number never gets a new process, while other workers of ' +
      'the same instance were replaced.',
    why:
      'The master starts a replacement only when the old process is gone. A worker that reached max-worker-lifetime and ' +
      'then hangs in its exit is never killed: that option arms no deadline. ' +
      'Its place is lost until the whole instance is restarted, and the others carry its load. This happens to one worker ' +
      'after the other.',
    remedy:
      'Let the exit succeed (see app-threads-block-shutdown), or recycle by max-requests, which has a deadline, in place ' +
      'of max-worker-lifetime. Restart the instance to get the places back.',
    limits:
      'A request that is still running also keeps a worker from leaving. The log must go on long enough after the last ' +
      'sign of the worker.',
    references: [
      'https://uwsgi-docs.readthedocs.io/en/latest/Options.html#max-worker-lifetime',
      'unbit/uwsgi#1760',
      'unbit/uwsgi#2480',
    ],
  },
  restsOnOwners: true,
  needs: {
    messages: [
      'uwsgi/worker-respawned',
      'uwsgi/worker-spawned',
      'uwsgi/lifetime-reached',
      'uwsgi/work-done',
      'uwsgi/worker-died',
      'uwsgi/worker-killed',
    ],
    otherwise: 'the log shows no worker that was started or replaced',
  },
  *check(timeline) {
    for (const instance of uwsgiOf(timeline)) {
      const lost = lostSlots(timeline, instance);
      if (lost.length === 0) {
        const open = leaving(instance).filter((process) => !neverLeft(instance).includes(process));
        if (open.length > 0)
          yield {
            undecided: `${workersNamed(open)} had begun to leave, and the log ends too soon to tell whether a replacement came`,
          };
        continue;
      }
      yield describe(timeline, instance, lost);
    }
  },
};

export default rule;

/** The last process of each place that stays empty although others were filled again. */
export function lostSlots(timeline: Timeline, instance: Instance): Process[] {
  const cameBack = instance.processes.filter(
    (process) => process.role === 'worker' && process.successor !== null && replacedAlone(process),
  );
  if (cameBack.length === 0) return [];
  const usual = Math.max(
    0,
    greatest(cameBack.map((process) => between(process.endedAt, process.successor?.at ?? process.endedAt).min)),
  );
  return [...neverLeft(instance), ...gone(timeline, instance, usual)];
}

/** Not by a reload of the whole instance, which replaces them all at once. */
function replacedAlone({asked, successor}: Process): boolean {
  return successor?.meaning.respawned === true && (asked === null || asked.by === 'itself');
}

/** Workers that said that they leave and were neither seen to end nor killed, for longer than that can take. */
export function neverLeft(instance: Instance): Process[] {
  const longest = requestsOf(instance).longest;
  return leaving(instance).filter((process) => {
    const patience = hasDeadline(process) ? costOf(mercyOf(instance, process.asked?.event ?? null).seconds) : longest;
    return (process.asked?.wait.min ?? 0) > patience + MARGIN && goesOn(instance, process);
  });
}

/** Said that they leave; no end, no kill and no replacement yet. */
function leaving(instance: Instance): Process[] {
  if (instance.stopped) return [];
  return instance.processes.filter(
    (process) =>
      process.role === 'worker' &&
      process.asked?.by === 'itself' &&
      !process.ended &&
      !process.forced &&
      !process.successor &&
      !interrupted(instance, process),
  );
}

/** The instance itself lives: others are replaced or answer requests later. Without that, it may all have ended. */
function goesOn(instance: Instance, process: Process): boolean {
  const last = process.ended ?? process.asked?.event;
  const since = process.endedAt.latest ?? process.asked?.at.latest ?? null;
  return instance.processes.some(
    (other) =>
      other !== process &&
      ((other.successor !== null && last !== undefined && precedes(last, other.successor)) ||
        other.segments.some(({lastEnd}) => since !== null && lastEnd > since + MARGIN * 1000)),
  );
}

/** Ended without a replacement, and not because the instance stops, reloads or scales down. */
function gone(timeline: Timeline, instance: Instance, usual: number): Process[] {
  if (instance.stopped) return [];
  return instance.processes.filter((process) => {
    if (
      process.role !== 'worker' ||
      process.worker === null ||
      !process.ended ||
      process.successor ||
      process.cause === 'cheaper' ||
      process.cause === 'master-gone'
    )
      return false;
    if (process.asked && process.asked.by !== 'itself') return false;
    if (process.end === 'lost' || interrupted(instance, process) || scaled(timeline) || !goesOn(instance, process)) return false;
    const known = process.endedAt.latest;
    return known !== null && timeline.to !== null && (timeline.to - known) / 1000 > usual * 3 + MARGIN;
  });
}

/** A reload or stop of the instance came after it: what follows is that one's doing. */
function interrupted(instance: Instance, process: Process): boolean {
  const last = process.ended ?? process.asked?.event;
  return !last || instance.reloads.some((reload) => precedes(last, reload.ended ?? reload.began) && reload.kind !== 'chain');
}

function scaled(timeline: Timeline): boolean {
  return timeline.events.some(({meaning}) => meaning.kind === 'scaling' || meaning.kind === 'slot-emptied');
}

/** Places of one instance that nobody has taken again. */
interface Scene {
  readonly instance: Instance;
  /** Who had them last. */
  readonly lost: readonly Process[];
  /** Of these, who has no end in the log. */
  readonly still: readonly Process[];
  /** Of these, who is waited for without a deadline. */
  readonly unlimited: readonly Process[];
  /** A worker of another place that was replaced. */
  readonly back: Process | null;
  /** Seconds that the last of them has been missing at least. */
  readonly silent: number;
}

function describe(timeline: Timeline, instance: Instance, lost: readonly Process[]): Finding | null {
  const scene = sceneOf(timeline, instance, lost);
  const {still, unlimited, back} = scene;
  const lines = evidence(proofs(scene));
  if (!lines) return null;
  const pids = lost.map(({pid}) => pid).filter((pid) => pid !== UNKNOWN_PID);
  const {fixes, upgrades} =
    still.length > 0
      ? exitHangRemedies(timeline, instance, still, 'the place is filled again within about 1 s', back !== null)
      : {fixes: [], upgrades: []};
  return {
    title: lost.length === 1 ? rule.title : `${count(lost.length, 'worker')} left their places, and nothing took them`,
    message: messageOf(scene),
    confidence: still.length > 0 ? 'likely' : 'certain',
    instance: instance.id,
    reload: null,
    ...concerning(lost),
    evidence: lines,
    against: still.length === 0 ? [] : againstFor(scene),
    cannotSee: ['what the worker waits for: uWSGI prints nothing while Python shuts down'],
    fixes: fixes.filter(
      ({since, setting: name}) => mayHave(instance, since) && !(unlimited.length > 0 && name === 'worker-reload-mercy'),
    ),
    next: [
      pids.length > 0
        ? `ps -o pid,ppid,stat,etime,wchan:30 -p ${pids.join(',')}   # is it still there?`
        : 'ps -eo pid,ppid,stat,etime,cmd --forest   # is it still there? The log does not tell its pid',
      `py-spy dump --pid ${lost[0]?.pid || `<pid of worker ${lost[0]?.worker}>`}   # if it is: shows what it waits for`,
      'restart the instance to get the places back',
      ...upgrades,
    ],
    identity: [instanceName(instance), still.length > 0 ? 'never ended' : 'not replaced'],
  };
}

function sceneOf({to}: Timeline, instance: Instance, lost: readonly Process[]): Scene {
  const still = lost.filter(({ended}) => !ended);
  const end = to ?? 0;
  return {
    instance,
    lost,
    still,
    unlimited: still.filter((process) => !hasDeadline(process)),
    back: instance.processes.find((process) => process.role === 'worker' && process.successor && replacedAlone(process)) ?? null,
    silent: least(lost.map(({endedAt, asked}) => (end - (endedAt.latest ?? asked?.at.latest ?? end)) / 1000)),
  };
}

function proofs({lost, back}: Scene): Evidence[] {
  const left = lost.slice(0, 5).flatMap((process) => {
    if (process.ended) return [proof(process.ended, `${nameOf(process)} ended here, and no process follows`)];
    return process.asked ? [proof(process.asked.event, `${nameOf(process)} is to leave; no line shows that it did`)] : [];
  });
  return [...left, ...(back?.successor ? [proof(back.successor, `worker ${back.worker} of the same instance came back`)] : [])];
}

function messageOf({instance, lost, still, unlimited, silent}: Scene): string {
  const places = Math.max(lost.length, greatest(numbers(instance.processes.filter(({role}) => role === 'worker'))));
  return sentences(
    `${capital(workersNamed(lost))} of ${places} ${lost.length === 1 ? 'has' : 'have'} no process since, for at least ` +
      `${seconds(silent)} until the end of this log; other workers came back. That is proved.`,
    still.length > 0 &&
      `${still.length === 1 ? 'It was' : 'They were'} to be recycled by ${list(unique(still.map(reasonOf)))} and never ended.`,
    unlimited.length > 0 && 'This kind of recycling has no deadline: the master waits for ever and does not kill.',
    still.length > 0 &&
      'What keeps such a worker is inferred: most often a thread of the application that blocks its exit; a request ' +
        'that is still running is the other possibility.',
  );
}

function againstFor({instance, back, silent}: Scene): Alternative[] {
  const {count: seen, longest} = requestsOf(instance);
  const compared =
    seen > 0
      ? `it would have to run for longer than any in this log (${seconds(longest)}); it would`
      : 'this log has no request lines that would speak against it; where they are on, it would';
  return [
    {hypothesis: 'a request that is still running', because: `${compared} get its line when it ends`, line: null},
    {
      hypothesis: 'the log ends within the usual delay',
      because: `it goes on for at least ${seconds(silent)}, and others came back much sooner`,
      line: back?.successor?.line ?? null,
    },
    ...otherBlockers().slice(0, 1),
  ];
}
