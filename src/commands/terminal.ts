import {isatty} from 'node:tty';

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
