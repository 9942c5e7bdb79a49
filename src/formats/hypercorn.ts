/** What hypercorn's messages mean: `grammars/hypercorn.ohm` in the vocabulary of events, in the grammar's order. */
import matcher from '../../grammars/hypercorn.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  running: {kind: 'process-started', role: 'worker', shows: {value: 'bind'}},
  'framework-error': {kind: 'remark', role: 'worker'},
  'lifespan-timeout': {kind: 'app-load-failed', when: {phase: {shutdown: {kind: 'remark'}}}},
  'lifespan-failure': {kind: 'app-load-failed', when: {phase: {shutdown: {kind: 'remark'}}}},
};

export const hypercorn: Format = {
  id: 'hypercorn',
  title: 'hypercorn',
  grammarFile: 'hypercorn.ohm',
  matcher,
  meanings,
  requests: [],
};
