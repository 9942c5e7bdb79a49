import {describe, expect, test} from 'vitest';
import {eventLines} from '../../src/report/event-line.ts';
import type {Timeline} from '../../src/timeline/timeline.ts';
import {essence, type TimedLine, timedLines, timelineOf, timelineOfInputs} from '../envelope/plain-run.ts';

const samples = ['idle-workers-held-by-thread-prefork', 'chain-reload-slow', 'max-requests-orphans-tasks'];

type Wrap = (text: string, time: number) => string;
const iso = (time: number) => new Date(time).toISOString();
const wraps: Readonly<Record<string, Wrap>> = {
  plain: (text) => text,
  journal: (text, time) => `${iso(time).slice(0, 19)}+0000 vm uwsgi[205]: ${text}`,
  rsyslog: (text, time) => `${iso(time).replace('Z', '123+00:00')} vm uwsgi[205]: ${text}`,
  json: (text, time) =>
    JSON.stringify({__REALTIME_TIMESTAMP: `${time}000`, _HOSTNAME: 'vm', _SYSTEMD_UNIT: 'uwsgi.service', MESSAGE: text}),
  docker: (text, time) => JSON.stringify({log: `${text}\n`, stream: 'stderr', time: iso(time)}),
};
const inside = (lines: readonly TimedLine[], wrap: string) =>
  lines.map(({text, time}) => wraps[wrap]!(text === '' ? ' ' : text, time));
const inTurn = (a: readonly string[], b: readonly string[]) => a.flatMap((line, n) => [line, b[n] ?? '']);
const isDoubled = ({inputs}: Timeline) => inputs.some(({oddities}) => oddities.some(({what}) => what.startsWith('doubled')));

