import {stripVTControlCharacters} from 'node:util';
import {describe, expect, test} from 'vitest';
import type {RenderOptions} from '../../src/report/reporter.ts';
import {text} from '../../src/report/text.ts';
import {
  at,
  event,
  finding,
  forcedWorker,
  healthyReload,
  hungReload,
  input,
  notUnderstood,
  reloadOf,
  timelineOf,
} from './diagnosis.ts';

const plain: RenderOptions = {width: 100, color: false, quiet: false, showRules: false};

/** As one line: where it was broken does not matter. */
function unwrapped(report: string): string {
  return report.replace(/\s+/g, ' ');
}

describe('a hung reload', () => {
  const report = text.render(hungReload(), plain);
  const lines = report.trimEnd().split('\n');

  test('ends with the verdict', () => expect(lines.at(-1)).toMatch(/^(VERDICT {2}| {9})/));

  test('tells what was read', () => {
    expect(report).toContain('uwsgi.log, 1,204 lines: 40 events, 1,150 requests');
    expect(report).toContain('uWSGI 2.0.21 (uwsgi-1), master pid 390100, 4 workers');
    expect(report).toContain('2019-07-31 20:10:00 to 20:14:11, 4 min 11 s (251 s)');
  });

  test('tells the story of each worker', () => {
    expect(unwrapped(report)).toContain(
      'Graceful reload, asked for by a signal, begun 20:12:13 (uwsgi.log:30): completed after 63 s',
    );
    expect(lines.some((line) => /1 +390128 +20:12:13 +61 s +killed: mercy ran out \(NO MERCY\) +391128/.test(line))).toBe(true);
  });

  test('gives evidence, counter-evidence, limits, remedies and next steps', () => {
    expect(report).toContain('uwsgi.log:41  worker 1 (pid: 390128) is taking too much time to die...NO MERCY !!!');
    expect(report).toContain('-> worker 1 was killed at the deadline');
    expect(report).toMatch(
      /Other explanations, and what speaks against them\n {4}- request-blocks-shutdown: no request was running \(line 29\)/,
    );
    expect(report).toMatch(/Cannot be seen in this log\n {4}- which thread it was/);
    expect(report).toMatch(/1\. worker-reload-mercy = 5 in \[uwsgi\]\n {7}Effect: wait 61 s -> 6 s\n {7}Risk: may cut requests/);
    expect(report).toMatch(/To decide it\n {4}- py-spy dump/);
  });

  test('says what was not checked', () => expect(report).toContain('Not checked  1 of 3 rules'));

  test.each([60, 80, 120])('keeps to %i columns', (width) => {
    const widest = Math.max(
      ...text
        .render(hungReload(), {...plain, width})
        .split('\n')
        .map((line) => Array.from(line).length),
    );
    expect(widest).toBeLessThanOrEqual(width);
  });

  test('has no colour unless asked, and the same words with it', () => {
    expect(report).not.toContain('\x1b');
    const colored = text.render(hungReload(), {...plain, color: true});
    expect(colored).toContain('\x1b[31m');
    expect(stripVTControlCharacters(colored)).toBe(report);
  });

  test('places are links where there is an address, and the words stay the same', () => {
    const linked = text.render(hungReload(), {...plain, linkTo: (input) => `file://host/var/log/${input}`});
    expect(linked).toContain('\x1b]8;;file://host/var/log/uwsgi.log\x1b\\uwsgi.log:41\x1b]8;;\x1b\\');
    expect(stripVTControlCharacters(linked)).toBe(report);
    expect(text.render(hungReload(), {...plain, linkTo: () => null})).toBe(report);
  });

  test('quiet leaves titles and the verdict', () => {
    const quiet = text.render(hungReload(), {...plain, quiet: true});
    const beginnings = quiet.split('\n').filter((line) => /^\S/.test(line));
    expect(beginnings).toEqual([
      expect.stringMatching(/^ERROR {2}Idle workers/),
      expect.stringMatching(/^VERDICT {2}Idle workers/),
    ]);
  });

  test('lists all rules on request', () => {
    expect(text.render(hungReload(), {...plain, showRules: true})).toMatch(/worker-timeout +skipped +no line of gunicorn/);
  });
});

