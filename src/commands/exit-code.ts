import {type FailOn, failsFrom, type Severity} from '../severity.ts';

/** What ends a run, apart from what it prints. */
export interface Outcome {
  readonly severities: readonly Severity[];
  readonly failOn: FailOn;
  /** Inputs that could not be read. */
  readonly unreadable: number;
  /** Inputs that were read and say nothing that is understood, or not enough. */
  readonly notUnderstood: number;
  readonly interrupted: boolean;
}

/** Findings at or above `--fail-on`. */
export const EXIT_FINDINGS = 1;
/** Could not run: bad flag, unreadable file, internal error. */
export const EXIT_TROUBLE = 2;
/** Not understood. Never a green, empty report. */
export const EXIT_NOT_UNDERSTOOD = 3;
export const EXIT_INTERRUPTED = 130;

/** 130 before everything, then 2 before 3 before 1. */
export function exitCode({severities, failOn, unreadable, notUnderstood, interrupted}: Outcome): number {
  if (interrupted) return EXIT_INTERRUPTED;
  if (unreadable > 0) return EXIT_TROUBLE;
  if (notUnderstood > 0) return EXIT_NOT_UNDERSTOOD;
  return severities.some((severity) => failsFrom(severity, failOn)) ? EXIT_FINDINGS : 0;
}
