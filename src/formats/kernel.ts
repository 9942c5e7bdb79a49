/**
 * What the kernel's messages mean: `grammars/kernel.ohm` in the vocabulary of events, in the grammar's order.
 *
 * One kill for want of memory has up to three 'out-of-memory' lines with one pid, after a table of who held how much. The
 * pid is that of the host: inside a container only the process' name and the time can be compared.
 */
import matcher from '../../grammars/kernel.ohm';
import type {Meaning, Unneeded} from '../timeline/event.ts';
import type {Format} from './format.ts';

const meanings: Readonly<Record<string, Meaning | Unneeded>> = {
  oom: {kind: 'out-of-memory'},
  'oom-constraint': {kind: 'out-of-memory'},
  'oom-invoked': {kind: 'remark'},
  'oom-limit': {kind: 'memory-held'},
  'oom-held': {kind: 'memory-held'},
  'oom-notice': 'noise',
  'oomd-killed': {kind: 'out-of-memory'},
  crash: {kind: 'crash'},
  'core-dumped': {kind: 'crash'},
  'fork-unsafe': {kind: 'crash'},
  'fork-unsafe-notice': 'noise',
  'hung-task': {kind: 'remark'},
  'syn-flooding': {kind: 'remark'},
};

export const kernel: Format = {
  id: 'kernel',
  title: 'the Linux kernel, systemd-oomd and the runtime of macOS',
  grammarFile: 'kernel.ohm',
  matcher,
  meanings,
  requests: [],
};
