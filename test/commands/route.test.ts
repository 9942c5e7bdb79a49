import {expect, test} from 'vitest';
import {route} from '../../src/cli.ts';

test.each<[readonly string[], boolean, readonly string[]]>([
  [['uwsgi.log'], true, ['analyze', 'uwsgi.log']],
  [['--json', 'uwsgi.log'], true, ['analyze', '--json', 'uwsgi.log']],
  [['-'], true, ['analyze', '-']],
  [[], false, ['analyze', '-']],
  [[], true, ['analyze']],
  [['events', 'uwsgi.log'], false, ['events', 'uwsgi.log']],
  [['./events'], false, ['analyze', './events']],
  [['--help'], false, ['--help']],
  [['help', 'explain'], false, ['explain', '--help']],
  [['formats', 'why', 'x.log'], true, ['formats:why', 'x.log']],
  [['help', 'formats', 'why'], true, ['formats:why', '--help']],
])('%j with a terminal as stdin: %s becomes %j', (argv, stdinIsTerminal, words) => {
  expect(route(argv, stdinIsTerminal)).toEqual(words);
});
