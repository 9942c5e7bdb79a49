import {hours, zoneBetween} from '../envelope/agreement.ts';
import {inYears} from '../envelope/calendar.ts';
import {ctimeOf} from '../envelope/ctime.ts';
import {
  type Gathering,
  GoogleYaml,
  isBracket,
  JournalExport,
  JournalVerbose,
  jsonOf,
  objectsIn,
  PrettyJson,
} from '../envelope/gathering.ts';
import {LayerReader} from '../envelope/layers.ts';
import {EnvelopeChoice, layerName} from '../envelope/names.ts';
import {type EnvelopeRecord, recordOfKey, recordsOf} from '../envelope/record.ts';
import {Scratch} from '../envelope/scratch.ts';
import {StampReader} from '../envelope/stamp.ts';
import {SteadyClock} from '../envelope/steady.ts';
import {Table} from '../envelope/table.ts';
import {Wrapping} from '../envelope/wrapping.ts';
import type {Zone} from '../envelope/zone.ts';
import {HEADROOM, type Matcher} from '../grammar/matcher.ts';
import {Vocabulary} from '../grammar/vocabulary.ts';
import {type InputEnd, type InputInfo, type LineSink, NOTHING_SCOUTED, type Scout, type Scouted} from '../source/sink.ts';
import type {LineRef, LogEvent, Meaning, RequestSegment, Unneeded} from '../timeline/event.ts';
import type {Recording} from '../timeline/recording.ts';
import {UNKNOWN_INSTANT} from '../timeline/time.ts';
import type {Engine, TaskExpressions} from './choices.ts';
import {type LineClock, loosenMoment, type Moment, moveMoment, turnMoment} from './clock.ts';
import {BARE_ROUTE, type CurrentInput, type Layer, type LineKind, newInput, nextPart, type Spoken, summaryOf} from './current-input.ts';
import {CustomRequest} from './custom-request.ts';
import {chosenFormats, type FormatChoice} from './index.ts';
import {contentOf, lineStarts} from './line-starts.ts';
import {type Matchers, matchersOf} from './matchers.ts';
import {Reader} from './reader.ts';
import {FACTS, FROM, RequestFacts, type RequestReader, TO} from './request-facts.ts';
import {mostRequests} from './request-scout.ts';
import type {RequestLedger} from './requests.ts';
import {resplit} from './resplit.ts';
import {supervisord} from './supervisord.ts';
import {systemctl} from './systemctl.ts';
import {TaskTeller} from './task-expressions.ts';
import {asTyped, isBlank, isDressed, strangest, unquoted, withoutControls, withoutUnseen} from './text.ts';
import {uwsgi} from './uwsgi.ts';
import {Voices} from './voices.ts';
import type {Witness} from './witness.ts';
import {fieldsInValues, meaningInContext} from './wording.ts';
import type {Writer} from './writer.ts';

/** What a log does not tell of its clock. */
export interface ClockOptions {
  /** The zone of stamps that tell none. */
  readonly zone?: Zone | undefined;
  /** The year of the first stamp that tells none. */
  readonly year?: number | undefined;
}

export interface RecorderOptions extends ClockOptions, FormatChoice {
  /** What tells the application's tasks, in place of the words that are known. */
  readonly tasks?: TaskExpressions | undefined;
  /** Only these envelopes are peeled. Absent: all. */
  readonly envelopes?: readonly string[] | undefined;
  /** Told what every line was read as. */
  readonly witness?: Witness | undefined;
  /** With so many events it is full. Absent: never. */
  readonly mostEvents?: number | undefined;
}

const LF = 10;
const CR = 13;
/** More layers than anybody has seen around one message. */
const DEEPEST_ENVELOPE = 8;
/** Texts inside records inside texts. */
const DEEPEST_TEXT = 6;
/** Parts of one line beyond this are not joined. */
const LONGEST_JOINED = 1024 * 1024;
/** Messages that are looked for at the end of a line begin no further from it. */
const LONGEST_GLUED = 8 * 1024;
/** A line that only opens an object, with its indentation. */
const LONGEST_OPENING = 64;
/** dockerd cuts lines at this length. */
const DOCKER_PART = 16 * 1024;
const MOST_EXAMPLES = 5;
/** A table's column names stand in one of the first lines. */
const LAST_HEADING = 3;
/** How wide lines are that a terminal breaks, how many make one, and how many are put together in vain before it is left. */
const NARROWEST = 40;
const WIDEST = 512;
const MOST_ROWS = 12;
const MOST_TRIED = 5000;
/** What is added to the number of a line for each record that it holds. A binary fraction: sums stay exact. */
const PART = 2 ** -20;
const LAST_PART = 1 - PART;
/** Lines that uWSGI writes before its encoder is there; with more of them standing bare, JSON is the application's. */
const MOST_BEFORE_ENCODER = 5;
/** Lines of an application per input that are asked who wrote them: what repeats itself has by then. */
const MOST_HEARD = 20_000;
const LONGEST_TEXT = 4000;
/** `Wed Jul 31 20:13:14 2019 - ` with a two-digit day, or with one that lost its padding. */
const DATE_LENGTHS = [27, 26];

/**
 * Reads lines and keeps what they say: events, request counts, and how many lines were what. The scan over
 * the bytes of every line happens here and nowhere else.
 */
export class Recorder implements LineSink {
  static async create(engine: Engine, options: RecorderOptions = {}): Promise<Recorder> {
    const {envelopes, logFormat, zone = null} = options;
    const choice = envelopes === undefined ? null : new EnvelopeChoice(envelopes);
    const formats = chosenFormats(options);
    const matchers = await matchersOf(engine, choice, formats);
    const readers = formats.map((format, number) => {
      const {matcher, requests} = matchers.of(format);
      const usual = (by: Matcher) => (format.requests.length > 0 ? new RequestFacts(by) : null);
      const custom = (by: Matcher) => (logFormat?.tellsProcess ? new CustomRequest(by, zone) : null);
      return new Reader(format, matcher, requests, number, format.rules === undefined ? usual : custom);
    });
    // Beside the bundle; where the sources are run as they are, nobody helps. It knows the usual request lines alone.
    const isUsual = engine === 'compiled' && readers[0]?.matcher === uwsgi.matcher && options.witness === undefined;
    const scout = isUsual ? {module: new URL('./scout.js', import.meta.url), most: mostRequests, width: FACTS} : null;
    const {tasks} = options;
    const teller = tasks === undefined ? null : await TaskTeller.create(tasks, matchers.process);
    return new Recorder(options, readers, matchers, choice, scout, teller);
  }

  readonly scout: Scout | null;
  private readonly mostEvents: number;
  private readonly zone: Zone | null;
  private readonly year: number | null;
  private readonly witness: Witness | null;
  private readonly choice: EnvelopeChoice | null;
  private readonly readers: readonly Reader[];
  /** Supervisors are asked at each layer of a line, applications about the innermost one that none of them knows. */
  private readonly supervisors: readonly Reader[];
  private readonly applications: readonly Reader[];
  /** Asked about what is left, for who says it. */
  private readonly records: readonly Reader[];
  private readonly voices = new Voices();
  private readonly teller: TaskTeller | null;
  /** All supervisors but the first, which has been asked before. */
  private readonly others: readonly Reader[];
  private readonly vocabulary: Vocabulary;
  private readonly ledgers: readonly RequestLedger[];
  private readonly layers: LayerReader;
  private readonly origins: LayerReader;
  private readonly stamps: StampReader;
  private readonly scratch = new Scratch();
  private readonly events: {
    readonly event: LogEvent & {at: LogEvent['at']};
    readonly moment: Moment;
    readonly clock: LineClock;
  }[] = [];
  private readonly inputs: CurrentInput[] = [];
  /** What had been kept when the log that is being read began. */
  private logStart: {events: number; served: number; segments: readonly number[]} = {events: 0, served: 0, segments: []};
  private bound: Buffer | null = null;
  private isTrying = false;
  private current: CurrentInput = newInput({name: '', compression: 'none'}, 0, null);