test('nothing of the log reaches the terminal as a control sequence', () => {
  const evil = '\x1b]0;owned\x07 \x9b2J \u202e NO MERCY';
  const diagnosis = hungReload({
    title: evil,
    message: evil,
    evidence: [{at: event(1, evil), shows: evil}],
    against: [{hypothesis: evil, because: evil, line: null}],
    cannotSee: [evil],
    next: [evil],
    fixes: [{setting: evil, section: evil, value: evil, effect: evil, since: evil, safety: 'safe', why: evil}],
  });
  const oddities = [{what: evil, count: 2, firstLine: 1}];
  const inputs = [{...input, name: evil, envelopes: [evil], zone: evil, oddities, unknownExamples: [event(7, evil)]}];
  const instances = diagnosis.timeline.instances.map((instance) => ({...instance, name: evil, version: evil, supervisor: evil}));
  const report = text.render({...diagnosis, timeline: {...diagnosis.timeline, inputs, instances}}, plain);
  expect(report).toContain('\\x1b]0;owned\\x07');
  expect(report.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Cs}]/u);
});

test('many lines of evidence are cut, and it is said how many and which', () => {
  const [first, ...rest] = Array.from({length: 20}, (_, i) => ({at: event(i + 1, `line number ${i + 1}`), shows: 'the same'}));
  if (first === undefined) throw new Error('no line');
  const report = text.render(hungReload({evidence: [first, ...rest]}), plain);
  expect(report).toContain('uwsgi.log:8  line number 8');
  expect(report).not.toContain('line number 9');
  expect(report).toContain('… and 12 more lines like these: 9-20');
  expect(report.match(/-> the same/g)).toHaveLength(1);
});

test('many workers that fared alike share a row', () => {
  const [asked, killed] = [at('20:12:13'), at('20:13:14')];
  const processes = Array.from({length: 16}, (_, i) => forcedWorker(i + 1, 100 + i, asked, killed));
  const timeline = timelineOf(processes, [reloadOf(processes, asked, at('20:13:16'))]);
  const report = text.render({...hungReload(), timeline, findings: []}, plain);
  expect(report).toMatch(/1-16 +100-115 +20:12:13 +61 s +killed: mercy ran out \(NO MERCY\) +1100-1115/);
});

test('an unfinished reload says so and bounds what it can', () => {
  const asked = {earliest: null, latest: at('20:12:13').latest};
  const processes = [forcedWorker(1, 390128, asked, at('20:13:14'))];
  const timeline = timelineOf(processes, [reloadOf(processes, asked, null)]);
  const report = text.render({...hungReload(), timeline}, plain);
  expect(report).toContain('begun before 20:12:13');
  expect(unwrapped(report)).toContain('not finished when the log ends, after at least 61 s');
  expect(report).toContain('≥ 61 s');
});

test('errors come before warnings before notes', () => {
  const findings = (['info', 'error', 'warning'] as const).map((severity) => finding({severity, title: `a ${severity}`}));
  const report = text.render({...hungReload(), findings}, plain);
  const order = ['ERROR  a error', 'WARNING  a warning', 'INFO  a info'].map((title) => report.indexOf(title));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(order[0]).toBeGreaterThan(0);
});

test('a healthy log says what was checked and how long reloads took', () => {
  const report = text.render(healthyReload(), plain);
  expect(unwrapped(report)).toContain('completed after 2 s (20:12:15); 2 workers left by themselves');
  expect(report).toContain('Checked  app-threads-block-shutdown, harakiri-kills: nothing found');
});

test('a log that was not understood says what to try', () => {
  const report = text.render(notUnderstood(), plain);
  expect(report).toContain('What to try');
  expect(report).toContain('logdoctor formats');
  expect(report).not.toContain('No trouble');
});

test('hundreds of reloads are cut, the trouble is kept, and the rest is counted', () => {
  const {timeline} = healthyReload();
  const [healthy] = timeline.reloads;
  const [hung] = hungReload().timeline.reloads;
  if (healthy === undefined || hung === undefined) throw new Error('no reload');
  const reloads = Array.from({length: 300}, (_, i) => ({...(i === 250 ? hung : healthy), id: `reload-${i + 1}`}));
  const report = text.render({...healthyReload(), timeline: {...timeline, reloads}}, plain);
  expect(report.match(/^reload-\d+ /gm)).toHaveLength(20);
  expect(report).toMatch(/^reload-251 /m);
  expect(report).toContain('… and 280 more reloads and stops (--json has all)');
});
