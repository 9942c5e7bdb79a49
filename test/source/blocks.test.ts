import {closeSync, mkdtempSync, openSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {Blocks} from '../../src/source/blocks.ts';
import {randomFrom} from '../grammar/random.ts';

const directory = mkdtempSync(join(tmpdir(), 'logdoctor-blocks-'));
const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_121);

/** The lines of a file, block by block, and how far they reach. A block may be read by whoever claimed it, and ahead of its turn. */
function linesOf(content: string, block: number, overlap: number, ahead: (block: number) => boolean) {
  const path = join(directory, 'file');
  writeFileSync(path, content, 'latin1');
  const descriptor = openSync(path, 'r');
  const size = content.length;
  const mine = new Blocks({descriptor, size, block, overlap, slots: 4, most: 1, width: 1});
  const scouts = new Blocks(mine.plan, mine.shared);
  const lines: string[] = [];
  let fileEnd = 0;
  for (let at = 0; at < mine.count; at++) {
    mine.advance(at);
    for (let next = at; next < Math.min(at + 4, mine.count); next++) {
      if (ahead(next) && scouts.claim(next)) scouts.publish(next, scouts.read(next), next);
    }
    const scouted = mine.claim(at) ? null : mine.await(at, 0);
    if (scouted !== null) expect(scouted.count).toBe(at);
    const {start, end, fileEnd: reached, isLast} = scouted ?? mine.read(at);
    if (end > start) lines.push(...mine.buffer.toString('latin1', start, end - 1).split('\n'));
    fileEnd = reached;
    if (isLast) break;
  }
  closeSync(descriptor);
  return {lines, fileEnd};
}

describe('blocks of a file', () => {
  test(`give each line once and in order, whoever reads them (seed ${seed})`, () => {
    const random = randomFrom(seed);
    for (let n = 0; n < 400; n++) {
      const lines = Array.from({length: random(40)}, () => 'x'.repeat(random(30)) + random(1000));
      const content = lines.join('\n') + (lines.length > 0 && random(2) === 0 ? '\n' : '');
      const block = 1 + random(60);
      const scouting = random(3);
      const read = linesOf(content, block, 64, () => random(3) < scouting);
      expect(read, `seed ${seed}, round ${n}, blocks of ${block}`).toEqual({lines, fileEnd: content.length});
    }
  });

  test('end before a line that is longer than they can hold', () => {
    const content = `one\ntwo\n${'x'.repeat(100)}\nthree\n`;
    expect(linesOf(content, 16, 8, () => false)).toEqual({lines: ['one', 'two'], fileEnd: 8});
    expect(linesOf(content, 16, 8, () => true)).toEqual({lines: ['one', 'two'], fileEnd: 8});
  });

  test('a block is claimed once', () => {
    const blocks = new Blocks({descriptor: 0, size: 100, block: 10, overlap: 5, slots: 2, most: 1, width: 1});
    const others = new Blocks(blocks.plan, blocks.shared);
    expect([blocks.claim(0), others.claim(0), others.claim(1), blocks.claim(1), blocks.claim(2)]).toEqual([
      true,
      false,
      true,
      false,
      true,
    ]);
  });

  test('what a scout does not deliver is not waited for', () => {
    const blocks = new Blocks({descriptor: 0, size: 100, block: 10, overlap: 5, slots: 2, most: 1, width: 1});
    blocks.claim(0);
    expect(blocks.await(0, 1)).toBeNull();
  });
});
