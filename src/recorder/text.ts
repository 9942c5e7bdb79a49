import {HEADROOM} from '../grammar/matcher.ts';

export const LF = 10;
/** Texts inside records inside texts. */
export const DEEPEST_TEXT = 6;
export const LONGEST_TEXT = 4000;
export const BLANK = 0x20;
export const BRACE = 0x7b;
export const BRACKET = 0x5b;

const ESC = 0x1b;

/** A table of bytes: 1 for each that is one of `characters`. */
export function byteTable(...characters: readonly (string | number)[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const some of characters)
    for (const byte of typeof some === 'string' ? Buffer.from(some, 'latin1') : [some]) table[byte] = 1;
  return table;
}

export function isBlank(buffer: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if ((buffer[at] as number) > 0x20) return false;
  return true;
}

/** Whether a value of JSON may begin at `ink`, an object or a list. */
export function mayBeJson(buffer: Buffer, ink: number): boolean {
  const first = buffer[ink];
  return first === BRACE || (first === BRACKET && MAY_BE_LISTED[buffer[inkOf(buffer, ink + 1)] as number] === 1);
}

/** What the first value of a list, or what a line breaks off with, may begin with. */
const MAY_BE_LISTED = byteTable('{["-0123456789tfn]\n\r');

/** Where the last `[2026-` stands between two offsets, or -1. */
export function bracketedYear(buffer: Buffer, from: number, to: number): number {
  for (let at = to - YEAR.length; at >= from; at--) {
    if (buffer[at] !== BRACKET || buffer[at + 5] !== DASH) continue;
    if (isDigit(buffer[at + 1]) && isDigit(buffer[at + 2]) && isDigit(buffer[at + 3]) && isDigit(buffer[at + 4])) return at;
  }
  return -1;
}

const YEAR = '[2026-';
const DASH = 0x2d;

/** `name = value`, as the lines of an INI file are printed. */
export function isAssignment(buffer: Buffer, from: number, to: number): boolean {
  return ASSIGNMENT.test(buffer.toString('latin1', from, Math.min(to, from + LONGEST_NAME)));
}

const ASSIGNMENT = /^[a-z][\w-]* = /;
const LONGEST_NAME = 100;

/** A line as it was before a terminal, an editor or a web page had it. */
export interface Cleaned {
  /** Byte by byte. It may be several lines. */
  readonly text: string;
  readonly what: string;
}

/**
 * The line without bytes that stand around or inside a message and do not belong to it; null where it has none of them. What a
 * carriage return or a run of NULs separates was written apart, so it becomes lines; what a backspace takes back is gone.
 */
export function withoutControls(buffer: Buffer, from: number, to: number): Cleaned | null {
  const what = strangest(buffer, from, to);
  if (what === null) return null;
  let text = buffer.toString('latin1', from, to).replace(ESCAPE_SEQUENCE, '').replace(LEADING_MARK, '').replace(AROUND, '');
  for (let before = ''; before !== text && text.includes('\b'); ) {
    before = text;
    text = text.replace(TAKEN_BACK, '');
  }
  return {text: text.replace(SEPARATORS, '\n').replace(CONTROL, ''), what};
}

/**
 * The line without characters that have no width, and without control characters that a tool has written as signs (`^[[32m`,
 * `ESC[0m`, `^M`); null where it has none of them.
 */
export function withoutUnseen(buffer: Buffer, from: number, to: number): Cleaned | null {
  if (!mayHoldUnseen(buffer, from, to)) return null;
  const text = buffer.toString('latin1', from, to);
  const wide = text.replace(WIDTHLESS, '');
  const clean = wide.replace(SPELLED_TAB, '\t').replace(SPELLED, '');
  if (clean === text) return null;
  return {text: clean, what: clean === wide ? 'characters without width' : 'control characters that a tool wrote as signs'};
}

function mayHoldUnseen(buffer: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = buffer[at] as number;
    // `[0m`, `ESC[`
    if (byte === BRACKET ? isDigit(buffer[at + 1]) || isLetterC(buffer[at - 1]) : UNSEEN[byte] === 1) return true;
  }
  return false;
}

