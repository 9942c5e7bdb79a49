import {describe, expect, test} from 'vitest';
import {type AnalyzeOptions, analyze, type Diagnosis} from '../../src/analyze.ts';
import {eventLines} from '../../src/report/event-line.ts';
import {reportOf} from '../../src/report/json.ts';
import {verdict} from '../../src/report/verdict.ts';
import {type Bound, boundOf, placed} from '../../src/timeline/window.ts';
import {temporaryDirectory} from '../source/collecting-sink.ts';

const {write} = temporaryDirectory();
const at = (text: string) => Date.parse(`${text}Z`);
const bound = (text: string) => boundOf(text) as Bound;

describe('bounds', () => {
  test.each([
    ['2026-11-20', {is: 'moment', at: at('2026-11-20T00:00:00'), utc: false}],
    ['2026-11-20 23:30', {is: 'moment', at: at('2026-11-20T23:30:00'), utc: false}],
    ['2026-11-20T23:30:05.250', {is: 'moment', at: at('2026-11-20T23:30:05.250'), utc: false}],
    ['2026-11-20T23:30:05Z', {is: 'moment', at: at('2026-11-20T23:30:05'), utc: true}],
    ['2026-11-20 23:30 +0200', {is: 'moment', at: at('2026-11-20T21:30:00'), utc: true}],
    ['23:30', {is: 'time-of-day', inDay: 84_600_000}],
    ['23:30:05', {is: 'time-of-day', inDay: 84_605_000}],
    ['10min', {is: 'before-end', by: 600_000}],
    ['-2h', {is: 'before-end', by: 7_200_000}],
    ['1.5 hours ago', {is: 'before-end', by: 5_400_000}],
    ['90s', {is: 'before-end', by: 90_000}],
  ])('%s', (text, expected) => expect(boundOf(text)).toEqual(expected));

  test.each([
    '',
    'yesterday',
    '2026-02-30',
    '2026-13-45',
    '2026-11-20 23:61',
    '24:00',
    '2026-11-20T23',
    '10',
    '10 parsecs',
    '2026-11-20 25:00',
  ])('not "%s"', (text) => expect(boundOf(text)).toBeNull());

  const clock = (ahead = 0) => ({
    fromUtc: (utc: number) => utc + ahead,
    fromStamp: (stamp: number) => stamp,
    stampAt: (at: number) => at,
  });

  test('a time of day is the last one before the end of the log', () => {
    const end = at('2026-11-20T00:10:00');
    expect(placed(bound('00:05'), end, clock())).toBe(at('2026-11-20T00:05:00'));
    expect(placed(bound('23:30'), end, clock())).toBe(at('2026-11-19T23:30:00'));
    expect(placed(bound('00:10'), end, clock())).toBe(end);
    expect(placed(bound('10min'), end, clock())).toBe(at('2026-11-20T00:00:00'));
    expect(placed(bound('10min'), null, clock())).toBeNull();
    expect(placed(bound('2026-11-20T00:00Z'), end, clock(3_600_000))).toBe(at('2026-11-20T01:00:00'));
  });
});

/** One worker each time: killed for want of mercy in the first reload, gone by itself in the second. */
const line = (time: string, text: string) => `Fri Nov 20 ${time} 2026 - ${text}`;
const LOG = [
  line('10:00:00', '*** Starting uWSGI 2.0.21 (64bit) on [Fri Nov 20 10:00:00 2026] ***'),
  line('10:00:00', 'your mercy for graceful operations on workers is 60 seconds'),
  line('10:00:00', 'spawned uWSGI master process (pid: 10)'),
  line('10:00:00', 'spawned uWSGI worker 1 (pid: 11, cores: 1)'),
  line('11:00:00', '...gracefully killing workers...'),
  line('11:00:00', 'Gracefully killing worker 1 (pid: 11)...'),
  line('11:01:00', 'worker 1 (pid: 11) is taking too much time to die...NO MERCY !!!'),
  line('11:01:01', 'worker 1 buried after 1 seconds'),
  line('11:01:01', 'binary reloading uWSGI...'),
  line('11:01:01', '*** Starting uWSGI 2.0.21 (64bit) on [Fri Nov 20 11:01:01 2026] ***'),
  line('11:01:02', 'gracefully (RE)spawned uWSGI master process (pid: 10)'),
  line('11:01:02', 'spawned uWSGI worker 1 (pid: 21, cores: 1)'),
  line('12:00:00', '...gracefully killing workers...'),
  line('12:00:00', 'Gracefully killing worker 1 (pid: 21)...'),
  line('12:00:01', 'worker 1 buried after 1 seconds'),
  line('12:00:01', 'binary reloading uWSGI...'),
  line('12:00:01', '*** Starting uWSGI 2.0.21 (64bit) on [Fri Nov 20 12:00:01 2026] ***'),
  line('12:00:02', 'gracefully (RE)spawned uWSGI master process (pid: 10)'),
  line('12:00:02', 'spawned uWSGI worker 1 (pid: 31, cores: 1)'),
  '',
];

const file = write('two-reloads.log', LOG.join('\n'));
const diagnose = (options: Partial<AnalyzeOptions>) => analyze({inputs: [file], ...options});
const kinds = ({timeline}: Diagnosis) => timeline.reloads.map(({workers, outcome}) => `${outcome} ${workers[0]?.end ?? '-'}`);
const pids = ({timeline}: Diagnosis) =>
  timeline.instances.flatMap(({processes}) => processes.filter(({role}) => role === 'worker').map(({pid}) => pid));
