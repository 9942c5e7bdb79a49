import type {LogEvent} from './event.ts';

/** The programs of a line that names several, as supervisord does while it waits for them; null where the line is about one. */
export function namedPrograms({fields}: LogEvent): string[] | null {
  const names = fields['programs'];
  return names === undefined ? null : String(names).split(', ');
}
