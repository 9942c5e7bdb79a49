/** Configuration files as they were read: what each sets, on which line, and where in its text that stands. */

export type Kind =
  | 'uwsgi-ini'
  | 'uwsgi-yaml'
  | 'uwsgi-json'
  | 'uwsgi-xml'
  | 'gunicorn'
  | 'supervisord'
  | 'systemd'
  | 'environment'
  | 'compose'
  | 'kubernetes';

/** A key and its value in the text of a file. Offsets count UTF-16 units from its beginning. */
export interface Entry {
  readonly section: string;
  readonly key: string;
  /** As written, without quotes; null where the file leaves it to a program to work it out. */
  readonly value: string | null;
  /** Counted from 1. */
  readonly line: number;
  /** Where the key begins. */
  readonly start: number;
  /** Where the value stands; empty where the key has none. */
  readonly from: number;
  readonly to: number;
  /** Behind the last character that belongs to it. */
  readonly end: number;
}

export interface Section {
  readonly name: string;
  /** Behind its heading: where a first key would go. */
  readonly start: number;
  readonly line: number;
}

export interface ConfigFile {
  /** As named on the command line, or by the file that includes it. */
  readonly name: string;
  readonly kind: Kind;
  readonly text: string;
  readonly sections: readonly Section[];
  readonly entries: readonly Entry[];
}

export type Value = string | number | boolean;

/** A value that is in force, as far as files tell. */
export interface Declaration {
  readonly name: string;
  readonly value: Value;
  /** Only the machine of the server tells to what it is set (`value`), or whether it is (`condition`): the value is how the file puts it. */
  readonly unknown?: 'value' | 'condition';
  readonly file: ConfigFile;
  readonly line: number;
}

/** Where a new setting of a program can be written. */
export interface Place {
  readonly file: ConfigFile;
  readonly section: string;
}

export type Server = 'uwsgi' | 'gunicorn' | 'supervisord' | 'systemd' | 'compose' | 'kubernetes';

/** What the files say of one program: an application server, or a program or unit that an outer supervisor runs. */
export interface Program {
  readonly server: Server;
  /** The name that an outer supervisor gives it: the part behind `program:`, the unit, the container. */
  readonly name: string | null;
  readonly settings: readonly Declaration[];
  readonly place: Place;
  /** What it includes could not all be read here: what it does not set may be set there. */
  readonly isIncomplete?: true;
  /** Outer supervisors: the server that the program runs. */
  readonly runs: Command | null;
}

/** The server that a command line starts. */
export interface Command {
  readonly server: 'uwsgi' | 'gunicorn';
  /** Configuration files that it names. */
  readonly files: readonly string[];
  readonly settings: readonly Declaration[];
  /** From its environment, or before the files of a command line: they hold where neither the rest of it nor a file says otherwise. */
  readonly fallbacks: readonly Declaration[];
}

/** Something that a reader of the report should know about a configuration. */
export interface ConfigNote {
  readonly file: string;
  readonly text: string;
}

export interface Configuration {
  readonly files: readonly ConfigFile[];
  readonly programs: readonly Program[];
  readonly notes: readonly ConfigNote[];
}

/** A configuration that cannot be understood. The message names the file, the line and what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(file: string, line: number | null, problem: string, remedy: string) {
    super(`${file}${line === null ? '' : `:${line}`}: ${problem}; ${remedy}`);
  }
}

/** `60` -> 60, `true` -> true; everything else as it stands. */
export function plainValue(text: string): Value {
  if (/^-?\d+(\.\d+)?$/.test(text) && text.length < 16) return Number(text);
  const word = text.toLowerCase();
  if (word === 'true' || word === 'yes' || word === 'on') return true;
  if (word === 'false' || word === 'no' || word === 'off') return false;
  return text;
}

/** The number of the line in which each offset of a text stands. */
export function lineCounter(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}

export function textOfLine({text}: ConfigFile, line: number): string {
  return (text.split('\n')[line - 1] ?? '').trim();
}
