import {printable} from './escape.ts';

/** Text as Markdown of GitHub and GitLab, so that nothing of it is read as markup, as a link, a mention or a reference. */

/** A code span. Empty text gives nothing. */
export function code(text: string): string {
  const shown = printable(text);
  if (shown.trim() === '') return '';
  const fence = '`'.repeat(longestRun(shown) + 1);
  const space = /^[` ]|[` ]$/.test(shown) ? ' ' : '';
  return `${fence}${space}${shown}${space}${fence}`;
}

/** A fenced block. */
export function block(lines: readonly string[]): string {
  const shown = lines.map(printable);
  const fence = '`'.repeat(Math.max(3, longestRun(shown.join('\n')) + 1));
  return [`${fence}text`, ...shown, fence].join('\n');
}

/** A sentence. Words that a forge would turn into a link, a mention or a picture stand in code spans. */
export function prose(text: string): string {
  return text
    .split(/\s+/)
    .map((word) => (REFERENCE.test(word) ? code(word) : printable(word).replace(MARKUP, '\\$&')))
    .join(' ')
    .replace(BLOCK_MARKER, '$1\\$2');
}

/** The content of a table's cell. */
export function cell(markdown: string): string {
  return markdown.replaceAll('|', '\\|');
}

/** Text between HTML tags. */
export function html(text: string): string {
  return text
    .split(/\s+/)
    .map((word) => (REFERENCE.test(word) ? `<code>${entities(printable(word))}</code>` : entities(printable(word))))
    .join(' ');
}

/** Mentions, issues, merge requests, addresses, commits and emoji. */
const REFERENCE = /@|[#!]\d|:\/\/|www\.|\b[0-9a-f]{7,40}\b|:[\w+-]+:/i;
const MARKUP = /[\\`*_[\]<~&$]/g;
/** What would make a quote, a heading or a list of a line that begins with it. */
const BLOCK_MARKER = /^(\d*)([>#+-]|(?<=\d)[.)])/;
const ENTITIES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;'};

function entities(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}
