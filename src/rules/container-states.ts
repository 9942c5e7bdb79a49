/** What docker inspect says of the state in which a container ended: told by the rule platform-errors. */
import type {LogEvent} from '../timeline/event.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {SAY_STOP, WAIT_LONGER} from './container-fixes.ts';
import {KILLED_INSIDE, TERMINATED_INSIDE} from './exit-status.ts';
import {type Finding, NO_PROCESS, NO_SETTING} from './rule.ts';
import {evidence, proof, sentences} from './wording.ts';

/** A document has its exit code a few lines below, and the name of the container further down. */
const NEAR = 6;
const FAR = 60;

interface State {
  readonly memory: LogEvent;
  readonly exit: LogEvent;
  readonly isStarved: boolean;
  readonly code: number;
  /** In a sentence. */
  readonly container: string;
}

export function* containerStates(timeline: Timeline): Iterable<Finding | null> {
  for (const state of statesIn(timeline)) {
    if (state.isStarved) yield starved(state);
    else if (state.code === KILLED_INSIDE) yield killed(state);
    else if (state.code !== 0 && state.code !== TERMINATED_INSIDE) yield failed(state);
  }
}

function statesIn({events}: Timeline): State[] {
  return events.flatMap((memory, index): State[] => {
    if (memory.message !== 'container/inspected-memory') return [];
    const after = events.slice(index + 1, index + 1 + FAR);
    const below = (message: string, lines: number) =>
      after.find((event) => event.message === message && event.input === memory.input && event.line - memory.line <= lines);
    const exit = below('container/inspected-exit', NEAR);
    const name = below('container/inspected-name', FAR)?.fields['program'];
    return exit === undefined
      ? []
      : [
          {
            memory,
            exit,
            isStarved: memory.meaning.kind === 'out-of-memory',
            code: Number(exit.fields['status']),
            container: name === undefined ? 'the container' : `the container ${name}`,
          },
        ];
  });
}

const CANNOT_SEE = ['which process grew, and what was running: that is cut without a line'];

function finding(
  {memory, exit, code}: State,
  what: Omit<Finding, 'evidence' | 'instance' | keyof typeof NO_PROCESS>,
): Finding | null {
  const lines = evidence([proof(memory, 'whether memory ran out in it'), proof(exit, `it ended with exit code ${code}`)]);
  return lines && {...what, instance: null, ...NO_PROCESS, evidence: lines};
}

function starved(state: State): Finding | null {
  return finding(state, {
    title: 'A container ran out of memory (OOMKilled)',
    severity: 'error',
    message: sentences(
      `docker inspect says OOMKilled of ${state.container}: the kernel killed in it because its memory limit, or the memory of the machine, was used up.`,
      `That is proved. ${
        state.code === KILLED_INSIDE
          ? 'Its exit code is 137 (128 + 9): its first process was killed, or passes on such an end.'
          : `Its exit code is ${state.code}: the kill need not have hit its first process, but a worker.`
      }`,
    ),
    confidence: 'certain',
    against: [],
    cannotSee: CANNOT_SEE,
    fixes: [
      {
        ...NO_SETTING,
        effect: 'the limit is not reached at this load',
        safety: 'safe',
        why: 'Run fewer workers, or raise the memory limit of the container (--memory, mem_limit, deploy.resources.limits.memory).',
      },
      {
        ...NO_SETTING,
        effect: 'what grows slowly starts anew in time',
        safety: 'safe',
        why: 'Recycle workers before that (uWSGI reload-on-rss or max-requests, gunicorn max_requests), below the limit divided by their number.',
      },
    ],
    next: ["dmesg -T | grep -i 'killed process'   # on the host: which process, and how large it was"],
    identity: ['docker', 'memory'],
  });
}

function killed(state: State): Finding | null {
  return finding(state, {
    title: 'A container was ended by signal 9, and docker does not give its memory limit as the reason',
    severity: 'error',
    message: sentences(
      `The exit code of ${state.container} is 137 (128 + 9): SIGKILL ended its first process, or that process passes on such an end of another one. docker inspect does not say OOMKilled.`,
      'Most often it had been told to stop (docker stop, docker compose down, restart or up) and was still there when its time was over: 10 s unless it is set.',
    ),
    confidence: 'possible',
    against: [
      {hypothesis: 'a person or a script (docker kill, kill -9)', because: 'it gives the same code', line: null},
      {
        hypothesis: 'the memory of the machine ran out, not that of the container',
        because: 'docker may not see such a kill; the log of the kernel decides',
        line: null,
      },
    ],
    cannotSee: ['who sent the signal'],
    fixes: [SAY_STOP, WAIT_LONGER],
    next: [
      'docker logs -t --tail 50 CONTAINER   # had the server taken note of a stop, and what did it wait for?',
      "dmesg -T | grep -i 'killed process'   # on the host: kills for want of memory",
    ],
    identity: ['docker', 'signal 9'],
  });
}

const FIRST_SIGNAL = 128;

function failed(state: State): Finding | null {
  const {code, container} = state;
  return finding(state, {
    title: `A container left with exit code ${code}`,
    message: sentences(
      `The exit code of ${container} is ${code}${code > FIRST_SIGNAL ? ` (128 + ${code - FIRST_SIGNAL}): a signal ended its first process, or that process passes on such an end` : ': its first process left by itself with an error'}.`,
      'That is proved. Why, its own log tells: nothing of it is here.',
    ),
    confidence: 'certain',
    against: [],
    cannotSee: ['why it left'],
    fixes: [],
    next: ['docker logs -t --tail 100 CONTAINER   # its last lines'],
    identity: ['docker', 'exit code'],
  });
}