  private constructor(
    {zone, year, witness, mostEvents = Number.POSITIVE_INFINITY}: RecorderOptions,
    readers: readonly Reader[],
    {envelope, origin}: Matchers,
    choice: EnvelopeChoice | null,
    scout: Scout | null,
    teller: TaskTeller | null,
  ) {
    this.scout = scout;
    this.teller = teller;
    this.mostEvents = mostEvents;
    this.zone = zone ?? null;
    this.year = year ?? null;
    this.witness = witness ?? null;
    this.choice = choice;
    this.readers = readers;
    this.supervisors = readers.filter(({format}) => !format.isApplication);
    this.applications = readers.filter(({format, meanings}) => format.isApplication && !meanings.includes('voice'));
    this.records = readers.filter(({meanings}) => meanings.includes('voice'));
    this.others = this.supervisors.slice(1);
    // Any words may be an application's: its records have none to be found by, and come last.
    this.vocabulary = new Vocabulary(readers.filter((reader) => !this.records.includes(reader)).map(({matcher}) => matcher));
    this.ledgers = readers.flatMap(({ledger}) => ledger ?? []);
    this.layers = new LayerReader(envelope);
    this.origins = new LayerReader(origin);
    this.stamps = new StampReader(envelope);
  }

  open(info: InputInfo): void {
    const {inputs} = this;
    const before = inputs.at(-1);
    const opened =
      info.continues && before !== undefined
        ? nextPart(before, info, inputs.length)
        : this.newLog(newInput(info, inputs.length, this.year));
    this.current = opened;
    inputs.push(opened);
    for (const ledger of this.ledgers) ledger.placesBefore.push(opened.placesBefore);
  }

  lines(buffer: Buffer, start: number, end: number, isContinued: boolean, scouted: Scouted = NOTHING_SCOUTED): void {
    this.bind(buffer);
    const {current, witness} = this;
    const {clock} = current;
    const main = this.readers[0] as Reader;
    const {ledger, usual} = main;
    if (isContinued && this.saysNothing(buffer, start, end)) return;
    if (current.pieced !== null && !isContinued) {
      const lineEnd = buffer.indexOf(LF, start) + 1;
      this.lastPiece(buffer, start, lineEnd);
      if (lineEnd < end) this.lines(buffer, lineEnd, end, false, scouted);
      return;
    }
    current.isPiece = isContinued;
    const {facts} = scouted;
    const scoutedEnd = scouted.count * FACTS;
    let next = 0;
    let at = start;
    let isRare = true;
    current.isLearning = true;
    while (at < end) {
      current.line++;
      // Inside a record of several lines, or where lines are JSON, nothing stands in the bytes as it is meant. A witness
      // hears of lines that go the long way.
      const isRecord =
        witness !== null ||
        current.gathering !== null ||
        current.carried?.isOnce ||
        (current.isStructured && buffer[at] === BRACE);
      if (!isRecord && this.bound !== buffer) this.bind(buffer);
      const body = isRecord || current.route === BARE_ROUTE ? at : this.bodyOf(buffer, at);
      while (next < scoutedEnd && (facts[next + FROM] as number) < at) next += FACTS;
      const isScouted = next < scoutedEnd && facts[next + FROM] === at && !isRecord && body === at;
      const isAsked: boolean = !isScouted && !isRecord && (body === at || !current.isLearning);
      const message = usual !== null && isAsked ? usual.matcher.match(body) : -1;
      if (ledger !== null && usual !== null && (isScouted || (message >= 0 && usual.isRequest[message] === 1))) {
        const messageEnd = isScouted ? (facts[next + TO] as number) : usual.matcher.end();
        const writer = body === at ? (current.bareWriter ?? this.bareWriter()) : (current.frontWriter as Writer);
        if (isScouted) ledger.addFacts(writer, this.events.length, current.index, current.line, facts, next);
        else ledger.add(usual.facts, writer, this.events.length, current.index, current.line, body);
        current.requests++;
        isRare = false;
        if (body === at) {
          current.bare++;
          current.route = BARE_ROUTE;
        }
        main.lines++;
        if (clock.isAwaitingRequest) clock.atRequest(ledger.writtenFrom, ledger.writtenTo);
        at = (buffer[messageEnd] === LF ? messageEnd : buffer.indexOf(LF, messageEnd)) + 1;
        continue;
      }
      const lineEnd = buffer.indexOf(LF, at);
      if (ledger !== null && ledger.served > current.servedSeen) {
        clock.atRequest(ledger.writtenFrom, ledger.writtenTo);
        current.servedSeen = ledger.served;
      }
      isRare = true;
      this.rareLine(buffer, at, body, lineEnd);
      at = lineEnd + 1;
    }
    // A piece of a line is counted with its last piece.
    if (isContinued) {
      current.line--;
      const kind = isRare ? current.lastKind : 'requests';
      current[kind]--;
      current.pieced = current.pieced === null ? kind : moreTelling(current.pieced, kind);
    }
    for (const ledger of this.ledgers) ledger.release();
  }

  /** A line that came in pieces is what says most of them. */
  private lastPiece(buffer: Buffer, start: number, end: number): void {
    const {current} = this;
    const pieced = current.pieced as LineKind;
    current.pieced = null;
    const {requests} = current;
    this.lines(buffer, start, end, false);
    const kind = current.requests > requests ? 'requests' : current.lastKind;
    current[kind]--;
    current.lastKind = moreTelling(pieced, kind);
    current[current.lastKind]++;
  }

  /** A piece of a line that is too long to be one of anybody's, without a word of a supervisor: it is judged by its last piece. */
  private saysNothing(buffer: Buffer, start: number, end: number): boolean {
    const {gathering, rest} = this.current;
    const first = buffer[start];
    if (gathering !== null || rest !== null || first === BRACE || first === BRACKET) return false;
    if (buffer.indexOf(LF, start) !== end - 1) return false;
    const speakers = this.vocabulary.speakers(buffer, start, end - 1);
    if (this.readers.some(({bit, matcher}) => matcher.texts !== null && (bit & speakers) !== 0)) return false;
    if (first === 0) this.noteOnce(NULS, this.current.line + 1);
    return true;
  }

  close({cutLine = null, ...closed}: InputEnd): void {
    const {current} = this;
    const {cut, lastKind} = current;
    current.closed = closed;
    // A part that is a piece of a line may lie between the line's beginning and its end.
    const isWhole = cutLine === null || (isRecognised(lastKind) && !current.carried?.isOnce);
    const pieces = isWhole ? [] : current.line === 1 && cut !== null ? [cut.text, withoutLeadingNuls(cutLine)] : [cutLine];
    current.cut = pieces.length === 0 ? null : {text: Buffer.concat(pieces), kind: lastKind, input: current};
    this.hear();
  }

  /** Events so far. */
  get eventCount(): number {
    return this.events.length;
  }

  get isFull(): boolean {
    return this.events.length >= this.mostEvents;
  }

  finish(): Recording {
    this.endLog();
    this.agreeOnYears();
    for (const {event, moment, clock} of this.events) event.at = clock.instant(moment);
    return this.recording(
      this.events.map(({event}) => event),
      this.ledgers.flatMap(({segments}) => segments),
    );
  }

  /** What was read up to now of inputs that go on. Nothing is closed by it, and reading goes on as before. */
  soFar(): Recording {
    this.hear();
    this.agreeOnYears();
    return this.recording(
      // What is told of them may change with the lines to come.
      this.events.map(({event, moment, clock}) => ({...event, at: clock.instant(moment)})),
      this.ledgers.flatMap((ledger) => ledger.soFar()),
    );
  }

  private recording(events: readonly LogEvent[], segments: readonly RequestSegment[]): Recording {
    const formats = this.readers.map(({format}) => format);
    const times = this.inputs.flatMap(({from, to}) => (from === null || to === null ? [] : [from, to]));
    return {
      inputs: this.inputs.map((input) => summaryOf(input, this.zone, formats)),
      events,
      segments: segments.map((segment) => onStamps(segment, this.inputs[segment.first.input]?.clock.requestsAhead ?? 0)),
      voices: this.voices.all(),
      doubled: [],
      shared: [],
      clockSteps: times.length === 0 ? [] : (this.zone?.steps(Math.min(...times), Math.max(...times)) ?? []),
    };
  }

  /** What follows does not go on from what was read before. */
  private newLog(first: CurrentInput): CurrentInput {
    this.endLog();
    const {ledgers} = this;
    first.placesBefore = this.current.placesBefore + this.current.line;
    first.servedSeen = this.served;
    this.logStart = {events: this.events.length, served: this.served, segments: ledgers.map(({segments}) => segments.length)};
    first.steady = this.steadyClock();
    for (const {ledger, requests} of this.readers) ledger?.beginLog(requests?.facts.isUtc ? null : first.steady);
    this.stamps.follow(first.calendar);
    return first;
  }

