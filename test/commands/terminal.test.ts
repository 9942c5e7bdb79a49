import {describe, expect, test} from 'vitest';
import {wantsColor, widthFor} from '../../src/commands/terminal.ts';

describe('colour', () => {
  test.each<[boolean, boolean | undefined, NodeJS.ProcessEnv, boolean]>([
    [true, undefined, {}, true],
    [false, undefined, {}, false],
    [false, undefined, {TERM: 'dumb'}, true],
    [false, undefined, {NO_COLOR: '1'}, true],
    [true, undefined, {NO_COLOR: ''}, true],
    [true, undefined, {FORCE_COLOR: '1'}, false],
    [false, undefined, {FORCE_COLOR: '0'}, true],
    [true, true, {NO_COLOR: '1'}, false],
    [false, false, {FORCE_COLOR: '1'}, true],
  ])('%s for flag %s, %j, terminal: %s', (wanted, flag, env, terminal) => expect(wantsColor(flag, env, terminal)).toBe(wanted));

  test('width', () => expect([undefined, 20, 90, 300].map(widthFor)).toEqual([100, 40, 90, 120]));
});
