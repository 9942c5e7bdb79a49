/** What daphne's messages mean: `grammars/daphne.ohm` in the vocabulary of events, in the grammar's order. */
import matcher from '../../grammars/daphne.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  starting: {kind: 'starting', role: 'master'},
  'start-notice': 'noise',
  listening: {kind: 'master-started', role: 'master', shows: {address: 'bind'}},
  'listen-failure': {kind: 'address-in-use', fatal: true},
  'listen-refused': {kind: 'address-refused', fatal: true},
  // It stops at once and waits for nothing.
  'killed-pending': {kind: 'stop-ended', role: 'master', reload: 'stop', trigger: 'signal'},
  'took-too-long': {kind: 'requests-pending', role: 'master'},
  'request-trouble': 'noise',
  access: 'noise',
};

export const daphne: Format = {
  id: 'daphne',
  title: 'daphne',
  grammarFile: 'daphne.ohm',
  matcher,
  meanings,
  requests: [],
};