  /** The last part of a log has been read. */
  private endLog(): void {
    const {current, readers, ledgers} = this;
    const {clock} = current;
    this.endGathering();
    this.releaseHeld();
    if (current.calendar.isGuessing) this.noteOf(NO_YEAR);
    for (const ledger of ledgers) {
      if (ledger.served > current.servedSeen) clock.atRequest(ledger.writtenFrom, ledger.writtenTo);
      ledger.cutAll();
    }
    this.hear();
    const {requestsAhead} = clock;
    if (requestsAhead !== null && requestsAhead !== 0)
      this.noteOf(`the supervisor's clock is ${hours(-requestsAhead)} off that of the request lines`);
    for (const reader of readers) reader.lines = 0;
    if (clock.runsBackwards && current.partOf === null) this.turnRound();
  }

  /** Keeps who has spoken in the input, and when. */
  private hear(): void {
    const {current} = this;
    for (const {lines, format} of this.readers) if (lines > 0) current.speakers.add(format);
    const {from, to} = current.clock.span;
    current.from = from;
    current.to = to;
  }

  /** The log that was just read has its newest line first: what was kept of it is put into the order of its writing. */
  private turnRound(): void {
    const {current, events, logStart, served} = this;
    this.noteOf(BACKWARDS);
    current.clock.turnRound();
    const place = (before: number) => 2 * current.placesBefore + current.line + 1 - before;
    const count = (before: number) => logStart.events + events.length - before;
    for (const [n, ledger] of this.ledgers.entries()) ledger.turnRound(logStart.segments[n] as number, {place, count});
    for (const {event, moment, clock} of events.splice(logStart.events).reverse()) {
      turnMoment(moment);
      const turned = {...event, place: place(event.place), served: logStart.served + served - event.served};
      events.push({event: turned, moment, clock});
    }
  }

  /** Requests so far. */
  private get served(): number {
    return this.ledgers.reduce((sum, {served}) => sum + served, 0);
  }

  private bind(buffer: Buffer): void {
    if (this.bound === buffer) return;
    // What was matched in the bytes bound so far has to be kept before others come in their place.
    for (const ledger of this.ledgers) ledger.release();
    this.bound = buffer;
    for (const reader of this.readers) reader.bind(buffer);
    this.layers.bind(buffer);
    this.origins.bind(buffer);
    this.stamps.bind(buffer);
  }

  /** Where the content begins if the line is wrapped as the last recognised one was; `at` if it is not. */
  private bodyOf(buffer: Buffer, at: number): number {
    const {front, route} = this.current;
    const alike = front.end(buffer, at);
    if (alike >= 0) return alike;
    let body = at;
    const origin = [...(this.current.carried?.wrapping.origin ?? [])];
    const places: number[] = [];
    for (const {layers, layer: expected} of route) {
      const layer = layers.matcher.prefix(body);
      if (layer !== expected) return at;
      origin.push(...layers.origin(layer));
      places.push(...layers.originPlaces(layer));
      body = layers.matcher.end();
    }
    front.keep(
      buffer,
      at,
      body,
      places.map((place) => place - at),
    );
    this.current.frontWriter = this.writerOf(origin, this.current.routeNames);
    return body;
  }

  /** Any line but a usual request line. What stands in front of `body` stood in front of the line before, too. */
  private rareLine(buffer: Buffer, at: number, body: number, lineEnd: number): void {
    const {current} = this;
    current.lastKind = 'noise';
    if (current.partsOf !== current.line) {
      current.partsOf = current.line;
      current.part = 0;
    }
    if (current.gathering !== null && this.gather(buffer.subarray(at, lineEnd))) return;
    current.spoken = null;
    let kind =
      this.tabular(buffer, at, lineEnd) ??
      this.goesOn(buffer, at, lineEnd) ??
      this.plain(buffer, at, body, lineEnd) ??
      this.beginsAnew(buffer, at, lineEnd);
    if (isRecognised(kind)) current.broken = null;
    else kind = this.mended(buffer, at, lineEnd, kind, body > at && current.routeNames.length > 0);
    if (current.cut !== null && current.line === 1 && !isRecognised(kind))
      kind = this.joined(current.cut, buffer.subarray(at, lineEnd)) ?? kind;
    current[kind]++;
    current.lastKind = kind;
    if (kind === 'unknown' && current.examples.length < MOST_EXAMPLES) {
      current.examples.push({...this.here(), text: textOf(buffer, at, lineEnd)});
    }
  }

  /** What a line is in a table; null where the input is none. */
  private tabular(buffer: Buffer, at: number, lineEnd: number): LineKind | null {
    const {current} = this;
    if (current.table === null) {
      if (current.line > LAST_HEADING || lineEnd - at > LONGEST_TEXT || !this.mayPeel('csv')) return null;
      current.table = Table.headedBy(textOf(buffer, at, lineEnd).trimEnd());
      return current.table === null ? null : 'noise';
    }
    const record = current.table.read(buffer.toString('utf8', at, lineEnd).replace(/\r$/, ''));
    if (record === 'open') return 'noise';
    return record === null ? null : this.takeRecords([record], Wrapping.none, 0);
  }

  /** What a line would be if it read otherwise: where it is nothing, it has not been there. */
  private tried(read: () => LineKind): LineKind {
    const {isTrying} = this;
    this.isTrying = true;
    const kind = read();
    this.isTrying = isTrying;
    return kind;
  }

  /** What a line is that is nothing by itself: the rest of one that a terminal has broken, unless it has a front of its own. */
  private mended(buffer: Buffer, at: number, lineEnd: number, kind: LineKind, hasFront: boolean): LineKind {
    const {current} = this;
    const {broken, spoken} = current;
    const isSpoken = spoken !== null && spoken.by !== 0;
    const width = lineEnd - at;
    current.broken = null;
    if (broken !== null && !hasFront) {
      const whole = Buffer.concat([broken.bytes, buffer.subarray(at, lineEnd)]);
      current.brokenTried++;
      const isSilent = !isSpoken && !broken.isSpoken && this.isSilentAt(whole, whole.length - width);
      const found = isSilent ? kind : this.tried(() => this.inner(whole, current.carried?.wrapping ?? Wrapping.none, 0));
      if (isRecognised(found)) {
        for (const before of broken.kinds) recount(current, before, 'noise');
        current.examples.splice(0, Number.POSITIVE_INFINITY, ...current.examples.filter(({line}) => line < broken.first));
        current.brokenWidth = broken.width;
        this.note(BROKEN);
        return found;
      }
      if (width === broken.width && broken.kinds.length < MOST_ROWS) {
        current.broken = {...broken, bytes: whole, kinds: [...broken.kinds, kind], isSpoken: !isSilent};
        return kind;
      }
    }
    const most = isSpoken || kind === 'unknown' ? MOST_TRIED : MOST_TRIED / 2;
    const mayBe = current.brokenTried < most && width >= NARROWEST && width <= WIDEST;
    if (current.brokenWidth === null ? mayBe : width === current.brokenWidth)
      current.broken = {bytes: Buffer.from(buffer.subarray(at, lineEnd)), kinds: [kind], width, first: current.line, isSpoken};
    return kind;
  }

  /** Whether nobody's text stands where two lines were put together. */
  private isSilentAt(whole: Buffer, seam: number): boolean {
    const {vocabulary} = this;
    const from = Math.max(0, seam - vocabulary.longest);
    return vocabulary.speakers(whole, from, Math.min(whole.length - 1, seam + vocabulary.longest)) === 0;
  }

  /** What the last line of the part before and the first of this one are together; null where they are nothing that is known. */
  private joined({text, kind: before, input}: NonNullable<CurrentInput['cut']>, line: Buffer): LineKind | null {
    const kind = this.inner(Buffer.concat([text, withoutLeadingNuls(line)]), this.current.carried?.wrapping ?? Wrapping.none, 0);
    if (!isRecognised(kind)) return null;
    input[before]--;
    input.noise++;
    return kind;
  }

  /** What the line is together with what the line before left open, an object or a piece of a line; null where it left none. */
  private goesOn(buffer: Buffer, at: number, lineEnd: number): LineKind | null {
    const {rest} = this.current;
    if (rest === null) return null;
    this.current.rest = null;
    const whole = Buffer.concat([rest.bytes, buffer.subarray(at, lineEnd)]);
    return rest.isText ? this.inner(whole, Wrapping.none, 0) : this.objects(whole, Wrapping.none, 0);
  }

