import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {supervisorNames} from '../../src/formats/index.ts';
import {ClosestFinder} from '../../src/recorder/closest.ts';
import {Inquiry} from '../../src/recorder/inquiry.ts';
import {Recorder, type RecorderOptions} from '../../src/recorder/recorder.ts';
import {inquiryJson, inquiryText} from '../../src/report/inquiry.ts';
import {paint} from '../../src/report/paint.ts';
import {LineFeed} from '../../src/source/line-feed.ts';
import {buildTimeline} from '../../src/timeline/build.ts';
import type {Timeline} from '../../src/timeline/timeline.ts';
import {envelopes} from '../envelope/envelopes.ts';
import {essence, timedLines} from '../envelope/plain-run.ts';

async function read(
  log: string | Buffer,
  options: RecorderOptions = {},
  engine: 'compiled' | 'ohm' = 'compiled',
): Promise<Timeline> {
  const recorder = await Recorder.create(engine, options);
  const feed = new LineFeed(recorder);
  recorder.open({name: 'test.log', compression: 'none'});
  feed.append(Buffer.from(log as string));
  feed.finish();
  recorder.close({bytes: log.length, truncated: false});
  return buildTimeline(recorder.finish());
}

async function why(log: string, options: RecorderOptions = {}, programs: readonly string[] = ['uwsgi']) {
  const witness = new Inquiry();
  const {inputs} = await read(log, {...options, witness});
  const explained = inputs.map((summary, index) => {
    const inquiry = witness.of(index);
    const finder = new ClosestFinder(programs);
    return {summary, inquiry, closest: (inquiry?.missed ?? []).map(({text}) => finder.closestTo(text))};
  });
  const forced = {supervisors: options.supervisors, envelopes: options.envelopes};
  return {
    text: inquiryText(explained, forced, {width: 100, paint: paint(false)}),
    json: inquiryJson(explained, forced).inputs[0] as ReturnType<typeof inquiryJson>['inputs'][number],
  };
}

const SPAWNED = 'spawned uWSGI worker 1 (pid: 12, cores: 1)';
const BROKEN = 'spawned uWSGI worker 2 (pid: twelve, cores: 1)';

test('the caret stands where the message stops matching', async () => {
  const {text, json} = await why(`Nov 20 23:46:58 vm uwsgi[42]: ${SPAWNED}\nNov 20 23:46:58 vm uwsgi[42]: ${BROKEN}\n`);
  const lines = text.split('\n');
  const caret = lines.findIndex((line) => line.trim() === '^');
  expect(lines[caret - 1]?.slice(lines[caret]?.indexOf('^'))).toBe('twelve, cores: 1)');
  expect(lines[caret + 1]?.trim()).toBe('uwsgi/worker-spawned goes on here with a digit');
  expect(json.unmatched).toMatchObject([
    {
      line: 2,
      text: BROKEN,
      envelopes: ['syslog'],
      closest: {message: 'uwsgi/worker-spawned', column: BROKEN.indexOf('twelve') + 1},
    },
  ]);
});

test('the column counts characters, and not bytes', async () => {
  const {json} = await why(`${SPAWNED}\nspawned: 'größer' with pid x\n`, {}, ['supervisord']);
  expect(json.unmatched[0]?.closest).toMatchObject({
    message: 'supervisord/spawned',
    column: "spawned: 'größer' with pid x".length,
  });
});

test('each source has its own choice and reason', async () => {
  const {text, json} = await why(
    `web-1  | ${SPAWNED}\nweb-1  | ${SPAWNED}\nweb-2  | [2026-11-20 23:25:37 +0000] [7] [INFO] Booting worker with pid: 7\nhello\n`,
  );
  expect(json.streams.map(({name, lines, recognised, supervisors}) => [name, lines, recognised, supervisors])).toEqual([
    ['web-1', 2, 2, {uwsgi: 2}],
    ['web-2', 1, 1, {gunicorn: 1}],
    [null, 1, 0, {}],
  ]);
  expect(json.envelopes).toEqual({compose: 3, timestamp: 1, plain: 1});
  expect(text).toContain('Source web-1, from line 1: read as uwsgi, inside compose (2 lines), because 2 of its 2 lines');
});

