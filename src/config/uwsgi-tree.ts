import {isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument} from 'yaml';
import {ConfigError, type Entry, type Section} from './configuration.ts';

/**
 * uWSGI's options in YAML or in JSON, which is read as the YAML that it is: a mapping named `uwsgi` (or as asked) of
 * options to a value or to several. Of several of that name the first counts. Throws {@link ConfigError}.
 */
export function readTree(file: string, text: string, language: 'YAML' | 'JSON'): {sections: Section[]; entries: Entry[]} {
  const lines = new LineCounter();
  const document = parseDocument(text, {lineCounter: lines, uniqueKeys: false, schema: 'failsafe', logLevel: 'silent'});
  // uWSGI has put its variables in before it reads: `pidfile: %d/app.pid`.
  const [error] = document.errors.filter(({code}) => code !== 'BAD_SCALAR_START');
  if (error) {
    const problem = error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '');
    throw new ConfigError(file, error.linePos?.[0].line ?? null, `this is no valid ${language}: ${problem}`, 'correct it');
  }
  const sections: Section[] = [];
  const entries: Entry[] = [];
  const root = document.contents;
  if (!isMap(root)) {
    throw new ConfigError(file, 1, `there is no mapping named uwsgi in this ${language}`, 'give the file that uWSGI reads');
  }
  for (const {key, value} of root.items) {
    // Of YAML in one line uWSGI reads nothing (core/yaml.c).
    if (!isMap(value) || !isScalar(key) || (language === 'YAML' && value.flow)) continue;
    const section = String(key.value);
    if (sections.some(({name}) => name === section)) continue;
    sections.push({name: section, start: value.range?.[0] ?? 0, line: lines.linePos(key.range?.[0] ?? 0).line});
    for (const pair of value.items) entries.push(...entriesOf(section, pair, lines, language));
  }
  return {sections, entries};
}

function entriesOf(section: string, {key, value}: Pair, lines: LineCounter, language: 'YAML' | 'JSON'): Entry[] {
  if (!isScalar(key)) return [];
  const start = key.range?.[0] ?? 0;
  const end = isSeq(value) && value.flow ? (value.range?.[1] ?? null) : null;
  const one = (node: unknown): Entry[] => {
    if (!isScalar(node)) return [];
    const [from, to] = node.range ?? [start, start];
    const text = String(node.value ?? '');
    if (from === to && language === 'YAML') return [];
    const isPlain = node.type === 'PLAIN';
    return [
      {
        section,
        key: String(key.value),
        value: isPlain && language === 'JSON' ? (JSON_WORDS[text] ?? text) : text,
        line: lines.linePos(from).line,
        start,
        from,
        to,
        // A list in brackets ends as a whole.
        end: end ?? to,
      },
    ];
  };
  if (isSeq(value)) return value.items.flatMap(one);
  // uWSGI takes what is nested in YAML for options as well.
  if (isMap(value) && language === 'YAML' && !value.flow)
    return value.items.flatMap((pair) => entriesOf(section, pair, lines, language));
  return one(value);
}

/** core/json.c */
const JSON_WORDS: Readonly<Record<string, string>> = {true: '1', false: '0', null: '0'};
