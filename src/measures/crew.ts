import {groupBy} from '../timeline/group.ts';
import type {Instance, Process} from '../timeline/timeline.ts';

/** The processes of an instance as pictures need them: found by pid, and place by place. */
export interface Crew {
  readonly instance: Instance;
  readonly byPid: ReadonlyMap<number, readonly Process[]>;
  /** Who held each place, one after the other. Numbered places first. */
  readonly places: readonly (readonly Process[])[];
  /** Each worker loads the application itself. */
  readonly loadsInWorker: boolean;
}

export function crewOf(instance: Instance): Crew {
  const processes = drawable(instance);
  const places = [...groupBy(processes, placeOf).values()];
  return {
    instance,
    byPid: groupBy(instance.processes, ({pid}) => pid),
    places: places.sort(([a], [b]) => (a?.worker ?? UNNUMBERED) - (b?.worker ?? UNNUMBERED)),
    loadsInWorker: processes.some(({appLoaded}) => appLoaded !== null),
  };
}

/** Last, in the order in which they appear. */
const UNNUMBERED = Number.MAX_SAFE_INTEGER;

/** Workers; where an instance has none, whatever it runs. */
export function drawable({processes}: Instance): readonly Process[] {
  const workers = processes.filter(({role}) => role === 'worker');
  return workers.length > 0 ? workers : processes.filter(({role}) => role !== 'master');
}

/** Those of a place that can have held it between two instants. Who has surely been followed by another by then has not. */
export function presentIn(place: readonly Process[], from: number, to: number): readonly Process[] {
  const first = place.findLastIndex(({startedAt}) => startedAt.latest !== null && startedAt.latest <= from);
  return place.slice(Math.max(0, first)).filter(({startedAt}) => startedAt.earliest === null || startedAt.earliest <= to);
}

/** Numbered workers follow one another in a place; others have one each. */
function placeOf({worker, role, pid, started}: Process): string {
  return worker === null ? `${role} ${pid} ${started?.input ?? ''} ${started?.line ?? ''}` : `${role} ${worker}`;
}
