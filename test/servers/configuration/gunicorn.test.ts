import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, describe, expect, test} from 'vitest';
import {analyze} from '../../../src/analyze.ts';
import {isUnknown, setting} from '../../../src/rules/settings.ts';
import {Chance, Folder, ROUNDS, seed, type Tree, told} from './cases.ts';

// Asks the real server what it makes of random configurations, command lines and environments.

const folder = new Folder();
afterAll(() => folder.remove());

const NUMBERS = ['timeout', 'graceful_timeout', 'max_requests', 'max_requests_jitter', 'workers', 'threads', 'keepalive'];
const NAMES = [...NUMBERS, 'preload_app', 'worker_class', 'bind', 'proc_name', 'daemon', 'capture_output'];
const LOG = [
  '[2026-03-01 10:00:00 +0000] [300] [INFO] Starting gunicorn 20.1.0',
  '[2026-03-01 10:00:00 +0000] [300] [INFO] Listening at: http://127.0.0.1:8000 (300)',
  '[2026-03-01 10:00:00 +0000] [300] [INFO] Using worker: sync',
  '[2026-03-01 10:00:00 +0000] [301] [INFO] Booting worker with pid: 301',
];

function number(chance: Chance): string {
  return String(1 + chance.below(300));
}

function expression(chance: Chance, depth: number): string {
  const inner = () => expression(chance, depth + 1);
  const name = () => chance.of(['BASE', 'TIMES', ...NUMBERS]);
  return chance.of([
    () => number(chance),
    () => number(chance),
    () => number(chance),
    name,
    () => `0x1f`,
    () => `"${number(chance)}"`,
    ...(depth > 2
      ? []
      : [
          () => `${inner()} ${chance.of(['+', '-', '*', '//', '%', '**', '<<'])} ${inner()}`,
          () => `(${inner()})`,
          () => `-${inner()}`,
          () => `int(os.environ.get("LIMIT", ${inner()}))`,
          () => `os.getenv("ABSENT", "${number(chance)}")`,
          () => `multiprocessing.cpu_count() * 2 + 1`,
          () => `max(${inner()}, ${inner()})`,
          () => `${inner()} if ${inner()} > 60 else ${inner()}`,
          () => `${inner()} or ${inner()}`,
          () => `(${chance.of(NUMBERS)} := ${inner()})`,
          () => `int(f"{${inner()}}")`,
          () => `abs(${inner()})`,
          () => `len("abc\\x41")`,
        ]),
  ])();
}

function assignment(chance: Chance): string {
  const key = chance.of([...NUMBERS, ...NUMBERS, 'preload_app', 'worker_class', 'bind', 'proc_name', 'capture_output']);
  if (key === 'preload_app' || key === 'capture_output')
    return `${key} = ${chance.of(['True', 'False', '"true"', 'not True', 'bool(os.environ.get("LIMIT"))'])}`;
  if (key === 'worker_class')
    return `${key} = ${chance.of(['"sync"', "'gthread'", '"g" "thread"', '"g" + "thread"', '"%s" % "sync"'])}`;
  if (key === 'bind')
    return `${key} = ${chance.of(['"127.0.0.1:9"', '["127.0.0.1:9", "127.0.0.1:8"]', '("127.0.0.1:9",)', 'f"127.0.0.1:{BASE}"', '"unix:/tmp/\\u0061"'])}`;
  if (key === 'proc_name')
    return `${key} = ${chance.of(['"a\\tb"', "r'a\\tb'", '"""a"b"""', '"a\\\nb"', "'a' if BASE else 'b'", '"\\x41\\101"', "'it\\'s'"])}`;
  return `${key} = ${expression(chance, 0)}`;
}

function statement(chance: Chance): string {
  const one = () => assignment(chance);
  const [key, other] = [chance.of(NUMBERS), chance.of(NUMBERS)];
  const indented = (text: string) => text.replaceAll('\\\n', '').replaceAll(/^/gm, '    ');
  return chance.of([
    one,
    one,
    one,
    one,
    one,
    () => `${one()}  # seconds`,
    () => `if os.environ.get("LIMIT"):\n${indented(one())}\nelse:\n${indented(one())}`,
    () => `if ${key.toUpperCase()} > 5:\n${indented(one())}`,
    () => `try:\n${indented(one())}\nexcept Exception as ${key}:\n    pass`,
    () => `for ${key} in (1, 2):\n${indented(one())}`,
    () => `${key} += ${number(chance)}`,
    () => `${key} = ${other} = ${number(chance)}`,
    () => `${key}, ${other} = ${number(chance)}, ${number(chance)}`,
    () => `${key}: int = ${number(chance)}`,
    () => `${key}: int`,
    () => `BASE = ${number(chance)}; ${key} = BASE`,
    () => `from more import ${key}`,
    () => `from more import ${key} as ${other}`,
    () => `from more import *`,
    () => `import more\n${key} = more.${key}`,
    () => `del ${key}`,
    () => `globals()["${key}"] = ${number(chance)}`,
    () => `locals().update({"${key}": ${number(chance)}})`,
    () => `exec("${key} = 4")`,
    () => `def set_it():\n    global ${key}\n    ${key} = 9\nset_it()`,
    () => `def post_fork(server, worker):\n    ${key} = 3`,
    () => `class Local:\n    ${key} = 3`,
    () => `with open(__file__) as ${key}:\n    ${key} = 5`,
    () => `${key} = lambda: 5\n${key} = 5`,
    () => `[${key} for ${key} in (1, 2)]`,
    () => `TIMES = (${key} if "${key}" in globals() else 2)`,
    () => `while True:\n    ${key} = 2\n    break`,
    () => `match 5:\n    case ${key}:\n        pass`,
  ])();
}

