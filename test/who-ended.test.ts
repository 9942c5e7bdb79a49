import {expect, test} from 'vitest';
import {type Ender, endedBy} from '../src/timeline/ended-by.ts';
import type {Process} from '../src/timeline/timeline.ts';
import {diagnosed, logsOf, recordings, type TrueProcess, type Truth, truthOf} from './recordings.ts';

// "Who ended this process?" has an answer for every ended process of every sample, and it is what the kernel saw.
const folders = recordings();

/** Of these a process dies as it is; the servers handle the others, and die of SIGHUP where only their master does. */
const DEADLY = new Set(['SIGKILL', 'SIGABRT', 'SIGHUP']);

/** Who ended it, as the kernel saw it; a signal that asks is no end of anybody's making. */
function trueEnder({pid, signal, killedBy}: TrueProcess, {forcedPids}: Truth): Ender {
  // gunicorn's worker leaves with a code where the arbiter's SIGABRT reaches its interpreter.
  if (forcedPids.includes(pid)) return 'supervisor';
  if (signal === null || killedBy === null || !DEADLY.has(signal)) return 'itself';
  if (killedBy === 'outside') return 'nobody-shown';
  if (killedBy === 'kernel') return 'kernel';
  return killedBy === 'master' ? 'supervisor' : 'outer-supervisor';
}

/** What no line tells: whom a kill of the group hit along with the master, and what became of workers without a master. */
const UNTOLD: Readonly<Record<string, readonly number[]>> = {
  'samples/supervisord/uwsgi-killed-as-a-group': [25849, 25850],
  'samples/supervisord/gunicorn-killed-too-early': [26711],
  'samples/supervisord/gunicorn-killed-from-outside': [16375, 16376],
  'samples/uwsgi/reload-onto-broken-code-need-app': [4158],
  // gunicorn 20.0 says nothing of a worker that a signal ended.
  'samples/gunicorn/killed-in-silence': [10259, 10310],
};

test('every ended process of every sample has an answer, and it is true', async () => {
  const wrong: string[] = [];
  let answers = 0;
  for (const folder of folders) {
    const truth = truthOf(folder);
    const {timeline} = await diagnosed(logsOf(folder));
    const processes = timeline.instances.flatMap((instance) => instance.processes);
    const logEnd = timeline.to ?? 0;
    for (const true_ of truth.processes) {
      const {pid, endedAt, role} = true_;
      const found = processes.find((process) => process.pid === pid && process.role !== 'program');
      if (found === undefined) continue;
      const answer = endedBy(found);
      const say = (is: string) => wrong.push(`${folder}: ${role} ${pid} is called ${answer}, and ${is}`);
      if (endedAt === null) {
        // A log may break off before it could tell whether somebody left behind goes on.
        if (answer !== null && answer !== 'nobody-shown') say('lives');
      } else if (answer === null) {
        if (Date.parse(endedAt) < logEnd - 1000 && UNTOLD[folder]?.includes(pid) !== true) say(`ended at ${endedAt}`);
      } else {
        answers++;
        // No line tells what became of one that only said that it was leaving.
        const isUntold = UNTOLD[folder]?.includes(pid) === true || (found.end === 'lost' && found.leaving !== null);
        // uWSGI may name one that has just left, once or, in 2.0.30, every few seconds: that tells whether it was killed or gone.
        const isNamed = truth.namedAfterTheirEnd?.includes(pid) === true && answer === 'supervisor';
        const expected = trueEnder(true_, truth);
        if (answer !== expected && !(isUntold && answer === 'nobody-shown') && !isNamed) say(`was ended by ${expected}`);
      }
    }
  }
  expect(wrong).toEqual([]);
  expect(answers).toBeGreaterThan(300);
});

test('whoever killed it, the deadline is named and a line owns up to it', async () => {
  const silent: string[] = [];
  for (const folder of folders) {
    const {timeline} = await diagnosed(logsOf(folder));
    const owned = ({end}: Process) => end === 'forced';
    for (const process of timeline.instances.flatMap((instance) => instance.processes).filter(owned)) {
      const {pid, killedBy, ownedBy, forced} = process;
      // A kill that is inferred from the silence has no line.
      const isOwned = (ownedBy === null) === (forced?.inferred === true);
      if (killedBy === null || !isOwned || (forced === null && killedBy !== 'kernel')) silent.push(`${folder}: ${pid}`);
    }
  }
  expect(silent).toEqual([]);
});

test('harakiri is told from the end of mercy', async () => {
  for (const folder of folders.filter((name) => name.startsWith('samples/uwsgi/'))) {
    const truth = truthOf(folder);
    const {timeline} = await diagnosed(logsOf(folder));
    const processes = timeline.instances.flatMap((instance) => instance.processes);
    for (const {pid, role, forced} of processes) {
      if (truth.harakiriPids.includes(pid)) expect(forced?.deadline, `${folder}: ${pid}`).not.toBe('mercy');
      else if (role === 'worker') expect(forced?.deadline, `${folder}: ${pid}`).not.toBe('harakiri');
    }
  }
});
