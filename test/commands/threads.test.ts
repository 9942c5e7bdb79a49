import {execFile} from 'node:child_process';
import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';

const run = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const generate = fileURLToPath(new URL('../bench/generate.mjs', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'logdoctor-threads-'));

async function report(file: string, threads: number): Promise<string> {
  const args = [run, file, '--json', '--fail-on', 'never', '--threads', String(threads)];
  return (await promisify(execFile)(process.execPath, args, {maxBuffer: 64 * 1024 * 1024})).stdout;
}

test('the report is the same on one thread and on several', async () => {
  const options = ['--size', '27m', '--seed', '3', '--only', 'bare', '--dir', directory];
  await promisify(execFile)(process.execPath, [generate, ...options]);
  const path = join(directory, 'bare.log');
  const alone = await report(path, 1);
  expect(JSON.parse(alone).inputs[0].counts.requests).toBeGreaterThan(100_000);
  expect(await report(path, 2)).toBe(alone);
  expect(await report(path, 3)).toBe(alone);
  // A line that no block can hold ends the help, not the reading; the last line has no line end.
  const log = readFileSync(path);
  const half = log.indexOf('\n', log.length / 2) + 1;
  const mended = join(directory, 'mended.log');
  writeFileSync(
    mended,
    Buffer.concat([log.subarray(0, half), Buffer.alloc(3_000_000, 'x'), Buffer.from('\n'), log.subarray(half, -1)]),
  );
  expect(await report(mended, 2)).toBe(await report(mended, 1));
});
