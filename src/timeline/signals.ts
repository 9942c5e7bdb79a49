/** Signals by number, as on Linux. */
const NAMES = [
  '',
  'HUP',
  'INT',
  'QUIT',
  'ILL',
  'TRAP',
  'ABRT',
  'BUS',
  'FPE',
  'KILL',
  'USR1',
  'SEGV',
  'USR2',
  'PIPE',
  'ALRM',
  'TERM',
];

/** Signals by which the system reports a fault of the process itself. */
export const FAULTS: ReadonlySet<string> = new Set(['ILL', 'TRAP', 'ABRT', 'BUS', 'FPE', 'SEGV']);

/** Signals with which a supervisor asks. */
export const REQUESTS: ReadonlySet<string> = new Set(['HUP', 'INT', 'QUIT', 'TERM']);

/** `9` and `SIGKILL` -> `KILL`. */
export function signalName(signal: string): string {
  return NAMES[Number(signal)] ?? signal.replace(/^SIG/, '');
}
