/** Random configurations of gunicorn, with command lines and environments, and what the real server makes of them. */
import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import type {Chance, Tree} from './cases.ts';

const NUMBERS = ['timeout', 'graceful_timeout', 'max_requests', 'max_requests_jitter', 'workers', 'threads', 'keepalive'];
export const NAMES = [...NUMBERS, 'preload_app', 'worker_class', 'bind', 'proc_name', 'daemon', 'capture_output'];
export const LOG = [
  '[2026-03-01 10:00:00 +0000] [300] [INFO] Starting gunicorn 20.1.0',
  '[2026-03-01 10:00:00 +0000] [300] [INFO] Listening at: http://127.0.0.1:8000 (300)',
  '[2026-03-01 10:00:00 +0000] [300] [INFO] Using worker: sync',
  '[2026-03-01 10:00:00 +0000] [301] [INFO] Booting worker with pid: 301',
]
  .map((line) => `${line}\n`)
  .join('');

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

export interface Case {
  readonly files: Tree;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export function caseOf(chance: Chance): Case {
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
    files: {'gunicorn.conf.py': conf, 'more.py': `${more}\n`, 'web.service': unit, 'gunicorn.log': LOG},
    arguments: own,
    environment,
  };
}

/** The settings of each case; null where it is refused. */
export function oracle(cases: readonly Case[], directories: readonly string[]): (Record<string, unknown> | null)[] {
  const asked = cases.map((each, round) =>
    JSON.stringify({directory: directories[round], arguments: each.arguments, environment: each.environment, names: NAMES}),
  );
  const printed = execFileSync('/usr/bin/python3', ['-B', join(import.meta.dirname, 'gunicorn_oracle.py')], {
    input: asked.join('\n'),
    encoding: 'utf8',
    env: {PATH: process.env['PATH']},
    maxBuffer: 2 ** 26,
  });
  return printed
    .trim()
    .split('\n')
    .map((line): Record<string, unknown> | null => JSON.parse(line));
}

export function same(real: unknown, ours: unknown): boolean {
  const text = (value: unknown): string => (Array.isArray(value) ? value.map(text).join(', ') : String(value));
  return text(real).toLowerCase() === text(ours).toLowerCase() || (typeof ours !== 'boolean' && Number(ours) === Number(real));
}
