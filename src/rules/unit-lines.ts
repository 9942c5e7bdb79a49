/** What systemd says of a unit, line by line: the rules about units share it. */

import type {LogEvent} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import type {Instance, Timeline} from '../timeline/timeline.ts';
import {instanceOfEvent} from './line-owners.ts';
import type {Fix} from './rule.ts';
import {programOf} from './starts.ts';

/** What systemd up to 247, which gives units by their descriptions only, calls a reload that failed. */
export const FAILED_RELOAD = 'Reload failed for';

/** The lines of one unit, in the order of the log. */
export interface UnitLines {
  readonly unit: string;
  readonly instance: Instance | null;
  readonly events: readonly LogEvent[];
}

/** Only units of which at least one of these messages tells. */
export function unitsWith(timeline: Timeline, messages: readonly string[], job?: string): readonly UnitLines[] {
  const own = timeline.events.filter(({message}) => message.startsWith('systemd/'));
  const told = own.filter(
    ({message, fields}) =>
      messages.includes(message) || (job !== undefined && message === 'systemd/described-job' && fields.job === job),
  );
  const units = new Map<string, LogEvent>();
  for (const event of told) {
    const key = `${event.stream ?? event.input} ${programOf(event)}`;
    if (!units.has(key)) units.set(key, event);
  }
  return [...units.values()].map((first) => ({
    unit: programOf(first),
    instance: instanceOfEvent(timeline, first),
    events: own.filter((event) => programOf(event) === programOf(first) && event.stream === first.stream),
  }));
}

/** The same line with the unit's id, or up to 247 with its description alone. */
export function isJob({message, fields}: LogEvent, name: string, job: string): boolean {
  return message === name || (message === 'systemd/described-job' && fields.job === job);
}

/** The last of these messages before a line, and after the line that begins what it belongs to. */
export function lastBefore(events: readonly LogEvent[], line: LogEvent, messages: readonly string[]): LogEvent | null {
  return events.findLast((event) => messages.includes(event.message) && precedes(event, line)) ?? null;
}

export function unitFix(setting: string, value: string | null, effect: string, why: string, safety: Fix['safety'] = 'safe'): Fix {
  return {setting, section: 'Service', value, effect, since: null, safety, why};
}
