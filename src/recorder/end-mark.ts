import {HEADROOM} from '../grammar/matcher.ts';
import {LF} from './text.ts';

/** Lines that are looked at to find out whether all of them end alike. */
const MOST_LINES = 20;
const LEAST_LINES = 2;
const LEAST_SHARE = 0.75;

/** What a tool puts at the end of every line: `cat -A` and `cat -e`, `cat -v` of CRLF, a web page, Markdown. */
const MARK = /(?:\^M\$?|\$|\\|(?:<br[ ]*\/?>[ \t]*)+)\r?$/i;
/** A line may end in a long mark, and no mark is longer. */
const LONGEST_MARK = 40;

/** Nearly all of the first lines in these bytes, which are whole lines, end in a mark that no server writes. */
export function endsInMarks(buffer: Buffer, from: number, to: number): boolean {
  let lines = 0;
  let marked = 0;
  for (let at = from; at < to && lines < MOST_LINES; ) {
    const found = buffer.indexOf(LF, at);
    const lineEnd = found < 0 || found > to ? to : found;
    if (lineEnd > at) lines++;
    if (markAt(buffer, at, lineEnd) < lineEnd) marked++;
    at = lineEnd + 1;
  }
  return lines >= LEAST_LINES && marked >= LEAST_SHARE * lines;
}

/** The line without the mark at its end, to be matched; null where it has none. */
export function withoutEndMark(buffer: Buffer, from: number, to: number): {readonly buffer: Buffer; readonly end: number} | null {
  const end = markAt(buffer, from, to);
  if (end === to) return null;
  const line = Buffer.alloc(end - from + 1 + HEADROOM);
  buffer.copy(line, 0, from, end);
  line[end - from] = LF;
  return {buffer: line, end: end - from};
}

/** Where the mark begins; `to` where there is none. */
function markAt(buffer: Buffer, from: number, to: number): number {
  const tail = buffer.toString('latin1', Math.max(from, to - LONGEST_MARK), to);
  const mark = MARK.exec(tail);
  return mark === null ? to : to - mark[0].length;
}
