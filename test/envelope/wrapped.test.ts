import {describe, expect, test} from 'vitest';
import {envelopes} from './envelopes.ts';
import {essence, linesCounted, timedLines, timelineOf} from './plain-run.ts';

const samples = ['idle-workers-held-by-thread-prefork', 'chain-reload-slow', 'max-requests-orphans-tasks', 'healthy-reload'];

// The same run, whatever was put around its lines.
describe.each(samples)('%s', async (sample) => {
  const lines = await timedLines(sample);
  const plain = await timelineOf(`${lines.map(({text}) => text).join('\n')}\n`);

  test.each(Object.entries(envelopes))('in %s', async (_, {names, wrap, isTimed, zone, stream, linesPerLine}) => {
    const wrapped = await timelineOf(wrap(lines));
    expect(essence(wrapped)).toEqual(essence(plain));
    const [input] = wrapped.inputs;
    expect(input?.envelopes).toEqual(names);
    const {counted, lines: read} = linesCounted(wrapped);
    expect(counted).toBe(read);
    if (linesPerLine !== undefined) expect(read).toBeGreaterThanOrEqual(linesPerLine * lines.length - 1);
    if (zone !== undefined) expect(input?.zone).toBe(zone);
    if (stream !== undefined) expect(new Set(wrapped.events.map((event) => event.stream))).toEqual(new Set([stream]));
    for (const [index, {at}] of wrapped.events.entries()) {
      const before = plain.events[index]?.at ?? {earliest: null, latest: null};
      if (isTimed) expect(at.earliest).not.toBeNull();
      if (isTimed) expect(at.latest).toBe(at.earliest);
      if (!isTimed) expect(at).toEqual(before);
      // A stamp stands for its whole second.
      if (before.earliest !== null) expect(at.earliest).toBeGreaterThanOrEqual(before.earliest - 999);
      if (before.latest !== null) expect(at.latest).toBeLessThanOrEqual(before.latest + 999);
    }
  });
});
