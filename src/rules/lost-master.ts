/** A master that is gone without having said goodbye, as its workers found out: told by the rule killed-from-outside. */
import type {LogEvent} from '../timeline/event.ts';
import type {Instance, Process} from '../timeline/timeline.ts';
import type {Finding} from './rule.ts';
import {count, evidence, instanceName, nameOf, proof} from './wording.ts';

export interface LostMaster {
  readonly master: Process;
  /** Workers that noticed, each with the line in which it says so. */
  readonly orphans: readonly {readonly process: Process; readonly told: LogEvent}[];
}

/** Null where a stop had begun: whoever asked for it may have run out of patience. */
export function lostMaster({processes, reloads}: Instance): LostMaster | null {
  if (reloads.some(({kind}) => kind === 'stop')) return null;
  const master = processes.find(({role, end}) => role === 'master' && end === 'lost');
  const orphans = processes.flatMap((process) => {
    const told = process.remarks.find(({meaning}) => meaning.kind === 'master-lost');
    return told ? [{process, told}] : [];
  });
  return master && orphans.length > 0 ? {master, orphans} : null;
}

export function describeLostMaster(instance: Instance, {master, orphans}: LostMaster): Finding | null {
  const word = instance.supervisor === 'gunicorn' ? 'arbiter' : 'master';
  const lines = evidence([
    ...(master.started ? [proof(master.started, `the ${word} (pid ${master.pid}) starts`)] : []),
    ...orphans.slice(0, 4).map(({process, told}) => proof(told, `${nameOf(process)} finds its ${word} gone and leaves`)),
  ]);
  if (!lines) return null;
  return {
    title: `The ${word} ended without a word, and its workers found it gone`,
    message:
      `${count(orphans.length, 'worker')} of the ${word} with pid ${master.pid} noticed that it was gone and left. The ${word} had not ` +
      'begun a stop. That is proved. That it was killed with signal 9 is inferred: on any other signal it stops in order and says so. ' +
      'Until the last worker has noticed, the workers hold the address, and a new start fails.',
    confidence: 'likely',
    instance: instance.id,
    reload: null,
    pids: [master.pid],
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: 'the memory limit of the container or the machine',
        because: 'it fits as well; the kernel logs each such kill, and that log decides',
        line: null,
      },
      {
        hypothesis: 'an outer supervisor whose time limit was over (supervisord, systemd, the platform)',
        because: 'it would have asked for a stop first, and no stop was begun; its own log decides',
        line: null,
      },
    ],
    cannotSee: ['who sent the signal', `when exactly the ${word} ended: its workers notice only some time after`],
    fixes: [],
    next: [
      "dmesg -T | grep -i 'killed process\\|out of memory'   # on the host, not in the container",
      'look at the log of whoever starts this server at that time',
    ],
    identity: [instanceName(instance), 'lost master'],
  };
}
