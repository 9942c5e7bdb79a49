import {describe, expect, test} from 'vitest';
import {type Budget, type Change, compare, type Side} from '../../src/checks/compare.ts';
import type {MeasureId} from '../../src/measures/measure.ts';
import {sideOf} from '../../src/report/compare/side.ts';
import {comparisonVerdict} from '../../src/report/compare/verdict.ts';
import {finding, healthyReload, hungReload, notUnderstood} from '../report/diagnosis.ts';

type Figure = readonly [min: number, max: number | null, count?: number] | null;
const budget = (some: Partial<Budget> = {}): Budget => ({limits: {}, tolerance: 0, failOn: 'error', ...some});

function side(figures: Partial<Record<MeasureId, Figure>>, findings: Side['findings'] = []): Side {
  const entries = Object.entries(figures) as [MeasureId, Figure][];
  return {
    name: 'uwsgi.log',
    isUnderstood: true,
    measures: entries.map(([id, figure]) => ({
      id,
      title: id,
      unit: id === 'forced-kills' || id === 'orphaned-tasks' ? 'count' : 'seconds',
      value: figure === null ? null : {min: figure[0], max: figure[1]},
      missing: figure === null ? 'the log shows none' : null,
    })),
    counts: new Map(entries.map(([id, figure]) => [id, figure?.[2] ?? 1])),
    findings,
  };
}

const changeOf = (id: MeasureId, before: Figure, after: Figure, reloads: readonly [number, number] = [1, 1]) =>
  compare(
    side({[id]: before, 'longest-reload': [1, 1, reloads[0]]}),
    side({[id]: after, 'longest-reload': [1, 1, reloads[1]]}),
    budget(),
  ).measures.find((measure) => measure.id === id)?.change;

describe('durations', () => {
  test.each<[Change, Figure, Figure]>([
    ['better', [61, 62], [1, 2]],
    ['worse', [1, 2], [61, 62]],
    ['better', [61, null], [1, 60]],
    ['worse', [1, 2], [3, null]],
    ['unknown', [3, 7], [0, 7]],
    ['unknown', [3, 7], [7, 9]],
    ['unknown', [3, null], [0, null]],
    ['same', [0, 0], [0, 0]],
    ['same', [61, 61], [62, 62]],
    ['worse', [61, 61], [63, 63]],
    ['unknown', null, [1, 1]],
    ['unknown', [1, 1], null],
    ['unknown', null, null],
  ])('%s: %j, then %j', (change, before, after) => expect(changeOf('longest-wait', before, after)).toBe(change));
});

test.each<[string, Figure, Figure]>([
  ['not known before and after', [0, null], [0, null]],
  ['not known after', [3, 4], [0, null]],
  ['the intervals overlap', [3, 7], [5, null]],
  ['before: the log shows none', null, [1, 1]],
])('why it cannot be told: %s', (because, before, after) => {
  const {measures} = compare(side({'longest-wait': before}), side({'longest-wait': after}), budget());
  expect(measures.map((measure) => measure.because)).toEqual([because]);
});

test.each<[Change, Figure, Figure]>([
  ['better', [3, 3, 3], [0, 0, 6]],
  ['same', [2, 2, 6], [1, 1, 3]],
  ['worse', [1, 1, 6], [1, 1, 3]],
  ['unknown', [1, 3, 6], [1, 1, 3]],
])('kills are compared as a share of those that ended: %s', (change, before, after) => {
  expect(changeOf('forced-kills', before, after)).toBe(change);
});

test.each<[Change, Figure, Figure, readonly [number, number]]>([
  ['same', [10, 10], [30, 30], [1, 3]],
  ['worse', [10, 10], [30, 30], [1, 1]],
  ['unknown', [10, 10], [30, 30], [0, 0]],
  ['unknown', [10, 10], [30, 30], [0, 2]],
  ['same', [0, 0], [0, 0], [0, 4]],
])('downtime is compared for each reload: %s', (change, before, after, reloads) => {
  expect(changeOf('downtime', before, after, reloads)).toBe(change);
});

describe('the budget', () => {
  const worse = (some: Partial<Budget>) =>
    compare(side({'longest-reload': [50, 50]}), side({'longest-reload': [58, 58]}), budget(some)).failed;

  test('is nothing unless one is given', () => expect(worse({})).toBe(true));

  test('in percent', () => {
    expect(worse({tolerance: 0.1})).toBe(true);
    expect(worse({tolerance: 0.15})).toBe(false);
  });

  test('as a limit, which then decides alone', () => {
    expect(worse({limits: {'max-reload': 60}})).toBe(false);
    expect(worse({limits: {'max-reload': 55}, tolerance: 1})).toBe(true);
    expect(
      compare(side({'longest-reload': [50, 50]}), side({'longest-reload': [40, 40]}), budget({limits: {'max-reload': 30}}))
        .failed,
    ).toBe(true);
  });

  test('a second, which stamps cannot tell, is in every budget', () => {
    expect(compare(side({'longest-wait': [1, 1]}), side({'longest-wait': [1.5, 2.5]}), budget()).failed).toBe(false);
  });
});

describe('findings', () => {
  const [error, warning] = [finding({fingerprint: 'a'}), finding({fingerprint: 'b', severity: 'warning'})];

  test('are gone, new or kept', () => {
    const {gone, fresh, kept} = compare(side({}, [error]), side({}, [warning]), budget());
    expect({gone, fresh, kept}).toEqual({gone: [error], fresh: [warning], kept: []});
    expect(compare(side({}, [error]), side({}, [error]), budget())).toMatchObject({kept: [{fingerprint: 'a'}], failed: false});
  });

  test('new ones fail from a severity on', () => {
    expect(compare(side({}), side({}, [error]), budget()).failed).toBe(true);
    expect(compare(side({}), side({}, [warning]), budget()).failed).toBe(false);
    expect(compare(side({}), side({}, [warning]), budget({failOn: 'warning'})).failed).toBe(true);
    expect(compare(side({}), side({}, [error]), budget({failOn: 'never'})).failed).toBe(false);
  });
});

describe('the verdict', () => {
  const verdict = (before: Side, after: Side) => comparisonVerdict(compare(before, after, budget()));
  const [hung, healthy] = [sideOf('a.log', hungReload()), sideOf('b.log', healthyReload())];

  test('of a change that helped', () => expect(verdict(hung, healthy)).toMatch(/^Better\. /));
  test('of one that did harm', () => expect(verdict(healthy, hung)).toMatch(/^Worse, over budget\. /));
  test('of one that only added a warning', () => {
    const after = {...healthy, findings: [finding({severity: 'warning'})]};
    expect(verdict(healthy, after)).toMatch(/^Worse, within the budget\. /);
  });
  test('of none', () => expect(verdict(hung, hung)).toMatch(/^No difference shown\. /));
  test('of a log that was not understood', () => {
    expect(verdict(hung, sideOf('c.txt', notUnderstood()))).toBe('Nothing can be compared: c.txt was not understood.');
  });
});
