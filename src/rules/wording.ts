/** How numbers and names are put into sentences. */
import {least} from '../extremes.ts';
import {counted} from '../number.ts';
import type {LineRef} from '../timeline/event.ts';
import {precedes} from '../timeline/lookup.ts';
import type {Duration} from '../timeline/time.ts';
import {type Instance, type Process, type Reload, UNKNOWN_PID} from '../timeline/timeline.ts';
import type {Evidence, Finding} from './rule.ts';

export {counted as count} from '../number.ts';

/** The parts that apply, as one text. */
export function sentences(...parts: readonly (string | false | null)[]): string {
  return parts.filter((part) => part !== false && part !== null && part !== '').join(' ');
}

/** As a sentence begins. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function was(number: number): string {
  return number === 1 ? 'was' : 'were';
}

export function itself(number: number): string {
  return number === 1 ? 'itself' : 'themselves';
}

/** Whether it bounds anything. */
export function isBounded(wait: Duration | null): wait is Duration {
  return wait !== null && (wait.max !== null || wait.min > 0);
}

/** `1, 2 and 3`; a long list is cut and says so. */
export function list(items: readonly (string | number)[], limit = 8): string {
  if (items.length > limit) return `${items.slice(0, limit).join(', ')} and ${items.length - limit} more`;
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** Whole seconds; a tenth where the figure is small. */
export function seconds(value: number): string {
  if (value > 0 && value < 0.05) return 'less than 0.1 s';
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} s`;
}

export function duration({min, max}: Duration): string {
  if (max === null) return min > 0 ? `at least ${seconds(min)}` : 'an unknown time';
  if (seconds(min) === seconds(max)) return seconds(max);
  return min === 0 ? `at most ${seconds(max)}` : `${Math.round(min)} to ${seconds(max)}`;
}

/** The range that covers all of them. */
export function span(durations: readonly Duration[]): Duration | null {
  if (durations.length === 0) return null;
  const longest = durations.reduce<number | null>(
    (max, each) => (max === null || each.max === null ? null : Math.max(max, each.max)),
    0,
  );
  return {min: least(durations.map((each) => each.min)), max: longest};
}

export function numbers(processes: readonly Process[]): number[] {
  return [...new Set(processes.map((process) => process.worker).filter((worker) => worker !== null))].sort((a, b) => a - b);
}

/** `worker 3 (pid 812)`, or what of it the log tells. */
export function nameOf(process: Pick<Process, 'pid' | 'worker'>): string {
  if (process.pid === UNKNOWN_PID) return `worker ${process.worker}`;
  return process.worker === null ? `the worker with pid ${process.pid}` : `worker ${process.worker} (pid ${process.pid})`;
}

export function workersNamed(processes: readonly Process[]): string {
  const workers = numbers(processes);
  return workers.length === 0
    ? `pid ${list(processes.map((each) => each.pid))}`
    : `worker${workers.length > 1 ? 's' : ''} ${list(workers)}`;
}

const KINDS: Readonly<Record<Reload['kind'], string>> = {
  graceful: 'reload',
  brutal: 'brutal reload',
  chain: 'chain reload',
  workers: 'reload of the workers',
  hup: 'reload (HUP)',
  usr2: 'upgrade (USR2)',
  stop: 'stop',
};

export function kindOf(reload: Reload): string {
  return KINDS[reload.kind];
}

/** `3 reloads and 1 stop` */
export function occasions(reloads: readonly Reload[]): string {
  const byKind = new Map<string, number>();
  for (const reload of reloads) byKind.set(kindOf(reload), (byKind.get(kindOf(reload)) ?? 0) + 1);
  return list(
    [...byKind].map(([kind, times]) =>
      counted(times, kind, kind.startsWith('reload of') ? 'reloads of the workers' : `${kind}s`),
    ),
  );
}

export function instanceName(instance: Instance): string {
  return instance.name ?? instance.id;
}

export function proof(at: LineRef, shows: string): Evidence {
  return {at: {input: at.input, line: at.line, place: at.place, text: at.text}, shows};
}

/** The processes that a finding is about. */
export function concerning(processes: readonly Process[]): Pick<Finding, 'pids' | 'workers'> {
  return {pids: unique(processes.map(({pid}) => pid)), workers: numbers(processes)};
}

/** The one thing in a list; null where there are none or several. */
export function only<T>(items: readonly T[]): T | null {
  return items.length === 1 ? (items[0] ?? null) : null;
}

export function unique<T>(items: Iterable<T>): T[] {
  return [...new Set(items)];
}

/** A finding needs one line at least. The most telling come first and go in; they are shown in the order of the log. */
export function evidence(lines: readonly Evidence[], limit = 12): [Evidence, ...Evidence[]] | null {
  const seen = new Set<string>();
  const kept = lines.filter(({at}) => {
    const place = `${at.input}:${at.place}`;
    return seen.has(place) ? false : seen.add(place);
  });
  const [first, ...rest] = kept.slice(0, limit).sort((a, b) => (precedes(a.at, b.at) ? -1 : 1));
  return first ? [first, ...rest] : null;
}

/** An address as tools take it; gunicorn prints Python's pair (`('0.0.0.0', 8000)`). */
export function addressOf(text: string): string {
  return text.replace(/^\('([^']*)', (\d+)(?:, \d+, \d+)?\)$/, '$1:$2');
}
