import {exactly, type Instant, UNKNOWN_INSTANT} from '../timeline/time.ts';

/** Lines of one second may be swapped, and a request line is a little later than its own arithmetic says. */
const TOLERANCE_MS = 2000;
const LEAST_STEPS_BACK = 2;
/** Stamps are whole seconds: a request line was written within so many milliseconds after start + duration. */
export const WRITTEN_WITHIN_MS = 999;

/** What one line knows of its time: when it was written is bounded by the lines with a time around it. */
export interface Moment {
  /** The line's own stamp. */
  readonly own: number | null;
  /** Stamped lines before and after it. */
  readonly stampBefore: number | null;
  stampAfter: number | null;
  /** Request lines before and after it: when they were written follows from start and duration. */
  readonly requestBefore: number | null;
  requestAfter: number | null;
}

/**
 * Bounds the times of lines without a stamp by the lines around them. Lines are appended to one file in the
 * order of their writing, so what stands between two times happened between them.
 *
 * Stamps of the supervisor and times of request lines are two clocks: an application that sets a time zone
 * moves the second one. Where they contradict each other, only the stamps are believed.
 */
export class LineClock {
  first: number | null = null;
  last: number | null = null;

  private stamp: number | null = null;
  private request: number | null = null;
  /** Whether the two clocks fit together when lines are read in their order, and when they are read from the last to the first. */
  private isSound = true;
  private isSoundBackwards = true;
  private readonly stampSteps = new Steps();
  private readonly requestSteps = new Steps();
  private awaitingStamp: Moment[] = [];
  private awaitingRequest: Moment[] = [];

  /** A line with a stamp, in milliseconds. */
  atStamp(time: number): void {
    for (const moment of this.awaitingStamp) moment.stampAfter = time;
    this.awaitingStamp = [];
    if (this.stamp !== null) this.stampSteps.add(time - this.stamp);
    if (this.request !== null) this.compare(time - this.request);
    this.stamp = time;
    this.see(time, time);
  }

  /** Times read so far turn out to be elsewhere (in another year). */
  move(moved: (time: number | null) => number | null): void {
    this.stamp = moved(this.stamp);
    this.first = moved(this.first);
    this.last = moved(this.last);
  }

  /** Whether the next request line's time is waited for, or has to be kept for what comes. */
  get isAwaitingRequest(): boolean {
    return this.awaitingRequest.length > 0;
  }

  /** A request line that was written between `from` and `to`. Only the first and the last between two moments matter. */
  atRequest(from: number, to: number): void {
    for (const moment of this.awaitingRequest) moment.requestAfter = to;
    this.awaitingRequest = [];
    if (this.stamp !== null) this.compare(to - this.stamp);
    if (this.request !== null) this.requestSteps.add(from - this.request);
    this.request = from;
    this.see(from, to);
  }

  /** A line whose time somebody will ask for. */
  moment(own: number | null): Moment {
    const moment: Moment = {own, stampBefore: this.stamp, stampAfter: null, requestBefore: this.request, requestAfter: null};
    if (own === null) {
      this.awaitingStamp.push(moment);
      this.awaitingRequest.push(moment);
    }
    return moment;
  }

  /** The bounds of a moment, once everything has been read. */
  instant(moment: Moment): Instant {
    if (moment.own !== null) return exactly(moment.own);
    const sound = this.isSound;
    const earliest = largest(moment.stampBefore, sound ? moment.requestBefore : null);
    const latest = smallest(moment.stampAfter, sound ? moment.requestAfter : null);
    if (earliest !== null && latest !== null && earliest > latest) {
      return earliest - latest <= TOLERANCE_MS ? {earliest: latest, latest: earliest} : UNKNOWN_INSTANT;
    }
    return {earliest: earliest === null ? null : wholeSecond(earliest), latest: latest === null ? null : wholeSecond(latest)};
  }

  /** The next part of a rotated log begins: {@link first} and {@link last} are those of a part. */
  beginPart(): void {
    this.first = null;
    this.last = null;
  }

  /** The newest line comes first. One step back alone may as well be a clock that was set. */
  get runsBackwards(): boolean {
    const {stampSteps, requestSteps} = this;
    const back = stampSteps.back + requestSteps.back;
    return back >= LEAST_STEPS_BACK && back > 4 * (stampSteps.forward + requestSteps.forward);
  }

  /** The lines turn out to be in the wrong order, and so were the moments: see {@link turnMoment}. */
  turnRound(): void {
    this.isSound = this.isSoundBackwards;
  }

  private compare(step: number): void {
    if (step < -TOLERANCE_MS) this.isSound = false;
    if (step > TOLERANCE_MS) this.isSoundBackwards = false;
  }

  private see(from: number, to: number): void {
    if (this.first === null || from < this.first) this.first = wholeSecond(from);
    if (this.last === null || to > this.last) this.last = wholeSecond(to);
  }
}

/** How often the times of lines go in which direction. */
class Steps {
  forward = 0;
  back = 0;

  add(milliseconds: number): void {
    if (milliseconds > 0) this.forward++;
    if (milliseconds < 0) this.back++;
  }
}

/** The lines around it are in the wrong order: what stands before it was written after it. */
export function turnMoment(moment: Moment): void {
  const there = moment as {-readonly [key in keyof Moment]: Moment[key]};
  [there.stampBefore, there.stampAfter] = [moment.stampAfter, moment.stampBefore];
  const {requestBefore, requestAfter} = moment;
  there.requestBefore = requestAfter === null ? null : requestAfter - WRITTEN_WITHIN_MS;
  there.requestAfter = requestBefore === null ? null : requestBefore + WRITTEN_WITHIN_MS;
}

/** A stamp between `from` and `to` may as well be `by` later. */
export function loosenMoment(moment: Moment, from: number, to: number, by: number): void {
  const there = moment as {-readonly [key in keyof Moment]: Moment[key]};
  const isLoose = (time: number | null): time is number => time !== null && time >= from && time <= to;
  if (isLoose(moment.stampAfter)) there.stampAfter = moment.stampAfter + by;
  if (isLoose(moment.requestAfter)) there.requestAfter = moment.requestAfter + by;
  if (!isLoose(moment.own)) return;
  [there.own, there.stampBefore, there.stampAfter] = [null, moment.own, moment.own + by];
  [there.requestBefore, there.requestAfter] = [null, null];
}

/** The same for what a line knows: times of request lines are full dates and stay. */
export function moveMoment(moment: Moment, moved: (time: number | null) => number | null): void {
  const there = moment as {-readonly [key in keyof Moment]: Moment[key]};
  there.own = moved(moment.own);
  there.stampBefore = moved(moment.stampBefore);
  there.stampAfter = moved(moment.stampAfter);
}

function largest(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b);
}

function smallest(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}

/** Stamps have the resolution of a second; a bound that was computed from one is not finer. */
function wholeSecond(time: number): number {
  return Math.floor(time / 1000) * 1000;
}
