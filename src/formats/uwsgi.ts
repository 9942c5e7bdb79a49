/**
 * What uWSGI's messages mean: `grammars/uwsgi.ohm` in the vocabulary of events, in the grammar's order.
 *
 * A reload has one 'reload-began'. A touched file or a changed module comes before the line that begins
 * a full reload, so it is 'reload-asked'; a chain or a reload of the workers begins with the trigger itself.
 *
 * `stamped` stands where every version since 1.9 uses the verbose logger. What some version, or one of
 * several wordings, prints without a stamp goes without it.
 */
import matcher from '../../grammars/uwsgi.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

/** Request lines become counts and not events. */
const requests: readonly string[] = ['request', 'request-oddly-worded', 'request-with-memory', 'request-of-host'];

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  // Start
  starting: {kind: 'starting', role: 'master', timeIn: 'started'},
  configuration: {kind: 'setting', setting: 'configuration'},
  'compiled-with': 'noise',
  machine: 'noise',
  build: 'noise',
  'working-directory': {kind: 'setting', setting: 'working-directory'},
  'binary-path': 'noise',
  'no-master': {kind: 'setting', setting: 'master', value: false},
  'running-as-root': 'noise',
  privileges: 'noise',
  'system-limits': 'noise',
  'workers-adjusted': {kind: 'setting', setting: 'processes'},
  'max-fd': {kind: 'setting', setting: 'max-fd'},
  'async-cores': {kind: 'setting', setting: 'async'},
  'virtual-hosting': {kind: 'setting', setting: 'vhost', value: true},
  'lock-engine': 'noise',
  'thunder-lock': {kind: 'setting', setting: 'thunder-lock', value: true},
  'no-thunder-lock': {kind: 'setting', setting: 'thunder-lock', value: false},
  'working-directory-changed': 'noise',
  pidfile: {kind: 'setting', setting: 'pidfile'},
  daemonizing: {kind: 'setting', setting: 'daemonize', value: true},
  subsystems: 'noise',
  'start-details': 'noise',
  'plugin-missing': {kind: 'remark'},
  'deprecated-option': {kind: 'remark'},
  hook: {kind: 'setting', setting: 'hook'},
  'private-hook': 'noise',
  'hook-failed': {kind: 'remark'},
  'hook-fatal': {kind: 'remark', stamped: true},
  'listen-backlog': {kind: 'setting', setting: 'listen'},
  'worker-reload-mercy': {kind: 'setting', setting: 'worker-reload-mercy'},
  'request-buffer': {kind: 'setting', setting: 'buffer-size'},
  'post-buffering': {kind: 'setting', setting: 'post-buffering-bufsize'},
  mapped: {kind: 'setting', setting: 'cores'},
  'operational-mode': {kind: 'setting', setting: 'operational-mode'},
  'multiple-interpreters': {kind: 'setting', setting: 'single-interpreter', value: false},
  'harakiri-without-post-buffering': {kind: 'setting', setting: 'harakiri', value: true},
  'invalid-setting': {kind: 'remark'},
  'cron-registered': {kind: 'setting', setting: 'cron'},
  'stats-server': {kind: 'setting', setting: 'stats'},
  'cheap-mode': {kind: 'scaling'},
  'python-version': {kind: 'setting', setting: 'python-version'},
  virtualenv: {kind: 'setting', setting: 'virtualenv'},
  'python-home-missing': {kind: 'remark'},
  'python-path': 'noise',
  'python-threads-disabled': {kind: 'setting', setting: 'enable-threads', value: false},
  'python-threads-enabled': {kind: 'setting', setting: 'enable-threads', value: true},
  'python-interpreter': 'noise',
  'python-autoreload': {kind: 'setting', setting: 'py-autoreload', value: true},
  'python-tracebacker': {kind: 'setting', setting: 'py-tracebacker'},

  // Sockets
  'socket-bound': {kind: 'setting', setting: 'socket'},
  'socket-inherited': {kind: 'setting', setting: 'socket'},
  'socket-mapped': 'noise',
  'http-bound': {kind: 'setting', setting: 'http'},
  'router-bound': 'noise',
  'address-in-use': {kind: 'address-in-use'},
  'listen-above-somaxconn': {kind: 'listen-above-limit'},
  'no-socket': {kind: 'remark'},
  'socket-option': 'noise',

  // Applications
  'app-ready': {kind: 'app-loaded'},
  'app-mounting': 'noise',
  'app-skipped': {kind: 'remark'},
  'app-import-failed': {kind: 'app-load-failed'},
  'callable-missing': {kind: 'app-load-failed'},
  'app-load-failed': {kind: 'app-load-failed', role: 'worker'},
  'need-app': {kind: 'no-app', fatal: true, stamped: true},
  'no-app-game-over': {kind: 'no-app', fatal: true},
  'no-app-dynamic': {kind: 'no-app'},
  'no-python-app': {kind: 'request-error'},

  // Processes start
  'master-spawned': {kind: 'master-started', role: 'master'},
  'master-respawned': {kind: 'master-re-executed', role: 'master'},
  'worker-spawned': {kind: 'process-started', role: 'worker'},
  'worker-respawned': {kind: 'process-started', role: 'worker', respawned: true},
  'gateway-spawned': {kind: 'process-started', role: 'gateway'},
  'gateway-respawned': {kind: 'process-started', role: 'gateway', respawned: true},
  'offload-threads': {kind: 'setting', setting: 'offload-threads'},
  'mem-collector': 'noise',
  'loop-engine': {kind: 'setting', setting: 'loop'},
  'loop-died': {kind: 'remark'},

  // Full reload
  'touch-reload': {kind: 'reload-asked', reload: 'graceful', trigger: 'touch', stamped: true},
  'python-reload': {kind: 'reload-asked', reload: 'graceful', trigger: 'autoreload'},
  'file-event': {kind: 'reload-asked', trigger: 'touch'},
  'fd-ready': {kind: 'reload-asked', trigger: 'unknown', stamped: true},
  'emperor-asks-stop': {kind: 'remark', stamped: true},
  'emperor-asks-reload': {kind: 'reload-asked', reload: 'graceful', trigger: 'unknown', stamped: true},
  'master-fifo': {kind: 'setting', setting: 'master-fifo', stamped: true},
  'graceful-reload': {kind: 'reload-began', reload: 'graceful'},
  'brutal-reload': {kind: 'reload-began', reload: 'brutal'},
  'gracefully-killing': {kind: 'process-asked', role: 'worker'},
  'worker-buried': {kind: 'process-ended', role: 'worker', ending: 'collected'},
  'binary-reload': {kind: 're-executing', role: 'master'},
  'closing-sockets': {kind: 'setting', setting: 'max-fd'},
  'socket-found': 'noise',
  'running-binary': 'noise',
  'exit-on-reload': {kind: 'stop-ended'},
  'master-copied': {kind: 'remark', role: 'master', stamped: true},
  forking: {kind: 'remark', role: 'master'},

  // Stop
  'stop-signal': {kind: 'stop-began', reload: 'stop'},
  'graceful-shutdown': {kind: 'stop-began', reload: 'stop', stamped: true},
  goodbye: {kind: 'stop-ended'},
  vacuum: 'noise',
  'vacuum-skipped': {kind: 'remark'},
  'something-horrible': {kind: 'remark'},
  'auto-killing': {kind: 'remark', stamped: true},
  'mountpoint-failed': {kind: 'remark', stamped: true},
  'master-disconnected': {kind: 'master-lost', role: 'worker', cause: 'master-gone', stamped: true},
  'mule-master-died': {kind: 'master-lost', role: 'mule', cause: 'master-gone', stamped: true},

  // Reload of the workers alone
  'touch-chain-reload': {kind: 'reload-began', reload: 'chain', trigger: 'touch', stamped: true},
  'touch-workers-reload': {kind: 'reload-began', reload: 'workers', trigger: 'touch', stamped: true},
  'touch-mules-reload': {kind: 'remark', role: 'mule', stamped: true},
  'touch-spoolers-reload': {kind: 'remark', role: 'spooler', stamped: true},
  'chain-already-running': {kind: 'remark', stamped: true},
  'touch-action': {kind: 'remark', stamped: true},
  'chain-reload': {kind: 'reload-began', reload: 'chain', trigger: 'fifo', stamped: true},
  'chain-victim': {kind: 'chain-step', role: 'worker', stamped: true},
  'chain-waiting': {kind: 'chain-waiting', role: 'worker', stamped: true},
  'chain-complete': {kind: 'reload-ended', reload: 'chain', stamped: true},
  'worker-killed': {kind: 'process-ended', role: 'worker', ending: 'replaced'},
  'killing-worker': {kind: 'process-asked', role: 'worker'},

  // Recycling
  'work-done': {
    kind: 'recycle-began',
    role: 'worker',
    causes: [
      ['max requests reached', 'max-requests'],
      ['reload-on-', 'rss'],
    ],
  },
  'lifetime-reached': {kind: 'recycle-began', role: 'worker', cause: 'max-lifetime'},
  'evil-reload': {kind: 'process-forced', role: 'worker', deadline: 'evil-reload', cause: 'rss'},
  'exception-respawn': {kind: 'process-ended', role: 'worker', ending: 'died', cause: 'exit-code'},
  'restoring-worker': {kind: 'process-ended', role: 'worker', ending: 'replaced'},
  'inconsistent-state': {kind: 'process-ended', role: 'worker', ending: 'died', cause: 'exit-code'},
  'asked-for-cheap-mode': {kind: 'process-ended', role: 'worker', ending: 'replaced', cause: 'cheaper'},
  'worker-cheaped': {kind: 'slot-emptied', role: 'worker', cause: 'cheaper'},

  // Death
  'worker-died': {kind: 'process-ended', role: 'worker', ending: 'died'},
  'subprocess-ended': {kind: 'process-ended', role: 'other'},
  'respawning-too-fast': {kind: 'respawn-throttled', role: 'worker'},

  // Mercy
  'no-mercy': {kind: 'process-forced', role: 'worker', deadline: 'mercy', stamped: true},
  'mule-no-mercy': {kind: 'process-forced', role: 'mule', deadline: 'mercy', stamped: true},
  'spooler-no-mercy': {kind: 'process-forced', role: 'spooler', deadline: 'mercy', stamped: true},

  // Harakiri
  harakiri: {kind: 'process-forced', role: 'worker', deadline: 'harakiri', cause: 'harakiri'},
  'harakiri-core': {kind: 'request-running', role: 'worker', stamped: true},
  'harakiri-status': {kind: 'deadline-detail', role: 'worker', stamped: true},
  'harakiri-kernel': {kind: 'deadline-detail', role: 'worker'},
  'harakiri-triggered': {kind: 'deadline-detail', role: 'worker', stamped: true},
  'harakiri-skipped': {kind: 'deadline-skipped', role: 'worker', stamped: true},
  'harakiri-graceful': {kind: 'deadline-detail', role: 'worker', stamped: true},
  'harakiri-was': {kind: 'deadline-detail', role: 'worker'},
  'is-managing': {kind: 'deadline-detail', role: 'worker'},
  'mule-harakiri': {kind: 'process-forced', role: 'mule', deadline: 'harakiri', cause: 'harakiri'},
  'spooler-harakiri': {kind: 'process-forced', role: 'spooler', deadline: 'harakiri', cause: 'harakiri'},
  'cron-harakiri': {kind: 'process-forced', role: 'other', deadline: 'harakiri', cause: 'harakiri'},
  'gateway-harakiri': {kind: 'process-forced', role: 'gateway', deadline: 'harakiri', cause: 'harakiri'},
  'harakiri-without-master': {kind: 'process-forced', role: 'worker', deadline: 'harakiri', cause: 'harakiri'},
  'consider-master': 'noise',
  'tracebacker-output': {kind: 'deadline-detail', role: 'worker'},

  // Crashes
  'segmentation-fault': {kind: 'crash'},
  'floating-point-exception': {kind: 'crash'},
  backtrace: {kind: 'remark'},
  'backtrace-frame': 'noise',
  'backtrace-end': 'noise',
  'python-fatal-error': {kind: 'crash'},
  'python-thread-state': 'noise',
  'deadlock-detector': {kind: 'lock-recovered'},

  // Load
  'listen-queue-full': {kind: 'listen-queue-full', stamped: true},
  reinforcements: {kind: 'remark'},
  'busyness-scaling': {kind: 'scaling'},
  'busyness-emergency': {kind: 'scaling'},
  'busyness-exhausted': {kind: 'remark'},
  busyness: 'noise',
  'cheaper-memory': {kind: 'scaling'},
  'cheaper-algorithm': 'noise',
  'going-cheap': {kind: 'scaling', stamped: true},
  idle: {kind: 'scaling'},
  paused: {kind: 'paused', stamped: true},
  resumed: {kind: 'resumed', stamped: true},
  'worker-suspended': {kind: 'paused', role: 'worker', stamped: true},
  'worker-resumed': {kind: 'resumed', role: 'worker', stamped: true},
  'queue-full': {kind: 'remark'},

  // Mules, spoolers, cron, daemons, gateways
  'mule-spawned': {kind: 'process-started', role: 'mule'},
  'mule-died': {kind: 'process-ended', role: 'mule', ending: 'died'},
  'mule-gone': {kind: 'process-ended', role: 'mule', ending: 'collected'},
  'spooler-spawned': {kind: 'process-started', role: 'spooler'},
  'spooler-killed': {kind: 'helper-stopping', role: 'spooler'},
  'spooler-gone': {kind: 'process-ended', role: 'spooler', ending: 'collected'},
  'spooler-died': {kind: 'process-ended', role: 'spooler', ending: 'died'},
  'spooler-task-began': {kind: 'task-began', role: 'spooler'},
  'spooler-task-ended': {kind: 'task-ended', role: 'spooler'},
  'spooler-recycling': {kind: 'recycle-began', role: 'spooler'},
  'spooler-written': 'noise',
  'spooler-trouble': {kind: 'remark', role: 'spooler'},
  'cron-began': {kind: 'task-began', role: 'other', stamped: true},
  'cron-ended': {kind: 'task-ended', role: 'other'},
  'cron-signal': 'noise',
  'daemon-spawned': {kind: 'process-started', role: 'daemon'},
  'daemon-respawned': {kind: 'process-started', role: 'daemon', respawned: true},
  'daemon-throttled': {kind: 'respawn-throttled', role: 'daemon'},
  'daemon-failed': {kind: 'remark', role: 'daemon'},
  'daemon-stopping': {kind: 'helper-stopping', role: 'daemon'},
  'touch-daemon-reload': {kind: 'helper-stopping', role: 'daemon', trigger: 'touch', stamped: true},
  'daemon-forced': {kind: 'process-forced', role: 'daemon', deadline: 'stop-timeout'},
  'daemon-gone': {kind: 'process-ended', role: 'daemon', ending: 'collected'},
  'daemon-found': {kind: 'remark', role: 'daemon'},
  'gateway-buried': {kind: 'process-ended', role: 'gateway', ending: 'collected'},
  'gateway-gone': {kind: 'process-ended', role: 'gateway', ending: 'collected'},
  'router-trouble': {kind: 'request-error', role: 'gateway'},

  // Emperor and vassals
  'emperor-starting': {kind: 'remark', role: 'emperor'},
  'vassal-mode': {kind: 'remark'},
  'vassal-spawned': {kind: 'vassal', role: 'emperor', stamped: true},
  'vassal-ready': {kind: 'vassal', role: 'emperor', stamped: true},
  'vassal-loyal': {kind: 'vassal', role: 'emperor', stamped: true},
  'announcing-loyalty': 'noise',
  'vassal-reload': {kind: 'vassal', role: 'emperor', stamped: true},
  'vassal-stop': {kind: 'vassal', role: 'emperor', stamped: true},
  'vassal-removed': {kind: 'vassal', role: 'emperor', stamped: true},
  'vassal-cursed': {kind: 'vassal', role: 'emperor', stamped: true},
  'vassal-throttled': {kind: 'vassal', role: 'emperor', stamped: true},
  'vassal-no-heartbeat': {kind: 'vassal', role: 'emperor'},
  'vassal-no-mercy': {kind: 'vassal', role: 'emperor', deadline: 'mercy', stamped: true},
  ragnarok: {kind: 'remark', role: 'emperor'},
  'emperor-buried': {kind: 'remark', role: 'emperor'},
  'emperor-lost': {kind: 'remark'},
  mutiny: {kind: 'remark', role: 'emperor'},
  'vassal-on-demand': {kind: 'vassal', role: 'emperor'},
  'vassal-hook': 'noise',
  'vassal-refused': {kind: 'remark', role: 'emperor'},

  // Legion, zerg, subscriptions
  'legion-news': {kind: 'remark'},
  zerg: 'noise',
  subscription: 'noise',
  'subscriptions-blocked': {kind: 'remark', stamped: true},
  'socket-activation': 'noise',

  // Requests that fail
  sigpipe: {kind: 'request-error', stamped: true},
  'request-error': {kind: 'request-error'},
  'write-timeout': {kind: 'request-error'},
  'python-write-error': {kind: 'request-error'},
  'body-read-error': {kind: 'request-error'},
  'bad-request': {kind: 'request-error'},

  // The gevent loop
  'brutally-killing': {kind: 'process-asked', role: 'worker'},
  'gevent-watchers': 'noise',
  'request-holds': {kind: 'request-running', role: 'worker', stamped: true},
  'requests-pending': {kind: 'requests-pending', role: 'worker', stamped: true},
  'gevent-goodbye': {kind: 'remark', role: 'worker'},
  'bomb-armed': {kind: 'deadline-detail', role: 'worker', stamped: true},
  'bomb-exploded': {kind: 'process-forced', role: 'worker', deadline: 'mercy', stamped: true},
  'gevent-advice': 'noise',

  // The log itself
  'log-rotated': {kind: 'log-rotated', stamped: true},
  'log-reopened': {kind: 'log-rotated'},
  'log-plumbing': 'noise',
  alarm: {kind: 'remark', stamped: true},
  'foreign-text': 'noise',
  'lost-connection': {kind: 'remark', stamped: true},

  // Dumps
  'config-begin': {kind: 'dump-began'},
  'config-end': {kind: 'dump-ended'},
  'config-option': {kind: 'setting'},
  'request-counts': 'noise',

  // Commands that fail, configurations that are wrong
  'configuration-error': {kind: 'remark'},
  'fallback-exit': {kind: 'remark', stamped: true},
  'fallback-config': {kind: 'remark', stamped: true},
  'locked-by-another': {kind: 'remark'},
  'pidfile-signal-failed': {kind: 'remark'},
  'system-error': {kind: 'remark'},

  // Snapshots
  snapshot: {kind: 'snapshot', role: 'master', timeIn: 'taken'},
  'master-seen': {kind: 'process-seen', role: 'master'},
  'snapshot-heading': 'noise',
  'worker-seen': {kind: 'process-seen', role: 'worker', when: {state: {cheap: {kind: 'remark'}}}},
};

export const uwsgi: Format = {id: 'uwsgi', title: 'uWSGI', grammarFile: 'uwsgi.ohm', matcher, meanings, requests};
