import {accessTimeOf, ctimeOf} from '../envelope/ctime.ts';
import {isBracket} from '../envelope/gathering.ts';
import {LayerReader} from '../envelope/layers.ts';
import type {EnvelopeChoice} from '../envelope/names.ts';
import {Scratch} from '../envelope/scratch.ts';
import {Table} from '../envelope/table.ts';
import {Wrapping} from '../envelope/wrapping.ts';
import {systemctl} from '../formats/systemctl.ts';
import {Vocabulary} from '../grammar/vocabulary.ts';
import {imageOf, type VocabularyImage} from '../grammar/vocabulary-image.ts';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import {BrokenLines} from './broken-lines.ts';
import {BARE_ROUTE, type Spoken} from './current-input.ts';
import {withoutEndMark} from './end-mark.ts';
import {type Familiar, FamiliarLines} from './familiar-lines.ts';
import {GluedMessages} from './glued-messages.ts';
import type {Keeper} from './keeper.ts';
import {isRecognised, type LineKind, moreTelling} from './line-kind.ts';
import {contentOf, type Fronts, lineStarts, namedFront, namesWriter} from './line-starts.ts';
import type {Matchers} from './matchers.ts';
import {isLoggers, Peeler, type Unwrapped} from './peeler.ts';
import {isWeak, type Reader} from './reader.ts';
import {RecordLines} from './record-lines.ts';
import type {RequestReader} from './request-facts.ts';
import {resplit} from './resplit.ts';
import type {TaskTeller} from './task-expressions.ts';
import {
  asTyped,
  BLANK,
  BRACE,
  bracketedYear,
  DEEPEST_TEXT,
  inkOf,
  isAssignment,
  isBlank,
  isDressed,
  isOrdinary,
  isQuote,
  LF,
  LONGEST_TEXT,
  mayBeJson,
  strangest,
  textOf,
  unquoted,
  withoutControls,
  withoutUnseen,
} from './text.ts';
import type {Witness} from './witness.ts';
import {fieldsInValues, meaningInContext} from './wording.ts';
import type {Writer} from './writer.ts';

const CR = 13;
const COLON = 0x3a;
const MOST_EXAMPLES = 5;
/** Lines of an application. */
const SILENT: Familiar = {kind: 'application', isSpoken: false, time: null, asked: null};
const SPOKEN: Familiar = {kind: 'application', isSpoken: true, time: null, asked: null};
/** Of a line that was looked at before. */
const SOMEBODY: Spoken = {by: -1, lastText: -1};
/** A table's column names stand in one of the first lines. */
export const LAST_HEADING = 3;
/** Lines of an application per input that are asked who wrote them: what repeats itself has by then. */
const MOST_HEARD = 20_000;
/** The layer of envelope.ohm that names a logger of one of the servers. */
const NAMED_LOGGER = 'named-logger';
/** What stands in a line where its line ends were: they are found by it. */
const MARKED_ENDS = /#012|\0/;
const DRESSED = 'quotes, dots or marks that an editor or a web page changed, or remarks behind lines';
const END_MARKS = 'marks that a tool put at the ends of lines';

export interface LineReaderOptions {
  readonly witness?: Witness | undefined;
  readonly choice: EnvelopeChoice | null;
  readonly teller: TaskTeller | null;
}

/** Finds out what a line is that is no usual request line, and gives what it says to the keeper. */
export class LineReader {
  readonly keeper: Keeper;
  readonly recordLines: RecordLines;
  private readonly glued: GluedMessages;
  readonly broken: BrokenLines;
  private readonly peeler: Peeler;
  readonly witness: Witness | null;
  readonly choice: EnvelopeChoice | null;
  /** Supervisors are asked at each layer of a line, applications about the innermost one that none of them knows. */
  readonly supervisors: readonly Reader[];
  private readonly applications: readonly Reader[];
  /** All of these: whose texts are looked for in a line. */
  private readonly speakers: readonly Reader[];
  /** Asked about what is left, for who says it. */
  private readonly loggers: readonly Reader[];
  private readonly teller: TaskTeller | null;
  /** All supervisors but the first, which has been asked before. */
  private readonly others: readonly Reader[];
  readonly vocabulary: Vocabulary;
  readonly layers: LayerReader;
  readonly origins: LayerReader;
  private readonly scratch = new Scratch();
  readonly familiar = new FamiliarLines();
  bound: Buffer | null = null;

