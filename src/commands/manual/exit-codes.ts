/** What the exit codes mean, for people. `../exit-code.ts` decides them. */
export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [0, 'Read and understood; nothing at or above --fail-on.'],
  [1, 'Findings at or above --fail-on.'],
  [2, 'Could not run: a bad flag, a file that cannot be read.'],
  [3, 'Not understood: no line of a supervisor was recognised, or less than --min-coverage. Never a green, empty report.'],
  [130, 'Interrupted; what was read so far is reported.'],
];
