import {expect, test} from 'vitest';
import {type Baseline, baselineFrom, baselineText, useBaseline} from '../../src/checks/baseline.ts';
import {reportOf} from '../../src/report/json.ts';
import {text} from '../../src/report/text.ts';
import {verdict} from '../../src/report/verdict.ts';
import {finding, hungReload} from '../report/diagnosis.ts';

const [known, other] = [
  finding({fingerprint: '0123456789abcdef'}),
  finding({fingerprint: 'fedcba9876543210', rule: 'mercy-too-long'}),
];
const entry = (changes: object) => ({
  fingerprint: known?.fingerprint ?? '',
  rule: 'app-threads-block-shutdown',
  title: '',
  reason: 'OPS-12',
  expires: null,
  ...changes,
});
const baseline = (...entries: object[]): Baseline => ({file: 'b.json', entries: entries.map(entry)});

test('an accepted finding does not count, and the others do', () => {
  const {left, use} = useBaseline(baseline({}), [known, other], '2026-11-21');
  expect(left).toEqual([other]);
  expect(use).toMatchObject({accepted: [{finding: known, entry: {reason: 'OPS-12'}}], expired: [], stale: []});
});

test.each([
  ['2026-11-21', 'accepted'],
  ['2026-11-20', 'expired'],
])('an entry that ends on %s is %s on 2026-11-21', (expires, where) => {
  const {left, use} = useBaseline(baseline({expires}), [known], '2026-11-21');
  expect(use[where as 'accepted' | 'expired']).toHaveLength(1);
  expect(left).toHaveLength(where === 'expired' ? 1 : 0);
});

test('an entry without a finding is stale', () => {
  const {use} = useBaseline(baseline({fingerprint: 'aaaaaaaaaaaaaaaa'}), [known], '2026-11-21');
  expect(use.stale).toMatchObject([{fingerprint: 'aaaaaaaaaaaaaaaa'}]);
});

test('what is written is read again, keeps reasons and dates, and drops what is stale', async () => {
  const before = baseline({expires: '2027-01-31'}, {fingerprint: 'aaaaaaaaaaaaaaaa'});
  const again = baselineFrom('b.json', baselineText([known, other], before, 'new'));
  expect(again.entries).toMatchObject([
    {fingerprint: known.fingerprint, reason: 'OPS-12', expires: '2027-01-31'},
    {fingerprint: other.fingerprint, reason: 'new', expires: null},
  ]);
});

test.each([
  ['{"schemaVersion": 1, "accepted": [{"fingerprint": "0123456789abcdef", "rule": "x"}]}', 'b.json:1: reason is missing'],
  ['{"schemaVersion": 2, "accepted": []}', 'b.json:1: schemaVersion takes 1, not 2'],
  [
    'schemaVersion: 1\naccepted:\n- fingerprint: 0123456789abcdef\n  rule: x\n  reason: y\n  expires: tomorrow\n',
    'b.json:6: expires takes a day',
  ],
])('%s is refused', async (text, message) => {
  expect(() => baselineFrom('b.json', text)).toThrow(message);
});

test('the report names what was accepted, and does not call the log healthy without saying so', () => {
  const diagnosis = hungReload({fingerprint: known.fingerprint});
  const {left, use} = useBaseline(baseline({}), diagnosis.findings, '2026-11-21');
  const accepted = {...diagnosis, findings: left, baseline: use};
  expect(reportOf(accepted)).toMatchObject({findings: [], baseline: {file: 'b.json', accepted: [{reason: 'OPS-12'}]}});
  expect(text.render(accepted, {width: 100, color: false, quiet: false, showRules: false})).toContain('Reason: OPS-12');
  expect(verdict(accepted)).toContain('1 accepted finding');
});
