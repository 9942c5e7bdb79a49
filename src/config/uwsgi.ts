import {basename, dirname, extname, resolve} from 'node:path';
import {InputError} from '../source/input-error.ts';
import {isFile, readTextFile} from '../source/text-file.ts';
import {ConfigError, type ConfigFile, type Declaration, type Entry, type Program, plainValue} from './configuration.ts';
import {type Files, missingSection, resolved, splitSection} from './files.ts';

/** Options that read another file on the spot (core/uwsgi.c, UWSGI_OPT_IMMEDIATE). `inherit` does so at the end. */
const INCLUDES = new Set(['ini', 'include', 'yaml', 'yml', 'json', 'js', 'xml', 'config', 'inherit']);
const ENDS = new Set(['end', 'endif', 'endfor', 'end-if', 'end-for']);
/** Options that may be given again, each time for one more value (uwsgi_opt_add_string_list, _add_socket and their kind). */
const LISTS =
  /^(.*socket|https?|env|envdir|(need-)?plugins?|(call|exec|hook)-.*|touch-.*|fs-.*reload|mount|static-map2?|(smart-)?attach-daemon2?|mule|spooler|pythonpath|python-path|pp|(py-|python-|shared-)?import|.*route.*|.*cron2?|(req-)?logger|vassal.*|cache2?|unenv)$/;

/** Placeholders within placeholders, and what they may grow to. */
const DEEPEST = 8;
const LONGEST = 100_000;
/** No configuration that people write has as many. */
const MOST_OPTIONS = 20_000;

/** An option as it was exported by a file, before placeholders are resolved. */
interface Option {
  readonly key: string;
  readonly value: string;
  readonly file: ConfigFile;
  readonly line: number;
}

/**
 * The options of a uWSGI file and of everything that it includes, in the order in which uWSGI comes upon them
 * (core/config.c). `name` may have a section behind a colon. What depends on the machine of the server is left out and noted.
 */
export async function readUwsgi(name: string, files: Files): Promise<Program> {
  const {path, section} = splitSection(name);
  const file = await files.open(path);
  const asked = section ?? 'uwsgi';
  const reader = new UwsgiReader(files);
  await reader.read(file, asked);
  return {
    server: 'uwsgi',
    name: null,
    settings: reader.settings(),
    place: {file, section: asked},
    runs: null,
  };
}

class UwsgiReader {
  private readonly files: Files;
  private readonly options: Option[] = [];
  /** Sections that are being read, by file and name: one that includes itself is not read again. */
  private readonly open: string[] = [];
  private block: {readonly kind: string; readonly argument: string; readonly line: number} | null = null;
  /** The result of the last condition; null where only the server's machine knows. */
  private condition: boolean | null = true;

  constructor(files: Files) {
    this.files = files;
  }

  async read(file: ConfigFile, section: string): Promise<void> {
    const entries = file.entries.filter((entry) => entry.section === section);
    if (!file.sections.some(({name}) => name === section)) throw missingSection(file, section);
    this.open.push(`${file.name}:${section}`);
    for (const entry of entries) await this.take(file, entry);
    this.open.pop();
  }

  /** The values in force: the last one of an option that holds one value, all of an option that collects them. */
  settings(): Declaration[] {
    const given = this.options.flatMap(({key, value, file, line}): Declaration[] => {
      if (INCLUDES.has(key)) return [];
      const expanded = this.expand(value, file, line, 0);
      return [{name: key, value: expanded === '' ? true : plainValue(expanded), file, line}];
    });
    return given.filter(
      ({name, value}, index) =>
        !given.some((later, place) => place > index && later.name === name && (!LISTS.test(name) || later.value === value)),
    );
  }

  private async take(file: ConfigFile, entry: Entry): Promise<void> {
    const {key, line} = entry;
    const value = magic(entry.value ?? '', file);
    if (ENDS.has(key)) {
      this.block = null;
      return;
    }
    if (key === 'else') {
      this.condition = this.condition === null ? null : !this.condition;
      this.block = {kind: 'else', argument: '', line};
      return;
    }
    if (/^(if-?|for)/.test(key) && this.block === null && isLogic(key)) {
      this.block = {kind: key, argument: value, line};
      this.condition = this.judge(key, value);
      if (this.condition === null) this.noteUnknown(file, key, value, line);
      return;
    }
    if (this.block === null) return this.export(file, key, value, line);
    const {kind, argument} = this.block;
    if (kind === 'for' || kind === 'for-times') {
      const items =
        kind === 'for'
          ? argument.split(' ').filter((item) => item !== '')
          : Array.from({length: Math.min(Number(argument) || 0, 1000)}, (_, n) => String(n + 1));
      for (const item of items) await this.export(file, key, value.replaceAll('%(_)', item), line);
    } else if (this.condition === true) {
      const subject = kind.startsWith('if-opt') ? (this.first(argument.split('=')[0] ?? '') ?? '') : argument;
      await this.export(file, key, value.replaceAll('%(_)', subject), line);
    }
  }

  /** Null: the server's environment, files or host decide. */
  private judge(key: string, argument: string): boolean | null {
    if (key === 'for' || key === 'for-times') return true;
    if (key !== 'if-opt' && key !== 'if-not-opt') return null;
    const [option = '', wanted] = argument.split(/=(.*)/s);
    const value = this.first(option);
    const holds = value !== undefined && (wanted === undefined || wanted === value);
    return key === 'if-opt' ? holds : !holds;
  }

  private noteUnknown(file: ConfigFile, key: string, value: string, line: number): void {
    this.files.note(
      file,
      `line ${line}: what stands under "${key} = ${value}" depends on the machine of the server and is left out`,
    );
  }

