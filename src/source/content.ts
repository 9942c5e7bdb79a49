/** What an input holds, by its first bytes once unpacked. */
export type Encoding = 'bytes' | 'utf-16le' | 'utf-16be';

/** As much of a text as tells that every second byte is NUL. */
const TELLING = 32;

/**
 * UTF-16 is known by its byte order mark, or by the NULs of its first words where these are of Western languages; everything else is bytes
 * to the scanner, which also knows a UTF-8 mark.
 */
export function encodingOf(head: Uint8Array): Encoding {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  if (head.length < TELLING) return 'bytes';
  const first = [...head.subarray(0, TELLING)];
  if (first.every((byte, n) => (n % 2 === 0 ? isPlain(byte) : byte === 0))) return 'utf-16le';
  return first.every((byte, n) => (n % 2 === 1 ? isPlain(byte) : byte === 0)) ? 'utf-16be' : 'bytes';
}

/** Of the first 256 characters, one that a text has. */
function isPlain(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte >= 0xa0 || byte === 9 || byte === 10 || byte === 13;
}

interface Foreign {
  readonly at: number;
  readonly magic: string;
  readonly is: string;
  /** A command that makes text of the file; FILE stands for its name. */
  readonly remedy?: string;
}

const FOREIGN: readonly Foreign[] = [
  {at: 0, magic: 'LPKSHHRH', is: "systemd's journal", remedy: 'journalctl --file FILE -o short-iso-precise | logdoctor'},
  {at: 257, magic: 'ustar', is: 'a tar archive', remedy: 'tar -xOf FILE | logdoctor'},
  {at: 0, magic: 'PK\x03\x04', is: 'a zip archive', remedy: 'unzip -p FILE | logdoctor'},
  {at: 0, magic: "7z\xbc\xaf'\x1c", is: 'a 7z archive', remedy: '7z x -so FILE | logdoctor'},
  {at: 0, magic: 'Rar!\x1a\x07', is: 'a rar archive', remedy: 'unrar p -inul FILE | logdoctor'},
  {at: 0, magic: '\x04\x22\x4d\x18', is: 'compressed with lz4', remedy: 'lz4 -dc FILE | logdoctor'},
  {at: 0, magic: '\x1f\x9d', is: 'compressed with compress', remedy: 'zcat FILE | logdoctor'},
  {at: 0, magic: 'LZIP\x01', is: 'compressed with lzip', remedy: 'lzip -dc FILE | logdoctor'},
  {at: 0, magic: ']\x00\x00', is: 'compressed with lzma', remedy: 'xz -dc --format=lzma FILE | logdoctor'},
  {at: 0, magic: '\x7fELF', is: 'a program'},
  {at: 0, magic: 'SQLite format 3\x00', is: 'an SQLite database'},
  {at: 0, magic: '%PDF-', is: 'a PDF document'},
  {at: 0, magic: '\x89PNG\r\n', is: 'a picture'},
  {at: 0, magic: '\xff\xd8\xff', is: 'a picture'},
];

/** Why the input cannot be a log, and what to do; null where it may be one. `name` null: standard input. */
export function whyNoLog(head: Uint8Array, name: string | null): string | null {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  for (const {at, magic, is, remedy} of FOREIGN) {
    if (bytes.toString('latin1', at, at + magic.length) !== magic) continue;
    return remedy === undefined
      ? `it is ${is}, not a log`
      : `it is ${is}; try: ${remedy.replace('FILE', name === null ? 'FILE' : quoted(name))}`;
  }
  return encodingOf(head) === 'bytes' && looksBinary(bytes) ? 'it is a binary file, not a log' : null;
}

const SAMPLE = 4096;
/** Fewer bytes than this prove nothing. */
const LEAST_SAMPLE = 64;

/**
 * By how often bytes occur that text has not: so high that logs with colours, old encodings or broken spots are
 * none. NULs in one run are what copytruncate leaves; strewn about, they are records of numbers.
 */
function looksBinary(bytes: Buffer): boolean {
  let start = 0;
  while (start < bytes.length && bytes[start] === 0) start++;
  const sample = bytes.subarray(start, start + SAMPLE);
  if (sample.length < LEAST_SAMPLE) return false;
  let nulls = 0;
  let runs = 0;
  let controls = 0;
  let high = 0;
  let before = -1;
  for (const byte of sample) {
    if (byte === 0) {
      nulls++;
      if (before !== 0) runs++;
    } else if (byte >= 0x80) high++;
    else if (byte < 0x07 || (byte > 0x0d && byte < 0x20 && byte !== 0x1b)) controls++;
    before = byte;
  }
  const rest = sample.length - nulls;
  return (nulls > 0.3 * sample.length && runs > 8) || controls > 0.2 * rest || (controls > 0.04 * rest && high > 0.2 * rest);
}

/** For a shell. */
function quoted(name: string): string {
  return /^[\w@%+=:,./-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
}
