/** What foreman's and honcho's messages mean: `grammars/procfile.ohm` in the vocabulary of events, in the grammar's order. */
import matcher from '../../grammars/procfile.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  started: {kind: 'process-started', role: 'program'},
  // Nobody but itself ends its programs by this signal.
  ended: {kind: 'process-ended', role: 'program', when: {signal: {'15': {cause: 'stop'}, SIGTERM: {cause: 'stop'}}}},
  asked: {kind: 'group-stopping', role: 'master'},
  stopping: {kind: 'stop-began', role: 'master', reload: 'stop', trigger: 'signal'},
  'stop-signalled': {kind: 'program-stopping', role: 'program'},
  killing: {kind: 'process-forced', role: 'program', deadline: 'stop-timeout'},
};

export const procfile: Format = {
  id: 'procfile',
  title: 'foreman and honcho',
  grammarFile: 'procfile.ohm',
  matcher,
  meanings,
  requests: [],
};
