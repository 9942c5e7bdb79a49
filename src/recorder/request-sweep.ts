import {CtimeReader} from '../envelope/ctime.ts';
import {requestPlan} from '../formats/uwsgi-requests.ts';
import {FROM as BEGINS, TO as ENDS, IS_ALIKE, IS_SAME, Sweep} from '../grammar/sweep.ts';
import {ALIKE, DURATION, durationOf, FACTS, FAILED, FROM, failureOf, NUMBER, PID, START, TO} from './request-facts.ts';

/** How many request lines a region of so many bytes can have. */
export function mostRequests(bytes: number): number {
  return Math.ceil(bytes / requestPlan.least);
}

/** Finds uWSGI's request lines in their plain form, many at once, and leaves of each what {@link RequestFacts} does. */
export class RequestSweep {
  /** Null where such code cannot be run. */
  static create(): RequestSweep | null {
    const sweep = Sweep.of(requestPlan);
    return sweep === null ? null : new RequestSweep(sweep);
  }

  /** Where the lines end that the last run has seen. */
  get reached(): number {
    return this.sweep.reached;
  }

  /** Bytes that one run sees at most. */
  readonly chunk = requestPlan.chunk;
  private readonly sweep: Sweep;
  private readonly pid: number;
  private readonly number: number;
  private readonly duration: number;
  private readonly status: number;
  private readonly started: number;
  private readonly unit: number;
  private readonly times = new CtimeReader();
  private start = 0;

  private constructor(sweep: Sweep) {
    this.sweep = sweep;
    this.pid = sweep.cell('pid');
    this.number = sweep.cell('requestNumber');
    this.duration = sweep.cell('duration');
    this.status = sweep.cell('status');
    this.started = sweep.cell('started');
    this.unit = sweep.cell('unit');
  }

  /** As {@link Sweep.lines}: writes the facts from `facts[at]` on, and gives how many lines they are of. */
  lines(buffer: Buffer, from: number, to: number, skip: number, facts: Float64Array, at: number): number {
    const {records, width} = this.sweep;
    const count = this.sweep.lines(buffer, from, to, skip);
    for (let n = 0, record = 0, fact = at; n < count; n++, record += width, fact += FACTS) {
      facts[fact + PID] = records[record + this.pid] as number;
      if (n === 0 || records[record + this.started + IS_SAME] === 0)
        this.start = this.times.read(
          buffer,
          records[record + this.started] as number,
          records[record + this.started + 1] as number,
        );
      facts[fact + START] = this.start;
      const unitLength = (records[record + this.unit + 1] as number) - (records[record + this.unit] as number);
      facts[fact + DURATION] = durationOf(records[record + this.duration] as number, unitLength);
      facts[fact + NUMBER] = records[record + this.number] as number;
      facts[fact + FAILED] = failureOf(records[record + this.status] as number);
      facts[fact + FROM] = records[record + BEGINS] as number;
      facts[fact + TO] = records[record + ENDS] as number;
      facts[fact + ALIKE] = records[record + IS_ALIKE] as number;
    }
    return count;
  }
}
