import envelopeMatcher from '../../grammars/envelope.ohm';
import {ctimeOf, StampReader} from '../envelope/stamp.ts';
import {locateGrammar} from '../grammar/locate.ts';
import type {Matcher} from '../grammar/matcher.ts';
import type {InputInfo, LineSink} from '../source/sink.ts';
import type {LineRef, LogEvent, Meaning, Unneeded} from '../timeline/event.ts';
import type {Recording} from '../timeline/recording.ts';
import type {InputSummary, Oddity} from '../timeline/timeline.ts';
import {LineClock, type Moment} from './clock.ts';
import type {Format} from './format.ts';
import {formats as allFormats} from './index.ts';
import {RequestLedger} from './requests.ts';
import {isBlank, withoutControls} from './text.ts';

export type Engine = 'compiled' | 'ohm';

const LF = 10;
/** More layers than anybody has seen around one message. */
const DEEPEST_ENVELOPE = 8;
const MOST_EXAMPLES = 5;
const LONGEST_TEXT = 4000;
/** `Wed Jul 31 20:13:14 2019 - ` with a two-digit day, or with one that lost its padding. */
const DATE_LENGTHS = [27, 26];

/**
 * Reads lines and keeps what they say: events, request counts, and how many lines were what. The scan over
 * the bytes of every line happens here and nowhere else.
 */
export class Recorder implements LineSink {
  /** With `ohm`, Ohm's interpreter answers in place of the compiled matchers. */
  static async create(engine: Engine): Promise<Recorder> {
    if (engine === 'compiled') return new Recorder(allFormats.map((format) => new Reader(format, format.matcher)), envelopeMatcher);
    const [{interpret}, {loadGrammar}] = await Promise.all([import('../grammar/interpret.ts'), import('../grammar/load.ts')]);
    const interpreted = (file: string) => interpret(loadGrammar(locateGrammar(file)));
    return new Recorder(
      allFormats.map((format) => new Reader(format, interpreted(format.grammarFile))),
      interpreted('envelope.ohm'),
    );
  }

  private readonly readers: readonly Reader[];
  /** Supervisors are asked at each layer of a line, applications about the innermost one that none of them knows. */
  private readonly supervisors: readonly Reader[];
  private readonly applications: readonly Reader[];
  private readonly envelope: Matcher;
  private readonly stamps: StampReader;
  private readonly events: {event: Omit<LogEvent, 'at'>; moment: Moment; clock: LineClock}[] = [];
  private readonly inputs: InputSummary[] = [];
  private bound: Buffer | null = null;
  private current: CurrentInput = newInput({name: '', compression: 'none'}, 0);

  private constructor(readers: readonly Reader[], envelope: Matcher) {
    this.readers = readers;
    this.supervisors = readers.filter(({format}) => !format.isApplication);
    this.applications = readers.filter(({format}) => format.isApplication);
    this.envelope = envelope;
    this.stamps = new StampReader(envelope);
  }

  open(info: InputInfo): void {
    this.current = newInput(info, this.inputs.length);
  }

