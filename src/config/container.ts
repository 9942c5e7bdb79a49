import {isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments, type YAMLMap} from 'yaml';
import {readCommand} from './command-line.ts';
import {ConfigError, type ConfigFile, type Declaration, type Entry, type Program, type Section} from './configuration.ts';
import type {Files} from './files.ts';

/** Where a container is stopped by: the services of a compose file, the pods of Kubernetes' manifests. */
type Kind = 'compose' | 'kubernetes';

/** A mapping whose keys are settings of one program. */
interface Part {
  readonly section: string;
  readonly name: string;
  readonly map: YAMLMap;
  /** What it runs: a container of a pod, or the service itself. */
  readonly container: YAMLMap;
}

/**
 * The services or containers of a file as sections, and their plain settings as entries. Other resources in it are left alone.
 * Throws {@link ConfigError}.
 */
export function readContainers(file: string, text: string, kind: Kind): {sections: Section[]; entries: Entry[]} {
  const lines = new LineCounter();
  const sections: Section[] = [];
  const entries: Entry[] = [];
  for (const {section, map, container} of partsOf(file, text, kind, lines)) {
    if (!sections.some(({name}) => name === section)) {
      const [start = 0] = map.range ?? [];
      sections.push({name: section, start, line: lines.linePos(start).line});
      for (const each of map.items) entries.push(...entryOf(section, each.key, each.value, lines));
    }
    if (container === map) continue;
    for (const {key, value} of container.items) {
      const name = `${section}/${wordOf(container.get('name', true)) ?? ''}`;
      entries.push(...entryOf(name, key, value, lines));
    }
  }
  return {sections, entries};
}

/** A program for each service or container; what stops it is a setting of it. */
export async function readContainerPrograms(name: string, files: Files): Promise<Program[]> {
  const file = await files.open(name);
  const kind = file.kind as Kind;
  const lines = new LineCounter();
  return partsOf(name, file.text, kind, lines).map((part): Program => {
    const line = lines.linePos(part.container.range?.[0] ?? 0).line;
    const words = ['entrypoint', 'command', 'args'].flatMap((key) => wordsOf(part.container.get(key, true)));
    return {
      server: kind,
      name: kind === 'compose' ? (wordOf(part.map.get('container_name', true)) ?? part.name) : part.name,
      settings: graceOf(part, kind, file),
      place: {file, section: part.section},
      runs: words.length === 0 ? null : readCommand(words.join(' '), file, line),
    };
  });
}

function partsOf(file: string, text: string, kind: Kind, lines: LineCounter): Part[] {
  const documents = parseAllDocuments(text, {lineCounter: lines, uniqueKeys: false, schema: 'failsafe', logLevel: 'silent'});
  return [...documents].flatMap((document): Part[] => {
    const [error] = document.errors;
    if (error) {
      const problem = error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '');
      throw new ConfigError(file, error.linePos?.[0].line ?? null, `this is no valid YAML: ${problem}`, 'correct it');
    }
    const root = document.contents;
    if (!isMap(root)) return [];
    return kind === 'compose' ? services(root) : containers(root);
  });
}

function services(root: YAMLMap): Part[] {
  const all = root.get('services');
  if (!isMap(all)) return [];
  return all.items.flatMap(({key, value}): Part[] => {
    const name = wordOf(key);
    return name === null || !isMap(value) ? [] : [{section: `services.${name}`, name, map: value, container: value}];
  });
}

/** A pod has one time for all its containers (pod.spec.terminationGracePeriodSeconds). */
function containers(root: YAMLMap): Part[] {
  const paths = [['spec', 'jobTemplate', 'spec', 'template', 'spec'], ['spec', 'template', 'spec'], ['spec']];
  const pod = paths.map((path) => root.getIn(path)).find((node): node is YAMLMap => isMap(node) && isSeq(node.get('containers')));
  const list = pod?.get('containers');
  if (pod === undefined || !isSeq(list)) return [];
  const resource = wordOf(root.getIn(['metadata', 'name'], true)) ?? 'pod';
  return list.items.flatMap((each): Part[] => {
    const name = isMap(each) ? wordOf(each.get('name', true)) : null;
    return name === null || !isMap(each) ? [] : [{section: `pod:${resource}`, name, map: pod, container: each}];
  });
}

function graceOf({map}: Part, kind: Kind, file: ConfigFile): Declaration[] {
  const key = kind === 'compose' ? 'stop_grace_period' : 'terminationGracePeriodSeconds';
  const pair = map.items.find((each) => wordOf(each.key) === key);
  const text = pair === undefined ? null : wordOf(pair.value);
  if (pair === undefined || text === null) return [];
  const at = (pair.key as Node).range?.[0] ?? 0;
  const line = file.text.slice(0, at).split('\n').length;
  const seconds = kind === 'compose' ? spanOf(text) : /^\d+$/.test(text) ? Number(text) : null;
  if (seconds === null)
    throw new ConfigError(file.name, line, `${key}: ${text} is no time`, 'write seconds, in compose as in 1m30s');
  return [{name: key, value: seconds, file, line}];
}

const UNITS: Readonly<Record<string, number>> = {us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600};

/** `1m30s`, as Go writes it (compose-spec, 11-extension.md "duration"). */
function spanOf(text: string): number | null {
  if (!/^(\d+(\.\d+)?(us|ms|s|m|h))+$/.test(text)) return null;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h)/g)].reduce(
    (sum, [, figure, unit = 's']) => sum + Number(figure) * (UNITS[unit] ?? 0),
    0,
  );
}

function entryOf(section: string, key: unknown, value: unknown, lines: LineCounter): Entry[] {
  if (!isScalar(key) || !isScalar(value) || !key.range || !value.range) return [];
  const [[start], [from, to]] = [key.range, value.range];
  return [
    {
      section,
      key: String(key.value),
      value: String(value.value ?? ''),
      line: lines.linePos(start).line,
      start,
      from,
      to,
      end: to,
    },
  ];
}

function wordOf(node: unknown): string | null {
  if (isScalar(node)) return node.value === null ? null : String(node.value);
  return typeof node === 'string' ? node : null;
}

/** A command is a text, or a list of words of which each may hold blanks. */
function wordsOf(node: unknown): string[] {
  if (isSeq(node)) return node.items.map((item) => wordOf(item) ?? '').map((word) => (/\s/.test(word) ? `"${word}"` : word));
  const text = wordOf(node);
  return text === null ? [] : [text];
}
