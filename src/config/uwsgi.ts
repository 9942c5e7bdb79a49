import {dirname} from 'node:path';
import {isFile} from '../source/text-file.ts';
import {ConfigError, type ConfigFile, type Declaration, type Entry, type Program, type Section} from './configuration.ts';
import {type Files, missingSection, resolved, splitSection} from './files.ts';
import {ENDS, IMMEDIATE, INCLUDES, isList, isLogic, namesOf, numberIn, optionValue} from './uwsgi-options.ts';
import {calculated, contentOf, type Text, withReferences, withVariables} from './uwsgi-variables.ts';

/** No configuration that people write has as many. */
const MOST_OPTIONS = 20_000;
const MOST_ROUNDS = 1000;
/** Options that set another one. */
const SETTERS = new Set(['set', 'set-placeholder', 'set-ph']);

/** An option as the server takes it in (core/config.c, add_exported_option). */
interface Option {
  readonly key: string;
  /** References are resolved when all is read. */
  text: string;
  /** What of the text only the machine of the server knows; null: nothing. */
  unknown: string | null;
  /** The condition that only the machine of the server can judge; null: the option is there. */
  readonly condition: string | null;
  /** Its references are left as they are. */
  readonly isFixed: boolean;
  readonly file: ConfigFile;
  readonly line: number;
}

/** How the server comes upon an option. */
interface Context {
  readonly file: ConfigFile;
  /** What was asked for behind the colon of the file's name. */
  readonly section: string;
  /** In a condition that holds, or a round of a loop: conditions in what it includes are not looked at. */
  readonly isRunning: boolean;
  readonly condition: string | null;
}

/**
 * The options of a uWSGI file and of everything that it includes, in the order in which uWSGI comes upon them
 * (core/config.c). `name` may have a section behind a colon. What depends on the machine of the server is unknown, and noted.
 */
export async function readUwsgi(name: string, files: Files): Promise<Program> {
  const {path, section} = splitSection(name);
  const file = await files.open(path);
  const there = sectionOf(file, section);
  if (there === null) throw missingSection(file, section ?? 'uwsgi');
  const reader = new UwsgiReader(files);
  await reader.read({file, section: section ?? '', isRunning: false, condition: null}, there);
  await reader.resolve();
  const place = {file, section: there};
  return {server: 'uwsgi', name: null, settings: reader.settings(), place, ...reader.missing(), runs: null};
}

/** In XML the first that fits, of which one without an id fits always; elsewhere the one of that name. */
function sectionOf({kind, sections}: ConfigFile, asked: string | null): string | null {
  const fits = ({name}: Section) => name === (asked ?? 'uwsgi') || (kind === 'uwsgi-xml' && (asked === null || name === 'uwsgi'));
  return sections.find(fits)?.name ?? null;
}

class UwsgiReader {
  private readonly files: Files;
  private readonly options: Option[] = [];
  /** Sections that are being read, by file and name: one that includes itself is not read again. */
  private readonly open: string[] = [];
  private block: {readonly kind: string; readonly argument: Text; isElse: boolean} | null = null;
  /** Something could not be read: what no line sets may be set there. */
  private isIncomplete = false;

  constructor(files: Files) {
    this.files = files;
  }

  async read(context: Context, section: string): Promise<void> {
    const {file} = context;
    this.open.push(`${file.name}:${section}`);
    for (const entry of file.entries) if (entry.section === section) await this.take(context, entry);
    this.open.pop();
  }

  /** References, in the three passes of the server: the environment, files, other options. Then what it inherits from. */
  async resolve(): Promise<void> {
    for (const symbol of ['$', '@', '%'] as const) for (const option of this.options) this.pass(option, symbol);
    for (const {key, text, unknown, condition, file, line} of this.options.filter(({key}) => key === 'inherit')) {
      if (unknown === null) await this.include({file, section: '', isRunning: condition !== null, condition}, key, text, line);
    }
  }

  missing(): Pick<Program, 'isIncomplete'> {
    return this.isIncomplete ? {isIncomplete: true} : {};
  }

  /** The values in force: the last one of an option that holds one value, all of an option that collects them. */
  settings(): Declaration[] {
    const last = new Map<string, Option>();
    const settled = new Set<string>();
    for (const option of this.options.toReversed()) {
      const {key, text, condition} = option;
      if (INCLUDES.has(key) || key === 'inherit' || SETTERS.has(key)) continue;
      const name = nameOf(option);
      if (settled.has(name)) continue;
      const later = last.get(name);
      const isSame = later === undefined || (later.text === text && later.key === key);
      // What stands under a condition hides what stands before it only if the two differ.
      if (isSame && (later === undefined || condition === null)) last.set(name, option);
      if (!isSame || condition === null) settled.add(name);
    }
    return this.options.filter((option) => last.get(nameOf(option)) === option).map(declared);
  }

