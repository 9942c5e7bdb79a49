import {isCollection, isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument} from 'yaml';
import {ConfigError, type Entry, type Section} from './configuration.ts';

/**
 * uWSGI's options in YAML or in JSON, which is read as the YAML that it is: a mapping named `uwsgi` (or as asked) of
 * options to a value or to several. Throws {@link ConfigError}.
 */
export function readTree(file: string, text: string, language: 'YAML' | 'JSON'): {sections: Section[]; entries: Entry[]} {
  const lines = new LineCounter();
  const document = parseDocument(text, {lineCounter: lines, uniqueKeys: false, schema: 'failsafe', logLevel: 'silent'});
  const [error] = document.errors;
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
  for (const top of root.items) {
    if (!isMap(top.value) || !isScalar(top.key)) continue;
    const section = String(top.key.value);
    sections.push({name: section, start: top.value.range?.[0] ?? 0, line: lines.linePos(top.key.range?.[0] ?? 0).line});
    for (const pair of top.value.items) entries.push(...entriesOf(section, pair, lines));
  }
  return {sections, entries};
}

function entriesOf(section: string, {key, value}: Pair, lines: LineCounter): Entry[] {
  if (!isScalar(key)) return [];
  const start = key.range?.[0] ?? 0;
  const one = (node: unknown): Entry => {
    const range = isScalar(node) || isCollection(node) ? node.range : null;
    const from = range?.[0] ?? key.range?.[1] ?? start;
    const to = range?.[1] ?? from;
    return {
      section,
      key: String(key.value),
      value: isScalar(node) ? String(node.value ?? '') : '',
      line: lines.linePos(isScalar(node) ? from : start).line,
      start,
      from,
      to,
      end: to,
    };
  };
  return isSeq(value) ? value.items.map(one) : [one(value)];
}
