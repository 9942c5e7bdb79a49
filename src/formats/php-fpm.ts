/** What PHP-FPM's messages mean: `grammars/php-fpm.ohm` in the vocabulary of events, in the grammar's order. */
import matcher from '../../grammars/php-fpm.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  'master-running': {kind: 'master-started', role: 'master'},
  ready: {kind: 'app-loaded', role: 'master'},
  notice: 'noise',
  'child-started': {kind: 'process-started', role: 'worker'},
  'child-exited': {kind: 'process-ended', role: 'worker'},
  'child-reduced': {kind: 'process-ended', role: 'worker', cause: 'cheaper'},
  'execution-timed-out': {kind: 'process-forced', role: 'worker', deadline: 'timeout', cause: 'timeout'},
  'executing-too-slow': {kind: 'remark', role: 'worker'},
  'max-children': {kind: 'remark'},
  'pool-busy': {kind: 'remark'},
  'child-output': 'noise',
  reloading: {kind: 'reload-began', role: 'master', reload: 'graceful', trigger: 'signal'},
  executing: {kind: 're-executing', role: 'master'},
  'emergency-reload': {kind: 'reload-asked', role: 'master', trigger: 'unknown'},
  stopping: {kind: 'stop-began', role: 'master', reload: 'stop', trigger: 'signal'},
  goodbye: {kind: 'stop-ended', role: 'master'},
  'log-reopened': {kind: 'log-rotated'},
  'address-in-use': {kind: 'address-in-use'},
  'start-failed': {kind: 'remark', role: 'master'},
};

export const phpFpm: Format = {
  id: 'php-fpm',
  title: 'PHP-FPM',
  grammarFile: 'php-fpm.ohm',
  matcher,
  meanings,
  requests: [],
};
