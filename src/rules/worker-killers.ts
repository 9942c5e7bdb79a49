/** Workers that unicorn-worker-killer or puma_worker_killer ends for their memory: told by the rule recycled-too-often. */
import {greatest} from '../extremes.ts';
import type {LogEvent} from '../timeline/event.ts';
import {groupBy} from '../timeline/group.ts';
import {between} from '../timeline/time.ts';
import type {Timeline} from '../timeline/timeline.ts';
import {instanceOfEvent} from './line-owners.ts';
import {type Finding, NO_PROCESS} from './rule.ts';
import {count, evidence, proof, seconds, sentences} from './wording.ts';

/** So many tell how often it comes. */
const ENOUGH = 2;
/** Seconds that a worker lives, below which it is too often. */
const SHORT = 300;

export const KILLER_MESSAGES = ['unicorn/worker-killer', 'puma/worker-killer'];

export function* workerKillers(timeline: Timeline): Iterable<Finding | null> {
  const ends = timeline.events.filter(({message, fields}) => KILLER_MESSAGES.includes(message) && (fields.trial ?? 1) === 1);
  for (const group of groupBy(ends, (event) => `${event.input} ${event.stream ?? ''}`).values()) {
    yield describe(timeline, group);
  }
}

function describe(timeline: Timeline, ends: readonly [LogEvent, ...LogEvent[]]): Finding | null {
  const [first] = ends;
  const last = ends.at(-1);
  if (!last || ends.length < ENOUGH) return null;
  const apart = between(first.at, last.at).min / (ends.length - 1);
  const isPuma = first.message === 'puma/worker-killer';
  const life = Math.round(isPuma ? apart * greatest(ends.map(({fields}) => Number(fields.count))) : longestLife(ends));
  if (apart === 0 || life >= SHORT) return null;
  const lines = evidence([
    ...ends.slice(0, 3).map((event) => proof(event, 'a worker is ended for its memory')),
    proof(last, 'the last one'),
  ]);
  if (!lines) return null;
  return {
    title: `A killer of workers ends one every ${seconds(Math.round(apart))} for its memory`,
    message: sentences(
      `${count(ends.length, 'worker')} were told to leave because of memory, one every ${seconds(Math.round(apart))} on average. That is proved.`,
      isPuma
        ? `With so many workers in turn, each lives for about ${seconds(life)}.`
        : `None of them had lived for longer than ${seconds(life)}.`,
      'Either the limit is below what a warm worker needs, or each request leaks: how large a worker is right after its start tells which.',
      'Each start costs part of the capacity, and the next comes before the caches are warm.',
    ),
    confidence: 'certain',
    instance: instanceOfEvent(timeline, first)?.id ?? null,
    ...NO_PROCESS,
    evidence: lines,
    against: [],
    cannotSee: ['what the memory is used for'],
    fixes: [
      {
        setting: isPuma ? 'config.ram' : 'memory_limit_min, memory_limit_max',
        section: null,
        value: null,
        since: null,
        safety: 'safe',
        effect: 'only a worker that really leaks is ended',
        why: isPuma
          ? 'Set it to the memory that the dyno or container really has, and run fewer workers if they do not fit.'
          : 'Set them well above the size of a worker that is warm, and run fewer workers if they do not fit.',
      },
    ],
    next: ['ps -o pid,etime,rss --ppid <pid of the master>   # how large a worker is after a minute, and after an hour'],
    identity: [isPuma ? 'puma' : 'unicorn', 'worker killer'],
  };
}

/** The worker itself tells for how long it has lived. */
function longestLife(ends: readonly LogEvent[]): number {
  return greatest(ends.map(({fields}) => Number(fields.seconds)));
}
