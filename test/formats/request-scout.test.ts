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
    const lines = readFileSync(file, 'latin1').split('\n');
    const others = [...recorded, ...wrapped].map((name) => readFileSync(name, 'latin1').split('\n'));
    // Long enough for it, with a line of another log now and then.
    while (lines.length < 1500) {
      const from = random(2) === 0 ? lines : (others[random(others.length)] as string[]);
      const at = random(from.length);
      lines.splice(random(lines.length), 0, ...from.slice(at, at + 1 + random(40)));
    }
    const log = Buffer.from(lines.join('\n'), 'latin1');
    const whole = await recordingOf(
      log,
      () => log.length,
      () => false,
    );
    const small = await recordingOf(log, random, () => false);
    expect(JSON.stringify(whole) === JSON.stringify(small), `seed ${seed}`).toBe(true);
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
