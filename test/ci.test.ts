import {spawnSync} from 'node:child_process';
import {copyFileSync, existsSync, mkdtempSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {Ajv} from 'ajv';
import {describe, expect, test} from 'vitest';
import {parse} from 'yaml';

// The action and the jobs in docs/ci.md: valid by their schemas, and run as a runner would.

interface Action {
  readonly runs: {readonly steps: readonly {readonly run: string; readonly env?: Readonly<Record<string, string>>}[]};
}
interface Workflow {
  readonly jobs: {
    readonly reload: {readonly steps: readonly {readonly uses?: string; readonly with?: Readonly<Record<string, string>>}[]};
  };
}
interface GitlabJobs {
  readonly reload: {readonly script: readonly string[]; readonly artifacts: {readonly reports: Readonly<Record<string, string>>}};
}

const {resolve: find} = createRequire(import.meta.url);
const run = resolve('bin/run.js');
const action = parse(readFileSync('action.yml', 'utf8')) as Action & {readonly inputs: object};
const [workflow, gitlab] = [...readFileSync('docs/ci.md', 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```/gm)]
  .map(([, block]) => parse(block ?? '') as object)
  .filter((block) => 'jobs' in block || 'reload' in block) as [Workflow, GitlabJobs];

function errorsBy(schema: string, document: unknown): unknown {
  const validate = new Ajv({strict: false, validateFormats: false, unicodeRegExp: false, allErrors: true}).compile(
    JSON.parse(readFileSync(find(`schemastore/schemas/json/${schema}`), 'utf8')) as object,
  );
  validate(document);
  return validate.errors;
}

/** A directory with the log of a reload in which workers were killed. */
function workplace(log = 'uwsgi.log'): string {
  const directory = mkdtempSync(join(tmpdir(), 'logdoctor-ci-'));
  copyFileSync('samples/uwsgi/mercy-too-long/uwsgi.log', join(directory, log));
  return directory;
}

describe('the GitHub action', () => {
  const step = action.runs.steps[1]!;
  const runStep = (inputs: Readonly<Record<string, string>>, cwd: string) => {
    const env = Object.fromEntries(
      Object.entries(step.env ?? {}).map(([name, value]) => [
        name,
        value
          .replace(/\$\{\{ github\.action_path \}\}/, resolve('.'))
          .replace(/\$\{\{ inputs\.(\w+) \}\}/, (_, input: string) => inputs[input] ?? ''),
      ]),
    );
    const GITHUB_STEP_SUMMARY = join(cwd, 'summary.md');
    const ended = spawnSync('bash', ['--noprofile', '--norc', '-e', '-o', 'pipefail', '-c', step.run], {
      cwd,
      env: {...process.env, ...env, GITHUB_STEP_SUMMARY},
      encoding: 'utf8',
    });
    return {...ended, summary: existsSync(GITHUB_STEP_SUMMARY) ? readFileSync(GITHUB_STEP_SUMMARY, 'utf8') : ''};
  };

  test('is what GitHub documents', () => expect(errorsBy('github-action.json', action)).toBeNull());

  test('fails with an annotation and a summary where a worker was killed, and writes SARIF', () => {
    const cwd = workplace();
    const {status, stdout, stderr, summary} = runStep(
      {log: 'uwsgi.log\n', arguments: '--max-forced=0\n', sarif: 'out.sarif'},
      cwd,
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^::error /);
    expect(summary).toContain('max-forced');
    expect(JSON.parse(readFileSync(join(cwd, 'out.sarif'), 'utf8')).version).toBe('2.1.0');
    expect(status).toBe(1);
  });

  test('passes where the assertions hold; inputs are no script', () => {
    const name = '-it$(touch broken)s a.log';
    const cwd = workplace(name);
    const {status, stderr} = runStep({log: `${name}\n\n`, arguments: '--max-forced=9\n--max-reload=10m'}, cwd);
    expect(stderr).toBe('');
    expect(existsSync(join(cwd, 'broken'))).toBe(false);
    expect(status).toBe(0);
  });
});

describe('the jobs of docs/ci.md', () => {
  test('the workflow is what GitHub documents, and gives the action only inputs that it has', () => {
    expect(errorsBy('github-workflow.json', workflow)).toBeNull();
    const [use] = workflow.jobs.reload.steps.filter(({uses}) => uses?.includes('/logdoctor@'));
    expect(Object.keys(action.inputs)).toEqual(expect.arrayContaining(Object.keys(use?.with ?? {})));
    expect(Object.keys(use?.with ?? {})).toContain('log');
  });

  test('the GitLab job is what GitLab documents', () => {
    const schema = 'gitlab.com/gitlab-org/gitlab/-/raw/master/app/assets/javascripts/editor/schema/ci.json';
    expect(errorsBy(schema, gitlab)).toBeNull();
  });

  test('the commands of the GitLab job run, and leave the reports that it collects', () => {
    const cwd = workplace();
    const commands = gitlab.reload.script.filter((line) => line.startsWith('logdoctor '));
    const script = [`logdoctor() { '${process.execPath}' '${run}' "$@"; }`, ...commands].join('\n');
    const {status, stderr} = spawnSync('bash', ['-c', script], {cwd, encoding: 'utf8'});
    expect(stderr).toBe('');
    expect(status).toBe(1);
    for (const report of Object.values(gitlab.reload.artifacts.reports)) expect(existsSync(join(cwd, report)), report).toBe(true);
  });
});