describe.each(samples)('%s, written by two sinks', async (sample) => {
  const lines = await timedLines(sample);
  const once = await timelineOf(`${inside(lines, 'journal').join('\n')}\n`);
  const alone = (timeline: Timeline) => essence({...timeline, events: []});

  test.each([
    ['one after the other', 'journal', 'json', (a: string[], b: string[]) => [...a, ...b]],
    ['in turn', 'json', 'docker', inTurn],
    ['the first half of it', 'journal', 'docker', (a: string[], b: string[]) => [...a, ...b.slice(0, b.length / 2)]],
    ['the second half of it', 'journal', 'docker', (a: string[], b: string[]) => [...b.slice(b.length / 2), ...a]],
    ['without times, behind the one with times', 'docker', 'plain', (a: string[], b: string[]) => [...a, ...b]],
    ['without times, before the one with times', 'docker', 'plain', (a: string[], b: string[]) => [...b, ...a]],
    ['the same way twice', 'journal', 'journal', (a: string[], b: string[]) => [...a, ...b]],
  ])('counts once: %s', async (_, a, b, mix) => {
    const timeline = await timelineOf(`${mix(inside(lines, a), inside(lines, b)).join('\n')}\n`);
    expect(isDoubled(timeline)).toBe(true);
    expect(alone(timeline)).toEqual(alone(once));
    expect(timeline.events.length).toBe(once.events.length);
  });

  test.each([
    ['at once', (_: number, n: number) => n],
    ['every second', (time: number) => Math.floor(time / 1000)],
  ])('counts once what two sinks write into one file in one form, %s', async (_, burstOf) => {
    for (const wrap of ['journal', 'plain']) {
      const single = inside(lines, wrap);
      const bursts = new Map<number, string[]>();
      for (const [n, line] of single.entries()) {
        const burst = burstOf(lines[n]?.time ?? 0, n);
        bursts.set(burst, [...(bursts.get(burst) ?? []), line]);
      }
      const twice = [...bursts.values()].flatMap((burst) => [...burst, ...burst]);
      const timeline = await timelineOf(`${twice.join('\n')}\n`);
      const plain = await timelineOf(`${single.join('\n')}\n`);
      expect(isDoubled(timeline)).toBe(true);
      expect(alone(timeline)).toEqual(alone(plain));
      expect(timeline.events.length).toBe(plain.events.length);
      expect(isDoubled(plain)).toBe(false);
    }
  });

  test('two servers that are alike, in step and without names, are not one that is doubled', async () => {
    const other = inside(lines, 'plain').map((line) => line.replace(/interpreter 0x\w+/, 'interpreter 0x55e0a1b2c3d0'));
    const timeline = await timelineOf(inTurn(inside(lines, 'plain'), other).join('\n'));
    expect(isDoubled(timeline)).toBe(false);
  });

  test('counts once as two files', async () => {
    const timeline = await timelineOfInputs([
      {name: 'journal.txt', log: inside(lines, 'journal').join('\n')},
      {name: 'docker.json', log: inside(lines, 'docker').join('\n')},
    ]);
    expect(isDoubled(timeline)).toBe(true);
    expect(alone(timeline)).toEqual(alone(once));
  });

  test('counts once as two files with clocks that are hours apart', async () => {
    const there = lines.map(({text, time}) => ({text, time: time + 2 * 3_600_000}));
    const second = inside(there, 'journal').map((line) => line.replace('+0000', ''));
    const timeline = await timelineOfInputs([
      {name: 'journal.txt', log: inside(lines, 'journal').slice(0, -3).join('\n')},
      {name: 'local.txt', log: second.join('\n')},
    ]);
    expect(isDoubled(timeline)).toBe(true);
    expect(timeline.inputs.flatMap(({oddities}) => oddities).filter(({what}) => what.includes('compared'))).toEqual([]);
    expect(timeline.events.length).toBe(once.events.length);
    expect(timeline.events.map(({at}) => at.earliest)).toEqual(once.events.map(({at}) => at.earliest));
  });

  test('is printed all the same', async () => {
    const log = [...inside(lines, 'journal'), ...inside(lines, 'docker')].join('\n');
    const printed = [...eventLines(await timelineOf(log))].map((line) => JSON.parse(line));
    expect(printed.length).toBe(2 * once.events.length);
    expect(printed.filter(({doubled}) => doubled).length).toBe(once.events.length);
  });

  test('is two servers where the two have other process ids, and where they ran at other times', async () => {
    const pids = new Set(once.events.flatMap(({pid}) => pid ?? []));
    const renamed = (text: string) => [...pids].reduce((all, pid) => all.replaceAll(`${pid}`, `${pid + 20_000}`), text);
    const others = lines.map(({text, time}) => ({text: renamed(text), time}));
    const later = lines.map(({text, time}) => ({text, time: time + 3_600_000 + 7000}));
    // The application's own stamps stay as they are.
    const hasOwnTimes = sample === 'max-requests-orphans-tasks';
    for (const second of hasOwnTimes ? [others] : [others, later]) {
      const timeline = await timelineOf(`${[...inside(lines, 'journal'), ...inside(second, 'docker')].join('\n')}\n`);
      expect(isDoubled(timeline)).toBe(false);
      expect(timeline.events.length).toBe(2 * once.events.length);
    }
  });
});

describe('what comes again is not always a copy', () => {
  test('a line a second while a chain waits', async () => {
    const waiting = [1, 2, 3, 4, 5, 6].flatMap((n) => {
      const text = 'chain is still waiting for worker 1...';
      return [wraps['journal']!(text, n * 1000), wraps['docker']!(text, (n + 20) * 1000)];
    });
    expect(isDoubled(await timelineOf(waiting.join('\n')))).toBe(false);
  });

  test('two containers that do the same at the same time', async () => {
    const lines = await timedLines('healthy-reload');
    const timeline = await timelineOf(lines.flatMap(({text}) => [1, 2].map((n) => `web-${n}  | ${text}`)).join('\n'));
    expect(isDoubled(timeline)).toBe(false);
    expect(timeline.instances.length).toBe(2);
  });
});

