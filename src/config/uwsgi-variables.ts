/** What uWSGI puts into its configuration when it reads it: `%` variables at once, references when all is read. */
import {basename, dirname, extname, resolve} from 'node:path';
import {InputError} from '../source/input-error.ts';
import {isFile, readTextFile} from '../source/text-file.ts';
import {resolved} from './files.ts';
import {numberIn} from './uwsgi-options.ts';

/** A text that is put together when the server starts. */
export interface Text {
  readonly text: string;
  /** What of it only the machine of the server knows; null: nothing. */
  readonly unknown: string | null;
}

/** Variables of the process, its user and its host. */
const OF_MACHINE = new Set('vhHijktTuUgGVbIJO');
/** Variables of the file that was read first (core/uwsgi.c, magic_table_first_round). */
const OF_FIRST = new Set('DSPCENX');

/**
 * The `%` variables of a file, as uWSGI puts them in before it reads a line (core/uwsgi.c, config_magic_table_fill). A % before
 * anything else, the end of a line too, goes and takes it along.
 * @param section The section that was asked for, empty where none was.
 */
export function withVariables(text: string, name: string, section: string): Text {
  if (!text.includes('%')) return {text, unknown: null};
  const full = resolve(name);
  const directory = dirname(full);
  const base = basename(full);
  const extension = extname(base) === '' && base.endsWith('.') ? '' : extname(base).slice(1);
  const parts = directory.split('/').filter((part) => part !== '');
  const known: Readonly<Record<string, string>> = {
    '%': '%',
    '(': '%(',
    '[': '\u001b',
    o: name,
    p: full,
    s: base,
    d: `${directory}/`,
    c: parts.at(-1) ?? '',
    e: extension,
    n: extension === '' ? base : base.slice(0, -extension.length - 1),
    x: section,
  };
  let unknown: string | null = null;
  const replaced = text.replaceAll(/%([\s\S])/g, (whole, letter: string) => {
    if (OF_MACHINE.has(letter) || OF_FIRST.has(letter)) {
      unknown ??= whole;
      return whole;
    }
    return known[letter] ?? (/\d/.test(letter) ? (parts[Number(letter)] ?? '') : '');
  });
  return {text: replaced, unknown};
}

/** Finds what stands for a reference: null where nothing does, and it stays as it is written. */
type Lookup = (name: string) => Text | null;

/** No value that people write grows as long. */
const LONGEST = 100_000;

/**
 * A pass over a value (core/utils.c, uwsgi_apply_config_pass): what was put in is read again, save its first character.
 * Null where it would grow without end.
 */
export function withReferences(value: string, symbol: '$' | '@' | '%', lookup: Lookup): Text | null {
  let text = value;
  let unknown: string | null = null;
  let left = LONGEST;
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== symbol || text[at + 1] !== '(') continue;
    const end = closing(text, at + 2);
    if (end === null) break;
    const name = text.slice(at + 2, end);
    const found = name === '' ? null : lookup(name);
    if (found === null) {
      at = end;
      continue;
    }
    unknown ??= found.unknown;
    if (found.unknown !== null) {
      at = end;
      continue;
    }
    left -= found.text.length + 1;
    if (left < 0 || text.length > LONGEST) return null;
    text = text.slice(0, at) + found.text + text.slice(end + 1);
    at = 0;
  }
  return {text, unknown};
}

function closing(text: string, from: number): number | null {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')' && depth-- === 0) return at;
  }
  return null;
}

/** What is in a file, without the end of its last line. Null where it cannot be read here. */
export function contentOf(name: string, directory: string): string | null {
  try {
    return readTextFile(resolved(name, isFile(name) ? '' : directory)).replace(/[\r\n]$/, '');
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return null;
  }
}

/**
 * What stands between the parentheses of a reference (core/config.c, uwsgi_manage_placeholder): a name, or names, numbers and
 * operators from left to right. `a b + 2` is the two texts joined, and 2 added to them.
 */
export function calculated(expression: string, optionNamed: Lookup): Text | null {
  if (!expression.includes(' ')) return optionNamed(expression);
  let result: string | null = null;
  let unknown: string | null = null;
  let operator = '';
  for (const token of expression.split(' ').filter((each) => each !== '')) {
    if (/^[-+*/]$/.test(token)) {
      operator = token;
    } else if (token === '++' || token === '--') {
      if (result !== null) result = String(numberIn(result) + (token === '++' ? 1 : -1));
      operator = '';
    } else {
      const found: Text | null = /^\d+$/.test(token) ? {text: token, unknown: null} : optionNamed(token);
      unknown ??= found?.unknown ?? null;
      result = applied(result ?? '', operator, found?.text ?? '');
      operator = '';
    }
  }
  return result === null ? null : {text: result, unknown};
}

function applied(left: string, operator: string, right: string): string {
  const [a, b] = [numberIn(left), numberIn(right)];
  switch (operator) {
    case '+':
      return String(a + b);
    case '-':
      return String(a - b);
    case '*':
      return String(a * b);
    case '/':
      return String(b === 0 ? 0 : Math.trunc(a / b));
    default:
      return left + right;
  }
}