  lines(buffer: Buffer, start: number, end: number, isContinued: boolean): void {
    this.bind(buffer);
    const {current} = this;
    const {clock} = current;
    const main = this.readers[0] as Reader;
    const {matcher, isRequest, ledger} = main;
    let at = start;
    while (at < end) {
      current.line++;
      const message = matcher.match(at);
      if (message >= 0 && isRequest[message] === 1 && ledger !== null) {
        const messageEnd = matcher.end();
        ledger.add(this.events.length, current.index, current.line, at, messageEnd);
        current.requests++;
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
      this.rareLine(buffer, at, lineEnd, message);
      at = lineEnd + 1;
    }
    if (isContinued) current.line--;
    for (const reader of this.readers) reader.ledger?.release();
  }

  close({bytes, truncated}: {bytes: number; truncated: boolean}): void {
    const {current, readers} = this;
    const {clock} = current;
    for (const {ledger} of readers) {
      if (ledger === null) continue;
      if (ledger.served > current.servedSeen) clock.atRequest(ledger.writtenFrom, ledger.writtenTo);
      ledger.cutAll();
    }
    const supervisors = readers.filter(({lines, format}) => lines > 0 && !format.isApplication).map(({format}) => format.id);
    // Lines of an application count as such only where something is known to have run it.
    const isUnderstood = readers.some(({lines}) => lines > 0);
    for (const reader of readers) reader.lines = 0;
    this.inputs.push({
      name: current.info.name,
      bytes,
      lines: current.line,
      compression: current.info.compression,
      envelopes: current.envelopes.size === 0 ? ['plain'] : [...current.envelopes],
      supervisors,
      counts: {
        events: current.events,
        requests: current.requests,
        noise: current.noise,
        application: isUnderstood ? current.application : 0,
        unknown: isUnderstood ? current.unknown : current.unknown + current.application,
      },
      from: clock.first,
      to: clock.last,
      zone: current.hasUtc && !current.hasLocal ? 'UTC' : null,
      truncated,
      oddities: [...current.oddities.values()],
      unknownExamples: current.examples,
    });
  }

  finish(): Recording {
    const events = this.events.map(({event, moment, clock}): LogEvent => ({...event, at: clock.instant(moment)}));
    return {inputs: this.inputs, events, segments: this.readers.flatMap(({ledger}) => ledger?.segments ?? [])};
  }

  private bind(buffer: Buffer): void {
    if (this.bound === buffer) return;
    this.bound = buffer;
    for (const reader of this.readers) reader.bind(buffer);
    this.envelope.bind(buffer);
    this.stamps.bind(buffer);
  }

  /** Any line but a bare request line. `message` is what the first format made of the whole of it. */
  private rareLine(buffer: Buffer, at: number, lineEnd: number, message: number): void {
    const {current} = this;
    const kind = this.classify(buffer, at, lineEnd, message);
    current[kind]++;
    if (kind === 'unknown' && current.examples.length < MOST_EXAMPLES) {
      current.examples.push({input: current.index, line: current.line, text: textOf(buffer, at, lineEnd)});
    }
  }

  private classify(buffer: Buffer, at: number, lineEnd: number, message: number): LineKind {
    if (isBlank(buffer, at, lineEnd)) return 'noise';
    const bare: Wrapping = {stamp: null, layers: 0};
    let looksKnown = false;
    if (message >= 0) {
      const taken = this.take(this.readers[0] as Reader, message, at, bare);
      if (taken !== 'unknown') return taken;
      looksKnown = true;
    } else {
      const taken = this.takeBy(this.supervisors.slice(1), at, bare);
      if (taken !== null) return taken;
    }
    const unwrapped = this.unwrap(at);
    if (unwrapped.kind !== null && unwrapped.kind !== 'unknown') return unwrapped.kind;
    looksKnown ||= unwrapped.kind === 'unknown' || unwrapped.isDated;
    const clean = withoutControls(buffer, at, lineEnd);
    if (clean !== null) {
      this.note(clean.what);
      this.bind(clean.buffer);
      const kind = this.classify(clean.buffer, 0, clean.length, (this.readers[0] as Reader).matcher.match(0));
      this.bind(buffer);
      return kind;
    }
    // A record of the application's logger is written with its line end: nothing is glued to it.
    const glued = unwrapped.isRecord ? null : this.takeGlued(buffer, at);
    return glued ?? this.takeBy(this.applications, unwrapped.body, unwrapped) ?? (looksKnown ? 'unknown' : 'application');
  }

  /** Peels what stands around the message, one layer after another. */
  private unwrap(at: number): Unwrapped {
    const {envelope, current} = this;
    let isRecord = false;
    let stamp: number | null = null;
    let isDated = false;
    let body = at;
    let kind: LineKind | null = null;
    let layers = 0;
    while (layers < DEEPEST_ENVELOPE) {
      const layer = envelope.prefix(body);
      if (layer < 0) break;
      const name = envelope.messages[layer] as string;
      body = envelope.end();
      layers++;
      const own = this.stamps.read();
      stamp = own ?? stamp;
      isDated ||= name === SUPERVISORS_DATE;
      isRecord ||= name === APPLICATIONS_DATE;
      const taken = this.takeBy(this.supervisors, body, {stamp, layers});
      if (taken === null) continue;
      kind = taken;
      if (taken === 'unknown') continue;
      if (own !== null) current[this.stamps.isUtc ? 'hasUtc' : 'hasLocal'] = true;
      if (name !== SUPERVISORS_DATE && name !== APPLICATIONS_DATE) current.envelopes.add(name);
      break;
    }
    return {kind, isDated, isRecord, body, stamp, layers};
  }

  private takeBy(readers: readonly Reader[], at: number, wrapping: Wrapping): LineKind | null {
    for (const reader of readers) {
      const message = reader.matcher.match(at);
      if (message >= 0) return this.take(reader, message, at, wrapping);
    }
    return null;
  }

  /** What a message that was just matched at `at` is; an event is kept. */
  private take(reader: Reader, message: number, at: number, {stamp, layers}: Wrapping): LineKind {
    const {current} = this;
    const {clock} = current;
    const {matcher, ledger} = reader;
    const meaning = reader.meanings[message];
    if (meaning === 'unknown') return 'unknown';
    if (meaning === undefined) {
      ledger?.add(this.events.length, current.index, current.line, at, matcher.end());
      reader.lines++;
      return 'requests';
    }
    if (stamp !== null) clock.atStamp(stamp);
    if (meaning === 'noise') {
      reader.lines++;
      return 'noise';
    }
    // What the supervisor always writes with a date is somebody else's where it has none.
    if (meaning.stamped && layers === 0) return 'unknown';
    reader.lines++;
    this.keep(reader, message, meaning, at, stamp);
    return 'events';
  }

  private keep(reader: Reader, message: number, meaning: Meaning, at: number, stamp: number | null): void {
    const {current} = this;
    const {matcher, format} = reader;
    const buffer = this.bound as Buffer;
    const fields: Record<string, string | number> = {};
    for (const field of matcher.fieldsOf[message] as readonly number[]) {
      const from = matcher.captures[2 * field] as number;
      if (from >= 0) fields[matcher.fields[field] as string] = valueOf(buffer, from, matcher.captures[2 * field + 1] as number);
    }
    const pid = typeof fields['pid'] === 'number' ? fields['pid'] : null;
    const time = stamp ?? (meaning.timeIn === undefined ? null : ctimeOf(String(fields[meaning.timeIn])));
    if (stamp === null && time !== null) current.clock.atStamp(time);
    if (pid !== null) for (const {ledger} of this.readers) ledger?.cut(pid);
    this.events.push({
      event: {
        message: `${format.id}/${matcher.messages[message]}`,
        meaning: withCause(meaning, fields),
        fields,
        pid,
        worker: typeof fields['worker'] === 'number' ? fields['worker'] : null,
        input: current.index,
        line: current.line,
        text: textOf(buffer, at, matcher.end()),
        served: reader.ledger?.served ?? 0,
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
  private takeGlued(buffer: Buffer, at: number): LineKind | null {
    for (const reader of this.supervisors) {
      for (let from = reader.matcher.find(at); from >= 0; from = reader.matcher.find(from + 1)) {
        const chain = this.chain(reader, buffer, from, at);
        if (chain === null) continue;
        this.note('messages behind other text in one line');
        let best: LineKind = 'noise';
        for (const link of chain) {
          reader.matcher.prefix(link.at);
          const kind = this.take(reader, link.message, link.at, {stamp: link.stamp, layers: 1});
          if (kind === 'events' || best === 'noise') best = kind;
        }
        return best;
      }
    }
    return null;
  }

  /** The messages that fill the line from `from` on; null where something else stands among them. */
  private chain(reader: Reader, buffer: Buffer, from: number, lineStart: number): Link[] | null {
    const links: Link[] = [];
    let at = from;
    let stamp = this.dateBefore(buffer, from, lineStart);
    for (;;) {
      const message = reader.matcher.prefix(at);
      const meaning = message < 0 ? 'unknown' : reader.meanings[message];
      if (meaning === 'unknown' || (links.length === 0 && isWeak(meaning))) return null;
      if (typeof meaning === 'object' && meaning.stamped && stamp === null) return null;
      links.push({message, at, stamp});
      at = reader.matcher.end();
      while ((buffer[at] as number) <= 0x20 && buffer[at] !== LF) at++;
      if (buffer[at] === LF) return links;
      stamp = null;
      if (this.envelope.prefix(at) >= 0) {
        stamp = this.stamps.read();
        at = this.envelope.end();
      }
    }
  }

  /** The time of a date that stands directly in front of a message inside a line. */
  private dateBefore(buffer: Buffer, at: number, lineStart: number): number | null {
    for (const length of DATE_LENGTHS) {
      if (at - length < lineStart || buffer[at - 2] !== 0x2d) continue;
      if (this.envelope.prefix(at - length) >= 0 && this.envelope.end() === at) return this.stamps.read();
    }
    return null;
  }

  private note(what: string): void {
    const {oddities, line} = this.current;
    const known = oddities.get(what);
    oddities.set(what, known === undefined ? {what, count: 1, firstLine: line} : {...known, count: known.count + 1});
  }
}

/** A format made ready for the scan. */
class Reader {
  readonly format: Format;
  readonly matcher: Matcher;
  /** By message number; undefined for request lines. */
  readonly meanings: readonly (Meaning | Unneeded | undefined)[];
  readonly isRequest: Uint8Array;
  readonly ledger: RequestLedger | null;
  /** Lines of the current input that are this format's. */
  lines = 0;

  constructor(format: Format, matcher: Matcher) {
    this.format = format;
    this.matcher = matcher;
    this.meanings = matcher.messages.map((name) => (format.requests.includes(name) ? undefined : (format.meanings[name] ?? 'noise')));
    this.isRequest = Uint8Array.from(this.meanings, (meaning) => (meaning === undefined ? 1 : 0));
    this.ledger = format.requests.length > 0 ? new RequestLedger(matcher) : null;
  }

  bind(buffer: Buffer): void {
    this.matcher.bind(buffer);
    this.ledger?.bind(buffer);
  }
}

type LineKind = 'events' | 'requests' | 'noise' | 'application' | 'unknown';

/** The innermost stamp around a message, and how many envelopes there were. */
interface Wrapping {
  readonly stamp: number | null;
  readonly layers: number;
}

interface Unwrapped extends Wrapping {
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

interface CurrentInput {
  readonly info: InputInfo;
  readonly index: number;
  readonly clock: LineClock;
  readonly envelopes: Set<string>;
  readonly oddities: Map<string, Oddity>;
  readonly examples: LineRef[];
  line: number;
  events: number;
  requests: number;
  noise: number;
  application: number;
  unknown: number;
  servedSeen: number;
  hasUtc: boolean;
  hasLocal: boolean;
}

/** Dates that a program itself puts in front of its lines: no envelopes. */
const SUPERVISORS_DATE = 'uwsgi-date';
const APPLICATIONS_DATE = 'asctime';

function newInput(info: InputInfo, index: number): CurrentInput {
  return {
    info, index,
    clock: new LineClock(),
    envelopes: new Set(),
    oddities: new Map(),
    examples: [],
    line: 0, events: 0, requests: 0, noise: 0, application: 0, unknown: 0,
    servedSeen: 0,
    hasUtc: false, hasLocal: false,
  };
}

/** Too ordinary to be believed in the middle of a line: "machine: x", "key = value". */
function isWeak(meaning: Meaning | Unneeded | undefined): boolean {
  return meaning === 'noise' || (typeof meaning === 'object' && meaning.kind === 'setting');
}

/** The cause that the message's own words give, where its meaning says how to read them. */
function withCause(meaning: Meaning, fields: Readonly<Record<string, string | number>>): Meaning {
  const reason = fields['reason'];
  if (meaning.causes === undefined || reason === undefined) return meaning;
  const [, cause] = meaning.causes.find(([beginning]) => String(reason).startsWith(beginning)) ?? [];
  return cause === undefined ? meaning : {...meaning, cause};
}

/** The bytes as text: broken UTF-8 becomes the replacement character, what is very long is cut. */
function textOf(buffer: Buffer, from: number, to: number): string {
  return buffer.toString('utf8', from, Math.min(to, from + LONGEST_TEXT));
}

function valueOf(buffer: Buffer, from: number, to: number): string | number {
  const text = textOf(buffer, from, to);
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}
