import {type Command, type ConfigFile, type Declaration, plainValue} from './configuration.ts';
import {optionValue} from './uwsgi-options.ts';

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
  e: 'raw_env',
  m: 'umask',
  R: 'enable_stdio_inheritance',
};
const GUNICORN_LONG: Readonly<Record<string, string>> = {
  preload: 'preload_app',
  name: 'proc_name',
  pid: 'pidfile',
  env: 'raw_env',
  keep_alive: 'keepalive',
  reload_extra_file: 'reload_extra_files',
  access_logfile: 'accesslog',
  access_logformat: 'access_log_format',
  error_logfile: 'errorlog',
  log_file: 'errorlog',
  log_level: 'loglevel',
  log_config: 'logconfig',
};
const GUNICORN_FLAGS = new Set([
  ...['preload_app', 'daemon', 'reload', 'check_config', 'print_config', 'no_sendfile', 'reuse_port', 'spew', 'capture_output'],
  ...[
    'initgroups',
    'log_syslog',
    'enable_stdio_inheritance',
    'proxy_protocol',
    'suppress_ragged_eofs',
    'do_handshake_on_connect',
  ],
  ...['disable_redirect_access_to_syslog', 'strip_header_spaces', 'tolerate_dangerous_framing', 'permit_obsolete_folding'],
  ...['permit_unconventional_http_method', 'permit_unconventional_http_version', 'casefold_http_method'],
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

/** uWSGI's short options that take no value, and so may stand together: `-Mp4`. */
const UWSGI_SHORT_FLAGS = 'MTimL';
/** What a shell, systemd or supervisord puts in when it starts the command. */
export function isFilledIn(text: string): boolean {
  return /\$\{?\w|\$\(|`|%\(\w+\)s/.test(text);
}

/**
 * The application server that a command line starts, with the options it gives it; null where it starts none that is known.
 * uWSGI takes its files in where they stand, and those that no option names behind all options: what it is given later wins.
 */
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
  let [isNamedAlone, yielding] = [false, 0];
  const options = server === 'uwsgi' ? words.slice(index + 1).flatMap(apart) : words.slice(index + 1);
  for (let at = 0; at < options.length; at++) {
    const word = options[at] ?? '';
    const [, dashes, name = '', given] = /^(--?)([\w-]+?)(?:=(.*))?$/s.exec(word) ?? [];
    if (dashes === undefined) {
      if (server !== 'uwsgi' || !CONFIGURATION.test(word)) continue;
      files.push(word);
      isNamedAlone = true;
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
    const unknown = isFilledIn(value) ? ({unknown: 'value'} as const) : {};
    if (option.name === 'config' || (server === 'uwsgi' && UWSGI_FILES.has(option.name))) {
      files.push(value.replace(/^file:/, ''));
      yielding = settings.length;
    } else if (server === 'uwsgi')
      settings.push({name: option.name, value: optionValue(option.name, value), ...unknown, file, line});
    else settings.push({name: option.name, value: plainValue(value), ...unknown, file, line});
  }
  if (server === 'gunicorn') return {server, files, settings, fallbacks: []};
  const last = isNamedAlone ? settings.length : yielding;
  return {server, files, settings: settings.slice(last), fallbacks: settings.slice(0, last)};
}

function apart(word: string): string[] {
  const [, flags = '', rest = ''] = new RegExp(`^-([${UWSGI_SHORT_FLAGS}]+)(.*)$`, 's').exec(word) ?? [];
  return flags === '' ? [word] : [...[...flags].map((flag) => `-${flag}`), ...(rest === '' ? [] : [`-${rest}`])];
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
