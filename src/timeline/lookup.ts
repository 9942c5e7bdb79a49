/** Ways into a finished timeline that would otherwise be searched again and again. Worked out once per instance. */

import type {LineRef} from './event.ts';
import {groupBy} from './group.ts';
import {oncePer} from './once.ts';
import type {Epoch, Instance, Process, Reload, Setting, Timeline} from './timeline.ts';

interface Index {
  readonly byPid: ReadonlyMap<number, readonly Process[]>;
  readonly byReload: ReadonlyMap<string, readonly Process[]>;
  readonly reloads: ReadonlyMap<string, Reload>;
  /** In the order of their lines. */
  readonly starts: readonly {readonly line: LineRef; readonly epoch: Epoch}[];
  readonly startLines: readonly LineRef[];
}

interface Family {
  readonly byId: ReadonlyMap<string, Instance>;
  readonly successors: ReadonlyMap<string | null, Instance>;
}

export function instanceWithId(instances: readonly Instance[], id: string | null): Instance | null {
  return id === null ? null : (familyOf(instances).byId.get(id) ?? null);
}

/** The instance that took its place. */
export function successorOf(instances: readonly Instance[], {id}: Pick<Instance, 'id'>): Instance | null {
  return familyOf(instances).successors.get(id) ?? null;
}

/** The processes that had this pid, in order of appearance: pids come round again. */
export function processesWithPid(instance: Instance, pid: number | null): readonly Process[] {
  return pid === null ? [] : (indexOf(instance).byPid.get(pid) ?? []);
}

/** The reload or stop that asked a process to leave; null where none did, or one of another instance. */
export function reloadThatAsked(instance: Instance, {asked}: Process): Reload | null {
  return asked?.reload == null ? null : (indexOf(instance).reloads.get(asked.reload) ?? null);
}

/** The processes that a reload or stop asked to leave. */
export function processesAskedBy(instance: Instance, reload: Reload): readonly Process[] {
  return indexOf(instance).byReload.get(reload.id) ?? [];
}

/** The first start of the instance that does not stand before a line, with its banner or what else tells of it. */
export function startFrom(instance: Instance, line: LineRef): {readonly line: LineRef; readonly epoch: Epoch} | null {
  const {starts, startLines} = indexOf(instance);
  return starts[firstFrom(startLines, line)] ?? null;
}

/** Index of the first of `lines`, which are in order, that does not stand before `line`. */
export function firstFrom(lines: readonly LineRef[], line: LineRef): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (precedes(lines[middle] as LineRef, line)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The name of the input or configuration file in which a line stands. */
export function nameOfInput({inputs, configurations}: Timeline, {input}: {readonly input: number}): string {
  return inputs[input]?.name ?? configurations[input - inputs.length] ?? '';
}

/** Whether `a` was written before `b`, as far as the order of the lines tells. */
export function precedes(a: LineRef, b: LineRef): boolean {
  return a.place < b.place;
}

/**
 * The value in force where `at` stands, or the latest: a reload reads the configuration again, so a line after `at` may
 * tell of a later value. Null where nothing tells.
 */
export function settingAt(settings: readonly Setting[], name: string, at: LineRef | null = null): Setting | null {
  const holds = ({from, where}: Setting) => from !== 'log' || where === null || at === null || precedes(where, at);
  return settings.findLast((each) => each.name === name && holds(each)) ?? null;
}

const familyOf = oncePer((instances: readonly Instance[]): Family => {
  const family = {
    byId: new Map(instances.map((instance) => [instance.id, instance])),
    // The first of several.
    successors: new Map(instances.toReversed().map((instance) => [instance.predecessor, instance])),
  };
  return family;
});

const indexOf = oncePer((instance: Instance): Index => {
  const starts = instance.epochs
    .flatMap((epoch) => {
      const line = epoch.banner ?? epoch.master;
      return line === null ? [] : [{line, epoch}];
    })
    .sort((a, b) => a.line.place - b.line.place);
  return {
    byPid: groupBy(instance.processes, ({pid}) => pid),
    byReload: groupBy(instance.processes, ({asked}) => asked?.reload ?? ''),
    reloads: new Map(instance.reloads.map((reload) => [reload.id, reload])),
    starts,
    startLines: starts.map(({line}) => line),
  };
});
