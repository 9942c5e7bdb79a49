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

test('where other formats are asked, their texts are looked up anew', async () =>
  expect((await matchersOf('compiled', null, formats.slice(1))).image).toBeNull());
