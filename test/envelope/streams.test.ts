import {describe, expect, test} from 'vitest';
import type {Process, Timeline} from '../../src/timeline/timeline.ts';
import {timedLines, timelineOf} from './plain-run.ts';

/** By name: what tells writer `n` (1, 2) from the other, around one of its lines. */
const writers: Readonly<Record<string, (text: string, time: number, n: number) => string>> = {
  'compose containers': (text, _, n) => `web-${n}  | ${text}`,
  'hosts of a syslog': (text, time, n) => `${new Date(time).toISOString()} vm${n} uwsgi[205]: ${text}`,
  'programs of a syslog': (text, time, n) => `${new Date(time).toISOString()} vm uwsgi-app${n}[205]: ${text}`,
  'pods of kubectl': (text, _, n) => `[pod/web-6d4c-${n}/uwsgi] ${text}`,
  'dynos of Heroku': (text, time, n) => `${new Date(time).toISOString()} app[web.${n}]: ${text}`,
  'units of the journal in JSON': (text, time, n) =>
    JSON.stringify({__REALTIME_TIMESTAMP: `${time}000`, _SYSTEMD_UNIT: `app${n}.service`, MESSAGE: text}),
  'pods of a collector': (text, time, n) =>
    JSON.stringify({log: text, time: new Date(time).toISOString(), kubernetes: {pod_name: `web-${n}`}}),
  'children of supervisord': (text, time, n) =>
    `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')},000 DEBG 'app-${n}' stdout output:\n${text}`,
};

const served = (processes: readonly Process[]) =>
  processes.map(({pid, role, worker, end, requests}) => ({pid, role, worker, end, requests}));
const uwsgi = ({instances}: Timeline) => instances.filter(({supervisor}) => supervisor === 'uwsgi');

describe.each(Object.entries(writers))('%s', (_, wrap) => {
  test('two runs with the same process ids, line by line in turn, are two servers', async () => {
    const lines = await timedLines('max-requests-orphans-tasks');
    const plain = uwsgi(await timelineOf(`${lines.map(({text}) => text).join('\n')}\n`))[0];
    const mixed = await timelineOf(
      `${lines.flatMap(({text, time}) => [1, 2].map((n) => wrap(text === '' ? ' ' : text, time, n))).join('\n')}\n`,
    );
    const found = uwsgi(mixed);
    expect(found.map(({processes}) => served(processes))).toEqual([served(plain!.processes), served(plain!.processes)]);
    for (const {processes} of found)
      for (const {segments} of processes) {
        expect(new Set(segments.map(({stream}) => stream)).size).toBeLessThanOrEqual(1);
      }
  });
});

test('a process of one boot does not serve what its namesake of the next boot does', async () => {
  const request = (n: number) =>
    `Nov 20 23:21:0${n} vm uwsgi[7]: [pid: 7|app: 0|req: ${n}/${n}] 127.0.0.1 () {28 vars in 312 bytes} [Fri Nov 20 23:21:0${n} 2026] GET / => generated 3 bytes in 4 msecs (HTTP/1.1 200) 2 headers in 59 bytes (1 switches on core 1)`;
  const spawned = 'Nov 20 23:21:00 vm uwsgi[7]: spawned uWSGI worker 1 (pid: 7, cores: 1)';
  const {instances} = await timelineOf(
    [
      `-- Boot ${'a'.repeat(32)} --`,
      spawned,
      request(1),
      request(2),
      `-- Boot ${'b'.repeat(32)} --`,
      request(3),
      spawned,
      request(4),
    ].join('\n'),
  );
  expect(instances.map(({processes}) => processes.map(({pid, requests}) => [pid, requests]))).toEqual([[[7, 2]], [[7, 2]]]);
});
