import {expect, test} from 'vitest';
import {failureOf} from '../../src/commands/failure.ts';
import {UsageError} from '../../src/commands/usage-error.ts';

test('a full disk is no internal error', () => {
  const error = Object.assign(new Error('ENOSPC: no space left on device, write'), {syscall: 'write', code: 'ENOSPC'});
  expect(failureOf(error)).toEqual({message: 'cannot write the output: ENOSPC: no space left on device, write', exitCode: 2});
});

test('what nobody foresaw shows where it happened', () => {
  const {message, exitCode} = failureOf(new TypeError('x is not a function'));
  expect(message).toMatch(/^internal error; [^\n]*\nTypeError: x is not a function\n +at /);
  expect(exitCode).toBe(2);
});

test('a wrong call is told without the frame that oclif puts around it', () => {
  const error = new UsageError('Parsing --min-coverage \n\tit is no percentage\nSee more help with --help');
  expect(failureOf(error)).toEqual({message: 'it is no percentage', exitCode: 2});
});

test('a missing argument is told without a note on flags', () => {
  const error = new UsageError(
    'Missing 1 required arg:\nafter  a log\n\nNote: --format allows multiple values.\nAlternatively, --.',
  );
  expect(failureOf(error)).toEqual({message: 'Missing 1 required arg:\nafter  a log', exitCode: 2});
});
