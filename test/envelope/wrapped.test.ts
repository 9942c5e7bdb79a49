import {describe, expect, test} from 'vitest';
import {envelopes} from './envelopes.ts';
import {pastes} from './pastes.ts';
import {accusations, diagnosisOf, essence, linesCounted, recordedLines, recordedRuns} from './plain-run.ts';

// The same run, whatever was put around its lines.
describe.each(recordedRuns)('%s', (run) => {
  const lines = recordedLines(run);
  const plain = diagnosisOf(`${lines.map(({text}) => text).join('\n')}\n`);

  test.each(Object.entries({...envelopes, ...pastes}))('in %s', async (_, {names, wrap, isTimed, zone, stream, linesPerLine}) => {
    const before = await plain;
    const diagnosis = await diagnosisOf(wrap(lines));
    const {timeline} = diagnosis;
    expect(essence(timeline)).toEqual(essence(before.timeline));
    expect(accusations(diagnosis)).toEqual(accusations(before, isTimed ? 'and times are told' : 'as it is'));
    const [input] = timeline.inputs;
    // What the server itself puts around its words stands inside.
    const own = before.timeline.inputs[0]?.envelopes.filter((name) => name !== 'plain' && !names.includes(name)) ?? [];
    expect(input?.envelopes).toEqual([...names, ...own]);
    const {counted, lines: read} = linesCounted(timeline);
    expect(counted).toBe(read);
    if (linesPerLine !== undefined) expect(read).toBeGreaterThanOrEqual(linesPerLine * lines.length - 1);
    if (zone !== undefined) expect(input?.zone).toBe(zone);
    if (stream !== undefined) expect(new Set(timeline.events.map((event) => event.stream))).toEqual(new Set([stream]));
    for (const [index, {at, line}] of timeline.events.entries()) {
      const untold = before.timeline.events[index]?.at ?? {earliest: null, latest: null};
      if (isTimed) expect(at.earliest, `line ${line}`).not.toBeNull();
      if (isTimed) expect(at.latest).toBe(at.earliest);
      if (!isTimed) expect(at).toEqual(untold);
      // A stamp stands for its whole second.
      if (untold.earliest !== null) expect(at.earliest).toBeGreaterThanOrEqual(untold.earliest - 999);
      if (untold.latest !== null) expect(at.latest).toBeLessThanOrEqual(untold.latest + 999);
    }
  });
});
