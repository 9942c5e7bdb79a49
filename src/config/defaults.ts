import type {Server, Value} from './configuration.ts';

/** A value that holds where nothing sets another one. */
interface Default {
  readonly name: string;
  readonly value: Value;
  /** From this version on; absent: always. */
  readonly since?: string;
  /** Before this version. */
  readonly until?: string;
}

/**
 * uWSGI: core/init.c and core/uwsgi.c of the tags 2.0 to 2.0.30 and of 2.1-dev. gunicorn: gunicorn/config.py 20.1 to 23.
 * supervisord: supervisor/options.py 4.2. systemd: systemd.service(5), systemd.kill(5) of 252.
 * compose: the compose specification. Kubernetes: the PodSpec of v1.
 */
const DEFAULTS: Readonly<Record<Server, readonly Default[]>> = {
  uwsgi: [
    {name: 'worker-reload-mercy', value: 60},
    {name: 'listen', value: 100},
    {name: 'min-worker-lifetime', value: 10},
    {name: 'die-on-term', value: false, until: '2.1'},
    {name: 'die-on-term', value: true, since: '2.1'},
  ],
  gunicorn: [
    {name: 'timeout', value: 30},
    {name: 'graceful_timeout', value: 30},
    {name: 'max_requests', value: 0},
    {name: 'max_requests_jitter', value: 0},
    {name: 'preload_app', value: false},
  ],
  supervisord: [
    {name: 'stopwaitsecs', value: 10},
    {name: 'stopsignal', value: 'TERM'},
    {name: 'stopasgroup', value: false},
    {name: 'killasgroup', value: false},
    {name: 'startsecs', value: 1},
    {name: 'startretries', value: 3},
  ],
  systemd: [
    {name: 'TimeoutStartSec', value: 90},
    {name: 'TimeoutStopSec', value: 90},
    {name: 'KillMode', value: 'control-group'},
    {name: 'KillSignal', value: 'SIGTERM'},
    {name: 'SendSIGKILL', value: true},
  ],
  compose: [{name: 'stop_grace_period', value: 10}],
  kubernetes: [{name: 'terminationGracePeriodSeconds', value: 30}],
};

/** What holds by default in this version; null: a version that the log does not tell. */
export function defaultsOf(server: Server, version: string | null): readonly {readonly name: string; readonly value: Value}[] {
  const isBefore = (limit: string) => version !== null && older(version, limit);
  return DEFAULTS[server].filter(
    ({since, until}) =>
      (since === undefined || (version !== null && !isBefore(since))) &&
      (until === undefined || version === null || isBefore(until)),
  );
}

function older(version: string, limit: string): boolean {
  const [a, b] = [version, limit].map((text) => (/^[\d.]+/.exec(text)?.[0] ?? '').split('.').map(Number));
  for (let place = 0; place < Math.max(a?.length ?? 0, b?.length ?? 0); place++) {
    const difference = (a?.[place] ?? 0) - (b?.[place] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
