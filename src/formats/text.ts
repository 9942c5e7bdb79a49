import {HEADROOM} from '../grammar/matcher.ts';

const LF = 10;
const ESC = 0x1b;

export function isBlank(buffer: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if ((buffer[at] as number) > 0x20) return false;
  return true;
}

/** Bytes that stand around or inside a message without belonging to it; null where the line has none of them. */
export function withoutControls(
  buffer: Buffer,
  from: number,
  to: number,
): {readonly buffer: Buffer; readonly length: number; readonly what: string} | null {
  const what = strangest(buffer, from, to);
  if (what === null) return null;
  const text = buffer.toString('latin1', from, to).replace(ESCAPE_SEQUENCE, '').replace(LEADING_MARK, '').replace(CONTROL, '');
  const clean = Buffer.alloc(text.length + 1 + HEADROOM);
  clean.write(text, 0, 'latin1');
  clean[text.length] = LF;
  return {buffer: clean, length: text.length, what};
}

/**
 * The line without what editors, chats and web pages make of quotes, dots and marks; null where nothing was made of them. In
 * U+2026, ’, –, `&gt;`, `\\*`.
 */
export function asTyped(buffer: Buffer, from: number, to: number): {readonly buffer: Buffer; readonly length: number} | null {
  if (!isDressed(buffer, from, to)) return null;
  const text = buffer.toString('utf8', from, to);
  const typed = text
    .replace(/[\u2026\u2018\u2019\u201c\u201d\u2013\u2014\u00a0]/g, (sign) => TYPED[sign] as string)
    .replace(/&(gt|lt|amp|quot|#39|#x27);/g, (_, name: string) => ENTITIES[name] as string)
    .replace(/\\([*_[\]()#+.!`~<>{}|-])/g, '$1');
  if (typed === text) return null;
  const bytes = Buffer.from(`${typed}\n`);
  return {buffer: Buffer.concat([bytes, Buffer.alloc(HEADROOM)]), length: bytes.length - 1};
}

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
const ENTITIES: Readonly<Record<string, string>> = {gt: '>', lt: '<', amp: '&', quot: '"', '#39': "'", '#x27': "'"};
/** The first two bytes of what {@link asTyped} undoes. */
const DRESSINGS: ReadonlySet<number> = new Set([
  0xe280,
  0xc2a0,
  ...[...'*_[]()#+.!`~<>{}|-'].map((sign) => 0x5c00 + sign.charCodeAt(0)),
  ...[...'glaq#'].map((sign) => 0x2600 + sign.charCodeAt(0)),
]);

/** Something in the line may be what an editor or a web page made of a sign. */
export function isDressed(buffer: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = buffer[at] as number;
    if (
      (byte === 0xe2 || byte === 0xc2 || byte === 0x5c || byte === 0x26) &&
      DRESSINGS.has(byte * 256 + (buffer[at + 1] as number))
    )
      return true;
  }
  return false;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about.
const ESCAPE_SEQUENCE = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])?/g;
/** A byte order mark, read byte by byte. */
const LEADING_MARK = /^\u00ef\u00bb\u00bf/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f]/g;

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
