/** Changes to configuration files, as text: what a file says otherwise, its comments and its order stay as they are. */
import type {ConfigFile, Entry} from './configuration.ts';

export interface Change {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  /** Where it is in force now, of several places; null: nowhere, and it is to be put in. Absent: at the last that has the key. */
  readonly line?: number | null;
}

/** The text of a file with its changes. A key that is there gets the value; a new one goes beside its kin. */
export function edited(file: ConfigFile, changes: readonly Change[]): string {
  const edits = changes.map((change) => editFor(file, change)).sort((a, b) => b.from - a.from);
  return edits.reduce((text, {from, to, put}) => text.slice(0, from) + put + text.slice(to), file.text);
}

/** Replace what stands from `from` to `to`. */
interface Edit {
  readonly from: number;
  readonly to: number;
  readonly put: string;
}

function editFor(file: ConfigFile, {section, key, value, line}: Change): Edit {
  const own = file.entries.filter(
    // Functions and what a condition decides are nothing to put a value in.
    (entry) => entry.section === section && (file.kind !== 'gunicorn' || entry.from !== entry.to),
  );
  const known = own.findLast((entry) => isSameKey(entry.key, key) && (line === undefined || line === entry.line));
  return known === undefined ? insertion(file, section, own, key, value) : replacement(file, known, value);
}

/** supervisord takes keys of any case. */
export function isSameKey(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function replacement(file: ConfigFile, entry: Entry, value: string): Edit {
  const {from, to} = entry;
  if (file.kind === 'uwsgi-xml' && file.text[entry.end - 2] === '/') {
    return {from: entry.start, to: entry.end, put: element(entry.key, value)};
  }
  // A key that is switched on by standing there alone, or one with an empty value.
  if (from === to && (file.kind === 'uwsgi-ini' || file.kind === 'supervisord'))
    return {from, to, put: file.text.slice(entry.start, from).includes('=') ? value : ` = ${value}`};
  return {from, to, put: literal(file, value, file.text.slice(from, to))};
}

function insertion(file: ConfigFile, section: string, own: readonly Entry[], key: string, value: string): Edit {
  const {text, kind} = file;
  const anchor = nearest(file, own, key);
  const written = {
    'uwsgi-ini': `${key} = ${value}`,
    supervisord: `${key}${separatorOf(file, own)}${value}`,
    systemd: `${key}=${value}`,
    environment: `${key}=${value}`,
    gunicorn: `${key} = ${literal(file, value)}`,
    'uwsgi-yaml': `${key}: ${value}`,
    compose: `${key}: ${value}`,
    kubernetes: `${key}: ${value}`,
    'uwsgi-json': `${JSON.stringify(key)}: ${literal(file, value)}`,
    'uwsgi-xml': element(key, value),
  }[kind];
  const [first] = own;
  if (anchor === undefined && first !== undefined && kind.startsWith('uwsgi')) {
    // All stands under conditions, or in loops.
    const indent = /[ \t]*$/.exec(text.slice(0, first.start))?.[0] ?? '';
    return {from: first.start, to: first.start, put: kind === 'uwsgi-json' ? `${written}, ` : `${written}\n${indent}`};
  }
  if (anchor === undefined) {
    const start = file.sections.findLast(({name}) => name === section)?.start ?? text.length;
    const isAtLineStart = start === 0 || text[start - 1] === '\n';
    return {from: start, to: start, put: isAtLineStart ? `${written}\n` : `\n${written}${kind === 'uwsgi-json' ? '' : '\n'}`};
  }
  const indent = kind === 'gunicorn' ? '' : (/[ \t]*$/.exec(text.slice(0, anchor.start))?.[0] ?? '');
  if (kind === 'uwsgi-json')
    return {from: anchor.end, to: anchor.end, put: `,${text.includes('\n') ? `\n${indent}` : ' '}${written}`};
  const eol = text.indexOf('\n', anchor.end);
  // The comment behind a value stays with it.
  const at = eol < 0 ? text.length : eol;
  const isCarriageReturn = text[at - 1] === '\r';
  return {from: at, to: at, put: `\n${indent}${written}${isCarriageReturn ? '\r' : ''}`};
}

/** The last of the keys that share most words with this one, else the last one. Never inside a condition or a loop. */
function nearest(file: ConfigFile, own: readonly Entry[], key: string): Entry | undefined {
  const free = file.kind.startsWith('uwsgi') ? outsideBlocks(own) : own;
  const words = wordsOf(key);
  const shared = (entry: Entry) => wordsOf(entry.key).filter((word) => words.includes(word)).length;
  const most = Math.max(0, ...free.map(shared));
  return most === 0 ? free.at(-1) : free.findLast((entry) => shared(entry) === most);
}

function outsideBlocks(entries: readonly Entry[]): Entry[] {
  let depth = 0;
  return entries.filter(({key}) => {
    if (/^(if-|for|if(dir|env|exists|plugin)$)/.test(key)) depth = 1;
    if (/^end(-?(if|for))?$/.test(key)) {
      depth = 0;
      return true;
    }
    return depth === 0;
  });
}

/** `worker-reload-mercy`, `max_requests`, `TimeoutStopSec` */
function wordsOf(key: string): string[] {
  return key
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .split(/[-_]/);
}

function separatorOf(file: ConfigFile, own: readonly Entry[]): string {
  const [first] = own;
  return first === undefined ? '=' : file.text.slice(first.start + first.key.length, first.from) || '=';
}

function element(key: string, value: string): string {
  return `<${key}>${value.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</${key}>`;
}

/** @param before What stands there now: its quotes are kept. */
function literal({kind}: ConfigFile, value: string, before = ''): string {
  const isNumber = /^-?\d+(\.\d+)?$/.test(value);
  if (kind === 'uwsgi-json')
    return (isNumber || value === 'true' || value === 'false') && !before.startsWith('"') ? value : JSON.stringify(value);
  if (kind === 'gunicorn')
    return isNumber || value === 'True' || value === 'False' || value === 'None' ? value : JSON.stringify(value);
  const quote = /^(["']).*\1$/.exec(before)?.[1] ?? '';
  return kind === 'uwsgi-yaml' ? `${quote}${value}${quote}` : value;
}
