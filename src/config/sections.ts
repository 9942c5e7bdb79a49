import {ConfigError, type Entry, type Section} from './configuration.ts';

/** How a dialect of sections and keys differs from the others. */
interface Dialect {
  /** Begins a comment at the beginning of a line. */
  readonly comment: RegExp;
  /** Finds the name of a section. */
  readonly heading: RegExp;
  /** Begins a comment behind a value; null where there is no such thing. */
  readonly trailing: RegExp | null;
  readonly separator: RegExp;
  /** `indent`: lines that are indented deeper than a key go on with its value; `backslash`: at the end of the line. */
  readonly continued: 'indent' | 'backslash' | null;
  /** A key without a value is one that is switched on. */
  readonly isBareKeyAllowed: boolean;
  /** The line goes on where its end is taken away. */
  readonly joined: RegExp | null;
  /** What stands before the first section is nobody's. */
  readonly isHeadAllowed: boolean;
}

export const UWSGI: Dialect = {
  comment: /^[ \t]*[;#]/,
  // All but the brackets at both ends of the line: with a comment behind it, it is another name (core/ini.c).
  heading: /^[ \t]*\[(.*)\S$/s,
  trailing: null,
  separator: /=/,
  continued: null,
  isBareKeyAllowed: true,
  // A % takes along whatever is behind it (core/utils.c, magic_sub).
  joined: /(?<!%)(?:%%)*%$/,
  isHeadAllowed: true,
};
export const SUPERVISORD: Dialect = {
  comment: /^[ \t]*[;#]/,
  heading: /^[ \t]*\[([^\]]*)\]/,
  // Python's configparser, as supervisor asks for it.
  trailing: /\s+[;#].*$/,
  separator: /[=:]/,
  continued: 'indent',
  isBareKeyAllowed: true,
  joined: null,
  isHeadAllowed: false,
};
export const SYSTEMD: Dialect = {
  comment: /^[ \t]*[;#]/,
  heading: /^[ \t]*\[([^\]]*)\]/,
  trailing: null,
  separator: /=/,
  continued: 'backslash',
  isBareKeyAllowed: false,
  joined: null,
  isHeadAllowed: false,
};

/** Reads a file of `[sections]` with `key = value` lines. Throws {@link ConfigError}. */
export function readSections(file: string, text: string, dialect: Dialect): {sections: Section[]; entries: Entry[]} {
  const sections: Section[] = [];
  const entries: Entry[] = [];
  let section: string | null = null;
  let offset = 0;
  let carriesOn = false;
  let indent = 0;
  for (const [line, raw] of linesOf(text, dialect)) {
    const start = offset;
    offset += raw.length + 1;
    const body = raw.replace(/[ \t\r]+$/, '');
    const isComment = dialect.comment.test(body);
    if (body.trim() === '' || isComment) {
      if (!isComment && dialect.continued === 'backslash') carriesOn = false;
      continue;
    }
    const depth = body.length - body.trimStart().length;
    const last = entries.at(-1);
    if (last && (dialect.continued === 'backslash' ? carriesOn : dialect.continued === 'indent' && carriesOn && depth > indent)) {
      carriesOn = dialect.continued === 'indent' || body.endsWith('\\');
      const more = stripped(body, dialect).trim().replace(/\\$/, '');
      entries[entries.length - 1] = {
        ...last,
        value: dialect.continued === 'backslash' ? `${last.value}${more}` : `${last.value}\n${more}`,
        to: start + stripped(body, dialect).length,
        end: start + body.length,
      };
      continue;
    }
    indent = depth;
    const heading = dialect.heading.exec(body);
    if (heading && body.includes(']')) {
      section = heading[1] ?? '';
      sections.push({name: section, start: Math.min(offset, text.length), line});
      carriesOn = false;
      continue;
    }
    if (/^[ \t]*\[/.test(body))
      throw new ConfigError(file, line, 'a section heading without its closing bracket', 'write [name]');
    const separator = dialect.separator.exec(body);
    if (separator === null && !dialect.isBareKeyAllowed) {
      throw new ConfigError(file, line, `"${body.trim().slice(0, 60)}" is neither a section nor Key=Value`, 'correct the line');
    }
    if (section === null && dialect.isHeadAllowed) continue;
    if (section === null) {
      throw new ConfigError(
        file,
        line,
        `"${body.trim().slice(0, 60)}" stands before the first [section]`,
        'put it into its section',
      );
    }
    const key = body.slice(0, separator?.index ?? body.length).trim();
    const keyStart = start + (body.length - body.trimStart().length);
    const afterKey = separator === null ? body.length : separator.index + 1;
    const valueText = stripped(body, dialect).slice(afterKey);
    const from = start + afterKey + (valueText.length - valueText.trimStart().length);
    const value = valueText.trim();
    carriesOn = dialect.continued === 'indent' || (dialect.continued === 'backslash' && value.endsWith('\\'));
    entries.push({
      section,
      key,
      value: dialect.continued === 'backslash' ? value.replace(/\\$/, ' ') : value,
      line,
      start: keyStart,
      from: separator === null ? start + body.length : from,
      to: separator === null ? start + body.length : from + value.length,
      end: start + body.length,
    });
  }
  return {sections, entries};
}

/** Each with its number, from 1. */
function* linesOf(text: string, {joined}: Dialect): Generator<readonly [number, string]> {
  let before: string | null = null;
  let number = 1;
  for (const [index, raw] of text.split('\n').entries()) {
    const whole: string = before === null ? raw : `${before}\n${raw}`;
    if (before === null) number = index + 1;
    before = joined?.test(raw) ? whole : null;
    if (before === null) yield [number, whole];
  }
  if (before !== null) yield [number, before];
}

function stripped(body: string, {trailing}: Dialect): string {
  return trailing === null ? body : body.replace(trailing, '');
}
