/**
 * What Unicorn's messages mean: `grammars/unicorn.ohm` in the vocabulary of events, in the grammar's order.
 *
 * With preload_app a reload reads the configuration again and not the application.
 */
import matcher from '../../grammars/unicorn.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  listening: {kind: 'setting', setting: 'bind'},
  notice: 'noise',
  'worker-spawned': {kind: 'process-started', role: 'worker'},
  'worker-ready': {kind: 'app-loaded', role: 'worker'},
  'master-ready': {kind: 'master-started', role: 'master'},
  reloading: {kind: 'reload-began', role: 'master', reload: 'hup', trigger: 'signal'},
  'done-reloading': {kind: 'remark', role: 'master'},
  'reload-failed': {kind: 'remark', role: 'master'},
  'reload-by-execution': {kind: 'reload-began', role: 'master', reload: 'usr2', trigger: 'signal'},
  'worker-reaped': {kind: 'process-ended', role: 'worker'},
  'upgrade-failed': {kind: 'process-ended', role: 'other', ending: 'died'},
  'worker-timeout': {kind: 'process-forced', role: 'worker', deadline: 'timeout', cause: 'timeout'},
  'worker-killer': {kind: 'remark', role: 'worker', reload: 'workers'},
  // The master's child says so, which is to be the new master.
  executing: {kind: 'reload-began', role: 'other', reload: 'usr2', trigger: 'signal'},
  'upgrade-refused': {kind: 'remark', role: 'master'},
  'stopping-workers': {kind: 'scaling', role: 'master'},
  'master-complete': {kind: 'stop-ended', role: 'master'},
  'log-reopened': {kind: 'log-rotated'},
  'address-in-use': {kind: 'address-in-use'},
};

export const unicorn: Format = {
  id: 'unicorn',
  title: 'Unicorn',
  grammarFile: 'unicorn.ohm',
  matcher,
  meanings,
  requests: [],
};
