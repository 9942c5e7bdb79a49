import {describe, expect, test} from 'vitest';
import {type AnalyzeOptions, analyze, type Diagnosis} from '../../src/analyze.ts';
import {LogFormatError, logFormatOf} from '../../src/formats/log-format.ts';
import {temporaryDirectory} from '../source/collecting-sink.ts';

const {write} = temporaryDirectory();
let files = 0;
const read = (lines: readonly string[], logFormat: string, options: Partial<AnalyzeOptions> = {}): Promise<Diagnosis> =>
  analyze({inputs: [write(`custom-${files++}.log`, `${lines.join('\n')}\n`)], logFormat, ...options});
const segments = ({timeline}: Diagnosis) =>
  timeline.instances.flatMap(({processes}) => processes.flatMap((process) => process.segments));

const START = [
  '*** Starting uWSGI 2.0.21 (64bit) on [Sat Nov 21 12:00:00 2026] ***',
  'spawned uWSGI master process (pid: 5)',
  'spawned uWSGI worker 1 (pid: 7, cores: 1)',
];
const at = (clock: string) => Date.parse(`2026-11-21T${clock}Z`);

// As uWSGI 2.0.21 wrote them, each with its template.
const WRITTEN: readonly (readonly [template: string, line: string, start: number, duration: number])[] = [
  [
    '%(addr) - %(user) [%(ltime)] "%(method) %(uri) %(proto)" %(status) %(size) "%(referer)" "%(uagent)" pid=%(pid) wid=%(wid) %(msecs)ms',
    '127.0.0.1 - - [21/Nov/2026:12:04:50 +0000] "GET /list?sleep=0.05 HTTP/1.1" 200 51 "-" "curl/7.88.1" pid=7 wid=1 51ms',
    at('12:04:50'),
    51,
  ],
  [
    '{"t":%(time),"pid":%(pid),"uri":"%(uri)","status":%(status),"micros":%(micros)}',
    '{"t":1795262690,"pid":7,"uri":"/list?sleep=0.05","status":200,"micros":50422}',
    1_795_262_690_000,
    50.422,
  ],
  ['%(ctime)|%(pid)|%(secs)|%(uri)', 'Sat Nov 21 12:04:50 2026|7|0.250|/a|b c', at('12:04:50'), 250],
  ['%(tmsecs) %(pid) %(var.HTTP_X_ID) %(msecs)', '1795262690123 7 - 4', 1_795_262_690_123, 4],
  ['%(tmicros) [%(pid)] %(metric.a)', '1795262690123456 [7] 12', 1_795_262_690_123.456, 0],
  ['%(epoch) %(pid) %(msecs)', '1795262690 7 1000', 1_795_262_689_000, 1000],
  ['ünïcode %(pid) ☃ %(time) %(uagent)', 'ünïcode 7 ☃ 1795262690 Mözilla', 1_795_262_690_000, 0],
];

test.each(WRITTEN)('%s', async (template, line, start, duration) => {
  const diagnosis = await read([...START, line, line], template);
  expect(diagnosis.timeline.inputs[0]?.counts).toMatchObject({requests: 2, application: 0, unknown: 0});
  expect(segments(diagnosis)).toMatchObject([{pid: 7, count: 2, firstStart: Math.floor(start * 1000) / 1000, longest: duration}]);
  expect(segments(diagnosis)[0]?.first.text).toBe(line);
});

test('Ohm reads the same', async () => {
  const [template = '', line = ''] = WRITTEN[0] ?? [];
  const [compiled, ohm] = await Promise.all([
    read([...START, line], template),
    read([...START, line], template, {engine: 'ohm'}),
  ]);
  expect(segments(ohm)).toEqual(segments(compiled));
});

test('through an envelope, and with errors of the server counted', async () => {
  const lines = ['200', '500', '503'].map((status) => `7 1795262690 ${status}`);
  const wrapped = [...START, ...lines].map((line) => `web-1  | ${line}`);
  expect(segments(await read(wrapped, '%(pid) %(time) %(status)'))).toMatchObject([{stream: 'web-1', count: 3, status5xx: 2}]);
});

test('times that count from 1970 are brought to the clock of the log', async () => {
  const diagnosis = await read([...START, '7 1795262690'], '%(pid) %(time)', {zone: 'Europe/Berlin'});
  expect(segments(diagnosis)[0]?.firstStart).toBe(1_795_262_690_000 + 3_600_000);
});

test.each([
  ['%(uri) %(ltime)', 'x 21/Nov/2026:12:04:50 +0000', 'no %(pid)'],
  ['%(pid) %(uri)', '7 x', 'no time'],
  ['%(pid) %(uri) %(time)', '7 x 1795262690', 'no duration'],
])('%s: what it lacks is said, and its lines are counted', async (template, line, what) => {
  const {timeline, notes} = await read([...START, line], template);
  expect(timeline.inputs[0]?.counts).toMatchObject({requests: 1, application: 0});
  expect(notes).toMatchObject([{input: 'log-format', text: expect.stringContaining(what)}]);
});

test('a template that a configuration sets is taken from there', async () => {
  const config = write('shop.ini', '[uwsgi]\nmaster = true\nlog-format = %(pid) at %(time): %(uri) in %(msecs)\n');
  const input = write('configured.log', `${[...START, '7 at 1795262690: /a b in 12'].join('\n')}\n`);
  expect(segments(await analyze({inputs: [input], configs: [config]}))).toMatchObject([{pid: 7, count: 1, longest: 12}]);
});

describe('templates', () => {
  test.each([
    ['', 'it has no variable'],
    ['plain text', 'it has no variable'],
    ['%(pid) %(uri', '"%(uri" is not closed by ")"'],
    ['%(pid)\n', 'it has more than one line'],
  ])('not %j', (template, message) => {
    expect(() => logFormatOf(template)).toThrow(LogFormatError);
    expect(() => logFormatOf(template)).toThrow(message);
  });

  test.each(['%(pid)%(pid)', '"%(uri)"\\%(pid)', '%(uri)%(pid)', '%(pid) %(foo) %', '%(pid) {%(vars)} $&'])(
    '%j',
    async (template) => expect((await read(START, template)).timeline.inputs[0]?.counts.events).toBe(3),
  );
});
