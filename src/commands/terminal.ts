import {existsSync} from 'node:fs';
import {hostname} from 'node:os';
import {resolve} from 'node:path';
import {isatty} from 'node:tty';
import {pathToFileURL} from 'node:url';

const NARROWEST = 40;
/** Longer lines of prose are hard to read. */
const WIDEST = 120;
/** Where the output is no terminal: the same for everybody. */
const PIPE_WIDTH = 100;

export function isTerminal(descriptor: 0 | 1 | 2): boolean {
  return isatty(descriptor);
}

/** `--color`/`--no-color` decide; else NO_COLOR, FORCE_COLOR, and whether a terminal that can do it reads along. */
export function wantsColor(flag: boolean | undefined, env: NodeJS.ProcessEnv, toTerminal: boolean): boolean {
  if (flag !== undefined) return flag;
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return !['0', 'false'].includes(env.FORCE_COLOR);
  return toTerminal && env.TERM !== 'dumb';
}

/** @param columns of the terminal; undefined where there is none */
export function widthFor(columns: number | undefined): number {
  return columns === undefined ? PIPE_WIDTH : Math.min(WIDEST, Math.max(NARROWEST, columns));
}

/** Gives files an address that a terminal opens on a click; undefined where standard output is no terminal that does. */
export async function linksFor(toTerminal: boolean, color: boolean): Promise<((input: string) => string | null) | undefined> {
  if (!toTerminal || !color) return undefined;
  const {default: supported} = await import('supports-hyperlinks');
  if (!supported.stdout) return undefined;
  return (input) => (existsSync(input) ? `file://${hostname()}${pathToFileURL(resolve(input)).pathname}` : null);
}
