/** What a server says before its first worker: banner, settings, dump, application. */
import type {LogEvent} from '../event.ts';
import {precedes} from '../lookup.ts';
import {signalName} from '../signals.ts';
import {between} from '../time.ts';
import type {Setting} from '../timeline.ts';
import {instanceOf, writerIn} from './attribution.ts';
import {type EpochDraft, end, type InstanceDraft, isAlive, newProcess} from './draft.ts';
import {finishReload, goesOn, replacingImage} from './reloads.ts';
import {addSetting} from './settings.ts';
import {newStartUp, type StartUp} from './sources.ts';
import type {Handlers, StoryDraft} from './story-draft.ts';

export const START_UP: Handlers = {
  starting,
  setting,
  'dump-began': ({source}) => {
    source.isInDump = true;
  },
  'dump-ended': ({source}) => {
    source.isInDump = false;
  },
  'app-loaded': appLoaded,
  'app-load-failed': appLoadFailed,
  'no-app': noApp,
  'address-in-use': addressInUse,
  remark,
  'path-missing': pathMissing,
};

function starting(story: StoryDraft, event: LogEvent): void {
  const before = story.source.startUp;
  story.source.startUp = before !== null && before.banner === null ? before : newStartUp();
  story.source.startUp.banner = event;
  // Where lines tell their writer, they tell whose banner it is.
  if (story.source.supervisor === 'uwsgi' && story.source.writer === null) story.source.banners.push(event);
  if (event.fields['node'] !== undefined) nodeStarted(story, story.source.startUp, event);
}

/** Celery tells no master: its banner names the node, and the same name again is that node started anew. */
function nodeStarted(story: StoryDraft, startUp: StartUp, banner: LogEvent): void {
  const {node} = banner.fields;
  const before = story.source.running.findLast(({epochs}) => epochs.at(-1)?.banner?.fields['node'] === node);
  if (before?.active?.kind === 'graceful') {
    story.source.startUp = null;
    story.source.current = before;
    before.active.reExecuted = banner;
    before.epochs.push({banner, since: banner, master: null, reExecuted: true, loads: []});
    finishReload(before.active, banner, 'completed');
    return;
  }
  if (before !== undefined) {
    story.stop(before, banner);
    if (before.active !== null) finishReload(before.active, banner, 'completed');
  }
  beginWithoutMaster(story, startUp, before ?? null);
}

function setting(story: StoryDraft, event: LogEvent): void {
  const {option} = event.fields;
  const name = event.meaning.setting ?? (story.source.isInDump && option !== undefined ? String(option) : null);
  const value = event.meaning.value ?? event.fields['value'];
  if (name === null || value === undefined) return;
  const setting: Setting = {name, value, from: 'log', where: event};
  const current = writerIn(story) ?? story.source.current;
  const isStartUp =
    // The first thing that a server says, before its banner.
    name === 'configuration' ||
    story.source.startUp !== null ||
    current === null ||
    current.stopped !== null ||
    current.active?.reExecuted;
  if (!isStartUp) {
    addSetting(current, setting);
    return;
  }
  story.source.startUp ??= newStartUp();
  story.source.startUp.settings.push(setting);
}

export function beginEpoch(story: StoryDraft, instance: InstanceDraft, master: LogEvent, reExecuted: boolean): void {
  const startUp = startUpOf(story);
  story.source.current = instance;
  const since = claimBanner(story, startUp.banner);
  const epoch: EpochDraft = {banner: startUp.banner, since, master, reExecuted, loads: ownLoads(story, startUp, master)};
  instance.epochs.push(epoch);
  story.nameMaster(instance, master.pid);
  const version = startUp.banner?.fields['version'];
  if (version !== undefined) instance.version = String(version);
  for (const setting of startUp.settings) addSetting(instance, setting);
  if (master.pid !== null && story.process(master.pid)?.role !== 'master') {
    story.register(newProcess(instance, master.pid, 'master', null, reExecuted ? null : master, story.index));
  }
  if (!reExecuted) return;
  replacingImage(story, instance, master).reExecuted ??= master;
  instance.previousSlots = instance.slots;
  instance.slots = new Map();
  for (const worker of instance.previousSlots.values()) {
    if (isAlive(worker)) end(worker, master, worker.forced === null ? 'lost' : 'forced');
  }
}

/** Of servers that start at once, each process that is to become a master says that it has loaded the application. */
function ownLoads({source}: StoryDraft, {loads}: StartUp, {pid}: LogEvent): LogEvent[] {
  const own = loads.filter((load) => load.pid === null || load.pid === pid);
  if (own.length === 0 || own.length === loads.length) return loads;
  source.startUp ??= newStartUp();
  source.startUp.loads.push(...loads.filter((load) => !own.includes(load)));
  return own;
}

/** Seconds from its banner to a master's pid: an application is loaded in between. */
const LONGEST_START = 3600;

/**
 * The master that begins here has printed `own`, as far as the lines tell, or the last banner.
 *
 * @returns The first banner that may be its own instead.
 */
