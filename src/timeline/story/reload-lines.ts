/** Lines that tell of a reload as a whole. */
import type {LogEvent} from '../event.ts';
import {ask, askAgain, askAll} from './asking.ts';
import {instanceOf, rivalsOf} from './attribution.ts';
import {isAlive, type ReloadEntry} from './draft.ts';
import {beginReload, finishReload, goesOn, leaveUnfinished, replacingImage} from './reloads.ts';
import type {Handlers, StoryDraft} from './story-draft.ts';

export const RELOADS: Handlers = {
  'reload-asked': reloadAsked,
  'reload-began': reloadBegan,
  'reload-ended': reloadEnded,
  're-executing': reExecuting,
  'chain-step': chainStep,
  'chain-waiting': (story, event) => goesOn(instanceOf(story, event), event),
};

function reloadAsked(story: StoryDraft, event: LogEvent): void {
  const rivals = rivalsOf(story, event);
  const instance = instanceOf(story, event);
  const {reload: kind = 'graceful', trigger = 'unknown'} = event.meaning;
  const {active} = instance;
  if (active !== null && active.kind !== 'stop' && (active.isUnderWay || active.kind !== kind || trigger !== 'autoreload')) {
    active.repeated.push(event);
    return;
  }
  if (active === null) beginReload(story, instance, event, kind, trigger, {isUnderWay: false, headless: false, rivals});
}

function reloadBegan(story: StoryDraft, event: LogEvent): void {
  const rivals = rivalsOf(story, event);
  const instance = instanceOf(story, event);
  const {reload: kind = 'graceful', trigger = 'unknown'} = event.meaning;
  const {active} = instance;
  // uWSGI looks whether it is to stop before it looks whether it is to reload (core/master.c): the stop goes on.
  if (active?.kind === 'stop' && instance.supervisor === 'uwsgi') {
    active.repeated.push(event);
    if (kind !== 'chain') askAgain(instance, event);
    return;
  }
  // A chain that is asked for while all workers leave never begins: the new image knows nothing of it.
  if (kind === 'chain' && active?.isUnderWay && (active.kind === 'graceful' || active.kind === 'brutal')) {
    active.repeated.push(event);
    return;
  }
  if (active !== null && !active.isUnderWay && active.kind === kind) {
    active.isUnderWay = true;
    active.lastSign = event;
  } else if (active?.kind === 'hup' && kind === 'hup' && instance.supervisor === 'gunicorn') {
    // Each HUP starts a generation of its own (gunicorn/arbiter.py).
    instance.waning = [...instance.waning, active];
    beginReload(story, instance, event, kind, trigger, {isUnderWay: true, headless: false});
  } else if (active !== null && active.kind === kind && active.reExecuted === null) {
    // A chain that was touched prints a header of its own; anything else is a second request.
    if (kind === 'chain' && active.entries.length === 0) active.lastSign = event;
    else active.repeated.push(event);
    if (kind !== 'chain') askAgain(instance, event);
    return;
  } else {
    if (active !== null) leaveUnfinished(active);
    beginReload(story, instance, event, kind, trigger, {isUnderWay: true, headless: false, rivals});
  }
  if (kind !== 'chain' && kind !== 'usr2') askAll(story, instance, event, 'reload');
}

function reloadEnded(story: StoryDraft, event: LogEvent): void {
  const instance = instanceOf(story, event);
  const {active} = instance;
  const {reload: kind} = event.meaning;
  // A stop may have begun before the last worker of a chain was found ready.
  const reload =
    kind === undefined || active?.kind === kind
      ? active
      : (story.reloads.findLast((past) => past.instance === instance && past.kind === kind && past.ended === null) ?? null);
  if (reload === null) return;
  for (const entry of reload.entries) entry.passed ??= event;
  finishReload(reload, event, 'completed');
}

function reExecuting(story: StoryDraft, event: LogEvent): void {
  const reload = replacingImage(story, instanceOf(story, event), event);
  reload.reExecuted = event;
  reload.lastSign = event;
}

function chainStep(story: StoryDraft, event: LogEvent): void {
  const instance = instanceOf(story, event);
  let {active} = instance;
  if (active?.kind !== 'chain')
    active = beginReload(story, instance, event, 'chain', 'unknown', {isUnderWay: true, headless: true});
  for (const entry of active.entries) entry.passed ??= event;
  const old = (event.worker === null ? null : instance.slots.get(event.worker)) ?? null;
  const entry: ReloadEntry = {worker: event.worker, old, next: null, told: event, passed: null};
  active.entries.push(entry);
  active.lastSign = event;
  if (old !== null && isAlive(old)) ask(story, old, event, 'reload', active, false);
}
