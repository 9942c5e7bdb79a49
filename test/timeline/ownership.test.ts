import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import type {Timeline} from '../../src/timeline/timeline.ts';
import {timelineOf} from '../envelope/plain-run.ts';

/** uWSGI 2.0.21-debian, `emperor` over six vassals of three workers; v3 is touched, then all are stopped. */
const log = readFileSync('test/timeline/recorded/six-vassals.log', 'utf8').split('\n');
const until = (line: number) => log.slice(0, line).join('\n');

/** What `ps -eo pid,ppid` said while they ran, and for the workers after the reload the only master that reloaded. */
const children: Readonly<Record<number, readonly number[]>> = {
  10917: [10935, 10936, 10937],
  10918: [10923, 10924, 10925],
  10919: [10938, 10939, 10940],
  10920: [10932, 10933, 10934],
  10921: [10926, 10929, 10930, 10984, 10985, 10986],
  10922: [10927, 10928, 10931],
};

const workersOf = ({instances}: Timeline) =>
  Object.fromEntries(
    instances.map(({masterPid, processes}) => [
      masterPid,
      processes
        .filter(({role}) => role === 'worker')
        .map(({pid}) => pid)
        .sort(),
    ]),
  );

test('six vassals that start at once have their own workers', async () => {
  const timeline = await timelineOf(log.join('\n'));
  expect(workersOf(timeline)).toEqual(children);
  expect(timeline.instances.flatMap(({unproved}) => unproved)).toEqual([]);
  const reloads = timeline.reloads.filter(({kind}) => kind === 'graceful');
  expect(reloads.map(({workers}) => workers.map(({oldPid, newPid}) => [oldPid, newPid]))).toEqual([
    [
      [10926, 10984],
      [10929, 10985],
      [10930, 10986],
    ],
  ]);
});

test('before any line tells, the workers of two of them are said to be unproved, and no others', async () => {
  const {instances} = await timelineOf(until(275));
  const unproved = instances.flatMap((instance) => instance.unproved);
  expect(unproved.sort()).toEqual([10926, 10927, 10928, 10929, 10930, 10931]);
  expect(workersOf(await timelineOf(until(275)))).toMatchObject({10917: children[10917], 10919: children[10919]});
});
