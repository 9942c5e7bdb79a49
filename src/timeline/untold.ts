/**
 * Reloads and stops of uWSGI without an end in the log: by which line they were over nevertheless, and how long nobody was
 * seen to wait. Lines around the restart of a master get lost where syslog, a socket or a file logger takes the log.
 */

import type {LineRef, RequestSegment} from './event.ts';
import {groupBy} from './group.ts';
import type {InstanceDraft, ProcessDraft, ReloadDraft} from './story/draft.ts';
import {usualMercy} from './story/settings.ts';
import {between, exactly, type Instant} from './time.ts';
import type {OverBy} from './timeline.ts';

/** Seconds that a master may need beyond the mercy until a worker is dead and the log says so. */
const LATE = 3;
/** Seconds after which the missing line of a kill is no longer a matter of the master's pace. */
const MARGIN = 10;

type Segments = ReadonlyMap<ProcessDraft, readonly RequestSegment[]>;

export interface Untold {
  /** What shows that it is over: a later reload, the end of its master, or an answer of the next generation. */
  readonly over: ReadonlyMap<ReloadDraft, OverBy>;
  /** The log goes on without any sign of these for longer than a master lets a worker live. */
  readonly silent: ReadonlySet<ReloadDraft>;
}

/** Of all reloads in the order of their beginning, those without an end. */
export function untoldReloads(reloads: readonly ReloadDraft[], segments: Segments, logEnd: Instant): Untold {
  const over = new Map<ReloadDraft, OverBy>();
  const silent = new Set<ReloadDraft>();
  for (const [instance, own] of groupBy(reloads, (reload) => reload.instance)) {
    if (instance.supervisor !== 'uwsgi') continue;
    const answers = answersOfStrangers(instance, segments);
    own.forEach((reload, n) => {
      if (reload.outcome !== 'unfinished') return;
      const signs = [own[n + 1]?.began, instance.stopped].flatMap((line): OverBy[] => (line ? [{line, at: line.at}] : []));
      const answer = nextGeneration(reload, answers);
      const [first] = [...signs, ...(answer === null ? [] : [answer])].sort((a, b) => latestOf(a) - latestOf(b));
      if (first !== undefined) over.set(reload, first);
      else if (goneOn(reload, logEnd) > usualMercy(instance, reload.began) + 1 + MARGIN) silent.add(reload);
    });
  }
  return {over, silent};
}

/** Seconds of the log behind the moment at which the last worker was told, at least. */
function goneOn({kind, isUnderWay, began, lastSign}: ReloadDraft, logEnd: Instant): number {
  const tellsAllAtOnce = isUnderWay && kind !== 'chain' && kind !== 'workers';
  return between((tellsAllAtOnce ? began : lastSign).at, logEnd).min;
}

function latestOf({at}: OverBy): number {
  return at.latest ?? Number.POSITIVE_INFINITY;
}

interface Answer {
  readonly line: LineRef;
  /** When the request began. */
  readonly began: number;
}

/** The answers of workers that no line has introduced, the first and the last of each stretch, by time. */
function answersOfStrangers(instance: InstanceDraft, segments: Segments): readonly Answer[] {
  return instance.processes
    .flatMap((process): Answer[] => {
      const isStranger = process.role === 'worker' && process.started === null && process.asked === null && process.seen === null;
      if (!isStranger) return [];
      return (segments.get(process) ?? []).flatMap(({first, firstStart, last, lastStart}) => [
        {line: first, began: firstStart},
        {line: last, began: lastStart},
      ]);
    })
    .sort((a, b) => a.began - b.began);
}

/** Somebody whom the log does not introduce answers when all that were told had to be dead. */
function nextGeneration(reload: ReloadDraft, answers: readonly Answer[]): OverBy | null {
  const {began, entries, kind, isUnderWay, instance} = reload;
  const since = (entries.at(-1)?.told ?? began).at.latest;
  if (since === null || answers.length === 0) return null;
  // Only a reload of the whole instance tells those as well that the log has not introduced.
  const tellsAll = isUnderWay && (kind === 'graceful' || kind === 'brutal' || kind === 'stop');
  if (!tellsAll && !hasStart(instance)) return null;
  const deadline = since + (usualMercy(instance, began) + LATE) * 1000;
  const answer = answers.find((each) => each.began > deadline);
  return answer === undefined ? null : {line: answer.line, at: exactly(answer.began)};
}

/** The log shows how its workers started, so one that is not introduced started in lines that are missing. */
function hasStart({epochs, processes}: InstanceDraft): boolean {
  return epochs[0]?.master != null && processes.some(({role, started}) => role === 'worker' && started !== null);
}
