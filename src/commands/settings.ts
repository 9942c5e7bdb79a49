import {dirname, join, relative, resolve} from 'node:path';
import type {Settings} from '../checks/settings.ts';
import {isFile} from '../source/text-file.ts';
import {readDocument} from './document.ts';

/** In one directory the first that exists holds. */
const NAMES = ['logdoctor.config.yaml', 'logdoctor.config.yml', 'logdoctor.config.json'];
const NOTHING: Settings = {limits: {}, rules: {}, failOn: undefined, strict: false, baseline: null};

/**
 * What the project demands of its logs: from the file that is named, else from the nearest `logdoctor.config` in this directory or
 * above it. The baseline's path is as seen from here.
 */
export async function settingsFor(named: string | undefined): Promise<Settings> {
  const file = named ?? nearestFile(process.cwd());
  if (file === null) return NOTHING;
  const [{settingsFrom}, {rules}] = await Promise.all([import('../checks/settings.ts'), import('../rules/index.ts')]);
  const ids = rules.map(({id}) => id);
  const settings = await readDocument(file, (name, text) => settingsFrom(name, text, ids));
  const {baseline} = settings;
  return {...settings, baseline: baseline === null ? null : relative(process.cwd(), resolve(dirname(file), baseline))};
}

function nearestFile(from: string): string | null {
  for (let directory = from; ; directory = dirname(directory)) {
    const found = NAMES.map((name) => join(directory, name)).find(isFile);
    if (found !== undefined) return found;
    if (resolve(directory, '..') === directory) return null;
  }
}
