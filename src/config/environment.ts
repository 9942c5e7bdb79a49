import {isFilledIn, readCommand, wordsOf} from './command-line.ts';
import {type Command, type ConfigFile, type Declaration, type Entry, lineCounter, plainValue} from './configuration.ts';
import {optionValue} from './uwsgi-options.ts';

/** A variable that a server is started with. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  readonly file: ConfigFile;
  readonly line: number;
}

/** `"A=b c" D=e`, as in systemd's Environment= (systemd.exec). */
export function assignments(text: string, file: ConfigFile, line: number): Variable[] {
  return wordsOf(text).flatMap((word) => {
    const [, name, value = ''] = /^(\w+)=(.*)$/s.exec(word) ?? [];
    return name === undefined ? [] : [{name, value, file, line}];
  });
}

/** `A="b c",D=e`, as in supervisord's environment=. */
export function pairs(text: string, file: ConfigFile, line: number): Variable[] {
  return [...text.matchAll(/(\w+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|'([^']*)'|([^,\s]*))/g)].map(
    ([, name = '', double, single, bare]) => ({name, value: double ?? single ?? bare ?? '', file, line}),
  );
}

/** The lines `NAME=value` of a file of systemd's EnvironmentFile=. What is no such line is passed over, as systemd does. */
export function readEnvironmentFile(text: string): {sections: []; entries: Entry[]} {
  const lineOf = lineCounter(text);
  const entries = [...text.matchAll(/^[ \t]*(?:export[ \t]+)?(\w+)=((?:\\\r?\n|[^\r\n])*)/gm)].map((found): Entry => {
    const [whole, key = '', written = ''] = found;
    const start = found.index + whole.indexOf(key);
    const from = found.index + whole.length - written.length;
    const [, double, single] = /^(?:"((?:\\.|[^"\\])*)"|'([^']*)')/s.exec(written) ?? [];
    const value = double ?? single ?? written.replaceAll(/\\\r?\n/g, '').trim();
    return {section: '', key, value, line: lineOf(start), start, from, to: from + written.length, end: from + written.length};
  });
  return {sections: [], entries};
}

/**
 * The options that variables set. gunicorn (gunicorn/config.py): GUNICORN_CMD_ARGS wins over the file and yields to the command
 * line; WEB_CONCURRENCY holds where nothing else tells the number of workers. uWSGI 2.0.21: UWSGI_HARAKIRI and the like yield to
 * the command line and to the file that it names.
 */
export function withEnvironment(command: Command | null, variables: readonly Variable[]): Command | null {
  const last = new Map(variables.map((variable) => [variable.name, variable]));
  const server = command?.server ?? (last.has('GUNICORN_CMD_ARGS') ? 'gunicorn' : null);
  if (server === null) return null;
  const own: Command = command ?? {server, files: [], settings: [], fallbacks: []};
  const found: Declaration[] = [...last.values()].flatMap(({name, value, file, line}) => {
    const option = server === 'uwsgi' ? /^UWSGI_([A-Z0-9_]+)$/.exec(name)?.[1]?.toLowerCase().replaceAll('_', '-') : undefined;
    const at = {file, line, ...(isFilledIn(value) && {unknown: 'value' as const})};
    if (option !== undefined) return [{name: option, value: optionValue(option, value), ...at}];
    return server === 'gunicorn' && name === 'WEB_CONCURRENCY' ? [{name: 'workers', value: plainValue(value), ...at}] : [];
  });
  const isFile = ({name}: Declaration) => /^(ini|ya?ml|json|xml|config)$/.test(name);
  const args = server === 'gunicorn' ? last.get('GUNICORN_CMD_ARGS') : undefined;
  const given = args === undefined ? null : readCommand(`gunicorn ${args.value}`, args.file, args.line);
  return {
    server,
    files: [...own.files, ...(given?.files ?? []), ...found.filter(isFile).map(({value}) => String(value))],
    settings: [...(given?.settings ?? []), ...own.settings],
    fallbacks: [...found.filter((each) => !isFile(each)), ...own.fallbacks],
  };
}
