import {isInState} from './inspect.ts';
import {type EnvelopeRecord, journalRecord, recordsOf} from './record.ts';
import {isInStats} from './stats.ts';

/** More than any record of a log; what is longer is not one. */
const MOST_LINES = 20_000;
const MOST_BYTES = 4 * 1024 * 1024;
/** `{`, a field, its value, `}` */
const PAIR_LINES = 4;

/**
 * What a line was to a record of several lines: a `part` of it; its `last`; or none of it, where the record had
 * ended before (`over`) or never was one (`never`).
 */
export type Step = 'part' | 'last' | 'over' | 'never';

/** A record of several lines that has begun. */
export interface Gathering {
  add(line: Buffer): Step;
  /** What was gathered. */
  records(): EnvelopeRecord[];
}

/** `journalctl -o json-pretty`, and whatever else is written as JSON with indentation: from a line `{` to its `}`. */
export class PrettyJson implements Gathering {
  private indentation = '';
  private lines: string[] = [];
  private bytes = 0;
  private isOutermost = false;
  /** Objects that are the fields of one: CloudWatch Insights. */
  private readonly pairs: unknown[] = [];
  private readonly finished: EnvelopeRecord[] = [];
  /** Those of documents that precede the one under way. */
  private linesBefore = 0;
  /** Objects inside are parts of it and no records: how many of them are open. Null where it is not known to be such a one. */
  private depth: number | null = null;

