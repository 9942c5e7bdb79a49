import matcher from '../../grammars/record.ohm';
import type {Format} from './format.ts';

/** Lines of the application's logger that name their process. They are counted by process and words ({@link Voices}). */
export const record: Format = {
  id: 'record',
  title: "the application's own lines that name their process",
  grammarFile: 'record.ohm',
  matcher,
  meanings: {record: 'voice'},
  requests: [],
  isApplication: true,
};
