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
  expect(failureOf(error)).toEqual({message: 'AFTER is missing: a log', exitCode: 2});
});

test('flags that are missing are named with what to do', () => {
  const message = (text: string) =>
    failureOf(new UsageError(`The following error occurred:\n  ${text}\nSee more help with --help`)).message;
  expect(message('Missing required flag set')).toBe('--set is missing; --help shows what it takes');
  expect(message('All of the following must be provided when using --task-start: --task-end')).toBe(
    '--task-start goes with --task-end, which is missing',
  );
});