  constructor(keeper: Keeper, {image, envelope, origin}: Matchers, {witness, choice, teller}: LineReaderOptions) {
    const {readers} = keeper;
    this.keeper = keeper;
    this.teller = teller;
    this.witness = witness ?? null;
    this.choice = choice;
    this.supervisors = readers.filter(({format}) => !format.isApplication);
    this.applications = readers.filter(({format, meanings}) => format.isApplication && !meanings.includes('voice'));
    this.loggers = readers.filter(({meanings}) => meanings.includes('voice'));
    this.others = this.supervisors.slice(1);
    // Any words may be an application's: its records have none to be found by, and come last.
    this.speakers = readers.filter((reader) => !this.loggers.includes(reader));
    this.vocabulary = new Vocabulary(
      image ?? imageBy(this.speakers),
      this.speakers.reduce((bits, {bit}) => bits | bit, 0),
    );
    this.layers = new LayerReader(envelope);
    this.origins = new LayerReader(origin);
    this.recordLines = new RecordLines(this);
    this.glued = new GluedMessages(this);
    this.broken = new BrokenLines(this);
    this.peeler = new Peeler(this);
  }

  /** Where, before `end`, the message ends that stands behind the front at `from`: what follows is a line without a front. */
  private messageEnd(from: number, end: number, by: number): readonly number[] {
    const {layers, origins} = this;
    const {stamps} = this.keeper;
    const body = contentOf({layers, origins, stamps}, from);
    for (const {bit, matcher, meanings} of this.supervisors) {
      if ((bit & by) === 0) continue;
      const message = matcher.prefix(body);
      if (message < 0 || isWeak(meanings[message])) continue;
      return matcher.end() < end - 1 ? [matcher.end()] : [];
    }
    return [];
  }

  /** Any line but a usual request line. What stands in front of `body` stood in front of the line before, too. */
  rareLine(buffer: Buffer, at: number, body: number, lineEnd: number): void {
    const {current} = this.keeper;
    const unmarked = current.hasEndMarks ? withoutEndMark(buffer, at, lineEnd) : null;
    if (unmarked !== null) {
      this.keeper.note(END_MARKS);
      this.rareLine(unmarked.buffer, 0, body - at, unmarked.end);
      return;
    }
    current.lastKind = 'noise';
    current.isBehindRequest = current.requests > current.requestsBefore;
    current.requestsBefore = current.requests;
    if (current.partsOf !== current.line) {
      current.partsOf = current.line;
      current.part = 0;
    }
    if (current.gathering !== null && this.recordLines.gather(buffer.subarray(at, lineEnd))) return;
    current.spoken = null;
    let kind =
      this.tabular(buffer, at, lineEnd) ??
      this.goesOn(buffer, at, lineEnd) ??
      this.plain(buffer, at, body, lineEnd) ??
      this.looked(buffer, at, body, lineEnd);
    if (isRecognised(kind)) this.broken.whole(lineEnd - at);
    else kind = this.broken.mended(buffer, at, lineEnd, kind);
    if (current.cut !== null && current.line === 1 && !isRecognised(kind))
      kind = this.broken.joined(current.cut, buffer.subarray(at, lineEnd)) ?? kind;
    current[kind]++;
    current.lastKind = kind;
    if (kind === 'unknown' && current.examples.length < MOST_EXAMPLES) {
      current.examples.push({...this.keeper.here(), text: textOf(buffer, at, lineEnd)});
    }
  }

  /** What a line is in a table; null where the input is none. */
  private tabular(buffer: Buffer, at: number, lineEnd: number): LineKind | null {
    const {current} = this.keeper;
    if (current.table === null) {
      if (current.line > LAST_HEADING || lineEnd - at > LONGEST_TEXT || !this.mayPeel('csv')) return null;
      current.table = Table.headedBy(textOf(buffer, at, lineEnd).trimEnd());
      return current.table === null ? null : 'noise';
    }
    const record = current.table.read(buffer.toString('utf8', at, lineEnd).replace(/\r$/, ''));
    if (record === 'open') return 'noise';
    return record === null ? null : this.recordLines.takeRecords([record], Wrapping.none, 0);
  }

