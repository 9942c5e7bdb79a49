import {expect, test} from 'vitest';
import {ruleList} from '../../src/report/rule-list.ts';
import {rules} from '../../src/rules/index.ts';

test.each([40, 60, 100, 120])('every rule is listed within %d columns', (width) => {
  const lines = ruleList(rules, width).trimEnd().split('\n');
  expect(lines.filter((line) => line.length > width)).toEqual([]);
  for (const {id, severity} of rules)
    expect(lines.some((line) => line.startsWith(`${id} `) && line.includes(severity))).toBe(true);
});
