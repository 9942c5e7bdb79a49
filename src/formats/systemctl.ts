/**
 * What `systemctl status` shows of a unit: `grammars/systemctl.ohm` in the vocabulary of events. The journal's lines that it
 * prints below are systemd's own.
 */
import matcher from '../../grammars/systemctl.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  'unit-status': {kind: 'snapshot', role: 'program'},
  'unit-loaded': 'noise',
  'unit-active': {kind: 'program-seen', role: 'program'},
  'main-pid': {kind: 'program-seen', role: 'program'},
  'main-pid-gone': {kind: 'program-seen', role: 'program'},
  'unit-command': 'noise',
  'job-failed': {kind: 'remark', role: 'program'},
  refused: {kind: 'remark', role: 'program'},
  'job-hint': 'noise',
  'in-group': {kind: 'process-seen', onHost: true},
  'unit-detail': 'noise',
};

export const systemctl: Format = {
  id: 'systemctl',
  title: 'systemctl status',
  grammarFile: 'systemctl.ohm',
  matcher,
  meanings,
  requests: [],
};
