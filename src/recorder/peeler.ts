import {GoogleYaml, JournalExport, JournalVerbose, jsonOf} from '../envelope/gathering.ts';
import {layerName} from '../envelope/names.ts';
import {Wrapping} from '../envelope/wrapping.ts';
import {supervisord} from '../formats/supervisord.ts';
import {OWN_DATE} from '../timeline/event.ts';
import type {Layer, Spoken} from './current-input.ts';
import type {Keeper} from './keeper.ts';
import type {LineKind} from './line-kind.ts';
import type {LineReader} from './line-reader.ts';
import {markOf} from './own-prefix.ts';
import {BRACE, DEEPEST_TEXT, isBlank, LF} from './text.ts';

export interface Unwrapped {
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

/** More layers than anybody has seen around one message. */
const DEEPEST_ENVELOPE = 8;
/** Layers that may tell the process that wrote the line. */
const TELLING_WRITER: ReadonlySet<string> = new Set(['syslog', 'rfc5424']);
/** rsyslog writes control characters as `#` and three octal digits. */
const SYSLOG_ESCAPE = /#([0-3][0-7]{2})/g;

/** Peels what stands around a message: one layer of an envelope after another. */
export class Peeler {
  private readonly lines: LineReader;
  private readonly keeper: Keeper;

  constructor(lines: LineReader) {
    this.lines = lines;
    this.keeper = lines.keeper;
  }

  /** Peels what stands around the message, one layer after another. */
  unwrap(buffer: Buffer, at: number, lineEnd: number, spoken: Spoken, outer: Wrapping, depth: number): Unwrapped {
    const {layers: envelope, origins} = this.lines;
    const {current, stamps} = this.keeper;
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
      let layer = envelope.prefix(body);
      if (isBehindStamp && (layer < 0 || envelope.matcher.messages[layer] === 'tag')) {
        layers = origins;
        layer = origins.prefix(body);
      }
      if (layer < 0) {
        const behind = current.ownPrefix.end(buffer, body);
        if (behind < 0) break;
        const mark = markOf(buffer, body, behind);
        wrapping = wrapping.inside(null, []);
        wrapping.isTimed = true;
        wrapping.mark = `${wrapping.mark ?? ''}${mark}`;
        isDated = true;
        body = behind;
        if (isBlank(buffer, body, lineEnd)) return {kind: 'noise', isDated, isRecord, body, wrapping};
        kind = this.lines.takeBy(this.lines.supervisors, spoken.by, body, wrapping);
        break;
      }
      const name = layers.matcher.messages[layer] as string;
      const layerEnd = layers.matcher.end();
      const origin = layers.origin(layer);
      const isLogger = isLoggers(name);
      const isOwn = layers === envelope && (isLogger || envelope.text(layer, 'own') !== null);
      if (!isOwn && !this.lines.mayPeel(name)) break;
      if (route.length === 0 && current.carried !== null && this.endsOutput(name, layerEnd)) {
        this.keeper.carry(null);
        wrapping = Wrapping.none;
      }
      wrapping =
        layers === origins && isBehindStamp && wrapping.names.length > outer.names.length
          ? wrapping.renamed(name, origin)
          : wrapping.inside(isOwn ? null : layerName(name), origin);
      if (TELLING_WRITER.has(name)) wrapping.writer = pidOf(layers.text(layer, 'processId'));
      route.push({layers, layer});
      const isStamped = layers === envelope && stamps.has(layer);
      if (isStamped && !(isLogger && spoken.by === 0 && this.lines.isTimeless(outer))) this.keeper.stamp(wrapping, layer, isOwn);
      if (isOwn && !isLogger) wrapping.mark = OWN_DATE;
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
        const structured = this.lines.recordLines.structured(buffer, body, lineEnd, wrapping, depth);
        if (structured !== null) return {kind: structured, isDated, isRecord, body, wrapping};
        this.lines.bind(buffer);
      }
      const taken = this.lines.said(buffer, body, lineEnd, spoken, wrapping, depth, false);
      if (taken === null) continue;
      this.lines.bind(buffer);
      kind = taken;
      if (taken === 'unknown') continue;
      if (depth === 0 && (taken === 'requests' || taken === 'events')) {
        if (!isSame(current.route, route)) current.route = route;
        current.routeNames = wrapping.names.slice(outer.names.length);
      }
      return {kind, isDated, isRecord, body, wrapping};
    }
    if (route.length > 0 && spoken.by !== 0 && depth < DEEPEST_TEXT && hasSyslogEscape(buffer, body, lineEnd)) {
      const text = buffer.toString('latin1', body, lineEnd);
      const unescaped = text.replace(SYSLOG_ESCAPE, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
      if (unescaped !== text) kind = this.lines.inner(Buffer.from(unescaped, 'latin1'), wrapping, depth);
      this.lines.bind(buffer);
    }
    return {kind: kind === 'application' ? null : kind, isDated, isRecord, body, wrapping};
  }

