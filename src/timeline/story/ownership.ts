import type {LogEvent} from '../event.ts';

/** The masters that may have started a worker, by pid. One: the log proves it. */
export type Owners = ReadonlyMap<LogEvent, ReadonlySet<number>>;

/** Masters that may still be starting workers: what began longer ago has all of its own. */
const MOST_MASTERS = 200;
/** Starts of one number that are compared with one another. */
const MOST_COMPARED = 200;

/**
 * Which master started which worker where several uWSGI masters write into one log, as under an emperor: "spawned uWSGI
 * worker 1 (pid: 11, cores: 1)" does not tell. Proved is what follows from three facts: a master speaks before its
 * workers do; it starts each number once (later ones are "Respawned"); the workers that a full reload asks to leave are
 * those of the master that starts again after it (as uWSGI 2.0.21 was seen to do). An envelope that
 * names the writer of a line proves it at once.
 */
export function ownersOf(events: readonly LogEvent[], sourceOf: (event: LogEvent) => string): Owners {
  const sources = new Map<string, Vassals>();
  for (const event of events) {
    if (!event.message.startsWith('uwsgi/')) continue;
    const key = sourceOf(event);
    const source = sources.get(key) ?? new Vassals();
    sources.set(key, source);
    source.take(event);
  }
  return new Map([...sources.values()].flatMap((source) => [...source.owners()]));
}

/** A master from one start, or re-execution, to the next. */
interface Generation {
  readonly master: number;
  readonly numbers: Set<number>;
}

interface Start {
  readonly event: LogEvent;
  readonly worker: number;
  candidates: ReadonlySet<Generation>;
}

/** Workers that were asked to leave one after the other: all of one master, unless two spoke at once. */
interface Asked {
  readonly starts: Start[];
  last: number;
  isMixed: boolean;
}

class Vassals {
  private readonly starts: Start[] = [];
  private readonly byPid = new Map<number, Start>();
  private generations: Generation[] = [];
  private open: Asked[] = [];
  private readonly groups: Asked[] = [];
  /** Of the open reloads, how many have ended without it being clear which. */
  private endedUnknown = 0;

  take(event: LogEvent): void {
    const {pid, worker, meaning} = event;
    const {kind, role, reload = 'graceful'} = meaning;
    if (kind === 'master-started' && pid !== null) this.begin(pid);
    else if (kind === 'master-re-executed' && pid !== null) {
      this.endReload(pid);
      this.begin(pid);
    } else if (kind === 'process-started' && role === 'worker' && pid !== null && worker !== null) {
      if (meaning.respawned === true) this.byPid.delete(pid);
      else this.start(event, pid, worker);
    } else if (kind === 'reload-began' && (reload === 'graceful' || reload === 'brutal')) this.beginReload();
    else if (kind === 'process-asked' && pid !== null && worker !== null) this.ask(pid, worker);
  }

  owners(): Owners {
    while (this.narrow());
    return new Map(this.starts.map(({event, candidates}) => [event, new Set([...candidates].map(({master}) => master))]));
  }

  private begin(master: number): void {
    this.generations = this.generations.filter((generation) => generation.master !== master).slice(-MOST_MASTERS);
    this.generations.push({master, numbers: new Set()});
  }

  private start(event: LogEvent, pid: number, worker: number): void {
    const own = this.generations.filter(({master}) => master === event.writer);
    const masters = own.length > 0 ? own : this.generations;
    const start: Start = {event, worker, candidates: new Set(masters.filter(({numbers}) => !numbers.has(worker)))};
    this.settle(start);
    this.starts.push(start);
    this.byPid.set(pid, start);
  }

  private settle({candidates, worker}: Start): void {
    const [only, ...others] = candidates;
    if (only !== undefined && others.length === 0) only.numbers.add(worker);
  }

  private beginReload(): void {
    const asked: Asked = {starts: [], last: 0, isMixed: false};
    this.open.push(asked);
    this.groups.push(asked);
  }

  private ask(pid: number, worker: number): void {
    const asked = this.open.at(-1);
    if (asked === undefined) return;
    if (worker <= asked.last) asked.isMixed = true;
    asked.last = worker;
    const start = this.byPid.get(pid);
    if (start !== undefined) asked.starts.push(start);
  }

  private endReload(master: number): void {
    const [only] = this.open;
    if (only !== undefined && this.open.length === 1 && !only.isMixed) {
      for (const start of only.starts) this.keep(start, (generation) => generation.master === master);
    }
    this.endedUnknown += 1;
    if (this.endedUnknown < this.open.length) return;
    this.open = [];
    this.endedUnknown = 0;
  }

  /** Never to nothing: where facts contradict one another, the log is not what it seems. */
  private keep(start: Start, fits: (generation: Generation) => boolean): boolean {
    const kept = new Set([...start.candidates].filter(fits));
    if (kept.size === 0 || kept.size === start.candidates.size) return false;
    start.candidates = kept;
    this.settle(start);
    return true;
  }

  /** @returns Whether anything is better known than before. */
  private narrow(): boolean {
    const open = this.starts.filter(({candidates}) => candidates.size > 1);
    if (open.length === 0) return false;
    let isNarrower = false;
    for (const {starts, isMixed} of this.groups) {
      if (isMixed) continue;
      for (const start of starts)
        for (const other of starts) if (this.keep(start, (generation) => other.candidates.has(generation))) isNarrower = true;
    }
    for (const start of open)
      if (start.candidates.size > 1 && this.keep(start, ({numbers}) => !numbers.has(start.worker))) isNarrower = true;
    for (const worker of new Set(open.map((start) => start.worker))) {
      const same = open.filter((start) => start.worker === worker);
      if (same.length <= MOST_COMPARED && this.share(same)) isNarrower = true;
    }
    return isNarrower;
  }

  /** As many starts of a number as masters that can have made them: these masters made no other. */
  private share(same: readonly Start[]): boolean {
    let isNarrower = false;
    for (const {candidates} of same) {
      const inside = same.filter((start) => [...start.candidates].every((generation) => candidates.has(generation)));
      if (inside.length !== candidates.size) continue;
      for (const start of same)
        if (!inside.includes(start) && this.keep(start, (generation) => !candidates.has(generation))) isNarrower = true;
    }
    return isNarrower;
  }
}
