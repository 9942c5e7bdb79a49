import type {Fix} from './rule.ts';

/**
 * Settings that `samples/record/fixes.py` has tried on a real server against the trouble that the rule names; the figures
 * are in docs/fixes.md. The same setting may be offered against other troubles, for which nobody has tried it.
 */
const TRIED: Readonly<Record<string, readonly string[]>> = {
  'app-threads-block-shutdown': ['graceful_timeout', 'py-call-uwsgi-fork-hooks', 'skip-atexit-teardown', 'worker-reload-mercy'],
  'boot-failure': ['need-app'],
  'chain-reload-slow': ['worker-reload-mercy'],
  'crash-loop': ['startsecs'],
  'mercy-ineffective': ['worker-reload-mercy'],
  'mercy-too-long': ['worker-reload-mercy'],
  'mercy-too-short': ['worker-reload-mercy'],
  'old-code-kept': ['lazy-apps', 'preload_app'],
  'outer-timeout-too-short': ['killasgroup', 'stopwaitsecs'],
  'recycle-blocked': ['py-call-uwsgi-fork-hooks', 'skip-atexit-teardown', 'worker-reload-mercy'],
  'reload-lost-app': ['need-app'],
  'request-blocks-shutdown': ['graceful_timeout', 'harakiri'],
  'respawn-orphans-tasks': ['enable-threads', 'task_acks_late', 'timeout'],
  'signal-hit-workers': [],
  'stop-became-reload': ['die-on-term', 'stopsignal'],
  'survivors-hold-port': ['killasgroup'],
  'slow-start-empties-service': [],
  'synchronized-recycling': ['max_requests_jitter'],
  'worker-never-came-back': ['skip-atexit-teardown'],
  'worker-timeout': ['preload_app', 'timeout', 'worker_class'],
};

/** What is no setting says itself whether it was tried. */
export function isTried(rule: string, {setting, tried}: Fix): boolean {
  const settings = TRIED[rule];
  return settings !== undefined && (setting === null ? tried === true : settings.includes(setting));
}
