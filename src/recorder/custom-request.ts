import {CtimeReader, MONTHS} from '../envelope/ctime.ts';
import type {Zone} from '../envelope/zone.ts';
import type {Matcher} from '../grammar/matcher.ts';
import {ALIKE, DURATION, FAILED, FROM, NUMBER, PID, type RequestReader, START, TO} from './request-facts.ts';

/** A request line of a template: see `logFormatOf`, which names the fields. It has a process id and some time. */
export class CustomRequest implements RequestReader {
  readonly isUtc: boolean;
  private readonly matcher: Matcher;
  private readonly zone: Zone | null;
  private readonly times = new CtimeReader();
  private buffer: Buffer = Buffer.alloc(0);

  /** `zone` is that of the log's clock; times that count from 1970 are brought to it. */
  constructor(matcher: Matcher, zone: Zone | null) {
    this.matcher = matcher;
    this.zone = zone;
    this.isUtc = this.slot('logCtime') < 0 && this.slot('logLtime') < 0;
  }

  bind(buffer: Buffer): void {
    this.buffer = buffer;
  }

  read(facts: Float64Array, at: number, from: number): void {
    facts[at + PID] = this.value('logPid') ?? -1;
    facts[at + START] = this.started();
    facts[at + DURATION] = this.duration();
    // Templates have no number of the request within its process.
    facts[at + NUMBER] = -1;
    facts[at + FAILED] = (this.value('logStatus') ?? 0) >= 500 ? 1 : 0;
    facts[at + FROM] = from;
    facts[at + TO] = this.matcher.end();
    facts[at + ALIKE] = 0;
  }

  private started(): number {
    const ctime = this.slot('logCtime');
    if (ctime >= 0) return this.times.read(this.buffer, this.from(ctime), this.to(ctime));
    const ltime = this.slot('logLtime');
    if (ltime >= 0) return ltimeOf(this.buffer.toString('latin1', this.from(ltime), this.to(ltime)));
    const epoch = this.value('logEpoch');
    const utc =
      this.scaled('logTmicros', 1e-3) ??
      this.scaled('logTmsecs', 1) ??
      this.scaled('logTime', 1000) ??
      (epoch === null ? 0 : epoch * 1000 - this.duration());
    return this.zone === null ? utc : this.zone.fromUtc(utc);
  }

  private duration(): number {
    return this.scaled('logMicros', 1e-3) ?? this.scaled('logMsecs', 1) ?? this.scaled('logSecs', 1000) ?? 0;
  }

  private slot(name: string): number {
    return 2 * this.matcher.fields.indexOf(name);
  }

  private from(slot: number): number {
    return this.matcher.captures[slot] as number;
  }

  private to(slot: number): number {
    return this.matcher.captures[slot + 1] as number;
  }

  private value(name: string): number | null {
    const slot = this.slot(name);
    return slot < 0 ? null : Number(this.buffer.toString('latin1', this.from(slot), this.to(slot)));
  }

  private scaled(name: string, by: number): number | null {
    const value = this.value(name);
    return value === null ? null : Math.floor(value * by * 1000) / 1000;
  }
}

/** `20/Nov/2026:23:45:06 +0000`, by its own digits: the log's clock is the server's. */
function ltimeOf(text: string): number {
  const [day, month, year, hour, minute, second] = text.split(/[/: ]/);
  return Date.UTC(Number(year), MONTHS.indexOf(month ?? ''), Number(day), Number(hour), Number(minute), Number(second));
}
