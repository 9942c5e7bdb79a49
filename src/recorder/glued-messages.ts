import type {Wrapping} from '../envelope/wrapping.ts';
import type {Spoken} from './current-input.ts';
import type {Keeper} from './keeper.ts';
import {isRecognised, type LineKind} from './line-kind.ts';
import type {LineReader} from './line-reader.ts';
import {markOf} from './own-prefix.ts';
import type {Unwrapped} from './peeler.ts';
import {isWeak, type Reader} from './reader.ts';
import {bracketedYear, DEEPEST_TEXT, LF} from './text.ts';

interface Link {
  readonly message: number;
  readonly at: number;
  readonly stamp: number | null;
}

/** Messages that are looked for at the end of a line begin no further from it. */
const LONGEST_GLUED = 8 * 1024;
/** `Wed Jul 31 20:13:14 2019 - ` with a two-digit day, or with one that lost its padding. */
const DATE_LENGTHS = [27, 26];

/** Messages behind other text in one line. */
export class GluedMessages {
  private readonly lines: LineReader;
  private readonly keeper: Keeper;

  constructor(lines: LineReader) {
    this.lines = lines;
    this.keeper = lines.keeper;
  }

  /**
   * Messages that stand behind other text in one line: output of the application without a line end, or
   * several messages that lost theirs. What is found must reach the end of the line: a supervisor closes
   * each message, so words of it in the middle of a sentence are somebody's quotation.
   */
  takeGlued(
    buffer: Buffer,
    at: number,
    lineEnd: number,
    {by, lastText}: Spoken,
    {wrapping: around, body}: Unwrapped,
  ): LineKind | null {
    if (by === 0) return null;
    const begin = Math.max(at, lineEnd - LONGEST_GLUED);
    for (const reader of this.candidatesForGlue()) {
      if ((reader.bit & by) === 0) continue;
      for (let from = reader.matcher.find(begin, lastText); from >= 0; from = reader.matcher.find(from + 1, lastText)) {
        const chain = this.chain(reader, buffer, from, at);
        if (chain === null) continue;
        const isNew = this.keeper.current.ownPrefix.learn(buffer, body, from);
        if (isNew) this.lines.familiar.forget();
        this.keeper.note('messages behind other text in one line');
        let best: LineKind = 'noise';
        for (const link of chain) {
          // Matched again, for the captures.
          if (link === chain[0]) reader.matcher.inside(link.at);
          else reader.matcher.prefix(link.at);
          const wrapping = around.inside(null, []);
          wrapping.isTimed = true;
          wrapping.mark = isNew && link === chain[0] ? markOf(buffer, body, from) : null;
          if (link.stamp !== null) wrapping.stamp(link.stamp, false, true);
          if (link !== chain[0]) this.keeper.nextPart();
          const kind = this.lines.take(reader, link.message, link.at, wrapping);
          if (kind === 'events' || best === 'noise') best = kind;
        }
        return best;
      }
    }
    return null;
  }

  /** A whole line with its date in brackets, as gunicorn writes it, behind output that had no line end; null where there is none. */
  takeBehindText(buffer: Buffer, at: number, lineEnd: number, outer: Wrapping, depth: number): LineKind | null {
    if (depth >= DEEPEST_TEXT) return null;
    const from = bracketedYear(buffer, Math.max(at + 1, lineEnd - LONGEST_GLUED), lineEnd);
    if (from < 0) return null;
    const kind = this.lines.tried(() => this.lines.classify(buffer, from, lineEnd, outer, depth + 1));
    this.lines.bind(buffer);
    if (!isRecognised(kind)) return null;
    this.keeper.note('messages behind other text in one line');
    return kind;
  }

  /** Whose words to look for inside lines: of those who have spoken in this input, or of all while nobody has. */
  private candidatesForGlue(): readonly Reader[] {
    const known = this.lines.supervisors.filter(({lines, format}) => lines > 0 && !format.needsOrigin);
    return known.length > 0 ? known : this.lines.supervisors.filter(({format}) => !format.needsOrigin);
  }

  /** The messages that fill the line from `from` on; null where something else stands among them. */
  private chain(reader: Reader, buffer: Buffer, from: number, lineStart: number): Link[] | null {
    const links: Link[] = [];
    let at = from;
    let stamp = this.dateBefore(buffer, from, lineStart);
    for (;;) {
      const message = links.length === 0 ? reader.matcher.inside(at) : reader.matcher.prefix(at);
      const meaning = message < 0 ? 'unknown' : reader.meanings[message];
      if (meaning === 'unknown' || (links.length === 0 && isWeak(meaning))) return null;
      if (typeof meaning === 'object' && meaning.stamped && stamp === null) return null;
      links.push({message, at, stamp});
      at = reader.matcher.end();
      while ((buffer[at] as number) <= 0x20 && buffer[at] !== LF) at++;
      if (buffer[at] === LF) return links;
      stamp = null;
      const layer = this.lines.layers.prefix(at);
      if (layer >= 0 && this.keeper.stamps.has(layer)) {
        stamp = this.keeper.stamps.read(layer);
        at = this.lines.layers.matcher.end();
      }
    }
  }

  /** The time of a date that stands directly in front of a message inside a line. */
  private dateBefore(buffer: Buffer, at: number, lineStart: number): number | null {
    for (const length of DATE_LENGTHS) {
      if (at - length < lineStart || buffer[at - 2] !== 0x2d) continue;
      const layer = this.lines.layers.prefix(at - length);
      if (layer >= 0 && this.lines.layers.matcher.end() === at) return this.keeper.stamps.read(layer);
    }
    return null;
  }
}