describe('several files', async () => {
  const lines = await timedLines('chain-reload-slow');
  const whole = await timelineOf(inside(lines, 'plain').join('\n'));
  const isRequest = ({text}: TimedLine) => text.startsWith('[pid:');
  const texts = (some: readonly TimedLine[]) => some.map(({text}) => text).join('\n');

  test('requests in a file of their own count for the processes of the other', async () => {
    for (const order of [0, 1]) {
      const files = [
        {name: 'uwsgi.log', log: texts(lines.filter((line) => !isRequest(line)))},
        {name: 'requests.log', log: texts(lines.filter(isRequest))},
      ];
      const timeline = await timelineOfInputs(order === 0 ? files : files.toReversed());
      const served = ({instances}: Timeline) =>
        instances.flatMap(({processes}) => processes.map(({pid, requests}) => [pid, requests]));
      expect(served(timeline).toSorted()).toEqual(served(whole).toSorted());
    }
  });

  test('a supervisor outside and the server inside are in the order of time, whichever is named first', async () => {
    const at = (time: number) => new Date(time).toISOString().slice(0, 23).replace('T', ' ').replace('.', ',');
    const stop = (lines.at(-1)?.time ?? 0) + 5000;
    const outer = {
      name: 'supervisord.log',
      log: [
        `${at((lines[0]?.time ?? 0) - 9000)} INFO spawned: 'app' with pid 13042`,
        `${at(stop)} INFO stopped: app (exit status 0)`,
      ].join('\n'),
    };
    const inner = {name: 'uwsgi.log', log: texts(lines)};
    for (const inputs of [
      [outer, inner],
      [inner, outer],
    ]) {
      const {events} = await timelineOfInputs(inputs);
      const messages = events.map(({message}) => message);
      expect(messages[0]).toBe('supervisord/spawned');
      expect(messages.at(-1)).toBe('supervisord/stopped');
      expect(events.map(({place}) => place)).toEqual(events.map(({place}) => place).toSorted((a, b) => a - b));
    }
  });

  test('a line without a time that answers a request to stop stands behind the request', async () => {
    const inner = {name: 'uwsgi.log', log: `${texts(lines)}\nSIGINT/SIGTERM received...killing workers...\ngoodbye to uWSGI.\n`};
    const at = (time: number) => new Date(time).toISOString().slice(0, 23).replace('T', ' ').replace('.', ',');
    const end = lines.at(-1)?.time ?? 0;
    const outer = {
      name: 'supervisord.log',
      log: `${at(end + 60_000)} INFO waiting for app to stop\n${at(end + 62_000)} INFO stopped: app (exit status 0)\n`,
    };
    for (const inputs of [
      [outer, inner],
      [inner, outer],
    ]) {
      const messages = (await timelineOfInputs(inputs)).events.map(({message}) => message);
      const asked = messages.indexOf('supervisord/waiting-to-stop');
      expect(messages.indexOf('uwsgi/stop-signal')).toBeGreaterThan(asked);
      expect(asked).toBeGreaterThan(0);
    }
  });

  test('equal process ids in two files are two servers', async () => {
    const timeline = await timelineOfInputs([
      {name: 'web1.log', log: texts(lines)},
      {name: 'web2.log', log: texts(lines.map(({text, time}) => ({text: text.replaceAll(' 08:', ' 09:'), time})))},
    ]);
    expect(timeline.instances.map(({processes}) => processes.map(({pid, requests}) => [pid, requests]))).toEqual(
      [0, 1].flatMap(() => whole.instances.map(({processes}) => processes.map(({pid, requests}) => [pid, requests]))),
    );
  });

  test('one log cut into two files is one server', async () => {
    const timeline = await timelineOfInputs([
      {name: 'before.txt', log: texts(lines.slice(0, 60))},
      {name: 'after.txt', log: texts(lines.slice(60))},
    ]);
    expect(timeline.instances.length).toBe(whole.instances.length);
    expect(timeline.reloads.length).toBe(whole.reloads.length);
  });

  test('an empty file changes nothing in the others', async () => {
    const {inputs} = await timelineOfInputs([
      {name: 'empty.log', log: ''},
      {name: 'a.log', log: texts(lines)},
    ]);
    expect(inputs.flatMap(({oddities}) => oddities)).toEqual([]);
  });

  test('a file without any time stands apart, and that is said', async () => {
    const {inputs, events} = await timelineOfInputs([
      {name: 'a.log', log: texts(lines)},
      {name: 'b.log', log: 'spawned uWSGI worker 1 (pid: 7, cores: 1)\nworker 1 buried after 1 seconds\n'},
    ]);
    expect(inputs.map(({oddities}) => oddities.map(({what}) => what))).toEqual([
      [],
      [expect.stringContaining('no line of it tells a time')],
    ]);
    expect(events.slice(-2).map(({input}) => input)).toEqual([1, 1]);
  });

  test('a file with another clock is merged where both tell of the start of one process', async () => {
    const zone = 5.5 * 3_600_000;
    const at = (time: number) => new Date(time + zone).toISOString().replace('Z', '+05:30').replace('T', ' ');
    const starts = (lines[0]?.time ?? 0) - 2000;
    const outer = [`${at(starts)} supervisord[1]: INFO spawned: 'app' with pid 13042`];
    const early = `${at(starts - 60_000)} supervisord[1]: INFO supervisord started with pid 1`;
    const pid = whole.instances[0]?.masterPid;
    const {events, inputs} = await timelineOfInputs([
      {name: 'uwsgi.log', log: texts(lines)},
      {name: 'supervisord.log', log: [early, ...outer].join('\n').replaceAll('13042', `${pid}`)},
    ]);
    expect(inputs.flatMap(({oddities}) => oddities)).toEqual([]);
    expect(events.findIndex(({message}) => message === 'supervisord/spawned')).toBeLessThan(
      events.findIndex(({message}) => message === 'uwsgi/master-spawned'),
    );
  });

  test('a file whose clock is hours off is put right where both tell of the start of one process', async () => {
    const zone = 5.5 * 3_600_000;
    const at = (time: number) => new Date(time - zone).toISOString();
    const pid = whole.instances[0]?.masterPid;
    const starts = (lines[0]?.time ?? 0) - 2000;
    const {events, inputs} = await timelineOfInputs([
      {name: 'uwsgi.log', log: texts(lines)},
      {name: 'supervisord.log', log: `${at(starts)} supervisord[1]: INFO spawned: 'app' with pid ${pid}`},
    ]);
    expect(inputs.map(({oddities}) => oddities.map(({what}) => what))).toEqual([
      [],
      ['its clock was -5.5 h off that of the other inputs: put right'],
    ]);
    expect(events.find(({message}) => message === 'supervisord/spawned')?.at.earliest).toBe(starts);
  });

  test('a file with another clock stands apart unless its zone is told', async () => {
    const files = [
      {name: 'a.log', log: texts(lines)},
      {
        name: 'b.log',
        log: inside(lines, 'journal')
          .slice(0, 5)
          .join('\n')
          .replaceAll('uwsgi[205]: ', "supervisord[1]: INFO spawned: 'x' with pid 5 # "),
      },
    ];
    const {inputs} = await timelineOfInputs(files);
    expect(inputs.flatMap(({oddities}) => oddities.map(({what}) => what)).filter((what) => what.includes('--tz'))).toHaveLength(
      1,
    );
  });
});

