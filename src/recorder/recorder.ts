import {EnvelopeChoice} from '../envelope/names.ts';
import {StampReader} from '../envelope/stamp.ts';
import {Wrapping} from '../envelope/wrapping.ts';
import {chosenFormats, type FormatChoice, numberOf} from '../formats/index.ts';
import {uwsgi} from '../formats/uwsgi.ts';
import {HEADROOM, type Matcher} from '../grammar/matcher.ts';
import {type InputEnd, type InputInfo, type LineSink, NOTHING_SCOUTED, type Scout, type Scouted} from '../source/sink.ts';
import type {Recording} from '../timeline/recording.ts';
import type {Engine, TaskExpressions} from './choices.ts';
import {BARE_ROUTE, newInput, nextPart} from './current-input.ts';
import {CustomRequest} from './custom-request.ts';
import {DockerRequests} from './docker-requests.ts';
import {endsInMarks} from './end-mark.ts';
import {type ClockOptions, Keeper} from './keeper.ts';
import {isRecognised, type LineKind, moreTelling} from './line-kind.ts';
import {LineReader} from './line-reader.ts';
import {matchersOf} from './matchers.ts';
import {isLoggers} from './peeler.ts';
import {Reader} from './reader.ts';
import {ALIKE, FACTS, FROM, RequestFacts, type RequestReader, TO} from './request-facts.ts';
import {mostRequests, RequestSweep} from './request-sweep.ts';
import type {RequestLedger} from './requests.ts';
import {TaskTeller} from './task-expressions.ts';
import {BRACE, BRACKET, LF, withoutLeadingNuls} from './text.ts';
import type {Witness} from './witness.ts';
import type {Writer} from './writer.ts';

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

