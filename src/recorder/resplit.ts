import {HEADROOM, type Matcher} from '../grammar/matcher.ts';

/** A line below this holds no three messages. */
const SHORTEST = 120;
const LONGEST = 2 * 1024 * 1024;
const LEAST_PIECES = 3;
const LONGEST_FRONT = 120;
/** More than any message: a rule that looks for the end of the line looks no further. */
const WINDOW = 8 * 1024;
/** What looks like a front is held against the messages behind the first of them. */
const MOST_PROBED = 20;
const LF = 10;
/** One is looked through at a time. */
const BYTES = Buffer.alloc(WINDOW + 1 + HEADROOM);
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
 *
 * No message begins behind `lastText`.
 */
export function resplit(matcher: Matcher, buffer: Buffer, at: number, lineEnd: number, lastText: number): string[] | null {
  if (lineEnd - at < SHORTEST || lineEnd - at > LONGEST) return null;
  if (lineEnd - at <= WINDOW && matcher.find(at, Math.min(lastText, at + LONGEST_FRONT)) < 0) return null;
  const window = new Window(matcher, buffer, lineEnd);
  window.open(at);
  const first = matcher.find(0);
  const pieces = first < 0 || first > LONGEST_FRONT ? [] : first > 0 ? byFront(window, at, at + first) : byMessages(window, at);
  matcher.bind(buffer);
  return pieces.length < LEAST_PIECES ? null : pieces;
}

/** A part of a line as a line of its own: looking for what may stand far ahead takes time, and would do so for each message. */
class Window {
  readonly matcher: Matcher;
  readonly bytes = BYTES;
  /** Of the line. */
  readonly end: number;
  length = 0;
  private readonly line: Buffer;

  constructor(matcher: Matcher, line: Buffer, end: number) {
    this.matcher = matcher;
    this.line = line;
    this.end = end;
  }

  /** Shows what stands from `from` on. */
  open(from: number): void {
    this.length = Math.min(WINDOW, this.end - from);
    this.line.copy(this.bytes, 0, from, from + this.length);
    this.bytes[this.length] = LF;
    this.matcher.bind(this.bytes);
  }

  text(from: number, to: number): string {
    return this.bytes.toString('latin1', from, to);
  }

  textOfLine(from: number): string {
    return this.line.toString('latin1', from, this.end);
  }
}

function byFront(window: Window, at: number, first: number): string[] {
  const front = window.text(0, first - at);
  const pattern = front
    .replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    .replace(DIGITS, (_, leading: string, rest: string) => leading + '\\d'.repeat(rest.length));
  const line = window.textOfLine(at);
  const begins = [...line.matchAll(new RegExp(pattern, 'g'))].map(({index}) => index);
  // What looks like the front may stand anywhere (`41:` in a time): it is one where messages follow it.
  const followed = begins.slice(0, MOST_PROBED).filter((begin) => {
    window.open(at + begin + front.length);
    return window.matcher.inside(0) >= 0;
  });
  return followed.length < LEAST_PIECES ? [] : begins.map((begin, n) => line.slice(begin, begins[n + 1]));
}

function byMessages(window: Window, at: number): string[] {
  const pieces: string[] = [];
  for (let from = at; from < window.end; ) {
    window.open(from);
    const found = messagesIn(window);
    // The last one may go on behind the window.
    const isWhole = from + window.length >= window.end || found.last === 0;
    pieces.push(...(isWhole ? found.pieces : found.pieces.slice(0, -1)));
    from += isWhole ? window.length : found.last;
    if (from - at >= WINDOW && pieces.length < LEAST_PIECES) return [];
  }
  return pieces.filter((piece) => piece.trim() !== '');
}

/** @returns The messages in the window with what stands between them, and where the last piece begins. */
function messagesIn(window: Window): {pieces: string[]; last: number} {
  const {matcher, length} = window;
  const pieces: string[] = [];
  let done = 0;
  let last = 0;
  for (let from = matcher.find(0); from >= 0 && from < length; from = matcher.find(done)) {
    const between = window.text(done, from);
    const [date = ''] = OWN_DATE.exec(between) ?? [];
    pieces.push(between.slice(0, between.length - date.length));
    matcher.inside(from);
    let end = matcher.end();
    if (end >= length) {
      // It goes on to whatever end there is: up to the next message.
      const next = matcher.find(from + 1);
      end = next < 0 ? length : next;
    }
    pieces.push(date + window.text(from, end));
    last = from - date.length;
    done = end;
  }
  if (done < length) {
    pieces.push(window.text(done, length));
    last = done;
  }
  return {pieces, last};
}
