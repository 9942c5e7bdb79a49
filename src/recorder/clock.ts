import {exactly, type Instant, UNKNOWN_INSTANT} from '../timeline/time.ts';

/** Lines of one second may be swapped, and a request line is a little later than its own arithmetic says. */
const TOLERANCE_MS = 2000;
const LEAST_STEPS_BACK = 2;
const ZONE_STEP_MS = 15 * 60_000;
/** From UTC-12 to UTC+14. */
const WIDEST_MS = 26 * 3_600_000;
/** Stamps are whole seconds: a request line was written within so many milliseconds after start + duration. */
export const WRITTEN_WITHIN_MS = 999;

/** What one line knows of its time: when it was written is bounded by the lines with a time around it. */
export interface Moment {
  /** The line's own stamp. */
  readonly own: number | null;
  /** The date in its text, where the stamp is that of its arrival and later: it may be of any time between the two. */
  readonly since: number | null;
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
 * moves the second one. Where their order shows by how many hours, it is moved back; where they contradict each
 * other otherwise, only the stamps are believed.
 */
export class LineClock {
  private readonly stamps = new Extent();
  private readonly requests = new Extent();
  /** What the clock of request lines can be ahead of that of the stamps, by the order of the lines. */
  private ahead = {least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY};
  private isTurned = false;
  private stamp: number | null = null;
  private request: number | null = null;
  /** Whether the two clocks fit together when lines are read in their order, and when they are read from the last to the first. */
  private isSound = true;
  private isSoundBackwards = true;
  private stampSteps = new Steps();
  private readonly requestSteps = new Steps();
  private awaitingStamp: Moment[] = [];
  private awaitingRequest: Moment[] = [];

  /** A line with a stamp, in milliseconds. */
  atStamp(time: number): void {
    for (const moment of this.awaitingStamp) moment.stampAfter = time;
    this.awaitingStamp = [];
    if (this.stamp !== null) this.stampSteps.add(time - this.stamp);
    if (this.request !== null) {
      this.compare(time - this.request);
      this.ahead.least = Math.max(this.ahead.least, this.request - time);
    }
    this.stamp = time;
    this.stamps.see(time, time);
  }

  /** A line of that time stands near the log's end. It bounds no other line, and where the log has come further it tells nothing. */
  goesOnUntil(time: number): void {
    const {to} = this.span;
    if (to === null || time > to) this.stamps.see(time, time);
  }

  /** Times read so far turn out to be elsewhere (in another year). */
  move(moved: (time: number | null) => number | null): void {
    this.stamp = moved(this.stamp);
    this.stamps.move(moved);
    this.requests.move(moved);
  }

  /** The stamps read so far are worth nothing. */
  forgetStamps(): void {
    this.stamp = null;
    this.stamps.clear();
    this.stampSteps = new Steps();
    this.ahead = {least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY};
    this.isSound = true;
    this.isSoundBackwards = true;
  }

  /** Whether the next request line's time is waited for, or has to be kept for what comes. */
  get isAwaitingRequest(): boolean {
    return this.awaitingRequest.length > 0;
  }

  /** A request line that was written between `from` and `to`. Only the first and the last between two moments matter. */
  atRequest(from: number, to: number): void {
    for (const moment of this.awaitingRequest) moment.requestAfter = to;
    this.awaitingRequest = [];
    if (this.stamp !== null) {
      this.compare(to - this.stamp);
      this.ahead.most = Math.min(this.ahead.most, to - this.stamp);
    }
    if (this.request !== null) this.requestSteps.add(from - this.request);
    this.request = from;
    this.requests.see(from, to);
  }

  /** A line whose time somebody will ask for; `told` is the date in its text. */
  moment(own: number | null, told: number | null = null): Moment {
    const since = own !== null && told !== null && isHeldBack(own - told) ? told : null;
    if (since !== null) this.stamps.see(since, since);
    const moment: Moment = {
      own,
      since,
      stampBefore: this.stamp,
      stampAfter: null,
      requestBefore: this.request,
      requestAfter: null,
    };
    if (own === null) {
      this.awaitingStamp.push(moment);
      this.awaitingRequest.push(moment);
    }
    return moment;
  }

