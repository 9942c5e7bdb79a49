const LONGEST = 64;
const SHORTEST = 4;
const ZERO = 0x30;
/** By log-prefix, and by log-encoder, which puts nothing of its own behind it. */
const PREFIX = / - $|^\[[^[\] ]+\] ?$/;

/**
 * What uWSGI puts in front of its own lines where log-date or log-prefix is a format that tells no known time
 * (`log-prefix = app` gives `app - `, `log-encoder = prefix [app]` gives `[app]`). It is learned from a line that holds a message behind it.
 */
export class OwnPrefix {
  private bytes: Buffer = Buffer.alloc(0);

  /** A message stands at `to`; what is in front of it begins at `from`. Gives whether that is a prefix, and a new one. */
  learn(buffer: Buffer, from: number, to: number): boolean {
    if (to - from < SHORTEST || to - from > LONGEST || !PREFIX.test(buffer.toString('latin1', from, to))) return false;
    if (this.end(buffer, from) === to) return false;
    this.bytes = Buffer.from(buffer.subarray(from, to));
    return true;
  }

  /** Where the text behind the prefix begins, or -1. It is the same but for its digits, which may be a time. */
  end(buffer: Buffer, at: number): number {
    const {bytes} = this;
    for (let n = 0; n < bytes.length; n++) {
      const [now, before] = [buffer[at + n] as number, bytes[n] as number];
      if (now !== before && !(isDigit(now) && isDigit(before))) return -1;
    }
    return bytes.length === 0 ? -1 : at + bytes.length;
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9;
}
