import {hours, zoneBetween} from '../envelope/agreement.ts';
import {inYears} from '../envelope/calendar.ts';
import {ctimeOf} from '../envelope/ctime.ts';
import type {StampReader} from '../envelope/stamp.ts';
import {SteadyClock} from '../envelope/steady.ts';
import {Wrapping} from '../envelope/wrapping.ts';
import type {Zone} from '../envelope/zone.ts';
import {greatest, least} from '../extremes.ts';
import type {LineRef, LogEvent, RequestSegment} from '../timeline/event.ts';
import type {Recording} from '../timeline/recording.ts';
import {UNKNOWN_INSTANT} from '../timeline/time.ts';
import {type LineClock, loosenMoment, type Moment, moveMoment, turnMoment} from './clock.ts';
import {type CurrentInput, newInput, summaryOf} from './current-input.ts';
import type {Reader} from './reader.ts';
import type {RequestReader} from './request-facts.ts';
import type {RequestLedger} from './requests.ts';
import {Voices} from './voices.ts';
import type {Writer} from './writer.ts';

/** What a log does not tell of its clock. */
export interface ClockOptions {
  /** The zone of stamps that tell none. */
  readonly zone?: Zone | undefined;
  /** The year of the first stamp that tells none. */
  readonly year?: number | undefined;
}

/** What is added to the number of a line for each record that it holds. A binary fraction: sums stay exact. */
const PART = 2 ** -20;
const LAST_PART = 1 - PART;
const FOLD = 'summer time ends: an hour comes twice, and the order of the lines tells which of the two each belongs to';
const UNTOLD = 'summer time ends: an hour comes twice, and the log shows it once: its lines in that hour may be of either';
const NO_YEAR = 'the log tells no year';
const NO_DATE = 'the log tells times of day and no date';
const BACKWARDS = 'the newest line comes first: turned round';

/**
 * Keeps what the lines of the inputs say, with what they tell of the time: events, requests, voices, and how many lines of
 * each input were what.
 */
export class Keeper {
  current: CurrentInput = newInput({name: '', compression: 'none'}, 0, null);
  readonly inputs: CurrentInput[] = [];
  readonly readers: readonly Reader[];
  readonly ledgers: readonly RequestLedger[];
  /** Events that have been taken away: {@link takeEvents}. */
  private taken = 0;
  readonly events: {
    readonly event: LogEvent & {at: LogEvent['at']};
    readonly moment: Moment;
    readonly clock: LineClock;
  }[] = [];
  readonly voices = new Voices();
  readonly stamps: StampReader;
  private readonly zone: Zone | null;
  readonly year: number | null;
  isTrying = false;
  /** How often something was kept, or learnt, of a line. */
  changes = 0;
  /** What had been kept when the log that is being read began. */
  private logStart: {events: number; served: number; segments: readonly number[]} = {events: 0, served: 0, segments: []};

  constructor(readers: readonly Reader[], stamps: StampReader, {zone, year}: ClockOptions) {
    this.readers = readers;
    this.ledgers = readers.flatMap(({ledger}) => ledger ?? []);
    this.stamps = stamps;
    this.zone = zone ?? null;
    this.year = year ?? null;
  }

  /** Lines of `input` follow. */
  goOn(input: CurrentInput): void {
    this.current = input;
    this.inputs.push(input);
    for (const ledger of this.ledgers) ledger.placesBefore.push(input.placesBefore);
  }

