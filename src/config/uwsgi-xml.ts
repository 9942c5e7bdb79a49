import {SaxesParser} from 'saxes';
import {ConfigError, type Entry, type Section} from './configuration.ts';

/** uWSGI's options as elements of `<uwsgi>`, of which a file may hold several, told apart by their id. Throws {@link ConfigError}. */
export function readXml(file: string, text: string): {sections: Section[]; entries: Entry[]} {
  const sections: Section[] = [];
  const entries: Entry[] = [];
  const parser = new SaxesParser({fileName: file, position: true});
  const path: string[] = [];
  let section = 'uwsgi';
  let open: {readonly key: string; readonly start: number; readonly line: number; readonly from: number; value: string} | null =
    null;
  parser.on('error', (error) => {
    const [, line, problem] = /:(\d+):\d+: (.*)$/.exec(error.message) ?? [];
    throw new ConfigError(
      file,
      line === undefined ? null : Number(line),
      `this is no valid XML: ${problem ?? error.message}`,
      'correct it',
    );
  });
  parser.on('opentag', ({name, attributes, isSelfClosing}) => {
    path.push(name);
    const end = parser.position;
    if (name === 'uwsgi') {
      const id = attributes['id'];
      section = typeof id === 'string' ? id : 'uwsgi';
      sections.push({name: section, start: end, line: parser.line});
    } else if (path.at(-2) === 'uwsgi') {
      const start = text.lastIndexOf('<', end - 1);
      open = {key: name, start, line: parser.line, from: isSelfClosing ? end - 2 : end, value: ''};
    }
  });
  parser.on('text', (piece) => {
    if (open !== null) open.value += piece;
  });
  parser.on('closetag', ({name}) => {
    path.pop();
    if (open === null || open.key !== name || path.at(-1) !== 'uwsgi') return;
    const {value, ...entry} = open;
    const end = parser.position;
    const to = entry.from + (text.slice(entry.from, end).indexOf('</') < 0 ? 0 : text.slice(entry.from, end).lastIndexOf('</'));
    entries.push({...entry, section, value: value.trim(), to, end});
    open = null;
  });
  parser.write(text).close();
  if (sections.length === 0)
    throw new ConfigError(file, 1, 'there is no <uwsgi> element in this XML', 'give the file that uWSGI reads');
  return {sections, entries};
}
