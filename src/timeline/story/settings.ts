import type {LogEvent} from '../event.ts';
import {settingAt} from '../lookup.ts';
import {between, isExact} from '../time.ts';
import type {Setting} from '../timeline.ts';
import type {InstanceDraft, ProcessDraft} from './draft.ts';

const MERCY = 'worker-reload-mercy';
/** uWSGI's worker-reload-mercy where nothing sets it (core/init.c). */
const DEFAULT_MERCY = 60;

/** Keeps a value that a line shows, unless it is the one in force. */
export function addSetting({settings}: InstanceDraft, setting: Setting): void {
  if (settingAt(settings, setting.name)?.value !== setting.value) settings.push(setting);
}

/** Adds the settings that no line names and that follow from what happened. `requestsOf` counts a process's requests. */
export function inferSettings(instance: InstanceDraft, requestsOf: (process: ProcessDraft) => number): void {
  const {settings, processes} = instance;
  const set = (name: string, value: Setting['value'], where: LogEvent) => {
    if (settingAt(settings, name) === null) settings.push({name, value, from: 'inferred', where});
  };
  const [mercy, proof] = seenMercy(instance) ?? [];
  if (mercy !== undefined && proof !== undefined) set(MERCY, mercy, proof);
  if (instance.supervisor === 'uwsgi' && settingAt(settings, MERCY) === null) {
    settings.push({name: MERCY, value: DEFAULT_MERCY, from: 'default', where: null});
  }
  const loads = instance.epochs.flatMap((epoch) => epoch.loads);
  const workers = new Set(processes.filter(({role}) => role === 'worker').map(({pid}) => pid));
  const worker = loads.find(({pid}) => pid !== null && workers.has(pid));
  const master = loads.find(({pid}) => pid !== null && pid === instance.masterPid);
  if (worker !== undefined) set('lazy-apps', true, worker);
  else if (master !== undefined) set('lazy-apps', false, master);
  inferMaxRequests(instance, requestsOf);
}

/** worker-reload-mercy where `at` stands, in words or by a wait between two stamps; null where the log does not show it. */
export function mercyAt(instance: InstanceDraft, at: LogEvent): number | null {
  const setting = settingAt(instance.settings, MERCY, at);
  const told = setting === null || setting.from === 'default' ? seenMercy(instance)?.[0] : Number(setting.value);
  return told === undefined || !Number.isFinite(told) ? null : told;
}

/** The same for who has to reckon with one: uWSGI's default where the log does not show it. */
export function usualMercy(instance: InstanceDraft, at: LogEvent): number {
  return mercyAt(instance, at) ?? DEFAULT_MERCY;
}

/** A wait of which both ends are stamped is the mercy and one second. Only for workers before any line that tells it. */
function seenMercy({processes, settings}: InstanceDraft): [number, LogEvent] | null {
  for (const {asked, forced} of processes) {
    if (asked === null || forced?.event.meaning.deadline !== 'mercy' || forced.tries > 1) continue;
    if (settingAt(settings, MERCY, forced.event)?.from === 'log') continue;
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
  if (settingAt(instance.settings, 'max-requests') !== null) return;
  const where = recycled[0]?.recycling?.event ?? null;
  instance.settings.push({name: 'max-requests', value: limit, from: 'inferred', where});
}
