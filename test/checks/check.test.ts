import {describe, expect, test} from 'vitest';
import {check, type Demands, heldAgainst} from '../../src/checks/check.ts';
import {checkReportOf} from '../../src/report/check/json.ts';
import {healthyReload, hungReload, notUnderstood} from '../report/diagnosis.ts';

const demands = (some: Partial<Demands>): Demands => ({limits: {}, rules: {}, strict: false, ...some});
const results = (diagnosis: ReturnType<typeof hungReload>, some: Partial<Demands>) =>
  Object.fromEntries(check(diagnosis, demands(some)).assertions.map(({id, result}) => [id, result]));

test.each<[ReturnType<typeof heldAgainst>, number, number | null, number, boolean]>([
  ['passed', 3, 5, 5, false],
  ['broken', 6, 8, 5, false],
  ['undecided', 3, 8, 5, false],
  ['undecided', 3, null, 5, false],
  ['broken', 6, null, 5, false],
  ['passed', 0.8, 0.8, 0.8, true],
  ['broken', 0.7, 0.7, 0.8, true],
  ['undecided', 0.7, 0.9, 0.8, true],
])('%s: %d to %d against %d', (result, min, max, limit, isLeast) => {
  expect(heldAgainst({min, max}, limit, isLeast)).toBe(result);
});

describe('limits', () => {
  test('hold the worst case against the limit, and name it', () => {
    const {assertions, failed} = check(hungReload(), demands({limits: {'max-reload': 30, 'max-forced': 4}}));
    expect(failed).toBe(true);
    expect(assertions).toMatchObject([
      {id: 'max-reload', result: 'broken', measure: {value: {min: 63, max: 63}}, cases: [{what: 'reload-1'}]},
      {id: 'max-forced', result: 'passed', cases: []},
    ]);
  });

  test('what is only broken by all together names all', () => {
    const [forced] = check(hungReload(), demands({limits: {'max-forced': 2}})).assertions;
    expect(forced).toMatchObject({result: 'broken', cases: [{}, {}, {}, {}]});
  });

  test('nothing to measure is no pass, and fails only where it is strict', () => {
    const limits = {'max-orphans': 0, 'max-stop': 10};
    expect(results(healthyReload(), {limits})).toEqual({'max-orphans': 'unmeasured', 'max-stop': 'unmeasured'});
    expect(check(healthyReload(), demands({limits})).failed).toBe(false);
    expect(check(healthyReload(), demands({limits, strict: true})).failed).toBe(true);
  });
});

describe('rules', () => {
  test.each([
    ['error', 'broken', true],
    ['warning', 'warning', false],
  ] as const)('at %s: %s', (level, result, failed) => {
    const checked = check(hungReload(), demands({rules: {'app-threads-block-shutdown': level}, failOn: 'never'}));
    expect(checked).toMatchObject({failed, assertions: [{id: 'app-threads-block-shutdown', result}]});
  });

  test('at off are not looked at, not even as a finding', () => {
    const checked = check(hungReload(), demands({rules: {'app-threads-block-shutdown': 'off'}}));
    expect(checked).toMatchObject({failed: false, assertions: [{id: 'fail-on', result: 'passed'}], unasserted: []});
  });

  test('that could not look fail nothing, strict or not', () => {
    const checked = check(healthyReload(), demands({rules: {'worker-timeout': 'error'}, strict: true}));
    expect(checked).toMatchObject({failed: false, assertions: [{result: 'unmeasured'}]});
  });
});

describe('findings', () => {
  test('of severity error break a check that asserts nothing else', () => {
    expect(results(hungReload(), {})).toEqual({'fail-on': 'broken'});
    expect(results(hungReload({severity: 'warning'}), {})).toEqual({'fail-on': 'passed'});
    expect(results(hungReload({severity: 'warning'}), {failOn: 'warning'})).toEqual({'fail-on': 'broken'});
  });

  test('about which nothing is asserted are named', () => {
    const checked = check(hungReload(), demands({limits: {'max-forced': 4}}));
    expect(checked).toMatchObject({failed: false, unasserted: [{rule: 'app-threads-block-shutdown'}]});
  });

  test('none, where no rule could look, is no pass', () => {
    const report = checkReportOf(check(notUnderstood(), demands({})), notUnderstood());
    expect(report).toMatchObject({assertions: [{result: 'unmeasured'}], verdict: expect.stringContaining('not understood')});
  });
});
