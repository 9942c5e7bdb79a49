import {precedes} from '../timeline/lookup.ts';
import {type Instance, type Process, type Timeline, UNKNOWN_PID} from '../timeline/timeline.ts';
import {REACH_SERVER, WAIT_LONGER} from './container-fixes.ts';
import {outerOf, patienceOf} from './outer.ts';
import type {Evidence, Finding} from './rule.ts';
import {evidence, instanceName, list, proof, sentences, unique} from './wording.ts';

/**
 * Containers that docker compose says have left with 137 (128 and SIGKILL). Docker gives that code after a stop whose time was over,
 * after a kill for want of memory, and after `docker kill`; compose does not say which it was.
 */
export function containersKilled(timeline: Timeline, instance: Instance, killed: readonly Process[]): Finding | null {
  const asked = stopBefore(timeline, killed);
  const names = unique(killed.map(({program}) => program ?? 'a container'));
  const several = names.length > 1;
  const kernel = timeline.events.find(({meaning, message}) => meaning.kind === 'out-of-memory' && message.startsWith('kernel/'));
  const servers = timeline.instances.filter((server) => killed.some((life) => outerOf(timeline, server)?.life === life));
  const unaware = servers.filter(({reloads}) => reloads.every(({kind}) => kind !== 'stop'));
  const lines = evidence([
    ...(asked ? [proof(asked, 'compose began to stop its containers')] : []),
    ...killed.slice(0, 6).flatMap((life): Evidence[] => (life.ended ? [proof(life.ended, `${life.program} left with 137`)] : [])),
  ]);
  if (!lines) return null;
  const them = several ? 'containers' : 'container';
  const {name: patience} = patienceOf('container', null);
  return {
    title: asked
      ? `The ${them} ${list(names, 4)} had not stopped in time and ${several ? 'were' : 'was'} killed`
      : `The ${them} ${list(names, 4)} ${several ? 'were' : 'was'} killed by signal 9, and this log does not tell by whom`,
    message: sentences(
      `137 is 128 + 9: SIGKILL ended the first process of the container, or that process passes on such an end of another one.`,
      asked
        ? 'Compose had begun to stop its containers before: it sends SIGTERM, waits (10 s unless it is told otherwise), and kills.'
        : 'Docker gives this code after a stop whose time was over, after a kill for want of memory, and after docker kill; no line here tells which it was.',
      asked !== null &&
        unaware.length > 0 &&
        'The server inside has no line of a stop: SIGTERM may not have reached it, as where a shell is the first process and passes nothing on.',
    ),
    confidence: asked ? 'likely' : 'possible',
    instance: instance.id,
    reload: null,
    pids: unique(killed.map(({pid}) => pid)).filter((pid) => pid !== UNKNOWN_PID),
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: 'the memory limit of the container or the machine',
        because: kernel
          ? "the kernel killed for want of memory in this log; whether in this container, its pids do not tell, for they are the host's"
          : 'it gives the same code; docker inspect (OOMKilled) and the log of the kernel decide',
        line: kernel?.line ?? null,
      },
      ...(asked
        ? []
        : [
            {
              hypothesis: `the end of ${patience}`,
              because:
                'docker stop, docker compose down, restart and up (of a changed service) end so, and the output of up has no line of it',
              line: null,
            },
          ]),
      {hypothesis: 'a person or a script (docker kill, kill -9)', because: 'it gives the same code', line: null},
    ],
    cannotSee: ['who sent the signal', 'how long the stop was waited for', 'what was running: it has no line'],
    fixes: !asked ? [] : unaware.length > 0 ? [REACH_SERVER, WAIT_LONGER] : [WAIT_LONGER, REACH_SERVER],
    next: [
      "docker inspect -f '{{.State.OOMKilled}} {{.State.FinishedAt}}' CONTAINER   # true: the memory limit of the container",
      "dmesg -T | grep -i 'killed process'   # on the host: kills for want of memory",
      'docker events --since 1h --filter event=kill --filter event=oom   # a kill with signal=15 and later 9 is a stop whose time was over',
    ],
    identity: [instanceName(instance), 'exit 137'],
  };
}

const STOPPING: ReadonlySet<string> = new Set(
  ['stopping-all', 'stopping-by-compose', 'stopped-by-compose'].map((name) => `container/${name}`),
);

/** The line by which compose began to stop them, or all, before any of them was gone. */
function stopBefore({events}: Timeline, killed: readonly Process[]) {
  const [first] = killed;
  const ended = first?.ended ?? null;
  if (ended === null) return null;
  return events.findLast((event) => STOPPING.has(event.message) && event.input === ended.input && precedes(event, ended)) ?? null;
}
