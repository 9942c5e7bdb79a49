const LONGEST = 256;

/**
 * What stood in front of the last line's message. The next line's front is most often the same but for its digits
 * (time, pid), and no rule of an envelope tells one digit from another: then its content begins at the same place,
 * and nothing has to be peeled. Names of streams are an exception: `web-2` is not `web-1`.
 */
export class Front {
  private readonly bytes = Buffer.alloc(LONGEST + 4);
  private readonly words = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
  private length = 0;
  /** What its content may begin with: 1 for each byte that has been seen there. */
  private readonly firsts = new Uint8Array(256);
  /** Where names stand: beginnings and ends, by turns. */
  private names: readonly number[] = [];
  private seen: Buffer = this.bytes;
  private seenWords: DataView = this.words;

  /** Remembers `buffer[at..body)`, and the first byte of the content. `names`: where names stand in it, counted from `at`. */
  keep(buffer: Buffer, at: number, body: number, names: readonly number[]): void {
    const {firsts} = this;
    if (this.length !== body - at || !this.isSame(buffer, at)) {
      this.length = body - at <= LONGEST ? body - at : 0;
      this.names = names;
      buffer.copy(this.bytes, 0, at, at + this.length);
      firsts.fill(0);
    }
    firsts[buffer[body] as number] = 1;
  }

  /** Where the content of the line at `at` begins if it has such a front, or -1. */
  end(buffer: Buffer, at: number): number {
    const {firsts, length} = this;
    return length > 0 && firsts[buffer[at + length] as number] === 1 && this.isSame(buffer, at) ? at + length : -1;
  }

  /** The next line is to be looked at as if nothing had stood before it. */
  forget(): void {
    this.length = 0;
  }

  /** What differs is kept: the time is the same on many lines. */
  private isSame(buffer: Buffer, at: number): boolean {
    const {bytes, words, length} = this;
    if (buffer !== this.seen) {
      this.seen = buffer;
      this.seenWords = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    }
    const {seenWords} = this;
    let isExact = true;
    let n = 0;
    for (; n + 4 <= length; n += 4) {
      if (seenWords.getInt32(at + n, true) === words.getInt32(n, true)) continue;
      if (!isAlike(buffer, at + n, bytes, n, 4)) return false;
      isExact = false;
    }
    if (!isAlike(buffer, at + n, bytes, n, length - n) || !this.hasSameNames(buffer, at)) return false;
    for (n = 0; !isExact && n + 4 <= length; n += 4) words.setInt32(n, seenWords.getInt32(at + n, true), true);
    return true;
  }

  private hasSameNames(buffer: Buffer, at: number): boolean {
    const {bytes, names} = this;
    for (let n = 0; n < names.length; n += 2) {
      const end = names[n + 1] as number;
      for (let byte = names[n] as number; byte < end; byte++) if (buffer[at + byte] !== bytes[byte]) return false;
    }
    return true;
  }
}

/** Whether `length` bytes are the same, or digits where there were digits. */
export function isAlike(buffer: Buffer, at: number, bytes: Buffer, from: number, length: number): boolean {
  for (let n = 0; n < length; n++) {
    const byte = buffer[at + n] as number;
    const before = bytes[from + n] as number;
    if (byte !== before && (byte < 0x30 || byte > 0x39 || before < 0x30 || before > 0x39)) return false;
  }
  return true;
}
