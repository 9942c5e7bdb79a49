import {ConfigError, type Kind} from './configuration.ts';

const SUPERVISORD =
  /^\[(supervisord|supervisorctl|unix_http_server|inet_http_server|(program|fcgi-program|eventlistener|group):[^\]]+)\]/m;
const SYSTEMD = /^\[(Unit|Service|Install|Socket|Timer)\]/m;
const COMPOSE = /^services[ \t]*:/m;
const KUBERNETES = /^kind[ \t]*:[ \t]*\w+/m;
const UWSGI_YAML = /^uwsgi[ \t]*:/m;
const SECTION = /^[ \t]*\[[^\]\n]+\]/m;

/** What kind of file it is, by its content first and by its name where the content leaves it open. */
export function kindOf(name: string, text: string): Kind {
  const first = text.trimStart();
  if (/\.xml$/i.test(name) || first.startsWith('<')) return 'uwsgi-xml';
  if (/\.js(on)?$/i.test(name) || first.startsWith('{')) return 'uwsgi-json';
  if (/\.ya?ml$/i.test(name) && !UWSGI_YAML.test(text)) {
    if (/^apiVersion[ \t]*:/m.test(text) && KUBERNETES.test(text)) return 'kubernetes';
    if (COMPOSE.test(text)) return 'compose';
  }
  if (/\.ya?ml$/i.test(name)) return 'uwsgi-yaml';
  if (/\.py$/i.test(name)) return 'gunicorn';
  if (SYSTEMD.test(text)) return 'systemd';
  if (SUPERVISORD.test(text)) return 'supervisord';
  if (/^\[uwsgi\]/m.test(text) || (/\.ini$/i.test(name) && /^[ \t]*\[/m.test(text))) return 'uwsgi-ini';
  if (/^\[include\]/m.test(text) && /supervisor/i.test(name)) return 'supervisord';
  if (/^uwsgi[ \t]*:[ \t]*$/m.test(text)) return 'uwsgi-yaml';
  if (SECTION.test(text)) return 'uwsgi-ini';
  if (/^[A-Za-z_]\w*[ \t]*=/m.test(text)) return 'gunicorn';
  throw new ConfigError(
    name,
    null,
    'this is no configuration that is known',
    'give a uwsgi file (ini, yaml, json, xml), gunicorn.conf.py, supervisord.conf, a systemd unit, a compose file or a Kubernetes manifest',
  );
}
