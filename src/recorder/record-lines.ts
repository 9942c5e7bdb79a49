import {type Gathering, jsonOf, objectsIn, PrettyJson} from '../envelope/gathering.ts';
import {type EnvelopeRecord, recordOfKey, recordsOf} from '../envelope/record.ts';
import {Wrapping} from '../envelope/wrapping.ts';
import {HEADROOM} from '../grammar/matcher.ts';
import type {CurrentInput} from './current-input.ts';
import type {Keeper} from './keeper.ts';
import {type LineKind, moreTelling, recount} from './line-kind.ts';
import type {LineReader} from './line-reader.ts';
import {isWeak, type Reader} from './reader.ts';
import {BRACE, BRACKET, DEEPEST_TEXT} from './text.ts';

/** Parts of one line beyond this are not joined. */
const LONGEST_JOINED = 1024 * 1024;
/** A line that only opens an object, with its indentation. */
const LONGEST_OPENING = 64;
/** dockerd cuts lines at this length. */
const DOCKER_PART = 16 * 1024;
/** Lines that uWSGI writes before its encoder is there; with more of them standing bare, JSON is the application's. */
const MOST_BEFORE_ENCODER = 5;

/** The field of uWSGI's JSON that is the line. */
const ENCODED_LINE = /"([^"\\]+)":\s*"\$\{msg(?:nl)?\}"/;

/** Lines that are records: JSON, records of several lines, and parts of a line that come one by one. */
export class RecordLines {
  private readonly lines: LineReader;
  private readonly keeper: Keeper;

  constructor(lines: LineReader) {
    this.lines = lines;
    this.keeper = lines.keeper;
  }