  /** The output of supervisord's child ends where supervisord has the word again; a child's logger may date its lines alike. */
  private endsOutput(layer: string, behind: number): boolean {
    if (layer === 'supervisord-child') return true;
    if (layer !== 'leveled-time') return false;
    return this.lines.supervisors.some(({format, matcher}) => format === supervisord && matcher.match(behind) >= 0);
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
    const {current} = this.keeper;
    const {layers} = this.lines;
    switch (name) {
      case 'boot-mark':
        current.boot = layers.text(layer, 'boot') ?? `${current.boot ?? ''}+`;
        this.keeper.forgetWriters();
        return 'noise';
      case 'supervisord-child':
        this.keeper.carry({wrapping, isOnce: false});
        return 'noise';
      case 'time':
        if (layers.text(layer, 'alone') === null) return null;
        this.keeper.carry({wrapping, isOnce: true});
        return 'noise';
      case 'journal-verbose':
        if (depth === 0) this.lines.recordLines.beginGathering(new JournalVerbose(wrapping.time), buffer.subarray(body, lineEnd));
        return 'noise';
      case 'journal-export':
        if (depth === 0)
          this.lines.recordLines.beginGathering(new JournalExport(), buffer.subarray(this.lineStart(buffer, body), lineEnd));
        return 'noise';
      case 'google-yaml':
        if (depth === 0)
          this.lines.recordLines.beginGathering(new GoogleYaml(), buffer.subarray(this.lineStart(buffer, body), lineEnd));
        return 'noise';
      case 'blob':
        this.keeper.note('messages that journalctl shows as "blob data" (use -a)');
        return 'noise';
      case 'cri':
        return this.lines.recordLines.joinParts(
          `cri ${wrapping.origin.join('/')} ${layers.text(layer, 'stream')}`,
          layers.text(layer, 'partial') !== null,
          () => buffer.subarray(body, lineEnd),
          wrapping,
          depth,
        );
      case 'repeated': {
        wrapping.repeated = Number(layers.text(layer, 'times'));
        const text = buffer.toString('latin1', body, lineEnd).replace(/\]\s*$/, '');
        return this.lines.inner(Buffer.from(text, 'latin1'), wrapping, depth);
      }
      case 'frame': {
        const text = buffer.toString('latin1', body, lineEnd);
        const cells = withoutFrame(text);
        return cells === text ? null : this.lines.inner(Buffer.from(cells, 'latin1'), wrapping, depth);
      }
      case 'tool-mark': {
        const file = layers.text(layer, 'file');
        if (file !== null) this.keeper.carry({wrapping: Wrapping.none.inside(null, [file]), isOnce: false});
        return 'noise';
      }
      case 'logfmt':
      case 'fluent-bit': {
        const [text] = /^(?:[^"\\]|\\.)*/.exec(buffer.toString('utf8', body, lineEnd)) ?? [''];
        const value = jsonOf(`"${text}"`);
        return typeof value === 'string' ? this.lines.inner(value, wrapping, depth) : null;
      }
      default:
        return null;
    }
  }

  private lineStart(buffer: Buffer, at: number): number {
    return at === 0 ? 0 : buffer.lastIndexOf(LF, at - 1) + 1;
  }
}

function pidOf(text: string | null): number | null {
  return text !== null && /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null;
}

/** The cells of a row without what closes it, and without the marks that its text needs inside a table. */
function withoutFrame(row: string): string {
  const open = row.replace(/\s*(?:\||\xe2\x94[\x82\x83])+\s*$/, '');
  return open.replaceAll('\\|', '|').replace(/(^|[|] *)`([^`]*)`(?=\s*$)/, '$1$2');
}

function hasSyslogEscape(buffer: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (buffer[at] === 0x23 && buffer[at + 1] === 0x30) return true;
  return false;
}

function isSame(a: readonly Layer[], b: readonly Layer[]): boolean {
  return a.length === b.length && a.every(({layers, layer}, n) => b[n]?.layers === layers && b[n]?.layer === layer);
}

/** Layers that loggers of applications write, too. */
export function isLoggers(layer: string | undefined): boolean {
  return layer === 'asctime' || layer === 'leveled-time';
}