describe('the two logs of one nginx', () => {
  const files = [
    {
      name: 'error.log',
      log: '2026/11/20 11:00:07 [error] 7#7: *9 upstream prematurely closed connection while reading response header from upstream, client: 10.0.0.1, server: s, request: "GET /slow HTTP/1.1", upstream: "uwsgi://unix:/run/s.sock:", host: "s"\n',
    },
    {name: 'access.log', log: '10.0.0.1 - - [20/Nov/2026:11:00:07 +0200] "GET /slow HTTP/1.1" 502 157 "-" "-"\n'},
    {
      name: 'uwsgi.log',
      log: 'Fri Nov 20 11:00:06 2026 - spawned uWSGI worker 1 (pid: 5, cores: 1)\nFri Nov 20 11:00:08 2026 - spawned uWSGI worker 2 (pid: 6, cores: 1)\n',
    },
  ];

  test.each([[[0, 1, 2]], [[1, 0, 2]], [[2, 1, 0]], [[1, 2, 0]]])(
    'tell the zone of each other, and of what else tells none: %j',
    async (order) => {
      const {inputs, events} = await timelineOfInputs(order.map((n) => files[n]!));
      expect(inputs.flatMap(({oddities}) => oddities.map(({what}) => what)).filter((what) => what.includes('--tz'))).toEqual([]);
      const at = new Map(events.map((event) => [event.text.slice(0, 24), event.at.earliest]));
      const told = [...at].filter(([text]) => text.startsWith('[error]') || text.startsWith('10.0.0.1')).map(([, time]) => time);
      expect(new Set(told).size).toBe(1);
      const spawned = events
        .filter(({message}) => message === 'uwsgi/worker-spawned')
        .map(({at: {earliest}}) => earliest as number);
      expect(spawned.map((time) => time - (told[0] as number))).toEqual([-1000, 1000]);
    },
  );
});