  /** What a line would be if it read otherwise: where it is nothing, it has not been there. */
  tried(read: () => LineKind): LineKind {
    const {isTrying} = this.keeper;
    this.keeper.isTrying = true;
    const kind = read();
    this.keeper.isTrying = isTrying;
    return kind;
  }

  /** What the line is together with what the line before left open, an object or a piece of a line; null where it left none. */
  private goesOn(buffer: Buffer, at: number, lineEnd: number): LineKind | null {
    const {rest} = this.keeper.current;
    if (rest === null) return null;
    this.keeper.current.rest = null;
    const whole = Buffer.concat([rest.bytes, buffer.subarray(at, lineEnd)]);
    return rest.isText ? this.inner(whole, Wrapping.none, 0) : this.recordLines.objects(whole, Wrapping.none, 0);
  }

  /** Nothing is under way by which a line would be anything but what its bytes and its front say. */
  private isUndisturbed(): boolean {
    const {current} = this.keeper;
    return this.witness === null && this.teller === null && !current.isStructured && current.carried === null;
  }

  /** Most lines of an application: nobody's texts, nothing further around them; and whatever has come before. Null where more has to be looked at. */
  private plain(buffer: Buffer, at: number, body: number, lineEnd: number): LineKind | null {
    const {current} = this.keeper;
    if (!this.isUndisturbed()) return null;
    // The stamp in front may tell the year, and what stands behind uWSGI's own date is uWSGI's.
    if (body > at && (!current.calendar.knows || current.isFrontDated)) return null;
    const ink = inkOf(buffer, body);
    const first = buffer[ink] as number;
    if (first <= BLANK || mayBeJson(buffer, ink)) return null;
    // Some messages are indented, and blanks may count as standing around a line.
    let from = body;
    while (from > at && buffer[from - 1] === BLANK) from--;
    const {familiar} = this;
    const isBare = body === at;
    // What stands behind another front may have to be looked at for a host and a program.
    const known = familiar.find(buffer, from, lineEnd, isBare ? BARE_ROUTE : current.route);
    if (known !== null && this.isStillSo(known)) {
      if (known.isSpoken) current.spoken = SOMEBODY;
      return known.kind;
    }
    if (this.bound !== buffer) this.bind(buffer);
    const spoken = this.spokenIn(buffer, from, lineEnd);
    if (isBare) current.spoken = spoken;
    if (!isBare && this.mayNameWriter(buffer, ink, lineEnd)) return null;
    const text = this.loggersText(buffer, body, ink);
    if (text < 0 || !(isOrdinary(buffer, body, lineEnd) || this.isMerelyDressed(buffer, body, lineEnd))) return null;
    if (spoken.by !== 0 && (!isBare || this.mayBeSaid(buffer, at, text, lineEnd, spoken))) return null;
    const isHeard = this.listen(
      text,
      isBare ? (current.bareWriter ?? this.keeper.bareWriter()) : (current.frontWriter as Writer),
    );
    if (!isHeard) familiar.add(buffer, from, lineEnd, spoken.by === 0 || !isBare ? SILENT : SPOKEN);
    return 'application';
  }

  /** Nothing has been learnt by which a line would be another now. */
  private isStillSo({time, asked}: Familiar): boolean {
    return (time === null || time === this.keeper.stamps.last) && (asked === null || asked === this.spokenSoFar());
  }

  /** A bit for each of those whose lines have been found in this input. */
  private spokenSoFar(): number {
    let bits = 0;
    for (const {lines, bit} of this.supervisors) if (lines > 0) bits |= bit;
    return bits;
  }