  static begins(line: Buffer): boolean {
    return /^[ \t]*(?:\[[ \t]*)?\{[ \t\r]*$/.test(line.toString('latin1'));
  }

  add(line: Buffer): Step {
    const text = line.toString('utf8');
    if (this.depth !== null) return this.addPart(text, this.depth);
    const begun = /^([ \t]*)(?:\[[ \t]*)?\{[ \t\r]*$/.exec(text);
    if (begun !== null) {
      // The innermost list of objects holds the records.
      this.isOutermost = this.lines.length === 0;
      this.indentation = begun[1] ?? '';
      this.lines = ['{'];
      return 'part';
    }
    this.bytes += line.length;
    if (this.lines.length > MOST_LINES || this.bytes > MOST_BYTES) return 'never';
    const closing = text.trimEnd();
    if (this.pairs.length > 0 && this.lines.length === 0) return isBracket(line) ? 'last' : 'never';
    if (closing.startsWith(`${this.indentation}}`) && /^\}\]?,?$/.test(closing.trim())) {
      this.lines.push('}');
      return this.isPair() ? 'part' : 'last';
    }
    if (!/^[ \t]*["\d\]}[tfn-]/.test(text) || isInState(text)) return 'never';
    this.lines.push(text);
    if (this.isOutermost && isInStats(text)) this.depth = 1;
    return 'part';
  }

  /** The object that has just ended is a field and its value; keeps it. */
  private isPair(): boolean {
    if (this.lines.length !== PAIR_LINES || !this.lines.some((line) => /^\s*"field"/.test(line))) return false;
    this.pairs.push(jsonOf(this.lines.join('\n')));
    this.lines = [];
    return true;
  }

  private addPart(text: string, depth: number): Step {
    this.bytes += text.length;
    if (this.lines.length > MOST_LINES || this.bytes > MOST_BYTES) return 'never';
    // The stats server writes no line end behind its document: another one may follow at once.
    const isFollowed = depth === 1 && /^\}[ \t]*\{[ \t\r]*$/.test(text);
    this.lines.push(isFollowed ? '}' : text);
    if (isFollowed) {
      this.finish();
      this.lines = ['{'];
      this.depth = 1;
      return 'part';
    }
    this.depth = depth + count(text, /[{[]/g) - count(text, /[}\]]/g);
    return this.depth > 0 ? 'part' : 'last';
  }

  records(): EnvelopeRecord[] {
    this.finish();
    return this.finished;
  }

  /** Keeps what the lines so far hold. */
  private finish(): void {
    const value = this.pairs.length > 0 ? this.pairs : jsonOf(this.lines.join('\n'));
    for (const record of value === undefined ? [] : recordsOf(value)) {
      const {standsAt} = record;
      const line =
        standsAt === undefined
          ? 0
          : Math.max(
              0,
              this.lines.findIndex((each) => standsAt.test(each)),
            );
      this.finished.push(standsAt === undefined ? record : {...record, linesBefore: this.linesBefore + line});
    }
    this.linesBefore += this.lines.length - 1;
    this.bytes = 0;
  }
}

/**
 * An entry as `gcloud logging read` prints it: YAML, of which only the few forms occur that its printer writes. From `insertId` to
 * `timestamp`, which is the last of the keys that every entry has.
 */
export class GoogleYaml implements Gathering {
  private readonly fields: Record<string, string> = {};
  /** Where the line that comes next goes: a text over several lines. */
  private open: {readonly key: string; readonly indentation: number} | null = null;
  private lines = 0;

  add(line: Buffer): Step {
    const text = line.toString('utf8').trimEnd();
    this.lines++;
    if (text === '---' || this.lines > MOST_LINES) return 'over';
    const [, blanks = '', key, value = ''] = /^( *)([A-Za-z_][\w./@-]*):(?: (.*))?$/.exec(text) ?? [];
    if (this.open !== null && (text === '' || indentationOf(text) > this.open.indentation)) {
      const before = this.fields[this.open.key] ?? '';
      this.fields[this.open.key] = `${before}${before === '' ? '' : '\n'}${text.trimStart()}`;
      return 'part';
    }
    this.open = null;
    if (key === undefined) return text.startsWith(' ') || text.startsWith('- ') ? 'part' : 'over';
    if (blanks !== '' && key !== 'message') return 'part';
    this.fields[key] = /^[|>][-+]?$/.test(value) ? '' : scalarOf(value);
    if (value === '' || /^[|>]/.test(value)) this.open = value === '' ? null : {key, indentation: blanks.length};
    return 'part';
  }

  records(): EnvelopeRecord[] {
    const {message, ...fields} = this.fields;
    return recordsOf({...fields, textPayload: fields['textPayload'] ?? message});
  }
}

function indentationOf(text: string): number {
  return text.length - text.trimStart().length;
}

/** A value of YAML that stands on one line. */
function scalarOf(value: string): string {
  if (value.startsWith("'")) return value.slice(1, -1).replaceAll("''", "'");
  const text = value.startsWith('"') ? jsonOf(value) : value;
  return typeof text === 'string' ? text : value;
}

/** How many brackets stand outside of strings. */
function count(text: string, brackets: RegExp): number {
  return text.replace(STRINGS, '').match(brackets)?.length ?? 0;
}

/** What belongs to a list of records and to none of them: `[`, `]`, `}`, and YAML's `---`. */
export function isBracket(line: Buffer): boolean {
  return /^[ \t]*(?:[\]}][\]}]?,?|\[|---)[ \t\r]*$/.test(line.toString('latin1', 0, 200));
}

/** `journalctl -o export`: `KEY=value`, or `KEY`, a length of eight bytes, and as many bytes; an empty line ends the record. */
export class JournalExport implements Gathering {
  private readonly fields = new Fields();
  private bytes = 0;
  private key: string | null = null;
  private binary: Buffer[] = [];
  private binaryLength = 0;

  add(line: Buffer): Step {
    this.bytes += line.length;
    if (this.bytes > MOST_BYTES) return 'never';
    if (this.key !== null) return this.addBinary(this.key, line);
    if (line.length === 0 || (line.length === 1 && line[0] === 13)) return 'last';
    const [, key, isText, value = ''] = /^([A-Z_][A-Z0-9_]*)(=?)(.*)$/s.exec(line.toString('latin1')) ?? [];
    if (key === undefined) return 'over';
    if (isText === '=') this.fields.add(key, Buffer.from(value, 'latin1'));
    else this.key = key;
    return 'part';
  }

