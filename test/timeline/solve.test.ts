import {describe, expect, test} from 'vitest';
import type {LogEvent} from '../../src/timeline/event.ts';
import {type Constraint, solve} from '../../src/timeline/solve.ts';
import type {Instant} from '../../src/timeline/time.ts';
import {randomFrom} from '../grammar/random.ts';

function eventAt(at: Instant, line: number): LogEvent {
  return {
    message: 'uwsgi/worker-buried',
    meaning: {kind: 'process-ended'},
    fields: {},
    pid: null,
    worker: null,
    input: 0,
    line,
    place: line,
    text: '',
    at,
    served: 0,
    stream: null,
    sink: 'plain',
    writer: null,
    mark: '',
  };
}

const OPEN: Instant = {earliest: null, latest: null};
const exact = (at: number): Instant => ({earliest: at, latest: at});

describe('solving', () => {
  test('a line between two stamps lies between them', () => {
    const events = [exact(1000), OPEN, exact(5000)].map(eventAt);
    expect(solve(events, []).instants[1]).toEqual({earliest: 1000, latest: 5000});
  });

  test('a deadline bounds what came before it, and that bounds the lines in front', () => {
    const events = [OPEN, OPEN, exact(64_000)].map(eventAt);
    const mercy: Constraint = {before: events[1]!, after: events[2]!, min: 60_000, max: 63_000, because: 'mercy'};
    expect(solve(events, [mercy]).instants).toEqual([
      {earliest: null, latest: 4000},
      {earliest: 1000, latest: 4000},
      {earliest: 64_000, latest: 64_000},
    ]);
  });

  test('bounds travel along several constraints', () => {
    const events = [OPEN, OPEN, OPEN, exact(10_000)].map(eventAt);
    const step = (n: number): Constraint => ({before: events[n]!, after: events[n + 1]!, min: 1000, max: 2000, because: 'step'});
    expect(solve(events, [step(0), step(1), step(2)]).instants[0]).toEqual({earliest: 4000, latest: 7000});
  });

  test('what contradicts a stamp is set aside and named', () => {
    const events = [exact(0), exact(10_000)].map(eventAt);
    const wrong: Constraint = {before: events[0]!, after: events[1]!, min: 60_000, max: 63_000, because: 'mercy'};
    const {instants, disagreements} = solve(events, [wrong]);
    expect(disagreements).toEqual([wrong]);
    expect(instants).toEqual([exact(0), exact(10_000)]);
  });

  test('a clock that steps back does not empty the bounds of what follows', () => {
    const events = [exact(10_000), exact(2000), OPEN, exact(3000)].map(eventAt);
    expect(solve(events, []).instants[2]).toEqual({earliest: 2000, latest: 3000});
  });
});

const seed = Number(process.env['FUZZ_SEED'] ?? 1789);

describe(`properties (seed ${seed})`, () => {
  test('the truth stays inside, and widening a stamp never narrows anything', () => {
    const random = randomFrom(seed);
    for (let round = 0; round < 300; round++) {
      const {events, constraints, truth} = consistentLog(random);
      const {instants, disagreements} = solve(events, constraints);
      expect(disagreements, `round ${round}`).toEqual([]);
      for (const [n, at] of instants.entries()) expect(contains(at, exact(truth[n]!)), `round ${round}, event ${n}`).toBe(true);

      const widened = random(events.length);
      const loose = events.map((event, n) => (n === widened ? {...event, at: widen(event.at, random)} : event));
      const moved = constraints.map((constraint) => ({
        ...constraint,
        before: loose[events.indexOf(constraint.before)]!,
        after: loose[events.indexOf(constraint.after)]!,
      }));
      for (const [n, at] of solve(loose, moved).instants.entries()) {
        expect(contains(at, instants[n]!), `round ${round}, event ${n} after widening ${widened}`).toBe(true);
      }
    }
  });
});

/** Lines of a log whose true times are known, some of them stamped, and constraints that hold for them. */
function consistentLog(random: (below: number) => number): {events: LogEvent[]; constraints: Constraint[]; truth: number[]} {
  const truth: number[] = [];
  for (let n = 0, at = 1_000_000; n < 3 + random(20); n++) truth.push((at += random(5000)));
  const events = truth.map((at, n) => eventAt(random(3) === 0 ? exact(at) : OPEN, n + 1));
  const constraints = Array.from({length: random(8)}, (): Constraint => {
    const before = random(truth.length - 1);
    const after = before + 1 + random(truth.length - before - 1);
    const gap = truth[after]! - truth[before]!;
    return {
      before: events[before]!,
      after: events[after]!,
      min: Math.max(0, gap - random(3000)),
      max: random(3) === 0 ? null : gap + random(3000),
      because: 'it was so',
    };
  });
  return {events, constraints, truth};
}

function widen({earliest, latest}: Instant, random: (below: number) => number): Instant {
  return {
    earliest: earliest === null || random(3) === 0 ? null : earliest - random(5000),
    latest: latest === null || random(3) === 0 ? null : latest + random(5000),
  };
}

function contains(outer: Instant, inner: Instant): boolean {
  const from = outer.earliest === null || (inner.earliest !== null && outer.earliest <= inner.earliest);
  const to = outer.latest === null || (inner.latest !== null && outer.latest >= inner.latest);
  return from && to;
}
