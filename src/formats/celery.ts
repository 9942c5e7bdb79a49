/**
 * What a Celery worker's messages mean: `grammars/celery.ohm` in the vocabulary of events, in the grammar's order.
 */
import matcher from '../../grammars/celery.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  starting: {kind: 'starting', role: 'master'},
  concurrency: {kind: 'setting', setting: 'concurrency'},
  banner: 'noise',
  ready: {kind: 'app-loaded', role: 'master'},
  notice: 'noise',
  'task-received': {kind: 'task-began'},
  'task-ended': {kind: 'task-ended'},
  'warm-shutdown': {kind: 'stop-began', role: 'master', reload: 'stop', trigger: 'signal'},
  'cold-shutdown': {kind: 'stop-began', role: 'master', reload: 'stop', trigger: 'signal'},
  'shutdown-notice': 'noise',
  'soft-shutdown': {kind: 'stop-began', role: 'master', reload: 'stop', trigger: 'signal'},
  restarting: {kind: 'reload-began', role: 'master', reload: 'graceful', trigger: 'signal'},
  restoring: {kind: 'tasks-returned', role: 'master'},
  'soft-time-limit': {kind: 'remark', role: 'worker'},
  'hard-time-limit': {kind: 'task-cut', role: 'worker', cause: 'timeout'},
  'task-timed-out': {kind: 'task-cut', role: 'worker', cause: 'timeout'},
  'task-lost': {kind: 'task-cut', role: 'worker'},
  'task-error': {kind: 'remark', role: 'worker'},
  'process-exited': {kind: 'process-ended', role: 'worker', ending: 'died'},
  'process-never-up': {kind: 'remark', role: 'worker'},
  'broker-lost': {kind: 'remark', role: 'master'},
  unrecoverable: {kind: 'crash', role: 'master'},
};

export const celery: Format = {
  id: 'celery',
  title: 'Celery',
  grammarFile: 'celery.ohm',
  matcher,
  meanings,
  requests: [],
};
