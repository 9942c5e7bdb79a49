import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {mercyOf, mercyText, waitText} from './mercy.ts';
import {killedWhileRecycling, reasonOf, recycled} from './recycling.ts';
import {EXIT_HANG_REFERENCES, exitHangRemedies, otherBlockers} from './remedies.ts';
import type {Finding, Rule} from './rule.ts';
import {coresOf} from './settings.ts';
import {lostSlots, neverLeft} from './worker-never-came-back.ts';
import {count, duration, evidence, instanceName, list, nameOf, numbers, proof, span, unique} from './wording.ts';

const rule: Rule = {
  id: 'recycle-blocked',
  title: 'Workers that were being recycled could not leave',
  severity: 'error',
  docs: {
    sees: 'Workers that said their work was done (max-requests, a lifetime, a memory limit) and then had to be killed when the master\'s patience ran out, or never ended.',
    why: 'A worker is recycled to be replaced by a fresh one. Between "the work of process N is done" and its replacement it serves nobody. If something blocks its exit (a thread or pool of the application, an exit handler), ' +
      'that takes the whole mercy, 60 s by default, each time; and what still ran in it is lost when it is killed.',
    remedy: 'Let the exit succeed: stop or daemonise the thread, or see the options below. Where the worker was busy with tasks in the background, move them out of the workers; a shorter mercy would lose more of them.',
    limits: 'The log does not show what the worker waited for. Without a line in which the worker itself says that it is done, recycling is concluded from the others.',
    references: ['https://uwsgi-docs.readthedocs.io/en/latest/Options.html#max-requests', ...EXIT_HANG_REFERENCES, 'unbit/uwsgi#1221'],
  },
  needs: {
    messages: ['uwsgi/work-done', 'uwsgi/lifetime-reached', 'uwsgi/no-mercy'],
    otherwise: 'no worker was recycled in this log (max-requests, max-worker-lifetime, reload-on-rss)',
  },
  *check(timeline) {
    for (const instance of timeline.instances) {
      const killed = killedWhileRecycling(timeline, instance);
      const stuck = lostSlots(timeline, instance).length > 0 ? [] : neverLeft(instance);
      if (killed.length + stuck.length === 0) continue;
      const finding = describe(timeline, instance, killed, stuck);
      if (finding) yield finding;
    }
  },
};

export default rule;

function describe(timeline: Timeline, instance: Instance, killed: readonly {process: Process; proved: boolean}[], stuck: readonly Process[]): Finding | null {
  const processes = [...killed.map(({process}) => process), ...stuck];
  const proved = killed.some((each) => each.proved) || stuck.length > 0;
  const clean = recycled(instance).find(({end}) => end === 'clean');
  const own = recycled(instance)[0];
  const orphans = timeline.tasks.orphaned.filter((task) => processes.some(({pid}) => pid === task.pid)).length;
  const mercy = mercyOf(instance);
  const wait = span(killed.map(({process}) => process.forced?.patience ?? null).filter((each) => each !== null));
  const known = wait !== null && (wait.max !== null || wait.min > 0);
  const lines = evidence([
    ...(proved || !own?.asked ? [] : [proof(own.asked.event, `another worker (pid ${own.pid}) says that its work is done`)]),
    ...processes.slice(0, 4).flatMap((process) => [
      ...(process.asked?.by === 'itself' ? [proof(process.asked.event, `${nameOf(process)} says that it leaves`)] : []),
      ...(process.forced ? [proof(process.forced.event, `${nameOf(process)} was killed at the deadline`)] : []),
      ...(process.successor && process.forced ? [proof(process.successor, `only now it is replaced, by pid ${process.successorPid}`)] : []),
    ]),
    ...(clean?.ended ? [proof(clean.ended, `${nameOf(clean)} was recycled and left by itself`)] : []),
  ]);
  if (!lines) return null;
  const gain = `wait ${waitText(instance, wait)} -> about 1 s for each recycling`;
  const single = processes.every((process) => (coresOf(process, instance) ?? 1) === 1);
  const remedies = exitHangRemedies(timeline, instance, processes, gain, clean !== undefined);
  return {
    title: rule.title,
    message: [
      killed.length > 0 ? `${count(killed.length, 'worker')} ${killed.length === 1 ? 'was' : 'were'} to be replaced, did not leave, and ${killed.length === 1 ? 'was' : 'were'} killed when the mercy (${mercyText(mercy)}) ran out${known && wait ? `, after ${duration(wait)}` : ''}.` : '',
      stuck.length > 0 ? `${count(stuck.length, 'worker')} said that ${stuck.length === 1 ? 'it leaves' : 'they leave'} and never ended.` : '',
      'In between, such a worker serves nobody.',
      proved ? `The recycling is in the log: ${list(unique(processes.filter(({asked}) => asked?.by === 'itself').map(reasonOf)))}.`
        : `That they were being recycled is inferred: ${own ? 'another worker says that its work is done' : 'no reload is under way'}, and no reload is under way in this log.`,
      orphans > 0 ? `${count(orphans, 'background task')} had begun in them and never ended. It is inferred that their exit waited for these: Python waits for the threads of a pool.`
        : 'What blocked their exit is inferred: most often it is a thread, timer or pool of the application.' +
          (single && proved ? ' It was not a request: a worker says that it is done when its request has ended.' : ''),
    ].filter((sentence) => sentence !== '').join(' '),
    confidence: 'likely',
    instance: instance.id,
    reload: null,
    pids: unique(processes.map(({pid}) => pid)),
    workers: numbers(processes),
    evidence: lines,
    against: [
      ...(proved ? [{hypothesis: 'a reload', because: 'the worker itself said that its work was done, and no reload had begun', line: own?.asked?.event.line ?? null}]
        : [{hypothesis: 'a reload whose beginning is not in this log', because: 'no line of one is left, and a worker says that its work is done', line: own?.asked?.event.line ?? null}]),
      ...(single ? [] : [{hypothesis: 'a request in another thread of the same worker', because: 'a worker with threads may still have had one; a request that is killed has no line', line: null}]),
      ...otherBlockers(),
    ],
    cannotSee: ['whether a worker left by itself in the very second in which the master lost patience: NO MERCY names it all the same', 'what the worker waited for: uWSGI prints nothing while Python shuts down', 'tasks that were waiting in it and had logged nothing'],
    fixes: [
      ...(orphans > 0 ? [{
        setting: null, section: null, value: null, since: null, safety: 'needs-code' as const, effect: 'nothing is lost when a worker is replaced',
        why: 'Give long work to a queue outside the workers (a task queue, uWSGI\'s spooler or a mule).',
      }] : []),
      ...remedies.fixes,
    ],
    next: remedies.next,
    identity: [instanceName(instance), 'recycling'],
  };
}
