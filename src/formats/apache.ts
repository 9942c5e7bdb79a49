/**
 * What Apache httpd and mod_wsgi in daemon mode mean: `grammars/apache.ohm` in the vocabulary of events, in the grammar's order.
 *
 * Only the daemon processes are workers here: Apache's own children hand requests on to them.
 */
import matcher from '../../grammars/apache.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  configured: {kind: 'master-started', role: 'master'},
  'graceful-restart': {kind: 'reload-began', role: 'master', reload: 'graceful', trigger: 'signal'},
  restart: {kind: 'reload-began', role: 'master', reload: 'graceful', trigger: 'signal'},
  stop: {kind: 'stop-began', role: 'master', reload: 'stop', trigger: 'signal'},
  'graceful-stop': {kind: 'stop-began', role: 'master', reload: 'stop', trigger: 'signal'},
  'child-signalled': {kind: 'process-ended'},
  'child-stays': {kind: 'remark', role: 'gateway'},
  'max-workers': {kind: 'remark'},
  'address-in-use': {kind: 'address-in-use'},
  'process-starting': {kind: 'process-started', role: 'worker', shows: {threads: 'threads'}},
  'graceful-attempt': {kind: 'remark', role: 'worker'},
  'maximum-requests': {kind: 'recycle-began', role: 'worker', cause: 'max-requests'},
  'forced-restart': {kind: 'recycle-began', role: 'worker', cause: 'reload'},
  'restart-interval': {kind: 'recycle-began', role: 'worker', cause: 'max-lifetime'},
  inactivity: {kind: 'recycle-began', role: 'worker', cause: 'cheaper'},
  eviction: {kind: 'recycle-began', role: 'worker', cause: 'signal'},
  deadlock: {kind: 'recycle-began', role: 'worker', cause: 'timeout'},
  'request-limit': {kind: 'recycle-began', role: 'worker', cause: 'timeout'},
  'start-up-limit': {kind: 'recycle-began', role: 'worker', cause: 'timeout'},
  'graceful-limit': {kind: 'requests-pending', role: 'worker'},
  'shutdown-requested': {kind: 'process-asked', role: 'worker'},
  stopping: {kind: 'process-leaving', role: 'worker'},
  aborting: {kind: 'process-forced', role: 'worker', deadline: 'stop-timeout'},
  exiting: {kind: 'process-ended', role: 'worker', ending: 'collected'},
  'terminated-by-signal': {kind: 'process-ended', role: 'worker'},
  'terminated-normally': {kind: 'process-ended', role: 'worker'},
  truncated: {kind: 'request-error'},
  'timed-out': {kind: 'request-error'},
  'queue-timed-out': {kind: 'request-error'},
  unreachable: {kind: 'request-error'},
  'script-failed': {kind: 'app-load-failed', role: 'worker'},
  notice: 'noise',
};

export const apache: Format = {
  id: 'apache',
  title: 'Apache with mod_wsgi in daemon mode',
  grammarFile: 'apache.ohm',
  matcher,
  meanings,
  requests: [],
};
