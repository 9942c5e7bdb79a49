import {type Declaration, type Entry, type Program, plainValue} from './configuration.ts';
import type {Files} from './files.ts';

/** Names that a gunicorn configuration uses for itself: upper case and underscored ones are no settings. */
const OWN = /^_|^[A-Z]/;

/** The settings that a gunicorn.conf.py assigns. The file is read and not run. */
export async function readGunicorn(name: string, files: Files): Promise<Program> {
  const file = await files.open(name);
  const last = new Map<string, Entry>();
  for (const entry of file.entries) if (!OWN.test(entry.key)) last.set(entry.key, entry);
  const settings: Declaration[] = [];
  for (const {key, value, line} of last.values()) {
    if (value === null) files.note(file, `line ${line}: ${key} is worked out when gunicorn starts and is not known here`);
    else
      settings.push({name: key, value: value === 'True' || value === 'False' ? value === 'True' : plainValue(value), file, line});
  }
  return {server: 'gunicorn', name: null, settings, place: {file, section: ''}, runs: null};
}
