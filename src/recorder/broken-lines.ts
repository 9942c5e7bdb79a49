import {Wrapping} from '../envelope/wrapping.ts';
import type {CurrentInput} from './current-input.ts';
import type {Keeper} from './keeper.ts';
import {isRecognised, type LineKind, recount} from './line-kind.ts';
import type {LineReader} from './line-reader.ts';
import {LF, withoutLeadingNuls} from './text.ts';

/** How wide lines are that a terminal breaks, how many make one, and how many are put together in vain before it is left. */
const NARROWEST = 40;
const WIDEST = 512;
const MOST_ROWS = 12;
const MOST_TRIED = 1000;
/** To ask everybody about what was put together takes as long as so many looks that find nobody's words. */
const COST_OF_ASKING = 4;
/** Bytes of a character: most are one. */
const WIDE = 2;
const BROKEN = 'lines that a terminal broke: put together';

/** Lines that a terminal, or the end of a part of a log, broke. */
export class BrokenLines {
  private readonly lines: LineReader;
  private readonly keeper: Keeper;

  constructor(lines: LineReader) {
    this.lines = lines;
    this.keeper = lines.keeper;
  }

  /** A line that says something as it stands: a terminal that breaks lines leaves none that is wider than it. */
  whole(width: number): void {
    const {current} = this.keeper;
    current.broken = null;
    current.widest = Math.max(current.widest, width);
  }

  /** What a line is that is nothing by itself: the rest of one that a terminal has broken, unless it has a front of its own. */
  mended(buffer: Buffer, at: number, lineEnd: number, kind: LineKind): LineKind {
    const {current} = this.keeper;
    const {broken, spoken} = current;
    const isSpoken = spoken !== null && spoken.by !== 0;
    const width = lineEnd - at;
    current.broken = null;
    if (broken !== null && !this.hasFront(buffer, at)) {
      const whole = Buffer.concat([broken.bytes, buffer.subarray(at, lineEnd)]);
      const isSilent = this.lines.vocabulary.speakers(whole, 0, whole.length) === 0;
      current.brokenTried += isSilent ? 1 : COST_OF_ASKING;
      // Nobody's words: it is no more than its parts.
      const found = isSilent
        ? kind
        : this.lines.tried(() => this.lines.inner(whole, current.carried?.wrapping ?? Wrapping.none, 0));
      if (isRecognised(found)) {
        for (const before of broken.kinds) recount(current, before, 'noise');
        current.examples.splice(0, Number.POSITIVE_INFINITY, ...current.examples.filter(({line}) => line < broken.first));
        current.brokenWidth = broken.width;
        this.keeper.note(BROKEN);
        return found;
      }
      if (width === broken.width && broken.kinds.length < MOST_ROWS) {
        current.broken = {...broken, bytes: whole, kinds: [...broken.kinds, kind]};
        return kind;
      }
    }
    const most = isSpoken || kind === 'unknown' ? MOST_TRIED : MOST_TRIED / 2;
    const mayBe = current.brokenTried < most && width >= NARROWEST && width <= WIDEST && !this.isNarrow(buffer, at, width);
    if (current.brokenWidth === null ? mayBe : width === current.brokenWidth)
      current.broken = {bytes: Buffer.from(buffer.subarray(at, lineEnd)), kinds: [kind], width, first: current.line};
    return kind;
  }

  /** Whether whole lines are wider than any terminal that breaks lines of this width. */
  private isNarrow(buffer: Buffer, at: number, width: number): boolean {
    const {current} = this.keeper;
    // Request lines are read without a look at their width.
    if (current.isBehindRequest && at > 1) current.widest = Math.max(current.widest, at - 2 - buffer.lastIndexOf(LF, at - 2));
    return current.widest > WIDE * width;
  }

  /** Whether the line begins as the last one that a transport had wrapped. */
  private hasFront(buffer: Buffer, at: number): boolean {
    const {route, routeNames} = this.keeper.current;
    const [first] = route;
    if (first === undefined || routeNames.length === 0) return false;
    this.lines.bind(buffer);
    return first.layers.prefix(at) === first.layer;
  }

  /** What the last line of the part before and the first of this one are together; null where they are nothing that is known. */
  joined({text, kind: before, input}: NonNullable<CurrentInput['cut']>, line: Buffer): LineKind | null {
    const kind = this.lines.inner(
      Buffer.concat([text, withoutLeadingNuls(line)]),
      this.keeper.current.carried?.wrapping ?? Wrapping.none,
      0,
    );
    if (!isRecognised(kind)) return null;
    input[before]--;
    input.noise++;
    return kind;
  }
}
