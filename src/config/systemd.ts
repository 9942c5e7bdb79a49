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
      // An empty value is one that cannot be understood, which leaves what was set before; only that of KillMode takes it back.
      if (text === '' && key !== 'KillMode') continue;
      settings = settings.filter(({name}) => !names.includes(name));
      if (text !== '') for (const name of names) settings.push({name, value: readValue(name, text, file, line), file, line});
    }
  }
  const start = settings.findLast(({name}) => name === 'ExecStart');
  const {variables, isComplete} = await environmentOf(settings, files);
  const line = String(start?.value ?? '').replace(/^[-@:+!|]+/, '');
  const command = start === undefined ? null : readCommand(isComplete ? filledIn(line, variables) : line, start.file, start.line);
  const runs = withEnvironment(command, variables);
  // A key that is new goes where it wins: into the part that is read last.
  const file = parts.at(-1) ?? main;
  return {server: 'systemd', name: unit, settings, place: {file, section: 'Service'}, runs};
}

/** Variables of which the unit tells the value; what the server finds in its own environment stays as it is. */
function filledIn(command: string, variables: readonly Variable[]): string {
  return command.replaceAll(/\$\$|\$\{(\w+)\}|\$(\w+)/g, (whole, braced?: string, bare?: string) => {
    if (whole === '$$') return '$';
    return variables.findLast(({name}) => name === (braced ?? bare))?.value ?? whole;
  });
}

/** What files tell wins over what the unit itself does (systemd.exec). Where one of them is not here, it may say otherwise. */
async function environmentOf(
  settings: readonly Declaration[],
  files: Files,
): Promise<{variables: Variable[]; isComplete: boolean}> {
  let isComplete = true;
  const own = settings.filter(({name}) => name === 'Environment');
  const variables = own.flatMap(({value, file, line}) => assignments(String(value), file, line));
  for (const {name, value, file, line} of settings) {
    if (name !== 'EnvironmentFile') continue;
    const named = await files.openIncluded(String(value).replace(/^-/, ''), file, line, 'environment');
    isComplete &&= named !== null;
    if (named === null) continue;
    for (const entry of named.entries)
      variables.push({name: entry.key, value: entry.value ?? '', file: named as ConfigFile, line: entry.line});
  }
  return {variables, isComplete};
}

function readValue(name: string, text: string, file: ConfigFile, line: number): Declaration['value'] {
  if (/^[yYnNtTfF]$/.test(text)) return /[yt]/i.test(text);
  if (!SPANS.test(name)) return plainValue(text);
  if (text === 'infinity') return text;
  const seconds = secondsOf(text);
  if (seconds === null)
    throw new ConfigError(file.name, line, `${name}=${text} is no time span`, 'write seconds, or as in 1min 30s');
  // Nought switches these off (systemd.service).
  return seconds === 0 && /^Timeout/.test(name) ? 'infinity' : seconds;
}

/** Of one length each (systemd.time, src/basic/time-util.c). */
const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^(s|sec|seconds?|)$/, 1],
  [/^(m|min|minutes?)$/, 60],
  [/^(ms|msec)$/, 1e-3],
  [/^(us|usec|µs|μs)$/, 1e-6],
  [/^(ns|nsec)$/, 1e-9],
  [/^(h|hr|hours?)$/, 3600],
  [/^(d|days?)$/, 86_400],
  [/^(w|weeks?)$/, 604_800],
  [/^(M|months?)$/, 2_629_800],
  [/^(y|years?)$/, 31_557_600],
];

/** `90`, `1min 30s`, `2h` */
function secondsOf(text: string): number | null {
  let sum = 0;
  const rest = text.replaceAll(/(\d+(?:\.\d+)?)\s*([a-zµμ]*)\s*/gi, (whole, figure: string, unit: string) => {
    const [, factor] = UNITS.find(([names]) => names.test(unit)) ?? [];
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
