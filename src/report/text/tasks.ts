import {counted} from '../../number.ts';
import {lostTo} from '../../rules/respawn-orphans-tasks.ts';
import {instanceWithId} from '../../timeline/lookup.ts';
import type {OrphanedTask, Timeline} from '../../timeline/timeline.ts';
import {printable} from '../escape.ts';
import {showInstant} from '../instant.ts';
import {wrap} from '../wrap.ts';
import type {Page} from './page.ts';

/** Lost tasks told one by one. */
const MOST_TASKS = 20;

/** How many tasks began and ended, and each that was lost: its start, its process, and what ended that. */
export function tasks({tasks, instances}: Timeline, page: Page): string {
  const {started, retried, orphaned} = tasks;
  if (orphaned.length === 0 && retried === 0) return '';
  const sums = [
    `${counted(started, 'task')} began`,
    ...(orphaned.length === 0 ? [] : [`${counted(orphaned.length, 'task was', 'tasks were')} lost`]),
    ...(retried === 0 ? [] : [`${counted(retried, 'task was', 'tasks were')} cut and begun again elsewhere`]),
  ];
  const name = 'Tasks     ';
  const head = wrap(sums.join('; '), page.width, name);
  const more = orphaned.length - MOST_TASKS;
  return [
    page.paint.bold(name) + head.slice(name.length),
    ...orphaned.slice(0, MOST_TASKS).map((task) => wrap(line(task), page.width, '  - ', '    ')),
    ...(more > 0 ? [`  … and ${counted(more, 'more lost task')} (--json has all)`] : []),
  ].join('\n');

  function line(task: OrphanedTask): string {
    const {id, pid, worker, instance: owner, startedAt, started, gone, replacedBy} = task;
    const instance = instanceWithId(instances, owner);
    const where = worker === null ? (pid === null ? '' : ` in pid ${pid}`) : ` in worker ${worker} (pid ${pid})`;
    const end =
      gone !== null
        ? `the process was gone ${showInstant(gone.at, page.clock)} (${page.place(gone)}), ended by ${lostTo(instance, task)}`
        : replacedBy !== null
          ? `from ${page.place(replacedBy)} on pid ${replacedBy.pid} does this work`
          : `the process left, for ${lostTo(instance, task)}, and no line tells when it was gone`;
    const what = id === null ? 'a task' : `task ${printable(id)}`;
    return `${what}, begun ${showInstant(startedAt, page.clock)}${where} (${page.place(started)}): ${end}`;
  }
}
