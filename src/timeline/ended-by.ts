import type {Process} from './timeline.ts';

/** Who ended a process. `nobody-shown`: it is gone, and no line of the log owns up to it. */
export type Ender = 'itself' | 'supervisor' | 'outer-supervisor' | 'kernel' | 'nobody-shown';

const OUTER: ReadonlySet<Process['killedBy']> = new Set(['supervisord', 'systemd', 'platform']);

/**
 * Who ended it; null while it runs. One that leaves when it is asked to ends itself. What supervisord, systemd or a platform
 * kills is ended by its supervisor where it is a program of theirs, and by an outer one where it is a process inside that.
 */
export function endedBy({end, role, killedBy, ownedBy, ended}: Process): Ender | null {
  switch (end) {
    case 'running':
      return null;
    case 'killed':
      return ownedBy === null ? 'nobody-shown' : 'supervisor';
    case 'lost':
      return 'nobody-shown';
    case 'forced':
      if (killedBy === 'kernel') return 'kernel';
      return OUTER.has(killedBy) && role !== 'program' ? 'outer-supervisor' : 'supervisor';
    default: {
      // uWSGI's master asks them nothing: it kills them in every reload and stop (core/master_utils.c).
      const isHelper = role === 'gateway' || role === 'spooler';
      return isHelper && ended?.meaning.ending === 'collected' && ended.message.startsWith('uwsgi/') ? 'supervisor' : 'itself';
    }
  }
}
