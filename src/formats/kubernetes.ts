/** What Kubernetes says of containers: `grammars/kubernetes.ohm` in the vocabulary of events, in the grammar's order. */
import matcher from '../../grammars/kubernetes.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  'probe-failed': {kind: 'remark'},
  'probe-logged': {kind: 'remark'},
  'probe-kills': {kind: 'program-failed', role: 'program'},
  'back-off': {kind: 'remark'},
  'killed-for-memory': {kind: 'out-of-memory', role: 'program'},
  'exit-code': {kind: 'remark'},
  'restart-count': {kind: 'remark'},
  'pod-failing': {kind: 'remark'},
  'pod-row': 'noise',
};

export const kubernetes: Format = {
  id: 'kubernetes',
  title: 'Kubernetes (the kubelet, and what kubectl shows)',
  grammarFile: 'kubernetes.ohm',
  matcher,
  meanings,
  requests: [],
};
