import {SaxesParser} from 'saxes';
import {ConfigError, type Entry, type Section} from './configuration.ts';

/**
 * uWSGI's options as elements of `<uwsgi>`, of which a file may hold several, told apart by their id (core/xmlconf.c). The id of
 * the root, and a second one of the same name, count for nothing. Throws {@link ConfigError}.
 */
export function readXml(file: string, text: string): {sections: Section[]; entries: Entry[]} {
  const sections: Section[] = [];
  const entries: Entry[] = [];
  const parser = new SaxesParser({fileName: file, position: true});
  const path: string[] = [];
  let section: string | null = null;
  let open: {readonly key: string; readonly start: number; readonly line: number; readonly from: number; value: string} | null =
    null;
  parser.on('error', (error) => {
    const [, line, problem] = /:(\d+):\d+: (.*)$/.exec(error.message) ?? [];
    throw new ConfigError(
      file,
      line === undefined ? null : Number(line),
      `this is no valid XML: ${(problem ?? error.message).replace(/\.$/, '')}`,
      'correct it',
    );
  });
  parser.on('opentag', ({name, attributes, isSelfClosing}) => {
    path.push(name);
    const end = parser.position;
    if (name === 'uwsgi') {
      const id = path.length > 1 ? attributes['id'] : undefined;
      const own = typeof id === 'string' ? id : 'uwsgi';
      section = sections.some((other) => other.name === own) ? null : own;
      if (section !== null) sections.push({name: own, start: end, line: parser.line});
    } else if (path.at(-2) === 'uwsgi' && section !== null) {
      const start = text.lastIndexOf('<', end - 1);
      open = {key: name, start, line: parser.line, from: isSelfClosing ? end - 2 : end, value: ''};
    }
  });
  const take = (piece: string) => {
    if (open !== null && path.at(-2) === 'uwsgi') open.value += piece;
  };
  parser.on('text', take);
  parser.on('cdata', take);
  parser.on('closetag', ({name}) => {
    path.pop();
    if (open === null || open.key !== name || path.at(-1) !== 'uwsgi') return;
    const {value, ...entry} = open;
    const end = parser.position;
    const to = entry.from + (text.slice(entry.from, end).indexOf('</') < 0 ? 0 : text.slice(entry.from, end).lastIndexOf('</'));
    // One that is empty is switched on.
    entries.push({...entry, section: section ?? 'uwsgi', value: value === '' ? '1' : value, to, end});
    open = null;
  });
  parser.write(text).close();
  if (sections.length === 0)
    throw new ConfigError(file, 1, 'there is no <uwsgi> element in this XML', 'give the file that uWSGI reads');
  return {sections, entries};
}
