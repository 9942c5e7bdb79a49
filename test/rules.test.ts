import {mkdtempSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, dirname, join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {analyze, type Diagnosis} from '../src/analyze.ts';
import {formats} from '../src/formats/index.ts';
import {verdict} from '../src/report/verdict.ts';
import {rules} from '../src/rules/index.ts';
import type {Rule, RuleFinding} from '../src/rules/rule.ts';
import {compareVersions, mayHave} from '../src/rules/settings.ts';
import {duration, list, seconds} from '../src/rules/wording.ts';
import {isNormal, longerThan} from '../src/rules/work.ts';
import {findingsPage} from './docs/findings.ts';
import {diagnosed, logsOf, recordings, truthOf} from './recordings.ts';

const FIXTURES = 'test/rules';
const REPORTED = 'samples/reported';
const known = new Set(rules.map(({id}) => id));

const diagnose = (file: string) => diagnosed([file], configsBeside(file));

/** `fires-x.config.ini` beside `fires-x.log` is its configuration. */
function configsBeside(file: string): string[] {
  const stem = `${basename(file, '.log')}.config.`;
  return readdirSync(dirname(file))
    .filter((name) => name.startsWith(stem))
    .map((name) => join(dirname(file), name));
}

/** What is said as trouble: notes do not count. */
function troubles({findings}: Diagnosis): string[] {
  return [...new Set(findings.filter(({severity}) => severity !== 'info').map(({rule}) => rule))].sort();
}

function found(diagnosis: Diagnosis, rule: string): RuleFinding {
  const finding = diagnosis.findings.find((each) => each.rule === rule);
  if (!finding) throw new Error(`${rule} did not fire`);
  return finding;
}

function fixturesOf(rule: string): string[] {
  return readdirSync(join(FIXTURES, rule))
    .filter((name) => name.endsWith('.log'))
    .sort();
}

describe('the set of rules', () => {
  test('holds every file of src/rules that exports a rule, under the name of its file', async () => {
    const ids: string[] = [];
    for (const file of readdirSync('src/rules').filter((name) => name.endsWith('.ts'))) {
      const name = file.slice(0, -'.ts'.length);
      const {default: rule} = (await import(`../src/rules/${name}.ts`)) as {default?: Rule};
      if (!rule) continue;
      expect(rule.id).toBe(name);
      ids.push(rule.id);
    }
    expect(rules.map(({id}) => id).sort()).toEqual(ids.sort());
  });

  test.each(rules.map((rule) => [rule.id, rule] as const))(
    '%s is documented and has logs on which it fires and is quiet',
    (id, {title, docs, needs}) => {
      expect(title).toMatch(/^[A-Z].*[^.]$/);
      for (const text of [docs.sees, docs.why, docs.remedy, docs.limits]) expect(text).toMatch(/^[A-Z][\s\S]{40,}[.]$/);
      expect(docs.references.length).toBeGreaterThan(0);
      if (needs) expect(needs.otherwise.length).toBeGreaterThan(20);
      const names = fixturesOf(id);
      expect(names.some((name) => name.startsWith('fires-'))).toBe(true);
      expect(names.some((name) => name.startsWith('quiet-'))).toBe(true);
    },
  );

  test('needs only messages that a format knows', () => {
    const messages = new Set(formats.flatMap((format) => Object.keys(format.meanings).map((name) => `${format.id}/${name}`)));
    const readable = new Set(formats.map(({id}) => id));
    const needed = rules
      .flatMap(({needs}) => needs?.messages ?? [])
      .filter((message) => readable.has(message.split('/')[0] ?? ''));
    expect(needed.filter((message) => !messages.has(message))).toEqual([]);
  });
});

const fixtures = readdirSync(FIXTURES)
  .filter((name) => known.has(name))
  .sort()
  .flatMap((rule) => fixturesOf(rule).map((name) => [rule, name] as const));

describe('each rule on its own logs', () => {
  test.each(fixtures)('%s: %s', async (rule, name) => {
    const diagnosis = await diagnose(join(FIXTURES, rule, name));
    const own = diagnosis.findings.filter((finding) => finding.rule === rule);
    expect(own.length).toBe(name.startsWith('fires-') ? 1 : 0);
    expect(diagnosis.rules.find(({id}) => id === rule)?.result === 'fired').toBe(name.startsWith('fires-'));
  });

  test('the table of all that is said of them (npm run docs)', async () => {
    const judged = [];
    for (const [rule, log] of fixtures) judged.push({rule, log, diagnosis: await diagnose(join(FIXTURES, rule, log))});
    await expect(findingsPage(judged)).toMatchFileSnapshot('../docs/findings.md');
  });

  test('where two explanations fit, both are named', async () => {
    const undecided = found(
      await diagnose(`${FIXTURES}/forced-kill-undecided/fires-one-of-three-under-load.log`),
      'forced-kill-undecided',
    );
    expect(undecided.confidence).toBe('possible');
    expect(undecided.against.map(({hypothesis}) => hypothesis)).toEqual(
      expect.arrayContaining(['request-blocks-shutdown', 'app-threads-block-shutdown']),
    );
  });

  test('a known fault of the version goes before the application', async () => {
    const finding = found(
      await diagnose(`${FIXTURES}/app-threads-block-shutdown/fires-known-fault.log`),
      'app-threads-block-shutdown',
    );
    expect(finding.confidence).toBe('likely');
    expect(finding.fixes[0]?.why).toContain('2.0.28');
    // What ends the threads of an application does nothing about the server's own.
    expect(finding.fixes.map(({setting}) => setting)).not.toContain('py-call-uwsgi-fork-hooks');
    expect(finding.message).toContain('fault of this version');
  });

  test('the mercy is that of the time of the kill, not the one that the reload read', async () => {
    const diagnosis = await diagnose(`${FIXTURES}/app-threads-block-shutdown/fires-mercy-lowered-by-the-reload.log`);
    const {message, evidence} = found(diagnosis, 'app-threads-block-shutdown');
    expect(message).toContain('mercy: 8 s');
    expect(evidence.find(({shows}) => shows.startsWith('the mercy is'))?.at.line).toBe(28);
    const [instance] = diagnosis.timeline.instances;
    expect(instance?.processes.find(({forced}) => forced)?.forced?.patience).toMatchObject({min: 8, max: 11});
  });

  test('a stop that interrupts the start of workers is no application that failed', async () => {
    const log = `${FIXTURES}/boot-failure/fires-as-a-warning-a-stop-interrupts-the-workers-start.log`;
    expect(found(await diagnose(log), 'boot-failure')).toMatchObject({severity: 'warning', confidence: 'certain'});
  });

  test.each([
    ['boot-failure', 'fires-hook-failed', './manage.py migrate (exit code 1)'],
    ['boot-failure', 'fires-killed-inside-at-its-stop', 'a SIGKILL inside, which systemd did not send'],
    ['boot-failure', 'fires-as-a-note-a-stop-with-another-status', 'left with status 3'],
    ['outer-timeout-too-short', 'fires-uvicorn-with-open-connections', 'it waited for connections to close'],
    ['platform-errors', 'fires-docker-inspect-names-memory', 'of the container shop-web-1'],
    ['respawn-orphans-tasks', 'fires-celery-process-left-by-an-exit-code', 'no signal ended it'],
    ['stop-became-reload', 'fires-compose-kills-it', 'Its container app_web_1 left with status 137'],
    ['survivors-hold-port', 'fires-next-start-fails', 'Its supervisor gave shop up'],
    [
      'worker-crashed',
      'fires-uvicorn-child-where-the-log-begins-later',
      'Whether they had begun to serve, this log does not tell',
    ],
  ])('%s: %s: %s', async (rule, name, words) => {
    expect(found(await diagnose(join(FIXTURES, rule, `${name}.log`)), rule).message).toContain(words);
  });

  test('a traceback is above a failed load only where the log has lines of an application', async () => {
    const bare = await diagnose(`${FIXTURES}/signal-hit-workers/fires-before-a-later-worker-cannot-boot.log`);
    expect(found(bare, 'boot-failure').message).toContain('it is not in this log');
    const told = await diagnose(`${FIXTURES}/boot-failure/fires-cut-in-the-middle-of-the-line.log`);
    expect(found(told, 'boot-failure').message).not.toContain('it is not in this log');
  });

  test('an excerpt that ends during a reload is a note and no trouble', async () => {
    const finding = found(await diagnose(`${FIXTURES}/reload-unfinished/fires-as-a-note-the-log-ends.log`), 'reload-unfinished');
    expect(finding.severity).toBe('info');
  });

  test('a reload whose workers have no end in the log is not called healthy', async () => {
    const lost = await diagnose(`${FIXTURES}/reload-unfinished/fires-as-a-note-ends-are-lost.log`);
    expect(found(lost, 'reload-unfinished')).toMatchObject({severity: 'info', workers: [2, 3]});
    expect(verdict(lost)).toMatch(/^Undecided \(the log does not tell how 2 workers ended\)/);
    const long = await diagnose(`${FIXTURES}/reload-unfinished/fires-the-lines-of-the-kills-are-lost.log`);
    expect(found(long, 'reload-unfinished')).toMatchObject({severity: 'warning', confidence: 'likely'});
  });

  test('a chain reload that is slow since its replacements start slowly is a note, and blames no worker', async () => {
    const log = `${FIXTURES}/chain-reload-slow/fires-as-a-note-replacements-start-slowly.log`;
    expect(found(await diagnose(log), 'chain-reload-slow')).toMatchObject({severity: 'info', pids: [], workers: []});
  });

  test('tasks that were lost are no reason to be less patient', async () => {
    const {findings} = await diagnose(`${FIXTURES}/respawn-orphans-tasks/fires-recycled-in-the-middle.log`);
    const values = findings
      .flatMap(({fixes}) => fixes)
      .filter(({setting}) => setting === 'worker-reload-mercy')
      .map(({value}) => Number(value));
    expect(values.length).toBeGreaterThan(0);
    for (const value of values) expect(value).toBeGreaterThan(8);
  });
});

describe('the logs that people sent', () => {
  test.each([
    ['000-reload-idle-workers-no-mercy', ['app-threads-block-shutdown']],
    ['000-reload-healthy-processes', []],
    ['000-reload-app-thread-mercy-60', ['app-threads-block-shutdown']],
    ['000-reload-app-thread-mercy-1', ['app-threads-block-shutdown']],
    ['001-max-requests-respawn', []],
    ['001-app-tasks', ['respawn-orphans-tasks']],
    ['002-chain-reload-4-minutes', ['app-threads-block-shutdown', 'chain-reload-slow']],
    ['002-gunicorn-hup-healthy', []],
    ['003-max-requests-recycle-blocked', ['recycle-blocked', 'synchronized-recycling']],
    ['003-chain-reload-cut', ['forced-kill-undecided']],
  ])('%s: %j', async (name, expected) => {
    expect(troubles(await diagnose(join(REPORTED, `${name}.log`)))).toEqual(expected);
  });

  test('idle workers: the kills are proved, the thread is inferred, and the default mercy dates the beginning', async () => {
    const finding = found(await diagnose(`${REPORTED}/000-reload-idle-workers-no-mercy.log`), 'app-threads-block-shutdown');
    expect(finding.confidence).toBe('likely');
    expect(finding.message).toContain('4 workers had to be killed');
    expect(finding.message).toContain('about 61 s before the kill');
    expect(finding.pids).toHaveLength(4);
  });

  test('five kills are five, although the last burial is cut off', async () => {
    const finding = found(await diagnose(`${REPORTED}/000-reload-app-thread-mercy-60.log`), 'app-threads-block-shutdown');
    expect(finding.workers).toEqual([1, 2, 3, 4, 5]);
  });

  test('a chain of 4 minutes: 252 s, 4 x 61 s of mercy, and what 5 s would give', async () => {
    const finding = found(await diagnose(`${REPORTED}/002-chain-reload-4-minutes.log`), 'chain-reload-slow');
    expect(finding.message).toContain('252 s');
    expect(finding.message).toContain('4 x 61 s');
    expect(finding.fixes.find(({setting}) => setting === 'worker-reload-mercy')).toMatchObject({
      value: '5',
      effect: expect.stringContaining('4 x 8 to 9 s'),
    });
  });

  test('a chain that the excerpt cuts is no hang', async () => {
    const {findings} = await diagnose(`${REPORTED}/003-chain-reload-cut.log`);
    expect(findings.find(({rule}) => rule === 'reload-unfinished')?.severity).toBe('info');
  });

  test("recycling without the application's own lines: at risk, and no proof", async () => {
    const {rules: results} = await diagnose(`${REPORTED}/001-max-requests-respawn.log`);
    const result = results.find(({id}) => id === 'respawn-orphans-tasks');
    expect(result?.result).toBe('undecided');
    expect(result?.reason).toContain('65656');
  });

  test('pids tell which task was lost, not thread ids', async () => {
    const finding = found(await diagnose(`${REPORTED}/001-app-tasks.log`), 'respawn-orphans-tasks');
    expect(finding.pids).toEqual([19272]);
    expect(finding.evidence.at(-1)?.shows).toContain('18134');
  });
});

const samples = recordings('uwsgi');

describe('recorded logs say what really happened', () => {
  test.each(samples)('%s', async (sample) => {
    const {expected, mustNotFire} = truthOf(sample);
    const diagnosis = await diagnosed(logsOf(sample));
    const fired = troubles(diagnosis);
    // What is to be told may be a note.
    expect(diagnosis.findings.map(({rule}) => rule)).toEqual(expect.arrayContaining(expected.filter((id) => known.has(id))));
    expect(fired.filter((id) => mustNotFire.includes(id))).toEqual([]);
  });
});

describe('every report', () => {
  const logs = [
    ...fixtures.map(([rule, name]) => join(FIXTURES, rule, name)),
    ...samples.map((sample) => join(sample, 'uwsgi.log')),
    ...readdirSync(REPORTED)
      .filter((name) => name.endsWith('.log'))
      .map((name) => join(REPORTED, name)),
  ];

  test.each(logs)('%s: proves what it says and does not contradict itself', async (file) => {
    const {timeline, findings, rules: results} = await diagnose(file);
    const lines = readFileSync(file, 'utf8').split('\n').length;
    expect(results.map(({id}) => id)).toEqual(rules.map(({id}) => id));
    for (const {reason} of results) expect(reason.length).toBeGreaterThan(10);
    for (const finding of findings) {
      const instance = timeline.instances.find(({id}) => id === finding.instance);
      for (const {at, shows} of finding.evidence) {
        expect(at.line).toBeLessThanOrEqual(lines);
        expect(shows.length).toBeGreaterThan(5);
      }
      expect(finding.evidence.length).toBeLessThanOrEqual(12);
      const words = [
        finding.title,
        finding.message,
        ...finding.against.map(({because}) => because),
        ...finding.fixes.flatMap(({effect, why}) => [effect, why]),
        ...finding.next,
      ].join('\n');
      expect(words).not.toMatch(/undefined|NaN|null|Infinity|\[object/);
      expect(words).not.toMatch(/ {2}[a-z]/);
      expect(finding.message).toMatch(/[.]$/);
      expect(finding.fixes.some(({setting}) => setting === 'py-call-osafterfork')).toBe(false);
      for (const {since} of finding.fixes) expect(!instance || mayHave(instance, since)).toBe(true);
      expect(finding.fingerprint).toMatch(/^[0-9a-f]{16}$/);
    }
    expect(new Set(findings.map(({fingerprint}) => fingerprint)).size).toBe(findings.length);
    const killed = findings.filter(({rule}) =>
      ['app-threads-block-shutdown', 'forced-kill-undecided', 'recycle-blocked', 'request-blocks-shutdown'].includes(rule),
    );
    const pids = killed.flatMap((finding) => finding.pids);
    expect(new Set(pids).size).toBe(pids.length);
  });
});

describe('many times the same trouble', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rules-'));

  test('a hundred hung reloads of one instance are one finding', async () => {
    const file = join(folder, 'uwsgi.log');
    writeFileSync(file, hundredReloads());
    const {findings} = await analyze({inputs: [file]});
    const own = findings.filter(({rule}) => rule === 'app-threads-block-shutdown');
    expect(own).toHaveLength(1);
    expect(own[0]?.message).toContain('200 workers had to be killed in 100 reloads');
    expect(own[0]?.message.length).toBeLessThan(1500);
    expect(own[0]?.reload).toBeNull();
    const once = found(await diagnose(`${FIXTURES}/app-threads-block-shutdown/fires-all-idle.log`), 'app-threads-block-shutdown');
    expect(own[0]?.fingerprint).toBe(once.fingerprint);
  });
});

function hundredReloads(): string {
  const lines = [
    'spawned uWSGI master process (pid: 100)',
    'spawned uWSGI worker 1 (pid: 1001, cores: 1)',
    'spawned uWSGI worker 2 (pid: 1002, cores: 1)',
  ];
  for (let round = 0; round < 100; round++) {
    const [first, second] = [1001 + 2 * round, 1002 + 2 * round];
    const stamp = `Wed Mar  4 ${String(Math.floor(round / 5)).padStart(2, '0')}:${String((round % 5) * 10).padStart(2, '0')}:00 2026`;
    lines.push(
      '...gracefully killing workers...',
      `Gracefully killing worker 1 (pid: ${first})...`,
      `Gracefully killing worker 2 (pid: ${second})...`,
      `${stamp} - worker 1 (pid: ${first}) is taking too much time to die...NO MERCY !!!`,
      `${stamp} - worker 2 (pid: ${second}) is taking too much time to die...NO MERCY !!!`,
      'worker 1 buried after 0 seconds',
      'worker 2 buried after 0 seconds',
      'binary reloading uWSGI...',
      'gracefully (RE)spawned uWSGI master process (pid: 100)',
      `spawned uWSGI worker 1 (pid: ${first + 2}, cores: 1)`,
      `spawned uWSGI worker 2 (pid: ${second + 2}, cores: 1)`,
    );
  }
  return `${lines.join('\n')}\n`;
}

describe('figures and words', () => {
  test('requests longer than a limit: only those that are so for certain', () => {
    // 1,200 below 100 ms, 3 from 5 to 10 s, 1 from 60 to 120 s.
    const requests = {count: 1204, longest: 61, longestLine: null, byDuration: [1200, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0]};
    expect(longerThan(requests, 5)).toBe(4);
    expect(longerThan(requests, 4)).toBe(4);
    expect(longerThan(requests, 10)).toBe(1);
    expect(longerThan(requests, 60)).toBe(1);
    expect(longerThan(requests, 61)).toBe(0);
    expect(isNormal(requests, 5)).toBe(false);
    expect(isNormal({...requests, count: 20}, 5)).toBe(true);
  });

  test('versions compare by their numbers', () => {
    expect(compareVersions('2.0.21-debian', '2.0.21')).toBe(0);
    expect(compareVersions('2.0.9', '2.0.21')).toBeLessThan(0);
    expect(compareVersions('2.0.25.1', '2.0.25')).toBeGreaterThan(0);
    expect(compareVersions('2.1-dev+4ebf0a1', '2.0.30')).toBeGreaterThan(0);
  });

  test('times say how much is known', () => {
    expect(duration({min: 61, max: 61})).toBe('61 s');
    expect(duration({min: 12, max: 14})).toBe('12 to 14 s');
    expect(duration({min: 0, max: 5})).toBe('at most 5 s');
    expect(duration({min: 19, max: null})).toBe('at least 19 s');
    expect(seconds(0.02)).toBe('less than 0.1 s');
    expect(list([1, 2, 3])).toBe('1, 2 and 3');
    expect(list([1, 2, 3, 4], 2)).toBe('1, 2 and 2 more');
  });
});

test('the lines of one kill for memory are one kill, with and without times, and its table tells who had grown', async () => {
  for (const name of ['fires-dmesg-with-the-time-since-boot', 'fires-several-too-many-for-the-limit']) {
    const {title, message} = found(await diagnose(join(FIXTURES, 'memory-kill', `${name}.log`)), 'memory-kill');
    expect(title).not.toContain('times');
    expect(message).toContain(name.includes('dmesg') ? 'uwsgi (pid 409) 148 MiB' : '125 MiB and 116 MiB');
  }
});
