import {stateRecord} from './inspect.ts';
import {withUnit} from './message-id.ts';
import {statsRecords} from './stats.ts';

/**
 * Records in which a line of a log is a value among others: journald's fields, and what collectors make of lines
 * in JSON.
 */
export interface EnvelopeRecord {
  /** What kind of record it is: `docker-json`, `journal-json`, … */
  readonly name: string;
  /** The lines it holds; null where the record shows that there was one and leaves it out. */
  readonly text: string | Buffer | null;
  /** The text goes on in the next record of the same origin. */
  readonly isPartial: boolean;
  /** A time as the record writes it; {@link timeOf} reads it. */
  readonly time: unknown;
  /** Host, unit, container, … and boot: what tells one stream of lines from another. */
  readonly origin: readonly string[];
  /** What is found in the line that it is about, where it is a part of a document of several lines. */
  readonly standsAt?: RegExp;
  /** How many lines of the document precede that one. */
  readonly linesBefore?: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** The order in which collectors' keys are asked for the text of a line, and for its time. */
export const TEXT_KEYS = [
  'message',
  'msg',
  'log',
  'line',
  'MESSAGE',
  'textPayload',
  '@message',
  'event',
  '_raw',
  'text',
  'body',
  'content',
  'short_message',
  'LogMessage',
  'LogEntry',
  'payload',
  'original',
  'event.original',
  'body.stringValue',
];
export const TIME_KEYS = [
  '_SOURCE_REALTIME_TIMESTAMP',
  '__REALTIME_TIMESTAMP',
  'timestamp',
  '@timestamp',
  'time',
  'ts',
  'date',
  'asctime',
  'eventTime',
  'unix',
  '_time',
  'TimeGenerated',
  'datetime',
  'dt',
  'timeUnixNano',
  'observedTimeUnixNano',
];
/** Objects around the record itself. */
const INNER_KEYS = ['jsonPayload', '_source', 'result', 'fields', 'attributes', 'event', 'content', 'record', 'log'];
/** Lists of records. */
const LIST_KEYS = [
  'events',
  'logEvents',
  'entries',
  'streams',
  'data',
  'result',
  'results',
  'hits',
  'records',
  'logs',
  'tables',
  'resourceLogs',
  'scopeLogs',
  'logRecords',
];
/** Tables in JSON: the names of the columns, and the rows, each a list of values. */
const TABLE_KEYS: readonly (readonly [columns: string, rows: string])[] = [
  ['columns', 'rows'],
  ['fields', 'rows'],
  ['meta', 'data'],
];
/** Lists and objects inside each other beyond this are nobody's export. */
const DEEPEST = 8;
const ORIGIN_KEYS: readonly (readonly string[])[] = [
  ['_HOSTNAME', 'host', 'hostname', 'host.name', 'host.hostname', 'kubernetes.host'],
  ['UNIT', 'USER_UNIT', 'OBJECT_SYSTEMD_UNIT', 'COREDUMP_UNIT', '_SYSTEMD_UNIT'],
  [
    'kubernetes.namespace_name',
    'kubernetes.pod_namespace',
    'resource.labels.namespace_name',
    'labels.namespace',
    'stream.namespace',
  ],
  ['kubernetes.pod_name', 'kubernetes.pod.name', 'resource.labels.pod_name', 'labels.pod', 'stream.pod', 'pod', 'PodName'],
  [
    'CONTAINER_NAME',
    'container_name',
    'kubernetes.container_name',
    'kubernetes.container.name',
    'resource.labels.container_name',
    'container.name',
    'labels.container',
    'stream.container',
    'logStreamName',
    '_container_name',
    'ContainerName',
    'ContainerName_s',
  ],
  ['_BOOT_ID'],
];
const PROGRAM_KEYS = ['SYSLOG_IDENTIFIER', '_COMM', 'program', 'appname', 'ident', 'resource.labels.instance_id', 'service'];

/** The records that a JSON value holds, in the order of their writing; none where it is no record of a line. */
export function recordsOf(value: unknown): EnvelopeRecord[] {
  return oldestFirst(recordsIn(value, 0));
}

/** A list with its newest record first is turned round, so that those of one moment are in order too. */
function oldestFirst(records: EnvelopeRecord[]): EnvelopeRecord[] {
  if (records.length < 2) return records;
  const first = timeOf(records[0]?.time)?.time ?? 0;
  const last = timeOf(records.at(-1)?.time)?.time ?? 0;
  return first > last ? records.reverse() : records;
}

/** Lists of records, each of one stream: what was written first comes first. */
function merged(lists: readonly (readonly EnvelopeRecord[])[]): EnvelopeRecord[] {
  const timed = lists.flat().map((record) => ({record, time: timeOf(record.time)?.time ?? null}));
  if (timed.every(({time}) => time !== null)) timed.sort((a, b) => (a.time as number) - (b.time as number));
  return timed.map(({record}) => record);
}

/** A record of the journal, field by field. */
export function journalRecord(name: string, fields: Fields): EnvelopeRecord {
  const said = textOf(fields['MESSAGE']);
  const text = said === null || !('MESSAGE_ID' in fields) ? said : withUnit(fields, said.toString());
  return {name, text, isPartial: false, time: firstOf(fields, TIME_KEYS), origin: originOf(fields)};
}

/** The record that holds its text under a key of somebody's own choice. */
export function recordOfKey(fields: Fields, key: string): EnvelopeRecord {
  return collected(fields, String(fields[key]), 'json');
}

/** The record in a row of a table. */
export function recordOfRow(fields: Fields, text: string, time: string | null): EnvelopeRecord {
  const told = time === null ? undefined : fields[time];
  return {name: 'csv', text: String(fields[text]), isPartial: false, time: told, origin: originOf(fields)};
}

function recordsIn(value: unknown, depth: number): EnvelopeRecord[] {
  if (depth > DEEPEST || typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) {
    const pairs = ofPairs(value);
    if (pairs !== null) return recordsIn(pairs, depth + 1);
    const lists = value.map((item) => recordsIn(item, depth + 1));
    return value.length > 1 && value.every(isLokiStream) ? merged(lists) : lists.flat();
  }
  const fields = value as Fields;
  const stats = statsRecords(fields);
  if (stats.length > 0) return stats;
  const state = stateRecord(fields);
  if (state !== null) return [state];
  if ('__REALTIME_TIMESTAMP' in fields || '__CURSOR' in fields) return [journalRecord('journal-json', fields)];
  const {log, time} = fields;
  if (typeof log === 'string' && typeof time === 'string' && 'stream' in fields) {
    if (isBareDocker(fields)) return [{name: 'docker-json', text: log, isPartial: !log.endsWith('\n'), time, origin: []}];
    return [collected(fields, log, 'docker-json')];
  }
  if (isLokiStream(fields)) return lokiRecords(fields, fields['values'] as readonly unknown[]);
  const record = lineIn(fields, fields) ?? lineInside(fields);
  if (record !== null) return [record];
  for (const [columns, rows] of TABLE_KEYS) {
    const records = recordsOfRows(fields[columns], fields[rows], depth);
    if (records.length > 0) return records;
  }
  for (const name of LIST_KEYS) {
    const records = recordsIn(fields[name], depth + 1);
    if (records.length > 0) return records;
  }
  return [];
}

/** The line that an object inside the record holds; null where none does. */
function lineInside(fields: Fields): EnvelopeRecord | null {
  for (const name of INNER_KEYS) {
    const inner = fields[name];
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) continue;
    const alone = withoutLists(inner as Fields);
    const record = lineIn(alone, {...alone, ...fields});
    if (record !== null) return record;
  }
  return null;
}

