/** The settings that can be simulated, and what each does to a worker that is to leave. */
import {loading, mayHave} from '../rules/settings.ts';
import type {Instance} from '../timeline/timeline.ts';

/**
 * `mercy`: how long it is waited for. `arbiter`: the same, as gunicorn does it. `exit`: nothing in its exit holds it any more.
 * `none`: it changes no wait.
 */
export type Effect = 'mercy' | 'arbiter' | 'exit' | 'none';

interface Simulated {
  readonly name: string;
  readonly supervisor: string;
  readonly effect: Effect;
  readonly takes: 'seconds' | 'boolean';
  /** The first version that has it. */
  readonly since: string | null;
  readonly remark: string | null;
}

/** Measured on uWSGI 2.0.21: docs/fixes.md. */
export const SIMULATED: readonly Simulated[] = [
  {name: 'worker-reload-mercy', supervisor: 'uwsgi', effect: 'mercy', takes: 'seconds', since: null, remark: null},
  {
    name: 'reload-mercy',
    supervisor: 'uwsgi',
    effect: 'none',
    takes: 'seconds',
    since: null,
    remark: 'reload-mercy has no effect on workers; worker-reload-mercy has',
  },
  {name: 'skip-atexit-teardown', supervisor: 'uwsgi', effect: 'exit', takes: 'boolean', since: '2.0.15', remark: null},
  {
    name: 'py-call-uwsgi-fork-hooks',
    supervisor: 'uwsgi',
    effect: 'exit',
    takes: 'boolean',
    since: '2.0.21',
    remark: 'py-call-uwsgi-fork-hooks helps where the application is loaded before the fork, not with lazy-apps',
  },
  {name: 'graceful_timeout', supervisor: 'gunicorn', effect: 'arbiter', takes: 'seconds', since: null, remark: null},
  {
    name: 'timeout',
    supervisor: 'gunicorn',
    effect: 'arbiter',
    takes: 'seconds',
    since: null,
    remark:
      'only workers that a reload or stop had asked to leave are replayed, not those that timeout ended in the middle of a request',
  },
  {name: 'stopwaitsecs', supervisor: 'supervisord', effect: 'mercy', takes: 'seconds', since: null, remark: null},
  {name: 'TimeoutStopSec', supervisor: 'systemd', effect: 'mercy', takes: 'seconds', since: null, remark: null},
  {
    name: 'lazy-apps',
    supervisor: 'uwsgi',
    effect: 'none',
    takes: 'boolean',
    since: null,
    remark:
      'lazy-apps changes where the application is loaded and ends no wait by itself; how long loading takes per worker is not simulated',
  },
];

/** A setting and the value that is tried. */
export interface Wish extends Simulated {
  /** As given. */
  readonly value: string;
  /** 0 for settings that take none. */
  readonly seconds: number;
}

export function effectOf({name, effect, value, since}: Wish, instance: Instance): Effect {
  if (!mayHave(instance, since) || /^(false|0|no|off)$/i.test(value))
    return effect === 'mercy' || effect === 'arbiter' ? effect : 'none';
  if (name === 'py-call-uwsgi-fork-hooks' && loading(instance) === 'lazy-apps') return 'none';
  return effect;
}
