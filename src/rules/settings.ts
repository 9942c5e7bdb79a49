import type {LineRef} from '../timeline/event.ts';
import {precedes, settingAt} from '../timeline/lookup.ts';
/** What is known of an instance's configuration, as rules ask for it. */
import type {Instance, Process, Setting, Timeline} from '../timeline/timeline.ts';

const PRECEDENCE: readonly Setting['from'][] = ['log', 'inferred', 'config', 'default'];

/** Mercy, chains and numbered workers are uWSGI's. */
export function uwsgiOf(timeline: Timeline): Instance[] {
  return timeline.instances.filter(({supervisor}) => supervisor === 'uwsgi');
}

/**
 * What the log shows goes before what a file says. The value in force where `at` stands, or the latest; null where nothing tells
 * it, or a file sets it to what only the server's machine knows.
 */
export function setting(instance: Instance, name: string, at: LineRef | null = null): Setting | null {
  const found = inForce(instance, name, at);
  return found?.unknown ? null : found;
}

/** Set by a file, but to what, or whether, only the machine of the server tells. */
export function isUnknown(instance: Instance, name: string): boolean {
  return inForce(instance, name, null)?.unknown !== undefined;
}

function inForce(instance: Instance, name: string, at: LineRef | null): Setting | null {
  for (const from of PRECEDENCE) {
    const found = settingAt(
      instance.settings.filter((each) => each.from === from),
      name,
      at,
    );
    if (found) return found;
  }
  return null;
}

/**
 * What the configuration says of it, whatever the log shows; null where none was given, it does not say, or the server's machine
 * decides.
 * @param program Of which program of an outer supervisor; without it that of the server, or of the only one.
 */
export function configured(instance: Instance, name: string, program: string | null = null): Setting | null {
  const found = written(instance, name, program);
  return found?.unknown ? null : found;
}

/** The same, also where what it comes to is not known. */
export function written(instance: Instance, name: string, program: string | null = null): Setting | null {
  const isMeant = (each: Setting) => each.name === name && (program === null || each.program === program);
  return instance.settings.findLast((each) => isMeant(each) && each.from === 'config') ?? null;
}

/** The program that a section of a supervisord.conf is of; null for other sections. */
export function programOf(section: string | null): string | null {
  return /^program:(.+)$/.exec(section ?? '')?.[1] ?? null;
}

export function numberOf(instance: Instance, name: string): number | null {
  const value = Number(setting(instance, name)?.value ?? Number.NaN);
  return Number.isFinite(value) ? value : null;
}

/** Whether an option is switched on, in the words of any configuration. */
export function isOn(instance: Instance, name: string): boolean {
  return /^(true|1|yes|on)$/i.test(String(setting(instance, name)?.value));
}

/** How many requests a worker handles at the same time; null where the log does not tell. */
export function coresOf(process: Process, instance: Instance): number | null {
  const told = process.started?.fields.cores;
  return told === undefined ? (numberOf(instance, 'cores-per-worker') ?? numberOf(instance, 'threads')) : Number(told);
}

/**
 * Where the application was loaded: before the workers were forked, in each worker (`lazy-apps`), or not told.
 * Decides whether a thread of the application exists in the workers or only its record.
 */
export function loading(instance: Instance, process: Process | null = null): 'prefork' | 'lazy-apps' | null {
  if (process?.appLoaded) return 'lazy-apps';
  const loads = instance.epochs.flatMap((epoch) => epoch.appLoads);
  const before = process?.ended ? loads.filter((load) => precedes(load.event, process.ended ?? load.event)) : loads;
  for (const load of (before.length > 0 ? before : loads).toReversed()) {
    if (load.inWorker !== null) return load.inWorker ? 'lazy-apps' : 'prefork';
  }
  if (isOn(instance, 'lazy-apps') || isOn(instance, 'lazy')) return 'lazy-apps';
  return instance.processes.some((each) => each.role === 'worker' && each.appLoaded) ? 'lazy-apps' : null;
}

/** Parts of a version: `2.0.25.1` > `2.0.25`, `2.1-dev` > every `2.0`. */
function parts(version: string): number[] {
  return (version.split(/[^0-9.]/, 1)[0] ?? '')
    .split('.')
    .filter((part) => part !== '')
    .map(Number);
}

export function compareVersions(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** False only where the version is known and older. */
export function mayHave(instance: Instance, since: string | null): boolean {
  return since === null || instance.version === null || compareVersions(instance.version, since) >= 0;
}

/** The version that ran where `at` stands: a reload may start a later one. */
export function versionAt(instance: Instance, at: LineRef | null): string | null {
  if (at === null) return instance.version;
  const {banner} = instance.epochs.findLast((epoch) => epoch.banner && precedes(epoch.banner, at)) ?? {};
  const told = banner?.fields['version'];
  // Before the first banner of the log nothing tells, and the version is most likely that of the next.
  return told === undefined ? instance.version : String(told);
}

/** A side that is null is open. */
export function versionWithin(instance: Instance, from: string | null, to: string | null, at: LineRef | null): boolean {
  const version = versionAt(instance, at);
  if (version === null) return false;
  return (from === null || compareVersions(version, from) >= 0) && (to === null || compareVersions(version, to) <= 0);
}
