import {execFileSync, spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {gzipSync} from 'node:zlib';
import {describe, expect, test} from 'vitest';
import {collect, temporaryDirectory} from './collecting-sink.ts';
import * as packed from './packed.ts';

const directory = temporaryDirectory();
const lines = packed.text.split('\n').slice(0, -1);
const gzip = gzipSync(packed.text);
const half = packed.text.indexOf('\n', packed.text.length / 2) + 1;

describe('whole', () => {
  test.each([
    ['gzip', gzip],
    ['gzip', Buffer.concat([gzipSync(packed.text.slice(0, half)), gzipSync(packed.text.slice(half))])],
    ['gzip', Buffer.concat([gzip, Buffer.alloc(1000)])],
    ['gzip', Buffer.concat([gzip, Buffer.from('some garbage')])],
    ['zstd', packed.zstd],
    ['zstd', packed.zstdFrames],
    ['xz', packed.xz],
    ['xz', packed.xzStreams],
    ['bzip2', packed.bzip2],
    ['bzip2', packed.bzip2Streams],
    ['bzip2', Buffer.concat([packed.bzip2, Buffer.alloc(1000)])],
  ])('%s is known by its content', async (compression, bytes) => {
    const {sink, notes, errors} = await collect([directory.write('named-otherwise.txt', bytes)]);
    expect(sink.lineTexts).toEqual(lines);
    expect(sink.inputs[0]).toMatchObject({info: {compression}, bytes: bytes.length, truncated: false});
    expect([...notes, ...errors]).toEqual([]);
  });
});

describe('gzip of megabytes that hardly pack', () => {
  const text = Array.from({length: 60_000}, (_, i) => createHash('sha256').update(`${i}`).digest('base64')).join('\n');
  const file = directory.write('large.log.2.gz', gzipSync(text));

  test('from a file', async () => {
    const {sink, notes} = await collect([file]);
    expect(sink.lineTexts.join('\n') === text).toBe(true);
    expect(notes).toEqual([]);
  });

  test('from a pipe', async () => {
    execFileSync('mkfifo', [directory.at('fifo')]);
    const reading = collect([directory.at('fifo')]);
    spawn('sh', ['-c', 'cat "$0" > "$1"', file, directory.at('fifo')]);
    const {sink, notes} = await reading;
    expect(sink.lineTexts.join('\n') === text).toBe(true);
    expect(notes).toEqual([]);
  });

  test('beside a longer one that begins with it', async () => {
    const longer = directory.write('large.log.1.gz', gzipSync(`${text}\nmore`));
    const {sink, notes} = await collect([file, longer]);
    expect(sink.lineTexts.join('\n') === `${text}\nmore`).toBe(true);
    expect(notes).toEqual([`${file}: ${longer} begins with the same content; read once`]);
  });
});

describe('cut off at every length', () => {
  test.each([
    ['gzip', gzip, 7],
    ['zstd', packed.zstd, 5],
    ['xz', packed.xz, 6],
    ['bzip2', packed.bzip2, 11],
  ])('%s gives what it has, and says so', async (_, bytes, least) => {
    for (let length = least; length < bytes.length; length++) {
      const {sink, errors, notes} = await collect([directory.write('cut', bytes.subarray(0, length))]);
      expect(errors).toEqual([]);
      expect(packed.text.startsWith(sink.lineTexts.join('\n'))).toBe(true);
      expect(sink.inputs[0], `${length} bytes`).toMatchObject({truncated: true, bytes: length});
      expect(notes).toHaveLength(1);
    }
  });

  test('most of a larger gzip', async () => {
    const text = Array.from({length: 20_000}, (_, i) => `line ${i} ${(i * 7919) % 10_007}`).join('\n');
    const bytes = gzipSync(text);
    for (let length = 97; length < bytes.length; length += 97 * 23) {
      const {sink} = await collect([directory.write('large', bytes.subarray(0, length))]);
      const got = sink.lineTexts.join('\n');
      expect(text.startsWith(got)).toBe(true);
      expect(got.length).toBeGreaterThan((length / bytes.length - 0.2) * text.length);
      expect(sink.inputs[0]?.truncated).toBe(true);
    }
  });
});

describe('damaged at every byte', () => {
  test.each([
    ['gzip', gzip],
    ['zstd', packed.zstd],
    ['xz', packed.xz],
    ['bzip2', packed.bzip2],
  ])('%s never throws and never hangs', async (_, bytes) => {
    for (let at = 10; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ (1 << (at % 8));
      const {errors, sink} = await collect([directory.write('damaged', damaged)]);
      // Where a decoder has no checksum to go by, what it makes of such bytes may be no text.
      expect(errors.length + sink.inputs.length).toBe(1);
      for (const error of errors) expect(error).toMatch(/it is a binary file, not a log$/);
    }
  });

  test('gzip with a wrong checksum gives all of it', async () => {
    const damaged = Buffer.from(gzip);
    damaged[damaged.length - 6] = (damaged[damaged.length - 6] as number) ^ 1;
    const {sink, notes} = await collect([directory.write('checksum', damaged)]);
    expect(sink.lineTexts).toEqual(lines);
    expect(notes[0]).toContain('damaged or cut off inside its gzip compression (incorrect data check)');
  });

  test('gzip that breaks behind megabytes gives the megabytes', async () => {
    const text = Array.from({length: 200_000}, (_, i) => `line ${i} ${(i * 7919) % 10_007}`).join('\n');
    const bytes = gzipSync(text);
    const at = Math.floor(bytes.length * 0.75);
    bytes.fill(0xff, at, at + 200);
    const {sink} = await collect([directory.write('broken', bytes)]);
    const got = sink.lineTexts.slice(0, -3).join('\n');
    expect(text.startsWith(got.slice(0, text.length * 0.7))).toBe(true);
    expect(got.length).toBeGreaterThan(text.length * 0.74);
    expect(sink.inputs[0]?.truncated).toBe(true);
  });
});

test.each([
  ['gzip', gzipSync(Buffer.alloc(3_000_000))],
  ['zstd', packed.zstdZeros],
  ['bzip2', packed.bzip2Zeros],
])('millions of NULs in %s are one line in bounded pieces', async (_, bytes) => {
  const {sink} = await collect([directory.write('zeros', bytes)]);
  expect(sink.lineTexts.map(({length}) => length)).toEqual([3_000_000]);
  expect(sink.largestRegion).toBeLessThan(1_500_000);
});

test('an empty archive is an input without lines', async () => {
  const {sink, errors} = await collect([directory.write('empty.gz', gzipSync(''))]);
  expect(sink.inputs[0]).toMatchObject({lines: [], truncated: false});
  expect(errors).toEqual([]);
});

test('a line that begins like bzip2 is a line', async () => {
  const {sink} = await collect([directory.write('text', 'BZh9 is how it begins\n')]);
  expect(sink.lineTexts).toEqual(['BZh9 is how it begins']);
});

test('what cannot be unpacked names the command that can', async () => {
  const {errors} = await collect([directory.write('x.lz4', packed.lz4)]);
  expect(errors).toEqual([
    `cannot read ${directory.at('x.lz4')}: it is compressed with lz4; try: lz4 -dc ${directory.at('x.lz4')} | logdoctor`,
  ]);
});
