import {type Declaration, type Entry, type Program, plainValue} from './configuration.ts';
import {defaultsOf} from './defaults.ts';
import type {Files} from './files.ts';
import {EVERYTHING} from './python.ts';

/** gunicorn passes over all other names (gunicorn/config.py, 20.1 to 23). */
const SETTINGS = new Set(
  (
    'access_log_format accesslog backlog bind ca_certs capture_output casefold_http_method cert_reqs certfile chdir ' +
    'check_config child_exit ciphers config daemon default_proc_name disable_redirect_access_to_syslog ' +
    'do_handshake_on_connect dogstatsd_tags enable_stdio_inheritance errorlog forwarded_allow_ips forwarder_headers ' +
    'graceful_timeout group header_map initgroups keepalive keyfile limit_request_field_size limit_request_fields ' +
    'limit_request_line logconfig logconfig_dict logconfig_json logger_class loglevel max_requests max_requests_jitter ' +
    'nworkers_changed on_exit on_reload on_starting paste permit_obsolete_folding permit_unconventional_http_method ' +
    'permit_unconventional_http_version pidfile post_fork post_request post_worker_init pre_exec pre_fork pre_request ' +
    'preload_app print_config proc_name proxy_allow_ips proxy_protocol pythonpath raw_env raw_paste_global_conf reload ' +
    'reload_engine reload_extra_files reuse_port secure_scheme_headers sendfile spew ssl_context ssl_version statsd_host ' +
    'statsd_prefix strip_header_spaces suppress_ragged_eofs syslog syslog_addr syslog_facility syslog_prefix threads ' +
    'timeout tmp_upload_dir tolerate_dangerous_framing umask user when_ready worker_abort worker_class ' +
    'worker_connections worker_exit worker_int worker_tmp_dir workers wsgi_app'
  ).split(' '),
);

/** Settings that are looked for though they have no fixed default. */
const READ = ['workers', 'threads', 'worker_class', 'daemon'];

/** The settings that a gunicorn.conf.py assigns. The file is read and not run: what it works out is unknown. */
export async function readGunicorn(name: string, files: Files): Promise<Program> {
  const file = await files.open(name);
  const last = new Map<string, Entry>();
  for (const entry of file.entries) {
    if (entry.key === EVERYTHING) {
      files.note(file, `line ${entry.line} may set anything; what stands before it, and the defaults, need not hold`);
      for (const key of [...last.keys(), ...READ, ...defaultsOf('gunicorn', null).map(({name}) => name)])
        last.set(key, {...entry, key, value: null});
    } else if (SETTINGS.has(entry.key)) last.set(entry.key, entry);
  }
  const settings = [...last.values()].map(({key, value, line, from, to}): Declaration => {
    if (value !== null) return {name: key, value: valueIn(value), file, line};
    const source = file.text.slice(from, to).trim().replaceAll(/\s+/g, ' ');
    const at = {name: key, file, line};
    if (source === '') return {...at, value: 'worked out at the start', unknown: 'condition'};
    return {...at, value: source.slice(0, 80), unknown: 'value'};
  });
  for (const {key, value, line} of new Set(last.values())) {
    if (value === null && file.entries.some((entry) => entry.key === key && entry.line === line))
      files.note(file, `line ${line}: ${key} is worked out when gunicorn starts and is not known here`);
  }
  return {server: 'gunicorn', name: null, settings, place: {file, section: ''}, runs: null};
}

function valueIn(text: string): Declaration['value'] {
  return text === 'True' || text === 'False' ? text === 'True' : plainValue(text);
}