  private async take(context: Context, entry: Entry): Promise<void> {
    const {file, section} = context;
    const key = trimmed(withVariables(entry.key, file.name, section).text);
    const {text, unknown} = withVariables(entry.value ?? '', file.name, section);
    if (key === '') return;
    const value = file.kind === 'uwsgi-ini' ? trimmed(text) : text;
    await this.add(context, key, {text: value, unknown}, entry.line);
  }

  private async add(context: Context, key: string, value: Text, line: number): Promise<void> {
    const {file, isRunning} = context;
    if (!isRunning) {
      if (ENDS.has(key)) this.block = null;
      else if (this.block !== null && key === 'else') return this.takeElse(file, line);
      else if (this.block !== null) {
        for (const [text, condition] of this.rounds(this.block, value))
          await this.add({...context, isRunning: true, condition: condition ?? context.condition}, key, text, line);
        return;
      }
    }
    if (ENDS.has(key)) return;
    if (isLogic(key)) return this.begin(context, key, value, line);
    this.push(context, key, value, line, false);
    if (SETTERS.has(key)) await this.set(context, key, value, line);
    else if (INCLUDES.has(key)) await this.include(context, key, value.text, line);
  }

  private async set(context: Context, key: string, {text, unknown}: Text, line: number): Promise<void> {
    const [name = '', value = ''] = text.split(/=(.*)/s);
    if (key === 'set') await this.add(context, name, {text: value, unknown}, line);
    // A placeholder counts as done, so that the passes leave it alone.
    else this.push(context, name, {text: value, unknown}, line, true);
  }

  private push({file, condition}: Context, key: string, value: Text, line: number, isPlaceholder: boolean): void {
    this.options.push({key, ...value, condition, isFixed: isPlaceholder || IMMEDIATE.has(key), file, line});
    if (this.options.length > MOST_OPTIONS) {
      throw new ConfigError(
        file.name,
        line,
        `more than ${MOST_OPTIONS} options, counting those of loops and includes`,
        'look for files that include each other',
      );
    }
  }

  private begin({file, isRunning}: Context, key: string, argument: Text, line: number): void {
    if (isRunning || this.block !== null) {
      this.files.note(file, `line ${line}: uWSGI takes no condition or loop within another one, and does not start with it`);
      return;
    }
    this.block = {kind: key, argument, isElse: false};
    if (this.unjudged(this.block) !== null) {
      this.files.note(
        file,
        `line ${line}: what stands under "${key} = ${argument.text}" depends on the machine of the server and is not known here`,
      );
    }
  }

  private takeElse(file: ConfigFile, line: number): void {
    if (this.block) this.block.isElse = true;
    this.files.note(
      file,
      `line ${line}: uWSGI 2.0 knows no else: there, what follows belongs to the condition before; 2.1 knows it`,
    );
  }

  /** The values with which an option under a condition or in a loop is taken in, each with the condition that is left open. */
  private rounds(block: NonNullable<UwsgiReader['block']>, value: Text): [Text, string | null][] {
    const {kind, argument} = block;
    const unknown = value.unknown ?? argument.unknown;
    const put = (text: string): Text => ({text: value.text.replaceAll('%(_)', text), unknown});
    const open = this.unjudged(block);
    if (open !== null) {
      const isTold = !/^if-?env|^for/.test(kind) || !value.text.includes('%(_)');
      return [[isTold ? put(argument.text) : {text: value.text, unknown: open}, open]];
    }
    if (kind === 'for') return argument.text.split(' ').flatMap((item) => (item === '' ? [] : [[put(item), null]]));
    if (kind === 'for-times') {
      const times = Math.min(Math.max(numberIn(argument.text), 0), MOST_ROUNDS);
      return Array.from({length: times}, (_, n) => [put(String(n + 1)), null]);
    }
    const {option, holds} = this.judge(block);
    if (!holds) return [];
    return [[option === null ? value : {...put(option.text), unknown: unknown ?? option.unknown}, null]];
  }

