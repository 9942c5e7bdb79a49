import type {LayerReader} from '../envelope/layers.ts';
import type {StampReader} from '../envelope/stamp.ts';
import type {Matcher} from '../grammar/matcher.ts';
import {BLANK, BRACKET, byteTable, isDigit} from './text.ts';

/** A line below this holds no two; beyond it, nobody has pasted them. */
const SHORTEST = 80;
const LONGEST = 256 * 1024;
/** What stands between two fronts is a message. */
const LEAST_MESSAGE = 6;
/** How far into a stamp its time of day stands: "mercredi 20 novembre 2026 " is one of the longest. */
const FARTHEST = 64;
const EPOCH_DIGITS = 10;
/** More layers than anybody has seen around one message. */
const DEEPEST = 8;

/** Who is asked where a line begins. */
export interface Fronts {
  readonly layers: LayerReader;
  readonly origins: LayerReader;
  readonly stamps: StampReader;
  /** The words of `systemctl status`, which have no stamp. Null where none of them stands in the line. */
  readonly status: Matcher | null;
}

/**
 * Where further lines begin inside a line that has lost its line ends, as some chats and forms paste a log: where a stamp stands
 * together with what makes a line's front of it, a host and a program, a process and a level, uWSGI's dash. A stamp alone is
 * none: sentences hold them too. Nor is a front behind a colon or a quote, which is an envelope or somebody's quotation, unless it
 * is the line's own front once more.
 */
export function lineStarts(fronts: Fronts, buffer: Buffer, at: number, lineEnd: number): number[] {
  if (lineEnd - at < SHORTEST || lineEnd - at > LONGEST) return [];
  const {status} = fronts;
  const isStatus = status !== null && status.prefix(at) >= 0;
  const starts: number[] = [];
  let own: string | null = null;
  let done = -1;
  let clock = -1;
  for (let next = at + LEAST_MESSAGE; next < lineEnd; next++) {
    if (!mayBegin(buffer, next)) continue;
    if (clock < next) clock = clockFrom(buffer, next, lineEnd);
    if (clock > next + FARTHEST && !isStatus && !isCounted(buffer, next)) continue;
    if (done < 0) done = contentOf(fronts, at);
    if (next < done + LEAST_MESSAGE) continue;
    const end = isStatus && status.prefix(next) >= 0 ? next : frontEnd(fronts, buffer, next);
    if (end < 0) continue;
    own ??= shapeOf(buffer, at, frontEnd(fronts, buffer, at));
    if (isOpened(buffer, next) && shapeOf(buffer, next, end) !== own) continue;
    starts.push(next);
    done = end;
    next = done + LEAST_MESSAGE;
  }
  return starts;
}

/**
 * The front of a line that tells who wrote it; empty where it has none. What begins behind it with a front that names nobody is
 * inside it: a message behind output without a line end.
 */
export function namedFront(fronts: Fronts, buffer: Buffer, at: number): string {
  const stamp = stampFrom(fronts, at);
  return namesWriter(fronts, stamp) ? buffer.toString('latin1', at, frontEnd(fronts, buffer, stamp)) : '';
}

/** Whether the front that begins here names a host, or a program and its process. */
export function namesWriter({layers, origins, stamps}: Fronts, at: number): boolean {
  const layer = layers.prefix(at);
  if (layer < 0 || !stamps.has(layer)) return false;
  if (layers.text(layer, 'host') !== null) return true;
  const origin = origins.prefix(layers.matcher.end());
  if (origin < 0 || origins.text(origin, 'host') === null) return false;
  return origins.text(origin, 'processId') !== null || origins.text(origin, 'ident') !== null;
}

/** Where the stamp of a front stands: a priority, or what a tool wrote, may come before it. */
function stampFrom({layers, stamps}: Fronts, at: number): number {
  let from = at;
  for (let depth = 0; depth < DEEPEST; depth++) {
    const layer = layers.prefix(from);
    if (layer < 0 || stamps.has(layer)) break;
    from = layers.matcher.end();
  }
  return from;
}

/** Where what stands around the first message ends. */
export function contentOf({layers, origins, stamps}: Omit<Fronts, 'status'>, at: number): number {
  let body = at;
  let isBehindStamp = false;
  for (let depth = 0; depth < DEEPEST; depth++) {
    const layer = layers.prefix(body);
    const isOrigin: boolean =
      isBehindStamp && (layer < 0 || layers.matcher.messages[layer] === 'tag') && origins.prefix(body) >= 0;
    if (layer < 0 && !isOrigin) break;
    isBehindStamp = !isOrigin && stamps.has(layer);
    body = isOrigin ? origins.matcher.end() : layers.matcher.end();
  }
  return body;
}

/** Where the next minutes of a time of day stand; infinite where none do. */
function clockFrom(buffer: Buffer, from: number, lineEnd: number): number {
  for (let at = from; at < lineEnd; at++)
    if (buffer[at] === COLON && isDigit(buffer[at - 1]) && isDigit(buffer[at + 1]) && isDigit(buffer[at + 2])) return at;
  return Number.POSITIVE_INFINITY;
}

/** The beginning of a stamp without a time of day: so many seconds since 1970, or since the machine was started. */
function isCounted(buffer: Buffer, at: number): boolean {
  if (buffer[at] === BRACKET) return buffer[at + 1] === BLANK || isDigit(buffer[at + 1]);
  let end = at;
  while (isDigit(buffer[end])) end++;
  return end - at >= EPOCH_DIGITS;
}

/** Where the front of a line that begins here ends; -1 where none begins. */
function frontEnd(fronts: Fronts, buffer: Buffer, at: number): number {
  const {layers, origins, stamps} = fronts;
  const layer = layers.prefix(at);
  if (layer < 0 || !stamps.has(layer)) return -1;
  const end = layers.matcher.end();
  // Docker Desktop: the container's own front follows.
  if (buffer[end - 2] === BAR) return frontEnd(fronts, buffer, end);
  if (layers.matcher.messages[layer] === 'leveled-time' || layers.text(layer, 'own') !== null) return end;
  // The syslog protocol: the host is in the same layer.
  if (layers.text(layer, 'host') !== null) return end;
  if (PROCESS.test(buffer.toString('latin1', end, end + 24))) return end;
  const origin = origins.prefix(end);
  if (origin < 0 || origins.text(origin, 'host') === null) return -1;
  return origins.text(origin, 'processId') === null && origins.text(origin, 'ident') === null ? -1 : origins.matcher.end();
}

/** gunicorn: `[123] [INFO] `, after the stamp. */
const PROCESS = /^\[\d+\] \[[A-Z]+\] /;

/** The front without its numbers. */
function shapeOf(buffer: Buffer, at: number, end: number): string {
  return end < 0 ? '' : buffer.toString('latin1', at, end).replace(/\d+/g, '0');
}

/** Behind a blank, and behind what ends a message. */
function mayBegin(buffer: Buffer, at: number): boolean {
  const byte = buffer[at] as number;
  const isFirst = isDigit(byte) || (byte >= 0x41 && byte <= 0x5a) || byte === BRACKET || byte === BOX;
  return isFirst && BEFORE[buffer[at - 1] as number] === 1;
}

/** What stands before announces it. */
function isOpened(buffer: Buffer, at: number): boolean {
  let before = at - 1;
  while (buffer[before] === BLANK) before--;
  return OPENING[buffer[before] as number] === 1;
}

const COLON = 0x3a;
const BAR = 0x7c;
/** The first byte of a line of the tree of processes. */
const BOX = 0xe2;
const BEFORE = byteTable(' .)!]');
const OPENING = byteTable(':"\'`([{<=,|>');
