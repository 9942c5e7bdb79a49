/**
 * What the messages of supervisord and supervisorctl mean: `grammars/supervisord.ohm` in the vocabulary of events, in
 * the grammar's order.
 *
 * An exit is told by the program's name alone: its pid is that of the last 'process-started' with this name.
 * RUNNING proves nothing: it can stand in the same millisecond as the exit.
 */
import matcher from '../../grammars/supervisord.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  // Start and end of supervisord itself
  started: {kind: 'master-started', role: 'master'},
  notice: 'noise',
  'exit-request': {kind: 'stop-began', role: 'master', reload: 'stop', trigger: 'signal'},
  'restart-request': {kind: 'reload-began', role: 'master', reload: 'graceful', trigger: 'signal'},
  'request-ignored': {kind: 'remark'},
  'log-reopened': {kind: 'log-rotated'},

  // Programs
  spawned: {kind: 'process-started', role: 'program'},
  running: {kind: 'program-up', role: 'program'},
  exited: {kind: 'process-ended', role: 'program', values: {expected: {expected: true, 'not expected': false}}},
  stopped: {kind: 'process-ended', role: 'program', cause: 'stop'},
  'waiting-to-stop': {kind: 'program-stopping', role: 'program'},
  'waiting-to-die': {kind: 'program-stopping', role: 'program'},
  killing: {kind: 'process-forced', role: 'program', deadline: 'stop-timeout'},
  signalling: {kind: 'program-stopping', role: 'program', when: {signal: {SIGKILL: {kind: 'remark'}}}},
  'sending-signal': {kind: 'remark', role: 'program'},
  'spawn-failed': {kind: 'program-failed', role: 'program'},
  fatal: {kind: 'program-given-up', role: 'program'},
  'reaped-unknown': {kind: 'process-ended', role: 'other'},
  'child-output': {kind: 'remark', role: 'program'},
  'clock-stepped-back': {kind: 'remark', role: 'program'},
  'internal-error': {kind: 'remark'},
  'child-not-spawned': {kind: 'program-failed', role: 'program'},

  // supervisorctl
  'control-unreachable': {kind: 'control-unreachable'},
  'control-failed': {kind: 'remark'},
  'program-error': {kind: 'program-failed', role: 'program'},
  'program-status': {kind: 'program-seen', role: 'program', when: {state: {FATAL: {kind: 'program-given-up'}}}},
  answered: {kind: 'remark', role: 'program'},
  'control-notice': 'noise',
  restarted: {kind: 'remark'},
};

export const supervisord: Format = {
  id: 'supervisord',
  title: 'supervisord and supervisorctl',
  grammarFile: 'supervisord.ohm',
  matcher,
  meanings,
  requests: [],
};
