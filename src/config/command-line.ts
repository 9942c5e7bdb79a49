import {type Command, type ConfigFile, type Declaration, plainValue} from './configuration.ts';

/** gunicorn's short options (gunicorn/config.py). Long ones are the setting's name with dashes, save the few below. */
const GUNICORN_SHORT: Readonly<Record<string, string>> = {
  b: 'bind',
  c: 'config',
  t: 'timeout',
  w: 'workers',
  k: 'worker_class',
  D: 'daemon',
  p: 'pidfile',
  u: 'user',
  g: 'group',
  n: 'proc_name',
};
const GUNICORN_LONG: Readonly<Record<string, string>> = {
  preload: 'preload_app',
  name: 'proc_name',
  log_file: 'errorlog',
  threads: 'threads',
};
const GUNICORN_FLAGS = new Set([
  'preload_app',
  'daemon',
  'reload',
  'check_config',
  'no_sendfile',
  'reuse_port',
  'spew',
  'capture_output',
]);
const UWSGI_SHORT: Readonly<Record<string, string>> = {
  p: 'processes',
  M: 'master',
  T: 'enable-threads',
  R: 'max-requests',
  t: 'harakiri',
  x: 'xml',
  y: 'yaml',
  j: 'json',
  s: 'socket',
  w: 'module',
};
const UWSGI_FILES = new Set(['ini', 'yaml', 'yml', 'json', 'xml', 'config', 'include']);
const CONFIGURATION = /\.(ini|ya?ml|json|xml)(:[^:/]*)?$/;

/** The application server that a command line starts, with the options it gives it; null where it starts none that is known. */
export function readCommand(command: string, file: ConfigFile, line: number): Command | null {
  const words = wordsOf(command);
  const index = words.findIndex((word) => /(^|\/)(uwsgi(_[\w.-]+)?|gunicorn\d?)$/.test(word));
  if (index < 0) {
    // sh -c 'exec uwsgi ...'
    const inner = words.find((word) => /\s/.test(word) && /uwsgi|gunicorn/.test(word));
    return inner === undefined ? null : readCommand(inner, file, line);
  }
  const server = /uwsgi/.test((words[index] ?? '').split('/').at(-1) ?? '') ? 'uwsgi' : 'gunicorn';
  const settings: Declaration[] = [];
  const files: string[] = [];
  const options = words.slice(index + 1);
  for (let at = 0; at < options.length; at++) {
    const word = options[at] ?? '';
    const [, dashes, name = '', given] = /^(--?)([\w-]+?)(?:=(.*))?$/s.exec(word) ?? [];
    if (dashes === undefined) {
      if (server === 'uwsgi' && CONFIGURATION.test(word)) files.push(word);
      continue;
    }
    const option = server === 'uwsgi' ? uwsgiOption(dashes, name) : gunicornOption(dashes, name);
    if (option === null) continue;
    const next = options[at + 1];
    const isFlag = server === 'gunicorn' && GUNICORN_FLAGS.has(option.name);
    const takesNext = given === undefined && option.attached === null && !isFlag && next !== undefined && !next.startsWith('-');
    const value = given ?? option.attached ?? (takesNext ? next : 'true');
    // "--master app.ini": what looks like a file belongs to no flag.
    if (takesNext && !(server === 'uwsgi' && CONFIGURATION.test(next) && !UWSGI_FILES.has(option.name))) at++;
    if (option.name === 'config' || (server === 'uwsgi' && UWSGI_FILES.has(option.name))) files.push(value.replace(/^file:/, ''));
    else settings.push({name: option.name, value: plainValue(value), file, line});
  }
  return {server, files, settings, fallbacks: []};
}

interface Option {
  readonly name: string;
  /** `-w4` */
  readonly attached: string | null;
}

function uwsgiOption(dashes: string, name: string): Option | null {
  if (dashes === '--') return {name, attached: null};
  const long = UWSGI_SHORT[name.charAt(0)];
  return long === undefined ? null : {name: long, attached: name.length > 1 ? name.slice(1) : null};
}

function gunicornOption(dashes: string, name: string): Option | null {
  if (dashes === '--') {
    const setting = name.replaceAll('-', '_');
    return {name: GUNICORN_LONG[setting] ?? setting, attached: null};
  }
  const long = GUNICORN_SHORT[name.charAt(0)];
  return long === undefined ? null : {name: long, attached: name.length > 1 ? name.slice(1) : null};
}

/** As a shell splits them: quotes keep words together. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/(?:[^\s"']|"(?:\\.|[^"\\])*"|'[^']*')+/g)].map(([word]) =>
    word.replaceAll(/"((?:\\.|[^"\\])*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ''),
  );
}
