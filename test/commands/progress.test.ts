import {setTimeout as sleep} from 'node:timers/promises';
import {expect, test} from 'vitest';
import {analyze, type Progress} from '../../src/analyze.ts';
import {progressText, showProgress} from '../../src/commands/progress.ts';

test.each<[Progress, number, string]>([
  [{bytes: 412_000_000, total: 1_000_000_000, events: 5021}, 1000, 'reading: 41 % of 1,000 MB, 412 MB/s, 5,021 events'],
  [{bytes: 3_000_000_000, total: null, events: 1}, 2000, 'reading: 3,000 MB, 1,500 MB/s, 1 event'],
  [{bytes: 7, total: 5, events: 0}, 600, 'reading: 100 % of 0 MB, 0 MB/s, 0 events'],
])('%j after %i ms', (progress, elapsed, text) => expect(progressText(progress, elapsed)).toBe(text));

test('what is over at once draws nothing, and what is not leaves nothing behind', async () => {
  const written: string[] = [];
  const line = {columns: 28, write: (text: string) => written.push(text)};
  const measure = () => ({bytes: 412_000_000, total: 1_000_000_000, events: 5021});
  showProgress(measure, line)();
  expect(written).toEqual([]);
  const end = showProgress(measure, line);
  for (let patience = 400; patience > 0 && written.length === 0; patience--) await sleep(20);
  end();
  expect(written[0]).toBe('\rreading: 41 % of 1,000 MB, \x1b[K');
  expect(written.at(-1)).toBe('\r\x1b[K');
});

test('the reader tells how far it is', async () => {
  let progress: (() => Progress) | undefined;
  const file = 'samples/reported/002-chain-reload-4-minutes.log';
  const {timeline} = await analyze({
    inputs: [file, file, 'samples/uwsgi/harakiri/uwsgi.log'],
    onReading: (measure) => {
      progress = measure;
      expect(measure()).toEqual({bytes: 0, total: null, events: 0});
    },
  });
  const bytes = timeline.inputs.reduce((sum, input) => sum + input.bytes, 0);
  expect(progress?.()).toEqual({bytes, total: bytes, events: timeline.events.length});
});
