import {type LogEvent, speakerOf} from './event.ts';
import {logsOf} from './logs.ts';
import type {Recording} from './recording.ts';
import {SEEN} from './snapshots.ts';
import type {InputSummary} from './timeline.ts';

const SLACK_MS = 2000;

/**
 * Which inputs tell of one server where no envelope names it, as a number by input. Process ids and worker numbers of two
 * files have nothing to do with one another, unless they are parts of one log, or one goes on where the other ends: it
 * speaks of the other's processes, later (or at any time, where it is a snapshot), without having started them.
 */
export function serversOf({inputs, events, shared}: Recording): readonly number[] {
  const servers = [...logsOf(inputs)];
  if (new Set(servers).size < 2) return servers;
  const unite = (a: number, b: number) => {
    const [from, to] = [servers[b], servers[a]];
    for (const [n, server] of servers.entries()) if (server === from) servers[n] = to as number;
  };
  for (const {
    inputs: [a, b],
  } of shared)
    unite(a, b);
  const told = inputs.map((_, index) => pidsOf(events.filter(({input, stream}) => input === index && stream === null)));
  const isSnapshot = inputs.map((_, index) => {
    const own = events.filter(({input}) => input === index);
    return own.length > 0 && own.every(({meaning}) => SEEN.has(meaning.kind));
  });
  for (const [a, first] of told.entries()) {
    for (const [b, second] of told.entries()) {
      if (servers[a] === servers[b] || !(isBefore(inputs, a, b) || isSnapshot[b])) continue;
      if ([...second.only].some((pid) => first.begun.has(pid))) unite(a, b);
    }
  }
  return servers;
}

interface Pids {
  /** Of processes that start in the input. */
  readonly begun: ReadonlySet<string>;
  /** Of processes that are spoken of before the input tells of any start. */
  readonly only: ReadonlySet<string>;
}

function pidsOf(events: readonly LogEvent[]): Pids {
  const begun = new Set<string>();
  const only = new Set<string>();
  const started = new Set<string>();
  for (const {message, meaning, pid} of events) {
    const supervisor = speakerOf(message);
    if (meaning.kind === 'starting') started.add(supervisor);
    if (pid === null) continue;
    const key = `${supervisor} ${pid}`;
    if (meaning.kind === 'process-started' || meaning.kind === 'master-started') begun.add(key);
    else if (!started.has(supervisor) && !begun.has(key)) only.add(key);
  }
  return {begun, only};
}

/** Without any time, in the order in which they were named. */
function isBefore(inputs: readonly InputSummary[], a: number, b: number): boolean {
  const [to, from] = [inputs[a]?.to ?? null, inputs[b]?.from ?? null];
  return to === null || from === null ? a < b : to <= from + SLACK_MS;
}
