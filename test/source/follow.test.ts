import {execFileSync, spawn} from 'node:child_process';
import {appendFileSync, renameSync, truncateSync, writeFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {gzipSync} from 'node:zlib';
import {expect, test} from 'vitest';
import {follow} from '../../src/source/follow.ts';
import {CollectingSink, temporaryDirectory} from './collecting-sink.ts';

const {at, write} = temporaryDirectory();

function following(input: string) {
  const sink = new CollectingSink();
  const abort = new AbortController();
  let idle = 0;
  const ended = follow(input, sink, {signal: abort.signal, onIdle: () => idle++, interval: 5});
  return {
    sink,
    ended,
    /** Waits until these are the lines so far. */
    async shows(lines: readonly string[]): Promise<void> {
      for (let patience = 400; patience > 0 && sink.lineTexts.length < lines.length; patience--) await sleep(5);
      expect(sink.lineTexts).toEqual(lines);
    },
    async end(): Promise<void> {
      abort.abort();
      await ended;
    },
    get idle() {
      return idle;
    },
  };
}

test('a file that grows, in whole lines', async () => {
  const file = write('grows.log', 'one\ntw');
  const watch = following(file);
  await watch.shows(['one']);
  expect(watch.idle).toBe(1);
  appendFileSync(file, 'o\nthree\n');
  await watch.shows(['one', 'two', 'three']);
  appendFileSync(file, 'unfinished');
  await watch.end();
  expect(watch.sink.lineTexts.slice(0, 3)).toEqual(['one', 'two', 'three']);
  expect(watch.sink.inputs[0]?.isClosed).toBe(true);
});

test('over a rotation by renaming, while the writer still has the old file', async () => {
  const file = write('renamed.log', 'one\n');
  const watch = following(file);
  await watch.shows(['one']);
  renameSync(file, `${file}.1`);
  await sleep(20);
  appendFileSync(`${file}.1`, 'two\n');
  writeFileSync(file, '');
  await sleep(20);
  appendFileSync(`${file}.1`, 'three\n');
  await watch.shows(['one', 'two', 'three']);
  appendFileSync(file, 'four\n');
  await watch.shows(['one', 'two', 'three', 'four']);
  await watch.end();
  expect(watch.sink.inputs.map(({info, lines}) => [info.continues, lines.length])).toEqual([
    [false, 3],
    [true, 1],
  ]);
});

test('over a truncation, also where the file has grown again since', async () => {
  const file = write('cut.log', 'one\ntwo\n');
  const watch = following(file);
  await watch.shows(['one', 'two']);
  truncateSync(file, 0);
  await sleep(20);
  appendFileSync(file, 'three\n');
  await watch.shows(['one', 'two', 'three']);
  writeFileSync(file, 'longer than what was there before\n');
  await watch.shows(['one', 'two', 'three', 'longer than what was there before']);
  await watch.end();
  expect(watch.sink.inputs.map(({info}) => info.continues)).toEqual([false, true, true]);
});

test('a file that is empty at first', async () => {
  const file = write('empty.log', '');
  const watch = following(file);
  await sleep(20);
  appendFileSync(file, 'one\n');
  await watch.shows(['one']);
  await watch.end();
});

test('a pipe, to its end', async () => {
  execFileSync('mkfifo', [at('fifo')]);
  const watch = following(at('fifo'));
  const writer = spawn('sh', ['-c', 'exec > "$0"; echo one; echo two; sleep 0.2; printf three', at('fifo')]);
  await watch.shows(['one', 'two']);
  await sleep(60);
  expect(watch.idle).toBeGreaterThan(0);
  await watch.ended;
  expect(watch.sink.lineTexts).toEqual(['one', 'two', 'three']);
  writer.kill();
});

test('a pipe can be given up', async () => {
  execFileSync('mkfifo', [at('silent')]);
  const watch = following(at('silent'));
  await sleep(20);
  await watch.end();
  expect(watch.sink.lineTexts).toEqual([]);
});

test.each([
  ['missing.log', null, 'no such file'],
  ['packed.gz', gzipSync('x\n'), 'it is compressed with gzip; such a file is read whole, and not followed'],
  ['.', null, 'it is a directory, and one file at a time can be followed'],
])('%s', async (name, content, reason) => {
  const file = content === null ? at(name) : write(name, content);
  await expect(following(file).ended).rejects.toThrow(`cannot read ${file}: ${reason}`);
});
