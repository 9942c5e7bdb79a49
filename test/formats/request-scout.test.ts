import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {HEADROOM} from '../../src/grammar/matcher.ts';
import {Recorder} from '../../src/recorder/recorder.ts';
import {FACTS} from '../../src/recorder/request-facts.ts';
import {requestScout} from '../../src/recorder/request-scout.ts';
import {mostRequests} from '../../src/recorder/request-sweep.ts';
import {NOTHING_SCOUTED} from '../../src/source/sink.ts';
import {randomFrom} from '../grammar/random.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_121);
const recorded = readdirSync('samples/uwsgi').map((name) => join('samples/uwsgi', name, 'uwsgi.log'));
const wrapped = readdirSync('test/envelope/real', {recursive: true, encoding: 'utf8'})
  .filter((name) => name.endsWith('.log'))
  .map((name) => join('test/envelope/real', name));

/** What a recorder makes of a log in regions of random sizes, some of which a scout has seen before. */
async function recordingOf(log: Buffer, random: (below: number) => number, isScouted: () => boolean) {
  const recorder = await Recorder.create('compiled');
  const look = requestScout();
  const buffer = Buffer.concat([log, Buffer.from(log.at(-1) === 10 ? '' : '\n'), Buffer.alloc(HEADROOM)]);
  const length = buffer.length - HEADROOM;
  recorder.open({name: 'log', compression: 'none'});
  for (let start = 0; start < length; ) {
    const end = buffer.indexOf('\n', Math.min(length - 1, start + random(3000))) + 1;
    const facts = new Float64Array(FACTS * mostRequests(end - start));
    const region = {start, end, fileEnd: end, isLast: false};
    recorder.lines(buffer, start, end, false, isScouted() ? {facts, count: look(buffer, region, facts)} : NOTHING_SCOUTED);
    start = end;
  }
  recorder.close({bytes: log.length, truncated: false});
  return recorder.finish();
}

const others = [...recorded, ...wrapped].map((name) => readFileSync(name, 'utf8').split('\n'));

/** Long enough to be swept, with lines of other logs now and then. */
function longer(lines: string[], random: (below: number) => number): string[] {
  while (lines.length < 1500) {
    const from = random(2) === 0 ? lines : (others[random(others.length)] as string[]);
    const at = random(from.length);
    lines.splice(random(lines.length), 0, ...from.slice(at, at + 1 + random(40)));
  }
  return lines;
}

/** As dockerd writes it, most of the time. */
function dockerRecord(line: string, n: number, random: (below: number) => number): string {
  const fraction = String(1_000_000_000 + n * 1000)
    .slice(1)
    .replace(/0+$/, '');
  const time = `2026-11-20T06:00:00.${fraction === '' ? '0' : fraction}Z`;
  const log =
    random(20) > 0 ? line : `${line.slice(0, random(300))}${['"', '\\', '\r', 'ü', '\t', '\\n', '\u2028'][random(7)]}${line}`;
  const records = [
    {log: `${log}\n`, stream: 'stderr', attrs: {tag: 'web-1'}, time},
    {log, stream: 'stdout', time},
    {log: `${log}\n${line}\n`, stream: 'stdout', time},
    {log: `${log}\n`, time, stream: 'stdout'},
  ];
  const record = records[random(100)] ?? {log: `${log}\n`, stream: random(9) === 0 ? 'stderr' : 'stdout', time};
  return JSON.stringify(record).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
}

/** A log read in one go gives what it gives in small regions, which are not swept. */
async function expectSameInOne(text: string, random: (below: number) => number): Promise<void> {
  const log = Buffer.from(text);
  const whole = await recordingOf(
    log,
    () => log.length,
    () => false,
  );
  const small = await recordingOf(log, random, () => false);
  expect(JSON.stringify(whole) === JSON.stringify(small), `seed ${seed}`).toBe(true);
}

describe('what a scout saw changes nothing', () => {
  test.each([...recorded, ...wrapped])(`%s (seed ${seed})`, async (file) => {
    const log = readFileSync(file);
    const alone = await recordingOf(
      log,
      () => 3000,
      () => false,
    );
    const random = randomFrom(seed);
    for (let round = 0; round < 3; round++) {
      const scouted = await recordingOf(log, random, () => random(3) > 0);
      expect(JSON.stringify(scouted) === JSON.stringify(alone), `seed ${seed}, round ${round}`).toBe(true);
    }
  });

  test.each([...recorded, ...wrapped])(`nor does what is swept: %s (seed ${seed})`, async (file) => {
    const random = randomFrom(seed);
    await expectSameInOne(longer(readFileSync(file, 'latin1').split('\n'), random).join('\n'), random);
  });

  test.each(recorded)(`nor does what is swept in records of dockerd: %s (seed ${seed})`, async (file) => {
    const random = randomFrom(seed);
    const lines = longer(readFileSync(file, 'utf8').split('\n'), random);
    await expectSameInOne(lines.map((line, n) => dockerRecord(line, n, random)).join('\n'), random);
  });

  test('it finds the request lines that stand bare', () => {
    const line = readFileSync('samples/uwsgi/healthy-reload/uwsgi.log', 'latin1')
      .split('\n')
      .find((text) => text.startsWith('[pid: '));
    const log = Buffer.concat([Buffer.from(`${line}\nother\n${line}  \n`), Buffer.alloc(HEADROOM)]);
    const region = {start: 0, end: log.length - HEADROOM, fileEnd: 0, isLast: false};
    expect(requestScout()(log, region, new Float64Array(10 * FACTS))).toBe(2);
  });
});
