/**
 * What uvicorn's messages mean: `grammars/uvicorn.ohm` in the vocabulary of events, in the grammar's order.
 *
 * Under gunicorn the server process is a worker that has been started already. Its last words are that it has finished;
 * who says more of its end is gunicorn.
 */
import matcher from '../../grammars/uvicorn.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  // One server process
  'started-server-process': {kind: 'process-started', role: 'worker'},
  'lifespan-notice': 'noise',
  'startup-complete': {kind: 'app-loaded', role: 'worker'},
  'startup-failed': {kind: 'app-load-failed', role: 'worker'},
  'spawned-failed': {kind: 'crash', role: 'worker'},
  'shutdown-complete': {kind: 'remark', role: 'worker'},
  'shutdown-failed': {kind: 'remark', role: 'worker'},
  running: {kind: 'setting', setting: 'bind'},
  'shutting-down': {kind: 'process-asked', role: 'worker'},
  'waiting-for-connections': {kind: 'requests-pending', role: 'worker'},
  'waiting-for-background-tasks': {kind: 'requests-pending', role: 'worker'},
  'cancelling-tasks': {kind: 'requests-pending', role: 'worker'},
  'finished-server-process': {kind: 'process-leaving', role: 'worker'},
  'request-limit': {kind: 'recycle-began', role: 'worker', cause: 'max-requests'},
  'address-in-use': {kind: 'address-in-use'},
  'address-refused': {kind: 'address-refused'},
  'app-load-failed': {kind: 'app-load-failed', fatal: true},
  'import-raised': {kind: 'app-load-failed'},
  'request-trouble': 'noise',
  access: 'noise',

  // The parent of several workers
  'started-parent': {kind: 'master-started', role: 'master', byParent: true},
  'stopping-parent': {kind: 'stop-ended', role: 'master', byParent: true},
  'waiting-for-child': {kind: 'remark', role: 'worker', byParent: true},
  'terminated-child': {kind: 'process-asked', role: 'worker', byParent: true},
  'child-died': {kind: 'process-ended', role: 'worker', ending: 'died', howUntold: true, byParent: true},
  'received-signal': {
    kind: 'remark',
    role: 'master',
    trigger: 'signal',
    when: {
      signal: {
        SIGHUP: {kind: 'reload-began', reload: 'hup'},
        SIGTERM: {kind: 'stop-began', reload: 'stop'},
        SIGINT: {kind: 'stop-began', reload: 'stop'},
        SIGTTIN: {kind: 'scaling'},
        SIGTTOU: {kind: 'scaling'},
      },
    },
  },
  'scaling-refused': 'noise',
  'child-failed-to-start': {kind: 'app-load-failed', role: 'worker', fatal: true},
  'restart-aborted': {kind: 'remark', role: 'worker'},

  // The reloader
  watching: {kind: 'setting', setting: 'reload', value: true},
  'started-reloader': {kind: 'master-started', role: 'master', byParent: true},
  'reload-detected': {kind: 'reload-began', reload: 'graceful', trigger: 'autoreload'},
  'stopping-reloader': {kind: 'stop-ended', role: 'master'},
};

export const uvicorn: Format = {
  id: 'uvicorn',
  title: 'uvicorn',
  grammarFile: 'uvicorn.ohm',
  matcher,
  meanings,
  requests: [],
};
