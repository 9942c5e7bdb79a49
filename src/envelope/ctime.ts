/** English, whatever the locale. */
export const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const BLANK = 0x20;
const ZERO = 0x30;

/**
 * Reads the times that C's ctime writes (`Wed Jul  3 01:02:03 2019`), in milliseconds on the log's clock. Made for
 * every request line of a log: it reads digits, and asks the calendar once a day.
 */
export class CtimeReader {
  private month = 0;
  private day = 0;
  private year = 0;
  private date = 0;

  /** The bytes from `from` to `to` are a time of that form, as a grammar has made sure. */
  read(buffer: Buffer, from: number, to: number): number {
    const month = (at(buffer, from + 4) << 16) | (at(buffer, from + 5) << 8) | at(buffer, from + 6);
    const clock = to - 13;
    const tens = at(buffer, clock - 3);
    const day = at(buffer, clock - 2) - ZERO + (tens === BLANK ? 0 : 10 * (tens - ZERO));
    const year = 100 * two(buffer, to - 4) + two(buffer, to - 2);
    if (day !== this.day || month !== this.month || year !== this.year) {
      this.month = month;
      this.day = day;
      this.year = year;
      this.date = Date.UTC(year, MONTHS.indexOf(buffer.toString('latin1', from + 4, from + 7)), day);
    }
    return this.date + ((two(buffer, clock) * 60 + two(buffer, clock + 3)) * 60 + two(buffer, clock + 6)) * 1000;
  }
}

/** The time in one text of that form. */
export function ctimeOf(text: string): number {
  return new CtimeReader().read(Buffer.from(text, 'latin1'), 0, text.length);
}

const CLF = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/;

/** The time in a stamp of a web server's access log (`21/Nov/2026:23:21:49 +0100`), in UTC. Null where it has another form. */
export function accessTimeOf(text: string): number | null {
  const found = CLF.exec(text);
  const month = MONTHS.indexOf(found?.[2] ?? '');
  if (!found || month < 0) return null;
  const [day, , year, hour, minute, second, , hours, minutes] = found.slice(1).map(Number) as number[];
  const offset = ((hours as number) * 60 + (minutes as number)) * (found[7] === '-' ? -1 : 1);
  return Date.UTC(year as number, month, day, hour, (minute as number) - offset, second);
}

function at(buffer: Buffer, offset: number): number {
  return buffer[offset] as number;
}

function two(buffer: Buffer, offset: number): number {
  return 10 * at(buffer, offset) + at(buffer, offset + 1) - 11 * ZERO;
}
