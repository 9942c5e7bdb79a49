import type {Fix} from './rule.ts';

/**
 * Settings that `samples/record/fixes.py` has tried on a real server against the trouble that the rule names; the figures
 * are in docs/fixes.md. The same setting may be offered against other troubles, for which nobody has tried it.
 */
const TRIED: Readonly<Record<string, readonly string[]>> = {
  'app-threads-block-shutdown': ['graceful_timeout', 'py-call-uwsgi-fork-hooks', 'skip-atexit-teardown', 'worker-reload-mercy'],
  'boot-failure': ['command', 'listen', 'need-app', 'net.core.somaxconn'],
  'chain-reload-slow': ['worker-reload-mercy'],
  'clients-gone': ['ignore-sigpipe'],
  'crash-loop': ['startsecs'],
  'daemon-blocks-reload': ['reload-mercy'],
  'evil-reload-kills': ['reload-on-rss'],
  'harakiri-kills': ['py-tracebacker'],
  'kill-without-effect': [],
  'listen-queue-full': ['harakiri', 'listen', 'processes', 'touch-chain-reload'],
  'log-hides-times': ['log-date', 'log-master'],
  'mercy-ineffective': ['worker-reload-mercy'],
  'mercy-too-long': ['worker-reload-mercy'],
  'mercy-too-short': ['worker-reload-mercy'],
  'mule-blocks-reload': ['mule-reload-mercy'],
  'no-idle-worker': ['harakiri', 'processes'],
  'old-code-kept': ['lazy-apps', 'preload_app'],
  'outer-timeout-too-short': ['killasgroup', 'stopwaitsecs'],
  'recycle-blocked': ['py-call-uwsgi-fork-hooks', 'skip-atexit-teardown', 'worker-reload-mercy'],
  'recycled-too-often': ['max-requests'],
  'reload-lost-app': ['need-app'],
  'request-blocks-shutdown': ['graceful_timeout', 'harakiri'],
  'respawn-orphans-tasks': ['enable-threads', 'task_acks_late', 'timeout'],
  'router-cuts-clients': ['http-socket', 'touch-chain-reload'],
  'signal-hit-workers': [],
  'stop-became-reload': ['die-on-term', 'stopsignal'],
  'survivors-hold-port': ['killasgroup', 'no-orphans'],
  'slow-start-empties-service': [],
  'synchronized-recycling': ['max_requests_jitter'],
  'worker-crashed': ['env', 'reload-on-exception'],
  'worker-never-came-back': ['skip-atexit-teardown'],
  'worker-timeout': ['preload_app', 'timeout', 'worker_class'],
};

/** What is no setting says itself whether it was tried. */
export function isTried(rule: string, {setting, tried}: Fix): boolean {
  const settings = TRIED[rule];
  return settings !== undefined && (setting === null ? tried === true : settings.includes(setting));
}
