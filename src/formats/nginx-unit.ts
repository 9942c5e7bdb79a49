/** What Nginx Unit's messages mean: `grammars/nginx-unit.ohm` in the vocabulary of events, in the grammar's order. */
import matcher from '../../grammars/nginx-unit.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  'unit-started': {kind: 'starting'},
  'application-started': {kind: 'process-started', role: 'worker'},
  'helper-started': {kind: 'process-started', role: 'other'},
  'exited-on-signal': {kind: 'process-ended'},
  'exited-with-code': {kind: 'process-ended'},
  'python-not-loaded': {kind: 'app-load-failed', role: 'worker'},
  'application-not-started': {kind: 'app-load-failed'},
  'application-raised': {kind: 'request-error'},
  'address-in-use': {kind: 'address-in-use'},
  'configuration-lost': {kind: 'remark'},
  notice: 'noise',
};

export const nginxUnit: Format = {
  id: 'nginx-unit',
  title: 'Nginx Unit',
  grammarFile: 'nginx-unit.ohm',
  matcher,
  meanings,
  requests: [],
};