  /** Most lines of an application: nobody's texts, nothing further around them. Null where more has to be looked at. */
  private plain(buffer: Buffer, at: number, body: number, lineEnd: number): LineKind | null {
    const {current} = this;
    if (this.witness !== null || this.teller !== null || current.isStructured || current.carried !== null) return null;
    // The stamp in front may tell the year.
    if (body > at && !current.calendar.knows) return null;
    const ink = inkOf(buffer, body);
    const first = buffer[ink] as number;
    if (first <= BLANK || first === BRACE || first === BRACKET) return null;
    if (this.bound !== buffer) this.bind(buffer);
    // Some messages are indented, and blanks may count as standing around a line.
    let from = body;
    while (from > at && buffer[from - 1] === BLANK) from--;
    const spoken = this.spokenIn(buffer, from, lineEnd);
    if (spoken.by !== 0) {
      if (body === at) current.spoken = spoken;
      return null;
    }
    const text = this.loggersText(buffer, body, ink);
    if (text < 0 || strangest(buffer, body, lineEnd) !== null) return null;
    const typed = isDressed(buffer, body, lineEnd) ? asTyped(buffer, body, lineEnd) : null;
    if (typed !== null && this.vocabulary.speakers(typed.buffer, 0, typed.length) !== 0) return null;
    this.listen(text, body === at ? (current.bareWriter ?? this.bareWriter()) : (current.frontWriter as Writer));
    return 'application';
  }

  /** Where the text begins of a line that an application, or its logger, wrote; negative where somebody else may have put something in front. */
  private loggersText(buffer: Buffer, body: number, ink: number): number {
    const {layers, current} = this;
    const layer = layers.matcher.prefix(ink);
    if (layer >= 0 && !(ink === body && isLoggers(layers.matcher.messages[layer]) && this.isTimeless(Wrapping.none))) return -1;
    const text = layer < 0 ? body : layers.matcher.end();
    const isFurther =
      layer >= 0 && ((buffer[text] as number) <= BLANK || buffer[text] === BRACE || layers.matcher.prefix(text) >= 0);
    return isFurther || current.ownPrefix.end(buffer, text) >= 0 ? -1 : text;
  }

  private beginsAnew(buffer: Buffer, at: number, lineEnd: number): LineKind {
    const {current} = this;
    const {carried} = current;
    if (carried?.isOnce && !isBlank(buffer, at, lineEnd)) this.carry(null);
    return this.classify(buffer, at, lineEnd, carried?.wrapping ?? Wrapping.none, 0);
  }

  /** What a line is that stands, bare or wrapped further, inside `outer`. */
  private classify(buffer: Buffer, at: number, lineEnd: number, outer: Wrapping, depth: number): LineKind {
    if (isBlank(buffer, at, lineEnd)) return 'noise';
    const ink = buffer[inkOf(buffer, at)];
    if (ink === BRACE || ink === BRACKET) {
      const kind = this.structured(buffer, at, lineEnd, outer, depth);
      if (kind !== null) return kind;
    }
    this.bind(buffer);
    const main = this.readers[0] as Reader;
    const {usual} = main;
    const request = usual === null || this.witness !== null ? -1 : usual.matcher.match(at);
    if (request >= 0 && usual?.isRequest[request] === 1) return this.takeRequest(main, usual.facts, at, outer);
    const spoken = (depth === 0 ? this.current.spoken : null) ?? this.spokenIn(buffer, at, lineEnd);
    if (depth === 0) this.current.spoken = spoken;
    const inQuotes = spoken.by === 0 || depth >= DEEPEST_TEXT ? null : unquoted(buffer, at, lineEnd);
    if (inQuotes !== null) {
      this.note(DRESSED);
      return this.inner(Buffer.from(inQuotes, 'latin1'), outer, depth);
    }
    const said = this.said(buffer, at, lineEnd, spoken, outer, depth, true);
    if (said !== null && said !== 'unknown') return said;
    const unwrapped = this.unwrap(buffer, at, lineEnd, spoken, outer, depth);
    if (unwrapped.kind !== null && unwrapped.kind !== 'unknown') return unwrapped.kind;
    const looksKnown = said === 'unknown' || unwrapped.kind === 'unknown' || unwrapped.isDated;
    const clean = withoutControls(buffer, at, lineEnd) ?? (spoken.by === 0 ? null : withoutUnseen(buffer, at, lineEnd));
    if (clean !== null && depth < DEEPEST_TEXT) {
      this.note(clean.what);
      return this.inner(Buffer.from(clean.text, 'latin1'), outer, depth);
    }
    this.bind(buffer);
    // A record of the application's logger is written with its line end: nothing is glued to it.
    const glued = unwrapped.isRecord ? null : this.takeGlued(buffer, at, lineEnd, spoken, unwrapped);
    if (this.current.isStructured && depth === 0 && isBracket(buffer.subarray(at, lineEnd))) return 'noise';
    const taken = glued ?? this.takeTask(buffer, at, lineEnd, spoken.by, unwrapped);
    if (taken !== null) return taken;
    if (spoken.by !== 0 && !unwrapped.isRecord) {
      const behind = this.takeBehindText(buffer, at, lineEnd, unwrapped.wrapping, depth);
      if (behind !== null) return behind;
    }
    const mayBeDressed = depth < DEEPEST_TEXT && (spoken.by !== 0 || isDressed(buffer, at, lineEnd));
    const typed = mayBeDressed ? asTyped(buffer, at, lineEnd) : null;
    if (typed !== null && this.vocabulary.speakers(typed.buffer, 0, typed.length) !== 0) {
      const kind = this.tried(() => this.classify(typed.buffer, 0, typed.length, outer, depth + 1));
      if (isRecognised(kind)) {
        this.note(DRESSED);
        return kind;
      }
      this.bind(buffer);
    }
    if (this.witness !== null && !this.isTrying)
      this.missed(buffer.subarray(unwrapped.body, lineEnd), unwrapped.wrapping, looksKnown);
    this.listen(unwrapped.body, this.writerOf(unwrapped.wrapping.origin, unwrapped.wrapping.names));
    return looksKnown ? 'unknown' : 'application';
  }

  /** Where, before `end`, the message ends that stands behind the front at `from`: what follows is a line without a front. */
  private messageEnd(from: number, end: number, by: number): readonly number[] {
    const {layers, origins, stamps} = this;
    const body = contentOf({layers, origins, stamps}, from);
    for (const {bit, matcher, meanings} of this.supervisors) {
      if ((bit & by) === 0) continue;
      const message = matcher.prefix(body);
      if (message < 0 || isWeak(meanings[message])) continue;
      return matcher.end() < end - 1 ? [matcher.end()] : [];
    }
    return [];
  }

  /** Several lines, each with its front, that were pasted as one; null where the text is not that. */
  private takeApart(buffer: Buffer, at: number, lineEnd: number, by: number, wrapping: Wrapping, depth: number): LineKind | null {
    const {layers, origins, stamps} = this;
    const status = this.supervisors.find(({format, bit}) => format === systemctl && (bit & by) !== 0)?.matcher ?? null;
    const starts = lineStarts({layers, origins, stamps, status}, buffer, at, lineEnd);
    const isClean = starts.length > 0 && strangest(buffer, at, lineEnd) === null && withoutUnseen(buffer, at, lineEnd) === null;
    if (!isClean) return null;
    this.note('lines without line ends between them: taken apart where the front of another begins');
    const bounds = [at, ...starts].flatMap((from, n) => [from, ...this.messageEnd(from, starts[n] ?? lineEnd, by)]);
    const pieces = bounds.map((from, n) => buffer.toString('latin1', from, bounds[n + 1] ?? lineEnd));
    return this.inner(Buffer.from(pieces.join('\n'), 'latin1'), wrapping, depth);
  }

