import {describe, expect, test} from 'vitest';
import {exitCode, type Outcome} from '../../src/commands/exit-code.ts';

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
