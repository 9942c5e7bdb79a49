import {Calendar} from '../envelope/calendar.ts';
import {Front} from '../envelope/front.ts';
import type {Gathering} from '../envelope/gathering.ts';
import type {LayerReader} from '../envelope/layers.ts';
import type {Wrapping} from '../envelope/wrapping.ts';
import type {InputInfo} from '../source/sink.ts';
import type {LineRef} from '../timeline/event.ts';
import type {Oddity} from '../timeline/timeline.ts';
import {LineClock} from './clock.ts';
import {OwnPrefix} from './own-prefix.ts';
import {type Writer, Writers} from './writer.ts';

export type LineKind = 'events' | 'requests' | 'noise' | 'application' | 'unknown';

/** What has been seen of the input that is being read. */
export interface CurrentInput {
  readonly info: InputInfo;
  readonly index: number;
  readonly clock: LineClock;
  readonly calendar: Calendar;
  /** Names of envelopes around recognised lines, with the least depth at which each was seen. */
  readonly envelopes: Map<string, number>;
  /** Parts of lines that wait for their last part, by where they come from. */
  readonly held: Map<string, {readonly parts: readonly Buffer[]; readonly wrapping: Wrapping}>;
  readonly oddities: Map<string, Oddity>;
  readonly examples: LineRef[];
  line: number;
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
  route: readonly LayerReader[];
  readonly front: Front;
  readonly ownPrefix: OwnPrefix;
  readonly writers: Writers;
  /** Of lines that stand bare, and of lines wrapped as {@link front}; null where that has to be found out. */
  bareWriter: Writer | null;
  frontWriter: Writer | null;
  /** Lines have been records in JSON. */
  isStructured: boolean;
  hasWholeDockerLines: boolean;
  /** The clock of request lines is to be compared with that of their envelope. */
  isLearning: boolean;
  /** The beginning of an object whose end has not come yet, behind others in one line. */
  rest: Buffer | null;
  /** What the last line was that was no request. */
  lastKind: LineKind;
  /** A record of several lines that has begun, with its first line and the number of its lines so far. */
  gathering: {readonly gathering: Gathering; readonly line: number; lines: number} | null;
  /** What a line of its own says of the lines that follow, or of the next one. */
  carried: {readonly wrapping: Wrapping; readonly isOnce: boolean} | null;
  boot: string | null;
  hasUtc: boolean;
  hasLocal: boolean;
}

/** No layer at all. */
export const BARE_ROUTE: readonly LayerReader[] = [];

export function newInput(info: InputInfo, index: number, year: number | null): CurrentInput {
  return {
    info,
    index,
    clock: new LineClock(),
    calendar: new Calendar(year),
    envelopes: new Map(),
    held: new Map(),
    oddities: new Map(),
    examples: [],
    line: 0,
    events: 0,
    requests: 0,
    noise: 0,
    application: 0,
    unknown: 0,
    heard: 0,
    servedSeen: 0,
    bare: 0,
    route: BARE_ROUTE,
    front: new Front(),
    ownPrefix: new OwnPrefix(),
    writers: new Writers(),
    bareWriter: null,
    frontWriter: null,
    isStructured: false,
    hasWholeDockerLines: false,
    isLearning: true,
    rest: null,
    lastKind: 'noise',
    gathering: null,
    carried: null,
    boot: null,
    hasUtc: false,
    hasLocal: false,
  };
}

/** What stood around recognised lines, outermost first; `plain` where some stood bare. */
export function envelopesOf({envelopes, bare}: CurrentInput): string[] {
  const names = [...envelopes].sort(([, a], [, b]) => a - b).map(([name]) => name);
  // The child's lines stand bare below supervisord's own.
  return names.length === 0 || (bare > 0 && !envelopes.has('supervisord-child')) ? ['plain', ...names] : names;
}