  /** What a line is that more has to be looked at. Remembered where it stands bare and has changed nothing. */
  private looked(buffer: Buffer, at: number, body: number, lineEnd: number): LineKind {
    const {keeper} = this;
    const {current, changes, stamps} = keeper;
    const {reads, turns} = stamps;
    const mayBeFamiliar = body === at && this.isUndisturbed() && current.calendar.knows;
    const kind = this.beginsAnew(buffer, at, lineEnd);
    // Its stamps are all of one time, which need not be learnt again as long as no other comes between.
    const isOfOneTime = stamps.turns - turns <= 1;
    if (
      mayBeFamiliar &&
      (kind === 'application' || kind === 'unknown') &&
      keeper.changes === changes &&
      isOfOneTime &&
      this.isUndisturbed() &&
      current.rest === null &&
      current.gathering === null
    ) {
      const isSpoken = current.spoken !== null && current.spoken.by !== 0;
      const time = stamps.reads === reads ? null : stamps.last;
      this.familiar.add(buffer, at, lineEnd, {kind, isSpoken, time, asked: this.spokenSoFar()});
    }
    return kind;
  }

  /** Whether those who have a text in a bare line may have said it, or a part of it: what would have to be cleaned or taken apart first counts, too. */
  private mayBeSaid(buffer: Buffer, at: number, text: number, lineEnd: number, {by, lastText}: Spoken): boolean {
    if (lineEnd - at > LONGEST_TEXT || isQuote(buffer[inkOf(buffer, at)] as number)) return true;
    for (const {bit, matcher, format} of this.speakers) {
      if ((bit & by) === 0) continue;
      if (matcher.match(at) >= 0 || (text > at && matcher.match(text) >= 0)) return true;
      if (!format.needsOrigin && matcher.find(at, lastText) >= 0) return true;
    }
    return (
      withoutUnseen(buffer, at, lineEnd) !== null ||
      asTyped(buffer, at, lineEnd) !== null ||
      bracketedYear(buffer, at + 1, lineEnd) >= 0 ||
      lineStarts(this.fronts(by), buffer, at, lineEnd).length > 0
    );
  }

  /** No control characters, and nobody's words where editors and web pages are undone. */
  private isMerelyDressed(buffer: Buffer, from: number, to: number): boolean {
    if (strangest(buffer, from, to) !== null) return false;
    const typed = isDressed(buffer, from, to) ? asTyped(buffer, from, to) : null;
    return typed === null || this.vocabulary.speakers(typed.buffer, 0, typed.length) === 0;
  }

  /** Behind the stamp that a transport wrote, a host and a program may follow; and one of them may have said nothing (`Call Trace:`). */
  private mayNameWriter(buffer: Buffer, at: number, lineEnd: number): boolean {
    const last = this.keeper.current.route.at(-1);
    const isBehindStamp = last?.layers === this.layers && this.keeper.stamps.has(last.layer);
    return (isBehindStamp || buffer[lineEnd - 1] === COLON) && this.origins.prefix(at) >= 0;
  }

  /** Where the text begins of a line that an application, or its logger, wrote; negative where somebody else may have put something in front. */
  private loggersText(buffer: Buffer, body: number, ink: number): number {
    const {layers} = this;
    const {current} = this.keeper;
    const mayBeLoggers = ink === body && this.isTimeless(Wrapping.none);
    let text = mayBeLoggers ? current.loggersFront.end(buffer, ink) : -1;
    if (text < 0) {
      const layer = layers.prefix(ink);
      if (layer < 0) return current.ownPrefix.end(buffer, body) >= 0 ? -1 : body;
      if (!mayBeLoggers || !isLoggers(layers.matcher.messages[layer])) return -1;
      text = layers.matcher.end();
      // A server's logger may be named behind the time (`INFO celery.worker `).
      if (layers.matcher.messages[layers.prefix(text)] === NAMED_LOGGER) text = layers.matcher.end();
      current.loggersFront.keep(buffer, ink, text, []);
    }
    const isFurther = (buffer[text] as number) <= BLANK || buffer[text] === BRACE || layers.prefix(text) >= 0;
    return isFurther || current.ownPrefix.end(buffer, text) >= 0 ? -1 : text;
  }

  private beginsAnew(buffer: Buffer, at: number, lineEnd: number): LineKind {
    const {current} = this.keeper;
    const {carried} = current;
    if (carried?.isOnce && !isBlank(buffer, at, lineEnd)) this.keeper.carry(null);
    return this.classify(buffer, at, lineEnd, carried?.wrapping ?? Wrapping.none, 0);
  }

