import type {Configuration, Program} from './configuration.ts';
import {Files, splitSection} from './files.ts';

/**
 * Reads configuration files of every kind that is known: uWSGI (ini, yaml, json, xml; `app.ini:section`), gunicorn,
 * supervisord, systemd, containers (compose, Kubernetes). Nothing is run. Throws InputError or ConfigError where one cannot be read or understood.
 */
export async function readConfiguration(names: readonly string[]): Promise<Configuration> {
  const files = new Files();
  const programs: Program[] = [];
  const units: string[] = [];
  for (const name of new Set(names)) {
    const {path} = splitSection(name);
    const {kind} = await files.open(path);
    if (kind === 'systemd') units.push(path);
    else if (kind === 'supervisord') programs.push(...(await (await import('./supervisord.ts')).readSupervisord(path, files)));
    else if (kind === 'compose' || kind === 'kubernetes')
      programs.push(...(await (await import('./container.ts')).readContainerPrograms(path, files)));
    else if (kind === 'gunicorn') programs.push(await (await import('./gunicorn.ts')).readGunicorn(path, files));
    else programs.push(await (await import('./uwsgi.ts')).readUwsgi(name, files));
  }
  if (units.length > 0) programs.push(...(await (await import('./systemd.ts')).readSystemd(units, files)));
  return {files: files.all, programs, notes: files.notes};
}
