import {expect, test} from 'vitest';
import {LineFeed} from '../../src/source/line-feed.ts';
import {CollectingSink} from './collecting-sink.ts';

function fed(chunks: readonly Uint8Array[], limits = {chunk: 16, longestLine: 64}): CollectingSink {
  const sink = new CollectingSink();
  sink.open({name: 'x', compression: 'none'});
  const feed = new LineFeed(sink, limits);
  for (const chunk of chunks) feed.append(chunk);
  feed.finish();
  sink.close({bytes: 0, truncated: false});
  return sink;
}

const linesOf = (text: string) => fed([Buffer.from(text, 'latin1')]).lineTexts;

test.each([
  ['', []],
  ['\n', ['']],
  ['\n\n\n', ['', '', '']],
  ['a', ['a']],
  ['a\nb', ['a', 'b']],
  ['a\nb\n', ['a', 'b']],
  ['a\r\nb\r\n', ['a\r', 'b\r']],
  ['\0\0\0', ['\0\0\0']],
  ['\0'.repeat(1000), ['\0'.repeat(1000)]],
])('%j', (text, lines) => {
  expect(linesOf(text)).toEqual(lines);
});

test('a line as long as the limit, with and without its end, is one line', () => {
  for (const length of [63, 64, 65, 79, 80, 81, 127, 128, 129, 640]) {
    expect(linesOf('x'.repeat(length))).toEqual(['x'.repeat(length)]);
    expect(linesOf(`${'x'.repeat(length)}\n`)).toEqual(['x'.repeat(length)]);
    expect(linesOf(`a\n${'x'.repeat(length)}\nb`)).toEqual(['a', 'x'.repeat(length), 'b']);
  }
});

test('a long line comes in pieces of bounded size', () => {
  const sink = fed([Buffer.alloc(100_000, 'x')]);
  expect(sink.lineTexts).toEqual(['x'.repeat(100_000)]);
  expect(sink.pieces).toBeGreaterThan(1000);
  expect(sink.largestRegion).toBeLessThanOrEqual(64 + 16 + 1);
});

const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_121);

test(`where the chunks are cut never changes the lines (seed ${seed})`, () => {
  const random = randomFrom(seed);
  for (let round = 0; round < 300; round++) {
    const text = Array.from({length: random(40)}, () => 'y'.repeat(random(10) === 0 ? random(300) : random(20))).join('\n');
    const bytes = Buffer.from(text + (random(2) === 0 ? '\n' : ''));
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = 1 + random(50);
      chunks.push(bytes.subarray(at, at + length));
      at += length;
    }
    const limits = {chunk: 1 + random(40), longestLine: 1 + random(100)};
    expect(fed(chunks, limits).lineTexts, `seed ${seed}, round ${round}`).toEqual(
      fed([bytes], {chunk: 4096, longestLine: 65536}).lineTexts,
    );
  }
});

function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % below;
  };
}
