/**
 * Text of a log is data. A terminal, a reader's eye or a JSON viewer must not obey it, so everything that is not
 * plainly visible is shown by its number: control characters (also as C1), bidirectional overrides, zero-width
 * characters, lone surrogates, separators of lines and paragraphs.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Line ends are those of the document: in a text they are escaped already. */
const INVISIBLE_IN_JSON = new RegExp(`(?!\\n)${INVISIBLE.source}`, INVISIBLE.flags);

/** The text on one line, safe to print: `\x1b[31m` for what would have changed the colour. Tabs become spaces. */
export function printable(text: string): string {
  return text.replaceAll('\t', '    ').replace(INVISIBLE, escapeCharacter);
}

/** Escapes what `JSON.stringify` leaves as it is and a terminal would still obey. The result is the same JSON value. */
export function printableJson(json: string): string {
  return json.replace(INVISIBLE_IN_JSON, toUtf16Escapes);
}

/** Shortens to `width` characters by leaving out the middle: the end of a log line often says the most. */
export function clip(text: string, width: number): string {
  const characters = Array.from(text);
  if (characters.length <= width) return text;
  if (width <= 1) return '…'.slice(0, Math.max(0, width));
  const tail = Math.floor((width - 1) / 3);
  const head = width - 1 - tail;
  return `${characters.slice(0, head).join('')}…${tail === 0 ? '' : characters.slice(-tail).join('')}`;
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
}

function toUtf16Escapes(character: string): string {
  let escapes = '';
  for (let i = 0; i < character.length; i++) escapes += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return escapes;
}
