import {describe, expect, test} from 'vitest';
import {exitCode, type Outcome} from '../../src/commands/exit-code.ts';
import {didYouMean} from '../../src/commands/nearest.ts';
import {wantsColor, widthFor} from '../../src/commands/terminal.ts';

const fine: Outcome = {severities: [], failOn: 'error', unreadable: 0, notUnderstood: 0, interrupted: false};

describe('exit code', () => {
  test.each<[number, Partial<Outcome>]>([
    [0, {}],
    [1, {severities: ['info', 'error']}],
    [0, {severities: ['warning', 'info']}],
    [1, {severities: ['warning'], failOn: 'warning'}],
    [1, {severities: ['error'], failOn: 'info'}],
    [0, {severities: ['info'], failOn: 'warning'}],
    [0, {severities: ['error'], failOn: 'never'}],
    [3, {notUnderstood: 1, failOn: 'never'}],
    [3, {severities: ['error'], notUnderstood: 1}],
    [2, {severities: ['error'], notUnderstood: 1, unreadable: 1}],
    [130, {severities: ['error'], notUnderstood: 1, unreadable: 1, interrupted: true}],
  ])('%i for %j', (code, outcome) => expect(exitCode({...fine, ...outcome})).toBe(code));
});

test('near words are suggested, far ones are not', () => {
  const ids = ['mercy-too-long', 'mercy-too-short', 'harakiri-kills'];
  expect(didYouMean('mercy-to-long', ids)).toBe('. Did you mean mercy-too-long?');
  expect(didYouMean('harakiri', ids)).toBe('. Did you mean harakiri-kills?');
  expect(didYouMean('formta', ['format', 'json'], '--')).toBe('. Did you mean --format?');
  expect(didYouMean('uwsgi.log', ids)).toBe('');
});

describe('colour', () => {
  test.each<[boolean, boolean | undefined, NodeJS.ProcessEnv, boolean]>([
    [true, undefined, {}, true],
    [false, undefined, {}, false],
    [false, undefined, {TERM: 'dumb'}, true],
    [false, undefined, {NO_COLOR: '1'}, true],
    [true, undefined, {NO_COLOR: ''}, true],
    [true, undefined, {FORCE_COLOR: '1'}, false],
    [false, undefined, {FORCE_COLOR: '0'}, true],
    [true, true, {NO_COLOR: '1'}, false],
    [false, false, {FORCE_COLOR: '1'}, true],
  ])('%s for flag %s, %j, terminal: %s', (wanted, flag, env, terminal) => expect(wantsColor(flag, env, terminal)).toBe(wanted));

  test('width', () => expect([undefined, 20, 90, 300].map(widthFor)).toEqual([100, 40, 90, 120]));
});
