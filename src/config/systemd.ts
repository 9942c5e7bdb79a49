import {basename, join} from 'node:path';
import {filesMatching} from '../source/text-file.ts';
import {readCommand} from './command-line.ts';
import {ConfigError, type ConfigFile, type Declaration, type Program, plainValue} from './configuration.ts';
import {assignments, type Variable, withEnvironment} from './environment.ts';
import type {Files} from './files.ts';

/** Settings that are collected; an empty value begins the list anew (systemd.syntax). */
const LISTS = new Set([
  'ExecStart',
  'ExecStartPre',
  'ExecStartPost',
  'ExecReload',
  'ExecStop',
  'ExecStopPost',
  'Environment',
  'EnvironmentFile',
]);
const SPANS = /^(Timeout(Start|Stop|Abort)?Sec|RestartSec|WatchdogSec|StartLimitInterval(Sec)?)$/;

/** A unit with its drop-ins: those that are named, and those in the directory beside it, in the order of their names. */
export async function readSystemd(names: readonly string[], files: Files): Promise<Program[]> {
  const units = new Map<string, {main: ConfigFile | null; readonly dropIns: Map<string, ConfigFile>}>();
  const unitNamed = (unit: string) => {
    const known = units.get(unit) ?? {main: null, dropIns: new Map<string, ConfigFile>()};
    units.set(unit, known);
    return known;
  };
  for (const name of names) {
    const file = await files.open(name);
    const owner = /([^/]+\.(service|scope|socket|timer))\.d\/[^/]+$/.exec(name.replaceAll('\\', '/'))?.[1];
    if (owner !== undefined) {
      unitNamed(owner).dropIns.set(basename(name), file);
      continue;
    }
    const unit = unitNamed(basename(name));
    unit.main = file;
    for (const path of await filesMatching('*.conf', `${name}.d`)) {
      const shown = join(`${name}.d`, basename(path));
      const dropIn = await files.openIncluded(shown, file, 1);
      if (dropIn !== null && !unit.dropIns.has(basename(shown))) unit.dropIns.set(basename(shown), dropIn);
    }
  }
  const found = [...units].flatMap(([unit, {main, dropIns}]) => {
    const parts = [main, ...[...dropIns].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file)].filter(
      (part) => part !== null,
    );
    const [first] = parts;
    return first === undefined ? [] : [{unit, first, parts}];
  });
  return Promise.all(found.map(({unit, first, parts}) => programOf(unit, first, parts, files)));
}

async function programOf(unit: string, main: ConfigFile, parts: readonly ConfigFile[], files: Files): Promise<Program> {
  let settings: Declaration[] = [];
  for (const file of parts) {
    for (const {section, key, value, line} of file.entries) {
      if (section !== 'Service' || value === null) continue;
      const text = specifiers(value, unit);
      if (LISTS.has(key)) {
        if (text === '') settings = settings.filter(({name}) => name !== key);
        else settings.push({name: key, value: text, file, line});
        continue;
      }
      const names = key === 'TimeoutSec' ? ['TimeoutStartSec', 'TimeoutStopSec'] : [key];
      settings = settings.filter(({name}) => !names.includes(name));
      if (text === '') continue;
      for (const name of names) settings.push({name, value: readValue(name, text, file, line), file, line});
    }
  }
  const start = settings.findLast(({name}) => name === 'ExecStart');
  const command = start === undefined ? null : readCommand(String(start.value).replace(/^[-@:+!]+/, ''), start.file, start.line);
  const runs = withEnvironment(command, await environmentOf(settings, files));
  // A key that is new goes where it wins: into the part that is read last.
  const file = parts.at(-1) ?? main;
  return {server: 'systemd', name: unit, settings, place: {file, section: 'Service'}, runs};
}

/** What files tell wins over what the unit itself does (systemd.exec). */
async function environmentOf(settings: readonly Declaration[], files: Files): Promise<Variable[]> {
  const own = settings.filter(({name}) => name === 'Environment');
  const variables = own.flatMap(({value, file, line}) => assignments(String(value), file, line));
  for (const {name, value, file, line} of settings) {
    if (name !== 'EnvironmentFile') continue;
    const named = await files.openIncluded(String(value).replace(/^-/, ''), file, line, 'environment');
    for (const entry of named?.entries ?? [])
      variables.push({name: entry.key, value: entry.value ?? '', file: named as ConfigFile, line: entry.line});
  }
  return variables;
}

function readValue(name: string, text: string, file: ConfigFile, line: number): Declaration['value'] {
  if (!SPANS.test(name)) return plainValue(text);
  if (text === 'infinity') return text;
  const seconds = secondsOf(text);
  if (seconds === null)
    throw new ConfigError(file.name, line, `${name}=${text} is no time span`, 'write seconds, or as in 1min 30s');
  // Nought switches these off (systemd.service).
  return seconds === 0 && /^Timeout/.test(name) ? 'infinity' : seconds;
}

const UNITS: Readonly<Record<string, number>> = {us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800};

/** `90`, `1min 30s`, `2h` (systemd.time). */
function secondsOf(text: string): number | null {
  let sum = 0;
  const rest = text.replaceAll(/(\d+(?:\.\d+)?)\s*([a-z]*)\s*/gi, (whole, figure: string, unit: string) => {
    const short = /^(us|usec|µs)$/.test(unit) ? 'us' : /^(ms|msec)$/.test(unit) ? 'ms' : unit === '' ? 's' : unit.charAt(0);
    const factor = UNITS[short];
    if (factor === undefined) return whole;
    sum += Number(figure) * factor;
    return '';
  });
  return rest === '' && text !== '' ? sum : null;
}

/** Those that follow from the unit's name; others stay as they are (systemd.unit). */
function specifiers(value: string, unit: string): string {
  const stem = unit.replace(/\.[^.]+$/, '');
  const [prefix = stem, instance = ''] = stem.split('@');
  return value.replaceAll(/%(.)/g, (whole, letter: string) => {
    const known: Readonly<Record<string, string>> = {n: unit, N: stem, p: prefix, i: instance, I: instance, '%': '%'};
    return known[letter] ?? whole;
  });
}