test('what was tried in vain is named', async () => {
  const {text} = await why(`${SPAWNED}\n`);
  const words = text.replace(/\s+/g, ' ');
  expect(words).toContain('tried, on no line: gunicorn,');
  expect(words).toMatch(/tried, on no line: .*docker-json.* timestamp/);
});

test('a text of the log cannot write to the terminal', async () => {
  const {text} = await why(`${SPAWNED}\nx\x1b]0;title\x07\x9b31m\n`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about.
  expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
});

test('a witness changes nothing in what is read', async () => {
  for (const sample of ['chain-reload-slow', 'harakiri', 'emperor-two-vassals']) {
    const log = readFileSync(`samples/uwsgi/${sample}/uwsgi.log`);
    const watched = await read(log, {witness: new Inquiry()});
    const alone = await read(log);
    expect(watched.inputs).toEqual(alone.inputs);
    expect(essence(watched)).toEqual(essence(alone));
  }
});

test('every line is accounted for by its kind', async () => {
  const lines = await timedLines('chain-reload-slow');
  const log = (envelopes['journalctl short'] as (typeof envelopes)[string]).wrap(lines).toString();
  const {json} = await why(log);
  expect(json.envelopes['syslog']).toBe(json.lines - log.split('\n').filter((line) => line.endsWith(']: ')).length);
});

test('a supervisor that is forced is the only one', async () => {
  const log = `${SPAWNED}\n[2026-11-20 23:25:37 +0000] [7] [INFO] Booting worker with pid: 7\n`;
  expect((await read(log)).events).toHaveLength(2);
  expect((await read(log, {supervisors: ['gunicorn']})).events.map(({message}) => message)).toEqual(['gunicorn/booting-worker']);
  expect((await read(log, {supervisors: ['uwsgi', 'gunicorn']})).events).toHaveLength(2);
  for (const name of supervisorNames) expect((await read(log, {supervisors: [name]})).inputs[0]?.lines).toBe(2);
});

test('a forced supervisor is believed where its words are too ordinary otherwise', async () => {
  const log = 'app.service: Main process exited, code=killed, status=9/KILL\n';
  expect((await read(log)).events).toEqual([]);
  expect((await read(log, {supervisors: ['systemd']})).events).toHaveLength(1);
});

test.each(['compiled', 'ohm'] as const)('only envelopes that are named are peeled (%s)', async (engine) => {
  const log = `Nov 20 23:46:58 vm uwsgi[42]: ${SPAWNED}\nweb-1  | ${SPAWNED}\n${JSON.stringify({log: SPAWNED, stream: 'stderr', time: '2026-11-20T23:46:58Z'})}\nTue Nov 20 23:46:58 2026 - worker 1 killed successfully (pid: 12)\n`;
  const found = async (...names: string[]) =>
    (await read(log, {envelopes: names}, engine)).events.map(({line, stream}) => [line, stream] as const);
  // A message is also found behind text that is not peeled; then nobody knows whose it is.
  expect(await found('plain')).toEqual([
    [1, null],
    [2, null],
    [4, null],
  ]);
  expect(await found('compose')).toEqual([
    [1, null],
    [2, 'web-1'],
    [4, null],
  ]);
  expect(await found('syslog', 'docker-json')).toEqual([
    [1, 'vm/uwsgi'],
    [2, null],
    [3, null],
    [4, null],
  ]);
});

test.each(Object.entries(envelopes).filter((_, at) => at % 6 === 0))(
  'forcing the envelopes that were found changes nothing: %s',
  async (_, {wrap, names}) => {
    const log = wrap((await timedLines('chain-reload-healthy')).slice(0, 40));
    const free = await read(log);
    expect(essence(await read(log, {envelopes: [...names, ...(free.inputs[0]?.envelopes ?? [])]}))).toEqual(essence(free));
  },
);
