import {expect, test} from 'vitest';
import {formats} from '../../src/formats/index.ts';
import {imageOf} from '../../src/grammar/vocabulary-image.ts';
import {matchersOf} from '../../src/recorder/matchers.ts';

test('the build has looked up the texts of all formats by which somebody is known, in their order', async () => {
  const {image} = await matchersOf('compiled', null, formats);
  const known = formats.filter(({meanings}) => !Object.values(meanings).includes('voice'));
  expect(known.length).toBeGreaterThan(20);
  expect(image).toEqual(imageOf(known.map(({matcher}) => matcher.signs)));
});

test('where rules are others, their texts are looked up anew', async () => {
  const [uwsgi, ...others] = formats;
  const rules = {text: 'own = "own " digit+', instead: ['request']};
  const {image} = await matchersOf('compiled', null, [{...uwsgi!, rules}, ...others]);
  expect(image).toBeNull();
});
