/** The patience of a server with its own workers, or of supervisord with its programs. */
import type {LineRef} from '../timeline/event.ts';
import type {Instance} from '../timeline/timeline.ts';
import {costOf, mercyOf, mercyText} from './mercy.ts';
import {setting} from './settings.ts';

/** How long a server waits for its workers before it ends them itself. */
export interface Grace {
  readonly seconds: number;
  /** What a stop with a worker that hangs takes, in seconds. */
  readonly cost: number;
  readonly setting: string;
  readonly text: string;
  readonly whom: 'workers' | 'programs';
  readonly isKnown: boolean;
  readonly where: LineRef | null;
}

/** gunicorn's graceful_timeout where nothing sets it (gunicorn/config.py). */
const GRACEFUL_TIMEOUT = 30;
/** supervisord's, too. */
const STOPWAITSECS = 10;

/** Null for a server that ends nobody itself; `at`: where it is asked, or null for the last value. */
export function graceOf(instance: Instance, at: LineRef | null): Grace | null {
  if (instance.supervisor === 'uwsgi') {
    const mercy = mercyOf(instance, at);
    return {
      seconds: mercy.seconds,
      cost: costOf(mercy.seconds),
      setting: 'worker-reload-mercy',
      text: mercyText(mercy),
      whom: 'workers',
      isKnown: mercy.known === 'shown' || mercy.known === 'measured',
      where: mercy.where,
    };
  }
  const isSupervisord = instance.supervisor === 'supervisord';
  if (instance.supervisor !== 'gunicorn' && !isSupervisord) return null;
  const name = isSupervisord ? 'stopwaitsecs' : 'graceful_timeout';
  const known = setting(instance, name);
  const value = known === null ? (isSupervisord ? STOPWAITSECS : GRACEFUL_TIMEOUT) : Number(known.value);
  const isKnown = known !== null && known.from !== 'default';
  return {
    seconds: value,
    cost: value + 1,
    setting: name,
    whom: isSupervisord ? 'programs' : 'workers',
    text: isKnown ? `${value} s` : `${value} s unless the configuration says otherwise`,
    isKnown,
    where: known?.where ?? null,
  };
}

/** Between two limits, in seconds, so that the inner one comes first. */
export const MARGIN = 5;
