import type {LogEvent} from '../timeline/event.ts';
import type {Instance, Timeline} from '../timeline/timeline.ts';
import {printableJson} from './escape.ts';
import {jsonInstant} from './instant.ts';
import {inputName} from './place.ts';

/** The events of a timeline, and what a second sink wrote of them again, one JSON object a line. */
export function* eventLines(timeline: Timeline): Generator<string> {
  const owner = ownerOf(timeline.instances);
  const doubled = new Set(timeline.doubled);
  const all = [...timeline.events, ...timeline.doubled].sort((a, b) => a.place - b.place);
  for (const event of all) {
    const input = timeline.inputs[event.input];
    const object = {
      message: event.message,
      input: inputName(input?.name ?? ''),
      line: event.line,
      at: jsonInstant(event.at, input?.zone ?? null, timeline.clockSteps),
      instance: owner(event),
      pid: event.pid,
      worker: event.worker,
      fields: event.fields,
      text: event.text,
      ...(doubled.has(event) ? {doubled: true} : {}),
    };
    yield `${printableJson(JSON.stringify(object))}\n`;
  }
}

/** The instance that an event belongs to, as far as pid and supervisor tell. */
function ownerOf(instances: readonly Instance[]): (event: LogEvent) => string | null {
  const byPid = new Map<number, Set<string>>();
  for (const {id, masterPid, processes} of instances) {
    for (const pid of [...(masterPid === null ? [] : [masterPid]), ...processes.map((process) => process.pid)]) {
      byPid.set(pid, (byPid.get(pid) ?? new Set()).add(id));
    }
  }
  return ({pid, message}) => {
    const owners = pid === null ? undefined : byPid.get(pid);
    if (owners?.size === 1) return [...owners][0] ?? null;
    const candidates = instances.filter(({supervisor}) => message.startsWith(`${supervisor}/`));
    return candidates.length === 1 ? (candidates[0]?.id ?? null) : null;
  };
}
