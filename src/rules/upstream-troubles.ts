/**
 * Troubles of the server itself that look exactly like a fault of the application. Data: what they look like, in which
 * versions, where they are discussed, and where they end. Rules that meet the signature ask here first.
 */
import type {LineRef} from '../timeline/event.ts';
import type {Instance, Process} from '../timeline/timeline.ts';
import {compareVersions, coresOf, setting, versionAt, versionWithin} from './settings.ts';

/** What a log shows of it. */
type Signature =
  /** Idle workers are asked to leave and are killed at the end of the mercy. */
  | 'exit-hang'
  /** A reload is taken up, and no worker is told. */
  | 'reload-blocks'
  /** A graceful stop waits for a worker without a deadline. */
  | 'stop-blocks'
  /** A worker is killed again and again, mercy after mercy. */
  | 'kill-repeats'
  /** Workers abort in the interpreter as soon as they are forked. */
  | 'abort-at-fork'
  /** A worker that was asked to leave crashes on its way out. */
  | 'crash-at-exit';

export interface UpstreamTrouble {
  readonly signature: Signature;
  readonly supervisor: string;
  /** First and last version that have it; null: all before, all after. */
  readonly from: string | null;
  readonly to: string | null;
  /** Without the version: "does not wake its idle threads …". */
  readonly what: string;
  /** Goes on from `Run uWSGI`; null where no version helps. */
  readonly fixedIn: string | null;
  /** What helps without another version. */
  readonly instead: string | null;
  readonly reference: string;
  /** What must be so besides the version. */
  readonly condition?: 'threaded' | 'python-3.13' | 'lazy-apps';
}

export const upstreamTroubles: readonly UpstreamTrouble[] = [
  {
    signature: 'exit-hang',
    supervisor: 'uwsgi',
    from: '2.0.25',
    to: '2.0.26',
    condition: 'threaded',
    what: 'does not wake its idle threads when a worker is to leave',
    fixedIn: '2.0.28 or later',
    instead: 'threads = 1, with more processes',
    reference: 'unbit/uwsgi#2661',
  },
  {
    signature: 'reload-blocks',
    supervisor: 'uwsgi',
    from: '2.0.27',
    to: '2.0.27',
    what: 'blocks before it tells its workers of a reload',
    fixedIn: '2.0.28 or later',
    instead: 'a stop and a start, or a chain reload',
    reference: 'unbit/uwsgi#2681',
  },
  {
    signature: 'stop-blocks',
    supervisor: 'uwsgi',
    from: '2.0.27',
    to: '2.0.30',
    what: 'waits for each worker in turn at a graceful stop, and has no deadline there',
    fixedIn: 'of a release after 2.0.30 that has this change',
    instead: 'the stop at once (SIGINT, or Q to the master FIFO)',
    reference: 'pull request unbit/uwsgi#2743',
  },
  {
    signature: 'kill-repeats',
    supervisor: 'uwsgi',
    from: '2.0.27',
    to: '2.0.30',
    what: 'goes on to kill workers that have ended at a graceful stop, while another of its processes is still there',
    fixedIn: 'of a release after 2.0.30 that has the change of pull request unbit/uwsgi#2743',
    instead: 'the stop at once (SIGINT, or Q to the master FIFO)',
    reference: 'unbit/uwsgi#2722',
  },
  {
    signature: 'abort-at-fork',
    supervisor: 'uwsgi',
    from: null,
    to: null,
    condition: 'python-3.13',
    what: 'calls a hook of Python after each fork (py-call-osafterfork) that ends the worker under Python 3.13',
    fixedIn: null,
    instead: 'py-call-uwsgi-fork-hooks (2.0.21 and later) does its work',
    reference: 'unbit/uwsgi#2710',
  },
  {
    signature: 'crash-at-exit',
    supervisor: 'uwsgi',
    from: null,
    to: '2.0.29',
    condition: 'lazy-apps',
    what: 'ends Python after the static objects of C++ libraries are gone, where the application is loaded in each worker',
    fixedIn: '2.0.30 or later',
    instead: null,
    reference: 'unbit/uwsgi commit b6e37c50',
  },
];

/** The known trouble that the log's version has, judged where `at` stands; null where it has none, or tells no version. */
export function upstreamTrouble(
  instance: Instance,
  signature: Signature,
  at: LineRef | null,
  process: Process | null = null,
): UpstreamTrouble | null {
  if (instance.version === null) return null;
  return (
    upstreamTroubles.find(
      (trouble) =>
        trouble.signature === signature &&
        trouble.supervisor === instance.supervisor &&
        versionWithin(instance, trouble.from, trouble.to, at) &&
        holds(trouble, instance, process),
    ) ?? null
  );
}

function holds({condition}: UpstreamTrouble, instance: Instance, process: Process | null): boolean {
  switch (condition) {
    case 'threaded': {
      const cores = process ? coresOf(process, instance) : null;
      return (cores !== null && cores > 1) || String(setting(instance, 'operational-mode')?.value ?? '') === 'threaded';
    }
    case 'python-3.13': {
      const version = setting(instance, 'python-version')?.value;
      return version !== undefined && compareVersions(String(version), '3.13') >= 0;
    }
    case 'lazy-apps':
      return process !== null && process.appLoaded !== null;
    default:
      return true;
  }
}

function rangeOf(from: string | null, to: string | null): string {
  if (from === null) return to === null ? '' : ` up to ${to}`;
  return from === to ? ` ${from}` : ` ${from} to ${to}`;
}

/** `uWSGI 2.0.25 to 2.0.26 does not wake … (here 2.0.26 runs; unbit/uwsgi#2661)` */
export function troubleText({from, to, what, reference}: UpstreamTrouble, instance: Instance, at: LineRef | null): string {
  const range = rangeOf(from, to);
  const here = from !== null && from === to ? '' : `here ${versionAt(instance, at)} runs; `;
  return `uWSGI${range} ${what} (${here}${reference})`;
}
