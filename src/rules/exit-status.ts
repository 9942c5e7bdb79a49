/** What an exit status says by itself, where somebody gave it a meaning. */
import type {LogEvent} from '../timeline/event.ts';

/** systemd never got so far as to run the program (src/basic/exit-status.c). */
export function isSetupFailure({message, fields}: LogEvent): boolean {
  const status = Number(fields.status);
  return message === 'systemd/main-process-exited' && status >= 200 && status <= 245;
}

/**
 * What the status of a process that had been running means; null where any program may mean anything by it. uWSGI: uwsgi.h;
 * those above 128: what a shell makes of a signal.
 */
export function meaningOfStatus(status: string): string | null {
  switch (Number.parseInt(status, 10)) {
    case 30:
      return 'uWSGI leaves with 30 after a stop that a signal asked it for: an orderly end, by somebody else than this supervisor, and no sign of a want of memory';
    case 137:
      return '137 is 128 + 9, a SIGKILL inside: for want of memory, by hand, or by a time limit';
    case 143:
      return '143 is 128 + 15: a shell around the program was ended by SIGTERM';
    default:
      return null;
  }
}
