import {Calendar} from '../envelope/calendar.ts';
import {Front} from '../envelope/front.ts';
import type {Gathering} from '../envelope/gathering.ts';
import type {LayerReader} from '../envelope/layers.ts';
import type {SteadyClock} from '../envelope/steady.ts';
import type {Table} from '../envelope/table.ts';
import {ToldZone} from '../envelope/told-zone.ts';
import type {Wrapping} from '../envelope/wrapping.ts';
import type {Zone} from '../envelope/zone.ts';
import type {Format} from '../formats/format.ts';
import type {InputInfo} from '../source/sink.ts';
import type {LineRef} from '../timeline/event.ts';
import type {InputSummary, Oddity} from '../timeline/timeline.ts';
import {LineClock} from './clock.ts';
import type {LineKind} from './line-kind.ts';
import {OwnPrefix} from './own-prefix.ts';
import {type Writer, Writers} from './writer.ts';

/** Whose texts stand in a line: a bit for each reader; and where the last of them begins. */
export interface Spoken {
  readonly by: number;
  readonly lastText: number;
}

/** A layer of an envelope by its number, and what reads it. */
export interface Layer {
  readonly layers: LayerReader;
  readonly layer: number;
}

/**
 * What has been seen of the input that is being read. The parts of a rotated log share their clock and all that is
 * under way; each counts its own lines.
 */
export interface CurrentInput {
  readonly info: InputInfo;
  readonly index: number;
  /** The input whose log this one goes on with; null where it begins one. */
  readonly partOf: CurrentInput | null;
  /** Lines of all inputs before it. */
  placesBefore: number;
  readonly clock: LineClock;
  /** For stamps of a zone that somebody named. */
  steady: SteadyClock | null;
  readonly calendar: Calendar;
  readonly toldZone: ToldZone;
  /** Names of envelopes around recognised lines, with the least depth at which each was seen. */
  readonly envelopes: Map<string, number>;
  /** Parts of lines that wait for their last part, by where they come from. */
  readonly held: Map<
    string,
    {readonly parts: Buffer[]; readonly length: number; readonly wrapping: Wrapping; readonly input: CurrentInput}
  >;
  readonly oddities: Map<string, Oddity>;
  readonly examples: LineRef[];
  line: number;
  /** Of a line that holds several: the one that is being read, as a fraction of a line; and the line that this was counted in. */
  part: number;
  partsOf: number;
  events: number;
  requests: number;
  noise: number;
  application: number;
  unknown: number;
  /** Lines of an application that were asked who wrote them. */
  heard: number;
  servedSeen: number;
  /** Recognised lines with no envelope. */
  bare: number;
  /** The layers around the last message that was wrapped in text alone: tried first on the next line. */
  route: readonly Layer[];
  /** The beginning of the last line that such layers stood around. */
  lastFronted: Buffer | null;
  /** What these layers are called, without what a line before them said. */
  routeNames: readonly string[];
  readonly front: Front;
  /** {@link front} holds uWSGI's own date. */
  isFrontDated: boolean;
  /** What the application's logger puts in front of its lines. */
  readonly loggersFront: Front;
  readonly ownPrefix: OwnPrefix;
  readonly writers: Writers;
  /** Of lines that stand bare, and of lines wrapped as {@link front}; null where that has to be found out. */
  bareWriter: Writer | null;
  frontWriter: Writer | null;
  /** Its first lines end in what a tool put there. */
  hasEndMarks: boolean;
  /** Lines have been records in JSON. */
  isStructured: boolean;
  /** The field of such records that holds the supervisor's words, where no collector calls it so, and how many it gave. `isTold`: the log says so. */
  ownText: {readonly key: string; taken: number; readonly isTold: boolean} | null;
  hasWholeDockerLines: boolean;
  /** The clock of request lines is to be compared with that of their envelope. */
  isLearning: boolean;
  /** When the last request line in front of this region was written. */
  regionFrom: number;
  /** The beginning of an object, or of a message, whose end has not come yet, behind others in one line. */
  rest: {readonly bytes: Buffer; readonly isText: boolean} | null;
  /** The line that is being read is a piece of a longer one; and what its pieces so far were. */
  isPiece: boolean;
  pieced: LineKind | null;
  /** Its first lines named columns: it is a table. */
  table: Table | null;
  /** Lines that are nothing by themselves and may be one that a terminal broke, up to the last one. */
  broken: {
    readonly bytes: Buffer;
    readonly kinds: readonly LineKind[];
    readonly width: number;
    readonly first: number;
  } | null;
  /** The widest line that said something as it stood, in bytes; of request lines only some are measured. */
  widest: number;
  /** Requests before the last line that was none; and whether one stands directly before the line that is being read. */
  requestsBefore: number;
  isBehindRequest: boolean;
  /** How wide broken lines are, once one has been put together; and how many were tried in vain, the dear ones several times. */
  brokenWidth: number | null;
  brokenTried: number;
  /** Whose texts stand in the line that is being read; null while nobody has looked. */
  spoken: Spoken | null;
  /** What the last line was that was no request. */
  lastKind: LineKind;
  /** A record of several lines that has begun, with its first line, and the inputs that its lines so far stand in. */
  gathering: {
    readonly gathering: Gathering;
    readonly wrapping: Wrapping;
    readonly line: number;
    readonly parts: CurrentInput[];
  } | null;
  /** What a line of its own says of the lines that follow, or of the next one. */
  carried: {readonly wrapping: Wrapping; readonly isOnce: boolean} | null;
  boot: string | null;
  hasUtc: boolean;
  hasLocal: boolean;
  /** Whose lines were recognised. */
  readonly speakers: Set<Format>;
  from: number | null;
  to: number | null;
  /** The last line of the part before this one broke off, and is nothing that is known. */
  cut: {readonly text: Buffer; readonly kind: LineKind; readonly input: CurrentInput} | null;
  closed: {readonly bytes: number; readonly truncated: boolean};
}

