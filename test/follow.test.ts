import {execFileSync} from 'node:child_process';
import {appendFileSync, createWriteStream, readFileSync, renameSync, truncateSync, writeFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {describe, expect, test} from 'vitest';
import {analyze, type Diagnosis, prepare} from '../src/analyze.ts';
import {followLog} from '../src/follow.ts';
import {statusText} from '../src/report/live.ts';
import type {RuleFinding} from '../src/rules/rule.ts';
import {Findings} from '../src/rules/settled.ts';
import {LineFeed} from '../src/source/line-feed.ts';
import type {Timeline} from '../src/timeline/timeline.ts';
import {temporaryDirectory} from './source/collecting-sink.ts';

const {at, write} = temporaryDirectory();
const SAMPLE = 'samples/uwsgi/chain-reload-slow/uwsgi.log';
const lines = readFileSync(SAMPLE, 'utf8').split(/(?<=\n)/);

function following(input: string) {
  const abort = new AbortController();
  const states: {readonly diagnosis: Diagnosis; readonly news: readonly RuleFinding[]}[] = [];
  const onState = (diagnosis: Diagnosis, news: readonly RuleFinding[]) => states.push({diagnosis, news});
  const ended = followLog({input, signal: abort.signal, onState, interval: 10});
  const last = () => states.at(-1)?.diagnosis.timeline;
  return {
    states,
    ended,
    async shows(what: (timeline: Timeline) => boolean): Promise<void> {
      for (let patience = 2000; patience > 0; patience--) {
        const timeline = last();
        if (timeline !== undefined && what(timeline)) return;
        await sleep(10);
      }
      throw new Error('never shown');
    },
    async tells(rule: string): Promise<void> {
      for (let patience = 2000; patience > 0; patience--) {
        if (states.some(({news}) => news.some((finding) => finding.rule === rule))) return;
        await sleep(10);
      }
      throw new Error(`${rule} was never told`);
    },
    end() {
      abort.abort();
      return ended;
    },
  };
}

test('the end of a followed file is that of a file that is read, and each finding is told once', async () => {
  const input = write('grows.log', '');
  const watch = following(input);
  for (let at = 0; at < lines.length; at += 7) {
    appendFileSync(input, lines.slice(at, at + 7).join(''));
    await sleep(15);
  }
  await watch.tells('app-threads-block-shutdown');
  const {diagnosis, news} = await watch.end();
  const whole = await analyze({inputs: [input]});
  expect(diagnosis.findings).toEqual(whole.findings);
  expect(diagnosis.timeline.reloads).toEqual(whole.timeline.reloads);
  expect(diagnosis.timeline.instances).toEqual(whole.timeline.instances);
  const told = [...watch.states.flatMap((state) => state.news), ...news].map(({fingerprint, pids}) => `${fingerprint} ${pids}`);
  expect(new Set(told).size).toBe(told.length);
  for (const {fingerprint, pids} of whole.findings) expect(told).toContain(`${fingerprint} ${pids}`);
});

test('nothing is told of a reload that still runs, but in the line of state', async () => {
  const end = lines.findIndex((line) => line.includes('chain reloading complete'));
  const input = write('runs.log', lines.slice(0, end).join(''));
  const watch = following(input);
  await watch.shows(({reloads}) => reloads.length === 1);
  await sleep(100);
  expect(watch.states.flatMap(({news}) => news).filter(({reload}) => reload !== null)).toEqual([]);
  const state = watch.states.at(-1) as {diagnosis: Diagnosis};
  expect(statusText(state.diagnosis)).toMatch(
    /^following .*runs\.log; \d+ lines, \d+ events; last \d\d:\d\d:\d\d; reload-1 is running/,
  );
  appendFileSync(input, lines.slice(end).join(''));
  await watch.tells('app-threads-block-shutdown');
  await watch.end();
});

test('over a rotation in the middle of a reload', async () => {
  const middle = lines.findIndex((line) => line.includes('NO MERCY')) + 2;
  const input = write('rotates.log', lines.slice(0, middle).join(''));
  const watch = following(input);
  await watch.shows(({inputs}) => inputs[0]?.lines === middle);
  renameSync(input, `${input}.1`);
  writeFileSync(input, lines.slice(middle).join(''));
  await watch.shows(({inputs}) => inputs.length === 2 && inputs[1]?.lines === lines.length - middle);
  const {diagnosis} = await watch.end();
  const whole = await analyze({inputs: [SAMPLE]});
  expect(diagnosis.findings.map(({rule, pids}) => [rule, pids])).toEqual(whole.findings.map(({rule, pids}) => [rule, pids]));
  expect(diagnosis.timeline.reloads.map(({outcome}) => outcome)).toEqual(['completed']);
});

test('over copytruncate in the middle of a reload, where the writer goes on at its old place', async () => {
  const middle = lines.findIndex((line) => line.includes('NO MERCY')) + 2;
  const before = lines.slice(0, middle).join('');
  const input = write('cut.log', before);
  const watch = following(input);
  await watch.shows(({inputs}) => inputs[0]?.lines === middle);
  writeFileSync(`${input}.1`, before);
  truncateSync(input, 0);
  await sleep(50);
  appendFileSync(input, Buffer.concat([Buffer.alloc(before.length), Buffer.from(lines.slice(middle).join(''))]));
  await watch.shows(({inputs}) => inputs.length === 2 && inputs[1]?.lines === lines.length - middle);
  const {diagnosis} = await watch.end();
  const whole = await analyze({inputs: [SAMPLE]});
  expect(diagnosis.findings.map(({rule, pids}) => [rule, pids])).toEqual(whole.findings.map(({rule, pids}) => [rule, pids]));
  expect(diagnosis.timeline.inputs[1]?.oddities.map(({what}) => what)).toEqual(['NUL bytes']);
});

test('a pipe in the form of the journal: what is found is told while it runs, and its end is the end', async () => {
  const input = at('pipe');
  execFileSync('mkfifo', [input]);
  const watch = following(input);
  const pipe = createWriteStream(input);
  const journal = lines.map((line) => `Nov 21 08:20:30 vm uwsgi[12929]: ${line}`);
  const end = lines.findIndex((line) => line.includes('chain reloading complete')) + 1;
  pipe.write(journal.slice(0, end).join(''));
  await watch.tells('app-threads-block-shutdown');
  pipe.end(journal.slice(end).join(''));
  const {diagnosis, news} = await watch.ended;
  expect(news).toEqual([]);
  expect(diagnosis.timeline.inputs[0]).toMatchObject({envelopes: ['syslog'], lines: lines.length});
});

test('a file that is not there', async () => {
  const signal = new AbortController().signal;
  await expect(followLog({input: 'nowhere.log', signal, onState: () => {}})).rejects.toThrow(
    'cannot read nowhere.log: no such file',
  );
});

test('asking for what was read so far changes nothing', async () => {
  for (const sample of ['chain-reload-slow', 'harakiri', 'max-requests-orphans-tasks']) {
    const log = readFileSync(`samples/uwsgi/${sample}/uwsgi.log`);
    const record = async (ask: boolean) => {
      const {recorder} = await prepare({});
      const feed = new LineFeed(recorder);
      recorder.open({name: 'x.log', compression: 'none'});
      for (let at = 0; at < log.length; at += 100) {
        feed.append(log.subarray(at, at + 100));
        if (ask) recorder.soFar();
      }
      feed.finish();
      const before = recorder.soFar();
      recorder.close({bytes: log.length, truncated: false});
      return {before, after: recorder.finish()};
    };
    const [asked, unasked] = [await record(true), await record(false)];
    expect(asked.after).toEqual(unasked.after);
    expect(asked.before.events).toEqual(asked.after.events);
    const sorted = (segments: typeof asked.after.segments) => [...segments].sort((a, b) => a.first.line - b.first.line);
    expect(sorted(asked.before.segments)).toEqual(sorted(asked.after.segments));
  }
});

describe('what has become sure', () => {
  const finding = (fingerprint: string, more: Partial<RuleFinding> = {}) =>
    ({fingerprint, severity: 'error', reload: null, pids: [1], ...more}) as RuleFinding;
  const judged = (findings: RuleFinding[], outcome = 'completed') =>
    ({findings, timeline: {reloads: [{id: 'reload-1', outcome}]}}) as unknown as Diagnosis;
  const fingerprints = (findings: readonly RuleFinding[]) => findings.map(({fingerprint}) => fingerprint);

  test('stands in two judgements, and is told once', () => {
    const findings = new Findings();
    expect(findings.settled(judged([finding('a')]))).toEqual([]);
    expect(findings.isWaiting).toBe(true);
    expect(fingerprints(findings.settled(judged([finding('a')])))).toEqual(['a']);
    expect(findings.isWaiting).toBe(false);
    expect(findings.settled(judged([finding('a')]))).toEqual([]);
    expect(findings.rest(judged([finding('a'), finding('b')])).map((each) => each.fingerprint)).toEqual(['b']);
  });

  test('what goes away is not told', () => {
    const findings = new Findings();
    findings.settled(judged([finding('a')]));
    expect(findings.settled(judged([]))).toEqual([]);
    expect(findings.settled(judged([finding('a')]))).toEqual([]);
  });

  test('more processes make it news again', () => {
    const findings = new Findings();
    for (let i = 0; i < 2; i++) findings.settled(judged([finding('a')]));
    findings.settled(judged([finding('a', {pids: [1, 2]})]));
    expect(fingerprints(findings.settled(judged([finding('a', {pids: [1, 2]})])))).toEqual(['a']);
  });

  test('a running reload is waited for', () => {
    const findings = new Findings();
    const found = finding('a', {reload: 'reload-1'});
    for (let i = 0; i < 3; i++) expect(findings.settled(judged([found], 'unfinished'))).toEqual([]);
    findings.settled(judged([found]));
    expect(fingerprints(findings.settled(judged([found])))).toEqual(['a']);
  });
});