function claimBanner({source: {banners}}: StoryDraft, own: LogEvent | null): LogEvent | null {
  // Starts that came to nothing, without a word of it.
  while (own !== null && banners[0] !== undefined && between(banners[0].at, own.at).min > LONGEST_START) banners.shift();
  const [first = null] = banners;
  const claimed = own ?? banners.at(-1);
  if (claimed !== undefined) dropBanner(banners, claimed);
  return first === null || (own !== null && precedes(own, first)) ? own : first;
}

/** Its server has no master, or none any more. */
function dropBanner(banners: LogEvent[], banner: LogEvent | null | undefined): void {
  const at = banner == null ? -1 : banners.lastIndexOf(banner);
  if (at >= 0) banners.splice(at, 1);
}

/** uWSGI ends where it cannot have its address (core/socket.c). */
function addressInUse({source: {banners, startUp}}: StoryDraft): void {
  dropBanner(banners, startUp?.banner);
}

/** An emperor without a master of its own says so when its banner is the last one: vassals come later. */
function remark({source: {banners}}: StoryDraft, {meaning}: LogEvent): void {
  if (meaning.masterless) banners.pop();
}

/** What the writer of the line has said since its start; a daemon's start was told by the process that it was forked from. */
function startUpOf({source}: StoryDraft): StartUp {
  const [only, ...others] = source.startUps.values();
  const own = source.startUp;
  if (own !== null) source.startUp = null;
  else if (others.length === 0) source.startUps.clear();
  return own ?? (others.length === 0 ? only : undefined) ?? newStartUp();
}

export function beginWithoutMaster(story: StoryDraft, startUp: StartUp, predecessor: InstanceDraft | null = null): void {
  if (startUp.banner === null) return;
  const instance = story.addInstance(predecessor);
  dropBanner(story.source.banners, startUp.banner);
  story.source.current = instance;
  instance.version = String(startUp.banner.fields['version'] ?? '') || null;
  for (const setting of startUp.settings) addSetting(instance, setting);
  instance.epochs.push({banner: startUp.banner, since: startUp.banner, master: null, reExecuted: false, loads: startUp.loads});
  story.source.startUp = null;
}

function appLoaded(story: StoryDraft, event: LogEvent): void {
  const {startUp} = story.source;
  if (startUp !== null && !isOfWorker(story, event)) {
    startUp.loads.push(event);
    return;
  }
  const instance = instanceOf(story, event);
  story.source.current = instance;
  if (instance.epochs.length === 0) instance.epochs.push({banner: null, since: null, master: null, reExecuted: false, loads: []});
  instance.epochs.at(-1)?.loads.push(event);
  const process = event.pid === null ? null : story.process(event.pid);
  if (process !== null) process.appLoaded = event;
  // uvicorn's watcher says no more than that.
  if (instance.supervisor === 'uvicorn' && instance.active?.trigger === 'autoreload')
    finishReload(instance.active, event, 'completed');
  goesOn(instance, event);
}

/** Another server starts meanwhile: a worker that is there already is none of its own. */
function isOfWorker(story: StoryDraft, {pid}: LogEvent): boolean {
  const process = pid === null ? null : story.process(pid);
  return process !== null && process.role === 'worker' && isAlive(process);
}

/** gunicorn gives up as a whole where its new workers cannot load the application: so has the reload that started them. */
function appLoadFailed(story: StoryDraft, event: LogEvent): void {
  if (!event.meaning.fatal || event.pid === null) return;
  const instance = story.process(event.pid)?.instance;
  const last = instance?.lastReload;
  if (last?.kind === 'hup') finishReload(last, event, 'failed');
  if (instance?.supervisor === 'gunicorn') haltedWorkers(instance);
}

/** Before the arbiter says why it gives up it asks its other workers to leave (gunicorn/arbiter.py, halt), and that has no line. */
function haltedWorkers({processes}: InstanceDraft): void {
  const started = processes.flatMap(({started}) => started ?? []);
  for (const process of processes) {
    const {role, end, ended, signal} = process;
    if (role !== 'worker' || end !== 'killed' || ended === null || signal === null || signalName(signal) !== 'TERM') continue;
    if (started.some((start) => precedes(ended, start))) continue;
    process.end = 'clean';
    process.cause = 'stop';
  }
}

/** need-app: whoever has no application gives up. Before its master is there nobody goes on; later the master stops them all. */
function noApp(story: StoryDraft, event: LogEvent): void {
  if (!event.meaning.fatal) return;
  const {startUp, current} = story.source;
  dropBanner(story.source.banners, startUp?.banner);
  const reload = current?.active ?? null;
  if (current === null || reload === null || reload.kind === 'stop') return;
  if (startUp === null || reload.reExecuted !== null) finishReload(reload, event, 'failed');
  if (startUp !== null && reload.reExecuted !== null) story.stop(current, event);
}

/** A new image that does not find its configuration ends, and nobody is left to start another. */
function pathMissing(story: StoryDraft, event: LogEvent): void {
  const {current, startUp} = story.source;
  const reload = current?.active ?? null;
  if (current === null || startUp?.banner != null || reload === null || reload.reExecuted === null) return;
  finishReload(reload, event, 'failed');
  story.stop(current, event);
}
