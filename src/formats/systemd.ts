/**
 * What systemd's messages mean: `grammars/systemd.ohm` in the vocabulary of events, in the grammar's order.
 *
 * Nothing here tells the main process' pid when it starts. A unit that stops in good order has no line for the exit of
 * its process: 'program-down' is all there is.
 */
import matcher from '../../grammars/systemd.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  // Jobs
  starting: {kind: 'program-starting', role: 'program'},
  started: {kind: 'program-up', role: 'program'},
  finished: {kind: 'remark', role: 'program'},
  'failed-to-start': {kind: 'program-failed', role: 'program'},
  'dependency-failed': {kind: 'remark', role: 'program'},
  stopping: {kind: 'program-stopping', role: 'program'},
  stopped: {kind: 'program-down', role: 'program'},
  'described-job': {
    kind: 'remark',
    role: 'program',
    by: 'systemd',
    when: {
      job: {
        Starting: {kind: 'program-starting'},
        Started: {kind: 'program-up'},
        Stopping: {kind: 'program-stopping'},
        Stopped: {kind: 'program-down'},
        'Failed to start': {kind: 'program-failed'},
        Reloading: {kind: 'reload-asked', trigger: 'signal'},
        'Reload failed for': {kind: 'program-failed'},
      },
    },
  },
  'stop-timed-out': {kind: 'remark', role: 'program'},
  reloading: {kind: 'reload-asked', role: 'program', trigger: 'signal'},
  reloaded: {kind: 'program-reloaded', role: 'program'},
  'reload-failed': {kind: 'program-failed', role: 'program'},
  'daemon-reload': {kind: 'remark'},
  'host-goes-down': {kind: 'remark'},
  milestone: 'noise',

  // Processes of a unit
  'main-process-exited': {kind: 'process-ended', role: 'program'},
  'control-process-exited': {kind: 'remark', role: 'program'},
  'killing-session-helper': 'noise',
  'killing-process': {kind: 'process-forced', role: 'program', deadline: 'stop-timeout'},
  'client-signal': {kind: 'signal-passed-on', role: 'program'},
  'client-killed': {kind: 'signal-passed-on', role: 'program'},
  'left-over-process': {kind: 'process-left-over', role: 'program'},
  'process-remains': {kind: 'process-left-over', role: 'program'},
  'left-over-hint': 'noise',
  'not-reloaded': 'noise',
  'oom-kill': {kind: 'out-of-memory', role: 'program'},

  // Deadlines
  'stop-timeout': {kind: 'process-forced', role: 'program', deadline: 'stop-timeout'},
  'stop-command-timeout': {kind: 'program-stopping', role: 'program'},
  'start-timeout': {kind: 'process-forced', role: 'program', deadline: 'timeout', cause: 'timeout'},
  'reload-timeout': {kind: 'program-failed', role: 'program'},
  'still-around': {kind: 'process-left-over', role: 'program'},
  'runtime-limit': {kind: 'program-stopping', role: 'program', cause: 'max-lifetime'},
  'watchdog-timeout': {kind: 'process-forced', role: 'program', deadline: 'watchdog', cause: 'timeout'},

  // Results and restarts
  failed: {kind: 'program-failed', role: 'program'},
  'failed-again': 'noise',
  deactivated: {kind: 'program-down', role: 'program', ending: 'collected'},
  'restart-scheduled': {kind: 'program-starting', role: 'program', respawned: true},
  'restart-notice': 'noise',
  'start-limit-hit': {kind: 'program-given-up', role: 'program'},
  consumed: 'noise',

  // What keeps a program from running
  'exec-failed': {kind: 'program-failed', role: 'program'},
  handshake: {kind: 'remark', role: 'program'},
  'debug-trace': 'noise',
  'unit-message': 'unknown',
};

export const systemd: Format = {
  id: 'systemd',
  title: 'systemd',
  grammarFile: 'systemd.ohm',
  matcher,
  meanings,
  requests: [],
  needsOrigin: true,
};