test('a log that tells no year is of the year of those that are given with it, also across a new year', async () => {
  const journal = (day: string) => `${day} vm systemd[1]: Started shop.service - Shop.\n`;
  const full = '[2026-01-01 00:00:05 +0000] [508] [INFO] Starting gunicorn 23.0.0\n';
  const begins = async (...texts: string[]) =>
    (await timelineOfInputs(texts.map((log, n) => ({name: `${n}.log`, log})))).inputs.map(({from}) =>
      new Date(from ?? 0).toISOString(),
    );
  for (const [day, is] of [
    ['Jan 01 00:00:04', '2026-01-01T00:00:04.000Z'],
    ['Dec 31 23:59:58', '2025-12-31T23:59:58.000Z'],
  ] as const) {
    expect(await begins(journal(day), full)).toEqual([is, '2026-01-01T00:00:05.000Z']);
    expect(await begins(full, journal(day))).toEqual(['2026-01-01T00:00:05.000Z', is]);
  }
});

describe('a log that tells times of day and no date', () => {
  const rq = (time: string, n = 1) => `${time} default: shop.mail() (46526c77-fb54-4779-8110-a111f7d958b${n})\n`;
  const instants = ({events}: Timeline) => events.map(({at}) => at.earliest);
  const dateless = ({inputs}: Timeline) => inputs.map(({isDateless}) => isDateless);

  test('has durations, also over midnight, and from the newest line to the oldest', async () => {
    const timeline = await timelineOf(rq('23:59:58') + rq('00:00:03', 2) + rq('00:00:02', 3));
    const [first = 0, second = 0, third = 0] = instants(timeline) as number[];
    expect([second - first, third - first]).toEqual([5000, 4000]);
    expect(dateless(timeline)).toEqual([true]);
    const turned = await timelineOf(rq('00:00:07') + rq('00:00:03', 2) + rq('23:59:58', 3));
    const [last = 0, , early = 0] = instants(turned) as number[];
    expect(Math.abs(last - early)).toBe(9000);
  });

  test('has none where dates come after all, or a request line tells one, or another log is read with it', async () => {
    const dated = '[2026-01-01 00:00:05 +0000] [508] [INFO] Starting gunicorn 23.0.0\n';
    const later = await timelineOf(rq('23:59:58') + rq('00:00:03', 2) + dated);
    expect(later.events.at(-1)?.at.earliest).toBe(Date.UTC(2026, 0, 1, 0, 0, 5));
    expect(later.from).toBe(later.to);
    const before = await timelineOf(dated + rq('23:59:58'));
    expect(before.from).toBe(before.to);
    const request =
      '[pid: 12|app: 0|req: 1/1] 127.0.0.1 () {28 vars in 300 bytes} [Fri Nov 20 23:29:16 2026] GET / => generated 2 bytes in 1 ' +
      'msecs (HTTP/1.1 200) 1 headers in 44 bytes (1 switches on core 0)\n';
    const served = await timelineOf(rq('23:59:58') + request);
    expect(served.to).toBeGreaterThan(Date.UTC(2026, 0, 1));
    expect(served.from).toBeGreaterThan(Date.UTC(2026, 0, 1));
    const two = await timelineOfInputs([
      {name: 'a.log', log: rq('23:59:58')},
      {name: 'b.log', log: dated},
    ]);
    expect(two.from).toBe(Date.UTC(2026, 0, 1, 0, 0, 5));
  });

  test('has none where what looks like a time of day goes now forth, now back: it is no clock', async () => {
    const durations = ['00:00:05', '00:12:00', '00:00:01', '01:00:00', '00:03:00', '00:20:00', '00:00:09'];
    const timeline = await timelineOf(durations.map((time, n) => rq(time, n)).join(''));
    expect(timeline.from).toBeNull();
  });
});