/** The line in an object of which `all` are the fields that tell the rest; null where none of them is a line. */
function lineIn(fields: Fields, all: Fields): EnvelopeRecord | null {
  const key = TEXT_KEYS.find((name) => typeof valueAt(fields, name) === 'string');
  if (key !== undefined) return collected(all, valueAt(fields, key) as string, nameOf(all, key));
  // Azure's tables, and whoever writes the same words in capitals.
  const names = Object.keys(fields).filter((name) => typeof fields[name] === 'string');
  const other = TEXT_KEYS.map((known) => names.find((name) => plainName(name) === plainName(known))).find(
    (name) => name !== undefined,
  );
  return other === undefined ? null : collected(all, fields[other] as string, nameOf(all, other));
}

/** `Log_s` -> `log`, `@timestamp` -> `timestamp` */
function plainName(key: string): string {
  return key
    .toLowerCase()
    .replace(/_[st]$/, '')
    .replace(/^@/, '');
}

/** Elasticsearch's `fields`: each value is a list of one. */
function withoutLists(fields: Fields): Fields {
  const alone = (value: unknown) => (Array.isArray(value) && value.length === 1 ? value[0] : value);
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, alone(value)]));
}

/** A list of `{"field": …, "value": …}` is an object: CloudWatch Insights. Null where the list is none of the kind. */
function ofPairs(list: readonly unknown[]): Fields | null {
  const pairs = list.map((item) => item as Readonly<Record<string, unknown>> | null);
  if (list.length === 0 || !pairs.every((pair) => typeof pair?.['field'] === 'string' && 'value' in pair)) return null;
  return Object.fromEntries(pairs.map((pair) => [pair?.['field'], pair?.['value']]));
}

