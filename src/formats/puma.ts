/**
 * What Puma's messages mean: `grammars/puma.ohm` in the vocabulary of events, in the grammar's order.
 *
 * A stop that 're-executing' follows is a reload. A worker that crashed shows only in that its number is started again.
 */
import matcher from '../../grammars/puma.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  starting: {kind: 'starting', role: 'master'},
  'showing-version': {kind: 'setting', setting: 'version'},
  'master-pid': {kind: 'master-started', role: 'master'},
  workers: {kind: 'setting', setting: 'workers'},
  preloading: {kind: 'setting', setting: 'preload_app', value: true},
  listening: {kind: 'setting', setting: 'bind'},
  notice: 'noise',
  'worker-killer': {kind: 'remark', role: 'master'},
  startup: {kind: 'remark', role: 'master'},
  'worker-booted': {kind: 'process-started', role: 'worker'},
  'worker-terminating': {kind: 'process-asked', role: 'worker'},
  'phased-restart': {kind: 'reload-began', role: 'master', reload: 'chain', trigger: 'signal'},
  refork: {kind: 'reload-began', role: 'master', reload: 'workers', trigger: 'signal'},
  'phased-restart-unavailable': {kind: 'remark', role: 'master'},
  'stopping-worker': {kind: 'chain-step', role: 'worker'},
  'term-sent': {kind: 'process-asked', role: 'worker'},
  'kill-sent': {kind: 'process-forced', role: 'worker', deadline: 'stop-timeout'},
  'worker-timeout': {kind: 'process-forced', role: 'worker', deadline: 'timeout', cause: 'timeout'},
  'parent-died': {kind: 'master-lost', role: 'worker', cause: 'master-gone'},
  'worker-failed': {kind: 'crash', role: 'worker'},
  'app-load-failed': {kind: 'app-load-failed', fatal: true},
  'cannot-spawn': {kind: 'crash', role: 'master'},
  'threads-at-boot': {kind: 'remark', role: 'master'},
  stopping: {kind: 'stop-began', role: 'master', reload: 'stop'},
  restarting: {kind: 're-executing', role: 'master'},
  shutdown: {kind: 'stop-ended', role: 'master'},
  goodbye: 'noise',
};

export const puma: Format = {
  id: 'puma',
  title: 'Puma',
  grammarFile: 'puma.ohm',
  matcher,
  meanings,
  requests: [],
};
