import {expect, test} from 'vitest';
import {verdict} from '../../src/report/verdict.ts';
import {finding, healthyReload, hungReload, input, notUnderstood} from './diagnosis.ts';

test('names the worst finding, the first remedy, and how much else there is', () => {
  const diagnosis = hungReload();
  const note = finding({severity: 'info', title: 'A smell'});
  const second = finding({title: 'Something else'});
  expect(verdict({...diagnosis, findings: [note, ...diagnosis.findings, second]})).toBe(
    'Idle workers do not stop and are killed when mercy runs out (likely); the reload took 63 s; ' +
      'the setting to try first is worker-reload-mercy = 5: wait 61 s -> 6 s (may cut requests that are still running; not tried on a real server); ' +
      'also 1 further error and 1 note.',
  );
});

test('says how long healthy reloads took and how much could be checked', () => {
  expect(verdict(healthyReload())).toMatch(/^No trouble found: 1 reload completed in 2 s; 2 of 3 rules could be checked[;.]/);
});

test('a kill without a finding is not called health', () => {
  expect(verdict({...hungReload(), findings: []})).toMatch(
    /^No rule names a trouble, although 4 processes were killed or crashed: /,
  );
});

test('nothing understood is never green', () => {
  expect(verdict(notUnderstood())).toMatch(/^Not understood: /);
});

test('an empty input is called empty', () => {
  const diagnosis = notUnderstood();
  const counts = {events: 0, requests: 0, noise: 0, application: 0, unknown: 0};
  const timeline = {...diagnosis.timeline, inputs: [{...input, lines: 0, counts}]};
  expect(verdict({...diagnosis, timeline})).toBe('Nothing to judge: the input is empty.');
});

test('one of several inputs that was not understood is named', () => {
  const diagnosis = healthyReload();
  const other = {...input, name: 'nginx.log', lines: 9, counts: {events: 0, requests: 0, noise: 0, application: 0, unknown: 9}};
  const timeline = {...diagnosis.timeline, inputs: [input, other]};
  expect(verdict({...diagnosis, timeline})).toContain('; nginx.log was not understood, none of its 9 lines');
});

test('lines that look like a server’s and are not known are told where nothing was found', () => {
  const diagnosis = healthyReload();
  const unclear = {...input, counts: {...input.counts, unknown: 3}};
  const timeline = {...diagnosis.timeline, inputs: [unclear]};
  expect(verdict({...diagnosis, timeline})).toMatch(
    /^No trouble found: .*; 3 lines that look like a server's could not be read\.$/,
  );
  const trouble = hungReload();
  expect(verdict({...trouble, timeline: {...trouble.timeline, inputs: [unclear]}})).not.toContain('could not be read');
});

test('a log in which no rule could be checked is not called healthy', () => {
  const diagnosis = healthyReload();
  const rules = diagnosis.rules.map((rule) => ({...rule, result: 'skipped' as const}));
  expect(verdict({...diagnosis, rules})).toMatch(/^Nothing can be said about this log: .*; 0 of 3 rules could be checked[;.]/);
});
