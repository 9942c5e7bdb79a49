import {expect, test} from 'vitest';
import {didYouMean, nearest} from '../../src/commands/nearest.ts';

test('upper case is no reason not to be understood', () => {
  expect(nearest('HARAKIRI-KILLS', ['harakiri-kills'])).toBe('harakiri-kills');
  expect(nearest('JSON', ['text', 'json'])).toBe('json');
});

test('near words are suggested, far ones are not', () => {
  const ids = ['mercy-too-long', 'mercy-too-short', 'harakiri-kills'];
  expect(didYouMean('mercy-to-long', ids)).toBe('. Did you mean mercy-too-long?');
  expect(didYouMean('harakiri', ids)).toBe('. Did you mean harakiri-kills?');
  expect(didYouMean('formta', ['format', 'json'], '--')).toBe('. Did you mean --format?');
  expect(didYouMean('uwsgi.log', ids)).toBe('');
});