  /** The condition, where only the machine of the server can judge it. */
  private unjudged({kind, argument, isElse}: NonNullable<UwsgiReader['block']>): string | null {
    if (kind === 'for' || kind === 'for-times') return argument.unknown === null ? null : `${kind} = ${argument.text}`;
    if (/^if-(not-)?opt$/.test(kind) && !isElse && argument.unknown === null) {
      const {found} = this.named(argument.text.split('=')[0] ?? '');
      if (found !== null ? found.condition === null && found.unknown === null : !this.isIncomplete) return null;
    }
    return `${isElse ? 'else of ' : ''}${kind}${argument.text === '' ? '' : ` = ${argument.text}`}`;
  }

  /** It is what the option was set to first, with nothing put in for references yet, that counts. */
  private judge({kind, argument}: NonNullable<UwsgiReader['block']>): {option: Option | null; holds: boolean} {
    const [name = '', wanted] = argument.text.split(/=(.*)/s);
    const {found} = this.named(name);
    const isSo = found !== null && (wanted === undefined || wanted === found.text);
    return {option: found, holds: kind === 'if-opt' ? isSo : !isSo};
  }

  private async include(from: Context, key: string, name: string, line: number): Promise<void> {
    const isSame = key === 'ini' && name.startsWith(':');
    const [file, asked] = isSame ? [from.file, name.slice(1)] : await this.included(from.file, name, line);
    if (file === null) {
      this.isIncomplete = true;
      return;
    }
    const section = sectionOf(file, asked);
    if (section === null) {
      this.files.note(
        from.file,
        `line ${line} includes ${name}, but there is no section [${asked ?? 'uwsgi'}]; uWSGI only warns of it`,
      );
      return;
    }
    if (this.open.includes(`${file.name}:${section}`)) {
      this.files.note(from.file, `line ${line} includes ${name}, which is being read already`);
      return;
    }
    await this.read({...from, file, section: asked ?? ''}, section);
  }

  private async included(from: ConfigFile, name: string, line: number): Promise<[ConfigFile | null, string | null]> {
    const seen = resolved(name, '');
    const beside = resolved(name, dirname(from.name));
    const {path, section} = splitSection(isFile(splitSection(seen).path) ? seen : beside);
    return [await this.files.openIncluded(path, from, line), section];
  }

  private pass(option: Option, symbol: '$' | '@' | '%'): void {
    const {text, file, line, isFixed} = option;
    if (isFixed || !text.includes(`${symbol}(`)) return;
    const found = withReferences(text, symbol, (name) => this.reference(symbol, name, option));
    if (found === null)
      throw new ConfigError(file.name, line, 'a placeholder that grows without end', 'look for one that stands in its own value');
    option.text = found.text;
    option.unknown ??= found.unknown;
  }

  private reference(symbol: '$' | '@' | '%', name: string, {file, line}: Option): Text | null {
    const whole = `${symbol}(${name})`;
    if (symbol === '%') {
      const result = calculated(name, (key) => this.valueOf(key));
      if (result === null) this.files.note(file, `line ${line}: nothing sets the placeholder ${whole}`);
      return result;
    }
    const content = symbol === '@' ? contentOf(name, dirname(file.name)) : null;
    if (content !== null) return {text: content, unknown: null};
    this.files.note(
      file,
      symbol === '@'
        ? `line ${line}: the file in ${whole} cannot be read here`
        : `line ${line}: ${whole} is from the environment of the server, which is not known here`,
    );
    return {text: whole, unknown: whole};
  }

  private valueOf(key: string): Text | null {
    const {found} = this.named(key);
    if (found === null) return this.isIncomplete ? {text: '', unknown: `%(${key})`} : null;
    return {text: found.text, unknown: found.unknown ?? found.condition};
  }

  /** uWSGI takes the first value that was given (uwsgi_get_exported_opt). */
  private named(key: string): {found: Option | null} {
    return {found: this.options.find((option) => option.key === key) ?? null};
  }
}

/** Options of one name have one value; of those that collect values each has its own. */
function nameOf({key, text}: Option): string {
  return isList(key) ? `${key}=${text}` : (namesOf(key)[0] ?? key);
}

function declared({key, text, unknown, condition, file, line}: Option): Declaration {
  const at = {name: key, file, line};
  if (condition !== null) return {...at, value: `${text} (under ${condition})`, unknown: 'condition'};
  return unknown === null ? {...at, value: optionValue(key, text)} : {...at, value: text, unknown: 'value'};
}

function trimmed(text: string): string {
  return text.replaceAll(/^[ \t\r]+|[ \t\r]+$/g, '');
}
