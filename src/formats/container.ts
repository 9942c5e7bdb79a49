/**
 * What container runtimes say of a stop or an end: `grammars/container.ohm` in the vocabulary of events. A container is a program of
 * theirs, and its first process the server, a shell or an init; no line tells a pid.
 */
import matcher from '../../grammars/container.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  'time-up': {kind: 'process-forced', role: 'program', deadline: 'stop-timeout'},
  'killed-again': {kind: 'process-forced', role: 'program', deadline: 'stop-timeout'},
  'stop-asked': {kind: 'program-stopping', role: 'program'},
  'stop-signalled': {kind: 'program-stopping', role: 'program'},
  killed: {kind: 'process-forced', role: 'program', deadline: 'stop-timeout'},
  stopped: {kind: 'program-down', role: 'program'},
  'grace-began': {kind: 'program-stopping', role: 'program'},
  exited: {kind: 'process-ended', role: 'program'},
  'stopping-all': {kind: 'group-stopping'},
  // How they ended, the lines with their exit codes tell.
  'stopped-by-compose': {kind: 'group-stopped'},
  'stopping-by-compose': {kind: 'group-stopping'},
  'inspected-memory': {kind: 'remark', when: {starved: {true: {kind: 'out-of-memory'}}}},
  'inspected-exit': {kind: 'remark'},
  'inspected-name': {kind: 'remark'},
  'event-killing': {kind: 'program-stopping', role: 'program'},
  'event-trouble': {kind: 'program-failed', role: 'program'},
  'site-failed': {kind: 'program-failed', role: 'program'},
};

export const container: Format = {
  id: 'container',
  title: 'dockerd, containerd, the kubelet, docker compose and docker inspect',
  grammarFile: 'container.ohm',
  matcher,
  meanings,
  requests: [],
};
