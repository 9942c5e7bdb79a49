import matcher from '../../grammars/application.ohm';
import type {Format} from './format.ts';

/** Lines of the application itself that tell of background tasks. */
export const application: Format = {
  id: 'application',
  title: "the application's own lines about tasks",
  grammarFile: 'application.ohm',
  matcher,
  meanings: {
    'task-began': {kind: 'task-began'},
    'task-ended': {kind: 'task-ended'},
  },
  requests: [],
  isApplication: true,
};
