import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, describe, expect, test} from 'vitest';
import {analyze, type Diagnosis} from '../../../src/analyze.ts';
import {readConfiguration} from '../../../src/config/read.ts';
import {namesOf, optionValue} from '../../../src/config/uwsgi-options.ts';
import {patch} from '../../../src/report/patch.ts';
import {Chance, Folder, ROUNDS, seed, type Tree, told} from './cases.ts';
import * as gunicorn from './gunicorn.ts';
import * as supervisord from './supervisord.ts';
import * as systemd from './systemd.ts';
import * as uwsgi from './uwsgi.ts';

// A patch keeps its word: it applies with patch(1), and the server has the value that the fix names, in any format.

const folder = new Folder();
afterAll(() => folder.remove());

interface Promised {
  readonly setting: string;
  readonly section: string;
  readonly value: string;
}

const UWSGI_LOG = `*** Starting uWSGI 2.0.21 (64bit) on [Sun Mar  1 10:00:00 2026] ***
spawned uWSGI master process (pid: 300)
spawned uWSGI worker 1 (pid: 301, cores: 1)
`;
const SUPERVISORD_LOG = `2026-03-01 10:00:00,000 INFO supervisord started with pid 1
2026-03-01 10:00:01,000 INFO spawned: 'web' with pid 10
2026-03-01 10:00:02,000 INFO success: web entered RUNNING state, process has stayed up for > than 1 seconds (startsecs)
`;

/** Asks for fixes and applies what is printed. False where no patch is offered. */
async function patched(directory: string, log: string, configs: readonly string[], all: readonly Promised[]): Promise<boolean> {
  const diagnosis = await analyze({inputs: [join(directory, log)], configs: configs.map((name) => join(directory, name))});
  const instance = diagnosis.timeline.instances[0]?.id;
  const [some] = all.map((each) => ({...each, effect: 'none', why: 'none', since: null, safety: 'safe'}));
  const findings = all.map((each) => ({
    rule: 'a-rule',
    instance,
    fixes: [{...some, ...each}],
  })) as unknown as Diagnosis['findings'];
  const text = patch.render({...diagnosis, findings}, {width: 100, color: false, quiet: false, showRules: false});
  if (!text.includes('\n+')) return false;
  execFileSync('patch', ['-p0', '--no-backup-if-mismatch', '--fuzz=0', '-d', '/'], {input: text, encoding: 'utf8'});
  return true;
}

function promiseOf(chance: Chance, all: readonly Promised[]): readonly Promised[] {
  const chosen = all.filter(() => chance.oneIn(3));
  return chosen.length === 0 ? [chance.of(all)] : chosen;
}

const of =
  (section: string) =>
  ([setting, value]: readonly [string, string]): Promised => ({setting, section, value});

