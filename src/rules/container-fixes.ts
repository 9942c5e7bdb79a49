/** What helps where docker kills a container at the end of its stop: the same advice in every rule that meets one. */
import {type Fix, NO_SETTING} from './rule.ts';

/** The server does not get SIGTERM: a shell is the first process, and passes nothing on. */
export const REACH_SERVER: Fix = {
  ...NO_SETTING,
  effect: 'the server gets SIGTERM itself and stops at once',
  safety: 'safe',
  why: 'Let the command be the first process: CMD in its list form, or exec at the end of the entrypoint.',
};

/** The same, or the server is a uWSGI that takes SIGTERM for a reload. */
export const SAY_STOP: Fix = {
  ...NO_SETTING,
  effect: 'the server gets a signal that means stop to it, and stops at once',
  safety: 'safe',
  why: 'Let the command be the first process (CMD in its list form, or exec in the entrypoint). A uWSGI needs die-on-term, or stop_signal: SIGINT.',
};

/** The server takes longer than docker waits. */
export const WAIT_LONGER: Fix = {
  setting: 'stop_grace_period',
  section: null,
  value: null,
  since: null,
  effect: 'docker waits until the server has stopped by its own deadline',
  safety: 'safe',
  why: "Longer than the server's own patience (graceful_timeout, worker-reload-mercy), by 5 s and more.",
};
