/** What whoever calls may choose about the reading of lines. */

/** The compiled matchers, or Ohm's interpreter, which they were made from. */
export type Engine = 'compiled' | 'ohm';

/**
 * What the user says tells that a task begins, and that it ends: two regular expressions in RE2's syntax, each with
 * the named groups `id`, `pid` and `thread`, all optional.
 */
export interface TaskExpressions {
  readonly start: string;
  readonly end: string;
}
