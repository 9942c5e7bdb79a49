import {greatest} from '../extremes.ts';
import type {LineRef, LogEvent} from '../timeline/event.ts';
import type {Forced, Instance, Process} from '../timeline/timeline.ts';
import {type Alternative, type Evidence, type Finding, type Fix, NO_SETTING, type Rule} from './rule.ts';
import {uwsgiOf} from './settings.ts';
import {troubleText, type UpstreamTrouble, upstreamTrouble} from './upstream-troubles.ts';
import {concerning, count, evidence, instanceName, list, nameOf, numbers, proof, sentences, unique} from './wording.ts';

const rule: Rule = {
  id: 'kill-without-effect',
  title: 'A worker was killed again and again, and nothing tells of its end',
  severity: 'error',
  docs: {
    sees: 'NO MERCY for the same worker and the same pid more than once.',
    why:
      'A worker that is killed with SIGKILL is gone at once, and its master notices within a second. Where the master kills it again ' +
      'after another mercy, either the process cannot die (it waits in the kernel for a disk or a network file system), or it is gone ' +
      'and the master does not know: versions 2.0.27 to 2.0.30 do that at a graceful stop.',
    remedy:
      'Look at the state of the process: gone means the known fault of those versions; D means a device or an NFS server that does ' +
      'not answer.',
    limits: 'The kernel log tells of a process that hangs for two minutes ("blocked for more than 120 seconds").',
    references: ['unbit/uwsgi#2722'],
  },
  needs: {
    messages: ['uwsgi/no-mercy'],
    otherwise: 'no worker was killed at its deadline in this log',
  },
  *check(timeline) {
    for (const instance of uwsgiOf(timeline)) {
      const again = killedAgain(instance);
      const named = instance.processes.filter((process) => process.forced === null && namings(process).length > 0);
      if (again.length > 0) yield describe(instance, again);
      if (named.length > 0) yield describeNamed(instance, named);
    }
  },
};

export default rule;

interface Again {
  readonly process: Process;
  readonly forced: Forced;
}

function killedAgain({processes}: Instance): Again[] {
  return processes.flatMap((process): Again[] => {
    const {forced} = process;
    return forced !== null && forced.deadline === 'mercy' && forced.tries > 1 ? [{process, forced}] : [];
  });
}

function namings({remarks, role}: Process): LogEvent[] {
  return role === 'worker' ? remarks.filter(({message}) => message === 'uwsgi/no-mercy') : [];
}

/** They had left by themselves: this master looks at a deadline only when it has waited for all of its workers. */
function describeNamed(instance: Instance, named: readonly Process[]): Finding | null {
  const lines = evidence(
    named.slice(0, 4).flatMap((process) =>
      namings(process)
        .slice(0, 2)
        .map((line) => proof(line, `${nameOf(process)} is named`)),
    ),
  );
  if (!lines) return null;
  const trouble = upstreamTrouble(instance, 'kill-repeats', lines[0].at);
  const times = greatest(named.map((process) => namings(process).length));
  const [helper] = instance.processes.filter(({role, forced}) => role !== 'worker' && forced !== null);
  return {
    title: 'NO MERCY names workers that had left already',
    severity: 'info',
    message: sentences(
      `${list(named.map(nameOf), 4)} ${named.length === 1 ? 'is' : 'are'} named as taking too much time to die, ${times === 1 ? 'once' : `up to ${times} times`}, and`,
      'had left by themselves before: that is inferred.',
      trouble && `${troubleText(trouble, instance, lines[0].at)}.`,
      helper ? 'What the master really waited for was another of its processes, which it killed as well.' : null,
    ),
    confidence: 'likely',
    instance: instance.id,
    reload: named[0]?.asked?.reload ?? null,
    ...concerning(named),
    evidence: lines,
    against: [
      {
        hypothesis: 'app-threads-block-shutdown',
        because:
          'this version waits for each worker without a deadline at a graceful stop, so it names them only when they are gone',
        line: lines[0].at.line,
        fits: 'less',
      },
    ],
    cannotSee: ['when they left: this version prints no "buried" line at a graceful stop'],
    fixes: [],
    next: ['see which other process of the server (a mule, a daemon) was still there: that one held the stop'],
    identity: [instanceName(instance), 'named when gone'],
  };
}

/** Workers of one server that were killed more than once, and what that can mean. */
interface Scene {
  readonly instance: Instance;
  readonly again: readonly Again[];
  readonly processes: readonly Process[];
  /** All of them: the line of its end says that the master has been told, which it is only when the process is gone. */
  readonly isGone: boolean;
  /** A fault of this version that makes its master kill what is gone. */
  readonly trouble: UpstreamTrouble | null;
  /** The fault is enough to explain it: none of them has a line of its end. */
  readonly isExplained: boolean;
}

