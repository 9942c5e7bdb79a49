import type {LogEvent} from './event.ts';
import type {Recording} from './recording.ts';

/** Lines between what systemd says of a unit by its id and by its description, where both are of one moment. */
const BESIDE = 3;
const SAME_MS = 1000;

/**
 * systemd up to 247, and later with StatusUnitFormat=description, names a unit in some lines by its id and in others by its
 * description alone. Which belongs to which is told by a log that has one of each, and by lines of one moment that stand
 * side by side. Where nothing tells, the description stays the name.
 */
export function withUnitsNamed(recording: Recording): Recording {
  if (!recording.events.some(isDescribed)) return recording;
  const units = unitsByDescription(recording.events);
  return {
    ...recording,
    events: recording.events.map((event) => {
      const unit = isDescribed(event) ? units.get(keyOf(event)) : undefined;
      return unit === undefined ? event : {...event, fields: {...event.fields, unit}};
    }),
  };
}

function isDescribed({message}: LogEvent): boolean {
  return message === 'systemd/described-job';
}

function keyOf({stream, fields}: LogEvent): string {
  return `${stream ?? ''} ${fields['description']}`;
}

function unitsByDescription(events: readonly LogEvent[]): ReadonlyMap<string, string> {
  const own = events.filter(({message, fields}) => isSystemd(message) && (fields['unit'] ?? fields['description']) !== undefined);
  const described = new Set(own.filter(isDescribed).map(keyOf));
  const named = new Set(own.flatMap(({fields}) => (fields['unit'] === undefined ? [] : [String(fields['unit'])])));
  const [only] = named;
  if (described.size === 1 && named.size === 1 && only !== undefined) return new Map([...described].map((key) => [key, only]));
  const seen = new Map<string, Set<string>>();
  for (const [n, event] of own.entries()) {
    if (!isDescribed(event)) continue;
    for (const beside of [own[n - 1], own[n + 1]]) {
      const unit = beside?.fields['unit'];
      if (beside === undefined || unit === undefined || !isBeside(event, beside)) continue;
      const units = seen.get(keyOf(event)) ?? new Set<string>();
      seen.set(keyOf(event), units.add(String(unit)));
    }
  }
  const claims = [...seen].flatMap(([key, units]) => (units.size === 1 ? [[key, [...units][0] as string] as const] : []));
  return new Map(claims.filter(([, unit]) => claims.filter(([, other]) => other === unit).length === 1));
}

function isSystemd(message: string): boolean {
  return message.startsWith('systemd/') || message.startsWith('systemctl/');
}

function isBeside(a: LogEvent, b: LogEvent): boolean {
  if (a.stream !== b.stream || a.input !== b.input || Math.abs(a.line - b.line) > BESIDE) return false;
  const [from, to] = [a.at.earliest, b.at.earliest];
  return from !== null && to !== null && Math.abs(from - to) <= SAME_MS;
}
