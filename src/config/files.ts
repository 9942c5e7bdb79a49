import {isAbsolute, join} from 'node:path';
import {InputError} from '../source/input-error.ts';
import {isFile, readTextFile} from '../source/text-file.ts';
import {ConfigError, type ConfigFile, type ConfigNote, type Kind} from './configuration.ts';
import {kindOf} from './kind.ts';

/** The files of one run: each is read once, and whoever reads them leaves its notes here. */
export class Files {
  readonly all: ConfigFile[] = [];
  readonly notes: ConfigNote[] = [];

  /** A file that was asked for by name. Throws InputError or {@link ConfigError}. */
  async open(name: string, kind?: Kind): Promise<ConfigFile> {
    const known = this.all.find((file) => file.name === name);
    if (known !== undefined) return known;
    const text = readTextFile(name);
    const file = await parse(name, kind ?? kindOf(name, text), text);
    this.all.push(file);
    return file;
  }

  /** A file that another one includes: where it is not on this machine, that is noted. */
  async openIncluded(name: string, from: ConfigFile, line: number, kind?: Kind): Promise<ConfigFile | null> {
    try {
      return await this.open(name, kind);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.note(from, `line ${line} includes ${name}, which cannot be read here; what it sets is missing`);
      return null;
    }
  }

  note(file: ConfigFile, text: string): void {
    this.notes.push({file: file.name, text});
  }
}

/** `app.ini:production` names a section of app.ini. */
export function splitSection(name: string): {path: string; section: string | null} {
  const [, path, section] = /^(.+):([^:/\\]+)$/.exec(name) ?? [];
  return path === undefined || section === undefined || isFile(name) ? {path: name, section: null} : {path, section};
}

/** Where a name that stands in a configuration leads, seen from `directory`. */
export function resolved(name: string, directory: string): string {
  return isAbsolute(name) || directory === '' || directory === '.' ? name : join(directory, name);
}

async function parse(name: string, kind: Kind, text: string): Promise<ConfigFile> {
  switch (kind) {
    case 'uwsgi-yaml':
    case 'uwsgi-json': {
      const {readTree} = await import('./uwsgi-tree.ts');
      return {name, kind, text, ...readTree(name, text, kind === 'uwsgi-yaml' ? 'YAML' : 'JSON')};
    }
    case 'uwsgi-xml': {
      const {readXml} = await import('./uwsgi-xml.ts');
      return {name, kind, text, ...readXml(name, text)};
    }
    case 'gunicorn': {
      const {readPython} = await import('./python.ts');
      return {name, kind, text, ...readPython(name, text)};
    }
    case 'compose':
    case 'kubernetes': {
      const {readContainers} = await import('./container.ts');
      return {name, kind, text, ...readContainers(name, text, kind)};
    }
    case 'environment': {
      const {readEnvironmentFile} = await import('./environment.ts');
      return {name, kind, text, ...readEnvironmentFile(text)};
    }
    default: {
      const {readSections, SUPERVISORD, SYSTEMD, UWSGI} = await import('./sections.ts');
      const dialect = kind === 'uwsgi-ini' ? UWSGI : kind === 'supervisord' ? SUPERVISORD : SYSTEMD;
      return {name, kind, text, ...readSections(name, text, dialect)};
    }
  }
}

export function missingSection(file: ConfigFile, section: string): ConfigError {
  const names = [...new Set(file.sections.map(({name}) => name))];
  const there = names.length === 0 ? 'it has no section at all' : `it has ${names.map((name) => `[${name}]`).join(', ')}`;
  return new ConfigError(
    file.name,
    null,
    `there is no section [${section}]; ${there}`,
    `name one, as in ${file.name}:${names[0] ?? 'uwsgi'}`,
  );
}
