/**
 * What waitress's messages mean: `grammars/waitress.ohm` in the vocabulary of events, in the grammar's order.
 *
 * SIGTERM ends it at once and without a word; only SIGINT makes it wait for its threads, for 5 s.
 */
import matcher from '../../grammars/waitress.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  serving: {kind: 'master-started', role: 'master', shows: {value: 'bind'}},
  'queue-depth': {kind: 'remark'},
  'threads-running': {kind: 'stop-began', role: 'master', reload: 'stop', trigger: 'signal'},
  cancelling: {kind: 'stop-ended', role: 'master', reload: 'stop', trigger: 'signal'},
};

export const waitress: Format = {
  id: 'waitress',
  title: 'waitress',
  grammarFile: 'waitress.ohm',
  matcher,
  meanings,
  requests: [],
};
