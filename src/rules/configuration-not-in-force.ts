import type {LogEvent} from '../timeline/event.ts';
import type {Instance, Setting} from '../timeline/timeline.ts';
import {type Evidence, type Finding, NO_PROCESS, type Rule} from './rule.ts';
import {count, evidence, instanceName, list, proof, sentences} from './wording.ts';

const rule: Rule = {
  id: 'configuration-not-in-force',
  title: 'The server does not run with what the configuration says',
  severity: 'warning',
  docs: {
    sees:
      'A setting that the start-up lines of the log show with one value and the configuration that was given (--config) ' +
      'with another.',
    why:
      'A server reads its configuration when it starts, and uWSGI again at each full reload. A file that was changed since, ' +
      'another file, an option on the command line or in the environment leave the server with other values than one ' +
      'believes to have set, and what is changed in the wrong file changes nothing.',
    remedy:
      'Look which file the server reads (uWSGI writes "getting INI configuration from ...") and what its command line and ' +
      'its environment (UWSGI_*, GUNICORN_CMD_ARGS) add; then restart or reload it.',
    limits: 'It compares the few settings that a log shows. A log that is older than the file contradicts it rightly.',
    references: ['https://uwsgi-docs.readthedocs.io/en/latest/Configuration.html'],
  },
  needs: {
    messages: [],
    configuration: true,
    otherwise: 'no configuration was given (--config FILE), to be compared with what the log shows',
  },
  *check(timeline) {
    for (const instance of timeline.instances) {
      const pairs = contradictions(instance);
      if (!(pairs.length === 0)) yield describe(instance, pairs);
    }
  },
};

export default rule;

interface Pair {
  readonly name: string;
  readonly told: Setting;
  readonly written: Setting;
}

/** Settings that a log shows with the very value that a file would give them. */
const COMPARABLE = new Set([
  'worker-reload-mercy',
  'listen',
  'master',
  'lazy-apps',
  'thunder-lock',
  'workers',
  'preload_app',
  'reload',
]);

function contradictions(instance: Instance): Pair[] {
  const {settings} = instance;
  return [...COMPARABLE, 'enable-threads']
    .flatMap((name): Pair[] => {
      const written = settings.findLast((each) => each.name === name && each.from === 'config' && each.program === undefined);
      const told = settings.filter((each) => each.name === name && (each.from === 'log' || each.from === 'inferred'));
      const last = told.at(-1);
      if (written === undefined || last === undefined || written.unknown) return [];
      // Threads are on for many reasons; only that they are off contradicts a file that switches them on.
      if (name === 'enable-threads' && (last.value !== false || !truth(written.value))) return [];
      // A log that was right once shows a file that was changed since, or a server that was: neither is a contradiction.
      if (told.some(({value}) => isEqual(value, written.value))) return [];
      return [{name, told: last, written}];
    })
    .concat(...processesBeyond(instance));
}

/** More workers than the file allows. Fewer prove nothing: a log may be cut, and cheaper starts fewer. */
function processesBeyond(instance: Instance): Pair[] {
  const written = instance.settings.findLast(
    ({name, from, program}) => (name === 'processes' || name === 'workers') && from === 'config' && program === undefined,
  );
  const limit = written?.unknown ? Number.NaN : Number(written?.value ?? Number.NaN);
  const beyond = instance.processes.find(
    ({worker, role, started}) => role === 'worker' && worker !== null && worker > limit && started !== null,
  );
  if (written === undefined || beyond?.started == null || instance.supervisor !== 'uwsgi') return [];
  const last = instance.processes.reduce((most, {role, worker}) => (role === 'worker' ? Math.max(most, worker ?? 0) : most), 0);
  return [
    {name: written.name, told: {name: written.name, value: last, from: 'inferred', where: beyond.started as LogEvent}, written},
  ];
}

function truth(value: Setting['value']): boolean {
  return value === true || value === 1;
}

function isEqual(told: Setting['value'], written: Setting['value']): boolean {
  if (typeof told === 'boolean' || typeof written === 'boolean') return truth(told) === truth(written);
  return String(told) === String(written);
}

function describe(instance: Instance, pairs: readonly Pair[]): Finding | null {
  const lines = evidence(
    pairs.flatMap(({name, told, written}): Evidence[] => [
      ...(written.where ? [proof(written.where, `the file sets ${name} to ${written.value}`)] : []),
      ...(told.where ? [proof(told.where, `the server runs with ${name} ${told.value}`)] : []),
    ]),
  );
  if (!lines) return null;
  const inferred = pairs.some(({told}) => told.from === 'inferred');
  return {
    title: rule.title,
    message: sentences(
      `${count(pairs.length, 'setting')} of ${instance.id} ${pairs.length === 1 ? 'is' : 'are'} not what the file says:`,
      `${list(pairs.map(({name, told, written}) => `${name} is ${told.value}, the file has ${written.value}`))}.`,
      'This report goes by the log.',
      'The file was changed after the server read it, the server reads another one, or its command line or environment',
      'overrides it.',
    ),
    confidence: inferred ? 'likely' : 'certain',
    instance: instance.id,
    ...NO_PROCESS,
    evidence: lines,
    against: [],
    cannotSee: ['when the file was changed, and whether this is the file that the server reads'],
    fixes: [],
    next: [
      instance.supervisor === 'uwsgi'
        ? 'the line "[uWSGI] getting ... configuration from" of the log, and tr "\\0" " " < /proc/<master pid>/cmdline'
        : `the command line of ${instance.supervisor}: tr "\\0" " " < /proc/<master pid>/cmdline`,
    ],
    identity: [instanceName(instance), ...pairs.map(({name}) => name).sort()],
  };
}