function describe(instance: Instance, again: readonly Again[]): Finding | null {
  const processes = again.map(({process}) => process);
  const lines = evidence(again.slice(0, 4).flatMap(killsOf));
  if (!lines) return null;
  const isGone = processes.every(({ended}) => ended !== null);
  const trouble = isGone ? null : upstreamTrouble(instance, 'kill-repeats', again[0]?.forced.event ?? null);
  const isExplained = trouble !== null && processes.every(({ended}) => ended === null);
  const scene: Scene = {instance, again, processes, isGone, trouble, isExplained};
  const pids = unique(processes.map(({pid}) => pid));
  return {
    title: isGone ? 'A worker had to be killed more than once until it was gone' : rule.title,
    message: messageOf(scene, lines[0].at),
    confidence: isGone || isExplained ? 'likely' : 'possible',
    instance: instance.id,
    reload: again.length === 1 ? (processes[0]?.asked?.reload ?? null) : null,
    pids,
    workers: numbers(processes),
    evidence: lines,
    against: [...(isGone ? [] : [waitsInKernel(scene)]), ...(trouble === null ? [isGoneUnnoticed(scene)] : [])],
    cannotSee: [isGone ? 'what it waited for' : 'whether the process is still there'],
    fixes: trouble === null ? FREE_THE_KERNEL : [otherVersion(trouble)],
    next: [
      `${isGone ? 'while it happens: ' : ''}ps -o pid,stat,etime,wchan:30 -p ${pids.join(',')}   # nothing: gone; D: waits in the kernel`,
      ...(trouble ? [] : ['cat /proc/<pid>/stack, as root   # in which system call; grep for the mount in /proc/mounts']),
      'journalctl -k | grep -i "blocked for more than"   # what a process in state D waits for',
    ],
    identity: [instanceName(instance), 'killed again'],
  };
}

function killsOf({process, forced}: Again): Evidence[] {
  const before = process.remarks.filter(({message}) => message === forced.event.message);
  return [
    ...before.slice(0, 3).map((kill) => proof(kill, `${nameOf(process)} is killed`)),
    proof(forced.event, `${nameOf(process)} is killed once more`),
    ...(process.ended ? [proof(process.ended, 'only then it is gone')] : []),
  ];
}

function messageOf({instance, again, processes, isGone, trouble, isExplained}: Scene, first: LineRef): string {
  const tries = greatest(again.map(({forced}) => forced.tries));
  return sentences(
    `${count(again.length, 'worker')} (${list(processes.map(nameOf), 4)}) ${again.length === 1 ? 'was' : 'were'} killed up to ${tries} times`,
    'for the same stop or reload. That is proved. A process cannot withstand SIGKILL.',
    trouble !== null && isExplained
      ? `So it is likely gone since the first, and the master waits for it nevertheless: ${troubleText(trouble, instance, first)}.`
      : isGone
        ? 'So it waited in the kernel until then, most often for a disk or a network file system; that is inferred.'
        : 'So it waits in the kernel, most often for a disk or a network file system, or it is gone and the master does not know.',
  );
}

function waitsInKernel({isExplained}: Scene): Alternative {
  return {
    hypothesis: 'a process that waits in the kernel (state D), for a disk or NFS',
    because: isExplained ? 'the fault of this version is enough to explain it' : 'nothing in the log speaks against it',
    line: null,
    fits: isExplained ? 'less' : 'equally',
  };
}

function isGoneUnnoticed({instance: {version}, processes, isGone}: Scene): Alternative {
  return {
    hypothesis: 'a master that does not know that the process is gone',
    because: isGone
      ? 'it was told of the end at last, and after the last kill only'
      : version === null
        ? 'versions 2.0.27 to 2.0.30 do that at a graceful stop, and the log does not tell the version'
        : `version ${version} is not known for it`,
    line: isGone ? (processes[0]?.ended?.line ?? null) : null,
    fits: 'less',
  };
}

function otherVersion({fixedIn, instead}: UpstreamTrouble): Fix {
  return {
    ...NO_SETTING,
    safety: 'safe',
    effect: 'the master knows which of its workers are gone',
    why: `Run uWSGI ${fixedIn ?? 'of another version'}. Until then: ${instead ?? 'stop with SIGKILL'}.`,
  };
}

const FREE_THE_KERNEL: readonly Fix[] = [
  {
    ...NO_SETTING,
    safety: 'safe',
    tried: true,
    effect: 'whatever waits for it gets an error, and what was killed is gone at once',
    why: 'Take the file system that does not answer away (umount -f, or -l with it), or bring its server back.',
  },
  {
    ...NO_SETTING,
    safety: 'safe',
    effect: 'a call into it fails after that time, in place of never',
    why: 'Give the mount a time limit (NFS: soft with timeo and retrans), where its files are only read; writes can be lost by it.',
  },
];