  /** What a line is that stands, bare or wrapped further, inside `outer`. */
  classify(buffer: Buffer, at: number, lineEnd: number, outer: Wrapping, depth: number): LineKind {
    if (isBlank(buffer, at, lineEnd)) return 'noise';
    if (mayBeJson(buffer, inkOf(buffer, at))) {
      const kind = this.recordLines.structured(buffer, at, lineEnd, outer, depth);
      if (kind !== null) return kind;
    }
    this.bind(buffer);
    const main = this.keeper.readers[0] as Reader;
    const {usual} = main;
    const request = usual === null || this.witness !== null ? -1 : usual.matcher.match(at);
    if (request >= 0 && usual?.isRequest[request] === 1) return this.takeRequest(main, usual.facts, at, outer);
    const spoken = (depth === 0 ? this.keeper.current.spoken : null) ?? this.spokenIn(buffer, at, lineEnd);
    if (depth === 0) this.keeper.current.spoken = spoken;
    const inQuotes = spoken.by === 0 || depth >= DEEPEST_TEXT ? null : unquoted(buffer, at, lineEnd);
    if (inQuotes !== null) {
      this.keeper.note(DRESSED);
      return this.inner(Buffer.from(inQuotes, 'latin1'), outer, depth);
    }
    const said = this.said(buffer, at, lineEnd, spoken, outer, depth, true);
    if (said !== null && said !== 'unknown') return said;
    // Parts of the line may have been read on their own.
    this.bind(buffer);
    const unwrapped = this.peeler.unwrap(buffer, at, lineEnd, spoken, outer, depth);
    if (unwrapped.kind !== null && unwrapped.kind !== 'unknown') return unwrapped.kind;
    const looksKnown = said === 'unknown' || unwrapped.kind === 'unknown' || unwrapped.isDated;
    const clean = withoutControls(buffer, at, lineEnd) ?? (spoken.by === 0 ? null : withoutUnseen(buffer, at, lineEnd));
    if (clean !== null && depth < DEEPEST_TEXT) {
      this.keeper.note(clean.what);
      return this.inner(Buffer.from(clean.text, 'latin1'), outer, depth);
    }
    this.bind(buffer);
    // A record of the application's logger is written with its line end: nothing is glued to it.
    const glued = unwrapped.isRecord ? null : this.glued.takeGlued(buffer, at, lineEnd, spoken, unwrapped);
    if (this.keeper.current.isStructured && depth === 0 && isBracket(buffer.subarray(at, lineEnd))) return 'noise';
    const taken = glued ?? this.takeTask(buffer, at, lineEnd, spoken.by, unwrapped);
    if (taken !== null) return taken;
    if (spoken.by !== 0 && !unwrapped.isRecord) {
      const behind = this.glued.takeBehindText(buffer, at, lineEnd, unwrapped.wrapping, depth);
      if (behind !== null) return behind;
    }
    const mayBeDressed = depth < DEEPEST_TEXT && (spoken.by !== 0 || isDressed(buffer, at, lineEnd));
    const typed = mayBeDressed ? asTyped(buffer, at, lineEnd) : null;
    if (typed !== null && this.vocabulary.speakers(typed.buffer, 0, typed.length) !== 0) {
      const kind = this.tried(() => this.classify(typed.buffer, 0, typed.length, outer, depth + 1));
      if (isRecognised(kind)) {
        this.keeper.note(DRESSED);
        return kind;
      }
      this.bind(buffer);
    }
    // Of a dump of the configuration: behind its own date uWSGI writes no other line of this form (show-config, log-date).
    if (unwrapped.isDated && isAssignment(buffer, unwrapped.body, lineEnd)) return 'noise';
    if (this.witness !== null && !this.keeper.isTrying)
      this.missed(buffer.subarray(unwrapped.body, lineEnd), unwrapped.wrapping, looksKnown);
    this.listen(unwrapped.body, this.keeper.writerOf(unwrapped.wrapping.origin, unwrapped.wrapping.names));
    return looksKnown ? 'unknown' : 'application';
  }

