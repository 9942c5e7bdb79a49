const BEFORE_UNIT = /(?<=\d) (?=(?:s|ms|min|h|d|%|MiB)(?!\w))/g;

/**
 * Breaks text at spaces so that no line exceeds `width`; `first` stands before the first line, `rest` before the
 * others. A word longer than the line keeps to itself and is not broken: it may be a command to copy. A figure
 * stays with its unit.
 */
export function wrap(text: string, width: number, first = '', rest = ' '.repeat(first.length)): string {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.replace(BEFORE_UNIT, '\u00a0').split(/ +/)) {
    if (word === '') continue;
    if (!empty && length(line) + 1 + length(word) > width) {
      lines.push(line);
      line = rest;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line.trimEnd()].join('\n').replaceAll('\u00a0', ' ');
}

/** Characters, not UTF-16 units. */
function length(text: string): number {
  return Array.from(text).length;
}
