import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Ajv2020} from 'ajv/dist/2020.js';
import {expect, test} from 'vitest';
import {analyze} from '../../src/analyze.ts';
import {json} from '../../src/report/json.ts';
import {schema} from '../../src/report/schema.ts';
import {text} from '../../src/report/text.ts';

const samples = fileURLToPath(new URL('../../samples/', import.meta.url));
const logs = readdirSync(samples, {recursive: true, encoding: 'utf8'}).filter((name) => name.endsWith('.log'));
const options = {width: 100, color: false, quiet: false, showRules: false};
const validate = new Ajv2020({strict: true, allowUnionTypes: true, allErrors: true}).compile(schema);

test.each(logs)('%s is reported in full', async (name) => {
  const diagnosis = await analyze({inputs: [join(samples, name)]});

  validate(JSON.parse(json.render(diagnosis, options)));
  expect(validate.errors).toBeNull();

  const report = text.render(diagnosis, options);
  expect(report).not.toMatch(/undefined|NaN|\[object/);
  expect(report.split('\n').filter((line) => Array.from(line).length > options.width && line.trim().includes(' '))).toEqual([]);
  expect(report).toMatch(/^VERDICT {2}/m);
});
