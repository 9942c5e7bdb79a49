import matcher from '../../grammars/application.ohm';
import type {Format} from './format.ts';

/** Lines of the application itself, or of its interpreter, that tell of background work. */
export const application: Format = {
  id: 'application',
  title: "the application's own lines about tasks and threads",
  grammarFile: 'application.ohm',
  matcher,
  meanings: {
    'task-began': {kind: 'task-began'},
    'task-ended': {kind: 'task-ended'},
    'threads-awaited': {kind: 'threads-awaited'},
    'import-failed': {kind: 'remark'},
    'queued-task-began': {kind: 'task-began'},
    'queued-task-ended': {kind: 'task-ended'},
    'queued-task-cut': {kind: 'task-cut', when: {reason: {timeout: {cause: 'timeout'}, 'Killed horse': {cause: 'stop'}}}},
    'thread-at-exit': {kind: 'remark'},
    'queue-worker-started': {kind: 'remark'},
  },
  requests: [],
  isApplication: true,
};
