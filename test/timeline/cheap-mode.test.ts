import {expect, test} from 'vitest';
import {timelineOf} from '../envelope/plain-run.ts';

const said = (second: number, text: string) => `Wed Mar  4 10:01:${String(second).padStart(2, '0')} 2026 - ${text}`;

/** What becomes of a worker that is sent away because nobody comes, where the master is without workers so many seconds later. */
async function endWithin(seconds: number) {
  const {instances} = await timelineOf(
    [
      '*** Starting uWSGI 2.0.21 (64bit) on [Wed Mar  4 10:00:00 2026] ***',
      'spawned uWSGI master process (pid: 100)',
      'spawned uWSGI worker 1 (pid: 201, cores: 1)',
      said(0, 'workers have been inactive for more than 20 seconds (1772618445-1772618425)'),
      said(seconds, 'cheap mode enabled: waiting for socket connection...'),
      '',
    ].join('\n'),
  );
  const worker = instances[0]?.processes.find(({role}) => role === 'worker');
  return {end: worker?.end, cause: worker?.cause};
}

test('an idle worker left by itself before its master would have killed it', async () =>
  expect(await endWithin(2)).toEqual({end: 'clean', cause: 'cheaper'}));

test('of one that took longer no line tells whether it was killed', async () =>
  expect(await endWithin(3)).toEqual({end: 'lost', cause: 'cheaper'}));
