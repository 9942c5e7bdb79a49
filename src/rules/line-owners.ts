/** Whose line it is, as far as the log tells its writers apart: for lines that name no process, or of which no story was made. */
import {least} from '../extremes.ts';
import {type LogEvent, speakerOf} from '../timeline/event.ts';
import {addTo, groupBy} from '../timeline/group.ts';
import {oncePer} from '../timeline/once.ts';
import type {Epoch, Instance, Timeline} from '../timeline/timeline.ts';

/** Instances that one supervisor, or one of it in one stream, can have been, one after the other or side by side. */
class Candidates {
  private readonly all: readonly Instance[];
  private readonly byMaster: ReadonlyMap<number | null, readonly Instance[]>;
  /** In the order in which they begin; `begun` and `stopped`: the places of these lines, in order. */
  private readonly inOrder: readonly {readonly instance: Instance; readonly from: number; readonly to: number}[];
  private readonly begun: readonly number[];
  private readonly stopped: readonly number[];

  constructor(all: readonly Instance[]) {
    this.all = all;
    this.byMaster = groupBy(all, ({masterPid}) => masterPid);
    this.inOrder = all
      .map((instance) => ({
        instance,
        from: least(instance.epochs.map(begunAt)),
        to: instance.stopped?.place ?? Number.POSITIVE_INFINITY,
      }))
      // What ends before it begins is there at no line.
      .filter(({from, to}) => from <= to)
      .sort((a, b) => a.from - b.from);
    this.begun = this.inOrder.map(({from}) => from);
    this.stopped = this.inOrder.map(({to}) => to).sort((a, b) => a - b);
  }

  /** The only one that can have written the line; null where several can, or none. */
  ownerOf({pid, place}: LogEvent): Instance | null {
    const {all, byMaster, inOrder} = this;
    if (all.length === 1) return all[0] ?? null;
    const ofMaster = pid === null ? [] : (byMaster.get(pid) ?? []);
    if (ofMaster.length === 1) return ofMaster[0] ?? null;
    const begun = countOf(this.begun, (from) => from <= place);
    const gone = countOf(this.stopped, (to) => to < place);
    if (begun - gone !== 1) return null;
    let last = begun - 1;
    while (last >= 0 && (inOrder[last] as {to: number}).to < place) last--;
    return inOrder[last]?.instance ?? null;
  }
}

/** Where the epoch is known to have begun: every line that tells of it has been written. */
function begunAt({banner, master}: Epoch): number {
  return Math.max(banner?.place ?? Number.NEGATIVE_INFINITY, master?.place ?? Number.NEGATIVE_INFINITY);
}

/** How many of these numbers, which go up, are small enough. */
function countOf(numbers: readonly number[], isSmall: (number: number) => boolean): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isSmall(numbers[middle] as number)) low = middle + 1;
    else high = middle;
  }
  return low;
}

const candidatesIn = oncePer(({instances}: Timeline): ReadonlyMap<string, Candidates> => {
  const groups = new Map<string, Instance[]>();
  for (const instance of instances) {
    addTo(groups, instance.supervisor, instance);
    addTo(groups, sourceOf(instance.supervisor, instance.name), instance);
  }
  return new Map([...groups].map(([source, all]) => [source, new Candidates(all)]));
});

function sourceOf(supervisor: string, stream: string | null): string {
  return JSON.stringify([supervisor, stream]);
}

/** The instance whose line it is; null where the log does not tell. */
export function instanceOfEvent(timeline: Timeline, event: LogEvent): Instance | null {
  const supervisor = speakerOf(event.message);
  const candidates = candidatesIn(timeline);
  return (candidates.get(sourceOf(supervisor, event.stream)) ?? candidates.get(supervisor))?.ownerOf(event) ?? null;
}

const lines = oncePer(
  (timeline: Timeline): ReadonlyMap<Instance | null, readonly LogEvent[]> =>
    groupBy(timeline.events, (event) => instanceOfEvent(timeline, event)),
);

/** All lines that are known to be an instance's, in their order. */
export function linesOf(timeline: Timeline, instance: Instance): readonly LogEvent[] {
  return lines(timeline).get(instance) ?? [];
}
