import {HEADROOM} from '../grammar/matcher.ts';

const LF = 10;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const LETTER_N = 0x6e;
const LETTER_U = 0x75;
/** A record of a request line is longer: there are never more of them than there is room for. */
const SHORTEST = 64;
const OPENING = '{"log":"';
const STREAM = ',"stream":"std';
const TIME = '","time":"';
const CLOSING = '"}';
/** What one character behind a backslash stands for; 0 for none. */
const MEANT = new Uint8Array(256);
for (const pair of ['""', '\\\\', '//', 't\t', 'r\r', 'b\b', 'f\f']) MEANT[pair.charCodeAt(0)] = pair.charCodeAt(1);

/**
 * Reads records as dockerd's json-file driver writes them (moby, daemon/logger/jsonfilelog/jsonlog): a whole line of the program, its
 * stream and its time, in this order. Byte by byte, for there is one of them for each line. Whatever has another form is left to who reads JSON.
 */
export class DockerRecords {
  /** The lines of the records that were read, one behind the other, each closed by LF. */
  readonly texts: Buffer;
  /** Where these lines end. */
  end = 0;
  count = 0;
  /** By record: where it begins and ends in the bytes that were read, and where its line begins among the texts. */
  readonly begins: Int32Array;
  readonly ends: Int32Array;
  readonly textBegins: Int32Array;
  private readonly size: number;

  /** `size`: how many bytes of texts there is room for. */
  constructor(size: number) {
    this.size = size;
    this.texts = Buffer.alloc(size + HEADROOM);
    const most = Math.ceil(size / SHORTEST);
    this.begins = new Int32Array(most);
    this.ends = new Int32Array(most);
    this.textBegins = new Int32Array(most);
  }

  /** Reads records from `at` on: up to `end`, to a line that is none, or to the end of the room. */
  read(buffer: Buffer, at: number, end: number): void {
    this.end = 0;
    this.count = 0;
    for (let from = at; from < end && this.count < this.begins.length; ) {
      const lineEnd = this.readOne(buffer, from);
      if (lineEnd < 0) return;
      this.begins[this.count] = from;
      this.ends[this.count] = lineEnd;
      this.count++;
      from = lineEnd + 1;
    }
  }

  /** Gives where the line ends of the record at `at`; negative where it is none, or there is no room for its text. */
  private readOne(buffer: Buffer, at: number): number {
    if (!isText(buffer, at, OPENING)) return -1;
    const from = at + OPENING.length;
    const quote = buffer.indexOf(QUOTE, from);
    const to = quote - 2;
    // The text ends where the line of the program does.
    if (to < from || buffer[to] !== BACKSLASH || buffer[to + 1] !== LETTER_N || buffer[to - 1] === BACKSLASH) return -1;
    const lineEnd = endOfRecord(buffer, quote + 1);
    if (lineEnd < 0 || this.end + to - from >= this.size) return -1;
    const textEnd = this.unescape(buffer, from, to);
    if (textEnd < 0) return -1;
    this.textBegins[this.count] = this.end;
    this.texts[textEnd] = LF;
    this.end = textEnd + 1;
    return lineEnd;
  }

  /** Puts the text behind the others, and gives where it ends; negative where something in it is not as dockerd writes it. */
  private unescape(buffer: Buffer, from: number, to: number): number {
    const {texts} = this;
    let put = this.end;
    for (let at = from; ; ) {
      const slash = Math.min(buffer.indexOf(BACKSLASH, at), to);
      put += buffer.copy(texts, put, at, slash);
      if (slash === to) return put;
      const isCode = buffer[slash + 1] === LETTER_U;
      const meant = isCode ? asciiOf(buffer, slash + 2) : (MEANT[buffer[slash + 1] as number] as number);
      if (meant === 0 || meant === LF) return -1;
      texts[put++] = meant;
      at = slash + (isCode ? 6 : 2);
    }
  }
}

/** The character that four hexadecimal digits stand for; 0 where it is none of ASCII's. */
function asciiOf(buffer: Buffer, at: number): number {
  if (buffer[at] !== ZERO || buffer[at + 1] !== ZERO) return 0;
  const code = 16 * digitOf(buffer[at + 2] as number) + digitOf(buffer[at + 3] as number);
  return code > 0 && code < 0x80 ? code : 0;
}

/** Not a number where the byte is no hexadecimal digit. */
function digitOf(byte: number): number {
  if (byte >= ZERO && byte <= 0x39) return byte - ZERO;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}

/** Where the line ends of a record whose text has ended before `at`; negative where it goes on otherwise. */
function endOfRecord(buffer: Buffer, at: number): number {
  if (!isText(buffer, at, STREAM)) return -1;
  // `out` or `err`
  const time = at + STREAM.length + 3;
  if (!isText(buffer, time, TIME)) return -1;
  let end = time + TIME.length;
  for (let byte = buffer[end] as number; byte !== QUOTE; byte = buffer[++end] as number)
    if (byte === LF || byte === BACKSLASH) return -1;
  return isText(buffer, end, CLOSING) && buffer[end + CLOSING.length] === LF ? end + CLOSING.length : -1;
}

function isText(buffer: Buffer, at: number, text: string): boolean {
  for (let n = 0; n < text.length; n++) if (buffer[at + n] !== text.charCodeAt(n)) return false;
  return true;
}