function recordsOfRows(columns: unknown, rows: unknown, depth: number): EnvelopeRecord[] {
  if (!Array.isArray(columns) || !Array.isArray(rows)) return [];
  const names = columns.map((column) => String((column as Fields | null)?.['name'] ?? column));
  return rows.flatMap((row) =>
    Array.isArray(row) ? recordsIn(Object.fromEntries(row.map((value, n) => [names[n] ?? '', value])), depth + 1) : [],
  );
}

function collected(fields: Fields, text: string, name: string): EnvelopeRecord {
  const isPartial = fields['logtag'] === 'P' || String(fields['partial_message']) === 'true';
  return {name, text, isPartial, time: timeIn(fields), origin: originOf(fields)};
}

function timeIn(fields: Fields): unknown {
  const told = firstOf(fields, TIME_KEYS);
  if (told !== undefined) return told;
  const other = Object.keys(fields).find((name) => TIME_KEYS.some((known) => plainName(name) === plainName(known)));
  return other === undefined ? undefined : fields[other];
}

/** As dockerd wrote it. Collectors take away the line end that tells a whole line from a part of one. */
function isBareDocker(fields: Fields): boolean {
  for (const key in fields) if (key !== 'log' && key !== 'time' && key !== 'stream' && key !== 'attrs') return false;
  return true;
}

/** Loki's answer to a query: the labels of a stream, and its lines with their times. */
function isLokiStream(value: unknown): boolean {
  const fields = value as Fields | null;
  return typeof fields?.['stream'] === 'object' && Array.isArray(fields['values']);
}

function lokiRecords(fields: Fields, values: readonly unknown[]): EnvelopeRecord[] {
  const origin = originOf(fields);
  return oldestFirst(
    values.flatMap((entry) => {
      if (!Array.isArray(entry) || typeof entry[1] !== 'string') return [];
      return [{name: 'loki', text: entry[1], isPartial: false, time: entry[0], origin}];
    }),
  );
}

function nameOf(fields: Fields, textKey: string): string {
  if (textKey === 'textPayload' || 'insertId' in fields) return 'google-json';
  if (textKey === 'line' && ('labels' in fields || 'date' in fields)) return 'loki';
  if ('ingestionTime' in fields || 'logStreamName' in fields || textKey === '@message') return 'cloudwatch-json';
  return 'json';
}

/** A string; bytes where it is no text; lines where the field occurs several times; null where it is left out. */
function textOf(value: unknown): string | Buffer | null {
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return value;
  if (!Array.isArray(value)) return null;
  if (value.every((item) => typeof item === 'number')) return Buffer.from(value);
  return value.map((item) => textOf(item)?.toString() ?? '').join('\n');
}

