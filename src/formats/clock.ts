import {exactly, type Instant, UNKNOWN_INSTANT} from '../timeline/time.ts';

/** Lines of one second may be swapped, and a request line is a little later than its own arithmetic says. */
const TOLERANCE_MS = 2000;

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
  /** Times at which the two clocks, or one with itself, ran backwards. */
  contradictions = 0;
  first: number | null = null;
  last: number | null = null;

  private stamp: number | null = null;
  private request: number | null = null;
  private isRequestClockSound = true;
  private awaitingStamp: Moment[] = [];
  private awaitingRequest: Moment[] = [];

  /** A line with a stamp, in milliseconds. */
  atStamp(time: number): void {
    for (const moment of this.awaitingStamp) moment.stampAfter = time;
    this.awaitingStamp = [];
    if (this.stamp !== null && time < this.stamp - TOLERANCE_MS) this.contradictions++;
    if (this.request !== null && time < this.request - TOLERANCE_MS) this.isRequestClockSound = false;
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
    if (this.stamp !== null && to < this.stamp - TOLERANCE_MS) this.isRequestClockSound = false;
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
    const sound = this.isRequestClockSound;
    const earliest = largest(moment.stampBefore, sound ? moment.requestBefore : null);
    const latest = smallest(moment.stampAfter, sound ? moment.requestAfter : null);
    if (earliest !== null && latest !== null && earliest > latest) {
      return earliest - latest <= TOLERANCE_MS ? {earliest: latest, latest: earliest} : UNKNOWN_INSTANT;
    }
    return {earliest: earliest === null ? null : wholeSecond(earliest), latest: latest === null ? null : wholeSecond(latest)};
  }

  private see(from: number, to: number): void {
    if (this.first === null || from < this.first) this.first = wholeSecond(from);
    if (this.last === null || to > this.last) this.last = wholeSecond(to);
  }
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