const NULS = 'NUL bytes';
/** Bytes that layers of an envelope take at most. */
const LONGEST_FRONT = 500;
/** A region of fewer bytes has been read by the time that a sweep is ready. */
const WORTH_A_SWEEP = 32_768;
const LINE_END = Buffer.concat([Buffer.from('\n'), Buffer.alloc(HEADROOM)]);

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
    const readers = formats.map((format) => {
      const {matcher, requests} = matchers.of(format);
      const usual = (by: Matcher) => (format.requests.length > 0 ? new RequestFacts(by) : null);
      const custom = (by: Matcher) => (logFormat?.tellsProcess ? new CustomRequest(by, zone) : null);
      return new Reader(format, matcher, requests, numberOf(format), format.rules === undefined ? usual : custom);
    });
    // Beside the bundle; where the sources are run as they are, nobody helps. It knows the usual request lines alone.
    const isUsual = engine === 'compiled' && readers[0]?.matcher === uwsgi.matcher && options.witness === undefined;
    const scout = isUsual ? {module: new URL('./scout.js', import.meta.url), most: mostRequests, width: FACTS} : null;
    const {tasks} = options;
    const teller = tasks === undefined ? null : await TaskTeller.create(tasks, matchers.process);
    const keeper = new Keeper(readers, new StampReader(matchers.envelope), options);
    return new Recorder(keeper, new LineReader(keeper, matchers, {...options, choice, teller}), scout, options);
  }

  readonly scout: Scout | null;
  /** Undefined until a region is worth it; null where there can be none. */
  private sweep: RequestSweep | null | undefined;
  private docker: DockerRequests | null = null;
  private ownFacts = NOTHING_SCOUTED.facts;
  private readonly mostEvents: number;
  private readonly witness: Witness | null;
  private readonly keeper: Keeper;
  private readonly lineReader: LineReader;

  private constructor(
    keeper: Keeper,
    lineReader: LineReader,
    scout: Scout | null,
    {witness, mostEvents = Number.POSITIVE_INFINITY}: RecorderOptions,
  ) {
    this.keeper = keeper;
    this.lineReader = lineReader;
    this.scout = scout;
    if (scout === null) this.sweep = null;
    this.witness = witness ?? null;
    this.mostEvents = mostEvents;
  }

  open(info: InputInfo): void {
    const {keeper} = this;
    const {inputs} = keeper;
    const before = inputs.at(-1);
    if (info.continues && before !== undefined) {
      keeper.goOn(nextPart(before, info, inputs.length));
      return;
    }
    this.endLog();
    this.lineReader.familiar.forget();
    keeper.goOn(keeper.newLog(newInput(info, inputs.length, keeper.year)));
  }

  lines(buffer: Buffer, start: number, end: number, isContinued: boolean, scouted: Scouted = NOTHING_SCOUTED): void {
    this.lineReader.begin(buffer);
    const {current, events} = this.keeper;
    const {witness} = this;
    const {clock} = current;
    const main = this.keeper.readers[0] as Reader;
    const {ledger, usual} = main;
    if (isContinued && this.saysNothing(buffer, start, end)) return;
    if (current.pieced !== null && !isContinued) {
      const lineEnd = buffer.indexOf(LF, start) + 1;
      this.lastPiece(buffer, start, lineEnd);
      if (lineEnd < end) this.lines(buffer, lineEnd, end, false, scouted);
      return;
    }
    current.isPiece = isContinued;
    if (current.line === 0) current.hasEndMarks = endsInMarks(buffer, start, end);
    let {facts} = scouted;
    let scoutedEnd = scouted.count * FACTS;
    let scoutedTo = scouted.count === 0 ? start : end;
    let next = 0;
    let at = start;
    let isRare = true;
    /** No request line behind a front has been read here. */
    let isFirst = true;
    let fronted = -1;
    if (ledger !== null) this.learnAnew(ledger);
    const sweep = this.sweepOver(end - start);
    this.docker?.forget();
    while (at < end) {
      current.line++;
      const past = this.docker?.take(buffer, at, end) ?? at;
      if (past > at) {
        at = past;
        continue;
      }
      // Inside a record of several lines, or where lines are JSON, nothing stands in the bytes as it is meant. A witness
      // hears of lines that go the long way.
      const isRecord =
        witness !== null ||
        current.gathering !== null ||
        current.carried?.isOnce ||
        (current.isStructured && buffer[at] === BRACE);
      if (!isRecord && this.lineReader.bound !== buffer) this.lineReader.bind(buffer);
      const body = isRecord || current.route === BARE_ROUTE ? at : this.bodyOf(buffer, at);
      if (at >= scoutedTo && !isRecord) {
        facts = this.ownFacts;
        scoutedEnd = sweep === null ? 0 : FACTS * sweep.lines(buffer, at, end, body - at, facts, 0);
        scoutedTo = sweep === null ? end : sweep.reached;
        next = 0;
      }
      while (next < scoutedEnd && (facts[next + FROM] as number) < body) next += FACTS;
      const isFront: boolean = isFirst && body > at && current.isLearning;
      const isScouted: boolean = next < scoutedEnd && facts[next + FROM] === body && !isRecord && !isFront;
      const message = usual !== null && !isScouted && !isRecord ? usual.matcher.match(body) : -1;
      if (ledger !== null && usual !== null && (isScouted || (message >= 0 && usual.isRequest[message] === 1))) {
        if (isFront) this.learnFront(ledger, usual.facts, at);
        const isBare = body === at;
        if (!isBare) isFirst = false;
        const writer = isBare ? (current.bareWriter ?? this.keeper.bareWriter()) : (current.frontWriter as Writer);
        let messageEnd: number;
        let count = 1;
        if (isScouted) {
          const from = next;
          // Events wait for the first of several.
          const to = clock.isAwaitingRequest
            ? from + FACTS
            : isBare
              ? scoutedEnd
              : this.frontedAlike(buffer, facts, from, scoutedEnd);
          next = ledger.addRun(writer, events.length, current.index, current.line, facts, from, to, body - at);
          messageEnd = facts[next - FACTS + TO] as number;
          count = (next - from) / FACTS;
        } else {
          ledger.add(usual.facts, writer, events.length, current.index, current.line, body);
          messageEnd = usual.matcher.end();
        }
        current.line += count - 1;
        current.requests += count;
        main.lines += count;
        isRare = false;
        if (isBare) {
          current.bare += count;
          current.route = BARE_ROUTE;
        }
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
      if (body > at) fronted = at;
      this.lineReader.rareLine(buffer, at, body, lineEnd);
      at = lineEnd + 1;
    }
    if (fronted >= 0) {
      const lineEnd = buffer.indexOf(LF, fronted);
      const front = buffer.subarray(fronted, Math.min(lineEnd, fronted + LONGEST_FRONT));
      current.lastFronted = Buffer.concat([front, LINE_END]);
    }
    // A piece of a line is counted with its last piece.
    if (isContinued) {
      current.line--;
      const kind = isRare ? current.lastKind : 'requests';
      current[kind]--;
      current.pieced = current.pieced === null ? kind : moreTelling(current.pieced, kind);
    }
    for (const ledger of this.keeper.ledgers) ledger.release();
  }

  /** What the clocks of stamps and requests have in common can change with the hour, or where one of them is set back. */
  private learnAnew({writtenFrom}: RequestLedger): void {
    const {current} = this.keeper;
    const before = current.regionFrom;
    if (hourOf(writtenFrom) !== hourOf(before) || writtenFrom < before) current.isLearning = true;
    current.regionFrom = writtenFrom;
  }

  /** What finds request lines in so many bytes, or null where they are found one by one. */
  private sweepOver(bytes: number): RequestSweep | null {
    if (this.sweep === undefined && bytes >= WORTH_A_SWEEP) {
      this.sweep = RequestSweep.create();
      if (this.sweep !== null) {
        this.ownFacts = new Float64Array(FACTS * mostRequests(this.sweep.chunk));
        this.docker = new DockerRequests(this.lineReader, this.sweep);
      }
    }
    return this.sweep ?? null;
  }

  /** A line that came in pieces is what says most of them. */
  private lastPiece(buffer: Buffer, start: number, end: number): void {
    const {current} = this.keeper;
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
    const {gathering, rest} = this.keeper.current;
    const first = buffer[start];
    if (gathering !== null || rest !== null || first === BRACE || first === BRACKET) return false;
    if (buffer.indexOf(LF, start) !== end - 1) return false;
    const {vocabulary} = this.lineReader;
    if ((vocabulary.speakers(buffer, start, end - 1) & ~vocabulary.always) !== 0) return false;
    if (first === 0) this.keeper.noteOnce(NULS, this.keeper.current.line + 1);
    return true;
  }

  close({cutLine = null, ...closed}: InputEnd): void {
    const {current} = this.keeper;
    const {cut, lastKind} = current;
    current.closed = closed;
    // A part that is a piece of a line may lie between the line's beginning and its end.
    const isWhole = cutLine === null || (isRecognised(lastKind) && !current.carried?.isOnce);
    const pieces = isWhole ? [] : current.line === 1 && cut !== null ? [cut.text, withoutLeadingNuls(cutLine)] : [cutLine];
    current.cut = pieces.length === 0 ? null : {text: Buffer.concat(pieces), kind: lastKind, input: current};
    this.readLastTime();
    this.keeper.hear();
  }

  /**
   * How long the log goes on shows in the last line with a front like that of the supervisor's, whatever it says: an application
   * goes on while its server hangs. Only where its writer has been heard before, and the front is not one that any logger writes.
   */
  private readLastTime(): void {
    const {current, events} = this.keeper;
    const {lastFronted, carried, route} = current;
    current.lastFronted = null;
    if (lastFronted === null || carried?.isOnce) return;
    this.lineReader.begin(lastFronted);
    const wrapping = route.some(({layers, layer}) => isLoggers(layers.matcher.messages[layer])) ? null : this.alongRoute(0);
    if (wrapping === null) return;
    const {stream} = this.keeper.writerOf(wrapping.origin, current.routeNames);
    const time = this.keeper.timeOf(wrapping);
    const isKnown = events.some(({event}) => event.input === current.index && event.stream === stream);
    if (time !== null && isKnown) current.clock.goesOnUntil(time);
  }

  /** A request line that was just matched stands behind the front at `at`, which may tell the time as well. */
  private learnFront(ledger: RequestLedger, facts: RequestReader, at: number): void {
    const wrapping = this.alongRoute(at);
    if (wrapping === null) return;
    this.keeper.learnShift(ledger, facts, wrapping);
    this.keeper.recognised({names: [...(this.keeper.current.carried?.wrapping.names ?? []), ...this.keeper.current.routeNames]});
  }

  /** What stands in front of the line at `at`, read by the layers of the route; null where it has others. */
  private alongRoute(at: number): Wrapping | null {
    const {current, stamps} = this.keeper;
    const {layers: envelope} = this.lineReader;
    let wrapping = current.carried?.wrapping ?? Wrapping.none;
    let body = at;
    for (const {layers, layer} of current.route) {
      if (layers.prefix(body) !== layer) return null;
      body = layers.matcher.end();
      wrapping = wrapping.inside(null, layers.origin(layer));
      if (layers === envelope && stamps.has(layer)) this.keeper.stamp(wrapping, layer, envelope.text(layer, 'own') !== null);
    }
    return wrapping;
  }

  /** Events so far. */
  get eventCount(): number {
    return this.keeper.eventCount;
  }

  get isFull(): boolean {
    return this.keeper.events.length >= this.mostEvents;
  }

  finish(): Recording {
    this.endLog();
    this.keeper.agreeOnYears();
    return this.keeper.recording(
      this.keeper.takeEvents(),
      this.keeper.ledgers.flatMap(({segments}) => segments),
    );
  }

  /** What was read up to now of inputs that go on. Nothing is closed by it, and reading goes on as before. */
  soFar(): Recording {
    this.keeper.hear();
    this.keeper.agreeOnYears();
    return this.keeper.recording(
      // What is told of them may change with the lines to come.
      this.keeper.events.map(({event, moment, clock}) => ({...event, at: clock.instant(moment)})),
      this.keeper.ledgers.flatMap((ledger) => ledger.soFar()),
    );
  }

  /** Where the content begins if the line is wrapped as the last recognised one was; `at` if it is not. */
  private bodyOf(buffer: Buffer, at: number): number {
    const {front, route} = this.keeper.current;
    const alike = front.end(buffer, at);
    if (alike >= 0) return alike;
    let body = at;
    const outer = this.keeper.current.carried?.wrapping ?? Wrapping.none;
    const origin = [...outer.origin];
    const places: number[] = [];
    let isDated = false;
    for (const {layers, layer: expected} of route) {
      const layer = layers.prefix(body);
      if (layer !== expected) return at;
      isDated ||= layers.text(layer, 'own') !== null;
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
    this.keeper.current.isFrontDated = isDated;
    this.keeper.current.frontWriter = this.keeper.writerOf(origin, [...outer.names, ...this.keeper.current.routeNames]);
    return body;
  }

  /** Up to which facts request lines follow one another behind the front of the first. */
  private frontedAlike(buffer: Buffer, facts: Float64Array, from: number, to: number): number {
    const {front} = this.keeper.current;
    let next = from + FACTS;
    const isAlike = () =>
      facts[next + ALIKE] === 1 || front.end(buffer, (facts[next - FACTS + TO] as number) + 1) === facts[next + FROM];
    while (next < to && isAlike()) next += FACTS;
    return next;
  }

  /** The last part of a log has been read. */
  private endLog(): void {
    const {recordLines} = this.lineReader;
    recordLines.endGathering();
    recordLines.releaseHeld();
    this.keeper.endLog();
  }
}

function hourOf(milliseconds: number): number {
  return Math.floor(milliseconds / 3_600_000);
}