describe.skipIf(!existsSync('/usr/bin/patch'))('a patch is what it says', () => {
  test.skipIf(!existsSync('/usr/bin/uwsgi')).each(['ini', 'yaml', 'json', 'xml'])(
    'uWSGI: %s',
    async (format) => {
      const counts = {refused: 0, declined: 0, applied: 0};
      for (let round = 0; round < ROUNDS / 2; round++) {
        const chance = new Chance(round);
        const files: Tree = {...uwsgi.treeFor(chance, format), 'uwsgi.log': UWSGI_LOG};
        const directory = folder.write(`patch-${format}-${round}`, files);
        const name = `app.${format}`;
        if (uwsgi.oracle(directory, join(directory, name)) === null) {
          counts.refused++;
          continue;
        }
        const fixes = [
          ['worker-reload-mercy', '65'],
          ['harakiri', '120'],
          ['listen', '256'],
          ['max-requests', '5000'],
          ['lazy-apps', 'true'],
          ['die-on-term', 'true'],
          ['py-call-uwsgi-fork-hooks', 'true'],
        ] as const;
        const all = promiseOf(chance, fixes.map(of('uwsgi')));
        const say = () =>
          `${JSON.stringify(all)} ${told(round, files)}\n${execFileSync('cat', [join(directory, name)], {encoding: 'utf8'})}`;
        for (const each of all) {
          if (!(await patched(directory, 'uwsgi.log', [name], [each]))) {
            counts.declined++;
            continue;
          }
          const given = uwsgi.oracle(directory, join(directory, name));
          const last = given?.filter(([key]) => namesOf(each.setting).includes(key)).at(-1);
          expect(last && optionValue(...last), `${each.setting} ${say()}`).toBe(optionValue(each.setting, each.value));
          const {programs} = await readConfiguration([join(directory, name)]);
          const ours = programs[0]?.settings.findLast((own) => own.name === each.setting);
          expect(ours?.unknown ?? ours?.value, `${each.setting} ${say()}`).toBe(optionValue(each.setting, each.value));
          counts.applied++;
        }
      }
      process.stdout.write(`${format}, SEED=${seed}: ${JSON.stringify(counts)}\n`);
      expect(counts.applied).toBeGreaterThan(counts.declined);
    },
    300_000,
  );

  test.skipIf(!existsSync('/usr/bin/gunicorn'))(
    'gunicorn',
    async () => {
      const cases = Array.from({length: ROUNDS}, (_, round) => ({
        ...gunicorn.caseOf(new Chance(round)),
        arguments: [],
        environment: {},
      }));
      const directories = cases.map(({files}, round) => folder.write(`patch-gunicorn-${round}`, files));
      const before = gunicorn.oracle(cases, directories);
      const fixes = [
        ['timeout', '120'],
        ['graceful_timeout', '65'],
        ['max_requests_jitter', '50'],
        ['preload_app', 'False'],
        ['worker_class', 'gthread'],
      ] as const;
      const promised: (Promised | null)[] = [];
      for (const [round, directory] of directories.entries()) {
        const each = new Chance(round).of(fixes.map(of('gunicorn')));
        const isOffered = before[round] !== null && (await patched(directory, 'gunicorn.log', ['gunicorn.conf.py'], [each]));
        promised.push(isOffered ? each : null);
      }
      const after = gunicorn.oracle(cases, directories);
      for (const [round, each] of promised.entries()) {
        if (each === null) continue;
        const say = `${JSON.stringify(each)} ${told(round, cases[round]?.files ?? {})}\n${execFileSync('cat', [join(directories[round] ?? '', 'gunicorn.conf.py')], {encoding: 'utf8'})}`;
        expect(after[round], say).not.toBeNull();
        expect(gunicorn.same(after[round]?.[each.setting], each.value), `${after[round]?.[each.setting]} ${say}`).toBe(true);
      }
      const applied = promised.filter((each) => each !== null).length;
      process.stdout.write(`gunicorn, SEED=${seed}: ${applied} of ${before.filter((each) => each !== null).length}\n`);
      expect(applied).toBeGreaterThan(ROUNDS / 4);
    },
    300_000,
  );

  test.skipIf(!existsSync('/usr/bin/supervisord'))(
    'supervisord',
    async () => {
      const cases = Array.from(
        {length: ROUNDS},
        (_, round): Tree => ({...supervisord.treeFor(new Chance(round)), 'supervisord.log': SUPERVISORD_LOG}),
      );
      const directories = cases.map((files, round) => folder.write(`patch-supervisord-${round}`, files));
      const before = supervisord.oracle(directories);
      const fixes = [
        ['stopwaitsecs', '66'],
        ['stopsignal', 'INT'],
        ['killasgroup', 'true'],
      ] as const;
      const promised: (Promised | null)[] = [];
      for (const [round, directory] of directories.entries()) {
        const each = new Chance(round).of(fixes.map(of('program:web')));
        const isOffered = before[round] !== null && (await patched(directory, 'supervisord.log', ['supervisord.conf'], [each]));
        promised.push(isOffered ? each : null);
      }
      const after = supervisord.oracle(directories);
      for (const [round, each] of promised.entries()) {
        if (each === null) continue;
        const say = `${JSON.stringify(each)} ${told(round, cases[round] ?? {})}\n${execFileSync('cat', [join(directories[round] ?? '', 'supervisord.conf')], {encoding: 'utf8'})}`;
        expect(String(after[round]?.['web']?.[each.setting]), say).toBe(each.value);
      }
      const applied = promised.filter((each) => each !== null).length;
      process.stdout.write(`supervisord, SEED=${seed}: ${applied} of ${before.filter((each) => each !== null).length}\n`);
      expect(applied).toBeGreaterThan(ROUNDS / 4);
    },
    300_000,
  );

  test.skipIf(!systemd.isThere)(
    'systemd',
    async () => {
      const names = Array.from({length: ROUNDS}, (_, round) => `case${round}.service`);
      const exec = 'ExecStart=/usr/bin/gunicorn app:app';
      const cases = names.map((name, round) => systemd.treeFor(new Chance(round), name, exec));
      const wants = `[Unit]\n${names.map((name) => `Wants=${name}`).join('\n')}\n`;
      const log = {'gunicorn.log': gunicorn.LOG};
      const units = folder.write('patch-units', Object.assign({'all.target': wants}, log, ...cases));
      const fixes = [
        ['TimeoutStopSec', '66'],
        ['KillMode', 'mixed'],
        ['KillSignal', 'SIGINT'],
      ] as const;
      const promised: (Promised | null)[] = [];
      for (const [round, name] of names.entries()) {
        const each = new Chance(round).of(fixes.map(of('Service')));
        promised.push((await patched(units, 'gunicorn.log', [name], [each])) ? each : null);
      }
      const after = systemd.oracle(units);
      for (const [round, each] of promised.entries()) {
        if (each === null) continue;
        expect(
          String(after.get(names[round] ?? '')?.[each.setting]),
          `${JSON.stringify(each)} ${told(round, cases[round] ?? {})}`,
        ).toBe(each.value);
      }
      const applied = promised.filter((each) => each !== null).length;
      process.stdout.write(`systemd, SEED=${seed}: ${applied} of ${ROUNDS}\n`);
      expect(applied).toBeGreaterThan(ROUNDS / 2);
    },
    300_000,
  );
});
