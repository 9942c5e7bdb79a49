import type {Matcher} from '../grammar/matcher.ts';

/** A line below this holds no three messages. */
const SHORTEST = 120;
const LONGEST = 1024 * 1024;
const LEAST_PIECES = 3;
const LONGEST_FRONT = 120;
/** The first digits of a long number are those of every time in a log. */
const DIGITS = /((?:\d{4}(?=\d{4}))?)(\d+)/g;
/** uWSGI's own date, which belongs to the message behind it. */
const OWN_DATE = /\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4} - $/;

/**
 * The messages of one line that have lost the line ends between them, as uWSGI's `log-encoder = format …${msg}` writes
 * them where no `nl` follows it. Null where the line is none of that kind.
 *
 * What stands in front of the first message stands in front of each (but for its digits: a time), and tells where they
 * begin. Where nothing does, only messages that begin with fixed words can be told from what is around them.
 */
export function resplit(matcher: Matcher, buffer: Buffer, at: number, lineEnd: number): string[] | null {
  if (lineEnd - at < SHORTEST || lineEnd - at > LONGEST) return null;
  const first = matcher.find(at);
  if (first < 0 || first - at > LONGEST_FRONT) return null;
  const pieces = first > at ? byFront(matcher, buffer, at, first, lineEnd) : byMessages(matcher, buffer, at, lineEnd);
  return pieces.length < LEAST_PIECES ? null : pieces;
}

function byFront(matcher: Matcher, buffer: Buffer, at: number, first: number, lineEnd: number): string[] {
  const front = buffer.toString('latin1', at, first);
  const pattern = front
    .replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    .replace(DIGITS, (_, leading: string, rest: string) => leading + '\\d'.repeat(rest.length));
  const line = buffer.toString('latin1', at, lineEnd);
  const begins = [...line.matchAll(new RegExp(pattern, 'g'))].map(({index}) => index);
  // What looks like the front may stand anywhere (`41:` in a time): it is one where messages follow it.
  const followed = begins.filter((begin) => matcher.inside(at + begin + front.length) >= 0);
  return followed.length < LEAST_PIECES ? [] : begins.map((begin, n) => line.slice(begin, begins[n + 1]));
}

function byMessages(matcher: Matcher, buffer: Buffer, at: number, lineEnd: number): string[] {
  const pieces: string[] = [];
  const text = (from: number, to: number) => buffer.toString('latin1', from, to);
  let done = at;
  for (let from = matcher.find(at); from >= 0 && from < lineEnd; from = matcher.find(done)) {
    const between = text(done, from);
    const [date = ''] = OWN_DATE.exec(between) ?? [];
    pieces.push(between.slice(0, between.length - date.length));
    matcher.inside(from);
    let end = matcher.end();
    if (end >= lineEnd) {
      // It goes on to whatever end there is: up to the next message.
      const next = matcher.find(from + 1);
      end = next < 0 ? lineEnd : next;
    }
    pieces.push(date + text(from, end));
    done = end;
  }
  pieces.push(text(done, lineEnd));
  return pieces.filter((piece) => piece.trim() !== '');
}