  /** What the message at `at` is to whoever has a text in the line; null where it is nobody's. `isWhole`: nothing was peeled. */
  private said(
    buffer: Buffer,
    at: number,
    lineEnd: number,
    {by, lastText}: Spoken,
    wrapping: Wrapping,
    depth: number,
    isWhole: boolean,
  ): LineKind | null {
    if (by === 0) return null;
    const main = this.readers[0] as Reader;
    const {matcher} = main;
    const isMain = (by & main.bit) !== 0;
    const message = isMain ? matcher.match(at) : -1;
    if (message >= 0 && !isWeak(main.meanings[message])) return this.take(main, message, at, wrapping);
    const pieces = isMain && depth < DEEPEST_TEXT ? resplit(matcher, buffer, at, lineEnd, lastText) : null;
    if (pieces !== null && !pieces.some((piece) => MARKED_ENDS.test(piece))) {
      this.note('messages without line ends between them');
      // Where a line comes in pieces, its messages may as well.
      if (this.current.isPiece) this.current.rest = {bytes: Buffer.from(pieces.pop() as string, 'latin1'), isText: true};
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

  /** Who says it, if the line tells; the line stays what it is. */
  private listen(at: number, writer: Writer): void {
    const {current} = this;
    if (this.isTrying || current.heard >= MOST_HEARD) return;
    current.heard++;
    for (const {matcher} of this.records) {
      const message = matcher.match(at);
      if (message < 0) continue;
      const buffer = this.bound as Buffer;
      const text = (name: string): string | null => {
        const field = matcher.fieldsOf[message]?.find((each) => matcher.fields[each] === name);
        const from = field === undefined ? -1 : (matcher.captures[2 * field] as number);
        return from < 0 ? null : buffer.toString('latin1', from, matcher.captures[2 * (field as number) + 1] as number);
      };
      const line = {...this.here(), text: textOf(buffer, at, matcher.end())};
      this.voices.hear(Number(text('pid')), writer.stream, text('said') ?? '', line, this.events.length);
      return;
    }
  }

  /** Peels what stands around the message, one layer after another. */
  private unwrap(buffer: Buffer, at: number, lineEnd: number, spoken: Spoken, outer: Wrapping, depth: number): Unwrapped {
    const {layers: envelope, origins, current, stamps} = this;
    const route: Layer[] = [];
    let wrapping = outer;
    let isRecord = false;
    let isDated = false;
    let kind: LineKind | null = null;
    let body = at;
    /** A stamp was the last layer, so that a host and a program may follow. */
    let isBehindStamp = false;
    while (route.length < DEEPEST_ENVELOPE) {
      let layers = envelope;
      let layer = envelope.matcher.prefix(body);
      if (isBehindStamp && (layer < 0 || envelope.matcher.messages[layer] === 'tag')) {
        layers = origins;
        layer = origins.matcher.prefix(body);
      }
      if (layer < 0) {
        const behind = current.ownPrefix.end(buffer, body);
        if (behind < 0) break;
        wrapping = wrapping.inside(null, []);
        wrapping.isTimed = true;
        isDated = true;
        body = behind;
        kind = this.takeBy(this.supervisors, spoken.by, body, wrapping);
        break;
      }
      const name = layers.matcher.messages[layer] as string;
      const layerEnd = layers.matcher.end();
      const origin = layers.origin(layer);
      const isLogger = isLoggers(name);
      const isOwn = layers === envelope && (isLogger || envelope.text(layer, 'own') !== null);
      if (!isOwn && !this.mayPeel(name)) break;
      if (route.length === 0 && current.carried !== null && this.endsOutput(name, layerEnd)) {
        this.carry(null);
        wrapping = Wrapping.none;
      }
      wrapping =
        layers === origins && isBehindStamp && wrapping.names.length > outer.names.length
          ? wrapping.renamed(name, origin)
          : wrapping.inside(isOwn ? null : layerName(name), origin);
      route.push({layers, layer});
      const isStamped = layers === envelope && stamps.has(layer);
      if (isStamped && !(isLogger && spoken.by === 0 && this.isTimeless(outer))) this.stamp(wrapping, layer, isOwn);
      isDated ||= isOwn && !isLogger;
      isRecord ||= isLogger;
      isBehindStamp = (isStamped && !isOwn) || name === 'syslog-priority';
      body = layerEnd;
      if (layers === envelope) {
        const special = this.special(name, layer, buffer, body, lineEnd, wrapping, depth);
        if (special !== null) return {kind: special, isDated, isRecord, body, wrapping};
      }
      if (isBlank(buffer, body, lineEnd)) return {kind: 'noise', isDated, isRecord, body, wrapping};
      if (buffer[body] === BRACE) {
        const structured = this.structured(buffer, body, lineEnd, wrapping, depth);
        if (structured !== null) return {kind: structured, isDated, isRecord, body, wrapping};
      }
      const taken = this.said(buffer, body, lineEnd, spoken, wrapping, depth, false);
      if (taken === null) continue;
      kind = taken;
      if (taken === 'unknown') continue;
      if (depth === 0 && (taken === 'requests' || taken === 'events')) {
        current.route = route;
        current.routeNames = wrapping.names;
      }
      return {kind, isDated, isRecord, body, wrapping};
    }
    if (route.length > 0 && spoken.by !== 0 && depth < DEEPEST_TEXT && hasSyslogEscape(buffer, body, lineEnd)) {
      const text = buffer.toString('latin1', body, lineEnd);
      const unescaped = text.replace(SYSLOG_ESCAPE, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
      if (unescaped !== text) kind = this.inner(Buffer.from(unescaped, 'latin1'), wrapping, depth);
      this.bind(buffer);
    }
    return {kind: kind === 'application' ? null : kind, isDated, isRecord, body, wrapping};
  }

  /** The output of supervisord's child ends where supervisord has the word again; a child's logger may date its lines alike. */
  private endsOutput(layer: string, behind: number): boolean {
    if (layer === 'supervisord-child') return true;
    if (layer !== 'leveled-time') return false;
    return this.supervisors.some(({format, matcher}) => format === supervisord && matcher.match(behind) >= 0);
  }

  /** Whether nothing can be learnt from the time of a record in which nobody has a word: the clock of the log is known. */
  private isTimeless(outer: Wrapping): boolean {
    return outer === Wrapping.none && this.current.calendar.knows && this.teller === null;
  }

  private mayPeel(name: string): boolean {
    return this.choice === null || this.choice.allows(name);
  }

  private mayTake(records: readonly EnvelopeRecord[]): readonly EnvelopeRecord[] {
    return this.choice === null ? records : records.filter(({name}) => this.mayPeel(name));
  }

  /** Layers whose content is not simply the rest of the line; null for all others. */
  private special(
    name: string,
    layer: number,
    buffer: Buffer,
    body: number,
    lineEnd: number,
    wrapping: Wrapping,
    depth: number,
  ): LineKind | null {
    const {current, layers} = this;
    switch (name) {
      case 'boot-mark':
        current.boot = layers.text(layer, 'boot') ?? `${current.boot ?? ''}+`;
        this.forgetWriters();
        return 'noise';
      case 'supervisord-child':
        this.carry({wrapping, isOnce: false});
        return 'noise';
      case 'time':
        if (layers.text(layer, 'alone') === null) return null;
        this.carry({wrapping, isOnce: true});
        return 'noise';
      case 'journal-verbose':
        if (depth === 0) this.beginGathering(new JournalVerbose(wrapping.time), buffer.subarray(body, lineEnd));
        return 'noise';
      case 'journal-export':
        if (depth === 0) this.beginGathering(new JournalExport(), buffer.subarray(this.lineStart(buffer, body), lineEnd));
        return 'noise';
      case 'google-yaml':
        if (depth === 0) this.beginGathering(new GoogleYaml(), buffer.subarray(this.lineStart(buffer, body), lineEnd));
        return 'noise';
      case 'blob':
        this.note('messages that journalctl shows as "blob data" (use -a)');
        return 'noise';
      case 'cri':
        return this.joinParts(
          `cri ${wrapping.origin.join('/')} ${layers.text(layer, 'stream')}`,
          layers.text(layer, 'partial') !== null,
          () => buffer.subarray(body, lineEnd),
          wrapping,
          depth,
        );
      case 'repeated': {
        wrapping.repeated = Number(layers.text(layer, 'times'));
        const text = buffer.toString('latin1', body, lineEnd).replace(/\]\s*$/, '');
        return this.inner(Buffer.from(text, 'latin1'), wrapping, depth);
      }
      case 'frame': {
        const text = buffer.toString('latin1', body, lineEnd);
        const cells = withoutFrame(text);
        return cells === text ? null : this.inner(Buffer.from(cells, 'latin1'), wrapping, depth);
      }
      case 'tool-mark': {
        const file = layers.text(layer, 'file');
        if (file !== null) this.carry({wrapping: Wrapping.none.inside(null, [file]), isOnce: false});
        return 'noise';
      }
      case 'logfmt':
      case 'fluent-bit': {
        const [text] = /^(?:[^"\\]|\\.)*/.exec(buffer.toString('utf8', body, lineEnd)) ?? [''];
        const value = jsonOf(`"${text}"`);
        return typeof value === 'string' ? this.inner(value, wrapping, depth) : null;
      }
      default:
        return null;
    }
  }

  private lineStart(buffer: Buffer, at: number): number {
    return at === 0 ? 0 : buffer.lastIndexOf(LF, at - 1) + 1;
  }

  /** The stamp of the layer that was just matched, onto the clock of the input. */
  private stamp(wrapping: Wrapping, layer: number, isOwn: boolean): void {
    const {stamps, current, readers} = this;
    wrapping.isTimed = true;
    const {calendar} = current;
    const ledger = readers[0]?.ledger;
    if (!calendar.knows && current.requests > 0 && ledger !== undefined && ledger !== null)
      this.learnYear(ledger.writtenFrom, wrapping);
    const time = stamps.read(layer);
    if (time === null) return;
    if (stamps.isFull) this.learnYear(time, wrapping);
    wrapping.stamp(time, stamps.isUtc, isOwn);
    if (wrapping.shift !== null && wrapping.shift !== 0)
      this.noteOnce(`the supervisor's clock is ${hours(-wrapping.shift)} off the envelope's`);
  }

  /** A full date of this input: stamps without a year that were read before are moved into theirs. */
  private learnYear(time: number, wrapping: Wrapping): void {
    const {current, stamps} = this;
    if (current.calendar.knows || !Number.isFinite(time)) return;
    const years = current.calendar.learn(time);
    if (years === 0) return;
    stamps.forget();
    wrapping.moveYears(years);
    current.carried?.wrapping.moveYears(years);
    this.moveYears(current.clock, years, time);
  }

  /** A log that tells no year is of the time of those that were read with it, where one of them does. */
  private agreeOnYears(): void {
    const told = this.inputs.flatMap(({calendar, to}) => (calendar.knows && to !== null ? [to] : []));
    if (told.length === 0) return;
    const time = Math.max(...told);
    for (const {calendar, clock} of this.inputs) {
      if (!calendar.isGuessing) continue;
      const years = calendar.learn(time);
      if (years !== 0) this.moveYears(clock, years, time);
    }
  }

  /** What was read on this clock, where that brings it nearer to `time`. */
  private moveYears(clock: LineClock, years: number, time: number): void {
    const moved = (known: number | null) => {
      const there = known === null ? null : inYears(known, years);
      return known === null || there === null || Math.abs(there - time) < Math.abs(known - time) ? there : known;
    };
    clock.move(moved);
    for (const event of this.events) if (event.clock === clock) moveMoment(event.moment, moved);
    for (const input of this.inputs) {
      if (input.clock !== clock) continue;
      input.from = moved(input.from);
      input.to = moved(input.to);
    }
  }

  /** How far the clock of request lines is from that of the envelope around them. Asked once per region of the input. */
  private learnShift(ledger: RequestLedger, facts: RequestReader, wrapping: Wrapping): void {
    const {current} = this;
    this.learnYear(ledger.ended(facts), wrapping);
    const ended = ledger.endedOnClock(facts);
    const time = this.timeOf(wrapping);
    if (time === null) return;
    current.isLearning = false;
    current[wrapping.isUtc ? 'hasUtc' : 'hasLocal'] = true;
    const shift = zoneBetween(ended, time);
    if (shift === null || shift === ledger.shift) return;
    ledger.shift = shift;
    if (shift !== 0) this.noteOnce(`the supervisor's clock is ${hours(-shift)} off the envelope's`);
  }

  /** A line that is JSON: what its records hold. Null where it is no record of a line. */
  private structured(buffer: Buffer, at: number, lineEnd: number, outer: Wrapping, depth: number): LineKind | null {
    if (depth >= DEEPEST_TEXT) return null;
    if (depth === 0 && lineEnd - at < LONGEST_OPENING && PrettyJson.begins(buffer.subarray(at, lineEnd))) {
      this.beginGathering(new PrettyJson(), buffer.subarray(at, lineEnd));
      return 'noise';
    }
    // Whatever does not end as JSON does is none, unless it is a piece of a long line.
    const last = buffer[lineEnd - 1] as number;
    if (
      last !== BRACE + 2 &&
      last !== BRACKET + 2 &&
      last > 0x20 &&
      lineEnd - at < DOCKER_PART &&
      !buffer.subarray(at, lineEnd).includes('}{')
    )
      return null;
    const value = jsonOf(buffer.toString('utf8', at, lineEnd));
    if (value === undefined) return this.objects(buffer.subarray(at, lineEnd), outer, depth);
    const records = this.mayTake(this.recordsIn(value));
    if (records.length === 0) return null;
    if (depth === 0) this.current.isStructured = true;
    return this.takeRecords(records, outer, depth);
  }

  /** A `log-encoder` of uWSGI may call its text anything: the first words that only uWSGI writes tell the key for all lines. */
  private recordsIn(value: unknown): readonly EnvelopeRecord[] {
    const records = recordsOf(value);
    if (records.length > 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return records;
    const {current} = this;
    if (current.bare > MOST_BEFORE_ENCODER + (current.ownText?.taken ?? 0)) return [];
    const fields = value as Readonly<Record<string, unknown>>;
    if (current.ownText === null) {
      const [key, ...others] = Object.keys(fields).filter((name) => this.isSpoken(fields[name]));
      if (key === undefined || others.length > 0) return [];
      current.ownText = {key, taken: 0};
    }
    if (typeof fields[current.ownText.key] !== 'string') return [];
    current.ownText.taken++;
    return [recordOfKey(fields, current.ownText.key)];
  }

  private isSpoken(text: unknown): boolean {
    if (typeof text !== 'string' || text === '') return false;
    const main = this.readers[0] as Reader;
    const line = Buffer.from(`${text.trimEnd()}\n`);
    if ((this.vocabulary.speakers(line, 0, line.length - 1) & main.bit) === 0) return false;
    this.bind(Buffer.concat([line, Buffer.alloc(HEADROOM)]));
    const message = main.matcher.match(0);
    return message >= 0 && !isWeak(main.meanings[message]);
  }

  /** Objects one behind the other, without line ends; the last of them may go on in the next piece of a line that is cut. */
  private objects(bytes: Buffer, outer: Wrapping, depth: number): LineKind | null {
    const {values, end} = objectsIn(bytes);
    const records = this.mayTake(values.flatMap((value) => this.recordsIn(value)));
    if (records.length === 0) return null;
    const rest = end < bytes.length && bytes.length - end < LONGEST_JOINED ? Buffer.from(bytes.subarray(end)) : null;
    // Text that lost the line end in front of it, unless the line is a piece of a longer one.
    const isText = rest !== null && (depth > 0 || (rest[0] !== BRACE && bytes.length < LONGEST_JOINED));
    if (depth === 0) this.current.rest = isText || rest === null ? null : {bytes: rest, isText: false};
    const kind = this.takeRecords(records, outer, depth);
    return isText ? moreTelling(kind, this.inner(rest, outer, depth + 1)) : kind;
  }

  private takeRecords(records: readonly EnvelopeRecord[], outer: Wrapping, depth: number): LineKind {
    const {current} = this;
    const {line} = current;
    let best: LineKind = 'noise';
    for (const record of records) {
      const {text} = record;
      current.line = line + (record.linesBefore ?? 0);
      if (text === null) {
        this.note('messages that the journal left out (use -a)');
        continue;
      }
      const isDocker = record.name === 'docker-json' && typeof text === 'string';
      current.hasWholeDockerLines ||= isDocker && text.endsWith('\n');
      const isPartial = record.isPartial && (!isDocker || current.hasWholeDockerLines || text.length >= DOCKER_PART);
      const wrapping = outer.around(record);
      const kind =
        this.joinParts(`${record.name} ${record.origin.join('/')}`, isPartial, () => text, wrapping, depth) ??
        this.inner(text, wrapping, depth);
      best = moreTelling(kind, best);
    }
    current.line = line;
    return best;
  }

  /** A part of a line is held until its last part comes. Null where there is nothing to join. */
  private joinParts(
    key: string,
    isPartial: boolean,
    text: () => string | Buffer,
    wrapping: Wrapping,
    depth: number,
  ): LineKind | null {
    const {held} = this.current;
    const before = held.get(key);
    if (!isPartial && before === undefined) return null;
    const part = Buffer.from(text() as string);
    const parts = before?.parts ?? [];
    parts.push(part);
    const length = (before?.length ?? 0) + part.length;
    if (isPartial && length < LONGEST_JOINED) {
      held.set(key, {parts, length, wrapping: before?.wrapping ?? wrapping, input: this.current});
      return 'noise';
    }
    held.delete(key);
    return this.inner(Buffer.concat(parts), wrapping, depth);
  }

  /** The input has ended: parts whose last one is missing are all there is. */
  private releaseHeld(): void {
    const {current} = this;
    for (const {parts, wrapping, input} of current.held.values())
      recount(input, 'noise', this.inner(Buffer.concat(parts), wrapping, 0));
    current.held.clear();
  }

  /** The lines of a text that does not stand in the log byte for byte. Gives the most telling of what they are. */
  private inner(text: string | Buffer, wrapping: Wrapping, depth: number): LineKind {
    const {scratch} = this;
    if (depth === 0 && !scratch.fits(3 * text.length)) {
      for (const ledger of this.ledgers) ledger.release();
      scratch.reuse();
    }
    const {buffer, from, to} = scratch.put(text);
    let best: LineKind = 'noise';
    for (let at = from; at < to; ) {
      const lineEnd = buffer.indexOf(LF, at);
      this.nextPart();
      const kind = this.classify(buffer, at, lineEnd, wrapping, depth + 1);
      best = moreTelling(kind, best);
      at = lineEnd + 1;
    }
    return best;
  }

  private beginGathering(gathering: Gathering, line: Buffer): void {
    const {current} = this;
    this.endGathering();
    gathering.add(line);
    current.gathering = {gathering, line: current.line, parts: [current]};
  }

  /** Gives a line to the record of several lines that has begun; false where it is none of it. */
  private gather(line: Buffer): boolean {
    const {current} = this;
    const begun = current.gathering as NonNullable<CurrentInput['gathering']>;
    const step = begun.gathering.add(line);
    if (step === 'part' || step === 'last') {
      begun.parts.push(current);
      current.noise++;
    }
    if (step === 'last' || step === 'over') this.endGathering();
    if (step === 'never') this.abandonGathering(begun.parts);
    return step === 'part' || step === 'last';
  }

  private endGathering(): void {
    const {current} = this;
    const {gathering} = current;
    if (gathering === null) return;
    const records = this.mayTake(gathering.gathering.records());
    if (records.length === 0) {
      this.abandonGathering(gathering.parts);
      return;
    }
    current.gathering = null;
    const {line} = current;
    // A record that begins in the part of the log before this one is told of by its end.
    current.line = gathering.parts[0] === current ? gathering.line : 1;
    current.isStructured = true;
    const kind = this.takeRecords(records, Wrapping.none, 0);
    current.line = line;
    recount(gathering.parts.at(-1) as CurrentInput, 'noise', kind);
  }

  /** What looked like a record of a line is something that the application printed. */
  private abandonGathering(parts: readonly CurrentInput[]): void {
    this.current.gathering = null;
    for (const input of parts) recount(input, 'noise', 'application');
  }

  private takeBy(readers: readonly Reader[], speakers: number, at: number, wrapping: Wrapping): LineKind | null {
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
    const time = this.timeOf(wrapping);
    if (time !== null) this.current.clock.atStamp(time);
    for (const reader of applications) reader.lines++;
    this.recognised(wrapping);
    this.push({...told, text}, wrapping, time);
    return 'events';
  }

  /** What a message that was just matched at `at` is; an event is kept. */
  private take(reader: Reader, message: number, at: number, wrapping: Wrapping): LineKind {
    const kind = this.taken(reader, message, at, wrapping);
    if (kind !== 'unknown' && this.witness !== null) {
      const {names} = wrapping;
      this.witness.took(
        {input: this.current, stream: this.writerOf(wrapping.origin, names).stream, names},
        {reader, readers: this.readers, at},
      );
    }
    return kind;
  }

  private missed(text: Buffer, wrapping: Wrapping, looksKnown: boolean): void {
    const {names} = wrapping;
    this.witness?.missed({input: this.current, stream: this.writerOf(wrapping.origin, names).stream, names}, text, looksKnown);
  }

  /** A request line that was just matched for `facts`. */
  private takeRequest(reader: Reader, facts: RequestReader | null, at: number, wrapping: Wrapping): LineKind {
    const {current} = this;
    const {clock} = current;
    const {ledger} = reader;
    if (ledger !== null && facts !== null) {
      if (current.isLearning) this.learnShift(ledger, facts, wrapping);
      const line = current.line + current.part;
      ledger.add(facts, this.writerOf(wrapping.origin, wrapping.names), this.events.length, current.index, line, at);
      if (clock.isAwaitingRequest) clock.atRequest(ledger.writtenFrom, ledger.writtenTo);
    }
    reader.lines++;
    this.recognised(wrapping);
    return 'requests';
  }

  private taken(reader: Reader, message: number, at: number, wrapping: Wrapping): LineKind {
    const {current} = this;
    const {clock} = current;
    const meaning = reader.meanings[message];
    if (meaning === 'unknown') return 'unknown';
    if (meaning === undefined) return this.takeRequest(reader, reader.requests?.facts ?? null, at, wrapping);
    const time = this.timeOf(wrapping);
    if (time !== null) clock.atStamp(time);
    if (meaning === 'noise' || meaning === 'voice') {
      reader.lines++;
      return 'noise';
    }
    // What the supervisor always writes with a date is somebody else's where it has none.
    if (meaning.stamped && !wrapping.isTimed) return 'unknown';
    reader.lines++;
    this.recognised(wrapping);
    this.keep(reader, message, meaning, at, wrapping);
    return 'events';
  }

  /** The time that stands around a message, on the clock of the log. */
  private timeOf(wrapping: Wrapping): number | null {
    const {time} = wrapping;
    if (time === null || this.zone === null) return time;
    return wrapping.isUtc ? this.zone.fromUtc(time) : this.put(time);
  }

  /** A stamp of the clock on the wall on the clock of the log. Without a year nobody knows on which side of a change it is. */
  private put(wall: number): number {
    const {steady, calendar} = this.current;
    return steady === null || !calendar.knows ? wall : steady.at(wall);
  }

  private steadyClock(): SteadyClock | null {
    const {zone} = this;
    if (zone === null) return null;
    return new SteadyClock(zone, {
      twice: () => this.noteOnce(FOLD),
      untold: (from, to, by) => this.loosen(from, to, by),
    });
  }

  /** Stamps from `from` to `to` may be `by` later: the clock shows that hour twice, and the log once. */
  private loosen(from: number, to: number, by: number): void {
    this.noteOnce(UNTOLD);
    for (const {moment, clock} of this.events) if (clock === this.current.clock) loosenMoment(moment, from, to, by);
  }

  /** A message stood inside these envelopes. */
  private recognised(wrapping: Wrapping): void {
    const {current} = this;
    const {names} = wrapping;
    if (names.length === 0) current.bare++;
    for (const [depth, name] of names.entries())
      current.envelopes.set(name, Math.min(depth, current.envelopes.get(name) ?? depth));
  }

  private keep(reader: Reader, message: number, meaning: Meaning, at: number, wrapping: Wrapping): void {
    const {current} = this;
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
    if (told !== null) this.learnYear(told, wrapping);
    const stamp = this.timeOf(wrapping);
    const time = stamp ?? (told === null ? null : this.put(told));
    if (stamp !== null) current[wrapping.isUtc ? 'hasUtc' : 'hasLocal'] = true;
    if (stamp === null && time !== null) current.clock.atStamp(time);
    this.push(
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

  private push(said: Pick<LogEvent, 'message' | 'meaning' | 'fields' | 'text'>, wrapping: Wrapping, time: number | null): void {
    const {current} = this;
    const {pid, worker} = said.fields;
    if (typeof pid === 'number') for (const ledger of this.ledgers) ledger.cut(pid);
    const {input, line, place} = this.here();
    const {stream, sink} = this.writerOf(wrapping.origin, wrapping.names);
    this.events.push({
      // Written out: to spread several objects into one costs more than all the rest that is done for an event.
      event: {
        message: said.message,
        meaning: said.meaning,
        fields: said.fields,
        text: said.text,
        pid: typeof pid === 'number' ? pid : null,
        worker: typeof worker === 'number' ? worker : null,
        input,
        line,
        place,
        served: this.served,
        stream,
        sink,
        // Told when all lines are read.
        at: UNKNOWN_INSTANT,
      },
      moment: current.clock.moment(time),
      clock: current.clock,
    });
  }

  /**
   * Messages that stand behind other text in one line: output of the application without a line end, or
   * several messages that lost theirs. What is found must reach the end of the line: a supervisor closes
   * each message, so words of it in the middle of a sentence are somebody's quotation.
   */
  private takeGlued(
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
        this.current.ownPrefix.learn(buffer, body, from);
        this.note('messages behind other text in one line');
        let best: LineKind = 'noise';
        for (const link of chain) {
          // Matched again, for the captures.
          if (link === chain[0]) reader.matcher.inside(link.at);
          else reader.matcher.prefix(link.at);
          const wrapping = around.inside(null, []);
          wrapping.isTimed = true;
          if (link.stamp !== null) wrapping.stamp(link.stamp, false, true);
          if (link !== chain[0]) this.nextPart();
          const kind = this.take(reader, link.message, link.at, wrapping);
          if (kind === 'events' || best === 'noise') best = kind;
        }
        return best;
      }
    }
    return null;
  }

  /** A whole line with its date in brackets, as gunicorn writes it, behind output that had no line end; null where there is none. */
  private takeBehindText(buffer: Buffer, at: number, lineEnd: number, outer: Wrapping, depth: number): LineKind | null {
    if (depth >= DEEPEST_TEXT) return null;
    const from = bracketedYear(buffer, Math.max(at + 1, lineEnd - LONGEST_GLUED), lineEnd);
    if (from < 0) return null;
    const kind = this.tried(() => this.classify(buffer, from, lineEnd, outer, depth + 1));
    this.bind(buffer);
    if (!isRecognised(kind)) return null;
    this.note('messages behind other text in one line');
    return kind;
  }

  /** Whose words to look for inside lines: of those who have spoken in this input, or of all while nobody has. */
  private candidatesForGlue(): readonly Reader[] {
    const known = this.supervisors.filter(({lines, format}) => lines > 0 && !format.needsOrigin);
    return known.length > 0 ? known : this.supervisors.filter(({format}) => !format.needsOrigin);
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
      const layer = this.layers.matcher.prefix(at);
      if (layer >= 0 && this.stamps.has(layer)) {
        stamp = this.stamps.read(layer);
        at = this.layers.matcher.end();
      }
    }
  }

  /** The time of a date that stands directly in front of a message inside a line. */
  private dateBefore(buffer: Buffer, at: number, lineStart: number): number | null {
    for (const length of DATE_LENGTHS) {
      if (at - length < lineStart || buffer[at - 2] !== 0x2d) continue;
      const layer = this.layers.matcher.prefix(at - length);
      if (layer >= 0 && this.layers.matcher.end() === at) return this.stamps.read(layer);
    }
    return null;
  }

  /** The next lines, or the next one, stand inside something that a line before them said. */
  private carry(carried: CurrentInput['carried']): void {
    this.current.carried = carried;
    this.forgetWriters();
  }

  private forgetWriters(): void {
    this.current.bareWriter = null;
    this.current.front.forget();
  }

  private bareWriter(): Writer {
    const {current} = this;
    const {origin, names} = current.carried?.wrapping ?? Wrapping.none;
    current.bareWriter = this.writerOf(origin, names);
    return current.bareWriter;
  }

  private writerOf(origin: readonly string[], names: readonly string[]): Writer {
    return this.current.writers.of(origin, this.current.boot, names);
  }

  /** The line that is being read. */
  private here(): Pick<LineRef, 'input' | 'line' | 'place'> {
    const {index, line, part, placesBefore} = this.current;
    return {input: index, line, place: placesBefore + line + part};
  }

  /** What a line holds comes in an order too, and before the next line. */
  private nextPart(): void {
    const {current} = this;
    if (current.part < LAST_PART) current.part += PART;
  }

  /** Something about the input as a whole. */
  private noteOf(what: string): void {
    this.current.oddities.set(what, {what, count: 1, firstLine: 1});
  }

  private noteOnce(what: string, line?: number): void {
    if (!this.current.oddities.has(what)) this.note(what, line);
  }

  private note(what: string, line = this.current.line): void {
    if (this.isTrying) return;
    const {oddities} = this.current;
    const known = oddities.get(what);
    oddities.set(what, known === undefined ? {what, count: 1, firstLine: line} : {...known, count: known.count + 1});
  }
}

/** copytruncate leaves them where a writer goes on at its old place. */
function withoutLeadingNuls(line: Buffer): Buffer {
  return line.subarray(
    Math.max(
      0,
      line.findIndex((byte) => byte !== 0),
    ),
  );
}

/** The cells of a row without what closes it, and without the marks that its text needs inside a table. */
function withoutFrame(row: string): string {
  const open = row.replace(/\s*(?:\||\xe2\x94[\x82\x83])+\s*$/, '');
  return open.replaceAll('\\|', '|').replace(/(^|[|] *)`([^`]*)`(?=\s*$)/, '$1$2');
}

interface Unwrapped {
  readonly wrapping: Wrapping;
  /** What the message inside is; null where there is none. */
  readonly kind: LineKind | null;
  /** The line begins with the supervisor's date. */
  readonly isDated: boolean;
  /** The line is a record of an application's logger. */
  readonly isRecord: boolean;
  /** Where the innermost layer's content begins. */
  readonly body: number;
}

interface Link {
  readonly message: number;
  readonly at: number;
  readonly stamp: number | null;
}

const BLANK = 0x20;
const BRACE = 0x7b;
const BRACKET = 0x5b;
/** rsyslog writes control characters as `#` and three octal digits. */
const SYSLOG_ESCAPE = /#([0-3][0-7]{2})/g;

/** What stands in a line where its line ends were: they are found by it. */
const MARKED_ENDS = /#012|\0/;

function hasSyslogEscape(buffer: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (buffer[at] === 0x23 && buffer[at + 1] === 0x30) return true;
  return false;
}
const FOLD = 'summer time ends: an hour comes twice, and the order of the lines tells which of the two each belongs to';
const UNTOLD = 'summer time ends: an hour comes twice, and the log shows it once: its lines in that hour may be of either';
const NULS = 'NUL bytes';
const BROKEN = 'lines that a terminal broke: put together';
const DRESSED = 'quotes, dots or marks that an editor or a web page changed';
const NO_YEAR = 'the log tells no year';
const BACKWARDS = 'the newest line comes first: turned round';
/** Layers that loggers of applications write, too. */
function isLoggers(layer: string | undefined): boolean {
  return layer === 'asctime' || layer === 'leveled-time';
}

/** The first byte from `at` that is no blank; a line that is not blank has one. */
function inkOf(buffer: Buffer, at: number): number {
  while (buffer[at] === 0x20 || buffer[at] === 9) at++;
  return at;
}

/** What says most about a line comes first. */
const TELLING: readonly LineKind[] = ['events', 'requests', 'unknown', 'application', 'noise'];

function moreTelling(a: LineKind, b: LineKind): LineKind {
  return TELLING.indexOf(a) < TELLING.indexOf(b) ? a : b;
}

/** Where the last `[2026-` stands between two offsets, or -1. */
function bracketedYear(buffer: Buffer, from: number, to: number): number {
  for (let at = buffer.lastIndexOf(BRACKET, to - 1); at >= from; at = at > 0 ? buffer.lastIndexOf(BRACKET, at - 1) : -1) {
    if (/^\[\d{4}-$/.test(buffer.toString('latin1', at, at + 6))) return at;
  }
  return -1;
}

function isRecognised(kind: LineKind): boolean {
  return kind !== 'unknown' && kind !== 'application';
}

/** A line turns out to be something else than it was counted as. */
function recount(input: CurrentInput, before: LineKind, kind: LineKind): void {
  input[before]--;
  input[kind]++;
}

/** Too ordinary to be believed in the middle of a line: "machine: x", "key = value". */
function isWeak(meaning: Meaning | Unneeded | undefined): boolean {
  return meaning === 'noise' || (typeof meaning === 'object' && meaning.kind === 'setting');
}

/** The bytes as text: broken UTF-8 becomes the replacement character, what is very long is cut. */
function textOf(buffer: Buffer, from: number, to: number): string {
  return buffer.toString('utf8', from, Math.min(to, from + LONGEST_TEXT));
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

/** Request lines whose clock is so much ahead of that of the stamps. */
function onStamps(segment: RequestSegment, ahead: number): RequestSegment {
  if (ahead === 0) return segment;
  const {firstStart, lastStart, lastEnd} = segment;
  return {...segment, firstStart: firstStart - ahead, lastStart: lastStart - ahead, lastEnd: lastEnd - ahead};
}