  /** Several lines, each with its front, that were pasted as one; null where the text is not that. */
  private takeApart(buffer: Buffer, at: number, lineEnd: number, by: number, wrapping: Wrapping, depth: number): LineKind | null {
    const fronts = this.fronts(by);
    const starts = lineStarts(fronts, buffer, at, lineEnd);
    const isClean = starts.length > 0 && strangest(buffer, at, lineEnd) === null && withoutUnseen(buffer, at, lineEnd) === null;
    if (!isClean) return null;
    this.keeper.note('lines without line ends between them: taken apart where the front of another begins');
    const bounds = [at, ...starts].flatMap((from, n) => [from, ...this.messageEnd(from, starts[n] ?? lineEnd, by)]);
    const own = namedFront(fronts, buffer, at);
    const pieces = bounds.map((from, n) => {
      const isInside = own !== '' && starts.includes(from) && !namesWriter(fronts, from);
      return (isInside ? own : '') + buffer.toString('latin1', from, bounds[n + 1] ?? lineEnd);
    });
    return this.inner(Buffer.from(pieces.join('\n'), 'latin1'), wrapping, depth);
  }

  /** What tells where lines begin, where those have a text whose bits are in `by`. */
  private fronts(by: number): Fronts {
    const {layers, origins} = this;
    const status = this.supervisors.find(({format, bit}) => format === systemctl && (bit & by) !== 0)?.matcher ?? null;
    return {layers, origins, stamps: this.keeper.stamps, status};
  }

  /** What the message at `at` is to whoever has a text in the line; null where it is nobody's. `isWhole`: nothing was peeled. */
  said(
    buffer: Buffer,
    at: number,
    lineEnd: number,
    {by, lastText}: Spoken,
    wrapping: Wrapping,
    depth: number,
    isWhole: boolean,
  ): LineKind | null {
    if (by === 0) return null;
    const main = this.keeper.readers[0] as Reader;
    const {matcher} = main;
    const isMain = (by & main.bit) !== 0;
    const message = isMain ? matcher.match(at) : -1;
    if (message >= 0 && !isWeak(main.meanings[message])) return this.take(main, message, at, wrapping);
    const pieces = isMain && depth < DEEPEST_TEXT ? resplit(matcher, buffer, at, lineEnd, lastText) : null;
    if (pieces !== null && !pieces.some((piece) => MARKED_ENDS.test(piece))) {
      this.keeper.note('messages without line ends between them');
      // Where a line comes in pieces, its messages may as well.
      if (this.keeper.current.isPiece)
        this.keeper.current.rest = {bytes: Buffer.from(pieces.pop() as string, 'latin1'), isText: true};
      return this.inner(Buffer.from(pieces.join('\n'), 'latin1'), wrapping, depth);
    }
    const apart = isWhole && depth < DEEPEST_TEXT ? this.takeApart(buffer, at, lineEnd, by, wrapping, depth) : null;
    if (apart !== null) return apart;
    // Matched again, for the captures.
    return message >= 0 ? this.take(main, matcher.match(at), at, wrapping) : this.takeBy(this.others, by, at, wrapping);
  }

  private spokenIn(buffer: Buffer, at: number, lineEnd: number): Spoken {
    const {vocabulary} = this;
    return {by: vocabulary.speakers(buffer, at, lineEnd), lastText: vocabulary.lastText};
  }

  /** Whether the line tells who says it; it stays what it is. */
  private listen(at: number, writer: Writer): boolean {
    const {current} = this.keeper;
    if (this.keeper.isTrying || current.heard >= MOST_HEARD) return false;
    current.heard++;
    for (const {matcher} of this.loggers) {
      const message = matcher.match(at);
      if (message < 0) continue;
      const buffer = this.bound as Buffer;
      const text = (name: string): string | null => {
        const field = matcher.fieldsOf[message]?.find((each) => matcher.fields[each] === name);
        const from = field === undefined ? -1 : (matcher.captures[2 * field] as number);
        return from < 0 ? null : buffer.toString('latin1', from, matcher.captures[2 * (field as number) + 1] as number);
      };
      const line = {...this.keeper.here(), text: textOf(buffer, at, matcher.end())};
      this.keeper.changes++;
      this.keeper.voices.hear(Number(text('pid')), writer.stream, text('said') ?? '', line, this.keeper.events.length);
      return true;
    }
    return false;
  }