  /** What follows does not go on from what was read before. */
  newLog(first: CurrentInput): CurrentInput {
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
  endLog(): void {
    const {current, readers, ledgers} = this;
    const {clock} = current;
    if (current.calendar.isGuessing) this.noteOf(NO_YEAR);
    if (current.calendar.isCounting) {
      if (current.requests > 0 || clock.wavers) this.forgetTimes(current);
      else this.noteOf(NO_DATE);
    }
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
  hear(): void {
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

  /** The time that stands around a message, on the clock of the log. */
  timeOf(wrapping: Wrapping): number | null {
    const {time} = wrapping;
    if (time === null || this.zone === null) return time;
    return wrapping.isUtc ? this.fromUtc(time) : this.put(time);
  }

  /** An instant on the clock of the log. */
  fromUtc(time: number): number {
    return this.zone?.fromUtc(time) ?? time;
  }

  /** A stamp of the clock on the wall on the clock of the log. Without a year nobody knows on which side of a change it is. */
  put(wall: number): number {
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
  recognised({names}: Pick<Wrapping, 'names'>): void {
    const {current} = this;
    if (names.length === 0) current.bare++;
    for (const [depth, name] of names.entries())
      current.envelopes.set(name, Math.min(depth, current.envelopes.get(name) ?? depth));
  }

  push(said: Pick<LogEvent, 'message' | 'meaning' | 'fields' | 'text'>, wrapping: Wrapping, time: number | null): void {
    const {current} = this;
    this.changes++;
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
        writer: wrapping.writer,
        mark: wrapping.mark,
        // Told when all lines are read.
        at: UNKNOWN_INSTANT,
      },
      moment: current.clock.moment(time, this.told(said)),
      clock: current.clock,
    });
  }

  /** The date in a message, on the clock of the log. */
  private told({meaning: {timeIn}, fields}: Pick<LogEvent, 'meaning' | 'fields'>): number | null {
    const text = timeIn === undefined ? undefined : fields[timeIn];
    const told = text === undefined ? null : ctimeOf(String(text));
    return told === null ? null : this.put(told);
  }

  /** The stamp of the layer that was just matched, onto the clock of the input. */
  stamp(wrapping: Wrapping, layer: number, isOwn: boolean): void {
    const {stamps, current, readers} = this;
    wrapping.isTimed = true;
    const {calendar} = current;
    const ledger = readers[0]?.ledger;
    if (!calendar.knows && current.requests > 0 && ledger !== undefined && ledger !== null)
      this.learnYear(ledger.writtenFrom, wrapping);
    const time = stamps.read(layer);
    if (time === null) return;
    if (stamps.isFull) this.learnYear(time, wrapping);
    else if (stamps.isDated) this.meetDate(wrapping);
    // What stands inside another stamp is compared with that one.
    if (wrapping.time === null && this.zone === null && stamps.isFull && current.requests === 0) this.learnToldZone(time);
    if (wrapping.time === null && !stamps.isUtc && current.toldZone.isKnown)
      wrapping.stamp(current.toldZone.toUtc(time), true, isOwn);
    else wrapping.stamp(time, stamps.isUtc, isOwn);
    if (wrapping.shift !== null && wrapping.shift !== 0)
      this.noteOnce(`the supervisor's clock is ${hours(-wrapping.shift)} off the envelope's`);
  }

  /** Some stamps of a log tell their zone, and others may be of the same. */
  private learnToldZone(time: number): void {
    const {toldZone, clock} = this.current;
    if (!toldZone.meet(time, this.stamps.ahead)) return;
    for (const {ledger, requests} of this.readers) if (ledger && requests?.facts.isUtc !== true) ledger.shift = toldZone.toUtc(0);
    if (this.stamps.ahead === null) return;
    this.moveAll(clock, (known) => (known === null ? null : toldZone.toUtc(known)));
    for (const input of this.inputs) if (input.clock === clock) [input.hasUtc, input.hasLocal] = [true, false];
  }

  /** A full date of this input: stamps without a year that were read before are moved into theirs. */
  learnYear(time: number, wrapping: Wrapping): void {
    const {current, stamps} = this;
    this.meetDate(wrapping);
    if (!Number.isFinite(time)) return;
    if (current.calendar.knows) {
      const moved = current.calendar.meet(time, wrapping.time);
      if (moved !== 0) wrapping.moveYears(moved, time);
      return;
    }
    const years = current.calendar.learn(time);
    if (years === 0) return;
    stamps.forget();
    wrapping.moveYears(years, time);
    current.carried?.wrapping.moveYears(years, time);
    this.moveYears(current.clock, years, time);
  }

  /** A date, after times of day whose day nobody knows. */
  private meetDate(wrapping: Wrapping): void {
    const {current} = this;
    if (!current.calendar.stopCounting()) return;
    wrapping.forgetTime();
    current.carried?.wrapping.forgetTime();
    this.forgetTimes(current);
  }

  /** All stamps of the log that `input` is of. */
  private forgetTimes({clock}: CurrentInput): void {
    clock.forgetStamps();
    for (const event of this.events) if (event.clock === clock) moveMoment(event.moment, () => null);
    for (const input of this.inputs) {
      if (input.clock !== clock) continue;
      input.from = null;
      input.to = null;
      input.hasLocal = false;
    }
  }

  /**
   * A log that tells no year is of the time of those that were read with it, where one of them does. One that tells
   * times of day alone cannot be compared with another.
   */
  agreeOnYears(): void {
    const clocks = new Set(this.inputs.map(({clock}) => clock));
    if (clocks.size > 1) for (const input of this.inputs) if (input.calendar.isCounting) this.forgetTimes(input);
    const told = this.inputs.flatMap(({calendar, to}) => (calendar.knows && to !== null ? [to] : []));
    if (told.length === 0) return;
    const time = greatest(told);
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
    this.moveAll(clock, moved);
  }

  private moveAll(clock: LineClock, moved: (known: number | null) => number | null): void {
    clock.move(moved);
    for (const event of this.events) if (event.clock === clock) moveMoment(event.moment, moved);
    for (const input of this.inputs) {
      if (input.clock !== clock) continue;
      input.from = moved(input.from);
      input.to = moved(input.to);
    }
  }

  /** How far the clock of request lines is from that of the envelope around them. Asked once per region of the input. */
  learnShift(ledger: RequestLedger, facts: RequestReader, wrapping: Wrapping): void {
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

  /** The next lines, or the next one, stand inside something that a line before them said. */
  carry(carried: CurrentInput['carried']): void {
    this.current.carried = carried;
    this.changes++;
    this.forgetWriters();
  }

  forgetWriters(): void {
    this.current.bareWriter = null;
    this.current.front.forget();
  }

  bareWriter(): Writer {
    const {current} = this;
    const {origin, names} = current.carried?.wrapping ?? Wrapping.none;
    current.bareWriter = this.writerOf(origin, names);
    return current.bareWriter;
  }

  writerOf(origin: readonly string[], names: readonly string[]): Writer {
    return this.current.writers.of(origin, this.current.boot, names);
  }

  /** The line that is being read. */
  here(): Pick<LineRef, 'input' | 'line' | 'place'> {
    const {index, line, part, placesBefore} = this.current;
    return {input: index, line, place: placesBefore + line + part};
  }

  /** What a line holds comes in an order too, and before the next line. */
  nextPart(): void {
    const {current} = this;
    if (current.part < LAST_PART) current.part += PART;
  }

  /** Something about the input as a whole. */
  private noteOf(what: string): void {
    this.current.oddities.set(what, {what, count: 1, firstLine: 1});
  }

  noteOnce(what: string, line?: number): void {
    if (!this.current.oddities.has(what)) this.note(what, line);
  }

  note(what: string, line = this.current.line): void {
    if (this.isTrying) return;
    this.changes++;
    const {oddities} = this.current;
    const known = oddities.get(what);
    oddities.set(what, known === undefined ? {what, count: 1, firstLine: line} : {...known, count: known.count + 1});
  }

  /** Events so far. */
  get eventCount(): number {
    return this.taken + this.events.length;
  }

  /** The events with their times, once all lines are read. What was known of the time of each takes as much memory again, and is let go. */
  takeEvents(): LogEvent[] {
    this.taken += this.events.length;
    return this.events.splice(0).map(({event, moment, clock}) => {
      event.at = clock.instant(moment);
      return event;
    });
  }

  recording(events: readonly LogEvent[], segments: readonly RequestSegment[]): Recording {
    const formats = this.readers.map(({format}) => format);
    const times = this.inputs.flatMap(({from, to}) => (from === null || to === null ? [] : [from, to]));
    return {
      inputs: this.inputs.map((input) => summaryOf(input, this.zone, formats)),
      events,
      segments: segments.map((segment) => onStamps(segment, this.inputs[segment.first.input]?.clock.requestsAhead ?? 0)),
      voices: this.voices.all(),
      doubled: [],
      shared: [],
      clockSteps: times.length === 0 ? [] : (this.zone?.steps(least(times), greatest(times)) ?? []),
    };
  }
}

/** Request lines whose clock is so much ahead of that of the stamps. */
function onStamps(segment: RequestSegment, ahead: number): RequestSegment {
  if (ahead === 0) return segment;
  const {firstStart, lastStart, lastEnd} = segment;
  return {...segment, firstStart: firstStart - ahead, lastStart: lastStart - ahead, lastEnd: lastEnd - ahead};
}
