import {dirname, resolve} from 'node:path';
import {filesMatching} from '../source/text-file.ts';
import {readCommand} from './command-line.ts';
import {ConfigError, type ConfigFile, type Declaration, type Program, plainValue} from './configuration.ts';
import {pairs, type Variable, withEnvironment} from './environment.ts';
import type {Files} from './files.ts';

const PROGRAM = /^(program|fcgi-program|eventlistener):(.+)$/;

/** The programs of a supervisord.conf and of the files that its [include] names. */
export async function readSupervisord(name: string, files: Files): Promise<Program[]> {
  const main = await files.open(name);
  const all = [main, ...(await included(main, files))];
  const shared = main.entries.filter(({section, key}) => section === 'supervisord' && key === 'environment');
  const common = shared.flatMap(({value, line}) => pairs(value ?? '', main, line));
  return all.flatMap((file) => programsOf(file, common, files));
}

async function included(main: ConfigFile, files: Files): Promise<ConfigFile[]> {
  const found: ConfigFile[] = [];
  for (const {key, value, line} of main.entries.filter(({section}) => section === 'include')) {
    if (key !== 'files' || value === null) continue;
    const here = dirname(main.name);
    for (const pattern of value.replaceAll('%(here)s', resolve(here)).split(/\s+/)) {
      if (pattern === '') continue;
      const names = await filesMatching(pattern, resolve(here));
      if (names.length === 0)
        files.note(main, `line ${line} includes ${pattern}, of which nothing is here; what it sets is missing`);
      for (const path of names) {
        const shown = path.startsWith(`${resolve('.')}/`) ? path.slice(resolve('.').length + 1) : path;
        const file = await files.openIncluded(shown, main, line);
        if (file !== null && file !== main) found.push(file);
      }
    }
  }
  return found;
}

function programsOf(file: ConfigFile, common: readonly Variable[], files: Files): Program[] {
  return file.sections.flatMap(({name: section}): Program[] => {
    const [, , name] = PROGRAM.exec(section) ?? [];
    if (name === undefined) return [];
    const settings: Declaration[] = [];
    let command: Program['runs'] = null;
    const variables = [...common];
    for (const {section: own, key, value, line} of file.entries) {
      if (own !== section || value === null) continue;
      const text = expand(value, name, file, line, files);
      settings.push({name: key, value: plainValue(text), file, line});
      if (key === 'command') command = readCommand(text, file, line);
      if (key === 'environment') variables.push(...pairs(text, file, line));
    }
    return [{server: 'supervisord', name, settings, place: {file, section}, runs: withEnvironment(command, variables)}];
  });
}

/** `%(program_name)s` and its kind (supervisor/options.py). What is from the environment stays as it is, with a note. */
function expand(value: string, program: string, file: ConfigFile, line: number, files: Files): string {
  return value.replaceAll(
    /%(?:\((\w+)\)(\d*)([sd])|%|(.?))/g,
    (whole, name?: string, width?: string, type?: string, stray?: string) => {
      if (whole === '%%') return '%';
      if (stray !== undefined) {
        throw new ConfigError(
          file.name,
          line,
          `a % that begins no expansion, in "${value.slice(0, 60)}"`,
          'write %% for a per cent sign',
        );
      }
      if (name === 'program_name' || name === 'group_name') return program;
      if (name === 'process_num') return type === 'd' ? '0'.padStart(Number(width), '0') : '0';
      if (name === 'here') return resolve(dirname(file.name));
      files.note(file, `line ${line}: ${whole} is known on the machine of the server only`);
      return whole;
    },
  );
}
