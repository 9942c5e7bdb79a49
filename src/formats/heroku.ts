/**
 * What Heroku's messages mean: `grammars/heroku.ohm` in the vocabulary of events, in the grammar's order.
 *
 * They are about a dyno, which holds a whole instance; no line tells a pid.
 */
import matcher from '../../grammars/heroku.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  'state-changed': {
    kind: 'remark',
    role: 'program',
    when: {
      to: {
        up: {kind: 'program-up'},
        starting: {kind: 'program-starting'},
        crashed: {kind: 'program-failed'},
        down: {kind: 'program-down'},
      },
    },
  },
  'starting-process': {kind: 'program-starting', role: 'program'},
  cycling: {kind: 'remark', role: 'program'},
  stopping: {kind: 'program-stopping', role: 'program'},
  'exit-timeout': {kind: 'process-forced', role: 'program', deadline: 'stop-timeout'},
  killing: {kind: 'process-forced', role: 'program'},
  'process-exited': {kind: 'process-ended', role: 'program'},
  'boot-timeout': {kind: 'program-failed', role: 'program', deadline: 'timeout'},
  'memory-running': {kind: 'remark', role: 'program'},
  'memory-exceeded': {kind: 'remark', role: 'program'},
  'memory-vastly-exceeded': {kind: 'out-of-memory', role: 'program'},
  'platform-error': {kind: 'remark', role: 'program'},
  'request-timeout': {kind: 'request-error', role: 'program'},
  'router-error': {kind: 'request-error', role: 'program'},
  request: 'noise',
  release: {kind: 'remark'},
  'platform-message': 'noise',
};

export const heroku: Format = {
  id: 'heroku',
  title: "Heroku's platform",
  grammarFile: 'heroku.ohm',
  matcher,
  meanings,
  requests: [],
};
