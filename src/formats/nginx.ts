/** What nginx says of the server behind it: `grammars/nginx.ohm` in the vocabulary of events, in the grammar's order. */
import matcher from '../../grammars/nginx.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  'timed-out': {kind: 'request-error'},
  closed: {kind: 'request-error'},
  'connect-failed': {kind: 'request-error'},
  'no-live-upstreams': {kind: 'request-error'},
  'header-too-big': {kind: 'request-error'},
  'header-invalid': {kind: 'request-error'},
  'upstream-error': {kind: 'request-error'},
  notice: 'noise',
  unanswered: {kind: 'request-error', stampIn: 'time'},
};

export const nginx: Format = {
  id: 'nginx',
  title: 'nginx (what it says of the server behind it)',
  grammarFile: 'nginx.ohm',
  matcher,
  meanings,
  requests: [],
};