  /** The bounds of a moment, once everything has been read. */
  instant(moment: Moment): Instant {
    const {own, since} = moment;
    if (own !== null) return since === null ? exactly(own) : {earliest: since, latest: own};
    const {requestsAhead} = this;
    const onStamps = (request: number | null) => (request === null || requestsAhead === null ? null : request - requestsAhead);
    const earliest = largest(moment.stampBefore, onStamps(moment.requestBefore));
    const latest = smallest(moment.stampAfter, onStamps(moment.requestAfter));
    if (earliest !== null && latest !== null && earliest > latest) {
      return earliest - latest <= TOLERANCE_MS ? {earliest: latest, latest: earliest} : UNKNOWN_INSTANT;
    }
    return {earliest: earliest === null ? null : wholeSecond(earliest), latest: latest === null ? null : wholeSecond(latest)};
  }

  /** What request lines are ahead of the stamps, in milliseconds: a whole time zone, or 0. Null where they contradict each other. */
  get requestsAhead(): number | null {
    if (this.isSound) return 0;
    const [least, most] = [this.ahead.least - TOLERANCE_MS, this.ahead.most + TOLERANCE_MS];
    const zone = Math.ceil(least / ZONE_STEP_MS) * ZONE_STEP_MS;
    const isOne = !this.isTurned && Math.abs(zone) <= WIDEST_MS && zone <= most && zone + ZONE_STEP_MS > most;
    return isOne ? zone : null;
  }

  /** The first and the last time, on the clock of the stamps. */
  get span(): {readonly from: number | null; readonly to: number | null} {
    const {stamps, requests, requestsAhead} = this;
    // A clock that was set shows in both alike; request lines of another zone are left out.
    const isOther = requestsAhead === null && this.ahead.least <= this.ahead.most && stamps.first !== null;
    if (isOther) return {from: stamps.first, to: stamps.last};
    const onStamps = (time: number | null) => (time === null ? null : wholeSecond(time - (requestsAhead ?? 0)));
    return {
      from: smallest(stamps.first, onStamps(requests.first)),
      to: largest(stamps.last, onStamps(requests.last)),
    };
  }

  /** The next part of a rotated log begins: {@link span} is that of a part. */
  beginPart(): void {
    this.stamps.clear();
    this.requests.clear();
  }

  /** The newest line comes first. One step back alone may as well be a clock that was set. */
  get runsBackwards(): boolean {
    const {stampSteps, requestSteps} = this;
    const back = stampSteps.back + requestSteps.back;
    return back >= LEAST_STEPS_BACK && back > 4 * (stampSteps.forward + requestSteps.forward);
  }

  /** Its stamps go now forth, now back: they are no clock. */
  get wavers(): boolean {
    const {forward, back} = this.stampSteps;
    const others = Math.min(forward, back);
    return others >= LEAST_STEPS_BACK && 10 * others > forward + back;
  }

  /** The lines turn out to be in the wrong order, and so were the moments: see {@link turnMoment}. */
  turnRound(): void {
    this.isSound = this.isSoundBackwards;
    this.isTurned = true;
  }

  private compare(step: number): void {
    if (step < -TOLERANCE_MS) this.isSound = false;
    if (step > TOLERANCE_MS) this.isSoundBackwards = false;
  }
}

/** From the first to the last of some times. */
class Extent {
  first: number | null = null;
  last: number | null = null;

  see(from: number, to: number): void {
    if (this.first === null || from < this.first) this.first = wholeSecond(from);
    if (this.last === null || to > this.last) this.last = wholeSecond(to);
  }

  move(moved: (time: number | null) => number | null): void {
    this.first = moved(this.first);
    this.last = moved(this.last);
  }

  clear(): void {
    this.first = null;
    this.last = null;
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

/** Further apart, or the other way round, the two are clocks of different zones. */
function isHeldBack(milliseconds: number): boolean {
  return milliseconds >= 1000 && milliseconds < ZONE_STEP_MS - TOLERANCE_MS;
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
