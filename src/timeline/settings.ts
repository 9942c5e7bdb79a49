import type {InstanceDraft, ProcessDraft} from './draft.ts';
import type {LogEvent} from './event.ts';
import {between, isExact} from './time.ts';
import type {Setting} from './timeline.ts';

const MERCY = 'worker-reload-mercy';
/** uWSGI's worker-reload-mercy where nothing sets it (core/init.c). */
const DEFAULT_MERCY = 60;

/** Adds the settings that no line names and that follow from what happened. `requestsOf` counts a process's requests. */
export function inferSettings(instance: InstanceDraft, requestsOf: (process: ProcessDraft) => number): void {
  const {settings, processes} = instance;
  const set = (name: string, value: Setting['value'], where: LogEvent) => {
    if (!settings.has(name)) settings.set(name, {name, value, from: 'inferred', where});
  };
  const [mercy, proof] = seenMercy(instance) ?? [];
  if (mercy !== undefined && proof !== undefined) set(MERCY, mercy, proof);
  if (instance.supervisor === 'uwsgi' && !settings.has(MERCY)) {
    settings.set(MERCY, {name: MERCY, value: DEFAULT_MERCY, from: 'default', where: null});
  }
  const loads = instance.epochs.flatMap((epoch) => epoch.loads);
  const worker = loads.find(({pid}) => processes.some((process) => process.role === 'worker' && process.pid === pid));
  const master = loads.find(({pid}) => pid !== null && pid === instance.masterPid);
  if (worker !== undefined) set('lazy-apps', true, worker);
  else if (master !== undefined) set('lazy-apps', false, master);
  inferMaxRequests(instance, requestsOf);
}

/** worker-reload-mercy as the log shows it, in words or by a wait between two stamps; null where it does not. */
export function mercyOf(instance: InstanceDraft): number | null {
  const setting = instance.settings.get(MERCY);
  const told = setting === undefined || setting.from === 'default' ? seenMercy(instance)?.[0] : Number(setting.value);
  return told === undefined || !Number.isFinite(told) ? null : told;
}

/** A wait of which both ends are stamped is the mercy and one second. */
function seenMercy({processes}: InstanceDraft): [number, LogEvent] | null {
  for (const {asked, forced} of processes) {
    if (asked === null || forced?.event.meaning.deadline !== 'mercy') continue;
    if (!isExact(asked.told.at) || !isExact(forced.event.at)) continue;
    const waited = Math.round(between(asked.told.at, forced.event.at).min);
    if (waited >= 1) return [waited - 1, forced.event];
  }
  return null;
}

/** Several workers that left after the same number of requests were counted out. */
function inferMaxRequests(instance: InstanceDraft, requestsOf: (process: ProcessDraft) => number): void {
  const recycled = instance.processes.filter(({recycling}) => recycling !== null && recycling.cause === 'unknown');
  const lives = recycled.filter(({started}) => started !== null).map(requestsOf);
  const limit = lives[0];
  if (limit === undefined || limit === 0 || lives.length < 2 || lives.some((count) => count !== limit)) return;
  for (const process of recycled) {
    if (process.recycling === null) continue;
    process.recycling.cause = 'max-requests';
    if (process.cause === 'unknown') process.cause = 'max-requests';
  }
  if (instance.settings.has('max-requests')) return;
  const where = recycled[0]?.recycling?.event ?? null;
  instance.settings.set('max-requests', {name: 'max-requests', value: limit, from: 'inferred', where});
}