/** No layer at all. */
export const BARE_ROUTE: readonly Layer[] = [];

export function newInput(info: InputInfo, index: number, year: number | null): CurrentInput {
  return {
    info,
    index,
    partOf: null,
    placesBefore: 0,
    clock: new LineClock(),
    steady: null,
    calendar: new Calendar(year),
    toldZone: new ToldZone(),
    envelopes: new Map(),
    held: new Map(),
    oddities: new Map(),
    examples: [],
    line: 0,
    part: 0,
    partsOf: 0,
    events: 0,
    requests: 0,
    noise: 0,
    application: 0,
    unknown: 0,
    heard: 0,
    servedSeen: 0,
    bare: 0,
    route: BARE_ROUTE,
    lastFronted: null,
    routeNames: [],
    front: new Front(),
    isFrontDated: false,
    loggersFront: new Front(),
    ownPrefix: new OwnPrefix(),
    writers: new Writers(),
    bareWriter: null,
    frontWriter: null,
    hasEndMarks: false,
    isStructured: false,
    ownText: null,
    hasWholeDockerLines: false,
    isLearning: true,
    regionFrom: Number.NEGATIVE_INFINITY,
    rest: null,
    isPiece: false,
    pieced: null,
    table: null,
    broken: null,
    widest: 0,
    requestsBefore: 0,
    isBehindRequest: false,
    brokenWidth: null,
    brokenTried: 0,
    spoken: null,
    lastKind: 'noise',
    gathering: null,
    carried: null,
    boot: null,
    hasUtc: false,
    hasLocal: false,
    speakers: new Set(),
    from: null,
    to: null,
    cut: null,
    closed: {bytes: 0, truncated: false},
  };
}

/** The next part of the log that `before` is a part of. */
export function nextPart(before: CurrentInput, info: InputInfo, index: number): CurrentInput {
  before.clock.beginPart();
  return {
    ...before,
    info,
    index,
    partOf: before,
    placesBefore: before.placesBefore + before.line,
    envelopes: new Map(),
    oddities: new Map(),
    examples: [],
    line: 0,
    part: 0,
    partsOf: 0,
    events: 0,
    requests: 0,
    noise: 0,
    application: 0,
    unknown: 0,
    requestsBefore: 0,
    bare: 0,
    broken: null,
    hasUtc: false,
    hasLocal: false,
    speakers: new Set(),
    from: null,
    to: null,
  };
}

/** `zone`: the one that was asked for. `formats`: those that were asked, in their order. */
export function summaryOf(input: CurrentInput, zone: Zone | null, formats: readonly Format[]): InputSummary {
  const {info, speakers, application, unknown} = input;
  // Lines of an application count as such only where something is known to have run it.
  const isUnderstood = speakers.size > 0;
  return {
    name: info.name,
    bytes: input.closed.bytes,
    lines: input.line,
    compression: info.compression,
    envelopes: envelopesOf(input),
    supervisors: formats.filter((format) => speakers.has(format) && !format.isApplication).map(({id}) => id),
    counts: {
      events: input.events,
      requests: input.requests,
      noise: input.noise,
      application: isUnderstood ? application : 0,
      unknown: isUnderstood ? unknown : unknown + application,
    },
    from: input.from,
    to: input.to,
    zone: zone?.name ?? (input.hasUtc && !input.hasLocal ? 'UTC' : null),
    isDateless: input.calendar.isCounting,
    truncated: input.closed.truncated,
    oddities: [...input.oddities.values()],
    unknownExamples: input.examples,
    continues: input.partOf !== null,
  };
}

/** What stood around recognised lines, outermost first; `plain` where some stood bare. */
function envelopesOf({envelopes, bare}: CurrentInput): string[] {
  const names = [...envelopes].sort(([, a], [, b]) => a - b).map(([name]) => name);
  // The child's lines stand bare below supervisord's own.
  return names.length === 0 || (bare > 0 && !envelopes.has('supervisord-child')) ? ['plain', ...names] : names;
}