  /** Whether nothing can be learnt from the time of a record in which nobody has a word: the clock of the log is known. */
  isTimeless(outer: Wrapping): boolean {
    return outer === Wrapping.none && this.keeper.current.calendar.knows && this.teller === null;
  }

  mayPeel(name: string): boolean {
    return this.choice === null || this.choice.allows(name);
  }

  /** The lines of a text that does not stand in the log byte for byte. Gives the most telling of what they are. */
  inner(text: string | Buffer, wrapping: Wrapping, depth: number): LineKind {
    const {scratch} = this;
    if (depth === 0 && !scratch.fits(3 * text.length)) {
      for (const ledger of this.keeper.ledgers) ledger.release();
      scratch.reuse();
      this.layers.changed();
      this.origins.changed();
    }
    const {buffer, from, to} = scratch.put(text);
    let best: LineKind = 'noise';
    for (let at = from; at < to; ) {
      const lineEnd = buffer.indexOf(LF, at);
      this.keeper.nextPart();
      const kind = this.classify(buffer, at, lineEnd, wrapping, depth + 1);
      best = moreTelling(kind, best);
      at = lineEnd + 1;
    }
    return best;
  }

  takeBy(readers: readonly Reader[], speakers: number, at: number, wrapping: Wrapping): LineKind | null {
    for (const reader of readers) {
      if ((reader.bit & speakers) === 0) continue;
      if (reader.format.needsOrigin && wrapping.origin.length === 0) continue;
      const message = reader.matcher.match(at);
      if (message >= 0 && isWriter(reader.meanings[message], wrapping)) return this.take(reader, message, at, wrapping);
    }
    return null;
  }