  private async export(file: ConfigFile, key: string, value: string, line: number): Promise<void> {
    if (key === 'set' || key === 'set-placeholder' || key === 'set-ph') {
      const [name = '', text = ''] = value.split(/=(.*)/s);
      return this.export(file, name, text, line);
    }
    this.options.push({key, value, file, line});
    if (this.options.length > MOST_OPTIONS) {
      throw new ConfigError(
        file.name,
        line,
        `more than ${MOST_OPTIONS} options, counting those of loops and includes`,
        'look for files that include each other',
      );
    }
    if (INCLUDES.has(key)) await this.include(file, value, line);
  }

  private async include(from: ConfigFile, value: string, line: number): Promise<void> {
    const name = this.expand(value, from, line, 0);
    const [file, section] = name.startsWith(':') ? [from, name.slice(1)] : await this.included(from, name, line);
    if (file === null) return;
    if (this.open.includes(`${file.name}:${section}`)) {
      this.files.note(from, `line ${line} includes ${name}, which is being read already`);
      return;
    }
    await this.read(file, section);
  }

  private async included(from: ConfigFile, name: string, line: number): Promise<[ConfigFile | null, string]> {
    const seen = resolved(name, '');
    const beside = resolved(name, dirname(from.name));
    const {path, section} = splitSection(isFile(splitSection(seen).path) ? seen : beside);
    return [await this.files.openIncluded(path, from, line), section ?? 'uwsgi'];
  }

  /** `%(name)`, `$(VARIABLE)` and `@(file)`, as far as they can be told here. */
  private expand(value: string, file: ConfigFile, line: number, depth: number): string {
    if (depth > DEEPEST) return value;
    const expanded = value
      .replaceAll(/%\(([^()]*)\)/g, (whole, name: string) => {
        const result = this.calculate(name.trim().split(/\s+/), file, line, depth);
        if (result === null) this.files.note(file, `line ${line}: nothing sets the placeholder ${whole}`);
        return result ?? whole;
      })
      .replaceAll(/\$\(([^()]*)\)/g, (whole) => {
        this.files.note(file, `line ${line}: ${whole} is from the environment of the server, which is not known here`);
        return whole;
      })
      .replaceAll(/@\(([^()]*)\)/g, (whole, name: string) => {
        try {
          return readTextFile(resolved(name, isFile(name) ? '' : dirname(file.name))).trimEnd();
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          this.files.note(file, `line ${line}: the file in ${whole} cannot be read here`);
          return whole;
        }
      });
    if (depth > 0 && expanded.length > LONGEST) {
      throw new ConfigError(file.name, line, 'a placeholder that grows without end', 'look for one that stands in its own value');
    }
    return expanded;
  }

  /** `a`, or a pipeline of calculations from left to right: `a b + 2` is the two texts joined, and 2 added to them. */
  private calculate(tokens: readonly string[], file: ConfigFile, line: number, depth: number): string | null {
    let result: string | null = null;
    let operator = '';
    for (const token of tokens) {
      if (/^([-+*/~]|\+\+|--|!)$/.test(token)) {
        operator = token;
        continue;
      }
      const known = this.first(token);
      const text = known === undefined ? (/^\d+$/.test(token) ? token : null) : this.expand(known, file, line, depth + 1);
      if (text === null) return null;
      result = result === null ? text : applied(result, operator, text);
      operator = '';
    }
    if (operator === '++') return String(Number(result) + 1);
    if (operator === '--') return String(Number(result) - 1);
    return result;
  }

  /** uWSGI takes the first value that was given (uwsgi_get_exported_opt). */
  private first(key: string): string | undefined {
    return this.options.find((option) => option.key === key)?.value;
  }
}

function applied(left: string, operator: string, right: string): string {
  const [a, b] = [Number(left), Number(right)];
  switch (operator) {
    case '+':
      return String(a + b);
    case '-':
      return String(a - b);
    case '*':
      return String(a * b);
    case '/':
      return String(Math.trunc(a / b));
    default:
      return left + right;
  }
}

function isLogic(key: string): boolean {
  return /^(for(-glob|-readline|-times)?|if-(not-)?(opt|env|reload|hostname|hostname-match|exists|plugin|file|dir)|if-directory|ifdir|ifenv|ifexists|ifplugin)$/.test(
    key,
  );
}

/** The `%` variables of a file, as uWSGI puts them in before it reads a line (core/uwsgi.c, config_magic_table_fill). */
function magic(text: string, file: ConfigFile): string {
  if (!text.includes('%')) return text;
  const full = resolve(file.name);
  const directory = dirname(full);
  const name = basename(full);
  const extension = extname(name).slice(1);
  const parts = directory.split('/').filter((part) => part !== '');
  return text.replaceAll(/%(.)/g, (whole, letter: string) => {
    switch (letter) {
      case '(':
        return whole;
      case '%':
        return '%';
      case 'o':
        return file.name;
      case 'p':
        return full;
      case 's':
        return name;
      case 'd':
        return `${directory}/`;
      case 'c':
        return parts.at(-1) ?? '';
      case 'e':
        return extension;
      case 'n':
        return extension === '' ? name : name.slice(0, -extension.length - 1);
      case 'v':
      case 'h':
      case 'H':
      case 'i':
      case 'j':
      case 'k':
      case 't':
      case 'T':
      case 'u':
      case 'U':
      case 'g':
      case 'G':
      case 'V':
      case 'x':
      case 'X':
      case 'b':
        return whole;
      default:
        return /\d/.test(letter) ? (parts[Number(letter)] ?? '') : '';
    }
  });
}