  records(): EnvelopeRecord[] {
    return [journalRecord('journal-export', this.fields.all)];
  }

  /** The bytes of a value may themselves be line ends. */
  private addBinary(key: string, line: Buffer): Step {
    this.binary.push(Buffer.from(line), Buffer.of(10));
    this.binaryLength += line.length + 1;
    if (this.binaryLength < 9) return 'part';
    const bytes = Buffer.concat(this.binary);
    this.binary = [bytes];
    const length = Number(bytes.readBigUInt64LE(0));
    if (length > MOST_BYTES) return 'never';
    if (bytes.length < 8 + length + 1) return 'part';
    this.fields.add(key, bytes.subarray(8, 8 + length));
    this.key = null;
    this.binary = [];
    this.binaryLength = 0;
    return 'part';
  }
}

/** `journalctl -o verbose`: a head line with the time, then `    KEY=value`, further lines of a value indented more. */
export class JournalVerbose implements Gathering {
  private readonly fields = new Fields();
  private readonly time: number | null;
  private bytes = 0;
  private isBegun = false;

  /** The time in the head line. */
  constructor(time: number | null) {
    this.time = time;
  }

  add(line: Buffer): Step {
    if (!this.isBegun) {
      this.isBegun = true;
      return 'part';
    }
    this.bytes += line.length;
    const text = line.toString('latin1');
    const [, key, value = ''] = /^ {4}([A-Z_][A-Z0-9_]*)=(.*)$/s.exec(text) ?? [];
    if (key !== undefined) this.fields.add(key, Buffer.from(value, 'latin1'));
    else if (text.startsWith('     ')) this.fields.continue(Buffer.from(text.trimStart(), 'latin1'));
    else return 'over';
    return this.bytes > MOST_BYTES ? 'never' : 'part';
  }

  records(): EnvelopeRecord[] {
    const record = journalRecord('journal-verbose', this.fields.all);
    return [record.time === undefined && this.time !== null ? {...record, time: this.time} : record];
  }
}

/** Fields of a journal's record; the same field may come several times. */
class Fields {
  private readonly values = new Map<string, Buffer[]>();
  private last = '';

  add(key: string, value: Buffer): void {
    this.last = key;
    const known = this.values.get(key);
    if (known === undefined) this.values.set(key, [Buffer.from(value)]);
    else known.push(Buffer.from(value));
  }

  continue(line: Buffer): void {
    const known = this.values.get(this.last);
    const value = known?.pop();
    if (known !== undefined && value !== undefined) known.push(Buffer.concat([value, Buffer.of(10), line]));
  }

  get all(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(
      [...this.values].map(([key, values]) => {
        const joined = values.flatMap((value, at) => (at === 0 ? [value] : [Buffer.of(10), value]));
        const bytes = Buffer.concat(joined);
        return [key, key === 'MESSAGE' ? bytes : bytes.toString('utf8')];
      }),
    );
  }
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const STRING = '"(?:[^"\\\\]|\\\\.)*"';
const STRINGS = new RegExp(STRING, 'g');
/** An object with objects in it, of which none holds another. */
const OBJECT = new RegExp(`\\{(?:[^{}"]|${STRING}|\\{(?:[^{}"]|${STRING})*\\})*\\}\\s*`, 'gs');

/** Objects that stand one behind the other, and where the last of them ends. */
export function objectsIn(bytes: Buffer): {readonly values: readonly unknown[]; readonly end: number} {
  const text = bytes.toString('latin1');
  const values: unknown[] = [];
  let end = 0;
  OBJECT.lastIndex = 0;
  for (let found = OBJECT.exec(text); found !== null; found = OBJECT.exec(text)) {
    end = OBJECT.lastIndex;
    values.push(jsonOf(Buffer.from(found[0], 'latin1').toString('utf8')));
  }
  return {values, end};
}
