import {describe, expect, test} from 'vitest';
import {timelineOf} from '../envelope/plain-run.ts';

const banner = (clock: string) => `*** Starting uWSGI 2.0.21 (64bit) on [Wed Mar  4 ${clock} 2026] ***`;
const at = (clock: string) => Date.parse(`2026-03-04T${clock}Z`);

/** When the master can have begun, after starts of which only a banner is in the log. */
async function startOfMaster(banners: readonly string[]) {
  const lines = [
    ...banners.map(banner),
    'spawned uWSGI master process (pid: 100)',
    'spawned uWSGI worker 1 (pid: 101, cores: 1)',
    'Wed Mar  4 18:00:30 2026 - *** uWSGI listen queue of socket "127.0.0.1:8000" (fd: 3) full !!! (101/100) ***',
  ];
  const {instances} = await timelineOf(`${lines.join('\n')}\n`);
  return instances.at(-1)?.processes.find(({role}) => role === 'master')?.startedAt.earliest;
}

describe('a master began with a banner', () => {
  test('its own', async () => expect(await startOfMaster(['18:00:00'])).toBe(at('18:00:00')));
  test('or with another that no master was seen to follow', async () =>
    expect(await startOfMaster(['17:59:00', '18:00:00'])).toBe(at('17:59:00')));
  test.each([
    ['17:00:00', '17:00:00'],
    ['16:59:59', '18:00:00'],
  ])('that of an hour before, and of no more: %s', async (other, first) =>
    expect(await startOfMaster([other, '18:00:00'])).toBe(at(first)),
  );
  test('but not with one of hours before', async () =>
    expect(await startOfMaster(['06:00:00', '09:00:00', '18:00:00'])).toBe(at('18:00:00')));
});
