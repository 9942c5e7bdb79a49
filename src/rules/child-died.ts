/** Server processes of uvicorn whose parent says no more than that they died: told by the rule worker-crashed. */
import type {Instance, Process} from '../timeline/timeline.ts';
import {processNames} from './deaths.ts';
import type {Finding} from './rule.ts';
import {count, evidence, instanceName, proof, sentences, unique} from './wording.ts';

export function describeDeadChildren(instance: Instance, died: readonly Process[]): Finding | null {
  // Where the log shows the parent's start, it has what its children said as well.
  const isWhole = instance.epochs.some(({master}) => master !== null);
  const unstarted = isWhole ? died.filter(({started}) => started === null) : [];
  const lines = evidence(
    died
      .slice(0, 6)
      .flatMap((process) => [
        ...(process.started ? [proof(process.started, `pid ${process.pid} starts`)] : []),
        ...(process.ended ? [proof(process.ended, `its parent finds pid ${process.pid} dead`)] : []),
      ]),
  );
  if (!lines) return null;
  return {
    title: died.length === 1 ? 'A server process died' : `${count(died.length, 'server process', 'server processes')} died`,
    message: sentences(
      `The parent found ${processNames(died)} dead; nobody had asked ${died.length === 1 ? 'it' : 'them'} to leave. That is proved.`,
      'The line is the same for a crash, for a kill from outside or for want of memory, and for a process that did not answer the',
      "parent's health check within 5 s (a call that blocks the event loop, or a start that takes so long) and was killed for it.",
      unstarted.length === died.length
        ? `${died.length === 1 ? 'It' : 'None of them'} had said "Started server process": ${died.length === 1 ? 'it' : 'they'} had not begun to serve.`
        : unstarted.length > 0 || died.some(({started}) => started !== null)
          ? 'The requests of those that served were cut.'
          : `Whether ${died.length === 1 ? 'it' : 'they'} had begun to serve, this log does not tell.`,
    ),
    confidence: 'possible',
    instance: instance.id,
    reload: null,
    pids: unique(died.map(({pid}) => pid)),
    workers: [],
    evidence: lines,
    against: [
      {
        hypothesis: "the parent's health check",
        because:
          unstarted.length > 0
            ? 'nothing speaks against it; imports that take longer than 5 s do it, before the process can answer'
            : 'nothing speaks against it; code that blocks the event loop for 5 s does it',
        line: unstarted[0]?.ended?.line ?? null,
      },
      {
        hypothesis: 'the memory limit of the container or the machine',
        because: 'the kernel logs each such kill, and that log decides',
        line: null,
      },
      {
        hypothesis: 'a crash in native code',
        because: 'faulthandler (PYTHONFAULTHANDLER=1) would have written a stack',
        line: null,
      },
    ],
    cannotSee: ['with which signal or exit code it ended: uvicorn does not write it'],
    fixes: [
      {
        setting: '--timeout-worker-healthcheck',
        section: null,
        value: null,
        since: '0.37',
        safety: 'safe',
        effect: 'if it was the health check: a process may be silent for longer',
        why:
          unstarted.length > 0
            ? 'A start that takes longer than 5 s needs it. Load less while importing, and the rest in the lifespan of the application.'
            : 'It leaves the cause: find what blocks the event loop and move it to a thread (run_in_threadpool, asyncio.to_thread).',
      },
    ],
    next: [
      "dmesg -T | grep -i 'killed process\\|out of memory\\|segfault'   # on the host, not in the container",
      'set PYTHONFAULTHANDLER=1: a crash in native code then writes a stack',
    ],
    identity: [instanceName(instance), 'child died'],
  };
}
