/**
 * What hosts of containers say of the program that they run: `grammars/hosting.ohm` in the vocabulary of events, in the grammar's order.
 * They name no container in the message; the envelope may.
 */
import matcher from '../../grammars/hosting.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  'fly-signalled': {kind: 'remark'},
  'fly-exited': {kind: 'remark'},
  'fly-memory': {kind: 'program-failed'},
  'fly-refused': {kind: 'program-failed'},
  'fly-notice': 'noise',
  'render-memory': {kind: 'program-failed'},
  'render-exited': {kind: 'program-failed'},
  'render-no-port': {kind: 'program-failed'},
  'google-memory': {kind: 'program-failed'},
  'google-exited': {kind: 'remark'},
};

export const hosting: Format = {
  id: 'hosting',
  title: 'Fly.io, Render, Cloud Run and App Engine',
  grammarFile: 'hosting.ohm',
  matcher,
  meanings,
  requests: [],
};
