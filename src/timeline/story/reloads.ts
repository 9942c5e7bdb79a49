/** A reload or stop from its beginning to its end. */
import type {LogEvent, ReloadKind, Trigger} from '../event.ts';
import type {InstanceDraft, ProcessDraft, ReloadDraft} from './draft.ts';
import type {StoryDraft} from './story-draft.ts';

export function beginReload(
  story: StoryDraft,
  instance: InstanceDraft,
  event: LogEvent,
  kind: ReloadKind,
  trigger: Trigger,
  {
    isUnderWay,
    headless,
    rivals = [],
  }: {readonly isUnderWay: boolean; readonly headless: boolean; readonly rivals?: readonly InstanceDraft[]},
): ReloadDraft {
  const reload: ReloadDraft = {
    instance,
    kind,
    trigger,
    headless,
    isUnderWay,
    began: event,
    ended: null,
    outcome: 'unfinished',
    entries: [],
    reExecuted: null,
    repeated: [],
    lastSign: event,
    rivals: rivals.filter((other) => other !== instance),
  };
  instance.active = reload;
  instance.lastReload = reload;
  story.source.current = instance;
  story.reloads.push(reload);
  return reload;
}

export function finishReload(reload: ReloadDraft, event: LogEvent, outcome: 'completed' | 'failed'): void {
  reload.ended = event;
  reload.lastSign = event;
  reload.outcome = outcome;
  if (reload.instance.active === reload) reload.instance.active = null;
}

/** A worker that was thought to have left is still there: so is the reload that asked it. */
export function prolong({asked}: ProcessDraft, event: LogEvent): void {
  const reload = asked?.reload;
  if (reload?.kind === 'hup' && reload.ended !== null) finishReload(reload, event, 'completed');
}

export function leaveUnfinished(reload: ReloadDraft): void {
  if (reload.instance.active === reload) reload.instance.active = null;
}

/** The reload in which a master replaces its image. Reloads of the workers alone never do: another has begun since, and no line says so. */
export function replacingImage(story: StoryDraft, instance: InstanceDraft, event: LogEvent): ReloadDraft {
  const {active} = instance;
  if (active?.kind === 'chain' || (active?.kind === 'workers' && !active.headless)) leaveUnfinished(active);
  const reload =
    instance.active ?? beginReload(story, instance, event, 'graceful', 'unknown', {isUnderWay: true, headless: true});
  becomeReload(reload);
  return reload;
}

/**
 * A master that replaces its image did not stop. puma's words for a restart in place are at first those of a stop. And a daemon that
 * uWSGI was about to start has the master's handlers still and says that it stops, before the master says that it reloads. Workers
 * that were asked one by one were asked by the full reload, whose own line is missing.
 */
function becomeReload(reload: ReloadDraft): void {
  if (reload.kind === 'workers') reload.kind = 'graceful';
  if (reload.kind !== 'stop') return;
  reload.kind = reload.repeated.find(({meaning}) => meaning.kind === 'reload-began')?.meaning.reload ?? 'graceful';
}

/** Something happened that shows that the running reload goes on. */
export function goesOn(instance: InstanceDraft, event: LogEvent): void {
  if (instance.active !== null) instance.active.lastSign = event;
}