  /** A line that is JSON: what its records hold. Null where it is no record of a line. */
  structured(buffer: Buffer, at: number, lineEnd: number, outer: Wrapping, depth: number): LineKind | null {
    if (depth >= DEEPEST_TEXT) return null;
    if (depth === 0 && lineEnd - at < LONGEST_OPENING && PrettyJson.begins(buffer.subarray(at, lineEnd))) {
      this.beginGathering(new PrettyJson(), buffer.subarray(at, lineEnd), outer);
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
    if (depth === 0) this.keeper.current.isStructured = true;
    return this.takeRecords(records, outer, depth);
  }

  private mayTake(records: readonly EnvelopeRecord[]): readonly EnvelopeRecord[] {
    return this.lines.choice === null ? records : records.filter(({name}) => this.lines.mayPeel(name));
  }

  /** A `log-encoder` of uWSGI may call its text anything: the first words that only uWSGI writes tell the key for all lines. */
  private recordsIn(value: unknown): readonly EnvelopeRecord[] {
    const records = recordsOf(value);
    if (records.length > 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return records;
    const {current} = this.keeper;
    const {ownText} = current;
    if (!ownText?.isTold && current.bare > MOST_BEFORE_ENCODER + (ownText?.taken ?? 0)) return [];
    const fields = value as Readonly<Record<string, unknown>>;
    if (current.ownText === null) {
      const [key, ...others] = Object.keys(fields).filter((name) => this.isSpoken(fields[name]));
      if (key === undefined || others.length > 0) return [];
      current.ownText = {key, taken: 0, isTold: false};
    }
    if (typeof fields[current.ownText.key] !== 'string') return [];
    current.ownText.taken++;
    return [recordOfKey(fields, current.ownText.key)];
  }

  /** A server has said what its lines will be, as `log-encoder` has it: other servers may write into the same log without it. */
  learnEncoder(template: string): void {
    const key = ENCODED_LINE.exec(template)?.[1];
    if (key !== undefined) this.keeper.current.ownText = {key, taken: 0, isTold: true};
  }

  private isSpoken(text: unknown): boolean {
    if (typeof text !== 'string' || text === '') return false;
    const main = this.keeper.readers[0] as Reader;
    const line = Buffer.from(`${text.trimEnd()}\n`);
    if ((this.lines.vocabulary.speakers(line, 0, line.length - 1) & main.bit) === 0) return false;
    this.lines.bind(Buffer.concat([line, Buffer.alloc(HEADROOM)]));
    const message = main.matcher.match(0);
    return message >= 0 && !isWeak(main.meanings[message]);
  }

  /** Objects one behind the other, without line ends; the last of them may go on in the next piece of a line that is cut. */
  objects(bytes: Buffer, outer: Wrapping, depth: number): LineKind | null {
    const {values, end} = objectsIn(bytes);
    const records = this.mayTake(values.flatMap((value) => this.recordsIn(value)));
    if (records.length === 0) return null;
    const rest = end < bytes.length && bytes.length - end < LONGEST_JOINED ? Buffer.from(bytes.subarray(end)) : null;
    // Text that lost the line end in front of it, unless the line is a piece of a longer one.
    const isText = rest !== null && (depth > 0 || (rest[0] !== BRACE && bytes.length < LONGEST_JOINED));
    if (depth === 0) this.keeper.current.rest = isText || rest === null ? null : {bytes: rest, isText: false};
    const kind = this.takeRecords(records, outer, depth);
    return isText ? moreTelling(kind, this.lines.inner(rest, outer, depth + 1)) : kind;
  }

  takeRecords(records: readonly EnvelopeRecord[], outer: Wrapping, depth: number): LineKind {
    const {current} = this.keeper;
    const {line} = current;
    let best: LineKind = 'noise';
    for (const record of records) {
      const {text} = record;
      current.line = line + (record.linesBefore ?? 0);
      if (text === null) {
        this.keeper.note('messages that the journal left out (use -a)');
        continue;
      }
      const isDocker = record.name === 'docker-json' && typeof text === 'string';
      current.hasWholeDockerLines ||= isDocker && text.endsWith('\n');
      const isPartial = record.isPartial && (!isDocker || current.hasWholeDockerLines || text.length >= DOCKER_PART);
      const wrapping = outer.around(record);
      const kind =
        this.joinParts(`${record.name} ${record.origin.join('/')}`, isPartial, () => text, wrapping, depth) ??
        this.lines.inner(text, wrapping, depth);
      best = moreTelling(kind, best);
    }
    current.line = line;
    return best;
  }

  /** A part of a line is held until its last part comes. Null where there is nothing to join. */
  joinParts(key: string, isPartial: boolean, text: () => string | Buffer, wrapping: Wrapping, depth: number): LineKind | null {
    const {held} = this.keeper.current;
    const before = held.get(key);
    if (!isPartial && before === undefined) return null;
    const part = Buffer.from(text() as string);
    const parts = before?.parts ?? [];
    parts.push(part);
    const length = (before?.length ?? 0) + part.length;
    if (isPartial && length < LONGEST_JOINED) {
      held.set(key, {parts, length, wrapping: before?.wrapping ?? wrapping, input: this.keeper.current});
      return 'noise';
    }
    held.delete(key);
    return this.lines.inner(Buffer.concat(parts), wrapping, depth);
  }

  /** The input has ended: parts whose last one is missing are all there is. */
  releaseHeld(): void {
    const {current} = this.keeper;
    for (const {parts, wrapping, input} of current.held.values())
      recount(input, 'noise', this.lines.inner(Buffer.concat(parts), wrapping, 0));
    current.held.clear();
  }

  /** A record of several lines begins; `wrapping`: what stands in front of its first line. */
  beginGathering(gathering: Gathering, line: Buffer, wrapping = Wrapping.none): void {
    const {current} = this.keeper;
    this.endGathering();
    gathering.add(line);
    current.gathering = {gathering, wrapping, line: current.line, parts: [current]};
  }

  /** Gives a line to the record of several lines that has begun; false where it is none of it. */
  gather(line: Buffer): boolean {
    const {current} = this.keeper;
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

  endGathering(): void {
    const {current} = this.keeper;
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
    const kind = this.takeRecords(records, gathering.wrapping, 0);
    current.line = line;
    recount(gathering.parts.at(-1) as CurrentInput, 'noise', kind);
  }

  /** What looked like a record of a line is something that the application printed. */
  private abandonGathering(parts: readonly CurrentInput[]): void {
    this.keeper.current.gathering = null;
    for (const input of parts) recount(input, 'noise', 'application');
  }
}
