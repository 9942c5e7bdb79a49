/**
 * Lists of the processes of a host: `grammars/ps.ohm` in the vocabulary of events. A row shows that a process is there, and
 * not what started it: it is joined with the processes of the log by pid.
 */
import matcher from '../../grammars/ps.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const seen: Meaning = {kind: 'process-seen', onHost: true, values: {server: {uWSGI: 'uwsgi'}, state: {'<defunct>': 'Z'}}};

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  listed: seen,
  'listed-with-state': seen,
  'listed-briefly': seen,
  'list-heading': 'noise',
};

export const ps: Format = {id: 'ps', title: 'ps, the list of processes', grammarFile: 'ps.ohm', matcher, meanings, requests: []};
