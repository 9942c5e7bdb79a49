import {type EnvelopeRecord, recordOfRow, TEXT_KEYS, TIME_KEYS} from './record.ts';

/** Names of columns besides those that collectors use. */
const TEXT_NAMES: ReadonlySet<string> = new Set([
  ...TEXT_KEYS.map((key) => key.toLowerCase()),
  'logentry',
  'log entry',
  'log line',
]);
const TIME_NAMES: ReadonlySet<string> = new Set([...TIME_KEYS.map((key) => key.toLowerCase()), 'tsns']);
const SEPARATORS = [',', ';', '\t'];
/** More lines than this are in no field. */
const MOST_LINES = 200;

/**
 * Rows of comma-separated values (RFC 4180), as CloudWatch, Datadog, Kibana, Grafana and spreadsheets export them: one
 * column is the line, one the time.
 */
export class Table {
  private readonly separator: string;
  private readonly names: readonly string[];
  private readonly text: string;
  private readonly time: string | null;
  /** A row whose quoted field goes on in the next line. */
  private open: string[] = [];

  private constructor(separator: string, names: readonly string[], text: string, time: string | null) {
    this.separator = separator;
    this.names = names;
    this.text = text;
    this.time = time;
  }

  /** The table that begins with this line; null where it is no line of column names. */
  static headedBy(line: string): Table | null {
    for (const separator of SEPARATORS) {
      const names = fieldsOf(line.replace(/^\uFEFF/, ''), separator)?.map(nameOf) ?? [];
      const text = names.find((name) => TEXT_NAMES.has(name));
      if (names.length < 2 || text === undefined || !names.every((name) => /^[@\w.][@\w. -]*$/.test(name))) continue;
      return new Table(separator, names, text, names.find((name) => TIME_NAMES.has(name)) ?? null);
    }
    return null;
  }

  /** The record in a row, `open` where the row goes on in the next line, null where the line is no row of the table. */
  read(line: string): EnvelopeRecord | 'open' | null {
    const row = [...this.open, line].join('\n');
    const values = fieldsOf(row, this.separator);
    if (values === null && this.open.length < MOST_LINES) {
      this.open.push(line);
      return 'open';
    }
    this.open = [];
    if (values?.length !== this.names.length) return null;
    const fields = Object.fromEntries(values.map((value, n) => [this.names[n] as string, value]));
    return recordOfRow(fields, this.text, this.time);
  }
}

/** `TimeGenerated [UTC]` -> `timegenerated` */
function nameOf(heading: string): string {
  return heading
    .replace(/\[.*\]/, '')
    .trim()
    .toLowerCase();
}

const QUOTED = '"((?:[^"]|"")*)"';

/** The values of a row; null where a quoted one has no end. */
function fieldsOf(row: string, separator: string): string[] | null {
  const value = new RegExp(`(?:${QUOTED}|([^${separator}"\\n][^${separator}\\n]*|))(${separator}|\\s*$)`, 'y');
  const values: string[] = [];
  while (value.lastIndex <= row.length) {
    const found = value.exec(row);
    if (found === null) return /^\s*"|[,;\t]"/.test(row) ? null : [];
    values.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '');
    if (found[3] !== separator) return values;
  }
  return values;
}