const linesOf = ({timeline}: Diagnosis) => [...eventLines(timeline)].map((text) => (JSON.parse(text) as {line: number}).line);

test('without bounds both reloads are told', async () => {
  const whole = await diagnose({});
  expect(kinds(whole)).toEqual(['completed forced', 'completed clean']);
  expect(whole.findings.length).toBeGreaterThan(0);
});

test('bounds around everything change nothing', async () => {
  const {findings, rules, timeline} = await diagnose({since: bound('2026-11-20 09:00'), until: bound('2026-11-20 13:00')});
  const whole = await diagnose({});
  expect({findings, rules}).toEqual({findings: whole.findings, rules: whole.rules});
  expect({...timeline, window: null}).toEqual({...whole.timeline, window: null});
});

test('what was over before --since is left out, and what it taught is kept', async () => {
  const later = await diagnose({since: bound('11:30')});
  expect(kinds(later)).toEqual(['completed clean']);
  expect(pids(later)).toEqual([21, 31]);
  expect(later.findings.filter(({severity}) => severity !== 'info')).toEqual([]);
  expect(later.rules.filter(({result}) => result === 'fired').map(({id}) => id)).toEqual(later.findings.map(({rule}) => rule));
  expect(later.timeline.instances[0]?.settings.find(({name}) => name === 'worker-reload-mercy')?.value).toBe(60);
  expect(later.timeline.instances[0]?.version).toBe('2.0.21');
  expect(linesOf(later)).toEqual([13, 14, 15, 16, 17, 18, 19]);
  expect(verdict(later)).toContain('only the time that --since asks for was judged');
});

test('a reload that goes on at --since is told whole', async () => {
  const cut = await diagnose({since: bound('2026-11-20 11:00:30')});
  expect(kinds(cut)).toEqual(['completed forced', 'completed clean']);
  expect(cut.findings.map(({rule}) => rule)).toEqual((await diagnose({})).findings.map(({rule}) => rule));
});

test('a time of day as the end is the first one after the beginning', async () => {
  const ends = async (since: string, until: string) =>
    (await diagnose({since: bound(since), until: bound(until)})).timeline.window;
  expect(await ends('11:30', '12:30')).toEqual({since: at('2026-11-20T11:30:00'), until: at('2026-11-20T12:30:00')});
  expect(await ends('23:00', '01:00')).toEqual({since: at('2026-11-19T23:00:00'), until: at('2026-11-20T01:00:00')});
  expect(await ends('11:30', '11:00')).toEqual({since: at('2026-11-20T11:30:00'), until: at('2026-11-21T11:00:00')});
});

test('an end before the beginning is refused', async () => {
  await expect(diagnose({since: bound('2026-11-20 12:00'), until: bound('2026-11-20 11:00')})).rejects.toThrow(
    'since (2026-11-20 12:00:00) lies after until (2026-11-20 11:00:00)',
  );
});

test('--until reads the log as if it ended there', async () => {
  const cut = write('cut-reloads.log', `${LOG.slice(0, 6).join('\n')}\n`);
  const [until, physically] = [await diagnose({until: bound('11:00:30')}), await analyze({inputs: [cut]})];
  expect(kinds(until)).toEqual(kinds(physically));
  expect(reportOf(until).instances).toEqual(
    JSON.parse(JSON.stringify(reportOf(physically).instances).replaceAll('cut-', 'two-')),
  );
  expect(linesOf(until)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(reportOf(until).inputs[0]?.to).toBe('2026-11-20T11:00:30');
});

test('what cannot be placed is never left out', async () => {
  const bare = write('bare.log', LOG.map((text) => text.replace(/^.* - /, '')).join('\n'));
  const whole = await analyze({inputs: [bare]});
  const timeless = LOG.map((text) => text.replace(/^.* - /, '').replace(/ on \[.*?\]/, '')).join('\n');
  expect(linesOf(await analyze({inputs: [bare], since: bound('2026-11-20 11:30')}))).toEqual(
    linesOf(whole).filter((number) => number >= 11),
  );
  const inputs = [write('timeless.log', timeless)];
  const bounded = await analyze({inputs, since: bound('23:00'), until: bound('1h')});
  expect(bounded.timeline.from).toBeNull();
  expect(linesOf(bounded)).toEqual(linesOf(await analyze({inputs})));
});

test('requests are counted for whoever served them, with fewer events before them', async () => {
  const request = (pid: number, clock: string) =>
    `[pid: ${pid}|app: 0|req: 1/1] 127.0.0.1 () {30 vars in 400 bytes} [Fri Nov 20 ${clock} 2026] GET / => generated 10 bytes in 5 msecs (HTTP/1.1 200) 2 headers in 79 bytes (1 switches on core 0)`;
  const served = [...LOG.slice(0, 4), request(11, '10:30:00'), ...LOG.slice(4, 12), request(21, '11:30:00'), ...LOG.slice(12)];
  const input = write('served.log', served.join('\n'));
  const requests = ({timeline}: Diagnosis) =>
    timeline.instances.flatMap(({processes}) => processes.filter(({role}) => role === 'worker').map((p) => [p.pid, p.requests]));
  expect(requests(await analyze({inputs: [input], until: bound('11:40')}))).toEqual([
    [11, 1],
    [21, 1],
  ]);
  expect(requests(await analyze({inputs: [input], until: bound('11:10')}))).toEqual([
    [11, 1],
    [21, 0],
  ]);
});
