/** What the name of a log file tells about its place among the parts of one log. */
export interface RotatedName {
  /** The name of the log that this is a part of: `x.log` for `x.log.2.gz`. */
  readonly log: string;
  readonly scheme: Scheme;
  /** Within a scheme, older parts compare lower. */
  readonly time: string;
  readonly index: number;
  readonly isPacked: boolean;
}

/** In the order of age where one log has parts of several schemes: the live file is always the newest. */
const SCHEMES = ['dated', 'numbered', 'old', 'live'] as const;
type Scheme = (typeof SCHEMES)[number];

const PACKED = /\.(?:gz|bz2|xz|zst|zstd|lz4|Z)$/;
/** svlogd and multilog: a TAI64N label, beside `current`. */
const LABELLED = /^@([0-9a-f]{24})(?:\.[a-z])?$/;
/** uWSGI's own rotation, and dateext with `%s`: seconds since 1970. */
const EPOCH = /^(.+)[-.]([1-3]\d{9})$/;
/** logrotate and supervisord: the higher the older. */
const NUMBERED = /^(.+)\.(\d{1,3})$/;
const OLD = /^(.+)\.(?:old|bak|prev|previous)$/;
/** A date, perhaps with a time, before or behind the ending; a number behind it counts up within the day. */
const DATED = new RegExp(
  '^(.*?)[-._]*' +
    '((?:19|20)\\d\\d)([-_.]?)(0[1-9]|1[0-2])\\3(0[1-9]|[12]\\d|3[01])' +
    '((?:[-_T.]?\\d\\d(?:[-:._]?\\d\\d){0,2}(?:[.,]\\d+)?Z?)?)(?!\\d)' +
    '(.*?)(?:[-.](\\d{1,9}))?(\\.[A-Za-z]+)?$',
);

export function readName(fileName: string): RotatedName {
  const isPacked = PACKED.test(fileName);
  const name = fileName.replace(PACKED, '');
  const [, label] = LABELLED.exec(name) ?? [];
  if (label !== undefined) return {log: 'current', scheme: 'dated', time: label, index: 0, isPacked};
  const [, epochLog, seconds] = EPOCH.exec(name) ?? [];
  if (epochLog !== undefined) {
    const date = readName(epochLog);
    return {log: date.log, scheme: 'dated', time: digitsOf(new Date(Number(seconds) * 1000).toISOString()), index: 0, isPacked};
  }
  const [, stem, year, , month, day, time, middle, index, ending] = DATED.exec(name) ?? [];
  if (stem !== undefined && stem + middle + (ending ?? '') !== '') {
    const log = stem + (middle ?? '') + (ending ?? '');
    return {log, scheme: 'dated', time: digitsOf(`${year}${month}${day}${time}`), index: Number(index ?? 0), isPacked};
  }
  const [, numberedLog, number] = NUMBERED.exec(name) ?? [];
  if (numberedLog !== undefined) return {log: numberedLog, scheme: 'numbered', time: '', index: -Number(number), isPacked};
  const [, oldLog] = OLD.exec(name) ?? [];
  if (oldLog !== undefined) return {log: oldLog, scheme: 'old', time: '', index: 0, isPacked};
  return {log: name, scheme: 'live', time: '', index: 0, isPacked};
}

/** Negative where `a` is the older part. Zero: the names do not tell. */
export function compareAge(a: RotatedName, b: RotatedName): number {
  return (
    SCHEMES.indexOf(a.scheme) - SCHEMES.indexOf(b.scheme) ||
    Number(a.time > b.time) - Number(a.time < b.time) ||
    a.index - b.index ||
    Number(b.isPacked) - Number(a.isPacked)
  );
}

/** How many parts are missing between two neighbours; names with dates do not tell. */
export function missingBetween(older: RotatedName, newer: RotatedName): number {
  if (older.scheme !== 'numbered') return 0;
  if (newer.scheme === 'numbered') return Math.max(0, newer.index - older.index - 1);
  // supervisord and logrotate count from 1, `start 0` in logrotate's configuration from 0.
  return newer.scheme === 'live' ? Math.max(0, -older.index - 1) : 0;
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '').padEnd(17, '0');
}