interface Case {
  readonly files: Tree;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

function caseOf(chance: Chance): Case {
  const uppercase = NUMBERS.map((name) => `${name.toUpperCase()} = ${number(chance)}`).join('\n');
  const conf = `import multiprocessing\nimport os\nBASE = ${number(chance)}\nTIMES = 2\n${uppercase}\n${chance.many(7, () => statement(chance)).join('\n')}\n`;
  const more = NUMBERS.map((name) => `${name} = ${number(chance)}`).join('\n');
  const flags = () =>
    chance.many(3, () =>
      chance.of([
        ['--timeout', number(chance)],
        [`--timeout=${number(chance)}`],
        ['-t', number(chance)],
        [`-t${number(chance)}`],
        ['-w', number(chance)],
        ['--workers', number(chance)],
        ['--graceful-timeout', number(chance)],
        ['--max-requests', number(chance)],
        ['--keep-alive', number(chance)],
        ['--preload'],
        ['-D'],
        ['-R', '--capture-output'],
        ['-k', 'gthread'],
        ['--worker-class=sync'],
        ['-n', 'shop'],
        ['--name', 'a b'],
        ['-e', 'X=1'],
      ]),
    );
  const quoted = (words: readonly string[]) => words.map((word) => (word.includes(' ') ? `'${word}'` : word)).join(' ');
  const own = [...flags().flat(), ...(chance.oneIn(4) ? ['-b', '127.0.0.1:7'] : [])];
  const variables = chance.oneIn(2) ? {GUNICORN_CMD_ARGS: quoted(flags().flat())} : {};
  const concurrency = chance.oneIn(3) ? {WEB_CONCURRENCY: number(chance)} : {};
  const environment = {...variables, ...concurrency, ...(chance.oneIn(2) ? {LIMIT: number(chance)} : {})};
  const lines = Object.entries(environment).map(([name, value]) => `Environment="${name}=${value}"`);
  const unit = `[Service]\n${lines.join('\n')}\nExecStart=/usr/bin/gunicorn -c gunicorn.conf.py ${quoted(own)} app:app\n`;
  return {
    files: {'gunicorn.conf.py': conf, 'more.py': `${more}\n`, 'web.service': unit, 'gunicorn.log': `${LOG.join('\n')}\n`},
    arguments: own,
    environment,
  };
}

function same(real: unknown, ours: unknown): boolean {
  const text = (value: unknown): string => (Array.isArray(value) ? value.map(text).join(', ') : String(value));
  return text(real).toLowerCase() === text(ours).toLowerCase() || (typeof ours !== 'boolean' && Number(ours) === Number(real));
}

describe.skipIf(!existsSync('/usr/bin/gunicorn'))('gunicorn', () => {
  test('has every value that is read', async () => {
    const cases = Array.from({length: ROUNDS}, (_, round) => caseOf(new Chance(round)));
    const directories = cases.map(({files}, round) => folder.write(`gunicorn-${round}`, files));
    const asked = cases.map((each, round) =>
      JSON.stringify({directory: directories[round], arguments: each.arguments, environment: each.environment, names: NAMES}),
    );
    const printed = execFileSync('/usr/bin/python3', ['-B', join(import.meta.dirname, 'gunicorn_oracle.py')], {
      input: asked.join('\n'),
      encoding: 'utf8',
      env: {PATH: process.env['PATH']},
    });
    const answers = printed
      .trim()
      .split('\n')
      .map((line): Record<string, unknown> | null => JSON.parse(line));
    const counts = {refused: 0, known: 0, unknown: 0, untold: 0};
    const wrong: string[] = [];
    for (const [round, {files}] of cases.entries()) {
      const [real, directory = ''] = [answers[round], directories[round]];
      if (!real) {
        counts.refused++;
        continue;
      }
      const path = (name: string) => join(directory, name);
      const {timeline} = await analyze({
        inputs: [path('gunicorn.log')],
        configs: [path('gunicorn.conf.py'), path('web.service')],
      });
      const [instance] = timeline.instances;
      if (instance === undefined) throw new Error(told(round, files));
      for (const name of NAMES) {
        const ours = setting({...instance, settings: instance.settings.filter(({from}) => from !== 'log')}, name);
        if (ours === null) counts[isUnknown(instance, name) ? 'unknown' : 'untold']++;
        else if (same(real[name], ours.value)) counts.known++;
        else
          wrong.push(
            `${name} is ${real[name]}, read was ${ours.value}: ${told(round, {conf: files['gunicorn.conf.py'] ?? '', unit: files['web.service'] ?? ''})}`,
          );
      }
    }
    process.stdout.write(`SEED=${seed}: ${JSON.stringify(counts)}\n`);
    expect(wrong.slice(0, 3), `${wrong.length} of ${counts.known}`).toEqual([]);
    expect(counts.refused).toBeLessThan(ROUNDS * 0.9);
    expect(counts.known).toBeGreaterThan(counts.unknown / 2);
  }, 300_000);
});