  /** A line of the application that tells of a task; the user's expressions may mean the line or what is wrapped in it. */
  private takeTask(buffer: Buffer, at: number, lineEnd: number, speakers: number, {body, wrapping}: Unwrapped): LineKind | null {
    const {teller, applications} = this;
    if (teller === null) return this.takeBy(applications, speakers, body, wrapping);
    const text = textOf(buffer, body, buffer[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd);
    const told = teller.read(textOf(buffer, at, lineEnd)) ?? (body === at ? null : teller.read(text));
    if (told === null) return null;
    const time = this.keeper.timeOf(wrapping);
    if (time !== null) this.keeper.current.clock.atStamp(time);
    for (const reader of applications) reader.lines++;
    this.keeper.recognised(wrapping);
    this.keeper.push({...told, text}, wrapping, time);
    return 'events';
  }

  /** What a message that was just matched at `at` is; an event is kept. */
  take(reader: Reader, message: number, at: number, wrapping: Wrapping): LineKind {
    const kind = this.taken(reader, message, at, wrapping);
    if (kind !== 'unknown' && this.witness !== null) {
      const {names} = wrapping;
      this.witness.took(
        {input: this.keeper.current, stream: this.keeper.writerOf(wrapping.origin, names).stream, names},
        {reader, readers: this.keeper.readers, at},
      );
    }
    return kind;
  }

  private missed(text: Buffer, wrapping: Wrapping, looksKnown: boolean): void {
    const {names} = wrapping;
    this.witness?.missed(
      {input: this.keeper.current, stream: this.keeper.writerOf(wrapping.origin, names).stream, names},
      text,
      looksKnown,
    );
  }

  /** A request line that was just matched for `facts`. */
  private takeRequest(reader: Reader, facts: RequestReader | null, at: number, wrapping: Wrapping): LineKind {
    const {current} = this.keeper;
    const {clock} = current;
    const {ledger} = reader;
    if (ledger !== null && facts !== null) {
      if (current.isLearning) this.keeper.learnShift(ledger, facts, wrapping);
      const line = current.line + current.part;
      ledger.add(
        facts,
        this.keeper.writerOf(wrapping.origin, wrapping.names),
        this.keeper.events.length,
        current.index,
        line,
        at,
      );
      if (clock.isAwaitingRequest) clock.atRequest(ledger.writtenFrom, ledger.writtenTo);
    }
    reader.lines++;
    this.keeper.recognised(wrapping);
    return 'requests';
  }

  private taken(reader: Reader, message: number, at: number, wrapping: Wrapping): LineKind {
    const {current} = this.keeper;
    const {clock} = current;
    const meaning = reader.meanings[message];
    if (meaning === 'unknown') return 'unknown';
    if (meaning === undefined) return this.takeRequest(reader, reader.requests?.facts ?? null, at, wrapping);
    const time = this.keeper.timeOf(wrapping);
    if (time !== null) clock.atStamp(time);
    if (meaning === 'noise' || meaning === 'voice') {
      reader.lines++;
      return 'noise';
    }
    // What the supervisor always writes with a date is somebody else's where it has none.
    if (meaning.stamped && !wrapping.isTimed) return 'unknown';
    reader.lines++;
    this.keeper.recognised(wrapping);
    this.keep(reader, message, meaning, at, wrapping);
    return 'events';
  }

  private keep(reader: Reader, message: number, meaning: Meaning, at: number, wrapping: Wrapping): void {
    const {current} = this.keeper;
    const {matcher} = reader;
    const buffer = this.bound as Buffer;
    const fields: Record<string, string | number> = {};
    for (const field of matcher.fieldsOf[message] as readonly number[]) {
      const from = matcher.captures[2 * field] as number;
      if (from >= 0)
        fields[matcher.fields[field] as string] = fieldValue(buffer, from, matcher.captures[2 * field + 1] as number);
    }
    if (wrapping.repeated !== null) fields['repeated'] = wrapping.repeated;
    const told =
      meaning.timeIn === undefined || fields[meaning.timeIn] === undefined ? null : ctimeOf(String(fields[meaning.timeIn]));
    if (told !== null) this.keeper.learnYear(told, wrapping);
    if (meaning.setting === 'log-encoder') this.recordLines.learnEncoder(String(fields['value']));
    const own = meaning.stampIn === undefined ? null : accessTimeOf(String(fields[meaning.stampIn]));
    const stamp = this.keeper.timeOf(wrapping);
    const time = stamp ?? (own !== null ? this.keeper.fromUtc(own) : told === null ? null : this.keeper.put(told));
    if (stamp !== null) current[wrapping.isUtc ? 'hasUtc' : 'hasLocal'] = true;
    else if (own !== null) current.hasUtc = true;
    if (stamp === null && time !== null) current.clock.atStamp(time);
    this.keeper.push(
      {
        message: reader.names[message] as string,
        meaning: meaningInContext(meaning, fields),
        fields: fieldsInValues(meaning, fields),
        text: textOf(buffer, at, matcher.end()),
      },
      wrapping,
      time,
    );
  }

  /** The buffer of a region: there may have been other bytes in it. */
  begin(buffer: Buffer): void {
    this.bind(buffer);
    this.layers.changed();
    this.origins.changed();
  }

  bind(buffer: Buffer): void {
    if (this.bound === buffer) return;
    // What was matched in the bytes bound so far has to be kept before others come in their place.
    for (const ledger of this.keeper.ledgers) ledger.release();
    this.bound = buffer;
    for (const reader of this.keeper.readers) reader.bind(buffer);
    this.layers.bind(buffer);
    this.origins.bind(buffer);
    this.keeper.stamps.bind(buffer);
  }
}

/** The texts of those who read other rules than the build knows. */
function imageBy(readers: readonly Reader[]): VocabularyImage {
  const numbers = Array.from({length: Math.max(...readers.map(({number}) => number)) + 1}, (_, number) => number);
  const signsOf = new Map(readers.map(({number, matcher}) => [number, matcher.signs]));
  return imageOf(numbers.map((number) => (signsOf.has(number) ? (signsOf.get(number) ?? null) : [])));
}

function fieldValue(buffer: Buffer, from: number, to: number): string | number {
  let last = to;
  // Columns of tables are padded; CR.
  while (last > from && (buffer[last - 1] as number) <= BLANK) last--;
  const text = textOf(buffer, from, last);
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

/** Some messages are anybody's words unless the transport names who wrote them. */
function isWriter(meaning: Meaning | Unneeded | undefined, {origin}: Wrapping): boolean {
  return typeof meaning !== 'object' || meaning.by === undefined || origin.includes(meaning.by);
}