function originOf(fields: Fields): string[] {
  const origin = ORIGIN_KEYS.map((keys) => namedBy(fields, keys)).filter((name) => name !== null);
  const hasName = ORIGIN_KEYS.slice(1, -1).some((keys) => namedBy(fields, keys) !== null);
  const program = hasName ? null : namedBy(fields, PROGRAM_KEYS);
  return program === null ? origin : [...origin, program];
}

function namedBy(fields: Fields, keys: readonly string[]): string | null {
  const name = firstOf(fields, keys);
  return typeof name === 'string' && name !== '' ? name : null;
}

function firstOf(fields: Fields, keys: readonly string[]): unknown {
  for (const key of keys) {
    const found = valueAt(fields, key);
    if (found !== undefined && (typeof found !== 'object' || found === null)) return found;
  }
  return undefined;
}

function valueAt(fields: Fields, key: string): unknown {
  return fields[key] ?? within(fields, key);
}

/** `kubernetes.pod_name` may be a field of an object. */
function within(fields: Fields, path: string): unknown {
  const dot = path.indexOf('.');
  if (dot < 0) return undefined;
  const object = fields[path.slice(0, dot)];
  if (typeof object !== 'object' || object === null) return undefined;
  const rest = path.slice(dot + 1);
  return (object as Fields)[rest] ?? within(object as Fields, rest);
}

const ISO = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\d* ?(Z|[+-]\d\d:?\d\d)?/;
const NUMBER = /^\d{9,20}(?:\.\d+)?$/;

/** A time as records write it: ISO 8601, or a number of seconds, milliseconds, microseconds or nanoseconds since 1970. */
export function timeOf(value: unknown): {readonly time: number; readonly isUtc: boolean} | null {
  if (typeof value === 'number')
    return Number.isFinite(value) && value > 0 ? {time: Math.floor(inMilliseconds(value)), isUtc: true} : null;
  if (typeof value !== 'string') return null;
  if (NUMBER.test(value)) return {time: Math.floor(inMilliseconds(Number(value))), isUtc: true};
  const [, day, clock, fraction = '', zone] = ISO.exec(value) ?? ISO.exec(isoOf(value)) ?? [];
  if (day === undefined) return null;
  const offset = zone === undefined || zone === 'Z' ? 'Z' : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  const time = Date.parse(`${day}T${clock}.${fraction.slice(0, 3).padEnd(3, '0')}${offset}`);
  return Number.isNaN(time) ? null : {time, isUtc: zone !== undefined};
}

const KIBANA = /^(\w{3}) (\d{1,2}), (\d{4}) @ ([\d:]{8}.*)/;
const TWELVE_HOURS = /^(\d{1,2})\/(\d{1,2})\/(\d{4}),? (\d{1,2})(:\d\d:\d\d(?:\.\d+)?)\s([AP])M$/;

/** As Kibana and Azure write a time, in the form of ISO 8601; the value itself where it is neither. */
function isoOf(value: string): string {
  const [, name = '', date = '', year = '', clock] = KIBANA.exec(value) ?? [];
  if (clock !== undefined) {
    const month = MONTHS.indexOf(name) + 1;
    return `${year}-${String(month).padStart(2, '0')}-${date.padStart(2, '0')}T${clock}`;
  }
  const [, month = '', day = '', of = '', hour = '', rest, half] = TWELVE_HOURS.exec(value) ?? [];
  if (rest === undefined) return value;
  const hours = (Number(hour) % 12) + (half === 'P' ? 12 : 0);
  return `${of}-${month.padStart(2, '0')}-${day.padStart(2, '0')}T${String(hours).padStart(2, '0')}${rest}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function inMilliseconds(value: number): number {
  if (value < 1e11) return value * 1000;
  if (value < 1e14) return value;
  return value < 1e17 ? value / 1000 : value / 1e6;
}
