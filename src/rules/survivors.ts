/** Processes that outlived their master, and the next start, which finds the address in use. */

import {type LogEvent, speakerOf} from '../timeline/event.ts';
import {precedes, successorOf} from '../timeline/lookup.ts';
import {oncePer} from '../timeline/once.ts';
import {between} from '../timeline/time.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';
import {givenUp, programOf} from './starts.ts';

export interface Survival {
  /** Whose master is gone. */
  readonly instance: Instance;
  readonly master: Process | null;
  /** The line that shows it: a kill, or a worker that lost its master. */
  readonly end: LogEvent;
  readonly survivors: readonly Process[];
  /** Lines that show survivors alive after the master's end. */
  readonly signs: readonly LogEvent[];
  /** The starts that found the address in use, line by line. */
  readonly refused: readonly LogEvent[];
}

/** Seconds after the end of a master within which its workers may still hold the port: as long as a request may last. */
const LATER = 3600;
export const survivalsIn = oncePer((timeline: Timeline): readonly Survival[] => {
  const refusals = timeline.events.filter(({meaning}) => meaning.kind === 'address-in-use');
  const found: Survival[] = [];
  // The latest first: a refusal belongs to the master that ended last before it.
  for (const instance of refusals.length === 0 ? [] : timeline.instances.toReversed()) {
    const end = violentEnd(instance);
    if (end === null) continue;
    const survivors = instance.processes.filter((process) => process.role !== 'master' && outlives(process, end));
    const taken = new Set(found.flatMap(({refused}) => refused));
    const refused = refusals.filter((event) => !taken.has(event) && isNextStart(timeline, instance, end, event));
    if (refused.length === 0 || survivors.length === 0) continue;
    found.unshift({
      instance,
      master: instance.processes.find(({role}) => role === 'master') ?? null,
      end,
      survivors,
      signs: signsOf(timeline, instance, survivors, end),
      refused,
    });
  }
  return found;
});

/** The line by which the outer supervisor gave the program up that had found the address in use; null where none did. */
export function givenUpAfter(timeline: Timeline, {instance, refused}: Survival): LogEvent | null {
  const [first] = refused;
  return (
    givenUp(timeline).find(
      (event) => programOf(event) === instance.runsAs?.name && first !== undefined && !isLater(first, event),
    ) ?? null
  );
}

/** The master was ended by somebody else, or its workers say that it is gone; not a goodbye. */
function violentEnd({stopped, processes, masterPid}: Instance): LogEvent | null {
  const master = processes.find(({pid}) => pid === masterPid);
  if (stopped?.meaning.kind === 'stop-ended') return null;
  if (master && (master.end === 'forced' || master.end === 'killed' || master.end === 'crashed')) {
    return master.ownedBy ?? master.ended;
  }
  return stopped?.meaning.kind === 'master-lost' ? stopped : null;
}

/** No line shows that it had gone by then. */
function outlives({end, ended}: Process, death: LogEvent): boolean {
  if (end === 'lost' || end === 'running') return true;
  return ended?.meaning.kind === 'master-lost' || (ended !== null && ended !== death && isLater(ended, death));
}

function isLater(event: LogEvent, than: LogEvent): boolean {
  return event.input === than.input ? precedes(than, event) : between(than.at, event.at).min > 0;
}

/** The same server tries to start: behind its former lines in the same log, or soon after in another one. */
function isNextStart(timeline: Timeline, instance: Instance, end: LogEvent, event: LogEvent): boolean {
  if (speakerOf(event.message) !== instance.supervisor || event.stream !== instance.name) return false;
  if (between(end.at, event.at).min > LATER) return false;
  const first = startOf(instance);
  // Whoever started since and got the address holds it now.
  const next = successorOf(timeline.instances, instance);
  const taken = next?.epochs[0]?.master ?? null;
  if (taken !== null && taken.input === event.input && precedes(taken, event)) return false;
  if (first !== null && first.input === event.input) return precedes(first, event);
  if (first !== null && timeline.instances.some((other) => startOf(other)?.input === event.input)) return false;
  return isLater(event, end);
}

function startOf({epochs}: Instance): LogEvent | null {
  return epochs[0]?.banner ?? epochs[0]?.master ?? null;
}

function signsOf(timeline: Timeline, instance: Instance, survivors: readonly Process[], end: LogEvent): LogEvent[] {
  const pids = new Set(survivors.map(({pid}) => pid));
  const leftOver = timeline.events.filter(
    ({meaning, pid}) => meaning.kind === 'process-left-over' && pid !== null && pids.has(pid),
  );
  const own = survivors.flatMap(({ended, remarks}) =>
    [...(ended ? [ended] : []), ...remarks].filter((event) => event !== end && isLater(event, end)),
  );
  const lost = instance.stopped?.meaning.kind === 'master-lost' ? [instance.stopped] : [];
  return [...new Set([...leftOver, ...own, ...lost])];
}
