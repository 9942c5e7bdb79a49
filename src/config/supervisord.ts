import {dirname, resolve} from 'node:path';
import {filesMatching} from '../source/text-file.ts';
import {isFilledIn, readCommand} from './command-line.ts';
import {ConfigError, type ConfigFile, type Declaration, type Entry, type Program, plainValue} from './configuration.ts';
import {pairs, type Variable, withEnvironment} from './environment.ts';
import type {Files} from './files.ts';

const PROGRAM = /^(program|fcgi-program|eventlistener):\s*(.+?)\s*$/;
/** What any section has that does not set it itself (Python's configparser). */
const SHARED = 'DEFAULT';

/** A line of a section that may be spread over several files. */
interface Line extends Entry {
  readonly file: ConfigFile;
}

/**
 * The programs of a supervisord.conf and of the files that its [include] names. Sections of one name are one, and of a key the
 * last one counts (supervisor/options.py 4.2). What is from the environment is unknown, and noted.
 */
export async function readSupervisord(name: string, files: Files): Promise<Program[]> {
  const main = await files.open(name);
  const all = [main, ...(await included(main, files))];
  const lines = all.flatMap((file) => file.entries.map((entry): Line => ({...entry, key: entry.key.toLowerCase(), file})));
  const shared = lines.findLast(({section, key}) => section === 'supervisord' && key === 'environment');
  const common = shared === undefined ? [] : pairs(shared.value ?? '', shared.file, shared.line);
  const sections = new Set(all.flatMap((file) => file.sections.map((section) => section.name)));
  return [...sections].flatMap((section) => {
    const file = all.findLast((each) => each.sections.some((own) => own.name === section)) ?? main;
    const [, , program] = PROGRAM.exec(section) ?? [];
    return program === undefined ? [] : [programOf(program, {file, section}, lines, common, files)];
  });
}

async function included(main: ConfigFile, files: Files): Promise<ConfigFile[]> {
  const found: ConfigFile[] = [];
  for (const {key, value, line} of main.entries.filter(({section}) => section === 'include')) {
    if (key.toLowerCase() !== 'files' || value === null) continue;
    const here = dirname(main.name);
    for (const pattern of value.replaceAll('%(here)s', resolve(here)).split(/\s+/)) {
      if (pattern === '') continue;
      const names = await filesMatching(pattern, resolve(here));
      if (names.length === 0)
        files.note(main, `line ${line} includes ${pattern}, of which nothing is here; what it sets is missing`);
      for (const path of names) {
        const shown = path.startsWith(`${resolve('.')}/`) ? path.slice(resolve('.').length + 1) : path;
        const file = await files.openIncluded(shown, main, line, 'supervisord');
        if (file !== null && file !== main) found.push(file);
      }
    }
  }
  return found;
}

function programOf(
  name: string,
  place: Program['place'],
  lines: readonly Line[],
  common: readonly Variable[],
  files: Files,
): Program {
  const inForce = new Map<string, Line>();
  for (const line of [
    ...lines.filter(({section}) => section === SHARED),
    ...lines.filter(({section}) => section === place.section),
  ])
    inForce.set(line.key, line);
  const expander = new Expander(name, lines, files);
  const environment = inForce.get('environment');
  const own =
    environment === undefined ? [] : pairs(expander.expand(environment, common).text, environment.file, environment.line);
  const variables = [...common, ...own];
  const settings: Declaration[] = [];
  let command: Program['runs'] = null;
  for (const entry of inForce.values()) {
    const {key, file, line} = entry;
    if (entry.value === null) continue;
    // A program's own variables stand for something in its command only.
    const {text, isKnown} = expander.expand(entry, key === 'command' ? variables : common);
    settings.push({name: key, value: valueIn(key, text), ...(!isKnown && {unknown: 'value' as const}), file, line});
    if (key === 'command') command = readCommand(text, file, line);
  }
  const group = settings.find((each) => each.name === 'stopasgroup');
  if (group !== undefined && !inForce.has('killasgroup')) settings.push({...group, name: 'killasgroup'});
  return {server: 'supervisord', name, settings, place, runs: withEnvironment(command, variables)};
}

/** `sigterm`, `TERM` and `15` are the same signal. */
function valueIn(key: string, text: string): Declaration['value'] {
  if (key !== 'stopsignal') return plainValue(text);
  const word = text.trim().toUpperCase().replace(/^SIG/, '');
  return SIGNALS[word] ?? word;
}

const SIGNALS: Readonly<Record<string, string>> = {1: 'HUP', 2: 'INT', 3: 'QUIT', 9: 'KILL', 10: 'USR1', 12: 'USR2', 15: 'TERM'};

/** `%(program_name)s` and its kind. What is from the environment stays as it is, with a note. */
class Expander {
  private readonly program: string;
  private readonly lines: readonly Line[];
  private readonly files: Files;

  constructor(program: string, lines: readonly Line[], files: Files) {
    this.program = program;
    this.lines = lines;
    this.files = files;
  }

  expand({value, file, line}: Line, variables: readonly Variable[]): {text: string; isKnown: boolean} {
    let isKnown = true;
    const text = (value ?? '').replaceAll(
      /%(?:\(([\w.-]+)\)(\d*)([sd])|%|(.?))/g,
      (whole, name?: string, width?: string, type?: string, stray?: string) => {
        if (whole === '%%') return '%';
        if (stray !== undefined) {
          throw new ConfigError(
            file.name,
            line,
            `a % that begins no expansion, in "${(value ?? '').slice(0, 60)}"`,
            'write %% for a per cent sign',
          );
        }
        if (name === 'here') return resolve(dirname(file.name));
        const known = this.named(name ?? '', variables);
        if (known !== null) return type === 'd' ? known.padStart(Number(width), width?.startsWith('0') ? '0' : ' ') : known;
        isKnown = false;
        this.files.note(file, `line ${line}: ${whole} is known on the machine of the server only`);
        return whole;
      },
    );
    return {text, isKnown};
  }

  private named(name: string, variables: readonly Variable[]): string | null {
    if (name === 'program_name') return this.program;
    if (name === 'group_name') return this.group();
    if (name === 'process_num') return this.written('numprocs_start') ?? '0';
    if (name === 'numprocs') return this.written('numprocs') ?? '1';
    const found = variables.findLast((each) => `ENV_${each.name}` === name)?.value ?? null;
    return found !== null && isFilledIn(found) ? null : found;
  }

  private group(): string {
    const owner = this.lines.find(
      ({section, key, value}) =>
        section.startsWith('group:') &&
        key === 'programs' &&
        (value ?? '').split(',').some((each) => each.trim() === this.program),
    );
    return owner?.section.slice('group:'.length) ?? this.program;
  }

  private written(key: string): string | null {
    return this.lines.findLast((each) => each.key === key && PROGRAM.exec(each.section)?.[2] === this.program)?.value ?? null;
  }
}
