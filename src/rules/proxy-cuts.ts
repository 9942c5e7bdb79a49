/**
 * Requests that nginx, or Apache in front of mod_wsgi, lost in the moment in which a worker was ended: what the server's own log never tells. Only clocks that are
 * told in the same zone, or both in none, are compared.
 */

import {type LogEvent, speakerOf} from '../timeline/event.ts';
import {oncePer} from '../timeline/once.ts';
import type {Instant} from '../timeline/time.ts';
import type {Instance, Process, Timeline} from '../timeline/timeline.ts';

/** A request that was cut, and whom nginx can have given it to. */
export interface Cut {
  readonly event: LogEvent;
  /** All workers that did not end by themselves in that moment. */
  readonly processes: readonly Process[];
  /** At least as many requests were cut then as workers ended, so each of them had one. */
  readonly isEach: boolean;
}

/** Milliseconds by which the two lines of one moment may be apart: nginx sees the end at once, a stamp is cut to its second. */
const SLACK = 1000;
/** Where an end is known no better than this, it is no moment. */
const LONGEST = 5000;

export const cutsIn = oncePer((timeline: Timeline): readonly Cut[] => {
  const events = cutEvents(timeline);
  const cuts = events.map((event) => ({
    event,
    processes: timeline.instances
      .filter((instance) => !isElsewhere(event, instance))
      .flatMap(({processes}) => processes.filter((process) => isCutOff(process) && fits(timeline, event, process))),
  }));
  const result = cuts.map(({event, processes}) => {
    const alike = cuts.filter((other) => other.processes.some((process) => processes.includes(process)));
    return {event, processes, isEach: processes.length > 0 && alike.length >= processes.length};
  });
  return result;
});

/** What nginx lost when this worker was ended; nothing where another worker may have had it. */
export function cutWith(timeline: Timeline, process: Process): readonly LogEvent[] {
  return cutsIn(timeline)
    .filter(({isEach, processes}) => isEach && processes.includes(process))
    .map(({event}) => event);
}

/** Whether two lines tell the same clock, as far as their inputs show. */
export function isComparable(a: LogEvent, b: LogEvent, {inputs}: Timeline): boolean {
  return a.input === b.input || inputs[a.input]?.zone === inputs[b.input]?.zone;
}

/**
 * What nginx says of the server behind it. The access log is asked only where the error log is not there: a 502 without an error
 * was the application's own answer. That a client left (499) stands in no error log.
 */
export function nginxEvents(timeline: Timeline): readonly LogEvent[] {
  const events = timeline.events.filter(({message}) => message.startsWith('nginx/'));
  const hasErrors = events.some((event) => !isAccess(event));
  return events.filter((event) => !isAccess(event) || ((!hasErrors || hasLeft(event)) && !isServersOwn(timeline, event)));
}

export function hasLeft({fields}: LogEvent): boolean {
  return Number(fields['status']) === 499;
}

export function isAccess({message}: LogEvent): boolean {
  return message === 'nginx/unanswered';
}

/** gunicorn's access log has the same form, and an application may answer 502 by itself. */
function isServersOwn({events, instances}: Timeline, {input, stream}: LogEvent): boolean {
  const servers = new Set(instances.map(({supervisor}) => supervisor));
  return events.some((event) => event.input === input && event.stream === stream && servers.has(speakerOf(event.message)));
}

function cutEvents(timeline: Timeline): readonly LogEvent[] {
  const events = nginxEvents(timeline);
  const cut = timeline.events.filter(({message}) => message === 'nginx/closed' || message === 'apache/truncated');
  // Without its error log nobody knows why nginx answered 502.
  if (events.some((event) => !isAccess(event))) return cut;
  return [...cut, ...events.filter(({fields}) => Number(fields['status']) === 502)];
}

const ADDRESSES: ReadonlySet<string> = new Set(['socket', 'bind']);

/** The server behind nginx is another one: both tell an address, and it is not the same. */
export function isElsewhere({fields}: LogEvent, {settings}: Instance): boolean {
  const asked = endpointOf(String(fields['upstream'] ?? ''));
  const own = settings.flatMap(({name, value}) => (ADDRESSES.has(name) ? (endpointOf(String(value)) ?? []) : []));
  return asked !== null && own.length > 0 && !own.includes(asked);
}

/** A port, since hosts have several names, or the path of a socket file. */
function endpointOf(address: string): string | null {
  const [, file] = /(?:^|unix:)(\/[^:\s]+)/.exec(address) ?? [];
  const [, port] = /^(?:\w+:\/\/)?[^/]*?:(\d+)(?:\/|$)/.exec(address) ?? [];
  return file ?? port ?? null;
}

function isCutOff(process: Process): boolean {
  const {role, end} = process;
  return role === 'worker' && (end === 'forced' || end === 'killed' || end === 'crashed') && momentOf(process) !== null;
}

/** When it was ended; where no line tells its end, when its supervisor struck. */
function momentOf({ended, endedAt, forced}: Process): {readonly line: LogEvent; readonly at: Instant} | null {
  const line = ended ?? forced?.event ?? null;
  if (line === null) return null;
  return [endedAt, forced?.at ?? null].flatMap((at) => (at !== null && isShort(at) ? [{line, at}] : []))[0] ?? null;
}

function isShort({earliest, latest}: Instant): boolean {
  return earliest !== null && latest !== null && latest - earliest <= LONGEST;
}

function fits(timeline: Timeline, event: LogEvent, process: Process): boolean {
  const moment = momentOf(process);
  return moment !== null && isComparable(event, moment.line, timeline) && isOneMoment(event.at, moment.at);
}

function isOneMoment(a: Instant, b: Instant): boolean {
  if (a.earliest === null || a.latest === null || b.earliest === null || b.latest === null) return false;
  return a.earliest <= b.latest + SLACK && b.earliest <= a.latest + SLACK;
}
