import {mkdirSync, mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';

/** Writes files into a folder of their own, which goes with the run of the tests, and gives their paths. */
export function writer(): ((name: string, content: string | Buffer) => string) & {readonly folder: string} {
  const folder = mkdtempSync(join(tmpdir(), 'logdoctor-'));
  const written = (name: string, content: string | Buffer) => {
    const path = join(folder, name);
    mkdirSync(dirname(path), {recursive: true});
    writeFileSync(path, content);
    return path;
  };
  return Object.assign(written, {folder});
}
