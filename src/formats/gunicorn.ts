/**
 * What gunicorn's messages mean: `grammars/gunicorn.ohm` in the vocabulary of events, in the grammar's order.
 *
 * A worker that says it is exiting has only left its loop. What the arbiter says of its end is the end; where it
 * says nothing (a clean exit), nobody does. 'master-started' comes once for each line of the details, about one arbiter.
 */
import matcher from '../../grammars/gunicorn.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  // Start
  starting: {kind: 'starting', role: 'master'},
  'starting-details': {kind: 'master-started', role: 'master', shows: {address: 'bind', workerClass: 'worker_class'}},
  'booting-worker': {kind: 'process-started', role: 'worker'},
  'start-notice': 'noise',
  'worker-count': {kind: 'setting', setting: 'workers'},
  'reloader-on': {kind: 'setting', setting: 'reload', value: true},
  configuration: {kind: 'dump-began'},
  configured: {kind: 'setting'},

  // Sockets
  'connection-in-use': {kind: 'address-in-use'},
  'cannot-connect': {kind: 'address-in-use', fatal: true},
  'bind-notice': 'noise',
  'bind-refused': {kind: 'address-refused'},

  // Signals to the arbiter
  'handling-signal': {
    kind: 'remark',
    role: 'master',
    trigger: 'signal',
    when: {
      signal: {
        hup: {kind: 'reload-began', reload: 'hup'},
        usr2: {kind: 'reload-began', reload: 'usr2'},
        term: {kind: 'stop-began', reload: 'stop'},
        int: {kind: 'stop-began', reload: 'stop'},
        quit: {kind: 'stop-began', reload: 'stop'},
        ttin: {kind: 'scaling'},
        ttou: {kind: 'scaling'},
        usr1: {kind: 'log-rotated'},
      },
    },
  },
  'hang-up-master': {kind: 'remark', role: 'master'},
  'unknown-signal': {kind: 'remark', role: 'master'},
  'graceful-stop-of-workers': {kind: 'scaling', role: 'master'},
  'winch-ignored': 'noise',
  'upgrade-ignored': {kind: 'remark', role: 'master'},
  'master-promoted': {kind: 'remark', role: 'master'},
  'logger-reload-failed': {kind: 'remark', role: 'master'},

  // Workers
  'worker-exiting': {kind: 'process-leaving', role: 'worker'},
  autorestart: {kind: 'recycle-began', role: 'worker', cause: 'max-requests'},
  'worker-reloading': {kind: 'recycle-began', role: 'worker', cause: 'reload', trigger: 'autoreload'},
  'parent-changed': {kind: 'master-lost', role: 'worker', cause: 'master-gone'},
  'worker-graceful-timeout': {kind: 'requests-pending', role: 'worker'},
  'worker-shutting-down': {kind: 'process-asked', role: 'worker'},
  'waiting-for-connections': {kind: 'requests-pending', role: 'worker'},
  'forcing-close': {kind: 'requests-pending', role: 'worker'},
  'lifespan-failed': {kind: 'app-load-failed', role: 'worker'},
  'asgi-error': {kind: 'remark', role: 'worker'},
  'worker-exception': {kind: 'crash', role: 'worker'},
  'exit-exception': {kind: 'remark', role: 'worker'},
  'worker-timeout': {kind: 'process-forced', role: 'worker', deadline: 'timeout', cause: 'timeout'},
  'worker-sigkill-hint': {kind: 'process-ended', role: 'worker'},
  'worker-terminated-by-signal': {kind: 'process-ended', role: 'worker'},
  'worker-exited-with-code': {kind: 'process-ended', role: 'worker'},
  'reaped-unknown': 'noise',

  // End
  'master-shutdown': {kind: 'stop-ended', role: 'master'},
  'worker-failed-to-boot': {kind: 'app-load-failed', fatal: true},
  'app-failed-to-load': {kind: 'app-load-failed', fatal: true},
  'halt-server': {kind: 'app-load-failed', fatal: true},
  'halt-frame': {kind: 'app-load-failed', fatal: true},
  'main-loop-exception': {kind: 'crash', role: 'master'},
  'quick-shutdown': {kind: 'remark', role: 'master'},

  // Applications and requests
  'app-missing': {kind: 'app-load-failed'},
  'configuration-error': {kind: 'remark'},
  'request-failed': {kind: 'request-error', role: 'worker'},
  'request-trouble': 'noise',

  // The dirty arbiter and its workers
  'dirty-spawned': {kind: 'process-started', role: 'other'},
  'dirty-worker-timeout': {kind: 'process-forced', role: 'other', deadline: 'timeout', cause: 'timeout'},
  'dirty-ended': {
    kind: 'process-ended',
    role: 'other',
    // The signals by which the dirty arbiter asks.
    when: {signal: {'2': {ending: 'replaced'}, '3': {ending: 'replaced'}, '15': {ending: 'replaced'}}},
  },
  'dirty-left': {kind: 'process-ended', role: 'other', ending: 'replaced'},
  'dirty-leaving': {kind: 'process-leaving', role: 'other'},
  'dirty-exception': {kind: 'crash', role: 'other'},
  'dirty-boot-failed': {kind: 'remark', role: 'other'},
  'dirty-notice': 'noise',
};

export const gunicorn: Format = {
  id: 'gunicorn',
  title: 'gunicorn',
  grammarFile: 'gunicorn.ohm',
  matcher,
  meanings,
  requests: [],
};
