/** What an exit status says by itself, where somebody gave it a meaning. */
import type {LogEvent} from '../timeline/event.ts';

/** 128 + 9: what a shell, or a tool for containers, passes on of a SIGKILL inside. */
export const KILLED_INSIDE = 137;
/** 128 + 15: likewise of a SIGTERM. */
export const TERMINATED_INSIDE = 143;

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
    case KILLED_INSIDE:
      return '137 is 128 + 9, a SIGKILL inside: for want of memory, by hand, or by a time limit';
    case TERMINATED_INSIDE:
      return '143 is 128 + 15: a shell around the program was ended by SIGTERM';
    default:
      return null;
  }
}