/** What somebody wrote behind the line, behind an arrow or a sign that begins a comment. */
const REMARK = /\s+(?:<[-=]+|[\u2190\u21d0\u27f5\u2b05]\ufe0f?|#+|\/{2,}|\^{2,})(?:\s.*)?$/;

/**
 * The line without what editors, chats and web pages make of quotes, dots and marks, and without a remark behind it; null where nothing was made of them. In
 * U+2026, ’, –, characters without width, `&gt;`, `\\*`, `<br>`, `**`, ```` ``` ````.
 */
export function asTyped(buffer: Buffer, from: number, to: number): {readonly buffer: Buffer; readonly length: number} | null {
  if (!mayBeRetyped(buffer, from, to)) return null;
  const text = buffer.toString('utf8', from, to > from && buffer[to - 1] === RETURN ? to - 1 : to);
  const typed = text
    .replace(/[\u2026\u2018\u2019\u201c\u201d\u2013\u2014\u00a0]/g, (sign) => TYPED[sign] as string)
    .replace(/[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]/g, '')
    .replace(/(?:<\/?(?:br|pre|code|p|div|li|td|tr)\b[^<>]*>)+\s*$|^\s*(?:<(?:pre|code|p|div|li|td|tr)\b[^<>]*>)+/gi, '')
    .replace(/&(?:amp;)?(gt|lt|amp|quot|apos|nbsp|#x?0*[\da-f]{1,3});/gi, (entity, name: string) => signOf(name) ?? entity)
    .replace(/\\([*_[\]()#+.!`~<>{}|-])/g, '$1')
    .replace(MARKED_UP, '')
    .replace(REMARK, '');
  if (typed === text) return null;
  const bytes = Buffer.from(`${typed}\n`);
  return {buffer: Buffer.concat([bytes, Buffer.alloc(HEADROOM)]), length: bytes.length - 1};
}

function mayBeRetyped(buffer: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = buffer[at] as number;
    if (RETYPED[byte] === 1 || (byte === SLASH && buffer[at + 1] === SLASH && (buffer[at - 1] as number) <= BLANK)) return true;
  }
  let last = to - 1;
  while (last > from && (buffer[last] as number) <= BLANK) last--;
  const first = inkOf(buffer, from);
  return isMark(buffer[first] as number, buffer[first + 1]) || isMark(buffer[last] as number, buffer[last - 1]);
}

/** What stands between the quotes of a list of strings, or of Markdown's code, byte by byte; null where the line is nothing of the kind. */
export function unquoted(buffer: Buffer, from: number, to: number): string | null {
  let first = from;
  while (buffer[first] === 0x20 || buffer[first] === 9) first++;
  const quote = buffer[first] as number;
  if (!isQuote(quote) || to - first < LEAST_QUOTED) return null;
  const [, , inside = null] = QUOTED.exec(buffer.toString('latin1', first, to)) ?? [];
  return inside === null || quote === BACKQUOTE ? inside : inside.replace(/\\(["'\\/])/g, '$1').replace(/\\[nrt]/g, ' ');
}

export function isQuote(byte: number): boolean {
  return QUOTES[byte] === 1;
}

const RETURN = 0x0d;
const QUOTES = byteTable('"\'`');
const BACKQUOTE = 0x60;
const LEAST_QUOTED = 10;
const QUOTED = /^(["'`])((?:(?!\1)[^\\]|\\.)*)\1,?\s*$/s;

/** What a web page's entity stands for. */
function signOf(name: string): string | undefined {
  const [, isHex, digits] = /^#(x?)0*([\da-f]+)$/i.exec(name) ?? [];
  if (digits === undefined) return ENTITIES[name.toLowerCase()];
  const code = Number.parseInt(digits, isHex === '' ? 10 : 16);
  return code === 0xa0 ? ' ' : code > 0x20 && code < 0x7f ? String.fromCharCode(code) : undefined;
}

/** Signs of a code block, of code or of bold type at an end of a line of it: Markdown, Jira, bulletin boards. */
const MARKED_UP =
  /^\s*(?:`{1,3}|~~~|\*\*(?!\*)|__(?!_)|\{(?:noformat|code|quote)[^{}]*\}|\[(?:code|quote)\])(?=\S)|(?<=\S)(?:`{1,3}|~~~|(?<!\*)\*\*|(?<!_)__|\{(?:noformat|code|quote)\}|\[\/(?:code|quote)\])\s*$/g;

const TYPED: Readonly<Record<string, string>> = {
  '\u2026': '...',
  '\u2018': "'",
  '\u2019': "'",
  '\u201c': '"',
  '\u201d': '"',
  '\u2013': '-',
  '\u2014': '--',
  '\u00a0': ' ',
};
const ENTITIES: Readonly<Record<string, string>> = {gt: '>', lt: '<', amp: '&', quot: '"', apos: "'", nbsp: ' '};
/** The first two bytes of what {@link asTyped} undoes inside of words. */
const DRESSINGS: ReadonlySet<number> = new Set([
  0xe280,
  0xe281,
  0xefbb,
  0xc2a0,
  0xc2ad,
  ...[...'*_[]()#+.!`~<>{}|-'].map((sign) => 0x5c00 + sign.charCodeAt(0)),
  ...[...'glanq#'].map((sign) => 0x2600 + sign.charCodeAt(0)),
]);

/** The first or the last byte of a mark ({@link MARKED_UP}), and the one beside it: `**`, `{code}`, `[/quote]`. */
function isMark(byte: number, beside: number | undefined): boolean {
  return (BRACKETS[byte] === 1 ? BESIDE_BRACKETS[beside ?? 0] : MARKS[byte]) === 1;
}

const MARKS = byteTable('`~*_');
const BRACKETS = byteTable('{}[]');
const BESIDE_BRACKETS = byteTable('cqnet');
const SLASH = 0x2f;
/** With which bytes that begins what {@link withoutUnseen} takes away, but for brackets; and what {@link asTyped} does, but for marks and slashes. */
const UNSEEN = byteTable('^\\$', 0xc2, 0xe2, 0xef);
const RETYPED = byteTable('^\\<&#', 0xc2, 0xe2, 0xef);

/** Control characters but for tabs, and what may begin a sign that {@link asTyped} undoes. */
const ODD = new Uint8Array(256);
for (let byte = 0; byte < BLANK; byte++) ODD[byte] = byte === 9 ? 0 : 1;
for (const byte of [0x7f, ...[...DRESSINGS].map((pair) => pair >> 8)]) ODD[byte] = 1;

/** No byte of the line can be a terminal's, an editor's or a web page's: most lines are such. */
export function isOrdinary(buffer: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (ODD[buffer[at] as number] === 1) return false;
  return true;
}

/** Something in the line may be what an editor or a web page made of a sign. */
export function isDressed(buffer: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = buffer[at] as number;
    if (ODD[byte] === 1 && DRESSINGS.has(byte * 256 + (buffer[at + 1] as number))) return true;
  }
  return false;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about.
const ESCAPE_SEQUENCE = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[ -/]+[0-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])?/g;
/** A byte order mark, read byte by byte. */
const LEADING_MARK = /^\u00ef\u00bb\u00bf/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const AROUND = /^[\x00\r]+|[\x00\r]+$/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const SEPARATORS = /\r[\r\x00]*|\x00{2,}|\x00(?=<\d{1,3}>)/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const TAKEN_BACK = /[^\x08]\x08/g;
const SPELLED =
  /(?:\^\[|ESC|\xe2\x90\x9b|\xe2\x86\x90|\\x1b|\\e|\\033|\\u001b)\[[\d;?]*[A-Za-z]|\[\d{1,3}(?:;\d{1,3})*m|(?:\^@)+|\^M(?=\$?$)|\$$/gi;
/** Byte by byte: soft hyphen, zero-width space and its kin, directions, byte order mark. */
const WIDTHLESS = /\xc2\xad|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81\xa0|\xef\xbb\xbf/g;
const SPELLED_TAB = /\^I/g;

/** What a terminal or a grammar must not be given as it stands; null where the line has nothing of the kind. */
export function strangest(buffer: Buffer, from: number, to: number): string | null {
  let isControlled = false;
  for (let at = from; at < to; at++) {
    const byte = buffer[at] as number;
    if (byte === 0) return 'NUL bytes';
    if (byte === ESC) return 'terminal control sequences';
    // CR at the end of a line is a line end.
    if ((byte < 0x20 && byte !== 9 && !(byte === 13 && at === to - 1)) || byte === 0x7f) isControlled = true;
  }
  if (isControlled) return 'control characters';
  return buffer[from] === 0xef && buffer[from + 1] === 0xbb && buffer[from + 2] === 0xbf ? 'a byte order mark' : null;
}

/** copytruncate leaves them where a writer goes on at its old place. */
export function withoutLeadingNuls(line: Buffer): Buffer {
  return line.subarray(
    Math.max(
      0,
      line.findIndex((byte) => byte !== 0),
    ),
  );
}

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** The last letter of `ESC`, in either case. */
function isLetterC(byte: number | undefined): boolean {
  return byte === 0x43 || byte === 0x63;
}

/** The first byte from `at` that is no blank; a line that is not blank has one. */
export function inkOf(buffer: Buffer, at: number): number {
  while (buffer[at] === 0x20 || buffer[at] === 9) at++;
  return at;
}

/** The bytes as text: broken UTF-8 becomes the replacement character, what is very long is cut. */
export function textOf(buffer: Buffer, from: number, to: number): string {
  return buffer.toString('utf8', from, Math.min(to, from + LONGEST_TEXT));
}
