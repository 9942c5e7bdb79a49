/** Server processes of uvicorn whose parent says no more than that they died: told by the rule worker-crashed. */
import type {Instance, Process} from '../timeline/timeline.ts';
import {processNames} from './deaths.ts';
import type {Finding} from './rule.ts';
import {count, evidence, instanceName, proof, sentences, unique} from './wording.ts';

export function describeDeadChildren(instance: Instance, died: readonly Process[]): Finding | null {
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
      "parent's health check within 5 s (a call that blocks the event loop) and was killed for it. Its requests were cut.",
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
        because: 'nothing speaks against it; code that blocks the event loop for 5 s does it',
        line: null,
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
        why: 'It leaves the cause: find what blocks the event loop and move it to a thread (run_in_threadpool, asyncio.to_thread).',
      },
    ],
    next: [
      "dmesg -T | grep -i 'killed process\\|out of memory\\|segfault'   # on the host, not in the container",
      'set PYTHONFAULTHANDLER=1: a crash in native code then writes a stack',
    ],
    identity: [instanceName(instance), 'child died'],
  };
}
