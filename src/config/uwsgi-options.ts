/** What uWSGI knows of its options (core/uwsgi.c, `uwsgi_base_options` of the tags 2.0 to 2.0.30), as far as it decides what they come to. */
import {plainValue, type Value} from './configuration.ts';

/** Options that read another file on the spot (UWSGI_OPT_IMMEDIATE). `inherit` does so when all else is read. */
export const INCLUDES = new Set(['ini', 'include', 'yaml', 'yml', 'json', 'js', 'xml', 'xmlconfig', 'config']);

/** Options that take effect the moment they are read: placeholders in their values are never replaced. */
export const IMMEDIATE = new Set([
  ...INCLUDES,
  ...['set', 'set-placeholder', 'set-ph', 'listen', 'spooler-processes', 'umask', 'strict', 'autoload', 'fallback-config'],
  ...['plugin', 'plugins', 'need-plugin', 'need-plugins', 'plugin-dir', 'plugins-dir', 'declare-option'],
]);

/** The end of a condition or of a loop. */
export const ENDS = new Set(['end', 'endif', 'endfor', 'end-if', 'end-for']);

/** Options that may be given again, each time for one more value (uwsgi_opt_add_string_list, _add_socket and their kind). */
const LISTS =
  /^(.*socket|https?|env|envdir|(need-)?plugins?|(call|exec|hook)-.*|touch-.*|fs-.*reload|mount|static-map2?|(smart-)?attach-daemon2?|mule|spooler|pythonpath|python-path|pp|(py-|python-|shared-)?import|.*route.*|.*cron2?|(req-)?logger|vassal.*|cache2?|unenv)$/;

/** Options whose value atoi() reads: what stands behind the digits is not looked at. */
const NUMBERS =
  /^(processes|workers|threads|(mule-|spooler-|cron-)?harakiri|listen|((worker|mule)-)?reload-mercy|max-requests(-delta)?|(min|max)-worker-lifetime(-delta)?|max-fd|buffer-size|async|cheaper(-initial|-step)?|idle|backtrace-depth|post-buffering|spooler-processes|(evil-)?reload-on-(as|rss)|(socket|http)-timeout|gevent|asyncio)$/;

/** Options that are on unless their value says no (uwsgi_opt_true). */
const SWITCHES =
  /^(master|lazy(-apps)?|enable-threads|die-on-term|exit-on-reload|single-interpreter|need-app|vacuum|strict|no-orphans|reaper|thunder-lock|harakiri-verbose|harakiri-no-arh|no-harakiri-arh|memory-report|log-(master|reopen|zero|4xx|5xx|micros)|threaded-logger|cheap|die-on-idle|skip-atexit(-teardown)?|auto-procname|catch-exceptions|py-call-osafterfork|py-call-uwsgi-fork-hooks|no-threads-wait|honour-stdin)$/;

export function isList(key: string): boolean {
  return LISTS.test(key);
}

export function isLogic(key: string): boolean {
  return /^(for(-glob|-readline|-times)?|if-(not-)?(opt|env|reload|hostname|hostname-match|exists|plugin|file|dir)|if-directory|ifdir|ifenv|ifexists|ifplugin)$/.test(
    key,
  );
}

/** What sets the same variable of the server: the last of them wins. */
export function namesOf(key: string): readonly string[] {
  return key === 'processes' || key === 'workers' ? ['processes', 'workers'] : [key];
}

/** What the server makes of the text of an option. */
export function optionValue(key: string, text: string): Value {
  if (NUMBERS.test(key)) return numberIn(text);
  if (SWITCHES.test(key)) return !/^(false|off|no|0)$/i.test(text);
  return text === '' ? true : plainValue(text);
}

/** atoi(): the number that a text begins with, else 0. */
export function numberIn(text: string): number {
  return Number(/^[ \t]*([-+]?\d{1,15})/.exec(text)?.[1] ?? 0);
}
