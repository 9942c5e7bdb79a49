import {describe, expect, test} from 'vitest';
import type {InputFile} from '../../src/source/input-file.ts';
import {readName} from '../../src/source/rotated-name.ts';
import {gapBetween, groupRotated} from '../../src/source/rotated-set.ts';

const file = (path: string, kind: InputFile['kind'] = 'regular'): InputFile => ({path, name: path, kind, foundIn: null});
const grouped = (...paths: string[]) => groupRotated(paths.map((path) => file(path))).map((set) => set.map(({name}) => name));

/** Each row is one log, its parts from the oldest to the newest. */
describe('oldest first, whatever the order', () => {
  test.each([
    ['logrotate', ['x.log.10.gz', 'x.log.3.gz', 'x.log.2.gz', 'x.log.1', 'x.log']],
    ['logrotate without ending', ['syslog.2.gz', 'syslog.1', 'syslog']],
    ['dateext', ['x.log-20251231.gz', 'x.log-20261119.gz', 'x.log-20261120', 'x.log']],
    ['dateext by the hour', ['x.log-2026112008.gz', 'x.log-2026112009.gz', 'x.log-2026112010', 'x.log']],
    ['dateext with %s', ['x.log-20261120-1795132800.gz', 'x.log-20261120-1795136400', 'x.log']],
    ['dateext before the ending', ['x-20261119.log.gz', 'x-20261120.log', 'x.log']],
    ["Python's TimedRotatingFileHandler", ['x.log.2026-11-19_23-00-00', 'x.log.2026-11-20', 'x.log']],
    [
      "supervisord's stdout",
      ['app-stdout---supervisor-x1.log.2', 'app-stdout---supervisor-x1.log.1', 'app-stdout---supervisor-x1.log'],
    ],
    ['Kubernetes', ['0.log.20260101-120000.gz', '0.log.20260101-130000', '0.log']],
    ["docker's json-file", ['ab12-json.log.2.gz', 'ab12-json.log.1', 'ab12-json.log']],
    ["uWSGI's log-maxsize", ['uwsgi.log.1795132800', 'uwsgi.log.1795136400', 'uwsgi.log']],
    ['lumberjack', ['x-2026-11-20T09-08-07.123.log.gz', 'x-2026-11-20T09-08-07.124.log', 'x.log']],
    ['log4j', ['x.2026-11-20.1.log', 'x.2026-11-20.2.log', 'x.2026-11-20.10.log', 'x.log']],
    ['svlogd', ['@400000006743a1b20a1b2c3d.s', '@400000006743a1b20a1b2c3e.u', 'current']],
    ['daily files without a live one', ['2026-11-19.log', '2026-11-20.log']],
    ['a change from one scheme to another', ['x.log-20261120.gz', 'x.log.1', 'x.log']],
    ['by hand', ['x.log.old', 'x.log']],
    ['a packed copy', ['x.log.1.gz', 'x.log.1']],
  ])('%s', (_, parts) => {
    expect(grouped(...parts)).toEqual([parts]);
    expect(grouped(...parts.toReversed())).toEqual([parts]);
    const [first, ...others] = parts as [string, ...string[]];
    expect(grouped(...others, first)).toEqual([parts]);
  });
});

test.each([
  ['x.log', 'y.log'],
  ['a/x.log', 'b/x.log.1'],
  ['0.log', '1.log'],
  ['worker-1.log', 'worker-2.log'],
  ['uwsgi-20261120-blue.log', 'uwsgi-20261120-green.log'],
  ['x-10.20.30.40.log', 'x-10.20.30.41.log'],
  ['app-20261399.log', 'app.log'],
  ['x.log.12345', 'x.log'],
])('%s and %s are two logs', (a, b) => {
  expect(grouped(a, b)).toEqual([[a], [b]]);
});

test('sets stand where their first part was named', () => {
  expect(grouped('b.log', 'a.log.1', 'c.log', 'b.log.1', 'a.log')).toEqual([
    ['b.log.1', 'b.log'],
    ['a.log.1', 'a.log'],
    ['c.log'],
  ]);
});

test('pipes and standard input are no parts', () => {
  expect(groupRotated([file('x.log', 'pipe'), file('x.log.1', 'pipe')])).toHaveLength(2);
});

test('parts that are missing are counted', () => {
  expect(gapBetween(file('x.log.4'), file('x.log.1'))).toBe('2 parts between it and x.log.1 are missing');
  expect(gapBetween(file('x.log.2.gz'), file('x.log'))).toBe('the part between it and x.log is missing');
  expect(gapBetween(file('x.log.1'), file('x.log'))).toBeNull();
  expect(gapBetween(file('x.log.2'), file('x.log.1'))).toBeNull();
  expect(gapBetween(file('x.log-20261101'), file('x.log'))).toBeNull();
});

test('the name of the log', () => {
  expect(readName('app-out__2026-11-20_00-00-00.log').log).toBe('app-out.log');
  expect(readName('uwsgi.log-20261120.gz').log).toBe('uwsgi.log');
});
