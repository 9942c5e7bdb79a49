import {Ajv2020} from 'ajv/dist/2020.js';
import {expect, test} from 'vitest';
import {json} from '../../src/report/json.ts';
import {schema} from '../../src/report/schema.ts';
import {text} from '../../src/report/text.ts';
import {diagnosed, logsBelow} from '../recordings.ts';

const options = {width: 100, color: false, quiet: false, showRules: false};
const validate = new Ajv2020({strict: true, allowUnionTypes: true, allErrors: true}).compile(schema);

test.each(logsBelow('samples'))('%s is reported in full', async (name) => {
  const diagnosis = await diagnosed([name]);

  validate(JSON.parse(json.render(diagnosis, options)));
  expect(validate.errors).toBeNull();

  const report = text.render(diagnosis, options);
  expect(report).not.toMatch(/undefined|NaN|\[object/);
  expect(report.split('\n').filter((line) => Array.from(line).length > options.width && line.trim().includes(' '))).toEqual([]);
  expect(report).toMatch(/^VERDICT {2}/m);
});
