import {DockerRecords} from '../envelope/docker.ts';
import {LAST_HEADING, type LineReader} from './line-reader.ts';
import type {Reader} from './reader.ts';
import {FACTS, FROM} from './request-facts.ts';
import {mostRequests, type RequestSweep} from './request-sweep.ts';
import type {RequestLedger} from './requests.ts';
import type {Writer} from './writer.ts';

const NAMES = ['docker-json'];

/** Finds request lines in records of dockerd, many at once: a shortcut to what {@link RecordLines} makes of each. */
export class DockerRequests {
  private readonly lines: LineReader;
  private readonly sweep: RequestSweep;
  private readonly records: DockerRecords;
  private readonly facts: Float64Array;
  /** The bytes that were read, up to `reached`. */
  private buffer: Buffer | null = null;
  private reached = 0;
  /** The record that comes next, and where the facts stand of the request line that comes next. */
  private record = 0;
  private fact = 0;
  private factsEnd = 0;

  constructor(lines: LineReader, sweep: RequestSweep) {
    this.lines = lines;
    this.sweep = sweep;
    this.records = new DockerRecords(sweep.chunk);
    this.facts = new Float64Array(FACTS * mostRequests(sweep.chunk));
  }

  /** Other bytes come in the place of those that were read. */
  forget(): void {
    this.buffer = null;
  }

  /**
   * Takes the request lines in records from `at` on, as long as one follows the other, and gives where the first line begins that is
   * something else. The line at `at` has been counted.
   */
  take(buffer: Buffer, at: number, end: number): number {
    const {records} = this;
    if (!this.isPlain()) return at;
    if (buffer !== this.buffer || at >= this.reached) this.read(buffer, at, end);
    while (this.record < records.count && (records.begins[this.record] as number) < at) this.record++;
    if (this.record === records.count || records.begins[this.record] !== at || !this.isRequest()) return at;
    const {keeper, bound} = this.lines;
    const {ledger} = keeper.readers[0] as Reader;
    if (ledger === null) return at;
    const writer = keeper.writerOf([], NAMES);
    ledger.release();
    ledger.bind(records.texts);
    for (let count = 0; this.record < records.count && this.isRequest(); count++) {
      if (count > 0) keeper.current.line++;
      this.takeOne(ledger, writer);
    }
    ledger.release();
    ledger.bind(bound ?? buffer);
    return (records.ends[this.record - 1] as number) + 1;
  }

  /** Nothing is under way by which a record would be anything but itself. */
  private isPlain(): boolean {
    const {keeper} = this.lines;
    const {hasWholeDockerLines, isLearning, carried, gathering, table, rest, held, hasEndMarks, line} = keeper.current;
    return (
      hasWholeDockerLines &&
      !isLearning &&
      carried === null &&
      gathering === null &&
      table === null &&
      rest === null &&
      held.size === 0 &&
      !hasEndMarks &&
      line > LAST_HEADING &&
      this.lines.mayPeel('docker-json')
    );
  }

  private read(buffer: Buffer, at: number, end: number): void {
    const {records, sweep, facts} = this;
    records.read(buffer, at, end);
    this.buffer = buffer;
    this.reached = records.count === 0 ? at : (records.ends[records.count - 1] as number) + 1;
    this.record = 0;
    this.fact = 0;
    this.factsEnd = FACTS * (records.count === 0 ? 0 : sweep.lines(records.texts, 0, records.end, 0, facts, 0));
  }

  /** Whether the next record holds the next request line. */
  private isRequest(): boolean {
    const {facts, factsEnd} = this;
    const begin = this.records.textBegins[this.record] as number;
    while (this.fact < factsEnd && (facts[this.fact + FROM] as number) < begin) this.fact += FACTS;
    return this.fact < factsEnd && facts[this.fact + FROM] === begin;
  }

  /** What {@link LineReader.rareLine} does with such a line. */
  private takeOne(ledger: RequestLedger, writer: Writer): void {
    const {keeper, broken} = this.lines;
    const {records, record, facts} = this;
    const {current, events} = keeper;
    const {clock} = current;
    if (ledger.served > current.servedSeen) {
      clock.atRequest(ledger.writtenFrom, ledger.writtenTo);
      current.servedSeen = ledger.served;
    }
    current.isBehindRequest = current.requests > current.requestsBefore;
    current.requestsBefore = current.requests;
    current.partsOf = current.line;
    current.part = 0;
    keeper.nextPart();
    this.fact = ledger.addRun(
      writer,
      events.length,
      current.index,
      current.line + current.part,
      facts,
      this.fact,
      this.fact + FACTS,
      0,
    );
    if (clock.isAwaitingRequest) clock.atRequest(ledger.writtenFrom, ledger.writtenTo);
    (keeper.readers[0] as Reader).lines++;
    broken.whole((records.ends[record] as number) - (records.begins[record] as number));
    current.requests++;
    current.lastKind = 'requests';
    this.record++;
  }
}
