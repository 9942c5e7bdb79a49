/**
 * uWSGI's option log-format: a template of request lines (core/logging.c, `uwsgi_add_logchunk_variables`; plain text with
 * `%(name)` in it), as a rule of a grammar.
 */

/** The template is none. The message is ready to print. */
export class LogFormatError extends Error {
  override readonly name = 'LogFormatError';
}

/** The message that a request line of a template is. */
export const CUSTOM_REQUEST = 'request-custom';

/** What request lines of a template look like, and what can be learned from them. */
export interface LogFormat {
  /** Rules of Ohm: the message `requestCustom`, and a field for each variable that is of use. */
  readonly rules: string;
  /** The request can be told to a process, at a time. */
  readonly tellsProcess: boolean;
  /** What the template leaves out and what that costs, in words; null where nothing is missing. */
  readonly missing: string | null;
}

/** Variables that are of use, with what they look like. The names of the fields are those of `CustomRequest`. */
const FIELDS: Readonly<Record<string, readonly [field: string, shape: string]>> = {
  pid: ['logPid', 'digit+'],
  status: ['logStatus', 'integer_'],
  msecs: ['logMsecs', 'digit+'],
  micros: ['logMicros', 'digit+'],
  secs: ['logSecs', 'digit+ ("." digit+)?'],
  ctime: ['logCtime', 'ctime_'],
  ltime: ['logLtime', 'ltime_'],
  time: ['logTime', 'digit+'],
  tmsecs: ['logTmsecs', 'digit+'],
  tmicros: ['logTmicros', 'digit+'],
  epoch: ['logEpoch', 'digit+'],
};
const LTIME = 'digit digit "/" month_ "/" digit digit digit digit ":" clock_ " " ("+" | "-") digit digit digit digit';

/** Numbers: everything else that uWSGI writes as digits. */
const NUMBERS = new Set(
  'wid core switches rsize hsize size cl vsz rss vszM rssM vars pktsize modifier1 modifier2 headers werr rerr ioerr uh'.split(
    ' ',
  ),
);
const TIMES = ['ctime', 'ltime', 'time', 'tmsecs', 'tmicros', 'epoch'];
const DURATIONS = ['msecs', 'micros', 'secs'];

/** @throws LogFormatError */
export function logFormatOf(template: string): LogFormat {
  const parts = partsOf(template);
  const named = new Set(parts.flatMap(({name}) => name ?? []));
  if (named.size === 0) throw new LogFormatError('it has no variable such as %(pid) or %(uri)');
  const used = new Map<string, string>();
  const body = parts.map(({name, text}, at) => {
    if (name === null) return quoted(text);
    const known = FIELDS[name];
    if (known === undefined) return NUMBERS.has(name) ? '("-" | integer_)' : upTo(parts[at + 1]?.text);
    const [field, shape] = known;
    // A field has one value; what comes twice is captured once.
    if (used.has(field)) return `(${shape})`;
    used.set(field, shape);
    return field;
  });
  const fields = [...used].map(([field, shape]) => `  ${field} = ${shape}`);
  const rules = [`  requestCustom = ${body.join(' ')}`, ...fields, ...(named.has('ltime') ? [`  ltime_ = ${LTIME}`] : [])];
  const hasTime = TIMES.some((name) => named.has(name));
  return {rules: rules.join('\n'), tellsProcess: named.has('pid') && hasTime, missing: missing(named, hasTime)};
}

function missing(named: ReadonlySet<string>, hasTime: boolean): string | null {
  if (!named.has('pid')) return 'log-format has no %(pid): requests are counted, and cannot be told to a worker';
  if (!hasTime)
    return 'log-format has no time such as %(ltime): requests are counted, and nothing can be said of when they were served';
  if (!DURATIONS.some((name) => named.has(name)))
    return 'log-format has no duration such as %(msecs): how long requests take is not known';
  return null;
}

interface Part {
  /** Of a variable; null for text. */
  readonly name: string | null;
  readonly text: string;
}

function partsOf(template: string): Part[] {
  if (template.includes('\n')) throw new LogFormatError('it has more than one line');
  const parts = template.split(/(%\([^()]*\))/).filter((part) => part !== '');
  return parts.map((part) => {
    const [, name = null] = /^%\(([^()]+)\)$/.exec(part) ?? [];
    if (name === null && part.includes('%('))
      throw new LogFormatError(`"${part.slice(part.indexOf('%('))}" is not closed by ")"`);
    return {name, text: name === null ? part : ''};
  });
}

/** What a client sent, up to the text that follows in the template; to the end of the line where none follows. */
function upTo(text: string | undefined): string {
  if (text === undefined) return 'any*';
  return text === '' ? '(~" " any)*' : `(~${quoted(text)} any)*`;
}

/** A literal, one character per byte. */
function quoted(text: string): string {
  return JSON.stringify(Buffer.from(text, 'utf8').toString('latin1')).replace(
    /[\x7f-\xff]/g,
    (byte) => `\\x${byte.charCodeAt(0).toString(16)}`,
  );
}
